//! Objects of one kind by their ids.

use std::collections::BTreeMap;

use super::{Object, Outcome, Refusal};

/// Objects of one kind, in the order of their making.
#[derive(Clone, Debug)]
pub struct Table {
    kind: &'static str,
    objects: BTreeMap<String, Object>,
}

impl Table {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, objects: BTreeMap::new() }
    }

    /// The object with this id.
    pub fn get(&self, id: &str) -> Option<&Object> {
        self.objects.get(id)
    }

    /// All objects, oldest first.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// The object with this id, or 404.
    pub(in crate::iconik) fn found(&self, id: &str) -> Outcome<&Object> {
        self.objects.get(id).ok_or_else(|| Refusal::unknown(self.kind, id))
    }

    /// The object with this id to be changed, or 404.
    pub(in crate::iconik) fn found_mut(&mut self, id: &str) -> Outcome<&mut Object> {
        self.objects.get_mut(id).ok_or_else(|| Refusal::unknown(self.kind, id))
    }

    /// Puts an object under this id.
    pub fn insert(&mut self, id: &str, object: Object) {
        self.objects.insert(id.to_owned(), object);
    }

    /// Takes an object away.
    pub fn remove(&mut self, id: &str) -> Option<Object> {
        self.objects.remove(id)
    }
}
