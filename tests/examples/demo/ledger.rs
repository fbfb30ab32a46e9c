//! What the ledger says of an item.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::{Result, systems::Stack};

/// An item's record.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) status: String,
    /// How often it was claimed.
    pub(crate) attempts: i64,
    pub(crate) result: Value,
}

impl Record {
    pub(crate) fn has_ended(&self) -> bool {
        self.status != "in-progress"
    }

    pub(crate) fn node(&self) -> i64 {
        self.result["node"].as_i64().unwrap_or(0)
    }

    pub(crate) fn version(&self) -> i64 {
        self.result["version"].as_i64().unwrap_or(0)
    }

    pub(crate) fn rule(&self) -> &str {
        self.result["rule"].as_str().unwrap_or("")
    }

    /// The code of the reason, for items that were not delivered.
    pub(crate) fn reason(&self) -> &str {
        self.result["reason"]["code"].as_str().unwrap_or("")
    }

    pub(crate) fn message(&self) -> &str {
        self.result["reason"]["message"].as_str().unwrap_or("")
    }
}

/// The record of a flow's item, once it was begun.
pub(crate) async fn record(stack: &Stack, flow: &str, item: &str) -> Result<Option<Record>> {
    let read = stack
        .dynamodb
        .get_item()
        .table_name(stack.output("LedgerTableName")?)
        .key("pk", AttributeValue::S(format!("{flow}#item#{item}")))
        .key("sk", AttributeValue::S("record".into()))
        .consistent_read(true);
    let output = read.send().await.map_err(|error| format!("the ledger cannot be read: {error:?}"))?;
    let Some(item) = output.item else { return Ok(None) };
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    let attempts =
        item.get("fence").and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
    Ok(Some(Record {
        status: text("status").to_owned(),
        attempts: attempts.unwrap_or(0),
        result: serde_json::from_str(text("result")).unwrap_or_default(),
    }))
}
