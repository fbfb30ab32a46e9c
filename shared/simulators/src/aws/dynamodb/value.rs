//! Attribute values: the ten types, their JSON form, their size in storage.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::number::Number;
use crate::aws::failure::Failure;

/// One item: attribute name to value.
pub type Item = BTreeMap<String, Value>;

/// An attribute value. Equality is that of `DynamoDB`: sets and maps without order, numbers by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// String.
    S(String),
    /// Number.
    N(Number),
    /// Binary.
    B(Vec<u8>),
    /// Boolean.
    Bool(bool),
    /// Null.
    Null,
    /// List.
    L(Vec<Value>),
    /// Map.
    M(Item),
    /// Set of strings.
    Ss(BTreeSet<String>),
    /// Set of numbers.
    Ns(BTreeSet<Number>),
    /// Set of binaries.
    Bs(BTreeSet<Vec<u8>>),
}

/// Names of the types, as `attribute_type` and the JSON form spell them.
pub(super) const TYPE_NAMES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"];

impl Value {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// Bytes in storage: text as UTF-8, three bytes for a list or map and one for each of its elements.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::L(values) => 3 + values.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::M(members) => 3 + members.len() + size_of_item(members),
            Self::Ss(texts) => texts.iter().map(String::len).sum(),
            Self::Ns(numbers) => numbers.iter().map(Number::size).sum(),
            Self::Bs(blobs) => blobs.iter().map(Vec::len).sum(),
        }
    }

    /// The value as requests and answers carry it: `{"S": "text"}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let written = match self {
            Self::S(text) => json!(text),
            Self::N(number) => json!(number.to_string()),
            Self::B(bytes) => json!(STANDARD.encode(bytes)),
            Self::Bool(flag) => json!(flag),
            Self::Null => json!(true),
            Self::L(values) => values.iter().map(Self::to_json).collect(),
            Self::M(members) => item_to_json(members),
            Self::Ss(texts) => json!(texts),
            Self::Ns(numbers) => numbers.iter().map(|number| Json::from(number.to_string())).collect(),
            Self::Bs(blobs) => blobs.iter().map(|blob| Json::from(STANDARD.encode(blob))).collect(),
        };
        json!({ self.type_name(): written })
    }

    /// Reads the JSON form, with the refusals `DynamoDB` gives.
    pub fn from_json(json: &Json) -> Result<Self, Failure> {
        let unsupported = || {
            Failure::validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            )
        };
        let members = json.as_object().ok_or_else(unsupported)?;
        if members.len() > 1 {
            return Err(Failure::validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes",
            ));
        }
        let (kind, content) = members.iter().next().ok_or_else(unsupported)?;
        let text = || content.as_str().ok_or_else(unsupported);
        Ok(match kind.as_str() {
            "S" => Self::S(text()?.to_owned()),
            "N" => Self::N(number(text()?)?),
            "B" => Self::B(binary(text()?)?),
            "BOOL" => Self::Bool(content.as_bool().ok_or_else(unsupported)?),
            "NULL" => match content.as_bool() {
                Some(true) => Self::Null,
                _ => {
                    return Err(invalid("Null attribute value types must have the value of true"));
                }
            },
            "L" => Self::L(
                content
                    .as_array()
                    .ok_or_else(unsupported)?
                    .iter()
                    .map(Self::from_json)
                    .collect::<Result<_, _>>()?,
            ),
            "M" => Self::M(item_from_json(content.as_object().ok_or_else(unsupported)?)?),
            "SS" => Self::Ss(set(kind, content, |text| Ok(text.to_owned()))?),
            "NS" => Self::Ns(set(kind, content, number)?),
            "BS" => Self::Bs(set(kind, content, binary)?),
            _ => return Err(unsupported()),
        })
    }
}

/// Bytes an item takes: its names and its values.
pub(super) fn size_of_item(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

pub(super) fn item_to_json(item: &Item) -> Json {
    Json::Object(item.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
}

pub(super) fn item_from_json(members: &Map<String, Json>) -> Result<Item, Failure> {
    members.iter().map(|(name, value)| Ok((name.clone(), Value::from_json(value)?))).collect()
}

fn invalid(message: &str) -> Failure {
    Failure::validation(format!("One or more parameter values were invalid: {message}"))
}

fn number(text: &str) -> Result<Number, Failure> {
    text.parse().map_err(Failure::validation)
}

fn binary(text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|_| {
        Failure::new("SerializationException", "Base64 encoded length is expected a multiple of 4 bytes")
    })
}

fn set<T: Ord>(
    kind: &str,
    content: &Json,
    read: impl Fn(&str) -> Result<T, Failure>,
) -> Result<BTreeSet<T>, Failure> {
    let shape = || Failure::new("SerializationException", "Start of list found where not expected");
    let entries = content.as_array().ok_or_else(shape)?;
    if entries.is_empty() {
        let kind = match kind {
            "SS" => "string set",
            "NS" => "number set",
            _ => "binary set",
        };
        return Err(invalid(&format!("An {kind}  may not be empty")));
    }
    let mut values = BTreeSet::new();
    for entry in entries {
        if !values.insert(read(entry.as_str().ok_or_else(shape)?)?) {
            return Err(invalid(&format!("Input collection {content} contains duplicates.")));
        }
    }
    Ok(values)
}
