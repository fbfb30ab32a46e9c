//! Shows documents of a workspace in the collections of iconik that belong to it: as assets of the type LINK, or as addresses in
//! a field. No content is copied; what is confidential is never shown.
//!
//! Trigger: the change feed of Content Server. A message is only a hint: Content Server is asked what the document is now,
//! and what iconik shows of it is brought into line with that, under a lock, until another look says the same. So messages
//! may come twice and in any order. A message about a workspace or folder becomes one for each thing in it.
//!
//! Safe to repeat: a link asset bears node and collection as its external id and is looked for by it, and what is shown
//! where is remembered before and after it is made; an address in a field is there or is not.

mod address;
mod collections;
mod confidential;
mod link_asset;
mod link_field;
mod memory;
mod related;
mod settle;
mod sides;
mod spread;
mod standing;
mod withdraw;

use std::time::Duration;

use serde_json::json;
use shared::{
    content_server::{self, NodeId, places::Places},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    flow_queues::FlowQueues,
    iconik,
    ledger::{Key, Lock},
    node_change::NodeChange,
    reason_file,
};

pub(crate) use self::sides::connect as connect_sides;
use crate::link_rules::{LinkRules, SAMPLE};

/// How long a request whose answer was lost may still take effect.
const SETTLING: Duration = Duration::from_secs(90);

/// Why an item waits for another one.
const BUSY: &str = "link.busy";

/// What people and workflow steps may ask for.
const REQUEST: &str = "link";

/// The flow.
pub struct LinkReferences {
    content_server: content_server::Client,
    iconik: iconik::Client,
    environment: Environment,
    own_queue: FlowQueues,
    rules: LinkRules,
    places: Places,
}

impl Flow for LinkReferences {
    const NAME: &'static str = "link-references";
    const SYSTEMS: &'static [System] = &[System::ContentServer, System::Iconik];
    type Event = NodeChange;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = LinkRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        Ok(Self {
            content_server: environment.content_server().await?,
            iconik: environment.iconik().await?,
            environment: environment.clone(),
            own_queue: FlowQueues::of_own(environment, Self::NAME),
            rules,
            places: Places::default(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<NodeChange>> {
        NodeChange::parse(body).map(|change| vec![change].into())
    }

    fn item(&self, change: &NodeChange) -> Item {
        let key = change.key();
        Item {
            payload_hash: key.digest().to_owned(),
            key,
            asset: Key::of(&["content-server", &change.node.to_string()]).digest().to_owned(),
            asset_text: format!("node {}", change.node),
        }
    }

    async fn handle(&self, change: &NodeChange, run: &Run) -> Result<Outcome> {
        let node = NodeId(change.node);
        run.note("node", node.to_string());
        if !matches!(change.request.as_deref(), None | Some(REQUEST)) {
            return skipped("request.not-ours", "the request is for another flow");
        }
        self.environment.renew_credential(&self.content_server).await?;
        self.environment.renew_iconik_credential(&self.iconik).await?;
        let lock = self.lock(&format!("node-{node}"), run).await?;
        let outcome = Box::pin(self.settle(change, run)).await;
        self.leave(&lock, outcome, run).await
    }

    /// Writes the reason where people look. What is shown stays as it is.
    async fn put_aside(&self, change: &NodeChange, reason: &Reason, run: &Run) -> Result<serde_json::Value> {
        let (item, name) = (self.item(change), change.node.to_string());
        let source = json!({ "node": change.node });
        reason_file::write(&self.environment, Self::NAME, &item, ("iconik", &name, source), reason, run).await
    }
}

impl LinkReferences {
    /// One worker at a time works on what is shown of a node, or on a field.
    async fn lock(&self, name: &str, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, name, run.lease_until()).await?;
        lock.ok_or_else(|| again(BUSY, "another change of the same thing is being dealt with"))
    }

    /// Gives a lock back; after a request whose answer was lost only when it cannot take effect any more.
    async fn leave<T>(&self, lock: &Lock, outcome: Result<T>, run: &Run) -> Result<T> {
        run.leave_after(lock, outcome, SETTLING).await
    }
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    again_after(code, message, Duration::from_secs(5))
}

/// To be tried again after a while.
fn again_after(code: &'static str, message: impl Into<String>, pause: Duration) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "link", code, message).retry(Retry::After(pause))
}
