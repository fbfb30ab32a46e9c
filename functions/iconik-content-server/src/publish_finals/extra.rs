//! Documents that carry the mark of an asset beside those that the flow knows of it: made twice, or by somebody else.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use jiff::Timestamp;
use shared::{
    content_server::{ChildFilter, NOT_ACCESSIBLE, NOT_FOUND, NodeId, kind},
    error::Result,
    iconik::AssetId,
    reconcile::{Facts, Pair, Seen},
};

use super::sides::FinalsSides;
use crate::{
    filing::{CONTENT_SERVER, ICONIK, media},
    sides::{asset, find_node},
};

/// The documents of a container that carry a mark.
#[derive(Debug)]
pub(super) struct Marked {
    container: NodeId,
    documents: Vec<MarkedDocument>,
}

#[derive(Debug)]
struct MarkedDocument {
    node: NodeId,
    name: String,
    size: Option<u64>,
    modified: Option<Timestamp>,
    mark: String,
}

impl FinalsSides {
    /// What lies beside an asset's documents with a mark of the asset, and is none of them.
    pub(super) async fn strays(&self, id: &str) -> Result<Vec<Pair>> {
        let ledger = &self.flow.environment.ledger;
        // Nothing was filed of most assets, and nothing is asked of them.
        if ledger.find_reference(ICONIK, id, CONTENT_SERVER).await?.is_none() {
            return Ok(Vec::new());
        }
        let iconik = &self.flow.iconik;
        let Some(found) = iconik.find_asset(&AssetId::new(id)).await? else { return Ok(Vec::new()) };
        let media = media::list_all(iconik, &found.id, &found.versions).await?;
        let notes = self.flow.media.known_media(&media, ledger).await?;
        let known: BTreeSet<NodeId> = notes.values().map(|filed| filed.node).collect();
        // Of what the ledger knows nothing, the marked document is told by the other side.
        let is_unnoted = |mark: &str| {
            media.iter().any(|one| one.mark().is(mark) && !notes.contains_key(one.key().digest()))
        };
        let mut containers = BTreeSet::new();
        for node in &known {
            containers.extend(find_node(&self.flow.content_server, *node).await?.map(|node| node.parent));
        }
        let mut pairs = Vec::new();
        for container in containers {
            let marked = self.marked(container).await?;
            for one in &marked.documents {
                let is_of_asset = media.iter().any(|medium| medium.mark().is_of_same_asset(&one.mark));
                if known.contains(&one.node) || !is_of_asset || is_unnoted(&one.mark) {
                    continue;
                }
                let mut pair = Pair::new(format!("node {}", one.node), &one.name, asset(id));
                pair.changed = one.modified;
                pair.target = Seen::There(Facts { size: one.size, ..Facts::default() });
                pair.note = Some(format!(
                    "It carries the mark of the asset {:?}, and the flow knows other documents of it.",
                    found.title
                ));
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    /// The marked documents of a container. Those of one container are mostly asked for one after the other.
    async fn marked(&self, container: NodeId) -> Result<Arc<Marked>> {
        let at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(held) = at_hand.filter(|held| held.container == container) {
            return Ok(held);
        }
        let mut documents = Vec::new();
        let filter = ChildFilter { name: None, kinds: vec![kind::DOCUMENT] };
        let mut children = self.flow.content_server.list_children(container, filter);
        loop {
            let page = match children.next_page().await {
                Ok(page) => page,
                // It went away since, or is not for the service user to see.
                Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => break,
                Err(error) => return Err(error),
            };
            let Some(page) = page else { break };
            documents.extend(page.into_iter().filter_map(|child| {
                let mark = child.external.identity.filter(|identity| identity.starts_with("waybill:"))?;
                let (size, modified) = (child.size, child.modified);
                Some(MarkedDocument { node: child.id, name: child.name, size, modified, mark })
            }));
        }
        let held = Arc::new(Marked { container, documents });
        *self.at_hand.lock().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
        Ok(held)
    }
}
