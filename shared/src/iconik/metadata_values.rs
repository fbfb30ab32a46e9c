//! Values by field, as they are read in both shapes and written in one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::wire;

/// Values by field. A field without values is not in it.
///
/// The server keeps scalars, commonly as texts, and is not consistent about it: compare with [`MetadataValues::agrees`].
#[derive(Debug, Clone, Default)]
pub struct MetadataValues {
    fields: BTreeMap<String, Vec<Value>>,
    written: BTreeMap<String, Timestamp>,
}

/// When values were written is no part of them.
impl PartialEq for MetadataValues {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl MetadataValues {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The values of a field; none when it has none.
    pub fn get(&self, field: &str) -> &[Value] {
        self.fields.get(field).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first value of a field as a text; nothing when it has none.
    pub fn text(&self, field: &str) -> Option<String> {
        self.get(field).first().map(scalar_text)
    }

    /// The values of a field as texts.
    pub fn texts(&self, field: &str) -> Vec<String> {
        self.get(field).iter().map(scalar_text).collect()
    }

    /// When a field got the values it has, where the server says so.
    pub fn written(&self, field: &str) -> Option<Timestamp> {
        self.written.get(field).copied()
    }

    /// Every field that has values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.fields.iter().map(|(field, values)| (field.as_str(), values.as_slice()))
    }

    /// Sets the values of a field.
    #[must_use]
    pub fn with(mut self, field: &str, values: Vec<Value>) -> Self {
        if values.is_empty() {
            self.fields.remove(field);
        } else {
            self.fields.insert(field.to_owned(), values);
        }
        self
    }

    /// Whether a field has the same values here and there, whichever way each is written and ordered.
    pub fn agrees(&self, other: &Self, field: &str) -> bool {
        same(self.get(field), other.get(field))
    }

    /// Reads an answer in either shape: under `metadata_values` with `field_values`, or a map of fields with `values`.
    /// Nothing when it is neither.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let (fields, key) = match answer.get("metadata_values") {
            Some(Value::Object(fields)) => (fields, "field_values"),
            Some(Value::Null) => return Some(Self::default()),
            Some(_) => return None,
            None => (answer.as_object()?, "values"),
        };
        let mut read = Self::default();
        for (field, held) in fields {
            let Some(held) = held.as_object() else { continue };
            let values = held.get(key).or_else(|| held.get("field_values")).and_then(Value::as_array);
            let values: Vec<Value> = values.into_iter().flatten().filter_map(value_of).collect();
            let written = held.get("date_created").and_then(Value::as_str).and_then(wire::moment);
            read.written.extend(written.map(|written| (field.clone(), written)));
            read = read.with(field, values);
        }
        Some(read)
    }
}

/// A value, which stands under `value`, or bare. Nulls and empty texts are no values.
fn value_of(held: &Value) -> Option<Value> {
    let value = match held {
        Value::Object(object) => object.get("value")?,
        bare => bare,
    };
    let is_none = value.is_null() || value.as_str().is_some_and(str::is_empty);
    (!is_none).then(|| value.clone())
}

/// A scalar as the text the server might keep of it.
pub(super) fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether values are the same, whichever way each is written (`7`, `"7"`, `7.0`; `true`, `"true"`, `"True"`) and ordered.
pub(super) fn same(one: &[Value], other: &[Value]) -> bool {
    let folded = |values: &[Value]| {
        let mut texts: Vec<String> = values.iter().map(folded).collect();
        texts.sort();
        texts
    };
    folded(one) == folded(other)
}

fn folded(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        Value::String(text) if text == "True" || text == "False" => text.to_lowercase(),
        // `007` is a text and no number, `7` may be either.
        other => scalar_text(other),
    }
}

/// What is to become of fields; those that are not in it stay as they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetadataChange {
    pub(super) fields: BTreeMap<String, Vec<Value>>,
}

impl MetadataChange {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A field gets these values in place of all it has. Without any it is cleared.
    #[must_use]
    pub fn set<V: Into<Value>>(mut self, field: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.fields.insert(field.to_owned(), values);
        self
    }

    /// A field loses its values.
    #[must_use]
    pub fn clear(self, field: &str) -> Self {
        self.set(field, Vec::<Value>::new())
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields it changes.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.fields.iter().map(|(field, values)| (field.as_str(), values.as_slice()))
    }

    /// What is left to change where values are already so, in that order.
    #[must_use]
    pub fn beyond(mut self, present: &MetadataValues) -> Self {
        self.fields
            .retain(|field, values| !values.iter().map(folded).eq(present.get(field).iter().map(folded)));
        self
    }

    /// The same with the present values of every other field.
    pub(super) fn with_all_of(mut self, present: &MetadataValues) -> Self {
        for (field, values) in present.fields() {
            self.fields.entry(field.to_owned()).or_insert_with(|| values.to_vec());
        }
        self
    }

    pub(super) fn body(&self) -> Value {
        let fields = self.fields.iter().map(|(field, values)| {
            let values: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
            (field.clone(), json!({"field_values": values}))
        });
        json!({"metadata_values": fields.collect::<Map<_, _>>()})
    }
}
