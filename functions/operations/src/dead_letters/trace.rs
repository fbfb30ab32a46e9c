//! What the ledger knows of the items of a dead letter.

use s3_content_server::FLOWS;
use serde::Serialize;
use shared::{
    audit::SealedEvent,
    batch,
    error::{Error, Result},
};

use super::{DeadLetters, Letter};

/// The items of a letter.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// Those that could be read from it.
    pub items: Vec<TracedItem>,
    /// Why parts of it are no item.
    pub refused: Vec<String>,
}

/// An item, and what became of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TracedItem {
    /// Its key in the ledger.
    pub item: String,
    /// What it is about, in words.
    pub about: String,
    /// The asset whose audit chain tells of it.
    pub asset: String,
    /// How it ended; nothing while it has not, or when the ledger does not know it.
    pub ending: Option<&'static str>,
    /// The reason code it ended with.
    pub code: Option<String>,
    /// When it was claimed last.
    pub claimed: Option<String>,
    /// Its events in the chain: place, time, type and outcome.
    pub events: Vec<String>,
}

impl DeadLetters {
    /// What the ledger knows of a letter's items. The flow itself reads the letter, so its settings have to be there.
    ///
    /// # Errors
    /// When nobody knows the flow, it cannot be connected, or the ledger cannot be reached.
    pub async fn trace(&self, letter: &Letter) -> Result<Trace> {
        let name = letter.flow().unwrap_or_default();
        let entry = FLOWS.iter().find(|entry| entry.name == name).ok_or_else(|| {
            Error::configuration("flow.unknown", format!("no flow called {name:?} is known here"))
                .remedy("letters that the queue moved by itself carry no name; their items never ended")
        })?;
        let flow = entry.connect(&self.environment).await?;
        let parsed = match flow.parse(&batch::original_body(&letter.body)) {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Trace { items: Vec::new(), refused: vec![error.to_string()] }),
        };
        let ledger = &self.environment.ledger;
        let mut items = Vec::new();
        for event in &parsed.events {
            let item = event.item();
            let known = ledger.known(entry.name, &item.key).await?;
            let chain = ledger.chain(&item.asset).await?;
            let events = chain.iter().filter(|sealed| sealed.event.item == item.key.digest());
            items.push(TracedItem {
                item: item.key.digest().to_owned(),
                about: item.asset_text.clone(),
                asset: item.asset.clone(),
                ending: known.as_ref().and_then(|known| known.ending).map(|ending| ending.name()),
                code: known.as_ref().and_then(|known| known.reason_code()).map(str::to_owned),
                claimed: known.map(|known| known.claimed.to_string()),
                events: events.map(line).collect(),
            });
        }
        let refused = parsed.refused.iter().map(|reason| format!("{} ({})", reason.message, reason.code));
        Ok(Trace { items, refused: refused.collect() })
    }
}

fn line(sealed: &SealedEvent) -> String {
    let word = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let event = &sealed.event;
    let (kind, outcome) =
        (word(serde_json::to_value(event.event_type)), word(serde_json::to_value(event.outcome)));
    format!("{} {} {kind} {outcome}", sealed.sequence, event.event_date_time)
}
