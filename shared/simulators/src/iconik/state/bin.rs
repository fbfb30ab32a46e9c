//! The recycle bin: it empties itself after the tenant's grace period.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Event, Object, Outcome, Refusal, State, Table};
use crate::iconik::settings::BulkDelete;

/// Hours until the bin is emptied when the tenant has not said.
const GRACE_HOURS: i64 = 24;

/// Since when something is in the bin.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// When it was deleted.
    pub since: Timestamp,
    /// By whom.
    pub user: String,
}

impl State {
    /// Whether an object is in the bin.
    pub fn is_deleted(&self, kind: &str, id: &str) -> bool {
        self.bin.contains_key(&(kind.to_owned(), id.to_owned()))
    }

    /// An object that may be read: what is in the bin may be or not.
    pub(in crate::iconik) fn readable<'table>(
        &self,
        table: &'table Table,
        kind: &str,
        id: &str,
    ) -> Outcome<&'table Object> {
        let found = table.found(id)?;
        let is_hidden = self.is_deleted(kind, id) && !self.settings.bin.readable;
        if is_hidden { table.gone(id) } else { Ok(found) }
    }

    /// The table of assets or of collections.
    pub(in crate::iconik) fn table_of(&self, kind: &str) -> Outcome<&Table> {
        match kind {
            "assets" => Ok(&self.assets),
            "collections" => Ok(&self.collections),
            _ => Err(Refusal::NoUrl),
        }
    }

    fn table_of_mut(&mut self, kind: &str) -> Outcome<&mut Table> {
        match kind {
            "assets" => Ok(&mut self.assets),
            "collections" => Ok(&mut self.collections),
            _ => Err(Refusal::NoUrl),
        }
    }

    /// Puts an object into the bin. What is there already stays.
    pub fn delete(&mut self, user: &str, kind: &str, id: &str) -> Outcome<()> {
        let (now, time) = (self.now, self.time());
        self.table_of(kind)?.found(id)?;
        if self.is_deleted(kind, id) {
            return Ok(());
        }
        let object = self.table_of_mut(kind)?.found_mut(id)?;
        object.insert("status".to_owned(), "DELETED".into());
        object.insert("date_deleted".to_owned(), time.clone());
        object.insert("date_modified".to_owned(), time);
        object.insert("deleted_by_user".to_owned(), user.into());
        let deleted = Deleted { since: now, user: user.to_owned() };
        self.bin.insert((kind.to_owned(), id.to_owned()), deleted);
        self.entity_event(kind, "delete", id, user);
        if kind == "assets" {
            self.note(user, id, "DELETE", "");
        }
        Ok(())
    }

    /// Takes an object out of the bin.
    pub fn restore(&mut self, user: &str, kind: &str, id: &str) -> Outcome<()> {
        let time = self.time();
        self.table_of(kind)?.found(id)?;
        if self.bin.remove(&(kind.to_owned(), id.to_owned())).is_none() {
            return Err(Refusal::NotFound(format!("{id} is not in the delete queue")));
        }
        let object = self.table_of_mut(kind)?.found_mut(id)?;
        object.insert("status".to_owned(), "ACTIVE".into());
        object.insert("date_deleted".to_owned(), Value::Null);
        object.insert("date_modified".to_owned(), time);
        object.insert("deleted_by_user".to_owned(), Value::Null);
        self.entity_event(kind, "restore", id, user);
        if kind == "assets" {
            self.note(user, id, "RESTORE", "");
        }
        Ok(())
    }

    /// Destroys an object.
    pub fn purge(&mut self, user: &str, kind: &str, id: &str) -> Outcome<()> {
        self.table_of(kind)?.found(id)?;
        if !self.is_deleted(kind, id) && self.settings.bin.purge_needs_deleted {
            return Err(Refusal::Other(400, format!("{id} has to be deleted before it can be purged")));
        }
        if kind == "collections" && !self.children_of(id).is_empty() {
            return Err(Refusal::Forbidden("The collection is not empty".to_owned()));
        }
        self.destroy(user, kind, id)
    }

    fn destroy(&mut self, user: &str, kind: &str, id: &str) -> Outcome<()> {
        self.entity_event(kind, "purge", id, user);
        self.bin.remove(&(kind.to_owned(), id.to_owned()));
        self.favourites.retain(|(_, of, which)| of != kind || which != id);
        self.forget(user, kind, id);
        self.table_of_mut(kind)?.remove(id);
        Ok(())
    }

    /// What else goes with an object.
    fn forget(&mut self, user: &str, kind: &str, id: &str) {
        self.forget_review(kind, id);
        self.metadata.forget(kind, id);
        if kind == "collections" {
            for (kind, child) in self.children_of(id) {
                self.leave(&kind, &child, id);
            }
            return;
        }
        let about = |object: &Object| object.get("asset_id").and_then(Value::as_str) == Some(id);
        for entry in self.history.ids() {
            if self.history.get(&entry).is_some_and(about) {
                self.history.remove(&entry);
            }
        }
        self.forget_relations(id);
        self.purge_media(user, id);
    }

    /// Destroys what has been in the bin for its time.
    pub(super) fn empty_bin(&mut self) {
        let hours = self.system.get("delete_grace_period").and_then(Value::as_i64).unwrap_or(GRACE_HOURS);
        let grace = SignedDuration::from_hours(hours);
        let is_due = |deleted: &Deleted| deleted.since.checked_add(grace).is_ok_and(|end| end <= self.now);
        let due: Vec<_> = self.bin.iter().filter(|(_, deleted)| is_due(deleted)).collect();
        let due: Vec<_> = due
            .into_iter()
            .map(|((kind, id), deleted)| (kind.clone(), id.clone(), deleted.user.clone()))
            .collect();
        for (kind, id, user) in due {
            // It is there: nothing leaves a table without leaving the bin.
            let _ = self.destroy(&user, &kind, &id);
        }
    }

    /// Destroys everything of one kind that is in the bin.
    pub(in crate::iconik) fn purge_all(&mut self, user: &str, kind: &str) -> Outcome<()> {
        for id in self.ids_in_bin(kind) {
            self.destroy(user, kind, &id)?;
        }
        Ok(())
    }

    /// What of one kind is in the bin.
    pub(in crate::iconik) fn ids_in_bin(&self, kind: &str) -> Vec<String> {
        self.bin.keys().filter(|(of, _)| of == kind).map(|(_, id)| id.clone()).collect()
    }

    /// Deletes many; of collections what is in them, and themselves only when that is said.
    pub(in crate::iconik) fn delete_many(
        &mut self,
        user: &str,
        kind: &str,
        ids: &[String],
        content_only: bool,
    ) -> Outcome<()> {
        for id in ids {
            self.table_of(kind)?.found(id)?;
        }
        let keeps =
            content_only && (kind == "collections" || self.settings.bin.bulk_delete == BulkDelete::Keeps);
        for id in ids {
            if kind == "collections" {
                for (kind, child) in self.children_of(id) {
                    self.delete(user, &kind, &child)?;
                }
            }
            if !keeps {
                self.delete(user, kind, id)?;
            }
        }
        Ok(())
    }

    pub(super) fn entity_event(&mut self, kind: &str, operation: &'static str, id: &str, user: &str) {
        let event_type = if kind == "assets" { "assets" } else { "collections" };
        let Some(object) = self.table_of(kind).ok().and_then(|table| table.get(id)).cloned() else { return };
        self.emit(Event {
            event_type,
            realm: "entity",
            operation,
            object_id: id.to_owned(),
            user_id: user.to_owned(),
            data: Value::Object(object),
        });
    }
}
