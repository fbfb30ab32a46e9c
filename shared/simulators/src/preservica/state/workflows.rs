//! Workflows that somebody starts: the one that takes a tree of the bulk location in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ingest::{Arrived, Load};
use super::{Outcome, Refusal, State, Status};

/// A workflow as a tenant has set it up.
#[derive(Clone, Copy, Debug)]
pub(in crate::preservica) struct Context {
    pub(in crate::preservica) id: &'static str,
    pub(in crate::preservica) name: &'static str,
    pub(in crate::preservica) definition: &'static str,
    /// `Ingest`, `DataManagement` …
    pub(in crate::preservica) kind: &'static str,
}

/// The one that takes trees in.
pub(in crate::preservica) const INCREMENTAL: &str = "com.preservica.core.workflow.ingest.opex.incremental";

/// What the tenant has set up.
pub(in crate::preservica) const CONTEXTS: [Context; 3] = [
    Context { id: "1", name: "Ingest", definition: "com.preservica.core.workflow.ingest", kind: "Ingest" },
    Context { id: "2", name: "Ingest OPEX (Incremental)", definition: INCREMENTAL, kind: "Ingest" },
    Context {
        id: "3",
        name: "Delete",
        definition: "com.preservica.core.workflow.delete",
        kind: "DataManagement",
    },
];

/// A workflow that was started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    /// Its number.
    pub id: String,
    /// Of which context.
    pub context: String,
    /// Under which token its state is.
    pub token: String,
    /// Its monitor.
    pub monitor: String,
    /// Who started it.
    pub user: String,
    /// When.
    pub started: Timestamp,
}

impl State {
    /// Somebody starts the workflow of a context; gives the number of the instance.
    pub(in crate::preservica) fn start_workflow(
        &mut self,
        user: &str,
        (id, name): (&str, &str),
        parameters: &[(String, String)],
    ) -> Outcome<String> {
        let found =
            CONTEXTS.iter().find(|context| context.id == id || (id.is_empty() && context.name == name));
        let context = found.ok_or_else(|| Refusal::NotFound(format!("There is no workflow context {id}")))?;
        if context.definition != INCREMENTAL {
            return Err(Refusal::Refused(422, "This workflow is started by what arrives".to_owned()));
        }
        let directory = parameters.iter().find(|(key, _)| key == "OpexContainerDirectory");
        let directory = directory.map(|(_, value)| value.trim_matches('/').to_owned());
        let directory = directory.filter(|directory| !directory.is_empty());
        let directory =
            directory.ok_or_else(|| Refusal::Invalid("OpexContainerDirectory is missing".to_owned()))?;
        let objects = self.bulk_objects(&directory);
        let size = objects.values().map(|content| content.size).sum();
        let (token, files) = (self.new_reference(), objects.len() as u64);
        let monitor = self.queue(token.clone(), &directory, (size, files), |monitor| Arrived {
            load: Load::Directory(directory.clone()),
            destination: None,
            user: user.to_owned(),
            monitor,
        });
        let number =
            self.monitors.iter().find(|known| known.id == monitor).map(|known| known.workflow.clone());
        let number = number.unwrap_or_default();
        self.instances.push(Instance {
            id: number.clone(),
            context: context.id.to_owned(),
            token,
            monitor,
            user: user.to_owned(),
            started: self.now,
        });
        Ok(number)
    }

    /// The word for the state of an instance.
    pub(in crate::preservica) fn instance_state(&self, instance: &Instance) -> &'static str {
        match self.status(&instance.token) {
            Some(Status::Pending) => "Pending",
            Some(Status::Active) => "Active",
            Some(Status::Completed) => "Completed",
            Some(Status::FinishedMixedOutcome) => "Finished_Mixed_Outcome",
            Some(Status::Failed) => "Failed",
            Some(Status::Suspended) => "Suspended",
            Some(Status::Aborted | Status::Cancelled) => "Aborted",
            Some(Status::Unknown) | None => "Unknown",
        }
    }

    /// Ends an instance that has not ended.
    pub(in crate::preservica) fn terminate(&mut self, id: &str) {
        let found = self.instances.iter().find(|instance| instance.id == id).cloned();
        let Some(instance) = found else { return };
        if !matches!(self.status(&instance.token), Some(Status::Pending | Status::Active)) {
            return;
        }
        self.end(&instance.token, Status::Aborted, Some("It was terminated"));
        self.conclude(&instance.monitor, "Failed");
    }
}
