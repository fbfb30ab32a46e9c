//! Whether Content Server holds a case or anything in it.

use shared::{
    content_server::{NOT_ACCESSIBLE, NOT_FOUND, NodeId},
    error::Result,
    flow::Run,
};

use super::ArchiveClosedFiles;

/// Under which name it is recorded how many nodes were asked about.
const ASKED: &str = "asked-about-holds";

impl ArchiveClosedFiles {
    /// Whether a hold is in force on a case, on a container it is in, or on one of its nodes. Nothing when the
    /// invocation must end before that is known; the next one goes on.
    pub(super) async fn held(&self, case: NodeId, nodes: &[i64], run: &Run) -> Result<Option<bool>> {
        if self.is_held_from_above(case).await? {
            return self.asked(Some(true), run).await;
        }
        let asked = run.recorded::<usize>(ASKED).unwrap_or(0);
        for (number, node) in nodes.iter().enumerate().skip(asked) {
            if run.must_stop() {
                run.checkpoint(ASKED, &number).await?;
                return Ok(None);
            }
            if self.is_held(NodeId(*node)).await? {
                return self.asked(Some(true), run).await;
            }
        }
        self.asked(Some(false), run).await
    }

    /// Whether a hold is in force on a case or on a container it is in.
    pub(super) async fn is_held_from_above(&self, case: NodeId) -> Result<bool> {
        let way = self.content_server.list_ancestors(case).await?;
        // A volume carries no hold and says so in its own way; it is the one that has no parent.
        for ancestor in way.iter().skip(1).map(|ancestor| ancestor.id).chain([case]) {
            if self.content_server.is_held(ancestor).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a hold is in force on a node.
    pub(super) async fn is_held(&self, node: NodeId) -> Result<bool> {
        match self.content_server.is_held(node).await {
            // What is gone is held by nobody.
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Ok(false),
            outcome => outcome,
        }
    }

    /// The next question begins with the first node again.
    async fn asked(&self, answer: Option<bool>, run: &Run) -> Result<Option<bool>> {
        if run.recorded::<usize>(ASKED).unwrap_or(0) > 0 {
            run.checkpoint(ASKED, &0).await?;
        }
        Ok(answer)
    }
}
