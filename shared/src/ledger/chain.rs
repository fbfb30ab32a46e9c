//! The audit chain of an asset: append-only, every event holding the hash of the one before.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{Put, ReturnConsumedCapacity, TransactWriteItem},
};

use super::{
    Ledger,
    attributes::{Item, get_text, keys, number, text},
};
use crate::{
    audit::{self, SealedEvent},
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// How often an event is sealed anew behind others before the append is given up for now.
const ROUNDS: u32 = 12;
/// At most this long after the first of those rounds, and as much longer after each further one: four seconds in all on
/// average, eight at most.
const CONFLICT_PAUSE: Duration = Duration::from_millis(100);

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

/// What became of an event that was to be appended together with other writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Appended {
    /// All of it was written.
    Written(SealedEvent),
    /// Nothing was written: the condition of the write at this place in the list did not hold.
    Refused(usize),
}

fn item(sealed: &SealedEvent) -> Result<Item> {
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

    /// A whole chain as it is stored, oldest event first, and the hash that is stored with the last one. Nothing is read
    /// into it: what was changed in the table is exported as it is, for [`audit::verify`] to find.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn export_chain(&self, asset: &str) -> Result<(Vec<String>, String)> {
        let mut lines = Vec::new();
        let mut end = String::new();
        let mut start = None;
        loop {
            let output = self
                .chain_query(asset)
                .scan_index_forward(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "export chain", error))?;
            for item in output.items() {
                lines.push(get_text(item, "event").unwrap_or_default().to_owned());
                get_text(item, "hash").unwrap_or_default().clone_into(&mut end);
            }
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok((lines, end));
            }
        }
    }

    /// Appends an event that belongs to no item of a queue to its asset's chain, behind whatever others append
    /// meanwhile. After an unknown outcome the same event may be appended again: when the chain already ends with it,
    /// nothing is written.
    ///
    /// # Errors
    /// When the table cannot be reached, or `ledger.chain-busy` when the chain keeps moving.
    pub async fn append_event(&self, event: &audit::AuditEvent) -> Result<ChainEnd> {
        let end = self.chain_end(&event.asset).await?;
        if end.last.as_ref() == Some(event) {
            return Ok(end);
        }
        match self.append_with(event, &[]).await? {
            Appended::Written(sealed) => {
                Ok(ChainEnd { sequence: sealed.sequence, hash: sealed.hash, last: Some(sealed.event) })
            }
            Appended::Refused(_) => {
                Err(Error::bug("append event", "a write without a condition was refused"))
            }
        }
    }

    /// Appends an event in one transaction with other writes: either all of it happens or nothing.
    pub(crate) async fn append_with(
        &self,
        event: &audit::AuditEvent,
        writes: &[TransactWriteItem],
    ) -> Result<Appended> {
        for round in 1..=ROUNDS {
            let end = self.chain_end(&event.asset).await?;
            let sealed = event.seal(end.sequence + 1, &end.hash)?;
            // The SDK's own repeats carry the same token, so that a lost answer is not a second write.
            let outcome = self
                .dynamodb
                .transact_write_items()
                .client_request_token(self.context.new_id())
                .set_transact_items(Some(writes.to_vec()))
                .transact_items(self.event_put(&sealed)?)
                .send()
                .await;
            let Err(error) = outcome else { return Ok(Appended::Written(sealed)) };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(classify(System::Ledger, "append event", error));
            };
            let failed = |code: Option<&str>| code == Some("ConditionalCheckFailed");
            let reasons = canceled.cancellation_reasons();
            let refused = reasons.iter().take(writes.len()).position(|reason| failed(reason.code()));
            if let Some(place) = refused {
                return Ok(Appended::Refused(place));
            }
            // Of those who meet, one gets through each time: the others spread further apart.
            self.context.sleep(self.context.jitter(CONFLICT_PAUSE * round)).await;
        }
        Err(Error::new(
            FailureClass::Transient,
            System::Ledger,
            "append event",
            "ledger.chain-busy",
            format!("the audit chain moved {ROUNDS} times while an event was being appended"),
        ))
    }

    pub(super) fn event_put(&self, sealed: &SealedEvent) -> Result<TransactWriteItem> {
        self.put_new(item(sealed)?)
    }

    /// The write of an item that must not be there yet, as part of a transaction.
    pub(crate) fn put_new(&self, item: Item) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| Error::bug("transaction", "the put is incomplete").source(error))?;
        Ok(TransactWriteItem::builder().put(put).build())
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
