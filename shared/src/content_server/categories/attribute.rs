use jiff::{Timestamp, civil};

use super::AttributeValue;
use crate::{
    content_server::wire,
    error::{Error, FailureClass, Result, System},
};

pub(super) const OPERATION: &str = "map attributes";

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its key; inside a set with `x` in place of the row.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: AttributeKind,
    /// Whether it holds several.
    pub multi_value: bool,
    /// Whether it must hold something.
    pub required: bool,
    /// Longest text in characters.
    pub max_length: Option<usize>,
    /// The values of a list to choose from; none where anything is taken.
    pub choices: Vec<String>,
    /// The set it belongs to.
    pub set: Option<AttributeSet>,
}

/// A set of attributes that repeats in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeSet {
    /// Its number inside the category.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Text, of one line or several, free or from a list.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    Moment,
    /// A user or group.
    User,
}

impl Attribute {
    /// A value in this attribute's type.
    pub(super) fn fit(&self, value: AttributeValue) -> Result<AttributeValue> {
        use AttributeValue::{Boolean, Date, Empty, Integer, Many, Moment, Text, User};
        let shown = match &value {
            Text(_) => "text",
            Integer(_) | User(_) => "a number",
            Boolean(_) => "yes or no",
            Date(_) | Moment(_) => "a date",
            Many(_) => "several values",
            Empty => "nothing",
        };
        let wrong = || {
            let wanted = match self.kind {
                AttributeKind::Text => "text",
                AttributeKind::Integer => "a whole number",
                AttributeKind::Boolean => "true or false",
                AttributeKind::Date => "a date as 2031-05-06",
                AttributeKind::Moment => "a moment as 2031-05-06T07:08:09Z",
                AttributeKind::User => "the id of a user",
            };
            self.refuse("content-server.attribute-type", &format!("holds {wanted}; {shown} does not fit"))
        };
        let fitted = match (self.kind, value) {
            (_, Many(values)) if self.multi_value => {
                return values.into_iter().map(|value| self.fit(value)).collect::<Result<_>>().map(Many);
            }
            (_, Many(mut values)) => match (values.pop(), values.is_empty()) {
                (Some(only), true) => return self.fit(only),
                (None, _) => Empty,
                _ => {
                    return Err(
                        self.refuse("content-server.attribute-single", "holds one value; there are several")
                    );
                }
            },
            (_, Empty) => Empty,
            (_, Text(text)) if text.is_empty() => Empty,
            (AttributeKind::Text, value) => Text(wire::as_text(&value.wire(false)).ok_or_else(wrong)?),
            (AttributeKind::Integer, value) => {
                Integer(wire::as_integer(&value.wire(false)).ok_or_else(wrong)?)
            }
            (AttributeKind::Boolean, value) => Boolean(wire::as_truth(&value.wire(false)).ok_or_else(wrong)?),
            (AttributeKind::User, value) => User(wire::as_integer(&value.wire(false)).ok_or_else(wrong)?),
            (AttributeKind::Date | AttributeKind::Moment, value @ (Date(_) | Moment(_))) => value,
            (AttributeKind::Date, Text(text)) => Date(day(&text).ok_or_else(wrong)?),
            (AttributeKind::Moment, Text(text)) => match text.parse::<Timestamp>() {
                Ok(moment) => Moment(moment),
                Err(_) => text
                    .parse::<civil::DateTime>()
                    .map(|local| Text(local.to_string()))
                    .map_err(|_| wrong())?,
            },
            (AttributeKind::Date | AttributeKind::Moment, _) => return Err(wrong()),
        };
        match (&fitted, self.max_length) {
            (Text(text), Some(longest)) if text.chars().count() > longest => Err(self.refuse(
                "content-server.attribute-too-long",
                &format!("takes {longest} characters; there are {}", text.chars().count()),
            )),
            _ => Ok(fitted),
        }
    }

    pub(super) fn refuse(&self, code: &'static str, what: &str) -> Error {
        let message = format!("the attribute {:?} {what}", self.name);
        Error::new(FailureClass::Invalid, System::ContentServer, OPERATION, code, message).field(&self.name)
    }
}

/// A day; of a moment, its day as written.
fn day(text: &str) -> Option<civil::Date> {
    text.parse().ok().or_else(|| text.parse::<civil::DateTime>().map(civil::DateTime::date).ok()).or_else(
        || {
            text.parse::<Timestamp>().ok()?;
            text.get(..10)?.parse().ok()
        },
    )
}
