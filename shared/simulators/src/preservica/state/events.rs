//! What was done, and to what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;

/// Something that was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its reference.
    pub reference: String,
    /// `Ingest`, `Modified`, `Moved`, `Download`, `Characterise`, `VirusCheck` …
    pub kind: String,
    /// When.
    pub date: Timestamp,
    /// Who did it.
    pub user: String,
    /// Name and instance of the workflow that did it.
    pub workflow: Option<(String, String)>,
    /// What it did to which entity.
    pub actions: Vec<Action>,
}

/// What an event did to an entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Action {
    /// `command_create`, `AddIdentifier` …
    pub command: String,
    /// To what.
    pub entity: String,
}

impl State {
    /// Notes what somebody did to entities, which changes them.
    pub fn happened(&mut self, kind: &str, user: &str, command: &str, entities: &[String]) {
        self.note_event(kind, user, None, command, entities);
        for entity in entities {
            self.touch(entity);
        }
    }

    /// The same without changing them.
    pub(super) fn note_event(
        &mut self,
        kind: &str,
        user: &str,
        workflow: Option<(String, String)>,
        command: &str,
        entities: &[String],
    ) {
        let actions = entities
            .iter()
            .map(|entity| Action { command: command.to_owned(), entity: entity.clone() })
            .collect();
        let event = Event {
            reference: self.new_reference(),
            kind: kind.to_owned(),
            date: self.now,
            user: user.to_owned(),
            workflow,
            actions,
        };
        self.events.push(event);
    }

    /// What was done to one entity, oldest first.
    pub fn events_of<'state>(
        &'state self,
        entity: &'state str,
    ) -> impl Iterator<Item = (&'state Event, &'state Action)> {
        self.events.iter().flat_map(move |event| {
            event
                .actions
                .iter()
                .filter(move |action| action.entity == entity)
                .map(move |action| (event, action))
        })
    }
}
