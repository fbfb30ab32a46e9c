//! Reading the server's JSON: three spellings of a moment, missing members and nulls alike, words we do not know.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A word of the interface: those we know by name, any other as its text, so that a new one breaks nothing.
macro_rules! words {
    ($(#[$about:meta])+ $name:ident { $($(#[$of:meta])+ $known:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])+ $known,)+
            /// A word this client does not know, as it came; empty when none came.
            Other(String),
        }

        impl $name {
            /// The word as the interface has it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$known => $word,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($word => Self::$known,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text: Option<String> = serde::Deserialize::deserialize(deserializer)?;
                Ok(Self::from(text.unwrap_or_default().as_str()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(super) use words;

/// A text, from a text or a number; none from anything else and from an empty one.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(as_text(&Value::deserialize(deserializer)?).unwrap_or_default())
}

pub(super) fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&Value::deserialize(deserializer)?))
}

pub(super) fn integer_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(as_integer(&Value::deserialize(deserializer)?))
}

/// A count or size. Sizes were seen as texts of digits.
pub(super) fn size_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(as_integer(&Value::deserialize(deserializer)?).and_then(|size| u64::try_from(size).ok()))
}

pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_bool().unwrap_or_default())
}

/// A list, or none for null.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

pub(super) fn moment_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().and_then(moment))
}

pub(super) fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            // A whole number written with a point is still one.
            let whole = || number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
            number.as_i64().or_else(|| format!("{:.0}", whole()?).parse().ok())
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A moment: with `Z` or an offset, or without, in which case UTC is meant, with `T` or a blank in it.
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let local: civil::DateTime = text.parse().ok()?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A moment as the server writes it.
pub(super) fn moment_text(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::{super::AssetStatus, *};

    #[test]
    fn a_moment_reads_in_each_of_its_spellings() {
        let expected: Timestamp = "2024-01-02T03:04:05.123456Z".parse().unwrap();
        for text in [
            "2024-01-02T03:04:05.123456+00:00",
            "2024-01-02T03:04:05.123456",
            "2024-01-02T03:04:05.123456Z",
            "2024-01-02T05:04:05.123456+02:00",
            "2024-01-02 03:04:05.123456",
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        assert_eq!(moment("2024-01-02 03:04:05"), moment("2024-01-02T03:04:05Z"));
        assert!(moment("2024-01-02 03:04:05").is_some());
        for junk in ["", "soon", "2024-13-02T03:04:05", "None"] {
            assert_eq!(moment(junk), None, "{junk}");
        }
        assert_eq!(moment(&moment_text(expected)), Some(expected));
    }

    #[test]
    fn a_word_nobody_told_us_of_is_kept_as_it_came() {
        for (json, expected) in [
            ("\"ACTIVE\"", AssetStatus::Active),
            ("\"SUSPENDED_2027\"", AssetStatus::Other("SUSPENDED_2027".to_owned())),
            ("null", AssetStatus::default()),
        ] {
            let read: AssetStatus = serde_json::from_str(json).unwrap();
            assert_eq!(read, expected);
        }
        let again = serde_json::to_string(&AssetStatus::Other("SUSPENDED_2027".to_owned())).unwrap();
        assert_eq!(again, "\"SUSPENDED_2027\"");
    }

    #[test]
    fn sizes_beyond_32_bits_and_written_as_text_are_read() {
        #[derive(Deserialize)]
        struct Sized {
            #[serde(default, deserialize_with = "size_or_none")]
            size: Option<u64>,
        }
        for (json, size) in [
            (r#"{"size":21474836480}"#, Some(21_474_836_480)),
            (r#"{"size":"21474836480"}"#, Some(21_474_836_480)),
            (r#"{"size":7.0}"#, Some(7)),
            (r#"{"size":null}"#, None),
            (r#"{"size":-1}"#, None),
            ("{}", None),
        ] {
            let read: Sized = serde_json::from_str(json).unwrap();
            assert_eq!(read.size, size, "{json}");
        }
    }
}
