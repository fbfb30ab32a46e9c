//! The documents of the index: copies of objects with all that belongs to them, made again when something of it changes.

use serde_json::Value;

use crate::iconik::state::{Event, Object, State, places};

impl State {
    /// Notes whose document an event makes old.
    pub(in crate::iconik) fn outdate(&mut self, event: &Event) {
        let named =
            ["asset_id", "object_id", "collection_id"].into_iter().filter_map(|name| event.data.get(name));
        let ids = named.filter_map(Value::as_str).chain(std::iter::once(event.object_id.as_str()));
        self.outdated.extend(ids.map(str::to_owned));
    }

    /// Makes the documents again that are old.
    pub(in crate::iconik) fn remake_documents(&mut self) {
        let mut ids = std::mem::take(&mut self.outdated);
        ids.extend(self.assets.changed_ids());
        ids.extend(self.collections.changed_ids());
        for id in ids {
            match self.document(&id) {
                Some(document) => self.documents.insert(&id, document),
                None => drop(self.documents.remove(&id)),
            }
        }
    }

    fn document(&self, id: &str) -> Option<Object> {
        let (kind, object) = match self.assets.get(id) {
            Some(asset) => ("assets", asset),
            None => ("collections", self.collections.get(id)?),
        };
        let mut document = object.clone();
        document.insert("object_type".to_owned(), kind.into());
        document.insert("metadata".to_owned(), self.flat_values((kind, id)).into());
        if kind == "assets" {
            document.extend(self.media_of(id));
        }
        let approval = self.approval_key(kind, id, None).and_then(|key| self.approval_view("", &key));
        if let Ok(approval) = approval {
            document.insert("approval".to_owned(), approval);
        }
        Some(document)
    }

    /// Everything the index has, as it has it, as a user sees it.
    pub(super) fn documents(&self, user: &str) -> Vec<Object> {
        let horizon = self.horizon();
        let mut documents = Vec::new();
        for document in self.documents.listed(horizon) {
            let mut shown = match document.get("object_type").and_then(Value::as_str) {
                Some("assets") => self.asset_shown(user, document),
                _ => self.collection_shown(user, document),
            };
            shown.insert("ancestor_collections".to_owned(), self.ancestors_in(document).into());
            documents.push(shown);
        }
        for segment in self.review.segments.listed(horizon) {
            let mut shown = segment.clone();
            shown.insert("object_type".to_owned(), "segments".into());
            documents.push(shown);
        }
        documents.extend(self.saved_searches.objects().cloned());
        documents
    }

    /// All collections an object is in, at any depth.
    fn ancestors_in(&self, object: &Object) -> Vec<String> {
        let mut above: Vec<String> = Vec::new();
        for place in places(object) {
            for id in std::iter::once(place.to_owned()).chain(self.ancestors_of(place)) {
                if !above.contains(&id) {
                    above.push(id);
                }
            }
        }
        above
    }
}
