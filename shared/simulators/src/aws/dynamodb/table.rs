//! Tables: key schema, items in key order, counters.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::number::Number;
use super::value::{Item, Value, size_of_item};
use crate::aws::failure::Failure;

/// One attribute of the primary key.
#[derive(Clone, Debug)]
pub(super) struct KeyPart {
    pub(super) name: String,
    pub(super) kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyValue {
    S(String),
    N(Number),
    B(Vec<u8>),
}

/// A primary key: partition, then sort.
pub(super) type Key = (KeyValue, Option<KeyValue>);

/// Requests and capacity used, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Write actions, each item of a transaction counted, conditions that failed included.
    pub writes: u64,
    /// Write units those consumed.
    pub write_units: u64,
    /// Read requests.
    pub reads: u64,
    /// Read units those consumed.
    pub read_units: f64,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) hash: KeyPart,
    pub(super) range: Option<KeyPart>,
    pub(super) created: i64,
    pub(super) expiry: Option<String>,
    pub(super) items: BTreeMap<Key, Item>,
    pub(super) counters: Counters,
}

/// Largest item, names included.
pub(super) const LARGEST_ITEM: usize = 400 * 1024;

impl Table {
    pub(super) fn keys(&self) -> Vec<&str> {
        let range = self.range.as_ref().map(|part| part.name.as_str());
        std::iter::once(self.hash.name.as_str()).chain(range).collect()
    }

    pub(super) fn describe(&self) -> Json {
        let parts: Vec<(&KeyPart, &str)> = std::iter::once((&self.hash, "HASH"))
            .chain(self.range.iter().map(|part| (part, "RANGE")))
            .collect();
        let schema: Vec<Json> =
            parts.iter().map(|(part, role)| json!({ "AttributeName": part.name, "KeyType": role })).collect();
        let definitions: Vec<Json> = parts
            .iter()
            .map(|(part, _)| json!({ "AttributeName": part.name, "AttributeType": part.kind }))
            .collect();
        let size: usize = self.items.values().map(size_of_item).sum();
        json!({
            "TableName": self.name,
            "TableStatus": "ACTIVE",
            "TableArn": format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}", self.name),
            "KeySchema": schema,
            "AttributeDefinitions": definitions,
            "CreationDateTime": Json::from(self.created / 1000),
            "ItemCount": self.items.len(),
            "TableSizeBytes": size,
            "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
            "ProvisionedThroughput": { "ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0 },
        })
    }

    /// The key of a request that names one item by exactly its key.
    pub(super) fn exact_key(&self, key: &Item) -> Result<Key, Failure> {
        if key.len() != self.keys().len() || self.keys().iter().any(|name| !key.contains_key(*name)) {
            return Err(Failure::validation("The provided key element does not match the schema"));
        }
        self.key(key, |_, _| Failure::validation("The provided key element does not match the schema"))
    }

    /// The key within a whole item.
    pub(super) fn key_in(&self, item: &Item) -> Result<Key, Failure> {
        self.key(item, |part, found| {
            Failure::validation(match found {
                None => format!("One or more parameter values were invalid: Missing the key {} in the item", part.name),
                Some(value) => format!(
                    "One or more parameter values were invalid: Type mismatch for key {} expected: {} actual: {}",
                    part.name,
                    part.kind,
                    value.type_name()
                ),
            })
        })
    }

    fn key(
        &self,
        item: &Item,
        mismatch: impl Fn(&KeyPart, Option<&Value>) -> Failure,
    ) -> Result<Key, Failure> {
        let read = |part: &KeyPart, longest: usize, role: &str| {
            let found = item.get(&part.name);
            let Some(value) = found.filter(|value| value.type_name() == part.kind) else {
                return Err(mismatch(part, found));
            };
            key_value(&part.name, value, longest, role)
        };
        let hash = read(&self.hash, 2048, "hashkey")?;
        let range = self.range.as_ref().map(|part| read(part, 1024, "rangekey")).transpose()?;
        Ok((hash, range))
    }

    /// The key of an item as an item: what `LastEvaluatedKey` carries.
    pub(super) fn key_of(&self, item: &Item) -> Item {
        self.keys().iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect()
    }
}

pub(super) fn key_value(name: &str, value: &Value, longest: usize, role: &str) -> Result<KeyValue, Failure> {
    let (found, size, kind) = match value {
        Value::S(text) => (KeyValue::S(text.clone()), text.len(), "string"),
        Value::B(bytes) => (KeyValue::B(bytes.clone()), bytes.len(), "binary"),
        Value::N(number) => (KeyValue::N(*number), 1, "number"),
        _ => return Err(Failure::validation("The provided key element does not match the schema")),
    };
    if size == 0 {
        return Err(Failure::validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty {kind} value. Key: {name}"
        )));
    }
    if size > longest {
        return Err(Failure::validation(format!(
            "One or more parameter values were invalid: Size of {role} has exceeded the maximum size limit of \
             {longest} bytes"
        )));
    }
    Ok(found)
}

/// Reads a `CreateTable` request.
pub(super) fn create(request: &Map<String, Json>, now: i64) -> Result<Table, Failure> {
    for member in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if request.get(member).and_then(Json::as_array).is_some_and(|list| !list.is_empty()) {
            return Err(Failure::validation(format!("{member}: this stand-in keeps no secondary indexes")));
        }
    }
    let entries = |member: &str| request.get(member).and_then(Json::as_array).cloned().unwrap_or_default();
    let text =
        |entry: &Json, member: &str| entry.get(member).and_then(Json::as_str).unwrap_or_default().to_owned();
    let definitions = entries("AttributeDefinitions");
    let part = |role: &str| -> Result<Option<KeyPart>, Failure> {
        let schema = entries("KeySchema");
        let Some(entry) = schema.iter().find(|entry| text(entry, "KeyType") == role) else { return Ok(None) };
        let name = text(entry, "AttributeName");
        let kind = definitions
            .iter()
            .find(|definition| text(definition, "AttributeName") == name)
            .map(|definition| text(definition, "AttributeType"))
            .filter(|kind| matches!(kind.as_str(), "S" | "N" | "B"))
            .ok_or_else(|| {
                Failure::validation(format!(
                    "One or more parameter values were invalid: Some index key attributes are not defined in \
                     AttributeDefinitions. Keys: [{name}]"
                ))
            })?;
        Ok(Some(KeyPart { name, kind }))
    };
    let (hash, range) = (part("HASH")?, part("RANGE")?);
    let hash = hash.ok_or_else(|| {
        Failure::validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    })?;
    if definitions.len() != 1 + usize::from(range.is_some()) {
        return Err(Failure::validation(
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match \
             number of attributes defined in AttributeDefinitions",
        ));
    }
    let name = request.get("TableName").and_then(Json::as_str).unwrap_or_default().to_owned();
    if name.len() < 3
        || name.len() > 255
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    {
        return Err(Failure::validation(format!(
            "1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        )));
    }
    Ok(Table {
        name,
        hash,
        range,
        created: now,
        expiry: None,
        items: BTreeMap::new(),
        counters: Counters::default(),
    })
}
