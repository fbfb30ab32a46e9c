//! Webhooks: who is told of what, and whether they still are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Client,
    call::Call,
    error::CONFLICT,
    ids::WebhookId,
    wire::{self, words},
};
use crate::error::{FailureClass, Result};

words! {
    /// Whether a webhook tells.
    WebhookStatus {
        /// It does.
        Enabled = "ENABLED",
        /// It does not, until somebody says so.
        Disabled = "DISABLED",
        /// It tries, and is not answered well. After five hours of that it is disabled.
        Failing = "FAILING",
        /// It is gone.
        Deleted = "DELETED",
    }
}

/// Headers by name, of which one is the secret the sender shows. No log shows the values.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHeaders(pub BTreeMap<String, String>);

impl std::fmt::Debug for SecretHeaders {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Its name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// Where it sends to.
    #[serde(default, deserialize_with = "wire::text")]
    pub url: String,
    /// Of what it tells: `assets`, `collections`.
    #[serde(default, deserialize_with = "wire::text")]
    pub event_type: String,
    /// Of which part of it; of all when absent. The whole list of these words is not documented.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub realm: Option<String>,
    /// Of which operation; of all when absent.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub operation: Option<String>,
    /// A condition on what is told.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub query: Option<String>,
    /// Whether it tells.
    #[serde(default)]
    pub status: WebhookStatus,
    /// Headers it sends.
    #[serde(default, deserialize_with = "headers")]
    pub headers: SecretHeaders,
    /// Why it is failing, in the server's words.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub last_error: Option<String>,
    /// Since when.
    #[serde(default, rename = "first_failed_at", deserialize_with = "wire::moment_or_none")]
    pub failing_since: Option<Timestamp>,
}

pub(super) fn headers<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<SecretHeaders, D::Error> {
    Ok(Option::<SecretHeaders>::deserialize(deserializer)?.unwrap_or_default())
}

/// A webhook to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// Its name.
    pub name: String,
    /// Where it sends to.
    pub url: String,
    /// Of what it tells.
    pub event_type: String,
    /// Of which part of it.
    pub realm: Option<String>,
    /// Of which operation.
    pub operation: Option<String>,
    /// A condition on what is told.
    pub query: Option<String>,
    /// Headers it sends: its only proof of who sends.
    pub headers: SecretHeaders,
}

impl NewWebhook {
    fn body(&self) -> Value {
        json!({
            "name": self.name, "url": self.url, "event_type": self.event_type, "realm": self.realm,
            "operation": self.operation, "query": self.query, "headers": self.headers,
            "status": WebhookStatus::Enabled,
        })
    }

    fn is(&self, found: &Webhook) -> bool {
        found.status != WebhookStatus::Deleted
            && (&found.url, &found.event_type, &found.realm, &found.operation, &found.query)
                == (&self.url, &self.event_type, &self.realm, &self.operation, &self.query)
    }
}

const PATH: [&str; 3] = ["notifications", "v1", "webhooks"];

impl Client {
    /// Every webhook.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_webhooks(&self) -> Result<Vec<Webhook>> {
        self.listed(&Call::get("list webhooks", &PATH)).await
    }

    /// A webhook.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn get_webhook(&self, webhook: &WebhookId) -> Result<Webhook> {
        self.ask(&Call::get("get webhook", &one(webhook))).await
    }

    /// Makes a webhook.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for it in the list before trying again.
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<Webhook> {
        self.ask(&Call::post("create webhook", &PATH).body(new.body())).await
    }

    /// The webhook that tells the same to the same address, made when there is none. One that does not tell any more is
    /// left so: whether it should is for a person to say.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_webhook(&self, new: &NewWebhook) -> Result<Webhook> {
        let find = async || -> Result<Option<Webhook>> {
            Ok(self.list_webhooks().await?.into_iter().find(|found| new.is(found)))
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        match self.create_webhook(new).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome || failure.code() == CONFLICT => {
                find().await?.ok_or(failure)
            }
            outcome => outcome,
        }
    }

    /// Lets a webhook tell again. Only on a person's word: it was switched off because nobody answered it.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn enable_webhook(&self, webhook: &WebhookId) -> Result<Webhook> {
        // There is no way to change a part of it, so all of it goes back as it came.
        let mut whole = self.json(&Call::get("get webhook", &one(webhook))).await?;
        if let Some(members) = whole.as_object_mut() {
            members.insert("status".to_owned(), json!(WebhookStatus::Enabled));
            for written_by_server in ["last_error", "last_payload", "first_failed_at", "deleted_at"] {
                members.remove(written_by_server);
            }
            members.retain(|name, _| name != "id" && !name.starts_with("date_"));
        }
        self.ask(&Call::put("enable webhook", &one(webhook)).body(whole)).await
    }

    /// Deletes a webhook; one that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn delete_webhook(&self, webhook: &WebhookId) -> Result<()> {
        self.remove(&Call::delete("delete webhook", &one(webhook))).await
    }
}

fn one(webhook: &WebhookId) -> [&str; 4] {
    let [service, version, kind] = PATH;
    [service, version, kind, webhook.as_str()]
}
