//! Metadata: fields, views of fields, categories of views, and values.

mod check;
mod definitions;
mod values;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::media::{is, text};
use super::{Object, Table};

/// The values of one object's version by field.
type Fields = BTreeMap<String, FieldValues>;

/// The values of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldValues {
    /// The values.
    pub values: Vec<Value>,
    /// When they were written.
    pub date_created: Value,
}

/// Definitions and values.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Fields by name.
    pub fields: Table,
    /// Views.
    pub views: Table,
    /// Categories by kind of object and name, with a slash between.
    pub categories: Table,
    /// By kind of object, object and version (without one, the empty text).
    values: BTreeMap<(String, String), BTreeMap<String, Fields>>,
}

impl Metadata {
    pub(super) fn new() -> Self {
        Self {
            fields: Table::new("Metadata field"),
            views: Table::new("Metadata view"),
            categories: Table::new("Category"),
            values: BTreeMap::new(),
        }
    }

    /// An object is gone, and its values with it.
    pub(super) fn forget(&mut self, kind: &str, id: &str) {
        self.values.remove(&(kind.to_owned(), id.to_owned()));
    }

    /// A field of a view: its definition with what the view says of it. `None` for a separator or a field that is gone.
    fn field_of(&self, view: &Object, name: &str) -> Option<Object> {
        let listed = view.get("view_fields")?.as_array()?.iter().filter_map(Value::as_object);
        let listed = listed.into_iter().find(|listed| is(listed, "name", name))?;
        let mut field = self.fields.get(name)?.clone();
        field.extend(listed.clone().into_iter().filter(|(_, value)| !value.is_null()));
        Some(field)
    }

    /// A view as the interface shows it; with the definitions merged in when asked for.
    pub(in crate::iconik) fn shown_view(&self, view: &Object, merged: bool) -> Map<String, Value> {
        let mut shown = view.clone();
        if let (true, Some(fields)) = (merged, shown.get_mut("view_fields").and_then(Value::as_array_mut)) {
            for field in fields {
                let name = field.as_object().map(|field| text(field, "name").to_owned()).unwrap_or_default();
                if let Some(whole) = self.field_of(view, &name) {
                    *field = whole.into();
                }
            }
        }
        shown
    }
}
