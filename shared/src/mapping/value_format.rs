//! Reads typed values from text in the formats a field names.

use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime},
    fmt::strtime::BrokenDownTime,
    tz::TimeZone,
};
use rust_decimal::Decimal;

/// How numbers are written in the input.
#[derive(Debug, Clone)]
pub(super) struct NumberFormat {
    pub(super) decimal_mark: char,
    pub(super) group_mark: Option<char>,
}

impl NumberFormat {
    /// The number in plain notation, or nothing when the text is not a number in this format.
    fn plain(&self, text: &str) -> Option<String> {
        let (sign, digits) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match digits.split_once(self.decimal_mark) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let whole = match self.group_mark {
            Some(mark) => without_groups(whole, mark)?,
            None => whole.to_owned(),
        };
        let digits_only = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits_only(&whole) || !fraction.is_none_or(digits_only) {
            return None;
        }
        Some(match fraction {
            Some(fraction) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{whole}"),
        })
    }

    /// A whole number; decimals are accepted when they are all zero.
    pub(super) fn integer(&self, text: &str) -> Option<i64> {
        let plain = self.plain(text)?;
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        if fraction.bytes().any(|digit| digit != b'0') {
            return None;
        }
        whole.parse().ok()
    }

    /// An exact decimal; more digits than can be kept exactly is not a number of ours.
    pub(super) fn decimal(&self, text: &str) -> Option<Decimal> {
        Decimal::from_str_exact(&self.plain(text)?).ok()
    }
}

/// Groups of three digits after a first group of one to three; a blank as mark also stands for the narrow ones.
fn without_groups(whole: &str, mark: char) -> Option<String> {
    let is_mark =
        |character: char| character == mark || (mark == ' ' && matches!(character, '\u{a0}' | '\u{202f}'));
    let groups: Vec<&str> = whole.split(is_mark).collect();
    let well_formed = match groups.as_slice() {
        [_] => true,
        [first, rest @ ..] => (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3),
        [] => false,
    };
    well_formed.then(|| groups.concat())
}

/// True and false in the words people use for them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "on" => Some(true),
        "false" | "no" | "n" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// Whether a date format can be used, checked by writing a date with it.
pub(super) fn check_date_format(format: &str) -> Result<(), String> {
    if !format.contains('%') {
        return Err("it has no directives such as `%d`".to_owned());
    }
    let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let written = BrokenDownTime::from(&sample).to_string(format).map_err(|error| error.to_string())?;
    BrokenDownTime::parse(format, &written).map(drop).map_err(|error| error.to_string())
}

/// A calendar day, by the formats or as ISO 8601. A moment in ISO 8601 gives its day in the time zone.
pub(super) fn date(text: &str, formats: &[String], zone: &TimeZone) -> Option<Date> {
    if formats.is_empty() {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(moment.to_zoned(zone.clone()).date());
        }
        return text.parse::<Date>().ok();
    }
    formats.iter().find_map(|format| {
        let read = BrokenDownTime::parse(format, text).ok()?;
        match read.to_timestamp() {
            Ok(moment) => Some(moment.to_zoned(zone.clone()).date()),
            Err(_) => read.to_date().ok(),
        }
    })
}

/// A moment, by the formats or as ISO 8601. Without an offset it is taken in the time zone.
pub(super) fn date_time(text: &str, formats: &[String], zone: &TimeZone) -> Option<Timestamp> {
    let local = |moment: DateTime| moment.to_zoned(zone.clone()).ok().map(|zoned: Zoned| zoned.timestamp());
    if formats.is_empty() {
        return text.parse::<Timestamp>().ok().or_else(|| local(text.parse::<DateTime>().ok()?));
    }
    formats.iter().find_map(|format| {
        let read = BrokenDownTime::parse(format, text).ok()?;
        match read.to_timestamp() {
            Ok(moment) => Some(moment),
            Err(_) => {
                let moment =
                    read.to_datetime().or_else(|_| read.to_date().map(|date| date.at(0, 0, 0, 0))).ok()?;
                local(moment)
            }
        }
    })
}
