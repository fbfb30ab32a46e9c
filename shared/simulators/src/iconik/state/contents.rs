//! What is in collections. Assets and collections know where they are; there is no other record of it.

use serde_json::{Value, json};

use super::{Event, Object, Outcome, Refusal, State};

impl State {
    /// Puts an object into a collection.
    pub fn join(&mut self, user: &str, kind: &str, id: &str, collection: &str) -> Outcome<()> {
        let wrong = |field: &str, id: &str| Refusal::field(field, format!("{id} was not found"));
        self.collections.found(collection)?;
        self.table_of(kind)
            .map_err(|_| Refusal::field("object_type", "Must be one of: assets, collections."))?;
        let found = self.table_of(kind)?.get(id).ok_or_else(|| wrong("object_id", id))?;
        if kind == "collections"
            && (id == collection || self.ancestors_of(collection).iter().any(|above| above == id))
        {
            return Err(Refusal::field("object_id", "A collection cannot be inside itself."));
        }
        if places(found).any(|place| place == collection) {
            return Ok(());
        }
        let (now, moves) = (self.time(), self.settings.edits.contents_move_date_modified);
        let object = self.member(kind, id)?;
        if let Some(places) = object.get_mut("in_collections").and_then(Value::as_array_mut) {
            places.push(collection.into());
        }
        if moves {
            object.insert("date_modified".to_owned(), now);
        }
        self.contents_event("create", user, kind, id, collection);
        Ok(())
    }

    /// Takes an object out of a collection.
    pub fn part(&mut self, user: &str, kind: &str, id: &str, collection: &str) -> Outcome<()> {
        self.collections.found(collection)?;
        if !places(self.table_of(kind)?.found(id)?).any(|place| place == collection) {
            return Err(Refusal::NotFound(format!("{id} is not in collection {collection}")));
        }
        self.contents_event("delete", user, kind, id, collection);
        self.leave(kind, id, collection);
        let (now, moves) = (self.time(), self.settings.edits.contents_move_date_modified);
        if moves {
            self.member(kind, id)?.insert("date_modified".to_owned(), now);
        }
        Ok(())
    }

    fn member(&mut self, kind: &str, id: &str) -> Outcome<&mut Object> {
        match kind {
            "assets" => self.assets.found_mut(id),
            _ => self.collections.found_mut(id),
        }
    }

    /// Takes an object out of a collection that goes away.
    pub(super) fn leave(&mut self, kind: &str, id: &str, collection: &str) {
        let Ok(object) = self.member(kind, id) else { return };
        if let Some(places) = object.get_mut("in_collections").and_then(Value::as_array_mut) {
            places.retain(|place| place != collection);
        }
        if object.get("parent_id").and_then(Value::as_str) == Some(collection) {
            object.insert("parent_id".to_owned(), Value::Null);
        }
    }

    /// What is in a collection: kind and id.
    pub fn children_of(&self, collection: &str) -> Vec<(String, String)> {
        let mut children = Vec::new();
        for (kind, table) in [("collections", &self.collections), ("assets", &self.assets)] {
            let inside = table.objects().filter(|object| places(object).any(|place| place == collection));
            let ids = inside.filter_map(|object| object.get("id").and_then(Value::as_str));
            children.extend(ids.map(|id| (kind.to_owned(), id.to_owned())));
        }
        children
    }

    /// The collections above one, from the nearest up.
    pub fn ancestors_of(&self, collection: &str) -> Vec<String> {
        let mut above: Vec<String> = Vec::new();
        let mut waiting = vec![collection.to_owned()];
        while let Some(id) = waiting.pop() {
            let Some(object) = self.collections.get(&id) else { continue };
            for place in places(object) {
                if !above.iter().any(|known| known == place) {
                    above.push(place.to_owned());
                    waiting.push(place.to_owned());
                }
            }
        }
        above
    }

    /// All that is below a collection, at any depth: kind and id.
    pub fn descendants_of(&self, collection: &str) -> Vec<(String, String)> {
        let mut below: Vec<(String, String)> = Vec::new();
        let mut waiting = vec![collection.to_owned()];
        while let Some(id) = waiting.pop() {
            for child in self.children_of(&id) {
                if !below.contains(&child) {
                    if child.0 == "collections" {
                        waiting.push(child.1.clone());
                    }
                    below.push(child);
                }
            }
        }
        below
    }

    fn contents_event(
        &mut self,
        operation: &'static str,
        user: &str,
        kind: &str,
        id: &str,
        collection: &str,
    ) {
        let mut parents = vec![collection.to_owned()];
        parents.extend(self.ancestors_of(collection));
        let data = json!({
            "collection_id": collection, "object_id": id, "object_type": kind, "date_created": self.time(),
            "parents": parents,
        });
        self.emit(Event {
            event_type: "collections",
            realm: "contents",
            operation,
            object_id: id.to_owned(),
            user_id: user.to_owned(),
            data,
        });
    }
}

/// The collections an object is directly in.
pub(in crate::iconik) fn places(object: &Object) -> impl Iterator<Item = &str> {
    let places = object.get("in_collections").and_then(Value::as_array);
    places.into_iter().flatten().filter_map(Value::as_str)
}
