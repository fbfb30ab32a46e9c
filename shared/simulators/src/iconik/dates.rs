//! How times are written. Everything is kept in one spelling; answers are respelt on their way out.

use jiff::Timestamp;
use serde_json::Value;

use super::settings::Spelling;

/// The spelling in which objects are kept: microseconds and the offset of UTC.
pub(super) fn kept(time: Timestamp) -> String {
    format!("{}+00:00", time.strftime("%Y-%m-%dT%H:%M:%S.%6f"))
}

/// A time as clients write it: with a zone, or without one, which means UTC.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let time: jiff::civil::DateTime = text.parse().ok()?;
        time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// Writes all times in an answer in another spelling.
pub(super) fn respell(value: &mut Value, spelling: Spelling) {
    match value {
        Value::String(text) if is_kept(text) => match spelling {
            Spelling::Zoned => {}
            Spelling::Zoneless => text.truncate(26),
            Spelling::Spaced => {
                text.truncate(19);
                *text = text.replace('T', " ");
            }
        },
        Value::Array(list) => list.iter_mut().for_each(|value| respell(value, spelling)),
        Value::Object(object) => object.values_mut().for_each(|value| respell(value, spelling)),
        _ => {}
    }
}

/// Whether a text is a time as we keep them.
fn is_kept(text: &str) -> bool {
    text.len() == 32
        && text.ends_with("+00:00")
        && text.bytes().zip(b"0000-00-00T00:00:00.000000".iter()).all(|(byte, pattern)| match pattern {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *pattern,
        })
}
