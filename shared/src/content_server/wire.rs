//! Reading the server's JSON, which gives the same thing as a number or a text, as an object or a list of one, with or
//! without an envelope, depending on call and release.

use std::fmt;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// `results` of a version 2 answer.
#[derive(Deserialize)]
pub(super) struct Results<T> {
    pub(super) results: T,
}

/// `data` of a version 1 answer, and of each entry of a version 2 answer.
#[derive(Deserialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

/// `properties` of an entry.
#[derive(Deserialize)]
pub(super) struct Properties<T> {
    pub(super) properties: T,
}

/// One entry of a version 2 answer.
pub(super) type Entry<T> = Data<Properties<T>>;

/// A value that may stand alone or in a list.
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = match Value::deserialize(deserializer)? {
            Value::Array(list) => list,
            Value::Null => Vec::new(),
            // `results: {}` is how an empty list arrives from some calls.
            Value::Object(object) if object.is_empty() => Vec::new(),
            one => vec![one],
        };
        list.into_iter()
            .map(T::deserialize)
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// Paging facts, wherever the answer keeps them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Paging {
    #[serde(deserialize_with = "integer_or_none")]
    pub(super) total_count: Option<i64>,
    #[serde(deserialize_with = "integer_or_none")]
    pub(super) range_max: Option<i64>,
    #[serde(deserialize_with = "integer_or_none")]
    pub(super) page_total: Option<i64>,
    /// The size of a page as the server understood it.
    #[serde(deserialize_with = "integer_or_none")]
    pub(super) limit: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Collection {
    pub(super) paging: Paging,
}

/// A list with its paging, which stands under `collection` or at the top.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(super) struct Listing<T> {
    #[serde(default)]
    collection: Option<Collection>,
    #[serde(default)]
    paging: Option<Paging>,
    pub(super) results: OneOrMany<T>,
}

impl<T> Listing<T> {
    pub(super) fn paging(&self) -> Option<&Paging> {
        self.collection.as_ref().map(|collection| &collection.paging).or(self.paging.as_ref())
    }
}

/// An integer, from a number or a text of digits.
pub(super) fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A truth, from a boolean, a number or any spelling of the word.
pub(super) fn as_truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A text, from a text or a number; an empty one counts as none.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The filled texts of a list.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(as_text).filter(|text| !text.is_empty()).collect()
}

pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    as_integer(&value).ok_or_else(|| unexpected("an integer", &value))
}

pub(super) fn integer_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(as_integer(&Value::deserialize(deserializer)?))
}

pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(as_truth(&Value::deserialize(deserializer)?).unwrap_or_default())
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(as_text(&Value::deserialize(deserializer)?).unwrap_or_default())
}

pub(super) fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&Value::deserialize(deserializer)?))
}

fn unexpected<E: serde::de::Error>(expected: impl fmt::Display, value: &Value) -> E {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    E::custom(format_args!("expected {expected}, got {kind}"))
}

/// A moment, with `Z` or an offset, or without and then in the server's zone.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let local: civil::DateTime =
        text.parse().or_else(|_| text.parse::<civil::Date>().map(|day| day.at(0, 0, 0, 0))).ok()?;
    local.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// A moment as the server takes it: whole seconds with `Z`.
pub(super) fn moment_text(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_without_z_is_read_in_the_servers_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text| moment(text, &berlin).map(|moment| moment.to_string());
        assert_eq!(at("2031-05-06T07:08:09Z").as_deref(), Some("2031-05-06T07:08:09Z"));
        assert_eq!(at("2031-05-06T07:08:09").as_deref(), Some("2031-05-06T05:08:09Z"));
        assert_eq!(at("2031-01-06").as_deref(), Some("2031-01-05T23:00:00Z"));
        assert_eq!(at("soon"), None);
    }

    #[test]
    fn lists_and_single_objects_read_alike() {
        #[derive(Deserialize)]
        struct Item {
            #[serde(deserialize_with = "integer")]
            id: i64,
        }
        for (json, count) in [(r#"{"id":"7"}"#, 1), (r#"[{"id":7},{"id":8}]"#, 2), ("{}", 0), ("null", 0)] {
            let list: OneOrMany<Item> = serde_json::from_str(json).unwrap();
            assert_eq!(list.0.len(), count);
            assert!(list.0.first().is_none_or(|item| item.id == 7));
        }
    }
}
