//! What can be done to the state of an asset.

use serde_json::{Value, json};

use super::{
    Client,
    asset::Asset,
    assets::{Load, selection},
    call::Call,
    error::{CONFLICT, failure, not_configured, said, unexpected},
    ids::AssetId,
    wire,
};
use crate::{
    error::{FailureClass, Result},
    http::Effect,
};

/// What became of many assets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkOutcome {
    /// Those for which it was done.
    pub done: Vec<AssetId>,
    /// Those for which it was not, or of which nothing was said.
    pub failed: Vec<BulkFailure>,
}

/// An asset for which it was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkFailure {
    /// The asset.
    pub id: AssetId,
    /// Why, where that is told.
    pub reason: Option<String>,
}

impl Client {
    /// Locks an asset for our user. Locking it again changes nothing.
    ///
    /// # Errors
    /// [`super::LOCKED`] (`Conflict`) when somebody else holds it.
    pub async fn lock(&self, id: &AssetId) -> Result<()> {
        self.change_state("lock asset", id, "actions.lock", &self.settings.actions.lock, false).await
    }

    /// Lets go of an asset. One that nobody holds is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn unlock(&self, id: &AssetId) -> Result<()> {
        self.change_state("unlock asset", id, "actions.unlock", &self.settings.actions.unlock, false).await
    }

    /// Checks an asset's content out for our user.
    ///
    /// # Errors
    /// [`super::LOCKED`] (`Conflict`) when somebody else has it.
    pub async fn check_out(&self, id: &AssetId) -> Result<()> {
        let action = &self.settings.actions.check_out;
        self.change_state("check out asset", id, "actions.check_out", action, false).await
    }

    /// Gives a check-out up.
    ///
    /// # Errors
    /// [`super::NOT_CONFIGURED`] where the site's word for it is not known.
    pub async fn cancel_check_out(&self, id: &AssetId) -> Result<()> {
        let action = &self.settings.actions.cancel_check_out;
        self.change_state("cancel check-out", id, "actions.cancel_check_out", action, false).await
    }

    /// Deletes an asset, which can be undone for a while. Give it as it was read when that was decided: it is read again, and
    /// stays when anything has changed since. What a search found is not enough to delete by.
    ///
    /// # Errors
    /// [`super::CONFLICT`] when it has changed since; as any call.
    pub async fn delete_asset(&self, known: &Asset, all_versions: bool) -> Result<()> {
        const OPERATION: &str = "delete asset";
        let now = self.get_asset(&known.id, Load::State).await?;
        if now.is_gone() {
            return Ok(());
        }
        let is_same = now.original_id == known.original_id
            && now.version == known.version
            && now.updated == known.updated
            && now.name == known.name;
        if !is_same {
            let message = "the asset has changed since it was read; it was not deleted";
            return Err(failure(FailureClass::Conflict, OPERATION, CONFLICT, message));
        }
        let action = &self.settings.actions.delete;
        self.change_state(OPERATION, &known.id, "actions.delete", action, all_versions).await?;
        match self.find_asset(&known.id, Load::State).await? {
            Some(asset) if !asset.is_gone() => {
                Err(unexpected(OPERATION, Effect::Repeatable, "it is still there"))
            }
            _ => Ok(()),
        }
    }

    /// Undoes a deletion.
    ///
    /// # Errors
    /// [`super::NOT_CONFIGURED`] where the site's word for it is not known.
    pub async fn undelete_asset(&self, id: &AssetId, all_versions: bool) -> Result<()> {
        let action = &self.settings.actions.undelete;
        self.change_state("undelete asset", id, "actions.undelete", action, all_versions).await
    }

    async fn change_state(
        &self,
        operation: &'static str,
        id: &AssetId,
        setting: &'static str,
        action: &str,
        all_versions: bool,
    ) -> Result<()> {
        if action.is_empty() {
            return Err(not_configured(operation, setting));
        }
        let options = json!({"asset_state_options_param": {"asset_state_options": {
            "apply_to_all_versions": all_versions,
        }}});
        let call = Call::put(operation, &["assets", id.as_str(), "state"])
            .field("action", action)
            .field("asset_state_options", options);
        self.tell(&call).await.map(drop)
    }

    /// Locks many assets.
    ///
    /// # Errors
    /// As any call. That it was not done for some is in the outcome.
    pub async fn lock_all(&self, ids: &[AssetId]) -> Result<BulkOutcome> {
        self.change_states("lock assets", ids, "actions.lock", &self.settings.actions.lock).await
    }

    /// Unlocks many assets.
    ///
    /// # Errors
    /// As [`Client::lock_all`].
    pub async fn unlock_all(&self, ids: &[AssetId]) -> Result<BulkOutcome> {
        self.change_states("unlock assets", ids, "actions.unlock", &self.settings.actions.unlock).await
    }

    async fn change_states(
        &self,
        operation: &'static str,
        ids: &[AssetId],
        setting: &'static str,
        action: &str,
    ) -> Result<BulkOutcome> {
        if action.is_empty() {
            return Err(not_configured(operation, setting));
        }
        if ids.is_empty() {
            return Ok(BulkOutcome::default());
        }
        let call = Call::put(operation, &["assets", "state"])
            .field("action", action)
            .field("selection_context", selection(ids));
        let answer = self.ask(&call).await?;
        let result = answer.pointer("/bulk_asset_result_representation/bulk_asset_result");
        let result =
            result.ok_or_else(|| unexpected(operation, call.effect(), "no outcome of the assets in it"))?;
        Ok(outcome(ids, result, said(&answer).as_deref()))
    }
}

/// What became of each, whatever an entry of the lists looks like. Status 200 says nothing: it comes when every one failed too.
fn outcome(ids: &[AssetId], result: &Value, sentence: Option<&str>) -> BulkOutcome {
    let done = wire::list(result, "successful_object_list");
    let failed = wire::list(result, "failed_object_list");
    let mut outcome = BulkOutcome::default();
    for id in ids {
        let failure = failed.iter().find(|entry| names(entry, id));
        match failure {
            None if done.iter().any(|entry| names(entry, id)) => outcome.done.push(id.clone()),
            entry => {
                let reason = entry.and_then(reason).or_else(|| sentence.map(str::to_owned));
                outcome.failed.push(BulkFailure { id: id.clone(), reason });
            }
        }
    }
    outcome
}

/// Whether an entry is about an asset: an id as it stands, or somewhere in an object.
fn names(entry: &Value, id: &AssetId) -> bool {
    match entry {
        Value::String(text) => text == id.as_str(),
        Value::Object(members) => members.values().any(|member| names(member, id)),
        Value::Array(list) => list.iter().any(|member| names(member, id)),
        _ => false,
    }
}

pub(super) fn reason(entry: &Value) -> Option<String> {
    let members: Vec<String> =
        ["reasons", "reason", "message", "error_message", "failure_reason"].map(str::to_owned).to_vec();
    let texts: Vec<String> = wire::anywhere(entry, &members)
        .into_iter()
        .flat_map(|value| match value {
            Value::Array(list) => list.iter().filter_map(wire::as_text).collect(),
            value => wire::as_text(value).into_iter().collect::<Vec<_>>(),
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_each_is_read_from_entries_of_any_form_and_silence_is_no_success() {
        let ids = ["a1", "a2", "a3", "a4"].map(AssetId::new);
        let result = json!({
            "successful_object_list": ["a1", {"asset_identifier": {"id": "a2"}}],
            "failed_object_list": {"asset_id": "a3", "reasons": ["locked by jane"]}
        });
        let outcome = outcome(&ids, &result, Some("Some failed"));
        assert_eq!(outcome.done, ids[..2]);
        let reasons: Vec<_> =
            outcome.failed.iter().map(|failed| (failed.id.as_str(), failed.reason.as_deref())).collect();
        assert_eq!(reasons, [("a3", Some("locked by jane")), ("a4", Some("Some failed"))]);
    }
}
