//! What is not approved any more is not signed off: the workflow is ended before its time.

use shared::{
    content_server::{ProcessId, WorkflowChange},
    error::{Error, FailureClass, Result, System},
    flow::{Policy, Run},
    iconik::{ApprovalStatus, Asset, AssetStatus, AssetVersion, ObjectRef, VersionId, VersionStatus},
};

use super::{
    StartSignoff,
    follow::Followed,
    memory::{Known, Lapse, Workflow},
};

impl StartSignoff {
    /// Why the sign-off of a version is not wanted any more; nothing while it is. An asset that is not there is `None`.
    pub(super) async fn lapse(&self, asset: Option<&Asset>, version: &VersionId) -> Result<Option<Lapse>> {
        let Some(asset) = asset else { return Ok(Some(Lapse::AssetGone)) };
        if asset.status == AssetStatus::Deleted {
            return Ok(Some(Lapse::AssetDeleted));
        }
        if asset.version(version).is_none_or(is_deleted) {
            return Ok(Some(Lapse::VersionDeleted));
        }
        let object = ObjectRef::Assets(asset.id.clone());
        let approval = self.iconik.find_approval(&object, Some(version)).await?;
        let is_approved = approval.is_some_and(|approval| approval.status == ApprovalStatus::Approved);
        Ok((!is_approved).then_some(Lapse::ReviewReopened))
    }

    /// Ends every sign-off of an asset that runs and is not wanted any more, and finishes what was begun to be withdrawn.
    /// Says which were; in a dry run, without how they stand then.
    pub(super) async fn withdraw_lapsed(
        &self,
        known: &Known,
        asset: Option<&Asset>,
        run: &Run,
    ) -> Result<Vec<(ProcessId, Option<Followed>)>> {
        let mut withdrawn = Vec::new();
        for (version, signoff) in known.all() {
            let Some(workflow) = self.workflow(signoff.process).await? else { continue };
            if workflow.closed.is_some() {
                continue;
            }
            let lapse = match workflow.withdrawn {
                Some(lapse) => Some(lapse),
                None => self.lapse(asset, &version).await?,
            };
            let Some(lapse) = lapse else { continue };
            let followed = match run.is_dry() {
                true => None,
                false => Some(self.withdraw(signoff.process, workflow, lapse, run).await?),
            };
            withdrawn.push((signoff.process, followed));
        }
        Ok(withdrawn)
    }

    /// Ends a workflow, unless it has ended by itself, and tells iconik how.
    pub(super) async fn withdraw(
        &self,
        process: ProcessId,
        workflow: Workflow,
        lapse: Lapse,
        run: &Run,
    ) -> Result<Followed> {
        if workflow.withdrawn.is_none() {
            // Written down first: whoever finds the workflow stopped knows by whom.
            let workflow = Workflow { withdrawn: Some(lapse), ..workflow };
            self.remember_workflow(process, &workflow, run).await?;
        }
        let is_over = || async {
            let status = self.content_server.find_workflow(process).await?;
            Ok(status.is_none_or(|status| status.is_ended()).then_some(true))
        };
        let stop = || async {
            // One that has ended by itself keeps its decision.
            if is_over().await?.is_none() {
                self.content_server.change_workflow(process, WorkflowChange::Stop).await?;
            }
            Ok(true)
        };
        run.effect("stop-workflow", Policy::CheckThenRepeat, is_over, stop).await.map_err(explained)?;
        run.note("withdrawn", process.0.to_string());
        self.follow(process, run).await
    }
}

/// Whether a version is gone, or on its way out.
pub(super) fn is_deleted(version: &AssetVersion) -> bool {
    matches!(version.status, VersionStatus::Deleted | VersionStatus::Deleting)
}

/// What a refusal to end a workflow means.
fn explained(error: Error) -> Error {
    if error.system() == System::ContentServer && error.class() == FailureClass::Forbidden {
        return error.with_code("workflow.stop-refused").remedy(
            "let the service user stop the workflows it has initiated, then approve or reject again",
        );
    }
    error
}
