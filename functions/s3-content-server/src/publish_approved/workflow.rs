//! Approvals by workflow: one that has ended approves what is attached to it, in the version that was the newest when the
//! deciding step was done.
//!
//! A push (with the number of the workflow) and the hourly look over ended workflows are hints: the decision is read from
//! the workflow itself, written into the log of the document's decisions, and the document is told to have changed.

use jiff::Timestamp;
use serde_json::json;
use shared::{
    content_server::{
        ChildFilter, Node, NodeId, ProcessId, Version, WorkflowScope, WorkflowStatus, WorkflowStep, kind,
    },
    error::{Error, Result},
    flow::{Delivery, Flow, Outcome, Run},
    ledger::Sighting,
    node_change::NodeChange,
};

use super::{PublishApproved, approval::Decision, skipped, standing::is_missing};
use crate::publish_rules::{Approved, PublishRule};

/// What is asked for when a workflow has ended.
pub(super) const COMPLETED: &str = "workflow-completed";
/// The list of workflows that were told of.
const WORKFLOWS: &str = "workflows";

impl PublishApproved {
    /// Sends a message about every workflow that has ended and was not told of before to the flow's own queue; says how
    /// many there are. One that is sent twice is the same item.
    pub(super) async fn look_at_workflows(&self, run: &Run) -> Result<usize> {
        if !self.rules.rules.iter().any(|rule| matches!(rule.approved, Approved::Workflow { .. })) {
            return Ok(0);
        }
        self.environment.renew_credential(&self.content_server).await?;
        let all = self.content_server.list_workflows(WorkflowScope::Both).await?;
        let ended = all.iter().filter(|workflow| workflow.status == "completed");
        let mut ended: Vec<i64> = ended.map(|workflow| workflow.process().0).collect();
        let known = run.ledger().sightings(Self::NAME, WORKFLOWS, &ended).await?;
        ended.retain(|id| known.iter().all(|sighting| sighting.id != *id));
        for process in &ended {
            // The next look goes on.
            if run.is_dry() || run.must_stop() {
                break;
            }
            self.send(*process, Some(COMPLETED), "", run).await?;
            let sighting = Sighting { id: *process, facts: String::new() };
            run.ledger().remember(Self::NAME, WORKFLOWS, &sighting, true).await?;
        }
        Ok(ended.len())
    }

    /// What follows from a workflow that has ended.
    pub(super) async fn completed(&self, change: &NodeChange, run: &Run) -> Result<Outcome> {
        let Some(status) = self.content_server.find_workflow(ProcessId(change.node)).await? else {
            return skipped("workflow.gone", "the workflow is not there, or the service user may not see it");
        };
        if !status.is_ended() {
            return skipped("workflow.running", "the workflow has not ended");
        }
        if status.is_stopped() {
            return skipped("workflow.stopped", "the workflow was ended before its last step");
        }
        let mut approved = Vec::new();
        for document in self.attached(&status).await? {
            let Some(rule) = self.select(&document).await? else { continue };
            let Some(done) = approving_step(rule, &status) else { continue };
            let versions = self.content_server.list_versions(document.id).await?;
            let Some(version) = newest_at(&versions, done)? else { continue };
            if !run.is_dry() {
                self.approve(document.id, version).await?;
                self.send(document.id.0, None, &format!("workflow {}", change.node), run).await?;
            }
            approved.push(format!("version {version} of node {}", document.id));
        }
        if approved.is_empty() {
            return skipped("workflow.approves-nothing", "no attachment is approved by it under a rule");
        }
        let approved = approved.join(", ");
        if run.is_dry() {
            return skipped("dry-run", &format!("it would approve {approved}"));
        }
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "workflow": change.node, "approved": approved }),
            detail: [("approved".to_owned(), approved)].into(),
            ..Delivery::default()
        }))
    }

    /// The documents attached to a workflow, themselves or by shortcuts.
    async fn attached(&self, status: &WorkflowStatus) -> Result<Vec<Node>> {
        let Some(folder) = status.attachments else { return Ok(Vec::new()) };
        let children = self.content_server.list_children(folder, ChildFilter::default()).all().await?;
        let mut documents = Vec::new();
        for child in children {
            let original = match (child.kind, child.original) {
                (kind::DOCUMENT, _) => child.id,
                (kind::SHORTCUT, Some(original)) => original,
                _ => continue,
            };
            match self.content_server.get_node(original).await {
                Ok(node) if node.kind == kind::DOCUMENT => documents.push(node),
                Ok(_) => {}
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(documents)
    }

    /// Writes an approval down. What was decided about this version or a newer one stands: somebody may have withdrawn it
    /// since.
    async fn approve(&self, node: NodeId, version: i64) -> Result<()> {
        let (place, last) = self.last_decision(node).await?;
        match last {
            Some(Decision::Approved(known) | Decision::Withdrawn(known)) if known >= version => Ok(()),
            _ => self.write_decision(node, place, &Decision::Approved(version)).await,
        }
    }
}

/// The step that approves a document under its rule; nothing when none does.
fn approving_step<'a>(rule: &PublishRule, status: &'a WorkflowStatus) -> Option<&'a WorkflowStep> {
    let Approved::Workflow { step, dispositions } = &rule.approved else { return None };
    let done = status.completed.iter().rev().find(|done| done.name == *step)?;
    let disposition = done.disposition.trim();
    dispositions.iter().any(|approves| approves.eq_ignore_ascii_case(disposition)).then_some(done)
}

/// The version that was the newest when a step was done. Nothing is guessed: moments that are missing, or fall into the
/// same second, leave it to a person.
fn newest_at(versions: &[Version], step: &WorkflowStep) -> Result<Option<i64>> {
    let told = |code, message: String| {
        Error::invalid(code, message).field("approved.step").remedy(
            "let the step send the request `publish` with the number of the version, or approve by an attribute",
        )
    };
    let second = |moment: Timestamp| moment.as_second();
    let Some(done) = step.ended.map(second) else {
        let message = format!("the workflow does not say when its step {:?} was done", step.name);
        return Err(told("approval.undated", message));
    };
    let mut newest = None;
    for version in versions {
        match version.created.map(second) {
            Some(created) if created < done => newest = Some(version.number),
            Some(created) if created > done => {}
            Some(_) => {
                let message = format!("version {} was added in the second of the decision", version.number);
                return Err(told("approval.ambiguous", message));
            }
            None => {
                let message = format!("nobody says when version {} was added", version.number);
                return Err(told("approval.undated", message));
            }
        }
    }
    Ok(newest)
}
