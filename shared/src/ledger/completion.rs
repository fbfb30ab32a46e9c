//! How an item ends: its record and the next event of its asset's chain, in one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{TransactWriteItem, Update},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Attempt, ChainEnd, Ledger,
    attributes::{get_text, keys, number, text},
    claim::{FENCE, fenced_error},
    result::StoredResult,
};
use crate::{
    audit::{AuditEvent, SealedEvent},
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// Rounds of appending to a chain that others append to at the same time.
const CHAIN_ROUNDS: u32 = 12;
/// The pause before the next round, at most.
const CONFLICT_PAUSE: Duration = Duration::from_millis(50);

/// How an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The target has it.
    Delivered,
    /// There was nothing to do.
    Skipped,
    /// Put aside with a reason.
    Quarantined,
    /// In the dead-letter queue with a reason.
    Failed,
}

impl Ending {
    /// Its name in records, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Delivered, Self::Skipped, Self::Quarantined, Self::Failed]
            .into_iter()
            .find(|ending| ending.name() == name)
    }
}

/// Everything that is written when an item ends.
#[derive(Debug, Clone)]
pub struct Completion {
    /// How it ended.
    pub ending: Ending,
    /// What a repeat is answered with.
    pub result: Value,
    /// The event appended to its asset's chain.
    pub event: AuditEvent,
}

impl Ledger {
    /// Ends an item: its record and the next event of its asset's chain, in one transaction. `end` is where the
    /// chain ended when the flow last looked; when others have appended since, the event is sealed anew behind theirs.
    ///
    /// # Errors
    /// `Conflict` with code `ledger.fenced` when the item is not ours any more: what was done must be undone or left
    /// to the one who holds it.
    pub async fn complete(
        &self,
        attempt: &Attempt,
        completion: &Completion,
        end: Option<ChainEnd>,
    ) -> Result<SealedEvent> {
        let result = self.store_result(attempt, &completion.result).await?;
        let asset = completion.event.asset.clone();
        let mut end = match end {
            Some(end) => end,
            None => self.chain_end(&asset).await?,
        };
        for _ in 0..CHAIN_ROUNDS {
            let sealed = completion.event.seal(end.sequence + 1, &end.hash)?;
            let outcome = self
                .dynamodb
                .transact_write_items()
                .client_request_token(request_token(attempt, &sealed))
                .transact_items(self.record_end(attempt, completion.ending, &result)?)
                .transact_items(self.event_put(&sealed)?)
                .send()
                .await;
            match outcome {
                Ok(_) => return Ok(sealed),
                Err(error) => match self.after_refusal(attempt, completion.ending, error).await? {
                    Refused::Ours => return Ok(sealed),
                    Refused::Retry => self.context.sleep(self.context.jitter(CONFLICT_PAUSE)).await,
                },
            }
            end = self.chain_end(&asset).await?;
        }
        Err(Error::new(
            FailureClass::Transient,
            System::Ledger,
            "complete",
            "ledger.chain-busy",
            format!("the audit chain moved {CHAIN_ROUNDS} times while this item was being completed"),
        ))
    }

    async fn after_refusal(
        &self,
        attempt: &Attempt,
        ending: Ending,
        error: SdkError<TransactWriteItemsError, HttpResponse>,
    ) -> Result<Refused> {
        let reasons: Vec<String> = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled
                .cancellation_reasons()
                .iter()
                .map(|reason| reason.code().unwrap_or_default().to_owned())
                .collect(),
            _ => return Err(classify(System::Ledger, "complete", error)),
        };
        if reasons.first().is_some_and(|code| code == "ConditionalCheckFailed") {
            // Either somebody took over, or this very completion took effect and its answer was lost.
            let item = self.read_record(&attempt.pk).await?;
            let ours = get_text(&item, "owner") == Some(&attempt.owner)
                && get_text(&item, "status") == Some(ending.name());
            return if ours { Ok(Refused::Ours) } else { Err(fenced_error("complete")) };
        }
        Ok(Refused::Retry)
    }

    fn record_end(
        &self,
        attempt: &Attempt,
        ending: Ending,
        result: &StoredResult,
    ) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys(&attempt.pk, "record")))
            .update_expression(format!(
                "SET #status = :ending, #result = :result, ended_at = :now, expires_at = :expires REMOVE {}",
                // What failed may be redriven: then what was begun must still be known, and crashes count anew.
                if ending == Ending::Failed { "crashes" } else { "checkpoints, crashes" }
            ))
            .condition_expression(FENCE)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .set_expression_attribute_names(Some(
                [("#status", "status"), ("#owner", "owner"), ("#result", result.name())]
                    .map(|(placeholder, name)| (placeholder.to_owned(), name.to_owned()))
                    .into(),
            ))
            .expression_attribute_values(":ending", text(ending.name()))
            .expression_attribute_values(":result", text(result.text()))
            .expression_attribute_values(":now", number(self.context.now_milliseconds()))
            .expression_attribute_values(":expires", number(self.expiry_seconds()))
            .expression_attribute_values(":fence", number(attempt.fence))
            .expression_attribute_values(":owner", text(&attempt.owner))
            .expression_attribute_values(":progress", text("in-progress"))
            .build()
            .map_err(|error| Error::bug("complete", "the update is incomplete").source(error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

enum Refused {
    Ours,
    Retry,
}

/// At most 36 characters, equal for the same transaction, so that the SDK's own repeat is not a second one.
fn request_token(attempt: &Attempt, sealed: &SealedEvent) -> String {
    let mut hash = Sha256::new();
    hash.update(attempt.owner.as_bytes());
    hash.update(sealed.hash.as_bytes());
    hex::encode(hash.finalize()).chars().take(32).collect()
}
