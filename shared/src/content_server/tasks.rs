//! Tasks of workflows, for the user this client is.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Client,
    call::Call,
    children::Turn,
    node::NodeId,
    wire::{self, Collection, Data, OneOrMany},
    workflows::ProcessId,
};
use crate::error::Result;

/// A task that waits for this user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Assignment {
    #[serde(deserialize_with = "wire::integer")]
    workflow_id: i64,
    #[serde(deserialize_with = "wire::integer")]
    workflow_subworkflow_id: i64,
    #[serde(deserialize_with = "wire::integer")]
    workflow_subworkflow_task_id: i64,
    /// The step's name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
}

impl Assignment {
    /// Which task it is.
    pub fn task(&self) -> TaskId {
        TaskId {
            process: ProcessId(self.workflow_id),
            subprocess: self.workflow_subworkflow_id,
            task: self.workflow_subworkflow_task_id,
        }
    }
}

/// Which task of which workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskId {
    /// The workflow.
    pub process: ProcessId,
    /// The part of it; the workflow itself where there are no parts.
    pub subprocess: i64,
    /// The task.
    pub task: i64,
}

/// A task as its assignee sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its title.
    pub title: String,
    /// What to do.
    pub instructions: String,
    /// What every step offers, such as `SendOn`.
    pub actions: Vec<TaskAction>,
    /// The decisions of this map, such as approval and rejection.
    pub decisions: Vec<TaskAction>,
    /// Where the workflow's documents are.
    pub attachments: Option<NodeId>,
}

/// Something a task can be finished with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TaskAction {
    /// How the server calls it.
    #[serde(deserialize_with = "wire::text")]
    pub key: String,
    /// How people see it.
    #[serde(default, deserialize_with = "wire::text")]
    pub label: String,
}

#[derive(Deserialize)]
struct Inbox {
    #[serde(default)]
    collection: Option<Collection>,
    results: Data<Assignments>,
}

#[derive(Deserialize)]
struct Assignments {
    assignments: OneOrMany<Assignment>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default, deserialize_with = "wire::text")]
    title: String,
    #[serde(default, deserialize_with = "wire::text")]
    instructions: String,
    #[serde(default)]
    actions: Vec<TaskAction>,
    #[serde(default)]
    custom_actions: Vec<TaskAction>,
    #[serde(default)]
    data_packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    data: Value,
}

impl Client {
    /// The tasks that wait for this user.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_assignments(&self) -> Result<Vec<Assignment>> {
        const OPERATION: &str = "list tasks";
        let mut turn = Turn::new(self);
        let mut found: Vec<Assignment> = Vec::new();
        while let Some(page) = turn.page(OPERATION)? {
            let call = Call::get(OPERATION, "/v2/members/assignments")
                .query("page", page)
                .query("limit", turn.limit);
            let answer: Inbox = self.ask(&call).await?;
            let page = answer.results.data.assignments.0;
            turn.took(page.len(), answer.collection.as_ref().map(|collection| &collection.paging));
            for assignment in page {
                if found.iter().all(|known| known.task() != assignment.task()) {
                    turn.is_new(i64::try_from(found.len()).unwrap_or(i64::MAX));
                    found.push(assignment);
                }
            }
        }
        Ok(found)
    }

    /// A task. This user has to be its assignee.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_task(&self, task: TaskId) -> Result<Task> {
        let call = Call::get("read a task", "/v1/forms/processes/tasks/update")
            .query("process_id", task.process.0)
            .query("subprocess_id", task.subprocess)
            .query("task_id", task.task);
        let answer: Data<Detail> = self.ask(&call).await?;
        let detail = answer.data;
        let attachments = detail.data_packages.iter().find_map(|package| {
            package.data.get("attachment_folder_id").and_then(wire::as_integer).filter(|id| *id > 0)
        });
        Ok(Task {
            title: detail.title,
            instructions: detail.instructions,
            actions: detail.actions,
            decisions: detail.custom_actions,
            attachments: attachments.map(NodeId),
        })
    }

    /// Fills in the form of a task, by key.
    ///
    /// # Errors
    /// As any call.
    pub async fn update_task(&self, task: TaskId, values: &Map<String, Value>) -> Result<()> {
        // An empty text in a number field is refused, and leaving it out says the same.
        let values: Map<String, Value> = values
            .iter()
            .filter(|(_, value)| **value != "")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let call = Call::put("fill in a task", path(task));
        self.tell(&call.body(&json!({ "action": "formUpdate", "values": values }))).await
    }

    /// Finishes a task with one of its decisions, by key.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look at the workflow's steps before trying again.
    pub async fn decide_task(&self, task: TaskId, decision: &str, comment: &str) -> Result<()> {
        let call = Call::put("decide a task", path(task)).once();
        self.tell(&call.body(&json!({ "custom_action": decision, "comment": comment }))).await
    }

    /// Finishes a task that wants no decision.
    ///
    /// # Errors
    /// As [`Client::decide_task`].
    pub async fn send_on_task(&self, task: TaskId, comment: &str) -> Result<()> {
        let call = Call::put("send a task on", path(task)).once();
        self.tell(&call.body(&json!({ "action": "SendOn", "comment": comment }))).await
    }
}

fn path(task: TaskId) -> String {
    format!("/v2/processes/{}/subprocesses/{}/tasks/{}", task.process.0, task.subprocess, task.task)
}
