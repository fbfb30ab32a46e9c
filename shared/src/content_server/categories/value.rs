use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::Value;

use crate::content_server::{NodeId, wire};

/// What an attribute holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(civil::Date),
    /// A moment.
    Moment(Timestamp),
    /// A user or group, by id.
    User(i64),
    /// Several values of one attribute, in order.
    Many(Vec<AttributeValue>),
}

impl AttributeValue {
    /// As the server takes it.
    pub(super) fn wire(&self, dates_with_time: bool) -> Value {
        match self {
            Self::Empty => Value::String(String::new()),
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) | Self::User(number) => (*number).into(),
            Self::Boolean(truth) => (*truth).into(),
            Self::Date(day) if dates_with_time => format!("{day}T00:00:00").into(),
            Self::Date(day) => day.to_string().into(),
            Self::Moment(moment) => wire::moment_text(*moment).into(),
            Self::Many(values) => values.iter().map(|value| value.wire(dates_with_time)).collect(),
        }
    }

    /// As it comes, typed by what JSON tells.
    pub(super) fn from_wire(value: &Value) -> Self {
        match value {
            Value::Bool(truth) => Self::Boolean(*truth),
            Value::Number(number) => {
                number.as_i64().map_or_else(|| Self::Text(number.to_string()), Self::Integer)
            }
            Value::String(text) if !text.is_empty() => Self::Text(text.clone()),
            Value::Array(values) => Self::Many(values.iter().map(Self::from_wire).collect()),
            _ => Self::Empty,
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.is_empty(),
            Self::Many(values) => values.iter().all(Self::is_empty),
            _ => false,
        }
    }

    /// Whether what came from the server says the same. The server gives numbers as text, dates with a time, and lists
    /// with empty places at the end.
    pub(super) fn agrees(&self, came: &Self, zone: &TimeZone) -> bool {
        if self.is_empty() && came.is_empty() {
            return true;
        }
        match (self, came) {
            (Self::Many(ours), Self::Many(theirs)) => {
                let filled = |values: &[Self]| {
                    values.iter().rposition(|value| !value.is_empty()).map_or(0, |at| at + 1)
                };
                filled(ours) == filled(theirs)
                    && ours.iter().zip(theirs).all(|(one, other)| one.agrees(other, zone))
            }
            (Self::Many(list), one) | (one, Self::Many(list)) => match list.as_slice() {
                [only] => only.agrees(one, zone),
                _ => false,
            },
            (Self::Moment(ours), Self::Text(theirs)) => {
                wire::moment(theirs, zone).is_some_and(|theirs| theirs.as_second() == ours.as_second())
            }
            (Self::Date(ours), Self::Text(theirs)) => theirs.get(..10) == Some(ours.to_string().as_str()),
            (Self::Boolean(ours), theirs) => wire::as_truth(&theirs.wire(false)) == Some(*ours),
            (Self::Integer(ours) | Self::User(ours), theirs) => {
                wire::as_integer(&theirs.wire(false)) == Some(*ours)
            }
            (ours, theirs) => wire::as_text(&ours.wire(false)) == wire::as_text(&theirs.wire(false)),
        }
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What a node has in one category, or is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryValues {
    category: NodeId,
    values: BTreeMap<String, AttributeValue>,
    whole_sets: BTreeSet<i64>,
}

impl CategoryValues {
    /// A category without values: it takes its defaults.
    pub fn new(category: NodeId) -> Self {
        Self { category, values: BTreeMap::new(), whole_sets: BTreeSet::new() }
    }

    /// The category's id.
    pub fn category(&self) -> NodeId {
        self.category
    }

    /// Whether it holds no values.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&AttributeValue> {
        self.values.get(key)
    }

    /// All values with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Sets the value under a key. [`super::CategoryDefinition::put`] finds the key of a name and checks the value.
    pub fn insert(&mut self, key: impl Into<String>, value: AttributeValue) {
        self.values.insert(key.into(), value);
    }

    /// Says that the rows given for a set are all it is to have: rows beyond them are removed.
    pub fn replace_rows(&mut self, set: i64) {
        self.whole_sets.insert(set);
    }

    pub(in crate::content_server) fn wire(
        &self,
        dates_with_time: bool,
    ) -> impl Iterator<Item = (String, Value)> {
        self.values.iter().map(move |(key, value)| (key.clone(), value.wire(dates_with_time)))
    }

    /// The rows of `came` that are to go, the last first.
    pub(super) fn surplus_rows(&self, came: &Self) -> Vec<String> {
        let mut surplus = Vec::new();
        for set in &self.whole_sets {
            let last = |values: &Self| {
                values.values.keys().filter_map(|key| row_of(key, *set)).max().unwrap_or_default()
            };
            let rows = (last(self).max(1) + 1..=last(came)).rev();
            surplus.extend(rows.map(|row| format!("{}_{set}_{row}", self.category)));
        }
        surplus
    }

    /// Whether the server has all of this already.
    pub(super) fn agrees(&self, came: &Self, zone: &TimeZone) -> bool {
        self.surplus_rows(came).is_empty()
            && self.values.iter().all(|(key, value)| match came.values.get(key) {
                Some(theirs) => value.agrees(theirs, zone),
                None => value.is_empty(),
            })
    }
}

/// The row a key belongs to, when it belongs to that set.
fn row_of(key: &str, set: i64) -> Option<i64> {
    let parts: Vec<&str> = key.split('_').collect();
    match parts.as_slice() {
        [_, in_set, row, _] if in_set.parse() == Ok(set) => row.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_gives_back_is_recognised_as_what_was_sent() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let day: civil::Date = "2031-05-06".parse().unwrap();
        let moment: Timestamp = "2031-05-06T05:08:09Z".parse().unwrap();
        let many = |texts: &[&str]| AttributeValue::Many(texts.iter().map(|&text| text.into()).collect());
        for (ours, came, same) in [
            (AttributeValue::Integer(7), json!("7"), true),
            (AttributeValue::Integer(7), json!("8"), false),
            (AttributeValue::Boolean(true), json!("True"), true),
            (AttributeValue::Boolean(false), json!(null), false),
            (AttributeValue::Date(day), json!("2031-05-06T00:00:00"), true),
            (AttributeValue::Moment(moment), json!("2031-05-06T07:08:09"), true),
            (AttributeValue::Moment(moment), json!("2031-05-06T07:08:10"), false),
            (AttributeValue::Empty, json!(null), true),
            ("".into(), json!(""), true),
            (many(&["a", "b"]), json!(["a", "b", "", null]), true),
            (many(&["a"]), json!(["a", "b"]), false),
            (many(&["a"]), json!("a"), true),
            ("42".into(), json!(42), true),
        ] {
            assert_eq!(
                ours.agrees(&AttributeValue::from_wire(&came), &zone),
                same,
                "{ours:?} against {came}"
            );
        }
    }

    #[test]
    fn rows_beyond_those_given_are_removed_from_the_end() {
        let mut ours = CategoryValues::new(NodeId(8101));
        ours.insert("8101_3_1_4", "x".into());
        let mut came = ours.clone();
        came.insert("8101_3_2_4", "y".into());
        came.insert("8101_3_3_4", "z".into());
        assert!(ours.agrees(&came, &TimeZone::UTC), "rows nobody spoke of stay");
        ours.replace_rows(3);
        assert_eq!(ours.surplus_rows(&came), ["8101_3_3", "8101_3_2"]);
        assert!(!ours.agrees(&came, &TimeZone::UTC));
    }
}
