//! What people see of processes: the only way to follow an ingest that gave no token.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::failure,
    ids::{MonitorId, Reference},
    search::Envelope,
};
use crate::error::{FailureClass, Result};

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Monitor {
    /// Its id.
    #[serde(rename = "mappedId")]
    pub id: MonitorId,
    /// Its name: that of the package, or of the folder that is taken in.
    #[serde(default)]
    pub name: String,
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Suspended`, `Recoverable`.
    #[serde(default)]
    pub status: String,
    /// `Ingest`, `Export`, `DataManagement`, `Automated`.
    #[serde(default)]
    pub category: String,
    /// Warnings so far.
    #[serde(default, deserialize_with = "count")]
    pub warnings: u64,
    /// Errors so far.
    #[serde(default, deserialize_with = "count")]
    pub errors: u64,
}

impl Monitor {
    /// Nothing more happens by itself: what is suspended or recoverable waits for a person.
    pub fn is_over(&self) -> bool {
        !matches!(self.status.as_str(), "Pending" | "Running")
    }
}

/// What a process said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// `Info`, `Warning`, `Error`, `Debug`.
    #[serde(default)]
    pub status: String,
    /// The key of the sentence.
    #[serde(default, deserialize_with = "text")]
    pub message: String,
    /// The sentence for people.
    #[serde(default, rename = "displayMessage", deserialize_with = "text")]
    pub sentence: String,
    /// The file it is about.
    #[serde(default, deserialize_with = "text")]
    pub path: String,
    /// What its source calls the entity.
    #[serde(default, rename = "sourceId")]
    pub source: Option<String>,
    /// The entity.
    #[serde(default, rename = "entityRef")]
    pub entity: Option<Reference>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    paging: Paging,
    #[serde(default)]
    monitors: Vec<Value>,
    #[serde(default)]
    messages: Vec<Value>,
}

#[derive(Deserialize, Default)]
struct Paging {
    #[serde(default)]
    next: Option<String>,
}

/// A count, from a number or a text of digits.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let read = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    Ok(read.unwrap_or_default())
}

/// A text, from a text or anything else as JSON; none from null.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

impl Client {
    /// The processes of a name, newest first as the server has them.
    ///
    /// # Errors
    /// As any call.
    pub async fn monitors(&self, name: &str) -> Result<Vec<Monitor>> {
        let call = Call::get("list monitors", &["processmonitor", "monitors"]).elsewhere();
        let call = call.query("name", name).query("start", 0).query("max", self.settings.page_size);
        self.monitored(call, |page| page.monitors).await
    }

    /// What a process said.
    ///
    /// # Errors
    /// As any call.
    pub async fn messages(&self, id: &MonitorId) -> Result<Vec<Message>> {
        let call = Call::get("list messages", &["processmonitor", "messages"]).elsewhere();
        let call = call.query("monitor", id).query("start", 0).query("max", self.settings.page_size);
        self.monitored(call, |page| page.messages).await
    }

    async fn monitored<T: serde::de::DeserializeOwned>(
        &self,
        first: Call,
        pick: fn(Page) -> Vec<Value>,
    ) -> Result<Vec<T>> {
        let operation = first.operation();
        let (mut all, mut next, mut seen) = (Vec::new(), Some(first), std::collections::HashSet::new());
        while let Some(call) = next.take() {
            let envelope: Envelope<Page> = self.ask_json(&call).await?;
            let page = envelope.open(operation)?;
            let address = page.paging.next.clone().filter(|address| !address.is_empty());
            let entries = pick(page);
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                let read = T::deserialize(entry);
                all.push(read.map_err(|error| {
                    super::error::unexpected(operation, super::error::Effect::Read, error)
                })?);
            }
            if let Some(address) = address {
                let target = self.own_target(operation, &address)?;
                if !seen.insert(target.clone()) {
                    let message = "the list says that a page follows which was there before";
                    return Err(failure(
                        FailureClass::Forbidden,
                        operation,
                        "preservica.endless-list",
                        message,
                    ));
                }
                next = Some(Call::follow(operation, &target));
            }
        }
        Ok(all)
    }
}
