//! Fields as they are written in a file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Located;

/// One text, or a list of texts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// The type a value is read as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Text, as it came.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// An exact number with decimals.
    Decimal,
    /// True or false: `true`, `yes`, `y`, `1`, `on` and their opposites, in any case.
    Boolean,
    /// A calendar day.
    Date,
    /// A moment.
    DateTime,
    /// The login name of a person.
    User,
}

/// Changes the case of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// To upper case.
    Upper,
    /// To lower case.
    Lower,
}

/// What to do with a value that is not in the lookup table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// Refuse the object.
    #[default]
    Error,
    /// Keep the value as it came.
    Keep,
    /// Use this value instead.
    Value(String),
}

/// What to do with a text longer than `max_length`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TooLong {
    /// Refuse the object.
    #[default]
    Error,
    /// Cut the text at the limit.
    Cut,
}

/// One field of a map. The steps run in this order, on each value by itself: `trim`, `split`, `case`, `lookup`,
/// `matches`, `one_of`; then `join`; then `as`; then `max_length`, `min`, `max`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// The name of the field in the target.
    pub to: Located<String>,
    /// Where the value comes from, such as `tag.status`. Of a list the first that has a value is taken.
    pub from: Option<Located<OneOrMany>>,
    /// A fixed text instead of `from`; may contain placeholders such as `{capture.claim_id}`.
    pub value: Option<Located<String>>,
    /// The type to read the value as. Without it: text.
    #[serde(rename = "as")]
    pub kind: Option<Located<FieldType>>,
    /// The lookup table that translates the value.
    pub lookup: Option<Located<String>>,
    /// What to do when the lookup table has no such value. Without it: `"error"`.
    pub otherwise: Option<Located<Otherwise>>,
    /// The text to use when nothing came.
    pub default: Option<Located<String>>,
    /// Whether there must be a value.
    #[serde(default)]
    pub required: bool,
    /// The values allowed, after the lookup.
    #[serde(alias = "enum")]
    pub one_of: Option<Located<Vec<String>>>,
    /// A regular expression the whole value must match, after the lookup.
    pub matches: Option<Located<String>>,
    /// The most characters the text may have.
    pub max_length: Option<Located<usize>>,
    /// What to do with a longer text. Without it: `"error"`.
    pub too_long: Option<Located<TooLong>>,
    /// The smallest number, or the earliest day, allowed.
    pub min: Option<Located<String>>,
    /// The greatest number, or the latest day, allowed.
    pub max: Option<Located<String>>,
    /// Joins several values into one text with this between them.
    pub join: Option<Located<String>>,
    /// Splits one text into several values at this.
    pub split: Option<Located<String>>,
    /// Whether blanks around the value are removed. Without it: yes.
    pub trim: Option<bool>,
    /// Changes the case of letters.
    pub case: Option<Case>,
    /// How dates are written in the input, such as `%d/%m/%Y`; of a list the first that fits. Without it: ISO 8601.
    pub format: Option<Located<OneOrMany>>,
    /// The time zone of moments that name none. Without it: UTC.
    pub time_zone: Option<Located<String>>,
    /// The character before the decimals. Without it: `.`.
    pub decimal_mark: Option<Located<char>>,
    /// The character between groups of three digits. Without it: none.
    pub group_mark: Option<Located<char>>,
    /// Whether the field of the target takes several values.
    #[serde(default)]
    pub multi: bool,
}
