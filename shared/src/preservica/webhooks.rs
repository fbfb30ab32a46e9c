//! Who is told of what happens.

use serde::Deserialize;
use serde_json::json;

use super::{Client, call::Call, ids::SubscriptionId};
use crate::error::Result;

/// Of what one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Something was moved.
    Moved,
    /// An asset can be found. The nearest there is to "it has arrived".
    FullTextIndexed,
    /// A security tag was changed.
    ChangedSecurityDescriptor,
    /// An ingest went wrong.
    IngestFailed,
    /// An asset is to be seen, or no longer.
    ChangeAssetVisibility,
}

impl Trigger {
    /// As the interface has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "MOVED",
            Self::FullTextIndexed => "FULL_TEXT_INDEXED",
            Self::ChangedSecurityDescriptor => "CHANGED_SECURITY_DESCRIPTOR",
            Self::IngestFailed => "INGEST_FAILED",
            Self::ChangeAssetVisibility => "CHANGE_ASSET_VISIBILITY",
        }
    }
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Where to.
    #[serde(default)]
    pub url: String,
    /// Of what.
    #[serde(default, rename = "triggerType")]
    pub trigger: String,
}

impl Client {
    /// Who is told.
    ///
    /// # Errors
    /// As any call.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>> {
        self.ask_json(&Call::get("list subscriptions", &["webhook", "subscriptions"]).elsewhere()).await
    }

    /// Lets somebody be told, unless they are. The server asks the address for the answer to its challenge
    /// ([`super::PushSecret::answer_challenge`]) before it answers.
    ///
    /// # Errors
    /// As any call; `UnknownOutcome` when the answer was lost and it was not there afterwards either.
    pub async fn ensure_subscription(
        &self,
        url: &str,
        trigger: Trigger,
        secret: &str,
    ) -> Result<Subscription> {
        let known = |all: Vec<Subscription>| {
            all.into_iter().find(|one| one.url == url && one.trigger == trigger.as_str())
        };
        if let Some(found) = known(self.subscriptions().await?) {
            return Ok(found);
        }
        let body = json!({
            "url": url, "triggerType": trigger.as_str(), "secret": secret, "includeIdentifiers": "true",
        });
        let call = Call::post("subscribe", &["webhook", "subscriptions"]).elsewhere().json(&body);
        match self.ask_json(&call).await {
            Ok(made) => Ok(made),
            Err(error) => match self.subscriptions().await.map(known) {
                Ok(Some(found)) => Ok(found),
                _ => Err(error),
            },
        }
    }

    /// Lets somebody be told no more. One that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn unsubscribe(&self, id: &SubscriptionId) -> Result<()> {
        self.remove(&Call::delete("unsubscribe", &["webhook", "subscriptions", id.as_str()]).elsewhere())
            .await
    }
}
