//! How long a record is retained.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use shared::mapping::{Diagnostics, Located};

use super::file::{RetentionMode, RetentionSpec};

/// How long bags are retained.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Who may shorten it.
    pub mode: RetentionMode,
    /// How long, by the code of a schedule.
    pub schedules: BTreeMap<String, Period>,
    /// How long what has no schedule.
    pub default: Option<Period>,
}

/// How long, or until when.
#[derive(Debug, Clone, Copy)]
pub enum Period {
    /// So long.
    For(Span),
    /// Until the end of a day.
    Until(Date),
}

impl Period {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(day) = text.parse::<Date>() {
            return Some(Self::Until(day));
        }
        let (number, unit) = text.trim().split_once(' ')?;
        let number: i64 = number.parse::<u16>().ok().filter(|number| *number > 0)?.into();
        Some(Self::For(match unit.trim().strip_suffix('s').unwrap_or(unit.trim()) {
            "year" => number.years(),
            "month" => number.months(),
            "day" => number.days(),
            _ => return None,
        }))
    }

    /// The end of the last day, counted from a day. Nothing when that is beyond the end of the calendar.
    pub fn end(self, from: Date) -> Option<Timestamp> {
        let last = match self {
            Self::For(span) => from.checked_add(span).ok()?,
            Self::Until(day) => day,
        };
        let midnight = last.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(midnight.timestamp())
    }
}

impl Retention {
    pub(super) fn of(spec: RetentionSpec, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut schedules = BTreeMap::new();
        for (code, text) in &spec.schedules {
            schedules.insert(code.clone(), period(text, diagnostics)?);
        }
        let default = match &spec.default {
            Some(text) => Some(period(text, diagnostics)?),
            None => None,
        };
        if let (true, None) = (schedules.is_empty(), default) {
            let anywhere = spec.schedules.values().next().map_or(0..0, Located::span);
            diagnostics.report(
                anywhere,
                "no-retention",
                "a retention without schedules and without a default retains nothing",
                "add `schedules` or `default`, or remove `[rule.retention]`",
            );
            return None;
        }
        Some(Self { mode: spec.mode, schedules, default })
    }
}

fn period(text: &Located<String>, diagnostics: &mut Diagnostics) -> Option<Period> {
    let found = Period::parse(text.value());
    if found.is_none() {
        diagnostics.report(
            text.span(),
            "bad-period",
            format!("`{}` is no period", text.value()),
            "write `10 years`, `18 months`, `90 days`, or a day such as `2099-12-31`",
        );
    }
    found
}
