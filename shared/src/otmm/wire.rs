//! Reading the server's JSON, which was XML once: one thing stands where a list is due, numbers and texts change places,
//! members are missing, null or empty.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::Value;

/// A text, from a text or a number; none from an empty one.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(as_text)
}

/// A whole number that is not negative: `-1` stands for "does not apply".
pub(super) fn number(object: &Value, name: &str) -> Option<u64> {
    match object.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A truth, which may be a text; none when it is not told.
pub(super) fn truth(object: &Value, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "y" => Some(true),
            "false" | "n" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn is(object: &Value, name: &str) -> bool {
    truth(object, name).unwrap_or_default()
}

/// The members of a list. One thing without a list around it is a list of one.
pub(super) fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    match object.get(name) {
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(members)) if !members.is_empty() => std::slice::from_ref(one),
        Some(one @ (Value::String(_) | Value::Number(_))) => std::slice::from_ref(one),
        _ => &[],
    }
}

pub(super) fn moment(object: &Value, name: &str) -> Option<Timestamp> {
    object.get(name).and_then(Value::as_str).and_then(as_moment)
}

/// A moment as the server writes it; one without a zone is in UTC.
pub(super) fn as_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        let local: civil::DateTime = text.parse().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// A moment as the server takes it: whole seconds, in UTC.
pub(super) fn moment_text(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Sets a member of an object.
pub(super) fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}

/// Every value of members with one of these names, however deep they stand, the nearest first.
pub(super) fn anywhere<'a>(answer: &'a Value, names: &[String]) -> Vec<&'a Value> {
    let mut found = Vec::new();
    let mut level = vec![answer];
    while !level.is_empty() {
        let mut next = Vec::new();
        for value in level {
            match value {
                Value::Object(members) => {
                    for name in names {
                        found.extend(members.get(name));
                    }
                    next.extend(members.values());
                }
                Value::Array(list) => next.extend(list),
                _ => {}
            }
        }
        level = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_read_whether_one_stands_alone_or_none_is_there() {
        for (json, count) in [
            (json!({"l": [{"a": 1}, {"a": 2}]}), 2),
            (json!({"l": {"a": 1}}), 1),
            (json!({"l": "a1"}), 1),
            (json!({"l": {}}), 0),
            (json!({"l": null}), 0),
            (json!({}), 0),
        ] {
            assert_eq!(list(&json, "l").len(), count, "{json}");
        }
    }

    #[test]
    fn numbers_texts_and_truths_change_places() {
        let object = json!({"n": "12", "m": 12, "w": -1, "t": "true", "y": "Y", "b": true, "e": ""});
        assert_eq!((number(&object, "n"), number(&object, "m")), (Some(12), Some(12)));
        assert_eq!(number(&object, "w"), None);
        assert_eq!((text(&object, "m").as_deref(), text(&object, "e")), (Some("12"), None));
        assert!(is(&object, "t") && is(&object, "y") && is(&object, "b") && !is(&object, "missing"));
        assert_eq!(truth(&object, "missing"), None);
    }

    #[test]
    fn a_moment_reads_with_and_without_its_zone() {
        let expected = as_moment("2024-01-02T03:04:05Z");
        assert!(expected.is_some());
        assert_eq!(as_moment("2024-01-02T03:04:05"), expected);
        assert_eq!(moment_text(expected.unwrap()), "2024-01-02T03:04:05Z");
        assert_eq!(as_moment("soon"), None);
    }
}
