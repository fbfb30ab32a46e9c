//! The record of one item: claimed with a lease and a fence, checkpointed, released.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;

use super::{
    Ending, Key, Ledger,
    attributes::{Item, get_number, get_text, keys, number, text},
};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// What the ledger says when an item arrives.
#[derive(Debug)]
pub enum Begin {
    /// It is ours to do.
    Ours(Attempt),
    /// Somebody else works on it until the given time, in milliseconds since the epoch.
    InProgress {
        /// When their lease ends.
        until: i64,
    },
    /// It was ended before, with this ending and result.
    Completed {
        /// How it ended.
        ending: Ending,
        /// What it ended with.
        result: Value,
    },
    /// The key was used before with another payload; this delivery must not be acted on.
    OtherPayload,
}

/// The right to act on an item until its lease ends. Every write made with it carries its fence.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub(super) pk: String,
    pub(super) owner: String,
    /// Which claim of this item this is, from 1. Above 1, an earlier one may have acted.
    pub fence: i64,
    /// When the right ends, in milliseconds since the epoch.
    pub lease_until: i64,
    /// How many earlier attempts ended without a word: crashes and kills.
    pub crashes: i64,
    /// What earlier attempts recorded.
    pub checkpoints: BTreeMap<String, Value>,
    /// The number of the checkpoint that is written.
    written: i64,
}

impl Attempt {
    /// Whether an earlier attempt may have acted, so that every effect is looked for before it is repeated.
    pub fn is_taken_over(&self) -> bool {
        self.fence > 1
    }

    /// Numbers the next checkpoint: one that was sent earlier and is carried out later does not take its place.
    pub fn next_checkpoint(&mut self) {
        self.written += 1;
    }
}

impl Ledger {
    /// Claims an item: one conditional write, which is also the durable intent for everything the flow will do.
    ///
    /// The payload hash is compared on every path. A claim that was refused although it is our own (its answer was
    /// lost and the SDK sent it again) is recognised by its owner. What failed has ended: see [`Ledger::reopen`].
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn begin(&self, flow: &str, key: &Key, payload_hash: &str, lease_until: i64) -> Result<Begin> {
        let pk = record_pk(flow, key);
        let owner = self.context.new_id();
        let outcome = self
            .claim_update(&pk, key, &owner, payload_hash, lease_until)
            .condition_expression(
                "attribute_not_exists(pk) OR (expires_at > :seconds AND payload_hash = :payload AND \
                 #status = :progress AND lease_until <= :now)",
            )
            .expression_attribute_values(":seconds", number(self.context.now().as_second()))
            .expression_attribute_values(":now", number(self.context.now_milliseconds()))
            .send()
            .await;
        let old = match outcome {
            Ok(output) => {
                return attempt(&pk, &owner, &output.attributes.unwrap_or_default()).map(Begin::Ours);
            }
            Err(error) => refused_item(error, "begin")?,
        };
        let Some(old) = old else {
            // The record vanished between the refusal and the answer: nothing is known, so ask again later.
            return Err(lost_race("begin"));
        };
        if get_number(&old, "expires_at").is_some_and(|at| at <= self.context.now().as_second()) {
            return self.begin_again(&pk, key, &owner, payload_hash, lease_until, &old).await;
        }
        self.refusal(&pk, &owner, payload_hash, &old).await
    }

    /// A record past its expiry that the table has not removed yet counts as absent: it is replaced, and only its
    /// fence lives on.
    async fn begin_again(
        &self,
        pk: &str,
        key: &Key,
        owner: &str,
        payload_hash: &str,
        lease_until: i64,
        old: &Item,
    ) -> Result<Begin> {
        let outcome = self
            .claim_update(pk, key, owner, payload_hash, lease_until)
            .condition_expression("fence = :fence AND expires_at <= :seconds")
            .expression_attribute_values(":fence", number(get_number(old, "fence").unwrap_or(0)))
            .expression_attribute_values(":seconds", number(self.context.now().as_second()))
            .update_expression(format!("{CLAIM} REMOVE checkpoints, #result, result_at, crashes, ended_at"))
            .expression_attribute_names("#result", "result")
            .send()
            .await;
        match outcome {
            Ok(output) => {
                let mut attempt = attempt(pk, owner, &output.attributes.unwrap_or_default())?;
                attempt.crashes = 0;
                Ok(Begin::Ours(attempt))
            }
            Err(error) => match refused_item(error, "begin")? {
                Some(old) => self.refusal(pk, owner, payload_hash, &old).await,
                None => Err(lost_race("begin")),
            },
        }
    }

    pub(super) async fn refusal(
        &self,
        pk: &str,
        owner: &str,
        payload_hash: &str,
        old: &Item,
    ) -> Result<Begin> {
        if get_text(old, "payload_hash") != Some(payload_hash) {
            return Ok(Begin::OtherPayload);
        }
        let status = get_text(old, "status").unwrap_or_default();
        match Ending::parse(status) {
            Some(ending) => Ok(Begin::Completed { ending, result: self.read_result(old).await? }),
            None if get_text(old, "owner") == Some(owner) => attempt(pk, owner, old).map(Begin::Ours),
            None => Ok(Begin::InProgress { until: get_number(old, "lease_until").unwrap_or(0) }),
        }
    }

    pub(super) fn claim_update(
        &self,
        pk: &str,
        key: &Key,
        owner: &str,
        payload_hash: &str,
        lease_until: i64,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        let item_key: String = key.text().chars().take(512).collect();
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys(pk, "record")))
            .update_expression(CLAIM_COUNTING)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":progress", text("in-progress"))
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":lease", number(lease_until))
            .expression_attribute_values(":payload", text(payload_hash))
            .expression_attribute_values(":expires", number(self.expiry_seconds()))
            .expression_attribute_values(":item", text(item_key))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":zero", number(0))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Records that a step of a long or many-effect plan is done. One write, of all checkpoints: number it with
    /// [`Attempt::next_checkpoint`].
    ///
    /// # Errors
    /// `Conflict` with code `ledger.fenced` when the item is not ours any more, or a later checkpoint is there: stop.
    /// `Bug` with code `checkpoint.too-large`, and nothing is written, when the record has no room for it.
    pub async fn checkpoint(&self, attempt: &Attempt, name: &str, value: &Value) -> Result<()> {
        let mut all = attempt.checkpoints.clone();
        all.insert(name.to_owned(), value.clone());
        let encoded = serde_json::to_string(&all).map_err(|error| {
            Error::bug("checkpoint", "a checkpoint cannot be written as JSON").source(error)
        })?;
        // The table would refuse it as often as it is sent, and the item would wait until its queue gives up.
        if encoded.len() > LARGEST_CHECKPOINTS {
            return Err(too_large(name, encoded.len()));
        }
        self.fenced_update(attempt, "SET checkpoints = :value, checkpoints_written = :written")
            // A request whose answer was lost is sent again, and may still be carried out itself: after the next one even.
            .condition_expression(format!("{IN_ORDER} AND {FENCE}"))
            .expression_attribute_values(":value", text(encoded))
            .expression_attribute_values(":written", number(attempt.written))
            .send()
            .await
            .map(drop)
            .map_err(|error| fenced(error, "checkpoint"))
    }

    /// Gives an item back: the next delivery may claim it at once. Checkpoints stay. May be repeated: an item that this
    /// attempt has given back is left as it is.
    ///
    /// # Errors
    /// `Conflict` with code `ledger.fenced` when the item is not ours any more.
    pub async fn release(&self, attempt: &Attempt, reason: &str) -> Result<()> {
        let outcome = self
            .fenced_update(
                attempt,
                "SET lease_until = :zero, crashes = if_not_exists(crashes, :one) - :one, last_reason = :reason",
            )
            // Sent again after a lost answer, it must not take a crash off the count that is not its own.
            .condition_expression(format!("{NOT_GIVEN_BACK} AND {FENCE}"))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":reason", text(reason))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => match refused_item(error, "release")? {
                Some(old) if is_given_back(attempt, &old) => Ok(()),
                _ => Err(fenced_error("release")),
            },
        }
    }

    fn fenced_update(
        &self,
        attempt: &Attempt,
        update: &str,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys(&attempt.pk, "record")))
            .update_expression(update)
            .condition_expression(FENCE)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":fence", number(attempt.fence))
            .expression_attribute_values(":owner", text(&attempt.owner))
            .expression_attribute_values(":progress", text("in-progress"))
    }

    pub(super) async fn read_record(&self, pk: &str) -> Result<Item> {
        self.dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keys(pk, "record")))
            .consistent_read(true)
            .send()
            .await
            .map(|output| output.item.unwrap_or_default())
            .map_err(|error| classify(System::Ledger, "read record", error))
    }
}

/// The condition of every write made under a claim.
pub(super) const FENCE: &str = "fence = :fence AND #owner = :owner AND #status = :progress";
const NOT_GIVEN_BACK: &str = "lease_until > :zero";
const IN_ORDER: &str = "(attribute_not_exists(checkpoints_written) OR checkpoints_written <= :written)";
const CLAIM: &str = "SET #status = :progress, #owner = :owner, lease_until = :lease, payload_hash = :payload, \
                     expires_at = :expires, item_key = :item, fence = if_not_exists(fence, :zero) + :one";
pub(super) const CLAIM_COUNTING: &str = "SET #status = :progress, #owner = :owner, lease_until = :lease, \
                              payload_hash = :payload, expires_at = :expires, item_key = :item, \
                              fence = if_not_exists(fence, :zero) + :one, \
                              crashes = if_not_exists(crashes, :zero) + :one";

/// The most bytes that the checkpoints of an item have together. A record holds 400 KiB in all, and must still have room
/// for the largest result when the item fails.
const LARGEST_CHECKPOINTS: usize = 256 * 1024;

/// The partition of an item's record.
pub(super) fn record_pk(flow: &str, key: &Key) -> String {
    format!("{flow}#item#{}", key.digest())
}

pub(super) fn attempt(pk: &str, owner: &str, item: &Item) -> Result<Attempt> {
    let fence = get_number(item, "fence")
        .ok_or_else(|| Error::bug("begin", "the table answered a claim without its fence"))?;
    Ok(Attempt {
        pk: pk.to_owned(),
        owner: owner.to_owned(),
        fence,
        lease_until: get_number(item, "lease_until").unwrap_or(0),
        crashes: get_number(item, "crashes").unwrap_or(1) - 1,
        checkpoints: get_text(item, "checkpoints")
            .and_then(|encoded| serde_json::from_str(encoded).ok())
            .unwrap_or_default(),
        written: get_number(item, "checkpoints_written").unwrap_or(0),
    })
}

/// Whether this very attempt gave the item back before: its answer was lost.
fn is_given_back(attempt: &Attempt, old: &Item) -> bool {
    get_text(old, "owner") == Some(attempt.owner.as_str())
        && get_number(old, "fence") == Some(attempt.fence)
        && get_text(old, "status") == Some("in-progress")
        && get_number(old, "lease_until") == Some(0)
}

fn too_large(name: &str, bytes: usize) -> Error {
    let message = format!(
        "with `{name}` the checkpoints of the item have {bytes} bytes, and its record holds {LARGEST_CHECKPOINTS}"
    );
    Error::bug("checkpoint", message)
        .with_code("checkpoint.too-large")
        .remedy("divide what is delivered as one item, then redrive; a flow keeps long lists in S3")
}

/// The item that stood in the way of a conditional update.
pub(super) fn refused_item(
    error: SdkError<UpdateItemError, HttpResponse>,
    operation: &'static str,
) -> Result<Option<Item>> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refused)) => Ok(refused.item().cloned()),
        _ => Err(classify(System::Ledger, operation, error)),
    }
}

pub(super) fn lost_race(operation: &'static str) -> Error {
    Error::new(
        FailureClass::Transient,
        System::Ledger,
        operation,
        "ledger.vanished",
        "the record vanished between two looks",
    )
}

fn fenced(error: SdkError<UpdateItemError, HttpResponse>, operation: &'static str) -> Error {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(_)) => fenced_error(operation),
        _ => classify(System::Ledger, operation, error),
    }
}

pub(super) fn fenced_error(operation: &'static str) -> Error {
    Error::new(
        FailureClass::Conflict,
        System::Ledger,
        operation,
        "ledger.fenced",
        "another worker has taken this item over",
    )
}
