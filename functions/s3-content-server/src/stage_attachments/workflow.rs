//! The workflow an upload belongs to: the running one of its case, or a new one, started once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{NewWorkflow, NodeId, ProcessId, WorkflowScope, WorkflowStatus, kind},
    error::{Error, FailureClass, Result, Retry, System},
    flow::Policy,
};

use super::{
    StageAttachments, again,
    attach::Job,
    case::{Case, Known, Starting, Workflow},
};

/// The effect of starting a workflow, and the code of one that is begun and of which nobody knows the end.
const START: &str = "start-workflow";
const BEGUN: &str = "start-workflow.begun";
/// How long other uploads of a case wait for a start of which nobody knows the end, in milliseconds.
const PATIENCE: i64 = 10 * 60 * 1000;

/// A workflow that takes attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) process: ProcessId,
    pub(super) round: u32,
    /// The folder of its attachments.
    pub(super) attachments: NodeId,
}

impl StageAttachments {
    /// The open workflow of a case, started when there is none. `earlier` is the one the upload was assigned to and is not
    /// attached to: it is not left for another one at once.
    pub(super) async fn open_workflow(&self, job: &Job<'_>, earlier: Option<Open>) -> Result<Open> {
        let known = self.known(&job.case, job.run).await?;
        let open = match known.process {
            Some(process) => self.if_open(process, known.round).await?,
            None => None,
        };
        if let Some(earlier) = earlier.filter(|earlier| open != Some(*earlier)) {
            self.leave(&earlier, job.run).await?;
        }
        if let Some(open) = open {
            return Ok(open);
        }
        let name = format!("case-{}", job.case.key);
        self.alone(&name, job.run, Box::pin(self.open_workflow_alone(job))).await
    }

    async fn open_workflow_alone(&self, job: &Job<'_>) -> Result<Open> {
        let known = self.known(&job.case, job.run).await?;
        if let Some(process) = known.process
            && let Some(open) = self.if_open(process, known.round).await?
        {
            return Ok(open);
        }
        let round = known.round + 1;
        let now = job.run.context().now_milliseconds();
        let starting = self.starting(&job.case, round, job.run).await?;
        let is_ours = starting.as_ref().is_some_and(|starting| starting.item == job.item.key.short());
        if let Some(starting) = &starting {
            if let Some(process) = self.titled(&job.case.marked_title(round)).await? {
                return self.adopt(job, process, round).await;
            }
            if !is_ours {
                return Err(undecided(starting, now));
            }
        } else if let Some(process) = self.started_by_others(&job.case).await? {
            return self.adopt(job, process, round).await;
        }
        if !job.rule.start {
            return Err(Error::invalid(
                "workflow.none",
                format!("no workflow with the title {:?} is running", job.case.title),
            )
            .field("workflow.title")
            .remedy(
                "start the workflow under this title, or set `start = true` in the rule, then upload again",
            ));
        }
        self.check_started_none(job, is_ours)?;
        let map = self.map(job).await?;
        let starting = self.begin_start(&job.case, round, &job.item.key, job.run).await?;
        if starting.item != job.item.key.short() {
            return Err(undecided(&starting, now));
        }
        self.start(job, map, round).await
    }

    /// An upload starts one workflow. When it has started one in an earlier round, that one has ended since.
    fn check_started_none(&self, job: &Job<'_>, this_round: bool) -> Result<()> {
        let started = job.run.recorded::<i64>(START).is_some();
        let begun = job.run.recorded::<bool>(BEGUN) == Some(true) && !this_round;
        if started || begun { Err(ended()) } else { Ok(()) }
    }

    /// Takes a workflow that was found as the case's.
    async fn adopt(&self, job: &Job<'_>, process: ProcessId, round: u32) -> Result<Open> {
        self.record(job, process, round).await?;
        self.if_open(process, round).await?.ok_or_else(ended_meanwhile)
    }

    /// First what the rounds go by, then what the next upload goes by: a crash in between is made good by the next one.
    async fn record(&self, job: &Job<'_>, process: ProcessId, round: u32) -> Result<()> {
        let case = &job.case;
        let workflow = Workflow {
            rule: case.rule.clone(),
            title: case.title.clone(),
            folder: case.folder.clone(),
            round,
            closed: None,
        };
        if self.workflow_facts(process, job.run).await?.is_none() {
            self.remember_workflow(process, &workflow, job.run).await?;
        }
        let known = Known { round, process: Some(process) };
        self.remember_case(case, &known, job.run).await
    }

    async fn start(&self, job: &Job<'_>, map: NodeId, round: u32) -> Result<Open> {
        let title = job.case.marked_title(round);
        let started: Result<i64> = job
            .run
            .effect(
                START,
                Policy::NeverRepeat,
                || async { Ok(self.titled(&title).await?.map(|process| process.0)) },
                || async {
                    let attributes = job.staged.attributes.iter();
                    let new = NewWorkflow {
                        map,
                        documents: Vec::new(),
                        title: title.clone(),
                        attributes: attributes
                            .map(|(label, text)| (label.clone(), text.as_str().into()))
                            .collect(),
                        comment: format!("started by the rule {}", job.rule.name),
                    };
                    Ok(self.content_server.start_workflow(&new).await?.0)
                },
            )
            .await;
        match started {
            Ok(process) => self.adopt(job, ProcessId(process), round).await,
            Err(error) => {
                // Nothing was begun, or what was begun was refused: others may go on.
                if job.run.recorded::<bool>(BEGUN) != Some(true) {
                    self.give_up_start(&job.case, round, job.run).await?;
                }
                Err(error)
            }
        }
    }

    /// The map of the rule, which has to be one.
    async fn map(&self, job: &Job<'_>) -> Result<NodeId> {
        let path = &job.rule.map;
        let missing = |message: String| {
            Error::new(
                FailureClass::Forbidden,
                System::ContentServer,
                "find workflow map",
                "workflow.map-missing",
                message,
            )
            .field("workflow.map")
            .remedy("correct the path in the rule, or let the service user see and initiate the map")
        };
        let map = match self.places.id(&self.content_server, path).await {
            Ok(map) => map,
            Err(error) if matches!(error.class(), FailureClass::Forbidden | FailureClass::Gone) => {
                return Err(missing(format!("there is no workflow map {path}")).source(error));
            }
            Err(error) => return Err(error),
        };
        match self.content_server.get_node(map).await {
            Ok(node) if node.kind == kind::WORKFLOW_MAP => Ok(map),
            Ok(_) => Err(missing(format!("{path} is not a workflow map"))),
            Err(error) if matches!(error.class(), FailureClass::Forbidden | FailureClass::Gone) => {
                Err(missing(format!("the workflow map {path} is not there any more")).source(error))
            }
            Err(error) => Err(error),
        }
    }

    /// A workflow, if it takes attachments.
    async fn if_open(&self, process: ProcessId, round: u32) -> Result<Option<Open>> {
        let Some(status) = self.content_server.find_workflow(process).await? else { return Ok(None) };
        if status.is_ended() {
            return Ok(None);
        }
        let attachments = attachments(&status)?;
        Ok(Some(Open { process, round, attachments }))
    }

    /// Whether a workflow has not ended.
    pub(super) async fn is_open(&self, process: ProcessId) -> Result<bool> {
        Ok(self.content_server.find_workflow(process).await?.is_some_and(|status| !status.is_ended()))
    }

    /// Refuses when a workflow has ended since the upload was assigned to it: the upload is looked at anew.
    pub(super) async fn check_open(&self, process: ProcessId) -> Result<()> {
        if self.is_open(process).await? { Ok(()) } else { Err(ended_meanwhile()) }
    }

    /// The workflow with exactly this title, whatever became of it.
    async fn titled(&self, title: &str) -> Result<Option<ProcessId>> {
        let all = self.content_server.list_workflows(WorkflowScope::Initiated).await?;
        Ok(all.iter().find(|workflow| workflow.title == title).map(|found| found.process()))
    }

    /// An open workflow of the case that people have started, or that the ledger has forgotten.
    async fn started_by_others(&self, case: &Case) -> Result<Option<ProcessId>> {
        let open = self.content_server.list_open_workflows(WorkflowScope::Both).await?;
        let found: Vec<ProcessId> = open
            .iter()
            .filter(|workflow| case.is_titled(&workflow.title))
            .map(|found| found.process())
            .collect();
        match found.as_slice() {
            [] => Ok(None),
            [process] => Ok(Some(*process)),
            several => Err(Error::invalid(
                "workflow.ambiguous",
                format!("{} workflows with the title {:?} are running", several.len(), case.title),
            )
            .field("workflow.title")
            .remedy("end all but one of them, then upload again")),
        }
    }
}

/// The folder of a workflow's attachments.
pub(super) fn attachments(status: &WorkflowStatus) -> Result<NodeId> {
    status.attachments.ok_or_else(|| {
        Error::new(
            FailureClass::Forbidden,
            System::ContentServer,
            "find attachments",
            "attachments.missing",
            format!("the workflow {:?} has no folder for attachments", status.title),
        )
        .remedy("add the attachments package to the workflow map")
    })
}

/// The upload is looked at anew, and goes to the next workflow of its case.
fn ended_meanwhile() -> Error {
    again("workflow.ended-meanwhile", "the workflow ended before the attachment was placed")
}

fn ended() -> Error {
    Error::invalid(
        "workflow.ended",
        "the workflow that this upload started was ended before it got its attachment",
    )
    .remedy("upload again: a workflow is started anew")
}

fn undecided(starting: &Starting, now: i64) -> Error {
    let message =
        "another upload began to start the workflow of this case, and it is not known whether it runs";
    if now - starting.since < PATIENCE {
        return again("workflow.starting", message).retry(Retry::After(Duration::from_secs(60)));
    }
    Error::bug("start workflow", message).with_code("workflow.undecided").remedy(format!(
        "decide about the dead letter of item {} first (see the README), then redrive this one",
        starting.item
    ))
}
