//! Mapped values and their types.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

/// A value as the target will receive it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with decimals, exact.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// A calendar day.
    Date(Date),
    /// A moment.
    DateTime(Timestamp),
    /// The login name of a person, to be resolved to a member of the target.
    User(String),
    /// Several values of one type.
    List(Vec<Value>),
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::User(text) => formatter.write_str(text),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Decimal(number) => write!(formatter, "{number}"),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Date(date) => write!(formatter, "{date}"),
            Self::DateTime(moment) => write!(formatter, "{moment}"),
            Self::List(values) => {
                formatter.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(formatter, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                formatter.write_str("]")
            }
        }
    }
}

/// What kind of value came, without the value: "text of 12 characters".
pub fn value_class(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::Bool(_) => "true or false".to_owned(),
        Json::Number(number) if number.is_f64() => "a number with decimals".to_owned(),
        Json::Number(_) => "a whole number".to_owned(),
        Json::String(text) => text_class(text),
        Json::Array(list) => match list.len() {
            1 => "a list of 1 value".to_owned(),
            count => format!("a list of {count} values"),
        },
        Json::Object(_) => "a table".to_owned(),
    }
}

/// The class of a text.
pub(super) fn text_class(text: &str) -> String {
    match text.chars().count() {
        0 => "empty text".to_owned(),
        1 => "text of 1 character".to_owned(),
        count => format!("text of {count} characters"),
    }
}

/// The text of a single value; lists and tables have none.
pub(super) fn scalar_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
