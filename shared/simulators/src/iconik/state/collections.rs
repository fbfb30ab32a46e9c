//! Collections.

use serde_json::{Value, json};

use super::assets::Edit;
use super::fields::{self, Kind};
use super::{Object, Outcome, Refusal, State};
use crate::iconik::settings::Put;

/// What stays when everything that can be written is replaced.
const KEPT: &[&str] = &["id", "status", "in_collections", "created_by_user", "date_created"];

/// What becomes of the collections that hold a collection when it gets another parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::iconik) enum ParentMode {
    /// It leaves the one before.
    Move,
    /// It is in both.
    Copy,
}

impl State {
    /// Makes a collection, at the top or below its parent.
    pub fn create_collection(&mut self, user: &str, given: Object) -> Outcome<String> {
        let mut given = fields::writable(Kind::Collection, given, self.settings.edits.unknown_fields)?;
        if !given.contains_key("title") {
            return Err(Refusal::field("title", "Missing data for required field."));
        }
        given.shift_remove("date_deleted");
        fields::keep_dates(&mut given);
        let parent = given.get("parent_id").and_then(Value::as_str).map(str::to_owned);
        if let Some(parent) = &parent {
            self.parent(parent)?;
        }
        let id = self.new_id();
        let now = self.time();
        let mut collection = fields::new_collection();
        let own = json!({
            "id": id, "in_collections": [], "created_by_user": user, "date_created": now, "date_modified": now,
        });
        collection.extend(fields::object(own));
        collection.extend(given);
        self.collections.insert(&id, collection);
        self.entity_event("collections", "create", &id, user);
        if let Some(parent) = &parent {
            self.join(user, "collections", &id, parent)?;
        }
        Ok(id)
    }

    fn parent(&self, id: &str) -> Outcome<()> {
        match self.collections.get(id) {
            Some(_) if !self.is_deleted("collections", id) => Ok(()),
            _ => Err(Refusal::field("parent_id", format!("Collection {id} was not found"))),
        }
    }

    /// Changes a collection.
    pub(in crate::iconik) fn edit_collection(
        &mut self,
        user: &str,
        id: &str,
        given: Object,
        edit: Edit,
        mode: ParentMode,
    ) -> Outcome<()> {
        self.readable(&self.collections, "collections", id)?;
        let mut given = fields::writable(Kind::Collection, given, self.settings.edits.unknown_fields)?;
        fields::keep_dates(&mut given);
        let before = self.collections.found(id)?.get("parent_id").cloned();
        let after = given.get("parent_id").cloned();
        let moved = after.filter(|after| Some(after) != before.as_ref());
        if let Some(parent) = moved.as_ref().and_then(Value::as_str) {
            self.parent(parent)?;
            if parent == id || self.ancestors_of(parent).iter().any(|above| above == id) {
                return Err(Refusal::field("parent_id", "A collection cannot be inside itself."));
            }
        }
        let now = self.time();
        let replaces = edit == Edit::Whole && self.settings.edits.put == Put::Replaces;
        let collection = self.collections.found_mut(id)?;
        if replaces {
            if !given.contains_key("title") {
                return Err(Refusal::field("title", "Missing data for required field."));
            }
            let parent = collection.get("parent_id").cloned().unwrap_or_default();
            collection.retain(|name, _| KEPT.contains(&name.as_str()));
            let mut whole = fields::new_collection();
            whole.insert("parent_id".to_owned(), parent);
            whole.extend(std::mem::take(collection));
            *collection = whole;
        }
        collection.extend(given);
        collection.insert("date_modified".to_owned(), now);
        self.entity_event("collections", "update", id, user);
        if let Some(parent) = moved {
            if let (ParentMode::Move, Some(before)) = (mode, before.as_ref().and_then(Value::as_str)) {
                self.part(user, "collections", id, before)?;
            }
            if let Some(parent) = parent.as_str() {
                self.join(user, "collections", id, parent)?;
            }
        }
        Ok(())
    }

    /// A collection as a user sees it.
    pub(in crate::iconik) fn collection_shown(&self, user: &str, collection: &Object) -> Object {
        let mut shown = collection.clone();
        let id = collection.get("id").and_then(Value::as_str).unwrap_or_default();
        let direct = collection.get("in_collections").and_then(Value::as_array).map_or(0, Vec::len);
        shown.insert("is_root".to_owned(), (direct == 0).into());
        shown.insert("parents".to_owned(), self.ancestors_of(id).into());
        shown.insert("favoured".to_owned(), self.is_favourite(user, "collections", id).into());
        shown
    }
}
