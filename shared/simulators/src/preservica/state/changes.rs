//! What changed since a moment.

use jiff::Timestamp;

use super::{Entity, State};

impl State {
    /// Entities of every kind that changed since a moment, deleted ones too, oldest change first.
    pub fn changed_since(&self, since: Timestamp, until: Option<Timestamp>) -> Vec<&Entity> {
        let rules = &self.settings.changes;
        let unit = rules.resolution_milliseconds.max(1);
        let at = |time: Timestamp| time.as_millisecond().div_euclid(unit);
        let begins = |entity: &Entity| match rules.inclusive {
            true => at(entity.changed) >= at(since),
            false => at(entity.changed) > at(since),
        };
        let ends = |entity: &Entity| until.is_none_or(|until| at(entity.changed) <= at(until));
        let mut found: Vec<&Entity> =
            self.entities.values().filter(|entity| begins(entity) && ends(entity)).collect();
        found.sort_by_key(|entity| (entity.changed, entity.change));
        found
    }

    /// Somebody read the bytes of a part.
    pub(in crate::preservica) fn downloaded(&mut self, user: &str, entity: &str) {
        let entities = [entity.to_owned()];
        match self.settings.changes.reads_touch {
            true => self.happened("Download", user, "command_download", &entities),
            false => self.note_event("Download", user, None, "command_download", &entities),
        }
    }
}
