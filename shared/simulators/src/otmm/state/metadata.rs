//! Values as they come over the wire, checked against the model and its lookups.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::asset::written;
use super::{Asset, Field, Kind, Model, Outcome, Place, Refusal, State, SystemField};
use crate::otmm::settings::Unknown;

/// What an edit changes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::otmm) enum Change {
    /// The name.
    Name(String),
    /// A field, which loses its value for `None`.
    Value(String, Option<Value>),
    /// A whole column.
    Column(String, Vec<Option<Value>>),
}

/// The entries of a list, which may be written as the one entry it has.
pub(in crate::otmm) fn entries(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

/// An id that may be written as a number.
pub(in crate::otmm) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The fields and columns of a list, those within groups and tables too.
fn flat<'a>(elements: Option<&'a Value>, found: &mut Vec<&'a Value>) {
    for element in entries(elements) {
        match element.get("metadata_element_list") {
            Some(inner) => flat(Some(inner), found),
            None => found.push(element),
        }
    }
}

fn business<T>(what: String) -> Outcome<T> {
    Err(Refusal::Business(what))
}

impl State {
    /// What these elements change in something of a model.
    pub(in crate::otmm) fn read_changes(
        &self,
        model: &str,
        elements: Option<&Value>,
    ) -> Outcome<Vec<Change>> {
        let Some(model) = self.model(model) else {
            return business(format!("There is no metadata model {model}"));
        };
        let (mut found, mut changes) = (Vec::new(), Vec::new());
        flat(elements, &mut found);
        for element in found {
            let id = element.get("id").and_then(Value::as_str);
            let id = id.ok_or_else(|| Refusal::Invalid("A metadata element has no id".to_owned()))?;
            changes.extend(self.read_change(model, id, element)?);
        }
        Ok(changes)
    }

    fn read_change(&self, model: &Model, id: &str, element: &Value) -> Outcome<Option<Change>> {
        let value = element.get("value").and_then(|value| value.get("value"));
        if let Some(system) = self.system_fields.get(id) {
            if *system != SystemField::Name {
                return business(format!("The field {id} cannot be changed"));
            }
            let field = Field::new(id, "Name", Kind::Char);
            return match self.typed(&field, value)? {
                Some(Value::String(name)) if !name.trim().is_empty() => Ok(Some(Change::Name(name))),
                _ => business("The name is missing".to_owned()),
            };
        }
        let columns = element.get("values");
        match model.place(id) {
            Some(Place::Alone(field)) if columns.is_none() => {
                Ok(Some(Change::Value(id.to_owned(), self.typed(field, value)?)))
            }
            Some(Place::Column(field)) if columns.is_some() => {
                let rows = entries(columns).into_iter().map(|row| self.typed(field, row.get("value")));
                Ok(Some(Change::Column(id.to_owned(), rows.collect::<Outcome<_>>()?)))
            }
            Some(Place::Alone(_)) => business(format!("The field {id} is no column of a table")),
            Some(Place::Column(_)) => business(format!("The field {id} is a column of a table")),
            None => match self.settings.edits.unknown_field {
                Unknown::Refused => {
                    business(format!("The field {id} is not in the metadata model {}", model.id))
                }
                Unknown::Ignored => Ok(None),
                Unknown::Stored => {
                    let field = Field::new(id, id, Kind::Char);
                    Ok(Some(Change::Value(id.to_owned(), self.typed(&field, value)?)))
                }
            },
        }
    }

    /// A value as it is stored: text, a number, or a time in whole seconds of UTC.
    fn typed(&self, field: &Field, value: Option<&Value>) -> Outcome<Option<Value>> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
        let scalar = match value.get("field_value") {
            Some(inner) => inner,
            None => match value.get("display_value").or_else(|| value.get("displayValue")) {
                Some(display) => {
                    return self.of_display(field, display.as_str().unwrap_or_default()).map(Some);
                }
                None => value,
            },
        };
        let Some(held) = scalar.get("value").filter(|held| !held.is_null()) else { return Ok(None) };
        let wire = &self.settings.wire;
        let expected = match field.kind {
            Kind::Char => "string",
            Kind::Number => wire.number_type.as_str(),
            Kind::Date => wire.date_type.as_str(),
        };
        let named = scalar.get("type").and_then(Value::as_str).unwrap_or_default();
        if wire.types_are_checked && named != expected {
            return business(format!(
                "The value of {} is of type '{named}', '{expected}' is expected",
                field.id
            ));
        }
        let stored = match (field.kind, held) {
            (Kind::Char, Value::String(text)) => Value::from(text.clone()),
            (Kind::Number, Value::Number(_)) => held.clone(),
            (Kind::Number, Value::String(text)) => match serde_json::from_str::<Value>(text) {
                Ok(number @ Value::Number(_)) => number,
                _ => return business(format!("The value of {} is no number", field.id)),
            },
            (Kind::Date, Value::String(text)) => match date_of(text) {
                Some(time) => written(time).into(),
                None => return business(format!("The value of {} is no date", field.id)),
            },
            _ => return business(format!("The value of {} is not one of its kind", field.id)),
        };
        self.chosen(field, stored)
    }

    /// Whether a value may be chosen.
    fn chosen(&self, field: &Field, stored: Value) -> Outcome<Option<Value>> {
        let domain = field.domain.as_deref().and_then(|domain| self.domain(domain));
        let (Some(domain), Value::String(text)) = (domain, &stored) else { return Ok(Some(stored)) };
        match domain.display(text) {
            Some(known) if known.expired && !self.settings.edits.expired_lookup => {
                business(format!("The value '{text}' of {} has expired", domain.id))
            }
            Some(_) => Ok(Some(stored)),
            None => match self.settings.edits.unknown_lookup {
                Unknown::Refused => business(format!("The value '{text}' is not in {}", domain.id)),
                Unknown::Ignored => Ok(None),
                Unknown::Stored => Ok(Some(stored)),
            },
        }
    }

    /// The value that people see as this.
    fn of_display(&self, field: &Field, display: &str) -> Outcome<Value> {
        let domain = field.domain.as_deref().and_then(|domain| self.domain(domain));
        let found = domain
            .and_then(|domain| domain.values.iter().find(|known| known.display.trim() == display.trim()));
        match found {
            Some(known) => Ok(known.value.clone().into()),
            None => business(format!("There is no value '{display}' for {}", field.id)),
        }
    }

    /// Puts changes onto an asset.
    pub(in crate::otmm) fn apply(&self, asset: &mut Asset, changes: Vec<Change>) -> Outcome<()> {
        for change in changes {
            match change {
                Change::Name(name) => asset.name = name,
                Change::Value(id, Some(value)) => drop(asset.values.insert(id, value)),
                Change::Value(id, None) => drop(asset.values.remove(&id)),
                Change::Column(id, rows) => drop(asset.columns.insert(id, rows)),
            }
        }
        if self.settings.edits.uneven_columns != Unknown::Refused {
            return Ok(());
        }
        let Some(model) = self.model(&asset.model) else { return Ok(()) };
        for (id, columns) in model.tables() {
            let mut lengths = columns
                .iter()
                .map(|column| asset.columns.get(&column.id).map_or(0, Vec::len))
                .collect::<Vec<_>>();
            lengths.dedup();
            if lengths.len() > 1 {
                return business(format!(
                    "The columns of the table {id} do not have the same number of rows"
                ));
            }
        }
        Ok(())
    }

    /// The values that an asset has in a field: one, or those of all rows.
    pub(in crate::otmm) fn values_of(&self, asset: &Asset, field: &str) -> Vec<Value> {
        if let Some(system) = self.system_fields.get(field) {
            return self.system_value(asset, *system).into_iter().collect();
        }
        match asset.columns.get(field) {
            Some(rows) => rows.iter().flatten().cloned().collect(),
            None => asset.values.get(field).cloned().into_iter().collect(),
        }
    }
}

/// A time, or the first second of a day.
pub(super) fn date_of(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok()?.in_tz("UTC").ok().map(|day| day.timestamp());
    text.parse::<Timestamp>().ok().or_else(day)
}
