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
    /// When it is expected to end.
    pub ends: Timestamp,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Bytes.
    pub size: u64,
    /// Files in it.
    pub files: u64,
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
    pub(super) fn show(
        &mut self,
        name: &str,
        category: &str,
        (started, ends): (Timestamp, Timestamp),
        (size, files): (u64, u64),
    ) -> String {
        let (id, workflow) = (self.new_api_id(), self.next().to_string());
        let monitor = Monitor {
            id: id.clone(),
            name: name.to_owned(),
            status: "Pending".to_owned(),
            category: category.to_owned(),
            started,
            ends,
            completed: None,
            size,
            files,
            messages: Vec::new(),
            workflow,
        };
        self.monitors.push(monitor);
        id
    }

    /// A process says something: the key of the sentence and the sentence, of which file (of the whole when empty) and entity.
    pub(super) fn say(
        &mut self,
        monitor: &str,
        status: &str,
        (key, text): (&str, &str),
        path: &str,
        entity: Option<&str>,
    ) {
        let source = entity.and_then(|reference| self.entities.get(reference)).and_then(|entity| {
            entity.identifiers.iter().find(|id| id.kind == "SourceID").map(|id| id.value.clone())
        });
        let (id, date) = (self.new_api_id(), self.now);
        if let Some(monitor) = self.monitors.iter_mut().find(|known| known.id == monitor) {
            let path = if path.is_empty() { monitor.name.clone() } else { path.to_owned() };
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

impl Monitor {
    /// How much of it is done at a moment, in percent: all of it only when it has ended.
    pub fn percent(&self, now: Timestamp) -> u64 {
        if self.completed.is_some() {
            return 100;
        }
        let whole = self.ends.duration_since(self.started).as_millis().max(1);
        let part = now.duration_since(self.started).as_millis().clamp(0, whole);
        u64::try_from(part * 100 / whole).unwrap_or(0).min(99)
    }
}
