//! What people see of processes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;

/// A process as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Monitor {
    /// Its id.
    pub id: String,
    /// Its name: that of the package.
    pub name: String,
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Suspended`, `Recoverable`.
    pub status: String,
    /// `Ingest`, `Export`, `DataManagement`, `Automated`.
    pub category: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Bytes.
    pub size: u64,
    /// What it said.
    pub messages: Vec<Message>,
    /// Number of the workflow.
    pub workflow: String,
}

/// What a process said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// When.
    pub date: Timestamp,
    /// `Info`, `Warning`, `Error`.
    pub status: String,
    /// Key of the sentence.
    pub key: String,
    /// The sentence.
    pub text: String,
    /// File in the package.
    pub path: String,
    /// The entity it is about.
    pub entity: Option<String>,
    /// What its source calls it.
    pub source: Option<String>,
}

impl State {
    /// A process begins to be shown; gives its id.
    pub(super) fn show(&mut self, name: &str, category: &str, started: Timestamp, size: u64) -> String {
        let (id, workflow) = (self.new_api_id(), self.next().to_string());
        let monitor = Monitor {
            id: id.clone(),
            name: name.to_owned(),
            status: "Pending".to_owned(),
            category: category.to_owned(),
            started,
            completed: None,
            size,
            messages: Vec::new(),
            workflow,
        };
        self.monitors.push(monitor);
        id
    }

    /// A process says something.
    pub(super) fn say(&mut self, monitor: &str, status: &str, key: &str, text: &str, entity: Option<&str>) {
        let source = entity.and_then(|reference| self.entities.get(reference)).and_then(|entity| {
            entity.identifiers.iter().find(|id| id.kind == "SourceID").map(|id| id.value.clone())
        });
        let (id, date) = (self.new_api_id(), self.now);
        if let Some(monitor) = self.monitors.iter_mut().find(|known| known.id == monitor) {
            let path = monitor.name.clone();
            monitor.messages.push(Message {
                id,
                date,
                status: status.to_owned(),
                key: key.to_owned(),
                text: text.to_owned(),
                path,
                entity: entity.map(str::to_owned),
                source,
            });
        }
    }

    /// A process ends.
    pub(super) fn conclude(&mut self, monitor: &str, status: &str) {
        let now = self.now;
        if let Some(monitor) = self.monitors.iter_mut().find(|known| known.id == monitor) {
            monitor.status = status.to_owned();
            monitor.completed = Some(now);
        }
    }
}
