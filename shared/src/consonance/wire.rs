//! Reading the server's JSON. Nothing is promised of it: every member can be missing, null, or of another type than it was
//! seen with, and none of that makes a record unreadable.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::title::PlainText;

/// A code of a list: codes that begin with a digit come with an underscore before them where they are names of GraphQL.
pub(super) fn plain_code(text: &str) -> &str {
    match text.strip_prefix('_') {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_digit()) => rest,
        _ => text,
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, from a number or a text of digits: integers beyond 32 bits come as text.
pub(super) fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// An exact amount, from a number or a text.
pub(super) fn as_decimal(value: &Value) -> Option<Decimal> {
    let text = as_text(value)?;
    let text = text.trim();
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

/// A list of codes: a list, or one text with blanks or commas in between. Elements can be codes, or objects that have one.
pub(super) fn as_codes(value: &Value) -> Vec<String> {
    let of = |value: &Value| match value {
        Value::Object(members) => {
            ["code", "country_code", "name"].iter().find_map(|name| as_text(members.get(*name)?))
        }
        other => as_text(other),
    };
    match value {
        Value::Array(list) => {
            list.iter().filter_map(of).map(|text| plain_code(text.trim()).to_owned()).collect()
        }
        Value::String(text) => {
            let words = text.split([' ', ',', ';']).filter(|word| !word.is_empty());
            words.map(|word| plain_code(word).to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&Value::deserialize(deserializer)?))
}

/// A text for readers, which comes as HTML, as its words.
pub(super) fn html<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PlainText>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().and_then(PlainText::from_html))
}

pub(super) fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&Value::deserialize(deserializer)?).map(|text| plain_code(text.trim()).to_owned()))
}

pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(as_integer(&Value::deserialize(deserializer)?))
}

pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(as_integer(&Value::deserialize(deserializer)?).and_then(|size| u64::try_from(size).ok()))
}

pub(super) fn integers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    let list = Value::deserialize(deserializer)?;
    Ok(list.as_array().into_iter().flatten().filter_map(as_integer).collect())
}

pub(super) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    Ok(as_decimal(&Value::deserialize(deserializer)?))
}

pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_bool())
}

pub(super) fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(as_codes(&Value::deserialize(deserializer)?))
}

/// The records of a list that can be read; null and anything but a list has none.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let list = if let Value::Array(list) = value { list } else { Vec::new() };
    Ok(list.into_iter().filter_map(|one| T::deserialize(one).ok()).collect())
}

/// A record, when there is one that can be read.
pub(super) fn record<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.is_object().then(|| T::deserialize(value).ok()).flatten())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_code_is_the_same_with_and_without_its_underscore() {
        for (text, code) in [("_04", "04"), ("04", "04"), ("BC", "BC"), ("_BC", "_BC"), ("_", "_"), ("", "")]
        {
            assert_eq!(plain_code(text), code);
        }
    }

    #[test]
    fn money_is_exact_however_it_comes() {
        for value in [json!(18.9), json!("18.90"), json!(" 18.9 ")] {
            assert_eq!(as_decimal(&value), Some("18.9".parse().unwrap()), "{value}");
        }
        assert_eq!(as_decimal(&json!(1e2)), Some(100.into()));
        for none in [json!(null), json!(""), json!("POA"), json!({})] {
            assert_eq!(as_decimal(&none), None, "{none}");
        }
    }

    #[test]
    fn countries_are_read_from_a_list_a_text_and_objects() {
        for value in
            [json!(["GB", "US"]), json!("GB US"), json!("GB, US"), json!([{"code": "GB"}, {"code": "US"}])]
        {
            assert_eq!(as_codes(&value), ["GB", "US"], "{value}");
        }
        for none in [json!(null), json!(7), json!([null])] {
            assert_eq!(as_codes(&none), Vec::<String>::new(), "{none}");
        }
    }

    #[test]
    fn integers_beyond_32_bits_come_as_text() {
        assert_eq!(as_integer(&json!("21474836480")), Some(21_474_836_480));
        assert_eq!(as_integer(&json!(7)), Some(7));
        assert_eq!(as_integer(&json!("7 MB")), None);
    }

    proptest! {
        #[test]
        fn a_code_loses_at_most_one_underscore(text in "_{0,3}[0-9A-Z]{0,4}") {
            let plain = plain_code(&text);
            prop_assert!(text.ends_with(plain) && text.len() - plain.len() <= 1);
        }
    }
}
