//! The two sides of `sync-asset-metadata`: assets that have a document, and those documents, field by field.
//!
//! What the merge would do about a pair is what counts: a field that it would write, or a conflict that it would record, is a
//! difference; a conflict that is recorded and waits for a person is none. So whatever differs is put right by one message
//! about the asset: the flow merges as ever, and what a person has corrected on one side is taken over by the other.

use shared::{
    content_server::NodeId,
    environment::Environment,
    error::{Error, Result},
    flow::Flow,
    iconik::{Asset, AssetId, AssetStatus},
    reconcile::{Again, Eventual, Facts, Listed, Look, Page, Pair, Scope, Seen, Side, Sides, Words},
};

use super::{SyncAssetMetadata, content::Content, merge, pair::Standing};
use crate::{
    request_disposition::is_destroyed,
    sides::{self, OnBothSides, find_node, list_assets, listed_id, look_again},
};

/// Pairs that are read from the ledger at once.
const AT_ONCE: usize = 100;
/// What stands for a field that a side has no place for.
const NO_PLACE: &str = "no place";

/// The sides.
struct SyncSides {
    flow: SyncAssetMetadata,
    collections: Vec<String>,
}

/// Makes the sides from the flow's own configuration.
pub(crate) fn connect<'a>(
    environment: &'a Environment,
    scope: &'a Scope,
) -> Eventual<'a, Result<Box<dyn Sides>>> {
    Box::pin(async move {
        let flow = SyncAssetMetadata::connect(environment).await?;
        Ok(Box::new(SyncSides { flow, collections: scope.collections.clone() }) as Box<dyn Sides>)
    })
}

impl Sides for SyncSides {
    fn words(&self) -> Words {
        Words {
            source: "assets that have a document".into(),
            target: format!("documents that keep their values in {}", self.flow.rules.category),
            missing: "bring the document back, or take its number from the asset; let publish-finals file the asset anew"
                .into(),
            different: "see what the flow's last item about the asset says".into(),
            extra: "decide whether the document is still wanted without its asset; nothing deletes it by itself"
                .into(),
        }
    }

    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>> {
        Box::pin(async move {
            match side {
                Side::Source => list_assets(&self.flow.iconik, &self.collections, cursor.as_deref()).await,
                Side::Target => self.kept_behind(cursor.as_deref()).await,
            }
        })
    }

    fn look<'a>(&'a self, side: Side, listed: &'a Listed, _: Look) -> Eventual<'a, Result<Vec<Pair>>> {
        Box::pin(async move {
            let id = AssetId::new(listed_id(listed)?);
            let found = match side {
                Side::Source => Box::pin(self.asset(&id)).await?,
                Side::Target => self.document(&id).await?,
            };
            Ok(found.into_iter().collect())
        })
    }
}

impl SyncSides {
    /// The assets whose documents the flow has kept in step.
    async fn kept_behind(&self, cursor: Option<&str>) -> Result<Page> {
        let kept = self.flow.memory.pairs_behind(cursor, AT_ONCE).await?;
        let next = kept.last().filter(|_| kept.len() >= AT_ONCE).map(|(asset, _)| asset.clone());
        let items = kept
            .into_iter()
            .map(|(asset, node)| Listed { key: format!("node {node}"), facts: asset.into() })
            .collect();
        Ok(Page { items, next })
    }

    /// An asset that is in use.
    async fn asset_in_use(&self, id: &AssetId) -> Result<Option<Asset>> {
        let found = self.flow.iconik.find_asset(id).await?;
        Ok(found.filter(|asset| asset.status != AssetStatus::Deleted))
    }

    /// An asset and its document.
    async fn asset(&self, id: &AssetId) -> Result<Option<Pair>> {
        let Some(asset) = self.asset_in_use(id).await? else { return Ok(None) };
        let Some((node, _)) = self.flow.document_of(id).await? else { return Ok(None) };
        let mut pair = Pair::new(format!("asset {id}, node {node}"), &asset.title, sides::asset(id.as_str()));
        pair.changed = asset.modified;
        pair.source = Seen::There(Facts::default());
        if find_node(&self.flow.content_server, node).await?.is_none() {
            pair.note = Some(format!(
                "Node {node} was deleted in Content Server, or the service user may not see it."
            ));
            return Ok(Some(pair));
        }
        // What is skipped went meanwhile, or its document is none.
        let Ok(standing) = self.flow.standing(id, node).await? else { return Ok(None) };
        self.compare(&standing, id, &mut pair)?;
        Ok(Some(pair))
    }

    /// What both sides hold, field by field. What waits for a person is no difference, and is told where there is another.
    fn compare(&self, standing: &Standing, id: &AssetId, pair: &mut Pair) -> Result<()> {
        let Standing { now, merged, changed } = standing;
        let (mut differing, mut waiting) = (OnBothSides::default(), OnBothSides::default());
        let (mut is_any_due, mut names) = (false, Vec::new());
        for field in &self.flow.rules.fields {
            let name = field.rule.name.as_str();
            let (here, there) = (now.iconik.get(name), now.content_server.get(name));
            let (ours, theirs) = (written(here)?, written(there)?);
            let is_due = merged.writes.iconik.contains_key(name)
                || merged.writes.content_server.contains_key(name)
                || merged.conflicts.iter().any(|conflict| conflict.field == name);
            if ours != theirs {
                let at = [here, there].into_iter().flatten().filter_map(|seen| seen.changed.at).max();
                pair.changed = pair.changed.max(at);
            }
            if ours == theirs || is_due {
                is_any_due |= ours != theirs;
                differing.put(name.to_owned(), &ours, &theirs);
            } else {
                names.push(name);
                waiting.put(name.to_owned(), &ours, &theirs);
            }
        }
        let (mut source, mut target) = (Facts::default(), Facts::default());
        let waits = format!("what differs in {} waits for a person", names.join(", "));
        match (names.is_empty(), is_any_due) {
            (false, false) => {
                waiting.into_facts(&mut source, &mut target);
                pair.accounted = Some(waits);
            }
            (false, true) => {
                differing.into_facts(&mut source, &mut target);
                pair.note = Some(format!("Besides, {waits}."));
            }
            (true, _) => differing.into_facts(&mut source, &mut target),
        }
        pair.changed = pair.changed.max(*changed);
        pair.if_metadata = Some(self.again(id)?);
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(())
    }

    /// A document that was kept in step with an asset which is not there any more.
    async fn document(&self, id: &AssetId) -> Result<Option<Pair>> {
        let kept = self.flow.memory.pair(id.as_str()).await?.pair;
        let node = NodeId(kept.node);
        let asset = self.flow.iconik.find_asset(id).await?;
        if asset.as_ref().is_some_and(|asset| asset.status != AssetStatus::Deleted) {
            return Ok(None);
        }
        let Some(found) = find_node(&self.flow.content_server, node).await? else { return Ok(None) };
        let mut pair = Pair::new(format!("node {node}"), &found.name, sides::asset(id.as_str()));
        pair.target = Seen::There(Facts::default());
        pair.changed = asset.as_ref().and_then(|asset| asset.deleted.max(asset.modified));
        pair.note = Some(match asset {
            Some(_) => format!("Its asset {id} is in the recycle bin of iconik."),
            None => format!("Its asset {id} is not in iconik any more."),
        });
        if is_destroyed(&self.flow.environment.ledger, id.as_str()).await? {
            pair.accounted = Some("its asset was destroyed by a decision of Content Server".into());
        }
        Ok(Some(pair))
    }

    fn again(&self, id: &AssetId) -> Result<Again> {
        let context = &self.flow.environment.context;
        look_again(SyncAssetMetadata::NAME, context, ("assets", id.as_str()), None, None)
    }
}

/// What a field holds, as text to be compared; empty for nothing.
fn written(seen: Option<&merge::Seen>) -> Result<String> {
    match seen.and_then(|seen| seen.content.as_ref()) {
        None => Ok(NO_PLACE.to_owned()),
        Some(Content::Nothing) => Ok(String::new()),
        Some(content) => serde_json::to_string(content)
            .map_err(|error| Error::bug("compare", "the content of a field is not JSON").source(error)),
    }
}
