//! The delivery of one upload: filed, restricted, its source cared for.

use serde::{Deserialize, Serialize};
use shared::{
    error::Result,
    filing::{Content, Filed as Outcomes, Filing, FilingPlan, Mark, Placed, VersionsOf},
    flow::{Delivery, Flow, Outcome, Reason, Run},
    s3_notification::ObjectEvent,
    transfer::Witness,
};

use super::{IngestUploads, collect::Collected};
use crate::{
    intake_rules::IntakePlan,
    uploads::{is_final, passage::content},
};

/// One upload on its way, with everything known about it.
pub(super) struct Job<'a> {
    pub(super) event: &'a ObjectEvent,
    pub(super) collected: &'a Collected,
    pub(super) plan: &'a IntakePlan,
    pub(super) run: &'a Run,
    pub(super) mark: Mark,
}

impl<'a> Job<'a> {
    fn filing(&'a self, plan: &'a FilingPlan, content: &'a Content) -> Filing<'a> {
        Filing {
            plan,
            mark: &self.mark,
            content,
            verify: self.plan.limits.verify,
            versions_of: VersionsOf::Anything,
            origin: self.event.key.as_str(),
            run: self.run,
            guard: None,
            told: None,
        }
    }
}

/// The checkpoint that says: the document is in place, verified and complete but for its rights. Written only where a
/// rule changes rights, as what takes over may not see the document any more.
pub(super) const FILED: &str = "filed";

/// A document in its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Filed {
    pub(super) placed: Placed,
    delivery: Delivery,
}

enum Ended {
    Done(Filed),
    LeaveAlone(Reason),
}

impl IngestUploads {
    pub(super) async fn deliver(
        &self,
        event: &ObjectEvent,
        collected: &Collected,
        plan: &IntakePlan,
        run: &Run,
    ) -> Result<Outcome> {
        let mark = Mark::of(&self.item(event), event.sequencer.as_ref());
        let job = Job { event, collected, plan, run, mark };
        let filed = match run.recorded::<Filed>(FILED) {
            Some(filed) => filed,
            None => match Box::pin(self.file(&job)).await? {
                Ended::Done(filed) => filed,
                Ended::LeaveAlone(reason) => return Ok(Outcome::Skipped(reason)),
            },
        };
        self.restrict(&job, &filed).await?;
        let Filed { placed, delivery } = filed;
        match self.care_for_source(&job, placed, &delivery).await {
            // The document is delivered; that its source could not be cared for is noted, not made its ending.
            Err(error) if is_final(&error) => {
                tracing::warn!(error = ?error, "the source stays as it is");
                run.note("source-left", error.code());
            }
            outcome => outcome?,
        }
        Ok(Outcome::Delivered(delivery))
    }

    /// Verifies what an earlier attempt has made of an upload that is not to be delivered any more.
    pub(super) async fn verify_begun(
        &self,
        event: &ObjectEvent,
        collected: &Collected,
        plan: &IntakePlan,
        run: &Run,
    ) -> Result<()> {
        let mark = Mark::of(&self.item(event), event.sequencer.as_ref());
        let job = Job { event, collected, plan, run, mark };
        let (plan, content) = (plan.filing(), content(&self.s3, &collected.object, &Witness::new()));
        self.filer.verify_begun(&job.filing(&plan, &content)).await
    }

    /// Everything but the rights of the document, and its source.
    async fn file(&self, job: &Job<'_>) -> Result<Ended> {
        self.check_content(job.collected, job.plan).await?;
        let (plan, content) = (job.plan.filing(), content(&self.s3, &job.collected.object, &Witness::new()));
        let (placed, digests) = match self.filer.file(&job.filing(&plan, &content)).await? {
            Outcomes::Done { placed, digests } => (placed, digests),
            Outcomes::LeftAlone { reason, .. } => return Ok(Ended::LeaveAlone(reason)),
        };
        if let Some(review) = &job.plan.review {
            self.start_review(job, placed, review).await?;
        }
        let rule = &job.plan.rule;
        let delivery = Delivery {
            result: serde_json::json!({
                "node": placed.node, "version": placed.version, "rule": rule,
                "sha256": digests.sha256, "bytes": digests.bytes,
            }),
            digest: Some(digests.sha256.clone()),
            bytes: digests.bytes,
            detail: [
                ("node", placed.node.to_string()),
                ("version", placed.version.to_string()),
                ("rule", rule.clone()),
                ("size", digests.bytes.to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
        };
        Ok(Ended::Done(Filed { placed, delivery }))
    }
}
