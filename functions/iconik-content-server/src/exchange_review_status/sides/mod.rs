//! The two sides of `exchange-review-status`: the reviews of regulated assets and the states of their documents, and what is
//! kept and told of them: the evidence, the category of the document, fields, comments and history of the asset.
//!
//! Whatever is missing is put right by one message about the asset: the flow reads both sides itself, appends what is not in the
//! chain yet, and never changes what is. What somebody altered in the evidence, or took out of iconik, is a person's business.

mod kept;
mod target;
mod told;

use serde::{Deserialize, Serialize};
use shared::{
    audit::SealedEvent,
    content_server::{NodeId, NodePath, Root, volume},
    environment::Environment,
    error::{Error, Result},
    flow::Flow,
    iconik::{Asset, AssetId, AssetStatus, ObjectRef},
    reconcile::{
        Account, Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Walk, Words,
        read_cursor, write_cursor,
    },
};

use super::{ExchangeReviewStatus, NAME, Subject, chain::Chain, entries::known, standing::detail};
use crate::sides::{self, account, events, find_node, list_assets, listed_id, look_again};

/// The sides.
struct ReviewSides {
    flow: ExchangeReviewStatus,
    walk: Walk,
    collections: Vec<String>,
}

/// Where the listing of what is kept and told is: documents first, then assets.
#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    in_assets: bool,
    at: Option<String>,
}

/// Something that may have been kept or told.
#[derive(Serialize, Deserialize)]
enum Thing {
    Document(i64),
    Asset(String),
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = ExchangeReviewStatus::connect(environment).await?;
        let collections = scope.collections.clone();
        Ok(Box::new(ReviewSides { flow, walk: Walk::default(), collections }) as Box<dyn Sides>)
    })
}

impl Sides for ReviewSides {
    fn words(&self) -> Words {
        Words {
            source: "reviews of regulated assets, and states of their documents".into(),
            target: "evidence, and what each side was told of the other".into(),
            missing: "find out who took it away: what was told once is not told again".into(),
            different:
                "look who changed it: the chain in the ledger says what was recorded, and verifies offline"
                    .into(),
            extra: "find out who made it: nothing in the record stands behind it".into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => list_assets(&self.flow.iconik, &self.collections, cursor.as_deref()).await,
                Side::Target => self.kept_behind(read_cursor(cursor.as_deref())?).await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, _: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            if side == Side::Source {
                return Box::pin(self.asset(&AssetId::new(listed_id(listed)?))).await;
            }
            let thing = serde_json::from_value(listed.facts.clone())
                .map_err(|error| Error::bug("look", "what was listed cannot be read").source(error))?;
            match thing {
                Thing::Document(node) => {
                    let found = Box::pin(self.evidence_there(NodeId(node))).await?;
                    Ok(found.into_iter().collect())
                }
                Thing::Asset(id) => Box::pin(self.comments_there(&AssetId::new(id))).await,
            }
        })
    }
}

impl ReviewSides {
    /// Where evidence may be: the folders of the rules; everywhere where a rule keeps it beside the documents.
    async fn kept_behind(&self, cursor: Cursor) -> Result<Page> {
        if cursor.in_assets {
            let page = list_assets(&self.flow.iconik, &self.collections, cursor.at.as_deref()).await?;
            let items = page.items.iter().map(|listed| {
                Ok(Listed {
                    key: listed.key.clone(),
                    facts: facts(&Thing::Asset(listed_id(listed)?.into()))?,
                })
            });
            let next = page.next.clone().map(|next| Cursor { in_assets: true, at: Some(next) });
            let next = next.as_ref().map(write_cursor).transpose()?;
            return Ok(Page { items: items.collect::<Result<_>>()?, next });
        }
        let everywhere = NodePath { root: Root::Volume(volume::ENTERPRISE), segments: Vec::new() };
        let client = &self.flow.content_server;
        let mut roots = Vec::new();
        for rule in &self.flow.rules.rules {
            roots.push(client.resolve_path(rule.evidence.as_ref().unwrap_or(&everywhere)).await?.id);
        }
        roots.sort_unstable();
        roots.dedup();
        let page = self.walk.page(client, &roots, cursor.at.as_deref()).await?;
        let items = page.items.iter().map(|listed| {
            let node = listed.facts.as_i64().unwrap_or_default();
            Ok(Listed { key: listed.key.clone(), facts: facts(&Thing::Document(node))? })
        });
        let next = match page.next.clone() {
            Some(next) => Cursor { in_assets: false, at: Some(next) },
            None => Cursor { in_assets: true, at: None },
        };
        Ok(Page { items: items.collect::<Result<_>>()?, next: Some(write_cursor(&next)?) })
    }

    /// A regulated asset: each thing of its review, its evidence, and what both sides were told.
    async fn asset(&self, id: &AssetId) -> Result<Vec<Pair>> {
        let found = self.flow.iconik.find_asset(id).await?;
        let Some(asset) = found.filter(|asset| asset.status != AssetStatus::Deleted) else {
            return Ok(Vec::new());
        };
        let Some(rule) = self.flow.rules.choose(&self.flow.record(&asset).await?) else {
            return Ok(Vec::new());
        };
        let object = ObjectRef::Assets(asset.id.clone());
        let mut pairs = Vec::new();
        let mut document = self.flow.document_of(&object).await?.map(|(node, _)| node);
        if let Some(node) = document
            && find_node(&self.flow.content_server, node).await?.is_none()
        {
            pairs.push(without_document(&asset, node));
            document = None;
        }
        let (asset_id, item) = (asset.id.clone(), String::new());
        let subject = Subject { asset: asset_id, object, document, rule, named: None, item };
        let chain = Chain::read(&self.flow.environment.ledger, id.as_str()).await?;
        let known = known(&chain.entries);
        let seen = self.flow.look(&subject, &known).await?;
        if document.is_none() && rule.evidence.is_none() {
            // There is no place for evidence; and nothing to keep, as long as nobody has said anything.
            if pairs.is_empty() && !seen.now.is_empty() {
                pairs.push(self.not_filed(&asset).await?);
            }
            return Ok(pairs);
        }
        let account = self.account(id).await?;
        pairs.extend(self.things(&asset, &known, &seen, &account)?);
        pairs.extend(self.evidence(&subject, &asset, &chain, &account).await?);
        pairs.extend(self.told_content_server(&subject, &seen.asset, &chain).await?);
        pairs.extend(self.told_iconik(&subject, &asset, &chain).await?);
        Ok(pairs)
    }

    /// A regulated asset that was filed as no document, and whose rule names no folder.
    async fn not_filed(&self, asset: &Asset) -> Result<Pair> {
        let mut pair = pair(asset, "", format!("review of {}", asset.title));
        pair.changed = asset.modified;
        pair.source = Seen::There(Facts::default());
        pair.account = self.account(&asset.id).await?;
        pair.note = Some("It was filed as no document, and its rule names no folder for evidence.".into());
        pair.if_missing = Some(self.again(&asset.id)?);
        Ok(pair)
    }

    /// How the last item about an asset ended, as far as that explains a gap.
    async fn account(&self, id: &AssetId) -> Result<Account> {
        let chain = sides::asset(id.as_str());
        let events = events(&self.flow.environment.ledger, NAME, &chain, None).await?;
        Ok(account(events.first(), &[]))
    }

    /// Lets the flow read both sides again.
    fn again(&self, id: &AssetId) -> Result<Again> {
        look_again(NAME, &self.flow.environment.context, ("assets", id.as_str()), None, None)
    }
}

/// The document that an asset was filed as is gone.
fn without_document(asset: &Asset, node: NodeId) -> Pair {
    let mut pair = pair(asset, &format!("document {node}"), asset.title.clone());
    pair.changed = asset.modified;
    pair.source = Seen::There(Facts::default());
    pair.note =
        Some(format!("Node {node} was deleted in Content Server, or the service user may not see it."));
    pair
}

/// Something of an asset, of which nothing is known yet.
fn pair(asset: &Asset, what: &str, name: String) -> Pair {
    let key = format!("asset {} {what}", asset.id);
    Pair::new(key.trim_end(), name, sides::asset(asset.id.as_str()))
}

/// When the last entry of a chain was added.
fn observed(entries: &[SealedEvent]) -> Option<jiff::Timestamp> {
    entries.last().and_then(|last| detail(&last.event, "observed")?.parse().ok())
}

/// Facts of which only the state counts.
fn state(words: impl Into<String>) -> Seen {
    Seen::There(Facts { state: Some(words.into()), ..Facts::default() })
}

fn facts(thing: &Thing) -> Result<serde_json::Value> {
    serde_json::to_value(thing)
        .map_err(|error| Error::bug("list", "what is listed is not JSON").source(error))
}
