//! Metadata as it is read: groups of fields, and tables, which are told column by column.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    ids::{FieldId, ModelId, TableId},
    wire,
};

/// The columns of a table are not equally long, so nobody can tell its rows.
pub const UNEVEN_TABLE: &str = "otmm.uneven-table";

/// What an asset is described with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The model.
    pub model: Option<ModelId>,
    fields: BTreeMap<FieldId, Option<FieldValue>>,
    tables: BTreeMap<TableId, Table>,
}

/// What a value is to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// As it stands.
    Plain,
    /// The key of a lookup domain.
    Lookup,
    /// The key of a lookup domain that depends on another.
    CascadingLookup,
}

/// A value of a field, or of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue {
    /// What is stored. Of a lookup that is the key, not what is shown.
    pub text: String,
    /// What the server calls its kind.
    pub wire_type: Option<String>,
    /// What is shown for it, without the blanks that some domains have around it.
    pub display: Option<String>,
    /// What it is.
    pub kind: ValueKind,
}

impl FieldValue {
    /// The value as a moment.
    pub fn moment(&self) -> Option<Timestamp> {
        wire::as_moment(&self.text)
    }

    /// Whether it says the same as a text: exactly, or as a moment or number in another spelling.
    pub fn says(&self, text: &str) -> bool {
        if self.text == text {
            return true;
        }
        let moments = self.moment().zip(wire::as_moment(text));
        let numbers = self.text.trim().parse::<f64>().ok().zip(text.trim().parse::<f64>().ok());
        // A key of a domain is a text, and 7 is not 07.
        self.kind == ValueKind::Plain
            && (moments.is_some_and(|(one, other)| one == other)
                || (self.wire_type.as_deref() != Some("string")
                    && numbers.is_some_and(|(one, other)| (one - other).abs() < f64::EPSILON)))
    }
}

/// A table: columns of cells. A row is what stands at the same place of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns, in the server's order.
    pub columns: Vec<(FieldId, Vec<Option<FieldValue>>)>,
}

impl Table {
    /// How many rows it has; none when its columns are not equally long. A column that is not told at all is empty.
    pub fn rows(&self) -> Option<usize> {
        let mut lengths = self.columns.iter().map(|(_, cells)| cells.len()).filter(|length| *length > 0);
        let Some(first) = lengths.next() else { return Some(0) };
        lengths.all(|length| length == first).then_some(first)
    }

    /// A cell; nothing when it is empty or not there.
    pub fn cell(&self, row: usize, column: &FieldId) -> Option<&FieldValue> {
        let (_, cells) = self.columns.iter().find(|(id, _)| id == column)?;
        cells.get(row)?.as_ref()
    }

    /// What is stored, column by column.
    pub(super) fn texts(&self) -> Vec<(FieldId, Vec<Option<String>>)> {
        let text = |cell: &Option<FieldValue>| cell.as_ref().map(|value| value.text.clone());
        let column =
            |(id, cells): &(FieldId, Vec<Option<FieldValue>>)| (id.clone(), cells.iter().map(text).collect());
        self.columns.iter().map(column).collect()
    }

    /// Whether it has the column.
    pub fn has_column(&self, column: &FieldId) -> bool {
        self.columns.iter().any(|(id, _)| id == column)
    }
}

impl Metadata {
    /// The value of a field; nothing when it is empty or not there.
    pub fn get(&self, field: &FieldId) -> Option<&FieldValue> {
        self.fields.get(field)?.as_ref()
    }

    /// What is stored in a field.
    pub fn text(&self, field: &FieldId) -> Option<&str> {
        self.get(field).map(|value| value.text.as_str())
    }

    /// Whether the model has the field. A field without a value is told too.
    pub fn has_field(&self, field: &FieldId) -> bool {
        self.fields.contains_key(field)
    }

    /// A table.
    pub fn table(&self, table: &TableId) -> Option<&Table> {
        self.tables.get(table)
    }

    /// Every field with its value.
    pub fn fields(&self) -> impl Iterator<Item = (&FieldId, Option<&FieldValue>)> {
        self.fields.iter().map(|(id, value)| (id, value.as_ref()))
    }

    /// Every table.
    pub fn tables(&self) -> impl Iterator<Item = (&TableId, &Table)> {
        self.tables.iter()
    }

    pub(super) fn read(json: &Value) -> Self {
        let mut metadata = Self { model: wire::text(json, "id").map(ModelId::new), ..Self::default() };
        metadata.take(json, 0);
        metadata
    }

    /// Takes what stands in a group; groups may stand in groups.
    fn take(&mut self, group: &Value, depth: usize) {
        const DEEPEST: usize = 8;
        for element in wire::list(group, "metadata_element_list") {
            let Some(id) = wire::text(element, "id") else { continue };
            let kind = wire::text(element, "type").unwrap_or_default();
            let has_elements = element.get("metadata_element_list").is_some();
            if kind.ends_with(".MetadataTable") {
                self.tables.insert(TableId::new(id), table(element));
            } else if kind.ends_with(".MetadataField") || !has_elements {
                let value = element.get("value").and_then(value);
                self.fields.insert(FieldId::new(id), value);
            } else if depth < DEEPEST {
                self.take(element, depth + 1);
            }
        }
    }
}

fn table(element: &Value) -> Table {
    let column = |column: &Value| {
        let id = FieldId::new(wire::text(column, "id")?);
        let cells = wire::list(column, "values").iter().map(value).collect();
        Some((id, cells))
    };
    Table { columns: wire::list(element, "metadata_element_list").iter().filter_map(column).collect() }
}

/// A value: `{value: {type, value}}`, the same around a lookup's key, or with the key straight in it. Empty ones come as
/// null, as an object without anything in it, and with an empty text.
fn value(json: &Value) -> Option<FieldValue> {
    let inner = json.get("value").unwrap_or(json);
    let kind = wire::text(inner, "type").unwrap_or_default();
    if let Some(key) = inner.get("field_value") {
        let display = wire::text(inner, "display_value").or_else(|| wire::text(inner, "displayValue"));
        let is_cascading =
            kind.ends_with(".CascadingDomainValue") || wire::is(json, "cascading_domain_value");
        return Some(FieldValue {
            text: wire::text(key, "value").or_else(|| wire::as_text(key))?,
            wire_type: wire::text(key, "type"),
            display: display.map(|display| display.trim().to_owned()),
            kind: if is_cascading { ValueKind::CascadingLookup } else { ValueKind::Lookup },
        });
    }
    let text = wire::text(inner, "value").or_else(|| wire::as_text(inner))?;
    Some(FieldValue {
        text,
        wire_type: Some(kind).filter(|kind| !kind.is_empty()),
        display: None,
        kind: ValueKind::Plain,
    })
}
