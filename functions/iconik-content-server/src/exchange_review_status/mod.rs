//! Exchanges the review of regulated assets between iconik and Content Server, and keeps evidence of it there.
//!
//! Trigger: a hint about an asset (webhook, custom action, sweep) or a change of its document. Whatever it says, both sides
//! are read; what is new, another or gone becomes an entry of the asset's chain, each under the identity of the event and
//! behind the ones before it; the chain lies in Content Server as a document that only grows, and verifies offline. Then each
//! side is told of the other: the document by a category, the asset by metadata, comment and history that name who decided,
//! and never as a verdict. A hint comes before iconik's index knows what it is about, so the asset is looked at once more.
//! Safe to repeat: an entry is appended only where the chain still ends as it was read; what is told carries the event's
//! identity, and who begins to tell it says so in the ledger before.

mod chain;
pub mod entries;
#[cfg(test)]
mod entries_tests;
mod evidence;
mod look;
mod sides;
mod standing;
mod tell;

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    audit::AuditEvent,
    content_server::{self, NodeId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Delivery, Flow, Item, Outcome, Parsed, Reason, Run},
    iconik::{self, Asset, AssetId, AssetStatus, ObjectRef},
    iconik_change::IconikChange,
    ledger::Key,
    mapping::Record,
    node_change::{Change, NodeChange},
    reason_file,
};

pub(crate) use self::sides::connect as connect_sides;
use self::{
    chain::Chain,
    entries::{Kind, Of, VERSION_DELETED, due, known},
    standing::detail,
};
use crate::{
    asset_metadata::AssetMetadata,
    review_rules::{ReviewRule, ReviewRules, SAMPLE},
};

pub(crate) const NAME: &str = "exchange-review-status";
/// The systems, as references in the ledger name them.
const ICONIK: &str = System::Iconik.name();
const CONTENT_SERVER: &str = System::ContentServer.name();
/// What the flow asks itself for when the index has had its time.
pub const LOOK_AGAIN: &str = "look-again";
/// How long something whose answer was lost may take to appear, before it is done again.
const SETTLING: Duration = Duration::from_secs(90);
/// The longest delay of a message, in seconds.
const LONGEST_DELAY: u64 = 900;
/// How often the chain is read anew because another worker appended to it.
const ROUNDS: usize = 20;

/// The flow.
pub struct ExchangeReviewStatus {
    content_server: content_server::Client,
    iconik: iconik::Client,
    environment: Environment,
    rules: ReviewRules,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewEvent {
    /// iconik, or the sweep over it, says something about an asset.
    Asset(IconikChange),
    /// A document changed.
    Document(NodeChange),
}

/// What an item is about.
struct Subject<'a> {
    asset: AssetId,
    object: ObjectRef,
    /// The document that the asset was filed as.
    document: Option<NodeId>,
    rule: &'a ReviewRule,
    /// The version that the hint names.
    named: Option<&'a str>,
    /// The item's number.
    item: String,
}

impl Flow for ExchangeReviewStatus {
    const NAME: &'static str = NAME;
    const SYSTEMS: &'static [System] = &[System::Iconik, System::ContentServer];
    type Event = ReviewEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = ReviewRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        Ok(Self {
            content_server: environment.content_server().await?,
            iconik: environment.iconik().await?,
            environment: environment.clone(),
            rules,
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<ReviewEvent>> {
        if let Ok(change) = NodeChange::parse(body) {
            return Ok(vec![ReviewEvent::Document(change)].into());
        }
        IconikChange::parse(body).map(|change| vec![ReviewEvent::Asset(change)].into())
    }

    fn item(&self, event: &ReviewEvent) -> Item {
        item(event)
    }

    async fn handle(&self, event: &ReviewEvent, run: &Run) -> Result<Outcome> {
        self.environment.renew_credential(&self.content_server).await?;
        self.environment.renew_iconik_credential(&self.iconik).await?;
        let (asset, named) = match event {
            ReviewEvent::Asset(change) if change.object_type != "assets" => {
                return skipped("object.not-an-asset", "only assets are reviewed");
            }
            ReviewEvent::Asset(change) => (change.object_id.clone(), change.version_id.as_deref()),
            ReviewEvent::Document(change) if change.change == Change::Removed => {
                return skipped("change.removed", "the document is not there any more");
            }
            ReviewEvent::Document(change) => {
                let node = change.node.to_string();
                match run.ledger().find_reference(CONTENT_SERVER, &node, ICONIK).await? {
                    Some(asset) => (asset, None),
                    None => {
                        return skipped(
                            "review.no-asset",
                            "no asset is known that was filed as this document",
                        );
                    }
                }
            }
        };
        run.note("asset", asset.as_str());
        Box::pin(self.review(&AssetId::new(&asset), named, event, run)).await
    }

    /// Writes the reason where people look. Both sides stay as they are, and the evidence keeps what it has.
    async fn put_aside(&self, event: &ReviewEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let (system, name, source) = match event {
            ReviewEvent::Asset(change) => {
                let source = json!({"asset": change.object_id, "version": change.version_id});
                (ICONIK, change.object_id.clone(), source)
            }
            ReviewEvent::Document(change) => {
                (CONTENT_SERVER, change.node.to_string(), json!({ "node": change.node }))
            }
        };
        reason_file::write(&self.environment, NAME, &item(event), (system, &name, source), reason, run).await
    }
}

impl ExchangeReviewStatus {
    async fn review(
        &self,
        id: &AssetId,
        named: Option<&str>,
        event: &ReviewEvent,
        run: &Run,
    ) -> Result<Outcome> {
        let asset = match self.iconik.find_asset(id).await? {
            None => return skipped("asset.gone", "the asset is not there any more"),
            Some(asset) if asset.status == AssetStatus::Deleted => {
                return skipped("asset.in-recycle-bin", "the asset is in the recycle bin");
            }
            Some(asset) => asset,
        };
        let Some(rule) = self.rules.choose(&self.record(&asset).await?) else {
            return skipped("rule.none", "no rule says that the asset is regulated");
        };
        run.note("rule", rule.name.as_str());
        let object = ObjectRef::Assets(asset.id.clone());
        let document = self.document(&object, run).await?;
        if document.is_none() && rule.evidence.is_none() {
            return Err(Error::invalid(
                "review.no-document",
                "the asset was filed as no document, and the rule names no folder",
            )
            .remedy("name a folder in `evidence`, or send the asset's change again when it is filed"));
        }
        let subject = Subject {
            object,
            document,
            rule,
            named,
            item: item(event).key.digest().to_owned(),
            asset: asset.id.clone(),
        };
        if run.is_dry() {
            return skipped("dry-run", &format!("the rule {} would keep evidence of its review", rule.name));
        }
        if let ReviewEvent::Asset(change) = event {
            self.ask_again(change, run).await?;
        }
        let lock = run.ledger().lock(NAME, &format!("asset-{}", asset.id), run.lease_until()).await?;
        let lock =
            lock.ok_or_else(|| again("review.busy", "another change of this asset is being dealt with"))?;
        let outcome = Box::pin(self.exchange(&subject, run)).await;
        run.leave_after(&lock, outcome, SETTLING).await
    }

    /// Comments are listed from an index that lags: what a hint is about may not be there yet. So the flow sends itself the
    /// hint once more, for when the index has had its time.
    async fn ask_again(&self, change: &IconikChange, run: &Run) -> Result<()> {
        if change.request.as_deref() == Some(LOOK_AGAIN) {
            return Ok(());
        }
        let later = IconikChange { request: Some(LOOK_AGAIN.to_owned()), ..change.clone() };
        let body = later.envelope(NAME, NAME, run.context())?;
        let delay = self.iconik.settings().index_patience_seconds.min(LONGEST_DELAY);
        let delay = i32::try_from(delay).unwrap_or_default();
        self.environment.send_to_own_queue("ask again", body, delay).await
    }

    /// What rules may read of an asset.
    async fn record(&self, asset: &Asset) -> Result<Record> {
        let mut record = Record::new().with(
            "asset",
            json!({
                "id": asset.id, "title": asset.title, "type": asset.kind, "category": asset.category,
                "external_id": asset.external_id,
            }),
        );
        for (name, view) in &self.rules.views {
            let values = AssetMetadata::read(&self.iconik, &asset.id, view).await?;
            record = record.with(name, values.for_mapping());
        }
        Ok(record)
    }

    /// The document that an asset was filed as. Either leads to the other from then on.
    async fn document(&self, object: &ObjectRef, run: &Run) -> Result<Option<NodeId>> {
        let Some((node, is_noted)) = self.document_of(object).await? else { return Ok(None) };
        if !is_noted && !run.is_dry() {
            let (ledger, number, asset) = (run.ledger(), node.to_string(), object.id());
            ledger.put_reference(CONTENT_SERVER, &number, ICONIK, asset).await?;
            ledger.put_reference(ICONIK, asset, CONTENT_SERVER, &number).await?;
        }
        Ok(Some(node))
    }

    /// The document that an asset was filed as: noted in the ledger, or said by the asset. The second value says whether the
    /// ledger knows it.
    async fn document_of(&self, object: &ObjectRef) -> Result<Option<(NodeId, bool)>> {
        let ledger = &self.environment.ledger;
        if let Some(node) = ledger.find_reference(ICONIK, object.id(), CONTENT_SERVER).await? {
            return Ok(node.parse().ok().map(|node| (NodeId(node), true)));
        }
        let (view, field) = &self.rules.document;
        let values = self.iconik.get_metadata(object, view).await?;
        let told = values.text(field).and_then(|text| text.trim().parse().ok());
        Ok(told.map(|node| (NodeId(node), false)))
    }

    async fn exchange(&self, subject: &Subject<'_>, run: &Run) -> Result<Outcome> {
        let (asset, chain) = self.keep(subject, run).await?;
        let entries = chain.entries.len();
        let kept = match entries {
            0 => None,
            _ => Some(self.keep_evidence(subject, &chain, run).await?),
        };
        let told = self.tell(subject, &asset, &chain.entries, run).await?;
        // By this attempt or an earlier one.
        let added: Vec<&AuditEvent> = chain
            .entries
            .iter()
            .map(|entry| &entry.event)
            .filter(|event| event.item == subject.item)
            .collect();
        // It is in the evidence; nobody is told of it as of an approval, and a person has to look, once: the review is one
        // entry, while what its reviewers say may have been added by several items.
        let is_of_review = |event: &&&AuditEvent| detail(event, "kind") == Some(Kind::Review.name());
        if added.iter().filter(is_of_review).any(|event| detail(event, "notice") == Some(VERSION_DELETED)) {
            let message = "a version was approved that is not there any more";
            return Err(Error::invalid(VERSION_DELETED, message).remedy(
                "have the version that takes its place reviewed; the evidence has who approved, and when",
            ));
        }
        let wrote = kept.as_ref().is_some_and(|kept| kept.written);
        if added.is_empty() && !wrote && told == 0 {
            return skipped("review.unchanged", "nothing is new on either side");
        }
        let node = kept.map(|kept| kept.node.to_string()).unwrap_or_default();
        let end = chain.end().to_owned();
        let facts = [
            ("added", added.len().to_string()),
            ("entries", entries.to_string()),
            ("evidence", node),
            ("end", end),
        ];
        Ok(Outcome::Delivered(Delivery {
            result: json!({"added": added.len(), "entries": entries, "told": told}),
            digest: None,
            bytes: 0,
            detail: facts.map(|(name, fact)| (name.to_owned(), fact)).into(),
        }))
    }

    /// Appends what is due to the chain; gives the asset as it was looked at.
    async fn keep(&self, subject: &Subject<'_>, run: &Run) -> Result<(Asset, Chain)> {
        for _ in 0..ROUNDS {
            let mut chain = Chain::read(run.ledger(), subject.asset.as_str()).await?;
            let known = known(&chain.entries);
            let seen = self.look(subject, &known).await?;
            let of = Of { asset: subject.asset.as_str(), item: &subject.item, now: run.context().now() };
            let mut overtaken = false;
            for entry in due(&known, &seen.now, &seen.gone, &of)? {
                if !chain.append(run.ledger(), &entry).await? {
                    overtaken = true;
                    break;
                }
            }
            if !overtaken {
                return Ok((seen.asset, chain));
            }
        }
        Err(again("review.busy", "others keep adding to the evidence of this asset"))
    }
}

fn item(event: &ReviewEvent) -> Item {
    let (key, asset, asset_text) = match event {
        ReviewEvent::Asset(change) => (
            change.key(),
            Key::of(&[ICONIK, &change.object_id]),
            format!("{} {}", change.object_type, change.object_id),
        ),
        ReviewEvent::Document(change) => {
            let node = change.node.to_string();
            (change.key(), Key::of(&[CONTENT_SERVER, &node]), format!("node {node}"))
        }
    };
    Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// Somebody else is at work: the item is tried again.
fn again(code: &'static str, message: &str) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "exchange review", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
