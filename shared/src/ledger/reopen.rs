//! A failed item is ended like any other; only a person who puts its message back on the queue has it begun again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Begin, Ending, Key, Ledger,
    attributes::{get_number, get_text, number, text},
    claim::{CLAIM_COUNTING, attempt, lost_race, record_pk, refused_item},
};
use crate::error::{Error, Result};

impl Ledger {
    /// Claims an item that failed, for the redriven message `message`; each such message reopens an item once, so that
    /// its redelivery does not. `prepare` may change the checkpoints of earlier attempts, in the same write.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn reopen(
        &self,
        flow: &str,
        key: &Key,
        payload_hash: &str,
        lease_until: i64,
        message: &str,
        prepare: impl FnOnce(&mut BTreeMap<String, Value>),
    ) -> Result<Begin> {
        let pk = record_pk(flow, key);
        let owner = self.context.new_id();
        let record = self.read_record(&pk).await?;
        let mut checkpoints = get_text(&record, "checkpoints")
            .and_then(|encoded| serde_json::from_str(encoded).ok())
            .unwrap_or_default();
        prepare(&mut checkpoints);
        let checkpoints = serde_json::to_string(&checkpoints)
            .map_err(|error| Error::bug("reopen", "checkpoints cannot be written as JSON").source(error))?;
        let outcome = self
            .claim_update(&pk, key, &owner, payload_hash, lease_until)
            .update_expression(format!(
                "{CLAIM_COUNTING}, redriven = :message, checkpoints = :checkpoints REMOVE #result, result_at, ended_at"
            ))
            .condition_expression(
                "#status = :failed AND payload_hash = :payload AND expires_at > :seconds AND fence = :fence AND \
                 (attribute_not_exists(redriven) OR redriven <> :message)",
            )
            .expression_attribute_names("#result", "result")
            .expression_attribute_values(":failed", text(Ending::Failed.name()))
            .expression_attribute_values(":seconds", number(self.context.now().as_second()))
            .expression_attribute_values(":fence", number(get_number(&record, "fence").unwrap_or(0)))
            .expression_attribute_values(":message", text(message))
            .expression_attribute_values(":checkpoints", text(checkpoints))
            .send()
            .await;
        match outcome {
            Ok(output) => attempt(&pk, &owner, &output.attributes.unwrap_or_default()).map(Begin::Ours),
            Err(error) => match refused_item(error, "reopen")? {
                Some(old) => self.refusal(&pk, &owner, payload_hash, &old).await,
                None => Err(lost_race("reopen")),
            },
        }
    }
}
