//! Metadata as it is to be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    error::failure,
    ids::{FieldId, TableId},
    metadata::{FieldValue, Metadata, Table, UNEVEN_TABLE, ValueKind},
    settings::{LookupForm, Settings},
    wire,
};
use crate::error::{FailureClass, Result};

const FIELD: &str = "com.artesia.metadata.MetadataField";
const COLUMN: &str = "com.artesia.metadata.MetadataTableField";

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    /// A text.
    Text(String),
    /// A number, as it is written.
    Number(String),
    /// A moment; whole seconds are kept.
    Date(Timestamp),
    /// The key of a lookup domain. Check it against the domain first: what becomes of an unknown one nobody says.
    Lookup(String),
}

/// A row of a table: cells by column. A column that is not named is empty in it.
pub type Row = BTreeMap<FieldId, NewValue>;

/// What becomes of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange {
    /// A row is added at the end; unless one has the same in a column, which makes adding it twice add it once.
    Append {
        /// The row.
        row: Row,
        /// The column that tells rows apart.
        key: FieldId,
    },
    /// These rows are all there is.
    Replace(Vec<Row>),
}

/// What of an asset's metadata is to change. What is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataChange {
    fields: BTreeMap<FieldId, Option<NewValue>>,
    tables: BTreeMap<TableId, TableChange>,
}

impl MetadataChange {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A field gets a value.
    #[must_use]
    pub fn set(mut self, field: &FieldId, value: NewValue) -> Self {
        self.fields.insert(field.clone(), Some(value));
        self
    }

    /// A field gets a text.
    #[must_use]
    pub fn text(self, field: &FieldId, text: impl Into<String>) -> Self {
        self.set(field, NewValue::Text(text.into()))
    }

    /// A field loses its value.
    #[must_use]
    pub fn clear(mut self, field: &FieldId) -> Self {
        self.fields.insert(field.clone(), None);
        self
    }

    /// A table changes.
    #[must_use]
    pub fn table(mut self, table: &TableId, change: TableChange) -> Self {
        self.tables.insert(table.clone(), change);
        self
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.tables.is_empty()
    }

    /// Whether it changes tables, which can only be written whole.
    pub(super) fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    /// The fields and tables it names, as the ids they have.
    pub(super) fn fields(&self) -> impl Iterator<Item = &FieldId> {
        self.fields.keys()
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &TableId> {
        self.tables.keys()
    }

    /// What has to be written onto what is there, and what is there afterwards.
    ///
    /// # Errors
    /// [`UNEVEN_TABLE`] (`Invalid`).
    pub(super) fn onto(&self, current: &Metadata, settings: &Settings) -> Result<Edit> {
        let mut edit = Edit::default();
        for (id, value) in &self.fields {
            let known = current.get(id);
            let value = value.as_ref().map(|value| Cell::of(value, known, settings));
            let is_there = match (known, &value) {
                (None, None) => true,
                (Some(known), Some(value)) => known.says(&value.text),
                _ => false,
            };
            if !is_there {
                let json = value.as_ref().map_or(Value::Null, |value| value.json(settings));
                edit.written.push(json!({"id": id, "type": FIELD, "value": json}));
            }
            edit.fields.push((id.clone(), value.map(|value| value.text)));
        }
        for (id, change) in &self.tables {
            let empty = Table::default();
            let table = current.table(id).unwrap_or(&empty);
            let wanted = columns(id, table, change, settings)?;
            if let Some(columns) = &wanted {
                for (column, cells) in columns {
                    let cell = |cell: &Option<Cell>| match cell {
                        Some(cell) => cell.json(settings),
                        None => json!({ "value": null }),
                    };
                    let values: Vec<Value> = cells.iter().map(cell).collect();
                    edit.written.push(json!({"id": column, "type": COLUMN, "values": values}));
                }
            }
            let texts =
                |cells: Vec<Option<Cell>>| cells.into_iter().map(|cell| cell.map(|cell| cell.text)).collect();
            let columns = match wanted {
                Some(columns) => columns.into_iter().map(|(column, cells)| (column, texts(cells))).collect(),
                None => table.texts(),
            };
            let may_grow = matches!(change, TableChange::Append { .. });
            edit.tables.push(WantedTable { id: id.clone(), columns, may_grow });
        }
        Ok(edit)
    }

    /// Of the fields and tables that it does not name: how many kept what they had, and what has to be written for the
    /// others to have it again.
    pub(super) fn lost(
        &self,
        before: &Metadata,
        after: &Metadata,
        settings: &Settings,
    ) -> (usize, Vec<Value>) {
        let (mut kept, mut lost) = (0, Vec::new());
        for (id, value) in before.fields().filter(|(id, _)| !self.fields.contains_key(*id)) {
            match (value, after.get(id)) {
                (Some(value), None) => {
                    let json = Cell::kept(value, settings).json(settings);
                    lost.push(json!({"id": id, "type": FIELD, "value": json}));
                }
                (Some(_), Some(_)) => kept += 1,
                (None, _) => {}
            }
        }
        for (id, table) in before.tables().filter(|(id, _)| !self.tables.contains_key(*id)) {
            let rows = |table: Option<&Table>| table.and_then(Table::rows);
            if rows(Some(table)).unwrap_or_default() == 0 || rows(after.table(id)) != Some(0) {
                continue;
            }
            for (column, cells) in &table.columns {
                let cell = |cell: &Option<FieldValue>| match cell {
                    Some(value) => Cell::kept(value, settings).json(settings),
                    None => json!({ "value": null }),
                };
                let values: Vec<Value> = cells.iter().map(cell).collect();
                lost.push(json!({"id": column, "type": COLUMN, "values": values}));
            }
        }
        (kept, lost)
    }

    /// The fields as those of something new.
    pub(super) fn of_new(&self, settings: &Settings) -> Result<Vec<Value>> {
        Ok(self.onto(&Metadata::default(), settings)?.written)
    }
}

/// A write: what is sent, and what has to be read afterwards, also of what was there already.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub(super) written: Vec<Value>,
    fields: Vec<(FieldId, Option<String>)>,
    tables: Vec<WantedTable>,
}

/// A table as texts.
#[derive(Debug)]
struct WantedTable {
    id: TableId,
    /// Its columns, cell by cell.
    columns: Vec<(FieldId, Vec<Option<String>>)>,
    /// Rows of others may follow: whoever appended to it did not say that there are no more.
    may_grow: bool,
}

impl Edit {
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The first field or table that does not say what it is to say.
    pub(super) fn missing_in(&self, after: &Metadata) -> Option<String> {
        let says = |value: Option<&FieldValue>, text: &Option<String>| match (value, text) {
            (None, None) => true,
            (None, Some(text)) => text.is_empty(),
            (Some(value), Some(text)) => value.says(text),
            (Some(_), None) => false,
        };
        let field = self.fields.iter().find(|(id, text)| !says(after.get(id), text));
        if let Some((id, _)) = field {
            return Some(id.to_string());
        }
        let differs = |wanted: &&WantedTable| {
            let columns = &wanted.columns;
            let rows = columns.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
            let Some(table) = after.table(&wanted.id) else { return rows > 0 };
            let has_rows = |found| if wanted.may_grow { found >= rows } else { found == rows };
            !table.rows().is_some_and(has_rows)
                || columns.iter().any(|(column, cells)| {
                    cells.iter().enumerate().any(|(row, text)| !says(table.cell(row, column), text))
                })
        };
        self.tables.iter().find(differs).map(|wanted| wanted.id.to_string())
    }
}

/// A value as it goes out.
#[derive(Debug, Clone)]
struct Cell {
    text: String,
    wire_type: String,
    kind: ValueKind,
    display: Option<String>,
}

impl Cell {
    /// A new value, under the name that the server has for the kind of what is there.
    fn of(value: &NewValue, known: Option<&FieldValue>, settings: &Settings) -> Self {
        let types = &settings.types;
        let (text, usual, kind) = match value {
            NewValue::Text(text) if settings.editing.strip_tags => {
                (without_tags(text), &types.text, ValueKind::Plain)
            }
            NewValue::Text(text) => (text.clone(), &types.text, ValueKind::Plain),
            NewValue::Number(text) => (text.trim().to_owned(), &types.number, ValueKind::Plain),
            NewValue::Date(moment) => (wire::moment_text(*moment), &types.date, ValueKind::Plain),
            NewValue::Lookup(key) => (key.clone(), &types.text, ValueKind::Lookup),
        };
        let wire_type = known.and_then(|known| known.wire_type.as_ref()).unwrap_or(usual).clone();
        let kind = known.map(|known| known.kind).filter(|known| *known != ValueKind::Plain).unwrap_or(kind);
        Self { text, wire_type, kind, display: None }
    }

    /// A value that stays.
    fn kept(value: &FieldValue, settings: &Settings) -> Self {
        let wire_type = value.wire_type.as_ref().unwrap_or(&settings.types.text).clone();
        Self { text: value.text.clone(), wire_type, kind: value.kind, display: value.display.clone() }
    }

    fn json(&self, settings: &Settings) -> Value {
        let plain = json!({"type": self.wire_type, "value": self.text});
        let class = match (self.kind, settings.editing.lookup_form) {
            (ValueKind::Plain, _) | (_, LookupForm::Key) => return json!({ "value": plain }),
            (ValueKind::Lookup, _) => "com.artesia.metadata.DomainValue",
            (ValueKind::CascadingLookup, _) => "com.artesia.metadata.CascadingDomainValue",
        };
        let mut value = json!({"type": class, "field_value": plain});
        if let Some(display) = &self.display {
            wire::put(&mut value, "display_value", display.as_str());
        }
        json!({ "value": value })
    }
}

type Columns = Vec<(FieldId, Vec<Option<Cell>>)>;

/// The columns of a table after a change; nothing when they stay as they are.
fn columns(
    id: &TableId,
    table: &Table,
    change: &TableChange,
    settings: &Settings,
) -> Result<Option<Columns>> {
    let (kept, rows) = match change {
        TableChange::Append { row, key } => {
            let Some(rows) = table.rows() else {
                let message =
                    format!("the columns of the table {id:?} are not equally long; nothing was written");
                return Err(failure(FailureClass::Invalid, super::editing::UPDATE, UNEVEN_TABLE, message)
                    .field(id.to_string())
                    .remedy("set the table right in OTMM"));
            };
            let wanted = row.get(key).map(|value| Cell::of(value, None, settings).text);
            let is_there = (0..rows).any(|row| match (table.cell(row, key), &wanted) {
                (Some(value), Some(text)) => value.says(text),
                _ => false,
            });
            if is_there {
                return Ok(None);
            }
            (rows, vec![row])
        }
        TableChange::Replace(rows) => (0, rows.iter().collect()),
    };
    let mut names: Vec<FieldId> = table.columns.iter().map(|(column, _)| column.clone()).collect();
    for column in rows.iter().flat_map(|row| row.keys()) {
        if !names.contains(column) {
            names.push(column.clone());
        }
    }
    let column = |name: FieldId| {
        let sample = (0..table.rows().unwrap_or_default()).find_map(|row| table.cell(row, &name));
        let mut cells: Vec<Option<Cell>> =
            (0..kept).map(|row| table.cell(row, &name).map(|value| Cell::kept(value, settings))).collect();
        cells.extend(rows.iter().map(|row| row.get(&name).map(|value| Cell::of(value, sample, settings))));
        (name, cells)
    };
    Ok(Some(names.into_iter().map(column).collect()))
}

/// A text without what stands between angle brackets.
fn without_tags(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        clean.push_str(before);
        match tag.split_once('>') {
            Some((inner, after))
                if inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') =>
            {
                rest = after;
            }
            _ => {
                clean.push('<');
                rest = tag;
            }
        }
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_comparisons_stay() {
        assert_eq!(without_tags("<p>a < b &amp; <b>c</b></p><!-- x -->"), "a < b &amp; c");
    }
}
