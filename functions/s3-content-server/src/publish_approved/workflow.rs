//! Approvals by workflow: one that has ended approves what is attached to it, in the version that was the newest when the
//! deciding step was done, or takes the approval of that version back when the step ended otherwise.
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

use super::{
    PublishApproved,
    approval::{Decision, Noted},
    skipped,
    standing::is_missing,
};
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
        let (mut approved, mut rejected) = (Vec::new(), Vec::new());
        for document in self.attached(&status).await? {
            let Some(rule) = self.select(&document).await? else { continue };
            let Some((verdict, done)) = deciding_step(rule, &status) else { continue };
            let versions = self.content_server.list_versions(document.id).await?;
            let Some((version, at)) = newest_at(&versions, done)? else { continue };
            if !run.is_dry() {
                self.take_down(document.id, verdict, version, at).await?;
                self.send(document.id.0, None, &format!("workflow {}", change.node), run).await?;
            }
            let decided = if verdict == Verdict::Approves { &mut approved } else { &mut rejected };
            decided.push(format!("version {version} of node {}", document.id));
        }
        if approved.is_empty() && rejected.is_empty() {
            return skipped("workflow.approves-nothing", "it decides about no attachment under a rule");
        }
        let (approved, rejected) = (approved.join(", "), rejected.join(", "));
        if run.is_dry() {
            return skipped("dry-run", &format!("it would approve: {approved}; reject: {rejected}"));
        }
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "workflow": change.node, "approved": approved, "rejected": rejected }),
            detail: [("approved".to_owned(), approved), ("rejected".to_owned(), rejected)].into(),
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

    /// Writes down what a workflow decided. What was decided later about this version, or about a newer one, stands:
    /// workflows are told of in any order, and a person may have spoken since.
    async fn take_down(&self, node: NodeId, verdict: Verdict, version: i64, at: i64) -> Result<()> {
        let (place, last) = self.last_noted(node).await?;
        if let Some(Noted { decision: Decision::Approved(known) | Decision::Withdrawn(known), at: since }) =
            last
        {
            let stands = match verdict {
                Verdict::Approves => known > version || (known == version && since >= at),
                // In the same second, the rejection.
                Verdict::Rejects => known != version || since > at,
            };
            if stands {
                return Ok(());
            }
        }
        let decision = match verdict {
            Verdict::Approves => Decision::Approved(version),
            Verdict::Rejects => Decision::Withdrawn(version),
        };
        self.note(node, place, &Noted { decision, at }).await
    }
}

/// What a step decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Approves,
    Rejects,
}

/// The step that decides about a document under its rule, and what it decided; nothing when none did.
fn deciding_step<'a>(rule: &PublishRule, status: &'a WorkflowStatus) -> Option<(Verdict, &'a WorkflowStep)> {
    let Approved::Workflow { step, dispositions } = &rule.approved else { return None };
    let done = status.completed.iter().rev().find(|done| done.name == *step)?;
    let disposition = done.disposition.trim();
    if disposition.is_empty() {
        return None;
    }
    let approves = dispositions.iter().any(|approves| approves.eq_ignore_ascii_case(disposition));
    Some((if approves { Verdict::Approves } else { Verdict::Rejects }, done))
}

/// The version that was the newest when a step was done, and the second of that. Nothing is guessed: moments that are missing, or fall into the
/// same second, leave it to a person.
fn newest_at(versions: &[Version], step: &WorkflowStep) -> Result<Option<(i64, i64)>> {
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
    Ok(newest.map(|version| (version, done)))
}
