//! The workflow of an approved version, started once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{NewWorkflow, NodeId, NodePath, ProcessId, WorkflowScope, kind},
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Outcome, Policy, Run},
    mapping::Record,
};

use super::{
    StartSignoff, again,
    follow::delivery,
    memory::{Mark, Starting, Workflow},
    review::Approved,
    sentences::{isolated, one_line},
    skipped,
};
use crate::signoff_rules::SignoffRule;

/// The effect of starting a workflow, and the checkpoints of one that is begun.
const START: &str = "start-workflow";
const BEGUN: &str = "start-workflow.begun";
const WANTED: &str = "wanted";
/// How long other hints wait for a start of which nobody knows the end, in milliseconds.
const PATIENCE: i64 = 10 * 60 * 1000;

/// What an item begins to start.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    workflow: Workflow,
    /// When the review was asked for, in milliseconds since the epoch.
    requested: Option<i64>,
}

impl StartSignoff {
    /// The workflow this item has started.
    pub(super) fn started(&self, run: &Run) -> Option<ProcessId> {
        run.recorded::<i64>(START).map(ProcessId)
    }

    /// What is left to do about a workflow that this item has started.
    pub(super) async fn begun(&self, process: ProcessId, run: &Run) -> Result<Outcome> {
        let wanted = run.recorded::<Wanted>(WANTED);
        let wanted = wanted.ok_or_else(|| Error::bug("start", "it is not known what was started"))?;
        self.adopt(process, &wanted, run).await
    }

    /// Starts a round, or takes the workflow that an attempt before has started.
    pub(super) async fn start(
        &self,
        approved: &Approved<'_>,
        rule: &SignoffRule,
        record: &Record,
        round: u32,
    ) -> Result<Outcome> {
        let run = approved.run;
        let now = run.context().now_milliseconds();
        let mark = Mark::of(&approved.asset.id, &approved.version.id, round);
        let starting = self.starting(&mark).await?;
        let is_ours = starting.as_ref().is_some_and(|starting| starting.item == approved.item.short());
        let wanted = Wanted { workflow: workflow(approved, rule, round), requested: approved.requested() };
        if let Some(starting) = &starting {
            if let Some(process) = self.marked(&mark).await? {
                return self.found(process, starting, wanted, is_ours, run).await;
            }
            if !is_ours {
                return Err(undecided(starting, now));
            }
        }
        let begun = run.recorded::<Wanted>(WANTED).filter(|_| run.recorded::<bool>(BEGUN) == Some(true));
        if begun.is_some_and(|begun| begun.workflow.round != round) {
            return skipped(
                "signoff.elsewhere",
                "what this item began in an earlier round was found by another",
            );
        }
        let documents = self.documents(approved, rule, record).await?;
        let staged = rule.stage(record)?;
        let map = self.map(&rule.map).await?;
        self.supersede(approved).await?;
        run.checkpoint(WANTED, &wanted).await?;
        let starting = self.begin_start(&mark, approved.item, wanted.requested, run).await?;
        if starting.item != approved.item.short() {
            return Err(undecided(&starting, now));
        }
        let new = NewWorkflow {
            map,
            documents,
            title: mark.on(&isolated(&one_line(&staged.title))),
            attributes: staged.attributes.into_iter().map(|(label, text)| (label, text.into())).collect(),
            comment: format!("started by the rule {}", rule.name),
        };
        let process = self.initiate(&new, &mark, approved).await?;
        self.begun(process, run).await
    }

    /// Takes a workflow whose start was not confirmed. It was started for the review of that moment: one that was asked for
    /// since is looked at anew.
    async fn found(
        &self,
        process: ProcessId,
        starting: &Starting,
        wanted: Wanted,
        is_ours: bool,
        run: &Run,
    ) -> Result<Outcome> {
        let own = run.recorded::<Wanted>(WANTED);
        if is_ours && own.is_some_and(|own| own.workflow.round == wanted.workflow.round) {
            run.checkpoint(START, &process.0).await?;
            return self.begun(process, run).await;
        }
        let is_newer = wanted.requested.zip(starting.requested).is_some_and(|(now, then)| now > then);
        let taken = Wanted { requested: starting.requested, ..wanted };
        let outcome = self.adopt(process, &taken, run).await?;
        if is_newer {
            return Err(again("review.changed", "the workflow was started for an earlier review"));
        }
        Ok(outcome)
    }

    async fn initiate(&self, new: &NewWorkflow, mark: &Mark, approved: &Approved<'_>) -> Result<ProcessId> {
        let run = approved.run;
        let started: Result<i64> = run
            .effect(
                START,
                Policy::NeverRepeat,
                || async { Ok(self.marked(mark).await?.map(|process| process.0)) },
                || async {
                    self.check_approved(approved).await?;
                    Ok(self.content_server.start_workflow(new).await?.0)
                },
            )
            .await;
        match started {
            Ok(process) => Ok(ProcessId(process)),
            Err(error) => {
                // Nothing was begun, or what was begun was refused: others may go on.
                if run.recorded::<bool>(BEGUN) != Some(true) {
                    self.give_up_start(mark, run).await?;
                }
                Err(error)
            }
        }
    }

    /// Refuses when the review was withdrawn since it was read: the hint is looked at anew.
    async fn check_approved(&self, approved: &Approved<'_>) -> Result<()> {
        match self.lapse(Some(approved.asset), &approved.version.id).await? {
            None => Ok(()),
            Some(_) => {
                Err(again("review.changed", "the review was withdrawn before the workflow was started"))
            }
        }
    }

    /// Takes a workflow as the version's: writes it down, and tells iconik.
    async fn adopt(&self, process: ProcessId, wanted: &Wanted, run: &Run) -> Result<Outcome> {
        self.record(process, &wanted.workflow, wanted.requested, run).await?;
        run.note("workflow", process.0.to_string());
        let followed = self.follow(process, run).await?;
        Ok(Outcome::Delivered(delivery(process, &followed)))
    }

    /// The workflow with a mark, whatever became of it.
    pub(super) async fn marked(&self, mark: &Mark) -> Result<Option<ProcessId>> {
        let all = self.content_server.list_workflows(WorkflowScope::Initiated).await?;
        Ok(all.iter().find(|workflow| mark.is_on(&workflow.title)).map(|found| found.process()))
    }

    /// The map of a rule, which has to be one.
    async fn map(&self, path: &NodePath) -> Result<NodeId> {
        let missing = |message: String| {
            Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                "find workflow map",
                "workflow.map-missing",
                message,
            )
            .field("workflow.map")
            .remedy("correct the path in the rule, or let the service user see and initiate the map; then approve again")
        };
        match self.content_server.resolve_path(path).await {
            Ok(node) if node.kind == kind::WORKFLOW_MAP => Ok(node.id),
            Ok(_) => Err(missing(format!("{path} is not a workflow map"))),
            Err(error) if matches!(error.class(), FailureClass::Forbidden | FailureClass::Gone) => {
                Err(missing(format!("there is no workflow map {path}")).source(error))
            }
            Err(error) => Err(error),
        }
    }
}

fn workflow(approved: &Approved<'_>, rule: &SignoffRule, round: u32) -> Workflow {
    Workflow {
        asset: approved.asset.id.clone(),
        version: approved.version.id.clone(),
        number: approved.number(),
        rule: rule.name.clone(),
        round,
        told: std::collections::BTreeSet::new(),
        seen: String::new(),
        withdrawn: None,
        closed: None,
    }
}

fn undecided(starting: &Starting, now: i64) -> Error {
    let message =
        "another hint began to start the workflow of this version, and it is not known whether it runs";
    if now - starting.since < PATIENCE {
        return again("workflow.starting", message).retry(Retry::After(Duration::from_secs(60)));
    }
    Error::bug("start workflow", message).with_code("workflow.undecided").remedy(format!(
        "decide about the dead letter of item {} first (see the README), then redrive this one",
        starting.item
    ))
}
