//! Fields: where a value comes from, what happens to it on the way, and what it must be on arrival.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::tz::TimeZone;
use regex::Regex;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use super::{
    Case, FieldType, Otherwise, Template, TooLong, Value, View, Violation, Violations, as_written,
    value::{scalar_text, text_class, value_class},
    value_format::{NumberFormat, boolean, date, date_time},
};

/// The most values a field or rows a set may have.
pub(super) const MOST_VALUES: usize = 1_000;

/// Where a value came from and what happened to it on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The path in the input, or the fixed text.
    pub from: String,
    /// What happened, in order.
    pub steps: Vec<String>,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.from)?;
        for step in &self.steps {
            write!(formatter, ", {step}")?;
        }
        Ok(())
    }
}

/// A field with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MappedField {
    /// The name of the field in the target.
    pub to: String,
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// A compiled field.
#[derive(Debug, Clone)]
pub struct Field {
    pub(super) to: String,
    pub(super) source: FieldSource,
    pub(super) kind: FieldType,
    pub(super) lookup: Option<Lookup>,
    pub(super) default: Option<String>,
    pub(super) required: bool,
    pub(super) one_of: Option<Vec<String>>,
    pub(super) matches: Option<Regex>,
    pub(super) max_length: Option<(usize, TooLong)>,
    pub(super) min: Option<Bound>,
    pub(super) max: Option<Bound>,
    pub(super) join: Option<String>,
    pub(super) split: Option<String>,
    pub(super) trim: bool,
    pub(super) case: Option<Case>,
    pub(super) formats: Vec<String>,
    pub(super) zone: TimeZone,
    pub(super) numbers: NumberFormat,
    pub(super) multi: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub(super) table: String,
    pub(super) entries: Arc<BTreeMap<String, String>>,
    pub(super) otherwise: Otherwise,
}

#[derive(Debug, Clone)]
pub(super) enum FieldSource {
    Paths(Vec<String>),
    Template(Template),
}

/// A limit, in the type of its field.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    Number(Decimal),
    Moment(Value),
}

impl Field {
    /// The name of the field in the target.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The type its values are read as.
    pub fn kind(&self) -> FieldType {
        self.kind
    }

    /// Whether it gives a list.
    pub fn is_multi(&self) -> bool {
        self.multi
    }

    /// Whether every object that is accepted has a value here.
    pub fn always_has_a_value(&self) -> bool {
        self.required || self.default.is_some() || matches!(self.source, FieldSource::Template(_))
    }

    /// Whether its texts can be longer than this, as far as the field itself says.
    pub fn may_exceed(&self, characters: usize) -> bool {
        self.matches.is_none() && self.max_length.is_none_or(|(most, _)| most > characters)
    }

    /// The texts it can give, when the rules alone decide: fixed ones, those of a lookup table, those allowed.
    pub fn known_texts(&self) -> Option<Vec<String>> {
        if self.join.is_some() {
            return None;
        }
        let looked_up = match &self.lookup {
            Some(Lookup { otherwise: Otherwise::Keep, .. }) => None,
            Some(Lookup { entries, otherwise, .. }) => {
                let mut texts: Vec<String> = entries.values().cloned().collect();
                if let Otherwise::Value(value) = otherwise {
                    texts.push(value.clone());
                }
                texts.sort();
                texts.dedup();
                Some(texts)
            }
            None => match &self.source {
                FieldSource::Template(template) => template.fixed().map(|text| vec![text]),
                FieldSource::Paths(_) => None,
            },
        };
        match (looked_up, &self.one_of) {
            (Some(texts), Some(allowed)) => {
                Some(texts.into_iter().filter(|text| allowed.contains(text)).collect())
            }
            (Some(texts), None) => Some(texts),
            (None, allowed) => allowed.clone(),
        }
    }

    /// The paths it reads.
    pub fn paths(&self) -> Vec<&str> {
        match &self.source {
            FieldSource::Paths(paths) => paths.iter().map(String::as_str).collect(),
            FieldSource::Template(template) => template.paths().collect(),
        }
    }

    /// The field's value for an input. Everything wrong with it is added to the violations; `place` is put before
    /// its name in them.
    pub fn apply(&self, view: &View<'_>, place: &str, violations: &mut Violations) -> Option<MappedField> {
        let name = if place.is_empty() { self.to.clone() } else { format!("{place}: {}", self.to) };
        let (mut texts, mut origin) = match self.texts(view, &name) {
            Ok(found) => found,
            Err(found) => {
                violations.extend(found);
                return None;
            }
        };
        let mut steps = Vec::new();
        if texts.is_empty() {
            match &self.default {
                Some(default) => {
                    texts.push(default.clone());
                    "default".clone_into(&mut origin);
                }
                None if self.required => {
                    violations.push(self.nothing_came(&name));
                    return None;
                }
                None => return None,
            }
        }
        let before = violations.len();
        let texts = self.change(texts, &name, &mut steps, violations);
        if violations.len() > before {
            return None;
        }
        let mut values = Vec::new();
        for text in texts {
            match self.read(&text, &name, &mut steps) {
                Ok(value) => values.push(value),
                Err(violation) => violations.push(violation),
            }
        }
        if violations.len() > before {
            return None;
        }
        let origin = Origin { from: origin, steps };
        let value = match (self.multi, values.len()) {
            (true, _) => Value::List(values),
            (false, 1) => values.pop()?,
            (false, count) => {
                violations.push(Violation::new(
                    "several-values",
                    name,
                    format!("a list of {count} values"),
                    "one value",
                    "send one, or set `join` or `multi = true` on the field",
                ));
                return None;
            }
        };
        Some(MappedField { to: self.to.clone(), value, origin })
    }

    /// The non-empty texts that came, and where from.
    fn texts(&self, view: &View<'_>, name: &str) -> Result<(Vec<String>, String), Vec<Violation>> {
        let paths = match &self.source {
            FieldSource::Template(template) => {
                return Ok((vec![template.render(view, name)?], "fixed text".to_owned()));
            }
            FieldSource::Paths(paths) => paths,
        };
        for path in paths {
            let Some(value) = view.get(path) else { continue };
            let texts = self.flatten(value, path, name).map_err(|violation| vec![violation])?;
            if !texts.is_empty() {
                return Ok((texts, path.clone()));
            }
        }
        Ok((Vec::new(), paths.join(" or ")))
    }

    fn flatten(&self, value: &Json, path: &str, name: &str) -> Result<Vec<String>, Violation> {
        let items: &[Json] = match value {
            Json::Array(list) => list,
            single => std::slice::from_ref(single),
        };
        if items.len() > MOST_VALUES {
            return Err(Violation::new(
                "too-many-values",
                name,
                value_class(value),
                format!("at most {MOST_VALUES} values"),
                "send fewer values",
            ));
        }
        let mut texts = Vec::new();
        for item in items.iter().filter(|item| !item.is_null()) {
            let Some(text) = scalar_text(item) else {
                return Err(Violation::new(
                    "not-a-value",
                    name,
                    format!("{} at `{path}`", value_class(item)),
                    "text, a number, or true or false",
                    "send plain values, or read the table with `rows`",
                ));
            };
            let text = if self.trim { text.trim().to_owned() } else { text };
            if !text.trim().is_empty() {
                texts.push(text);
            }
        }
        Ok(texts)
    }

    /// Case, split, lookup, the checks on single texts, join.
    fn change(
        &self,
        texts: Vec<String>,
        name: &str,
        steps: &mut Vec<String>,
        violations: &mut Violations,
    ) -> Vec<String> {
        let mut changed: Vec<String> = match &self.split {
            Some(mark) => {
                steps.push(format!("split at \"{mark}\""));
                let parts = texts.iter().flat_map(|text| text.split(mark.as_str()));
                let parts = parts.map(|part| if self.trim { part.trim() } else { part });
                parts.filter(|part| !part.is_empty()).take(MOST_VALUES + 1).map(str::to_owned).collect()
            }
            None => texts,
        };
        if changed.len() > MOST_VALUES || changed.is_empty() {
            violations.push(Violation::new(
                "too-many-values",
                name,
                if changed.is_empty() { "no values" } else { "more values" },
                format!("1 to {MOST_VALUES} values"),
                "correct the list",
            ));
            return Vec::new();
        }
        if let Some(case) = self.case {
            let (word, change): (_, fn(&str) -> String) = match case {
                Case::Upper => ("upper case", str::to_uppercase),
                Case::Lower => ("lower case", str::to_lowercase),
            };
            steps.push(word.to_owned());
            changed = changed.iter().map(|text| change(text)).collect();
        }
        if let Some(Lookup { table, entries, otherwise }) = &self.lookup {
            steps.push(format!("lookup {table}"));
            for text in &mut changed {
                match (entries.get(text), otherwise) {
                    (Some(found), _) => text.clone_from(found),
                    (None, Otherwise::Keep) => steps.push("kept, not in the table".to_owned()),
                    (None, Otherwise::Value(value)) => {
                        steps.push("not in the table, replaced".to_owned());
                        text.clone_from(value);
                    }
                    (None, Otherwise::Error) => violations.push(Violation::new(
                        "not-in-lookup",
                        name,
                        text_class(text),
                        format!("a value of the lookup table `{table}`"),
                        format!("correct the value, or add it to `[lookups.{table}]`"),
                    )),
                }
            }
        }
        for text in &changed {
            self.check_text(text, name, violations);
        }
        match &self.join {
            Some(mark) if changed.len() > 1 => {
                steps.push(format!("joined with \"{mark}\""));
                vec![changed.join(mark)]
            }
            _ => changed,
        }
    }

    fn check_text(&self, text: &str, name: &str, violations: &mut Violations) {
        if let Some(expression) = &self.matches
            && !expression.is_match(text)
        {
            violations.push(Violation::new(
                "does-not-match",
                name,
                text_class(text),
                format!("text matching {}", as_written(expression)),
                "correct the value at its source",
            ));
        }
        if let Some(allowed) = &self.one_of
            && !allowed.iter().any(|value| value == text)
        {
            let listed: Vec<String> = allowed.iter().map(|value| format!("\"{value}\"")).collect();
            violations.push(Violation::new(
                "not-allowed",
                name,
                text_class(text),
                format!("one of {}", listed.join(", ")),
                "send one of the values allowed, or add it to `one_of`",
            ));
        }
    }

    /// The typed value of a text.
    fn read(&self, text: &str, name: &str, steps: &mut Vec<String>) -> Result<Value, Violation> {
        let wrong = |code, expected: String, remedy: &str| {
            Violation::new(code, name, text_class(text), expected, remedy)
        };
        let mut step = |word: &str| {
            if !steps.iter().any(|known| known == word) {
                steps.push(word.to_owned());
            }
        };
        let value = match self.kind {
            FieldType::Text | FieldType::User => {
                let mut text = text.to_owned();
                if let Some((most, too_long)) = self.max_length
                    && text.chars().count() > most
                {
                    if too_long == TooLong::Error {
                        return Err(wrong(
                            "too-long",
                            format!("at most {most} characters"),
                            "shorten the value, or set `too_long = \"cut\"`",
                        ));
                    }
                    text = text.chars().take(most).collect();
                    step(&format!("cut to {most} characters"));
                }
                if self.kind == FieldType::User { Value::User(text) } else { Value::Text(text) }
            }
            FieldType::Integer => {
                step("as integer");
                let number = self.numbers.integer(text);
                Value::Integer(number.ok_or_else(|| {
                    wrong("not-an-integer", "a whole number".to_owned(), "send digits only")
                })?)
            }
            FieldType::Decimal => {
                step("as decimal");
                let number = self.numbers.decimal(text);
                Value::Decimal(number.ok_or_else(|| {
                    let marks = "check `decimal_mark` and `group_mark`, or correct the number";
                    wrong("not-a-decimal", "a number of at most 28 digits".to_owned(), marks)
                })?)
            }
            FieldType::Boolean => {
                step("as boolean");
                Value::Boolean(boolean(text).ok_or_else(|| {
                    wrong("not-a-boolean", "true or false".to_owned(), "send `true` or `false`")
                })?)
            }
            FieldType::Date => {
                step("as date");
                let day = date(text, &self.formats, &self.zone);
                Value::Date(day.ok_or_else(|| {
                    wrong("not-a-date", self.date_form("a date"), "correct the date, or add its `format`")
                })?)
            }
            FieldType::DateTime => {
                step("as date-time");
                let moment = date_time(text, &self.formats, &self.zone);
                Value::DateTime(moment.ok_or_else(|| {
                    let form = self.date_form("a date and time");
                    wrong("not-a-date-time", form, "correct the moment, or add its `format`")
                })?)
            }
        };
        self.check_bounds(&value, name)?;
        Ok(value)
    }

    fn date_form(&self, what: &str) -> String {
        match self.formats.as_slice() {
            [] => format!("{what} in ISO 8601"),
            formats => format!("{what} in the form {}", formats.join(" or ")),
        }
    }

    fn check_bounds(&self, value: &Value, name: &str) -> Result<(), Violation> {
        let outside = |code, word: &str, bound: &Bound| {
            let limit = match bound {
                Bound::Number(number) => number.to_string(),
                Bound::Moment(moment) => moment.to_string(),
            };
            Violation::new(
                code,
                name,
                "a value beyond the limit",
                format!("{word} {limit}"),
                "correct the value",
            )
        };
        if let Some(bound) = &self.min
            && bound.compare(value).is_some_and(std::cmp::Ordering::is_gt)
        {
            return Err(outside("too-small", "at least", bound));
        }
        if let Some(bound) = &self.max
            && bound.compare(value).is_some_and(std::cmp::Ordering::is_lt)
        {
            return Err(outside("too-large", "at most", bound));
        }
        Ok(())
    }

    fn nothing_came(&self, name: &str) -> Violation {
        let path = match &self.source {
            FieldSource::Paths(paths) => paths.join("` or `"),
            FieldSource::Template(template) => template.text().to_owned(),
        };
        Violation::new(
            "missing-value",
            name,
            "nothing",
            format!("a value at `{path}`"),
            format!("supply `{path}`, or give the field a `default`"),
        )
    }
}

impl Bound {
    /// How the bound compares with a value of its type.
    fn compare(&self, value: &Value) -> Option<std::cmp::Ordering> {
        match (self, value) {
            (Self::Number(bound), Value::Integer(number)) => Some(bound.cmp(&Decimal::from(*number))),
            (Self::Number(bound), Value::Decimal(number)) => Some(bound.cmp(number)),
            (Self::Moment(Value::Date(bound)), Value::Date(day)) => Some(bound.cmp(day)),
            (Self::Moment(Value::DateTime(bound)), Value::DateTime(moment)) => Some(bound.cmp(moment)),
            _ => None,
        }
    }
}
