//! The round over the workflows that run: which have moved, and which stand for a review that lapsed?
//!
//! It tells by messages to the flow's own queue, one per workflow and standing, so that each is an item of its own. A
//! message that is sent twice is the same item; what was put aside is tried again each day.

use shared::{
    content_server::ProcessId,
    error::Result,
    flow::{Flow, Outcome, Run},
    iconik::AssetStatus,
    iconik_change::IconikChange,
    node_change::NodeChange,
};

use super::{COMPLETED, StartSignoff, follow::seen, memory::Workflow, skipped};

/// The checkpoint that says how far a round has come.
const BEHIND: &str = "behind";

impl StartSignoff {
    pub(super) async fn look(&self, run: &Run) -> Result<Outcome> {
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
                if workflow.closed.is_none() {
                    looked += 1;
                    told += u32::from(self.look_at(process, &workflow, run).await?);
                }
                behind = process.0;
            }
        }
        run.note("told", told.to_string());
        skipped("look.done", &format!("{looked} workflows were looked at, {told} have news"))
    }

    /// Tells of a workflow that has moved, or whose review lapsed.
    async fn look_at(&self, process: ProcessId, workflow: &Workflow, run: &Run) -> Result<bool> {
        let asset = self.iconik.find_asset(&workflow.asset).await?;
        let is_in_bin = asset.as_ref().is_some_and(|asset| asset.status == AssetStatus::Deleted);
        let status = self.content_server.find_workflow(process).await?;
        let runs = status.as_ref().is_some_and(|status| !status.is_ended());
        let day = run.context().now().strftime("%Y-%m-%d").to_string();
        if runs {
            let lapse = match workflow.withdrawn {
                Some(lapse) => Some(lapse),
                None => self.lapse(asset.as_ref(), &workflow.version).await?,
            };
            if lapse.is_some() {
                let word = serde_json::to_string(&lapse).unwrap_or_default();
                let occasion = format!("lapsed {word} workflow {} {day}", process.0);
                self.tell_of_review(workflow, occasion, run).await?;
                return Ok(true);
            }
        }
        let now = seen(status.as_ref());
        if is_in_bin || (now == workflow.seen && runs) {
            return Ok(false);
        }
        self.tell_of_workflow(process, format!("{now} {day}"), run).await?;
        Ok(true)
    }

    async fn tell_of_review(&self, workflow: &Workflow, occasion: String, run: &Run) -> Result<()> {
        let change = IconikChange {
            version_id: Some(workflow.version.as_str().to_owned()),
            ..IconikChange::about("assets", workflow.asset.as_str(), None, occasion)
        };
        self.send(change.envelope(Self::NAME, Self::NAME, run.context())?, run).await
    }

    async fn tell_of_workflow(&self, process: ProcessId, occasion: String, run: &Run) -> Result<()> {
        let change = NodeChange::about(process.0, Some(COMPLETED), occasion);
        self.send(change.envelope(Self::NAME, Self::NAME, run.context())?, run).await
    }

    /// Sends a message to the flow's own queue.
    async fn send(&self, body: String, run: &Run) -> Result<()> {
        if run.is_dry() {
            return Ok(());
        }
        self.environment.send_to_own_queue("tell of sign-off", body, 0).await
    }
}
