use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::{Map, Value};

use super::{
    AttributeValue, CategoryValues,
    attribute::{Attribute, AttributeKind, AttributeSet, OPERATION},
};
use crate::{
    content_server::{NodeId, error::misconfigured, wire},
    error::Result,
};

/// What a category is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryDefinition {
    /// The category's id.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Its attributes, those of sets included.
    pub attributes: Vec<Attribute>,
}

impl CategoryDefinition {
    /// Reads the `metadata.categories` part of an answer: one object, or a list of them.
    pub(super) fn from_metadata(category: NodeId, metadata: &Value) -> Option<Self> {
        let mut entries: Vec<(&String, &Value)> = Vec::new();
        match metadata {
            Value::Object(object) => entries.extend(object),
            Value::Array(list) => {
                list.iter().filter_map(Value::as_object).for_each(|object| entries.extend(object))
            }
            _ => {}
        }
        let id = category.to_string();
        let own = entries.iter().find(|(key, _)| **key == id)?;
        let prefix = format!("{id}_");
        let facts = |key: &str| {
            entries.iter().find(|(known, _)| *known == key).and_then(|(_, facts)| facts.as_object())
        };
        let mut attributes = Vec::new();
        for (key, facts_of) in entries.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            let Some(own) = facts_of.as_object() else { continue };
            if is_set(own) || key.ends_with("_1") && name(own).is_empty() {
                continue;
            }
            let set = set_of(key).map(|set| AttributeSet {
                id: set,
                name: facts(&format!("{prefix}{set}")).map(name).unwrap_or_default(),
            });
            attributes.push(Attribute {
                key: (*key).clone(),
                name: name(own),
                kind: kind(own),
                multi_value: truth(own, "multi_value"),
                required: truth(own, "required"),
                max_length: length(own, "max_length"),
                choices: own.get("valid_values").map(wire::texts).unwrap_or_default(),
                set,
            });
        }
        Some(Self { id: category, name: own.1.as_object().map(name).unwrap_or_default(), attributes })
    }

    /// The attribute with a name; `Set:Attribute` inside a set. Without the set's name it has to be the only one.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        let matches = |attribute: &&Attribute| {
            let full = match &attribute.set {
                Some(set) => format!("{}:{}", set.name, attribute.name),
                None => attribute.name.clone(),
            };
            full == name
        };
        self.attributes.iter().find(matches).or_else(|| {
            let mut bare = self.attributes.iter().filter(|attribute| attribute.name == name);
            bare.next().filter(|_| bare.next().is_none())
        })
    }

    /// The name of the attribute under a key; `Set[2]:Attribute` in the second row of a set.
    pub(super) fn name_of(&self, key: &str) -> Option<String> {
        let (pattern, row) = unrow(key);
        let attribute = self.attributes.iter().find(|attribute| attribute.key == pattern)?;
        Some(match (&attribute.set, row) {
            (Some(set), Some(row)) => format!("{}[{row}]:{}", set.name, attribute.name),
            _ => attribute.name.clone(),
        })
    }

    /// Sets an attribute by its name, after checking that it can hold the value. Inside a set, in the first row.
    ///
    /// # Errors
    /// `Forbidden` when the category has no such attribute, `Invalid` when the value does not fit it.
    pub fn put(&self, values: &mut CategoryValues, name: &str, value: AttributeValue) -> Result<()> {
        self.put_row(values, name, 1, value)
    }

    /// Sets an attribute of a set in a row, counted from 1.
    ///
    /// # Errors
    /// As [`CategoryDefinition::put`].
    pub fn put_row(
        &self,
        values: &mut CategoryValues,
        name: &str,
        row: u32,
        value: AttributeValue,
    ) -> Result<()> {
        let attribute = self.attribute(name).ok_or_else(|| {
            let message = format!("the category {:?} has no attribute {name:?}", self.name);
            misconfigured(OPERATION, "content-server.attribute-unknown", message)
                .field(name)
                .remedy("correct the name in the mapping, or add the attribute to the category")
        })?;
        let value = attribute.fit(value)?;
        values.insert(attribute.key.replace("_x_", &format!("_{row}_")), value);
        Ok(())
    }

    /// Checks that every required attribute outside of sets has a value.
    ///
    /// # Errors
    /// `Invalid` with the first that has none.
    pub fn check_required(&self, values: &CategoryValues) -> Result<()> {
        let missing = self.attributes.iter().find(|attribute| {
            attribute.required
                && attribute.set.is_none()
                && values.get(&attribute.key).is_none_or(AttributeValue::is_empty)
        });
        match missing {
            Some(attribute) => {
                Err(attribute.refuse("content-server.attribute-required", "must have a value and has none"))
            }
            None => Ok(()),
        }
    }

    /// What a node has, by name and row (none outside of sets) and of the right type.
    pub fn name_values(&self, values: &CategoryValues) -> Vec<(&Attribute, Option<u32>, AttributeValue)> {
        values
            .iter()
            .filter_map(|(key, value)| {
                let (pattern, row) = unrow(key);
                let attribute = self.attributes.iter().find(|attribute| attribute.key == pattern)?;
                let fitted = attribute.fit(value.clone()).unwrap_or_else(|_| value.clone());
                Some((attribute, row, fitted))
            })
            .collect()
    }
}

/// Definitions that were read not long ago.
#[derive(Default)]
pub(in crate::content_server) struct Definitions {
    known: Mutex<HashMap<NodeId, (i64, Arc<CategoryDefinition>)>>,
}

impl Definitions {
    pub(super) fn get(&self, category: NodeId, not_before: i64) -> Option<Arc<CategoryDefinition>> {
        let known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.get(&category).filter(|(at, _)| *at >= not_before).map(|(_, definition)| definition.clone())
    }

    pub(super) fn keep(&self, at: i64, definition: CategoryDefinition) -> Arc<CategoryDefinition> {
        let definition = Arc::new(definition);
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.insert(definition.id, (at, definition.clone()));
        definition
    }
}

/// The key with `x` for its row, and the row.
fn unrow(key: &str) -> (String, Option<u32>) {
    let parts: Vec<&str> = key.split('_').collect();
    match parts.as_slice() {
        [category, set, row, attribute] => (format!("{category}_{set}_x_{attribute}"), row.parse().ok()),
        _ => (key.to_owned(), None),
    }
}

/// The set a definition's key belongs to: `8101_3_x_4` is in set 3.
pub(super) fn set_of(key: &str) -> Option<i64> {
    let parts: Vec<&str> = key.split('_').collect();
    match parts.as_slice() {
        [_, set, _, _] => set.parse().ok(),
        _ => None,
    }
}

fn name(facts: &Map<String, Value>) -> String {
    facts.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn is_set(facts: &Map<String, Value>) -> bool {
    facts.get("persona").and_then(Value::as_str) == Some("set")
        || facts.get("type_name").and_then(Value::as_str) == Some("Assoc")
}

fn truth(facts: &Map<String, Value>, key: &str) -> bool {
    facts.get(key).and_then(wire::as_truth).unwrap_or_default()
}

fn length(facts: &Map<String, Value>, key: &str) -> Option<usize> {
    facts
        .get(key)
        .and_then(wire::as_integer)
        .and_then(|length| usize::try_from(length).ok())
        .filter(|length| *length > 0)
}

/// What an attribute holds. Type numbers are many (lists, text areas, table keys); the words tell enough.
fn kind(facts: &Map<String, Value>) -> AttributeKind {
    let word = |key| facts.get(key).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let (type_name, persona) = (word("type_name"), word("persona"));
    match facts.get("type").and_then(wire::as_integer) {
        _ if persona == "user" || type_name.contains("user") => AttributeKind::User,
        Some(2) => AttributeKind::Integer,
        Some(5) => AttributeKind::Boolean,
        Some(401) => AttributeKind::Moment,
        Some(-7) if truth(facts, "include_time") => AttributeKind::Moment,
        Some(-7) => AttributeKind::Date,
        _ if type_name.contains("integer") => AttributeKind::Integer,
        _ if type_name.contains("boolean") => AttributeKind::Boolean,
        _ if type_name.contains("date") && truth(facts, "include_time") => AttributeKind::Moment,
        _ if type_name.contains("date") => AttributeKind::Date,
        _ => AttributeKind::Text,
    }
}
