//! The round over the known workflows: which have ended, and was the decision about one changed since?
//!
//! It tells by messages to the flow's own queue, one per workflow and decision, so that every completion is an item of
//! its own. A message that is sent twice is the same item.

use shared::{
    content_server::ProcessId,
    error::Result,
    flow::{Flow, Outcome, Run},
    node_change::NodeChange,
};

use super::{COMPLETED, StageAttachments, case::Workflow, skipped};

/// How long a decision that was dealt with is looked at again, in seconds: it may be changed.
const RECONSIDERED: i64 = 48 * 3600;
/// The checkpoint that says how far a round has come.
const BEHIND: &str = "behind";

impl StageAttachments {
    pub(super) async fn look(&self, run: &Run) -> Result<Outcome> {
        self.environment.renew_credential(&self.content_server).await?;
        let mut behind = run.recorded::<i64>(BEHIND).unwrap_or(-1);
        let (mut looked, mut told) = (0_u32, 0_u32);
        loop {
            let page = self.workflows_behind(behind, run).await?;
            if page.is_empty() {
                break;
            }
            for (process, workflow) in page {
                if run.must_stop() {
                    run.checkpoint(BEHIND, &behind).await?;
                    return Ok(Outcome::Continue);
                }
                if self.is_of_interest(&workflow, run) {
                    looked += 1;
                    told += u32::from(self.look_at(process, &workflow, run).await?);
                }
                behind = process.0;
            }
        }
        run.note("told", told.to_string());
        skipped("look.done", &format!("{looked} workflows were looked at, {told} have news"))
    }

    fn is_of_interest(&self, workflow: &Workflow, run: &Run) -> bool {
        let now = run.context().now().as_second();
        workflow.closed.as_ref().is_none_or(|closed| now - closed.at < RECONSIDERED)
    }

    /// Tells of a workflow that has ended otherwise than was dealt with.
    async fn look_at(&self, process: ProcessId, workflow: &Workflow, run: &Run) -> Result<bool> {
        let closed = workflow.closed.as_ref().map(|closed| closed.decision.as_str());
        let occasion = match self.content_server.find_workflow(process).await? {
            // One that was dealt with may have been tidied away.
            None if closed.is_some() => return Ok(false),
            None => "gone".to_owned(),
            Some(status) => match self.decision(workflow, &status) {
                Ok(None) => return Ok(false),
                Ok(Some(decision)) if closed == Some(decision.word()) => return Ok(false),
                Ok(Some(decision)) => match closed {
                    None => decision.word().to_owned(),
                    Some(before) => format!("{} after {before}", decision.word()),
                },
                // Its item says why.
                Err(error) => error.code().to_owned(),
            },
        };
        if run.is_dry() {
            return Ok(true);
        }
        self.tell(process, &occasion, run).await?;
        Ok(true)
    }

    /// Sends a message about a workflow to the flow's own queue.
    pub(super) async fn tell(&self, process: ProcessId, occasion: &str, run: &Run) -> Result<()> {
        let change = NodeChange::about(process.0, Some(COMPLETED), occasion);
        let body = change.envelope(Self::NAME, Self::NAME, run.context())?;
        self.environment.send_to_own_queue("tell of workflow", body, 0).await
    }
}
