//! How workflows go.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{BAD_REQUEST, Effect, NOT_ACCESSIBLE, NOT_FOUND, unexpected},
    node::NodeId,
    wire::{self, Data, OneOrMany, Results},
    workflows::ProcessId,
};
use crate::error::Result;

/// Which workflows to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowScope {
    /// Those this user started.
    Initiated,
    /// Those this user manages.
    Managed,
    /// Both.
    Both,
}

/// A workflow in a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowSummary {
    #[serde(deserialize_with = "wire::integer")]
    process_id: i64,
    /// What it is called.
    #[serde(rename = "wf_name", default, deserialize_with = "wire::text")]
    pub title: String,
    /// `ontime`, `workflowlate`, `completed` or `stopped`.
    #[serde(rename = "status_key", default, deserialize_with = "wire::text")]
    pub status: String,
    /// The step it is in.
    #[serde(rename = "step_name", default, deserialize_with = "wire::text")]
    pub step: String,
}

impl WorkflowSummary {
    /// Its id.
    pub fn process(&self) -> ProcessId {
        ProcessId(self.process_id)
    }
}

/// How a workflow goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowStatus {
    /// What it is called.
    pub title: String,
    /// The server's word for how it is.
    pub status: String,
    /// Where its documents are.
    pub attachments: Option<NodeId>,
    /// Steps that are done.
    pub completed: Vec<WorkflowStep>,
    /// Steps somebody works on.
    pub current: Vec<WorkflowStep>,
    /// Steps to come.
    pub next: Vec<WorkflowStep>,
}

impl WorkflowStatus {
    /// Whether nobody works on it any more. Words differ between releases; where the word says nothing, the steps do.
    pub fn is_ended(&self) -> bool {
        match self.status.to_lowercase().as_str() {
            "completed" | "archived" | "stopped" => true,
            "executing" | "suspended" | "ontime" | "workflowlate" => false,
            _ => self.current.is_empty() && self.next.is_empty() && !self.completed.is_empty(),
        }
    }

    /// Whether it was ended before its last step.
    pub fn is_stopped(&self) -> bool {
        self.status.eq_ignore_ascii_case("stopped")
    }
}

/// A step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowStep {
    /// Its number.
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    pub task_id: Option<i64>,
    /// Its name.
    #[serde(rename = "task_name", default, deserialize_with = "wire::text")]
    pub name: String,
    /// What was decided in it, where the server says.
    #[serde(default, deserialize_with = "wire::text")]
    pub disposition: String,
    /// What was said, where the server says.
    #[serde(default, deserialize_with = "wire::text")]
    pub comment: String,
    /// The users or groups who did it, or are to do it, by id; none where the server does not say.
    #[serde(rename = "task_assignees", default, deserialize_with = "people")]
    pub people: Vec<i64>,
    /// When it ended, where the server says.
    #[serde(skip)]
    pub ended: Option<Timestamp>,
    #[serde(rename = "task_end_date", default, deserialize_with = "wire::text")]
    end_date: String,
}

/// The ids under `assignedto`, which is a list, or one of them. Whatever else is there names nobody.
fn people<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    let held = Value::deserialize(deserializer)?;
    let assigned = held.get("assignedto").unwrap_or(&held);
    let list = assigned.as_array().map_or_else(|| std::slice::from_ref(assigned), Vec::as_slice);
    let id = |one: &Value| one.get("userId").and_then(wire::as_integer).filter(|id| *id > 0);
    Ok(list.iter().filter_map(id).collect())
}

/// What to do with a whole workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowChange {
    /// Let it rest.
    Suspend,
    /// Let it go on.
    Resume,
    /// End it.
    Stop,
    /// Put it away.
    Archive,
}

#[derive(Deserialize)]
struct Listed {
    wfstatus: WorkflowSummary,
}

#[derive(Deserialize)]
struct Progress {
    #[serde(default)]
    attachments: Attachments,
    #[serde(default)]
    step_list: Steps,
    #[serde(default)]
    wf_details: Details,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attachments {
    #[serde(deserialize_with = "wire::integer_or_none")]
    attachment_folder_id: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Steps {
    completed: Vec<WorkflowStep>,
    current: Vec<WorkflowStep>,
    next: Vec<WorkflowStep>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    #[serde(deserialize_with = "wire::text")]
    wf_name: String,
    #[serde(deserialize_with = "wire::text")]
    status: String,
}

impl Client {
    /// The workflows of a scope, of every status.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_workflows(&self, scope: WorkflowScope) -> Result<Vec<WorkflowSummary>> {
        self.workflows_with(scope, &["ontime", "workflowlate", "completed", "stopped"]).await
    }

    /// The workflows of a scope that have not ended.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_open_workflows(&self, scope: WorkflowScope) -> Result<Vec<WorkflowSummary>> {
        self.workflows_with(scope, &["ontime", "workflowlate"]).await
    }

    async fn workflows_with(&self, scope: WorkflowScope, statuses: &[&str]) -> Result<Vec<WorkflowSummary>> {
        let kind = match scope {
            WorkflowScope::Initiated => "Initiated",
            WorkflowScope::Managed => "Managed",
            WorkflowScope::Both => "Both",
        };
        let mut found: Vec<WorkflowSummary> = Vec::new();
        for status in statuses {
            let call = Call::get("list workflows", "/v2/workflows/status")
                .query("Kind", kind)
                .query("wstatus", status);
            let answer: Results<OneOrMany<Data<Listed>>> = self.ask(&call).await?;
            for summary in answer.results.0.into_iter().map(|entry| entry.data.wfstatus) {
                if found.iter().all(|known| known.process_id != summary.process_id) {
                    found.push(summary);
                }
            }
        }
        Ok(found)
    }

    /// How a workflow goes.
    ///
    /// # Errors
    /// As any call. Workflows that ended long ago are no longer listed.
    pub async fn get_workflow(&self, process: ProcessId) -> Result<WorkflowStatus> {
        const OPERATION: &str = "read a workflow's status";
        let call = Call::get(OPERATION, format!("/v2/workflows/status/processes/{}", process.0));
        let answer: Results<OneOrMany<Progress>> = self.ask(&call).await?;
        let progress = answer.results.0.into_iter().next();
        let progress = progress.ok_or_else(|| unexpected(OPERATION, Effect::Read, "no workflow in it"))?;
        Ok(WorkflowStatus {
            title: progress.wf_details.wf_name,
            status: progress.wf_details.status,
            attachments: progress.attachments.attachment_folder_id.filter(|id| *id > 0).map(NodeId),
            completed: progress
                .step_list
                .completed
                .into_iter()
                .map(|step| WorkflowStep { ended: wire::moment(&step.end_date, &self.zone), ..step })
                .collect(),
            current: progress.step_list.current,
            next: progress.step_list.next,
        })
    }

    /// How a workflow goes; nothing when it was deleted, is no longer kept, or is hidden from this user.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_workflow(&self, process: ProcessId) -> Result<Option<WorkflowStatus>> {
        match self.get_workflow(process).await {
            Ok(status) => Ok(Some(status)),
            // The vendor does not say in which words a workflow is missed; it is a refusal of the argument.
            Err(error) if matches!(error.code(), BAD_REQUEST | NOT_ACCESSIBLE | NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets a workflow rest, go on, end, or puts it away.
    ///
    /// # Errors
    /// `Forbidden` when this user may not do that.
    pub async fn change_workflow(&self, process: ProcessId, change: WorkflowChange) -> Result<()> {
        let status = match change {
            WorkflowChange::Suspend => "suspend",
            WorkflowChange::Resume => "resume",
            WorkflowChange::Stop => "stop",
            WorkflowChange::Archive => "archive",
        };
        let path = format!("/v2/processes/{}/status", process.0);
        self.tell(&Call::put("change a workflow", path).field("status", status)).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_did_a_step_is_read_in_any_form_and_never_guessed() {
        let people = |assignees: Value| {
            let step: WorkflowStep =
                serde_json::from_value(json!({"task_name": "Review", "task_assignees": assignees})).unwrap();
            step.people
        };
        assert_eq!(people(json!({"assignedto": [{"userId": 7}, {"userId": "8"}]})), [7, 8]);
        assert_eq!(people(json!({"assignedto": {"userId": 7}})), [7]);
        assert_eq!(people(json!([{"userId": 7, "loginName": "somebody"}])), [7]);
        for nobody in [json!(null), json!({}), json!({"assignedto": []}), json!([{"userId": 0}]), json!("7")]
        {
            assert_eq!(people(nobody.clone()), [0; 0], "{nobody}");
        }
        let bare: WorkflowStep = serde_json::from_value(json!({"task_name": "Review"})).unwrap();
        assert_eq!(bare.people, [0; 0]);
    }
}
