//! The two sides of `link-references`: documents that are to be shown, collection by collection, and what iconik shows.
//!
//! What is to be shown is what the flow itself would say at this moment: Content Server is asked, confidential things first. So
//! whatever differs is put right by one message about the document, which cannot show what may not be shown; and what it
//! withdraws is shown again when Content Server says so, as no content is in it.

mod source;
mod target;

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{NodeId, NodePath, Root, volume},
    environment::Environment,
    error::{Error, FailureClass, Result},
    flow::Flow,
    iconik::{Asset, AssetId, AssetStatus, CollectionId},
    ledger::Key,
    reconcile::{
        Account, Again, Eventual, Listed, Look, Page, Pair, Scope, Side, Sides, Walk, Words, read_cursor,
        write_cursor,
    },
};

use super::{LinkReferences, REQUEST, address::external_id, memory::Shown, standing::Standing};
use crate::sides::{account, events, list_assets, list_collections, listed_id, look_at_node};

/// The sides.
struct LinkSides {
    flow: LinkReferences,
    walk: Walk,
    collections: Vec<String>,
}

/// Where the listing of iconik is: the assets first, then the collections.
#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    in_collections: bool,
    at: Option<String>,
}

/// Something iconik lists.
#[derive(Serialize, Deserialize)]
enum Thing {
    Asset(String),
    Collection(String),
}

/// What Content Server says of a document, or how the item about it ended that could not be dealt with.
enum Said<'a> {
    Standing(Standing<'a>),
    PutAside(Account),
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = LinkReferences::connect(environment).await?;
        let collections = scope.collections.clone();
        Ok(Box::new(LinkSides { flow, walk: Walk::default(), collections }) as Box<dyn Sides>)
    })
}

impl Sides for LinkSides {
    fn words(&self) -> Words {
        Words {
            source: "documents of workspaces that are to be shown".into(),
            target: "links in the collections of iconik".into(),
            missing: "see what the flow's last item about the document says, then send its change again".into(),
            different: "see what the flow's last item about the document says".into(),
            extra: "take it away by hand: it shows a document that is not to be shown there, and the flow did not make it"
                .into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => {
                    let everything =
                        NodePath { root: Root::Volume(volume::ENTERPRISE), segments: Vec::new() };
                    let root = self.flow.places.id(&self.flow.content_server, &everything).await?;
                    self.walk.page(&self.flow.content_server, &[root], cursor.as_deref()).await
                }
                Side::Target => self.shown_behind(read_cursor(cursor.as_deref())?).await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, _: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            if side == Side::Source {
                let node = listed.facts.as_i64().map(NodeId);
                let node = node.ok_or_else(|| Error::bug("look", "a listed node has no number"))?;
                return Box::pin(self.document(node)).await;
            }
            let thing = serde_json::from_value(listed.facts.clone())
                .map_err(|error| Error::bug("look", "what was listed cannot be read").source(error))?;
            match thing {
                Thing::Asset(id) => {
                    let found = Box::pin(self.link_asset(&AssetId::new(id))).await?;
                    Ok(found.into_iter().collect())
                }
                Thing::Collection(id) => Box::pin(self.fields_of(&CollectionId::new(id))).await,
            }
        })
    }
}

impl LinkSides {
    /// What iconik lists: assets, and behind them collections, those first that the comparison is about.
    async fn shown_behind(&self, cursor: Cursor) -> Result<Page> {
        let (client, at) = (&self.flow.iconik, cursor.at.as_deref());
        let page = match cursor.in_collections {
            false => list_assets(client, &self.collections, at).await?,
            true => list_collections(client, &self.collections, at).await?,
        };
        let thing = |id: &str| {
            if cursor.in_collections { Thing::Collection(id.into()) } else { Thing::Asset(id.into()) }
        };
        let mut items = Vec::with_capacity(page.items.len());
        for listed in &page.items {
            items.push(Listed { key: listed.key.clone(), facts: facts(&thing(listed_id(listed)?))? });
        }
        if cursor.in_collections && cursor.at.is_none() {
            for id in &self.collections {
                items.push(Listed {
                    key: format!("collection {id}"),
                    facts: facts(&Thing::Collection(id.clone()))?,
                });
            }
        }
        let next = match (page.next, cursor.in_collections) {
            (Some(next), in_collections) => Some(Cursor { in_collections, at: Some(next) }),
            (None, false) => Some(Cursor { in_collections: true, at: None }),
            (None, true) => None,
        };
        Ok(Page { items, next: next.as_ref().map(write_cursor).transpose()? })
    }

    /// What Content Server says of a document. Where it says what the flow cannot deal with, it was put aside: then somebody
    /// knows it, and what is shown stays as it is.
    async fn said(&self, node: NodeId) -> Result<Said<'_>> {
        match Box::pin(self.flow.standing(node)).await {
            Ok(standing) => Ok(Said::Standing(standing)),
            Err(error) if error.class() == FailureClass::Invalid => {
                match self.account(node, &Shown::default()).await? {
                    Account::NotAsked => Err(error),
                    account => Ok(Said::PutAside(account)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// What is remembered of a document in a collection.
    async fn remembered(&self, node: NodeId, collection: &CollectionId) -> Result<Shown> {
        Ok(self.flow.remembered(node).await?.in_collection(collection))
    }

    /// The link asset that stands for a document in a collection: the remembered one, or the first that is called so.
    async fn link(&self, node: NodeId, collection: &CollectionId, shown: &Shown) -> Result<Option<Asset>> {
        let called = external_id(node, collection);
        if let Some(id) = &shown.asset
            && let Some(asset) = self.flow.iconik.find_asset(id).await?
            && asset.external_id.as_deref() == Some(called.as_str())
            && asset.status != AssetStatus::Deleted
        {
            return Ok(Some(asset));
        }
        Ok(self.flow.iconik.find_assets_by_external_id(&called).await?.into_iter().next())
    }

    /// Whether a link is being made, or the last item about the document was put aside or failed.
    async fn account(&self, node: NodeId, shown: &Shown) -> Result<Account> {
        if let Some(begun) = shown.begun.and_then(|begun| jiff::Timestamp::from_millisecond(begun).ok()) {
            return Ok(Account::UnderWay(begun));
        }
        let ledger = &self.flow.environment.ledger;
        let events = events(ledger, LinkReferences::NAME, &chain_of(node), None).await?;
        Ok(account(events.first(), &[]))
    }

    /// Lets the flow look at a document and do what its rules say.
    fn again(&self, node: NodeId) -> Result<Again> {
        look_at_node(LinkReferences::NAME, &self.flow.environment.context, node.0, Some(REQUEST))
    }
}

/// A document in a collection, of which nothing is known yet.
fn pair(node: NodeId, collection: &CollectionId, name: &str) -> Pair {
    Pair::new(format!("node {node} in collection {collection}"), name, chain_of(node))
}

/// The audit chain of a document.
fn chain_of(node: NodeId) -> String {
    Key::of(&["content-server", &node.to_string()]).digest().to_owned()
}

fn facts(thing: &Thing) -> Result<serde_json::Value> {
    serde_json::to_value(thing)
        .map_err(|error| Error::bug("list", "what is listed is not JSON").source(error))
}
