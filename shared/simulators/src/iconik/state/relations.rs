//! Relations between assets, and their types.

use serde_json::{Value, json};

use super::{Event, Object, Outcome, Refusal, State, fields};

/// What a caller says of a relation type.
const TYPE: &[&str] = &["name", "source_label", "destination_label", "description", "is_directional"];

impl State {
    /// Makes a relation type.
    pub fn create_relation_type(&mut self, given: &Object) -> Outcome<String> {
        for needed in ["name", "source_label", "destination_label"] {
            if given.get(needed).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(Refusal::field(needed, "Missing data for required field."));
            }
        }
        let name = given.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if self.relation_types.get(&name).is_some() {
            return Err(Refusal::Conflict(format!("Relation type {name} exists")));
        }
        let now = self.time();
        let mut kind = fields::object(json!({
            "description": "", "is_directional": true, "is_system": false, "date_created": now, "date_modified": now,
        }));
        kind.extend(only(given, TYPE));
        self.relation_types.insert(&name, kind);
        Ok(name)
    }

    /// Changes a relation type.
    pub(in crate::iconik) fn edit_relation_type(&mut self, name: &str, given: &Object) -> Outcome<()> {
        let now = self.time();
        let kind = self.relation_types.found_mut(name)?;
        kind.extend(only(given, TYPE).filter(|(field, _)| field != "name"));
        kind.insert("date_modified".to_owned(), now);
        Ok(())
    }

    /// Removes a relation type that nothing uses.
    pub(in crate::iconik) fn delete_relation_type(&mut self, name: &str) -> Outcome<()> {
        self.relation_types.found(name)?;
        let uses = |relation: &Object| relation.get("relation_type").and_then(Value::as_str) == Some(name);
        if self.relations.objects().any(uses) {
            return Err(Refusal::Conflict(format!("Relation type {name} is in use")));
        }
        self.relation_types.remove(name);
        Ok(())
    }

    /// Relates an asset to another. Whether the relation is new.
    pub fn relate(
        &mut self,
        user: &str,
        from: &str,
        kind: &str,
        to: &str,
        description: Option<&str>,
    ) -> Outcome<bool> {
        self.readable(&self.assets, "assets", from)?;
        if self.relation_types.get(kind).is_none() {
            return Err(Refusal::field("relation_type", format!("Relation type {kind} was not found")));
        }
        if self.assets.get(to).is_none() {
            return Err(Refusal::field("related_to_asset_id", format!("Asset {to} was not found")));
        }
        if from == to {
            return Err(Refusal::field("related_to_asset_id", "An asset cannot be related to itself."));
        }
        let key = relation_key(from, kind, to);
        if self.relations.get(&key).is_some() {
            return Ok(false);
        }
        let now = self.time();
        let relation = fields::object(json!({
            "relation_type": kind, "related_from_asset_id": from, "related_to_asset_id": to,
            "description": description.unwrap_or_default(), "date_created": now, "date_modified": now,
        }));
        self.relations.insert(&key, relation.clone());
        self.relation_event("create", user, from, relation);
        Ok(true)
    }

    /// Ends a relation.
    pub fn unrelate(&mut self, user: &str, from: &str, kind: &str, to: &str) -> Outcome<()> {
        self.readable(&self.assets, "assets", from)?;
        let relation = self.relations.remove(&relation_key(from, kind, to));
        let relation = relation.ok_or_else(|| Refusal::unknown("Relation", &format!("{kind} to {to}")))?;
        self.relation_event("delete", user, from, relation);
        Ok(())
    }

    /// The relation from one asset to another.
    pub fn relation(&self, from: &str, kind: &str, to: &str) -> Option<&Object> {
        self.relations.get(&relation_key(from, kind, to))
    }

    /// The assets that one is related to, in either direction, each with its relations to it.
    pub(in crate::iconik) fn related(&self, asset: &str, kind: Option<&str>) -> Vec<(String, Vec<Value>)> {
        let mut found: Vec<(String, Vec<Value>)> = Vec::new();
        for relation in self.relations.objects() {
            let end = |name: &str| relation.get(name).and_then(Value::as_str).unwrap_or_default();
            let other = match (end("related_from_asset_id"), end("related_to_asset_id")) {
                (from, to) if from == asset => to,
                (from, to) if to == asset => from,
                _ => continue,
            };
            if kind.is_some_and(|kind| end("relation_type") != kind) {
                continue;
            }
            let shown = Value::Object(relation.clone());
            match found.iter_mut().find(|(id, _)| id == other) {
                Some((_, relations)) => relations.push(shown),
                None => found.push((other.to_owned(), vec![shown])),
            }
        }
        found
    }

    /// Relations of an asset that is destroyed.
    pub(super) fn forget_relations(&mut self, asset: &str) {
        for (other, relations) in self.related(asset, None) {
            for relation in relations {
                let end =
                    |name: &str| relation.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let (from, kind) = (end("related_from_asset_id"), end("relation_type"));
                let (from, to) =
                    if from == asset { (asset, other.as_str()) } else { (other.as_str(), asset) };
                self.relations.remove(&relation_key(from, &kind, to));
            }
        }
    }

    fn relation_event(&mut self, operation: &'static str, user: &str, asset: &str, relation: Object) {
        self.emit(Event {
            event_type: "assets",
            realm: "relations",
            operation,
            object_id: asset.to_owned(),
            user_id: user.to_owned(),
            data: Value::Object(relation),
        });
    }
}

fn relation_key(from: &str, kind: &str, to: &str) -> String {
    format!("{from}/{kind}/{to}")
}

fn only<'given>(
    given: &'given Object,
    names: &'static [&'static str],
) -> impl Iterator<Item = (String, Value)> + 'given {
    let known = given.iter().filter(|(name, _)| names.contains(&name.as_str()));
    known.map(|(name, value)| (name.clone(), value.clone()))
}
