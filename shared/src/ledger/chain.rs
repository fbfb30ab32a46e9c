//! The audit chain of an asset: append-only, every event holding the hash of the one before.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::{
    Ledger,
    attributes::{Item, get_text, keys, number, text},
};
use crate::{
    audit::{self, SealedEvent},
    aws::classify,
    error::{Error, Result, System},
};

/// Where a chain ends: what the next event must follow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChainEnd {
    /// The last event's sequence number; 0 for a chain without events.
    pub sequence: u64,
    /// The last event's hash; empty for a chain without events.
    pub hash: String,
    /// The last event itself.
    pub last: Option<audit::AuditEvent>,
}

pub(super) fn item(sealed: &SealedEvent) -> Result<Item> {
    let mut item = keys(&pk(&sealed.event.asset), &format!("event#{:012}", sealed.sequence));
    item.insert("event".to_owned(), text(sealed.canonical()?));
    item.insert("hash".to_owned(), text(&sealed.hash));
    item.insert("sequence".to_owned(), number(sealed.sequence));
    Ok(item)
}

fn pk(asset: &str) -> String {
    format!("asset#{asset}")
}

impl Ledger {
    /// The end of an asset's chain. One strongly consistent read.
    ///
    /// # Errors
    /// When the table cannot be reached or holds something that is not an event.
    pub async fn chain_end(&self, asset: &str) -> Result<ChainEnd> {
        let output = self.chain_query(asset).scan_index_forward(false).limit(1).send().await;
        let output = output.map_err(|error| classify(System::Ledger, "read chain", error))?;
        let Some(item) = output.items().first() else { return Ok(ChainEnd::default()) };
        let sealed = parse(item)?;
        Ok(ChainEnd { sequence: sealed.sequence, hash: sealed.hash, last: Some(sealed.event) })
    }

    /// A whole chain, oldest event first.
    ///
    /// # Errors
    /// As [`Ledger::chain_end`].
    pub async fn chain(&self, asset: &str) -> Result<Vec<SealedEvent>> {
        let mut events = Vec::new();
        let mut start = None;
        loop {
            let output = self
                .chain_query(asset)
                .scan_index_forward(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "read chain", error))?;
            for item in output.items() {
                events.push(parse(item)?);
            }
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(events);
            }
        }
    }

    fn chain_query(&self, asset: &str) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.dynamodb
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :events)")
            .expression_attribute_values(":pk", text(pk(asset)))
            .expression_attribute_values(":events", text("event#"))
            .return_consumed_capacity(ReturnConsumedCapacity::None)
    }
}

fn parse(item: &Item) -> Result<SealedEvent> {
    let broken = || Error::bug("read chain", "the table holds an audit event that cannot be read");
    let canonical = get_text(item, "event").ok_or_else(broken)?;
    let hash = get_text(item, "hash").ok_or_else(broken)?;
    SealedEvent::parse(canonical, hash)
}
