//! Custom actions: what people start by hand, and automations for them.

use serde::Deserialize;
use serde_json::json;

use super::{
    Client,
    call::Call,
    ids::{CustomActionId, ViewId},
    webhooks::{SecretHeaders, headers},
    wire::{self, words},
};
use crate::error::{FailureClass, Result};

words! {
    /// Where an action is offered.
    ActionContext {
        /// On an asset.
        Asset = "ASSET",
        /// On a collection.
        Collection = "COLLECTION",
        /// On whatever is selected.
        Bulk = "BULK",
        /// On a saved search.
        SavedSearch = "SAVED_SEARCH",
        /// On a subclip.
        AssetSubclip = "ASSET_SUBCLIP",
        /// Nowhere in particular.
        None = "NONE",
    }
}

/// A custom action.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CustomAction {
    /// Its id.
    pub id: CustomActionId,
    /// What people see.
    #[serde(default, deserialize_with = "wire::text")]
    pub title: String,
    /// Where it sends to, or leads.
    #[serde(default, deserialize_with = "wire::text")]
    pub url: String,
    /// Where it is offered.
    #[serde(default)]
    pub context: ActionContext,
    /// What it does: `POST`, `OPEN`.
    #[serde(default, rename = "type", deserialize_with = "wire::text")]
    pub kind: String,
    /// Headers it sends.
    #[serde(default, deserialize_with = "headers")]
    pub headers: SecretHeaders,
    /// The view people fill in before it starts.
    #[serde(default)]
    pub metadata_view: Option<ViewId>,
    /// Whether it is switched off.
    #[serde(default, deserialize_with = "wire::truth")]
    pub disabled: bool,
    /// How it is doing: `HEALTHY`, `FAILING`.
    #[serde(default, deserialize_with = "wire::text")]
    pub status: String,
    /// Why it is failing, in the server's words.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub last_error: Option<String>,
}

/// A custom action to be made, which posts to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCustomAction {
    /// What people see.
    pub title: String,
    /// Where it sends to.
    pub url: String,
    /// Where it is offered.
    pub context: ActionContext,
    /// Headers it sends: its only proof of who sends.
    pub headers: SecretHeaders,
    /// The view people fill in before it starts.
    pub metadata_view: Option<ViewId>,
}

const PATH: [&str; 3] = ["assets", "v1", "custom_actions"];

impl Client {
    /// Every custom action.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_custom_actions(&self) -> Result<Vec<CustomAction>> {
        self.listed(&Call::get("list custom actions", &PATH)).await
    }

    /// A custom action, if it is there.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_custom_action(
        &self,
        context: &ActionContext,
        action: &CustomActionId,
    ) -> Result<Option<CustomAction>> {
        let [service, version, kind] = PATH;
        let path = [service, version, kind, context.as_str(), action.as_str()];
        self.look(&Call::get("get custom action", &path)).await
    }

    /// Makes a custom action.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for it in the list before trying again.
    pub async fn create_custom_action(&self, new: &NewCustomAction) -> Result<CustomAction> {
        let [service, version, kind] = PATH;
        let mut body = json!({
            "title": new.title, "url": new.url, "context": new.context, "type": "POST",
            "headers": new.headers, "disabled": false,
        });
        if let Some((members, view)) = body.as_object_mut().zip(new.metadata_view.as_ref()) {
            members.insert("metadata_view".to_owned(), json!(view));
        }
        let path = [service, version, kind, new.context.as_str()];
        self.ask(&Call::post("create custom action", &path).body(body)).await
    }

    /// The custom action with this title, place and address, made when there is none.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_custom_action(&self, new: &NewCustomAction) -> Result<CustomAction> {
        let find = async || -> Result<Option<CustomAction>> {
            let is_it = |found: &CustomAction| {
                (&found.title, &found.url, &found.context) == (&new.title, &new.url, &new.context)
            };
            Ok(self.list_custom_actions().await?.into_iter().find(is_it))
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        match self.create_custom_action(new).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => find().await?.ok_or(failure),
            outcome => outcome,
        }
    }

    /// Deletes a custom action; one that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn delete_custom_action(&self, context: &ActionContext, action: &CustomActionId) -> Result<()> {
        let [service, version, kind] = PATH;
        let path = [service, version, kind, context.as_str(), action.as_str()];
        self.remove(&Call::delete("delete custom action", &path)).await
    }
}
