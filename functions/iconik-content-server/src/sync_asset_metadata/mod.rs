//! Keeps mapped fields of an asset in iconik and of its document in Content Server equal, by a three-way [`merge`](merge::merge)
//! against what both agreed on last.
//!
//! Trigger: a hint about the asset (webhook, custom action, sweep), a change of the document, a person's decision. Whatever it
//! says, both sides are read. Safe to repeat: a pair is worked on under a lock; conflicts and what is about to be written are
//! kept before anything is written; the document is written on the condition of the token it was read with, the asset is read
//! again immediately before and after; and a write that is found done is an agreement. The echo of a write finds both sides
//! equal and ends there.

pub mod content;
mod content_server_side;
mod iconik_side;
pub mod memory;
pub mod merge;
mod pair;
pub mod proof;
mod sides;
pub mod state;

#[cfg(test)]
mod content_tests;
#[cfg(test)]
mod convergence;
#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod model;

use std::{sync::OnceLock, time::Duration};

use serde_json::{Value, json};
use shared::{
    content_server::{self, AttributeValue, NodeId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    iconik::{self, AssetId, UserId, ViewId},
    iconik_change::IconikChange,
    ledger::Key,
    node_change::{Change, NodeChange},
    reason_file,
};

use self::memory::Memory;
pub(crate) use self::sides::connect as connect_sides;
use crate::{
    sides::find_node,
    sync_rules::{SAMPLE, SyncRules},
};

/// The systems, as references in the ledger name them.
const ICONIK: &str = System::Iconik.name();
const CONTENT_SERVER: &str = System::ContentServer.name();

/// How long a write whose answer was lost may still take effect: so long nobody else works on the pair.
const SETTLING: Duration = Duration::from_secs(90);

/// What an asset or a document is one half of.
enum Found {
    Pair(AssetId, NodeId),
    Nothing,
    /// The document names an asset that has another document.
    Copy {
        of: i64,
    },
}

/// The flow.
pub struct SyncAssetMetadata {
    content_server: content_server::Client,
    iconik: iconik::Client,
    environment: Environment,
    memory: Memory,
    rules: SyncRules,
    ourselves: OnceLock<UserId>,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEvent {
    /// iconik, or the sweep over it, says something about an asset.
    Asset(IconikChange),
    /// A document changed, or a person decided a conflict of it.
    Document(NodeChange),
}

impl Flow for SyncAssetMetadata {
    const NAME: &'static str = memory::FLOW;
    const SYSTEMS: &'static [System] = &[System::Iconik, System::ContentServer];
    type Event = SyncEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = SyncRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        Ok(Self {
            content_server: environment.content_server().await?,
            iconik: environment.iconik().await?,
            environment: environment.clone(),
            memory: Memory::new(environment.ledger.clone()),
            rules,
            ourselves: OnceLock::new(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<SyncEvent>> {
        if let Ok(change) = NodeChange::parse(body) {
            return Ok(vec![SyncEvent::Document(change)].into());
        }
        IconikChange::parse(body).map(|change| vec![SyncEvent::Asset(change)].into())
    }

    fn item(&self, event: &SyncEvent) -> Item {
        let (key, asset, asset_text) = match event {
            SyncEvent::Asset(change) => (
                change.key(),
                Key::of(&["iconik", &change.object_id]),
                format!("{} {}", change.object_type, change.object_id),
            ),
            SyncEvent::Document(change) => {
                let node = change.node.to_string();
                (change.key(), Key::of(&["content-server", &node]), format!("node {node}"))
            }
        };
        Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
    }

    async fn handle(&self, event: &SyncEvent, run: &Run) -> Result<Outcome> {
        self.environment.renew_credential(&self.content_server).await?;
        self.environment.renew_iconik_credential(&self.iconik).await?;
        let found = match event {
            SyncEvent::Asset(change) if change.object_type != "assets" => {
                return skipped("sync.no-asset", "it is about something else than an asset");
            }
            SyncEvent::Asset(change) => self.of_asset(&change.object_id, run).await?,
            SyncEvent::Document(change) => match (change.change, change.request.as_deref()) {
                (Change::Removed, _) => {
                    return skipped("change.removed", "the document is not there any more");
                }
                (_, None | Some("sync")) => self.of_document(change.node, run).await?,
                (_, Some(_)) => return skipped("request.not-ours", "the request is for another flow"),
            },
        };
        let (asset, node) = match found {
            Found::Pair(asset, node) => (asset, node),
            Found::Nothing => return skipped("sync.no-pair", "there is nothing on the other side"),
            Found::Copy { of } => {
                return skipped("sync.copy", &format!("it is a copy of the asset's document, node {of}"));
            }
        };
        run.note("asset", asset.as_str());
        run.note("node", node.to_string());
        let lock = run.ledger().lock(Self::NAME, &format!("pair-{asset}"), run.lease_until()).await?;
        let lock =
            lock.ok_or_else(|| again("sync.busy", "another change of this pair is being dealt with"))?;
        let outcome = self.bring_together(&asset, node, run).await;
        run.leave_after(&lock, outcome, SETTLING).await
    }

    /// Writes the reason where people look. Both sides stay as they are.
    async fn put_aside(&self, event: &SyncEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let item = self.item(event);
        let (name, source) = match event {
            SyncEvent::Asset(change) => (change.object_id.clone(), json!({ "asset": change.object_id })),
            SyncEvent::Document(change) => (change.node.to_string(), json!({ "node": change.node })),
        };
        reason_file::write(&self.environment, Self::NAME, &item, ("iconik", &name, source), reason, run).await
    }
}

impl SyncAssetMetadata {
    /// The pair of an asset, which is noted where it was not yet.
    async fn of_asset(&self, asset: &str, run: &Run) -> Result<Found> {
        let id = AssetId::new(asset);
        match self.document_of(&id).await? {
            Some((node, true)) => Ok(Found::Pair(id, node)),
            Some((node, false)) => self.note_pair(id, node, run).await,
            None => Ok(Found::Nothing),
        }
    }

    /// The document of an asset: by what whoever filed it noted in the ledger, or by what the asset says itself. The second
    /// value says whether the ledger knows it.
    async fn document_of(&self, asset: &AssetId) -> Result<Option<(NodeId, bool)>> {
        let noted = self.environment.ledger.find_reference(ICONIK, asset.as_str(), CONTENT_SERVER).await?;
        if let Some(node) = noted {
            return Ok(node.parse().ok().map(|node| (NodeId(node), true)));
        }
        let Some((view, field)) = &self.rules.node else { return Ok(None) };
        let values = self.iconik.get_metadata(&asset.clone().into(), &ViewId::new(view)).await?;
        let told = values.text(field).and_then(|text| text.trim().parse().ok());
        Ok(told.map(|node| (NodeId(node), false)))
    }

    /// The pair of a document, in the same way. A copy of a document names the same asset as the document, which keeps its
    /// place as long as it is there.
    async fn of_document(&self, node: i64, run: &Run) -> Result<Found> {
        let noted = run.ledger().find_reference(CONTENT_SERVER, &node.to_string(), ICONIK).await?;
        if let Some(asset) = noted {
            return Ok(Found::Pair(AssetId::new(&asset), NodeId(node)));
        }
        let Some(attribute) = &self.rules.asset else { return Ok(Found::Nothing) };
        let category = self.content_server.resolve_category(&self.rules.category).await?.id;
        let present = match self.content_server.get_categories(NodeId(node)).await {
            Err(error) if error.class() == FailureClass::Gone => return Ok(Found::Nothing),
            present => present?.into_iter().find(|values| values.category() == category),
        };
        let Some(present) = present else { return Ok(Found::Nothing) };
        let definition = self.content_server.category_definition(category, NodeId(node)).await?;
        let value = definition.attribute(attribute).and_then(|attribute| present.get(&attribute.key));
        let asset = match value {
            Some(AttributeValue::Text(asset)) if !asset.trim().is_empty() => asset.trim(),
            _ => return Ok(Found::Nothing),
        };
        let own = run.ledger().find_reference(ICONIK, asset, CONTENT_SERVER).await?;
        if let Some(own) = own.and_then(|own| own.parse().ok()).filter(|own| *own != node)
            && find_node(&self.content_server, NodeId(own)).await?.is_some()
        {
            return Ok(Found::Copy { of: own });
        }
        self.note_pair(AssetId::new(asset), NodeId(node), run).await
    }

    /// Notes which asset and document belong together, so that either leads to the other.
    async fn note_pair(&self, asset: AssetId, node: NodeId, run: &Run) -> Result<Found> {
        if !run.is_dry() {
            let (ledger, number) = (run.ledger(), node.to_string());
            ledger.put_reference(CONTENT_SERVER, &number, ICONIK, asset.as_str()).await?;
            ledger.put_reference(ICONIK, asset.as_str(), CONTENT_SERVER, &number).await?;
        }
        Ok(Found::Pair(asset, node))
    }

    /// The user as whom we write in iconik.
    async fn ourselves(&self) -> Result<UserId> {
        if let Some(user) = self.ourselves.get() {
            return Ok(user.clone());
        }
        let user = self.iconik.get_current_user().await?.id;
        Ok(self.ourselves.get_or_init(|| user).clone())
    }
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "sync", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
