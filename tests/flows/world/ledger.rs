//! What the ledger says: how items ended, and the audit.

use serde_json::Value;
use shared::{
    audit::{self, SealedEvent},
    context::Context,
    ledger::{Key, Ledger},
};

use super::World;

impl World {
    /// The ledger, read as any function reads it.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.place.dynamodb.clone(), &self.place.table, Context::system())
    }

    /// How each item ended, sorted: `delivered`, `skipped rule.none`, `quarantined …`, `failed …`, `in-progress`.
    pub(crate) async fn endings(&self) -> Vec<String> {
        let scanned = self.place.dynamodb.scan().table_name(&self.place.table).send().await.expect("scanned");
        let mut endings = Vec::new();
        for item in scanned.items.unwrap_or_default() {
            let text =
                |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
            if text("sk") == "record" && text("pk").starts_with(&format!("{}#item#", self.flow)) {
                let result: Value = serde_json::from_str(text("result")).unwrap_or_default();
                let code = result["reason"]["code"].as_str().unwrap_or_default();
                endings.push(format!("{} {code}", text("status")).trim_end().to_owned());
            }
        }
        endings.sort();
        endings
    }

    /// The audit of an asset, exported and verified as an outsider would.
    pub(crate) async fn audit(&self, asset: &str) -> Vec<SealedEvent> {
        let events = self.ledger().chain(asset).await.expect("the chain can be read");
        let lines: Vec<String> = events.iter().map(|event| event.canonical().expect("canonical")).collect();
        let end = events.last().map(|event| event.hash.as_str());
        audit::verify(&lines.join("\n"), end).expect("the chain verifies");
        events
    }

    /// The audit of a node of Content Server.
    pub(crate) async fn audit_of_node(&self, node: i64) -> Vec<SealedEvent> {
        self.audit(Key::of(&["content-server", &node.to_string()]).digest()).await
    }
}
