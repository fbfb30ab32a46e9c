//! From an ended workflow to its output, and to what its inputs are told.

use serde_json::json;
use shared::{
    content_server::{NodeId, ProcessId, WorkflowStatus},
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Outcome, Run},
    node_change::NodeChange,
    transfer::S3Object,
};

use super::{
    COMPLETED, StageAttachments, again,
    case::{Closed, Input, Workflow},
    package::{Package, Shelf},
    process_of, skipped,
    workflow::attachments,
};
use crate::{
    staging_rules::StagingRule,
    uploads::{is_final, tags},
};

/// How a workflow ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// By one of the rule's dispositions.
    Approved(String),
    /// By another one.
    Rejected(String),
    /// Before it was decided.
    Stopped,
}

impl Decision {
    /// In one word, as tags have it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Rejected(_) => "rejected",
            Self::Stopped => "stopped",
        }
    }

    /// As the step's disposition has it.
    pub(super) fn disposition(&self) -> &str {
        match self {
            Self::Approved(disposition) | Self::Rejected(disposition) => disposition,
            Self::Stopped => "",
        }
    }
}

/// An ended workflow, with everything known about it.
pub(super) struct Ended<'a> {
    pub(super) process: ProcessId,
    pub(super) workflow: &'a Workflow,
    pub(super) rule: &'a StagingRule,
    pub(super) decision: &'a Decision,
    pub(super) attachments: Option<NodeId>,
    pub(super) inputs: &'a [Input],
    pub(super) shelf: Shelf,
    pub(super) run: &'a Run,
}

impl StageAttachments {
    pub(super) async fn complete(&self, change: &NodeChange, run: &Run) -> Result<Outcome> {
        if change.request.as_deref() != Some(COMPLETED) {
            return skipped("request.not-ours", "the request is for another flow");
        }
        let process = process_of(change);
        run.note("workflow", process.0.to_string());
        self.environment.renew_credential(&self.content_server).await?;
        let name = format!("workflow-{}", process.0);
        self.alone(&name, run, Box::pin(self.complete_alone(process, run))).await
    }

    async fn complete_alone(&self, process: ProcessId, run: &Run) -> Result<Outcome> {
        let Some(workflow) = self.workflow_facts(process, run).await? else {
            return skipped("workflow.not-ours", "nothing was staged for this workflow");
        };
        let Some((decision, status)) = self.decided(process, &workflow).await? else {
            return skipped("workflow.running", "the workflow has not ended");
        };
        run.note("decision", decision.word());
        let rule = self.rules.rule(&workflow.rule).ok_or_else(|| no_rule(&workflow))?;
        if run.is_dry() {
            return skipped("dry-run", &format!("the workflow ended as {}", decision.word()));
        }
        let inputs = self.inputs(process, run).await?;
        let was_closed = workflow.closed.as_ref().is_some_and(|closed| closed.decision == decision.word());
        if was_closed && !run.is_taken_over() {
            self.tag_inputs(process, &decision, &inputs, run).await?;
            return skipped("decision.already", "what follows from this decision was done before");
        }
        let bucket = rule.output.bucket.as_ref().unwrap_or(&self.environment.settings.content_bucket);
        let ended = Ended {
            process,
            workflow: &workflow,
            rule,
            decision: &decision,
            // Only an approved output needs them.
            attachments: match decision {
                Decision::Approved(_) => Some(attachments(&status)?),
                _ => None,
            },
            inputs: &inputs,
            shelf: Shelf::of(bucket, &rule.output.prefix, &workflow),
            run,
        };
        self.follow_up(&ended).await
    }

    /// Output, tags, and a last look at whether it still is what was decided.
    async fn follow_up(&self, ended: &Ended<'_>) -> Result<Outcome> {
        let (process, run) = (ended.process, ended.run);
        let package = match ended.decision {
            Decision::Approved(_) => match Box::pin(self.package(ended)).await? {
                Some(package) => Some(package),
                None => return Ok(Outcome::Continue),
            },
            Decision::Rejected(_) | Decision::Stopped => {
                self.withdraw(&ended.shelf).await?;
                None
            }
        };
        self.check_decision(ended).await?;
        if let Some(package) = &package {
            self.publish(ended, package).await?;
        }
        self.tag_inputs(process, ended.decision, ended.inputs, run).await?;
        let closed =
            Closed { decision: ended.decision.word().to_owned(), at: run.context().now().as_second() };
        let closed = Workflow { closed: Some(closed), ..ended.workflow.clone() };
        self.remember_workflow(process, &closed, run).await?;
        self.check_decision(ended).await?;
        Ok(Outcome::Delivered(delivery(ended, package.as_ref())))
    }

    /// Refuses when the workflow says otherwise now: it is looked at anew, and what was written is withdrawn.
    pub(super) async fn check_decision(&self, ended: &Ended<'_>) -> Result<()> {
        match self.decided(ended.process, ended.workflow).await? {
            Some((decision, _)) if decision == *ended.decision => Ok(()),
            _ => Err(again(
                "decision.changed",
                "the decision was changed meanwhile: the workflow is looked at anew",
            )),
        }
    }

    /// How a workflow ended; nothing while it has not.
    async fn decided(
        &self,
        process: ProcessId,
        workflow: &Workflow,
    ) -> Result<Option<(Decision, WorkflowStatus)>> {
        let status = self.content_server.find_workflow(process).await?.ok_or_else(|| {
            Error::new(
                FailureClass::Gone,
                System::ContentServer,
                "read decision",
                "workflow.gone",
                "the workflow was deleted, or is no longer kept: nobody knows its decision",
            )
            .remedy(
                "keep completed workflows longer than the rounds are apart; decide about the inputs by hand",
            )
        })?;
        Ok(self.decision(workflow, &status)?.map(|decision| (decision, status)))
    }

    /// What a status says about the decision; nothing while the workflow has not ended.
    pub(super) fn decision(&self, workflow: &Workflow, status: &WorkflowStatus) -> Result<Option<Decision>> {
        if !status.is_ended() {
            return Ok(None);
        }
        if status.is_stopped() {
            return Ok(Some(Decision::Stopped));
        }
        let rule = self.rules.rule(&workflow.rule).ok_or_else(|| no_rule(workflow))?;
        let step = status.completed.iter().rev().find(|step| step.name == rule.decision_step);
        let disposition =
            step.map(|step| step.disposition.trim()).filter(|disposition| !disposition.is_empty());
        let Some(disposition) = disposition else {
            let step = &rule.decision_step;
            return Err(Error::invalid(
                "decision.missing",
                format!("the workflow has ended, and says nothing about how its step {step:?} did"),
            )
            .field("decision.step")
            .remedy("correct the step's name in the rule, or give the step dispositions in the map"));
        };
        let approves = rule.approved.iter().any(|approved| approved.eq_ignore_ascii_case(disposition));
        let disposition = disposition.to_owned();
        Ok(Some(if approves { Decision::Approved(disposition) } else { Decision::Rejected(disposition) }))
    }

    /// Says on every input what was decided. One that is gone or full is left alone.
    async fn tag_inputs(
        &self,
        process: ProcessId,
        decision: &Decision,
        inputs: &[Input],
        run: &Run,
    ) -> Result<()> {
        let process = process.0.to_string();
        let said = [("waybill-decision", decision.word()), ("waybill-process", process.as_str())];
        let mut left = 0_u32;
        for input in inputs {
            let version = input.version_id.as_deref();
            let expected = if version.is_none() { Some(input.etag.as_str()) } else { None };
            let tagged = match S3Object::head(&self.s3, &input.bucket, &input.key, version, expected).await {
                Ok(object) => tags::add(&self.s3, &object, &said).await,
                Err(error) => Err(error),
            };
            match tagged {
                Ok(true) => {}
                Ok(false) => left += 1,
                Err(error) if is_final(&error) => {
                    tracing::warn!(error = ?error, "an input is not tagged with the decision");
                    left += 1;
                }
                Err(error) => return Err(error),
            }
        }
        if left > 0 {
            run.note("inputs-not-tagged", left.to_string());
        }
        Ok(())
    }
}

fn no_rule(workflow: &Workflow) -> Error {
    Error::configuration("rule.gone", format!("there is no rule {:?} any more", workflow.rule))
        .remedy("keep a rule as long as its workflows run; put it back, then ask again")
}

fn delivery(ended: &Ended<'_>, package: Option<&Package>) -> Delivery {
    let documents = package.map_or(&[][..], |package| &package.documents);
    let bytes = documents.iter().map(|document| document.size).sum();
    Delivery {
        result: json!({
            "workflow": ended.process, "title": ended.workflow.title, "decision": ended.decision.word(),
            "disposition": ended.decision.disposition(), "rule": ended.rule.name,
            "inputs": ended.inputs.len(), "output": package.map(|_| ended.shelf.uri()),
        }),
        digest: None,
        bytes,
        detail: [
            ("rule", ended.rule.name.clone()),
            ("round", ended.workflow.round.to_string()),
            ("inputs", ended.inputs.len().to_string()),
            ("documents", documents.len().to_string()),
            ("output", package.map(|_| ended.shelf.uri()).unwrap_or_default()),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into(),
    }
}
