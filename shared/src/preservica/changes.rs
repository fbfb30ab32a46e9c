//! What changed, and what was done.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Client,
    call::Call,
    entity::{EntityKind, Listed, listed},
    ids::{EventId, Reference},
    lists::Entries,
    xml::{ENTITY, Element, XIP},
};

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its reference, where one is told.
    pub id: Option<EventId>,
    /// `Ingest`, `Modified`, `Moved`, `Download`, `Characterise`, `VirusCheck`; others come.
    pub kind: String,
    /// When; none when it is not told or not understood.
    pub date: Option<Timestamp>,
    /// Who did it.
    pub user: Option<String>,
    /// Name and instance of the workflow that did it.
    pub workflow: Option<(String, String)>,
    /// What was done to the entity that was asked for: `command_create`, `AddIdentifier` …
    pub command: Option<String>,
    /// To which entity.
    pub entity: Option<Reference>,
}

impl Event {
    /// Whether it is of a reader or of the system's own jobs, after which nothing that was archived is different.
    pub fn changes_nothing(&self) -> bool {
        matches!(self.kind.as_str(), "Download" | "Characterise" | "VirusCheck")
    }
}

/// A time of the interface: with an offset, or without one, which then is UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let naive = text.parse::<jiff::civil::DateTime>().ok()?;
        naive.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// A time as a parameter takes it.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
}

fn event(element: &Element) -> Event {
    let workflow = element.text_of("WorkflowName").zip(element.text_of("WorkflowInstanceId"));
    Event {
        id: element.text_of("Ref").map(EventId::new),
        kind: element.value("type").unwrap_or_default().to_owned(),
        date: element.text_of("Date").as_deref().and_then(moment),
        user: element.text_of("User"),
        workflow,
        command: None,
        entity: None,
    }
}

/// One action of an event.
fn action(element: &Element) -> Option<Event> {
    Some(Event {
        command: element.value("commandType").map(str::to_owned),
        entity: element.text_of("Entity").map(Reference::new),
        ..event(element.find(XIP, "Event")?)
    })
}

impl Client {
    /// What changed since a moment, oldest change first: folders, assets and parts, deleted ones too. It begins a little earlier
    /// than asked ([`super::Settings::change_overlap_seconds`]). Reading and the system's own jobs make an entity appear as well:
    /// see [`Event::changes_nothing`].
    pub fn changed_since(&self, since: Timestamp, until: Option<Timestamp>) -> Entries<'_, Listed> {
        let overlap = Duration::from_secs(self.settings.change_overlap_seconds);
        let since = since.checked_sub(overlap).unwrap_or(since);
        let call = Call::get("list changes", &["entities", "updated-since"])
            .query("date", written(since))
            .query_if("endDate", until.map(written));
        Entries::new(self, call, |root| root.all(ENTITY, "Entity").into_iter().map(listed).collect())
    }

    /// What was done to an entity, oldest first.
    pub fn events_of(&self, (kind, reference): (EntityKind, &Reference)) -> Entries<'_, Event> {
        let call = Call::get("list events", &[kind.path(), reference.as_str(), "event-actions"]);
        Entries::new(self, call, |root| root.all(XIP, "EventAction").into_iter().map(action).collect())
    }

    /// What was done in the whole archive: events of one type, or of all when it is empty.
    pub fn events(&self, kind: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> Entries<'_, Event> {
        let call = Call::get("list events", &["events"])
            .query_if("types", Some(kind).filter(|kind| !kind.is_empty()))
            .query_if("from", from.map(written))
            .query_if("to", to.map(written));
        Entries::new(self, call, |root| root.all(XIP, "Event").into_iter().map(event).map(Some).collect())
    }

    /// What an event did, entity by entity.
    pub fn actions_of(&self, id: &EventId) -> Entries<'_, Event> {
        let call = Call::get("list actions", &["events", id.as_str(), "event-actions"]);
        Entries::new(self, call, |root| root.all(XIP, "EventAction").into_iter().map(action).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_an_offset_and_written_with_one() {
        let at: Timestamp = "2031-05-06T07:08:09.123Z".parse().unwrap();
        for text in ["2031-05-06T07:08:09.123Z", "2031-05-06T09:08:09.123+02:00", "2031-05-06T07:08:09.123"] {
            assert_eq!(moment(text), Some(at), "{text}");
        }
        assert_eq!(moment("soon"), None);
        assert_eq!(written(at), "2031-05-06T07:08:09.123+00:00");
    }
}
