//! What the ledger knows of an item, for those who only ask.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Ending, Key, Ledger,
    attributes::{get_number, get_text},
    claim::record_pk,
};
use crate::error::Result;

/// The record of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// How it ended; nothing while it has not.
    pub ending: Option<Ending>,
    /// What it ended with.
    pub result: Value,
    /// When it was claimed last.
    pub claimed: Timestamp,
}

impl Known {
    /// The code of the reason it ended with, when it was not delivered.
    pub fn reason_code(&self) -> Option<&str> {
        self.result.pointer("/reason/code").and_then(Value::as_str)
    }
}

impl Ledger {
    /// The record of an item; nothing when there is none or its time is over. Takes no claim.
    ///
    /// # Errors
    /// When the table, or the bucket of a large result, cannot be reached.
    pub async fn known(&self, flow: &str, key: &Key) -> Result<Option<Known>> {
        let item = self.read_record(&record_pk(flow, key)).await?;
        let Some(expires) = get_number(&item, "expires_at") else { return Ok(None) };
        if expires <= self.context.now().as_second() {
            return Ok(None);
        }
        let ending = get_text(&item, "status").and_then(Ending::parse);
        let result = if ending.is_some() { self.read_result(&item).await? } else { Value::Null };
        // A claim sets the expiry, and so does the ending.
        let retention = i64::try_from(self.retention.as_secs()).unwrap_or(i64::MAX);
        let claimed =
            Timestamp::from_second(expires.saturating_sub(retention)).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Some(Known { ending, result, claimed }))
    }

    /// How long records are kept: what was done longer ago than this, the ledger does not know any more.
    pub fn retained(&self) -> std::time::Duration {
        self.retention
    }
}
