//! Values in normal form: what two sides merely spell differently is the same.
//!
//! | spelled | is the same as | because |
//! |---|---|---|
//! | absent, `null`, `""`, `"  "`, `[]` | one another | none of them says anything |
//! | `"Spring "` | `"Spring"` | blanks at the ends, and line ends of either kind, are lost on the way |
//! | `"é"` as one letter or as two | one another | Unicode has both; the composed form is kept (NFC) |
//! | `7`, `"7"`, `7.0`, `"+7.00"` | one another, in a numeric field | numbers travel as text |
//! | `true`, `"True"`, `1`, `"yes"` | one another, in a yes-or-no field | |
//! | `2031-05-06`, `2031-05-06T00:00:00` | one another, in a date field | dates come with a time |
//! | `2031-05-06T07:08:09Z`, `…09.25+00:00`, `2031-05-06 07:08:09` | one another, in a date-and-time field of a side that keeps UTC | Content Server holds whole seconds |
//! | `["a", "b"]`, `["b", "a", "a"]` | one another, in a set | tags have no order |
//! | an option's value, its label, its name in Content Server | one another | one option, three spellings |
//!
//! What a field cannot hold (text among dates, an option that is not in the list, several values where one belongs, a text that
//! turns round what stands beside it) is
//! kept as it came and called unfit: it is a value and can be compared, and is never written to the other side.

use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::state::Side;

/// What one field holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", content = "values", rename_all = "kebab-case")]
pub enum Content {
    /// Nothing: never set, emptied or cleared.
    #[default]
    Nothing,
    /// One value, or several in a field that holds several; in a set in ascending order, each once. Never none.
    Values(Vec<Scalar>),
    /// Something the field cannot hold, as text.
    Unfit(Misfit, Vec<String>),
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum Scalar {
    /// Text; of an option, its value in iconik.
    Text(String),
    /// A number, exact.
    Number(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// A moment, in whole seconds.
    Moment(Timestamp),
}

/// Why a field cannot hold something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misfit {
    /// It is of another type.
    Type,
    /// It is none of the options.
    Option,
    /// There are several values, and the field holds one.
    Several,
    /// The text is longer than the shorter side takes.
    Long,
    /// The text contains what separates values where several are written as one text.
    Separator,
    /// The text contains control characters, or bidirectional ones that are not closed: it would change how the text around
    /// it is read.
    Controls,
    /// The other side must have a value there.
    Required,
    /// The other side refused it when it was written.
    Refused,
}

impl Misfit {
    /// In words, after "the value".
    pub const fn text(self) -> &'static str {
        match self {
            Self::Type => "is of another type than the field",
            Self::Option => "is none of the field's options",
            Self::Several => "is several values, and the field holds one",
            Self::Long => "is longer than the field takes",
            Self::Separator => "contains the text that separates values in Content Server",
            Self::Controls => "contains control characters that change how the text around it is read",
            Self::Required => "is empty, and the other side must have one",
            Self::Refused => "was refused by the other side",
        }
    }
}

/// What a field can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The type of each value.
    pub kind: Kind,
    /// How many values.
    pub many: Many,
    /// The options of a list to choose from; empty where anything is taken.
    pub options: Vec<FieldOption>,
    /// The most characters of a text.
    pub longest: Option<usize>,
    /// What separates the values where Content Server has one text for several.
    pub separator: Option<String>,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number with decimals.
    Decimal,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    DateTime,
}

/// How many values a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    /// One.
    One,
    /// Several, in an order that matters.
    List,
    /// Several, each once, in any order.
    Set,
}

/// One option in its spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOption {
    /// Its value in iconik.
    pub iconik: String,
    /// Its label in iconik.
    pub label: Option<String>,
    /// Its name in Content Server.
    pub content_server: String,
}

impl FieldOption {
    fn is_spelled(&self, text: &str) -> bool {
        let spellings = [Some(&self.iconik), self.label.as_ref(), Some(&self.content_server)];
        spellings.into_iter().flatten().any(|spelling| normal_text(spelling) == text)
    }
}

impl Shape {
    /// A field for one value of a type, without options or limits.
    pub const fn one(kind: Kind) -> Self {
        Self { kind, many: Many::One, options: Vec::new(), longest: None, separator: None }
    }

    /// What the field holds, from the values as a side gives them. `zone` is the one in which that side writes moments
    /// without an offset.
    pub fn content(&self, values: &[Json], zone: &TimeZone) -> Content {
        let there: Vec<&Json> = values.iter().filter(|value| !says_nothing(value)).collect();
        if there.is_empty() {
            return Content::Nothing;
        }
        let unfit = |why: Misfit| Content::Unfit(why, there.iter().map(|value| plain_text(value)).collect());
        let mut read = Vec::with_capacity(there.len());
        for value in &there {
            match self.scalar(value, zone) {
                Ok(scalar) => read.push(scalar),
                Err(why) => return unfit(why),
            }
        }
        match self.many {
            Many::Set => {
                read.sort();
                read.dedup();
            }
            Many::One if read.len() > 1 => return unfit(Misfit::Several),
            Many::One | Many::List => {}
        }
        Content::Values(read)
    }

    /// The same from a text of Content Server that may hold several values.
    pub fn content_of_joined(&self, text: &str, zone: &TimeZone) -> Content {
        match self.separator.as_deref().map(str::trim).filter(|separator| !separator.is_empty()) {
            Some(separator) => {
                let parts: Vec<Json> = text.split(separator).map(Json::from).collect();
                self.content(&parts, zone)
            }
            None => self.content(&[Json::from(text)], zone),
        }
    }

    /// The content as a side spells it; nothing for what is unfit.
    pub fn spell(&self, content: &Content, side: Side) -> Option<Vec<Json>> {
        let values = match content {
            Content::Nothing => return Some(Vec::new()),
            Content::Values(values) => values,
            Content::Unfit(..) => return None,
        };
        let spelled: Vec<Json> = values.iter().map(|value| self.spell_one(value, side)).collect();
        match self.separator.as_deref().filter(|_| side == Side::ContentServer) {
            Some(separator) => {
                let texts: Vec<String> = spelled.iter().map(plain_text).collect();
                Some(vec![texts.join(separator).into()])
            }
            None => Some(spelled),
        }
    }

    fn spell_one(&self, value: &Scalar, side: Side) -> Json {
        match value {
            Scalar::Text(text) => {
                let option = self.options.iter().find(|option| normal_text(&option.iconik) == *text);
                match (option, side) {
                    (Some(option), Side::Iconik) => option.iconik.as_str().into(),
                    (Some(option), Side::ContentServer) => option.content_server.as_str().into(),
                    (None, _) => text.as_str().into(),
                }
            }
            Scalar::Number(number) => {
                let text = number.to_string();
                let exact = serde_json::from_str::<serde_json::Number>(&text).ok();
                // More digits than a JSON number is sure to keep travel as text.
                exact.filter(|_| text.len() <= 15).map_or_else(|| Json::from(text), Json::Number)
            }
            Scalar::Boolean(truth) => (*truth).into(),
            Scalar::Date(date) => date.to_string().into(),
            Scalar::Moment(moment) => moment.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string().into(),
        }
    }

    fn scalar(&self, value: &Json, zone: &TimeZone) -> Result<Scalar, Misfit> {
        if matches!(value, Json::Array(_) | Json::Object(_)) {
            return Err(Misfit::Type);
        }
        let text = plain_text(value);
        if !self.options.is_empty() {
            let option = self.options.iter().find(|option| option.is_spelled(&text)).ok_or(Misfit::Option)?;
            return Ok(Scalar::Text(normal_text(&option.iconik)));
        }
        let read = match self.kind {
            Kind::Text => return self.text(text),
            Kind::Integer => number(&text).filter(|number| number.fract().is_zero()).map(Scalar::Number),
            Kind::Decimal => number(&text).map(Scalar::Number),
            Kind::Boolean => truth(&text).map(Scalar::Boolean),
            Kind::Date => date(&text, zone).map(Scalar::Date),
            Kind::DateTime => moment(&text, zone).map(Scalar::Moment),
        };
        read.ok_or(Misfit::Type)
    }

    fn text(&self, text: String) -> Result<Scalar, Misfit> {
        if self.longest.is_some_and(|longest| text.chars().count() > longest) {
            return Err(Misfit::Long);
        }
        if reaches_out(&text) {
            return Err(Misfit::Controls);
        }
        let separates = |separator: &str| !separator.is_empty() && text.contains(separator);
        if self.separator.as_deref().map(str::trim).is_some_and(separates) {
            return Err(Misfit::Separator);
        }
        Ok(Scalar::Text(text))
    }
}

impl Content {
    /// Why it cannot be written to the other side.
    pub fn misfit(&self) -> Option<Misfit> {
        match self {
            Self::Unfit(why, _) => Some(*why),
            Self::Nothing | Self::Values(_) => None,
        }
    }

    /// The values.
    pub fn values(&self) -> &[Scalar] {
        match self {
            Self::Values(values) => values,
            Self::Nothing | Self::Unfit(..) => &[],
        }
    }
}

fn says_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(values) => values.iter().all(says_nothing),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => false,
    }
}

/// Text without blanks at its ends, with composed letters and single line ends.
pub fn normal_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    ComposingNormalizerBorrowed::new_nfc().normalize(text.trim()).into_owned()
}

/// Whether a text changes more than itself: control characters, or an embedding, override or isolate that is not closed in it.
/// Other languages are written with such characters too; closed, they are kept as they are.
fn reaches_out(text: &str) -> bool {
    let (mut embeddings, mut isolates) = (0_u32, 0_u32);
    for character in text.chars() {
        match character {
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => embeddings += 1,
            '\u{2066}'..='\u{2068}' => isolates += 1,
            '\u{202c}' => match embeddings.checked_sub(1) {
                Some(left) => embeddings = left,
                None => return true,
            },
            '\u{2069}' => match isolates.checked_sub(1) {
                Some(left) => isolates = left,
                None => return true,
            },
            // Both end with the paragraph.
            '\n' if embeddings + isolates > 0 => return true,
            '\n' | '\t' => {}
            other if other.is_control() => return true,
            _ => {}
        }
    }
    embeddings + isolates > 0
}

fn plain_text(value: &Json) -> String {
    match value {
        Json::String(text) => normal_text(text),
        other => other.to_string(),
    }
}

fn number(text: &str) -> Option<Decimal> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let read = Decimal::from_str_exact(text).ok().or_else(|| Decimal::from_scientific(text).ok())?;
    Some(read.normalize())
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A day; of a moment with an offset, its day on that side.
fn date(text: &str, zone: &TimeZone) -> Option<Date> {
    match Timestamp::from_str(text) {
        Ok(moment) => Some(moment.to_zoned(zone.clone()).date()),
        Err(_) => DateTime::from_str(text).ok().map(DateTime::date),
    }
}

fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let read = match Timestamp::from_str(text) {
        Ok(moment) => moment,
        Err(_) => DateTime::from_str(text).ok()?.to_zoned(zone.clone()).ok()?.timestamp(),
    };
    Timestamp::from_second(read.as_second()).ok()
}
