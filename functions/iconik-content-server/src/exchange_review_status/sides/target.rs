//! From what is kept and told to the record that stands behind it.

use std::collections::BTreeMap;

use shared::{
    content_server::NodeId,
    error::Result,
    iconik::{AssetId, AssetStatus},
    reconcile::{Facts, Pair, Seen},
};

use super::ReviewSides;
use crate::{
    exchange_review_status::{chain::Chain, evidence::asset_of, look::OURS, tell::called},
    sides::{self, find_node},
};

impl ReviewSides {
    /// A document that is called like evidence: whether a chain stands behind it.
    pub(super) async fn evidence_there(&self, node: NodeId) -> Result<Option<Pair>> {
        let Some(found) = find_node(&self.flow.content_server, node).await? else { return Ok(None) };
        let Some(asset) = asset_of(&found.name) else { return Ok(None) };
        // One with a chain is told of by the other side, wherever it is.
        let chain = Chain::read(&self.flow.environment.ledger, asset.as_str()).await?;
        if !chain.entries.is_empty() {
            return Ok(None);
        }
        let mut pair = Pair::new(format!("node {node}"), &found.name, sides::asset(asset.as_str()));
        pair.changed = found.modified;
        pair.target = Seen::There(Facts::default());
        pair.note = Some("It is called like evidence, and the ledger has no chain of that asset.".into());
        Ok(Some(pair))
    }

    /// The comments of an asset that are called like ours: whether an entry stands behind each, and behind no two the same.
    pub(super) async fn comments_there(&self, id: &AssetId) -> Result<Vec<Pair>> {
        let asset = self.flow.iconik.find_asset(id).await?;
        let Some(asset) = asset.filter(|asset| asset.status != AssetStatus::Deleted) else {
            return Ok(Vec::new());
        };
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for comment in self.own_comments(id).await? {
            *times.entry(comment).or_default() += 1;
        }
        if times.is_empty() {
            return Ok(Vec::new());
        }
        let chain = Chain::read(&self.flow.environment.ledger, id.as_str()).await?;
        let mut pairs = Vec::new();
        for (comment, times) in times {
            let is_recorded = chain.entries.iter().any(|entry| called(&entry.event) == comment);
            if is_recorded && times == 1 {
                continue;
            }
            let identity = comment.strip_prefix(OURS).unwrap_or(&comment);
            let name = format!("comment of {}", asset.title);
            let mut pair = Pair::new(format!("asset {id} told {identity}"), name, sides::asset(id.as_str()));
            pair.changed = asset.modified;
            pair.target = Seen::There(Facts::default());
            pair.note = Some(if is_recorded {
                format!("It stands there {times} times.")
            } else {
                "No entry of the record stands behind it.".to_owned()
            });
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
