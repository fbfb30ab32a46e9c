//! Objects of one kind by their ids, as they are and as the index sees them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Object, Outcome, Refusal};

/// An object at a time; nothing when it was gone.
type Seen = (Timestamp, Option<Arc<Object>>);

/// Objects of one kind, in the order of their making. Copies share what neither has changed.
#[derive(Clone, Debug)]
pub struct Table {
    kind: &'static str,
    made: u64,
    places: BTreeMap<String, u64>,
    objects: BTreeMap<u64, Arc<Object>>,
    /// What changed since the index was last told.
    changed: BTreeSet<u64>,
    /// What the index was told, oldest first.
    seen: BTreeMap<u64, VecDeque<Seen>>,
}

impl Table {
    pub(super) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            made: 0,
            places: BTreeMap::new(),
            objects: BTreeMap::new(),
            changed: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    /// The object with this id.
    pub fn get(&self, id: &str) -> Option<&Object> {
        self.objects.get(self.places.get(id)?).map(Arc::as_ref)
    }

    /// The object with this id, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Object> {
        let place = *self.places.get(id)?;
        self.changed.insert(place);
        self.objects.get_mut(&place).map(Arc::make_mut)
    }

    /// All objects, oldest first.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values().map(Arc::as_ref)
    }

    /// Their ids, oldest first.
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<(u64, &String)> = self.places.iter().map(|(id, place)| (*place, id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Ids of what is there and changed since the index was last told.
    pub(super) fn changed_ids(&self) -> Vec<String> {
        let changed = self.changed.iter().filter_map(|place| self.objects.get(place)?.get("id")?.as_str());
        changed.map(str::to_owned).collect()
    }

    /// The object with this id, or 404.
    pub(in crate::iconik) fn found(&self, id: &str) -> Outcome<&Object> {
        self.get(id).ok_or_else(|| Refusal::unknown(self.kind, id))
    }

    /// The object with this id to be changed, or 404.
    pub(in crate::iconik) fn found_mut(&mut self, id: &str) -> Outcome<&mut Object> {
        let kind = self.kind;
        self.get_mut(id).ok_or_else(|| Refusal::unknown(kind, id))
    }

    /// The 404 of an object that is there and not shown.
    pub(in crate::iconik) fn gone<T>(&self, id: &str) -> Outcome<T> {
        Err(Refusal::unknown(self.kind, id))
    }

    /// Puts an object under this id.
    pub fn insert(&mut self, id: &str, object: Object) {
        let next = self.made + 1;
        let place = *self.places.entry(id.to_owned()).or_insert(next);
        self.made = self.made.max(place);
        self.objects.insert(place, Arc::new(object));
        self.changed.insert(place);
    }

    /// Takes an object away.
    pub fn remove(&mut self, id: &str) -> Option<Object> {
        let place = self.places.remove(id)?;
        self.changed.insert(place);
        self.objects.remove(&place).map(Arc::unwrap_or_clone)
    }

    /// Tells the index what changed until now. What is older than the horizon is forgotten; without one the index has
    /// everything at once.
    pub(super) fn tell(&mut self, now: Timestamp, horizon: Option<Timestamp>) {
        for place in std::mem::take(&mut self.changed) {
            let object = self.objects.get(&place).cloned();
            let Some(horizon) = horizon else {
                match object {
                    Some(object) => drop(self.seen.insert(place, [(Timestamp::MIN, Some(object))].into())),
                    None => drop(self.seen.remove(&place)),
                }
                continue;
            };
            let seen = self.seen.entry(place).or_default();
            if seen.back().is_some_and(|(time, _)| *time == now) {
                seen.pop_back();
            }
            seen.push_back((now, object));
            while seen.get(1).is_some_and(|(time, _)| *time <= horizon) {
                seen.pop_front();
            }
        }
    }

    /// Tells the index of one object at once.
    pub(super) fn tell_one(&mut self, id: &str) {
        let Some(place) = self.places.get(id) else { return };
        if let Some(object) = self.objects.get(place) {
            self.seen.insert(*place, [(Timestamp::MIN, Some(object.clone()))].into());
            self.changed.remove(place);
        }
    }

    /// The objects as the index had them at the horizon; as they are when there is none.
    pub(in crate::iconik) fn listed(&self, horizon: Option<Timestamp>) -> Vec<&Object> {
        let Some(horizon) = horizon else { return self.objects().collect() };
        self.seen.values().filter_map(|seen| at(seen, horizon)).collect()
    }

    /// One object as it was at the horizon.
    pub(in crate::iconik) fn listed_one(&self, id: &str, horizon: Option<Timestamp>) -> Option<&Object> {
        match horizon {
            None => self.get(id),
            Some(horizon) => at(self.seen.get(self.places.get(id)?)?, horizon),
        }
    }
}

fn at(seen: &VecDeque<Seen>, horizon: Timestamp) -> Option<&Object> {
    seen.iter().rev().find(|(time, _)| *time <= horizon)?.1.as_deref()
}
