//! From a document in Content Server to what iconik shows of it.

use shared::{
    content_server::{Node, NodeId},
    error::Result,
    iconik::{AssetStatus, CollectionId, MetadataChange, ObjectRef},
    reconcile::{Facts, Pair, Seen},
};

use super::{LinkSides, Said, chain_of, pair};
use crate::{
    link_references::{
        address::external_id,
        link_asset::typed,
        memory::{Memory, Shown},
        standing::{Offer, Standing, Withheld},
        withdraw::WITHDRAWN,
    },
    link_rules::{Show, ShownAsset, ShownField},
    sides::{OnBothSides, find_node},
};

/// What both sides say where a link is where it belongs.
const IN_PLACE: &str = "in its collection";
/// What both sides say where every asset refers to a link.
const ALL_REFER: &str = "every asset of the collection refers to it";

impl LinkSides {
    /// A document, in every collection in which it is to be shown; or what its withdrawal has left behind.
    pub(super) async fn document(&self, id: NodeId) -> Result<Vec<Pair>> {
        let said = self.said(id).await?;
        let memory = self.flow.remembered(id).await?.memory;
        if matches!(&said, Said::Standing(Standing::Withheld(_))) && memory.shown.is_empty() {
            return Ok(Vec::new());
        }
        let Some(node) = find_node(&self.flow.content_server, id).await? else { return Ok(Vec::new()) };
        let offer = match said {
            Said::Standing(Standing::Shown(offer)) => offer,
            Said::Standing(Standing::Withheld(why)) => return self.left_over(&node, &memory, &why).await,
            Said::PutAside(account) => {
                let mut pair = Pair::new(format!("node {id}"), &node.name, chain_of(id));
                pair.account = account;
                pair.source = Seen::There(Facts::default());
                return Ok(vec![pair]);
            }
        };
        let mut pairs = Vec::with_capacity(offer.collections.len());
        for collection in &offer.collections {
            let shown = memory.shown.get(collection).cloned().unwrap_or_default();
            pairs.push(match &offer.rule.show {
                Show::Asset(asset) => self.as_asset((&node, &*offer), asset, collection, &shown).await?,
                Show::Field(field) => self.as_address((&node, &*offer), field, collection, &shown).await?,
            });
        }
        Ok(pairs)
    }

    /// A document that is to be shown as a link asset.
    async fn as_asset(
        &self,
        (node, offer): (&Node, &Offer<'_>),
        wanted: &ShownAsset,
        collection: &CollectionId,
        shown: &Shown,
    ) -> Result<Pair> {
        let mut pair = pair(node.id, collection, &node.name);
        pair.changed = node.modified;
        let mut source = Facts {
            version: Some(version(Some(offer.version))),
            state: Some(IN_PLACE.to_owned()),
            ..Facts::default()
        };
        let Some(asset) = self.link(node.id, collection, shown).await? else {
            pair.account = self.account(node.id, shown).await?;
            pair.if_missing = Some(self.again(node.id)?);
            pair.source = Seen::There(source);
            return Ok(pair);
        };
        pair.changed = pair.changed.max(asset.modified);
        let is_in_place = asset.in_collections.contains(collection);
        let mut target = Facts {
            version: Some(version(shown.version)),
            state: Some(if is_in_place { IN_PLACE } else { "in another place" }.to_owned()),
            ..Facts::default()
        };
        let mut both = OnBothSides::default();
        both.put("title".to_owned(), &offer.title, &asset.title);
        both.put("address".to_owned(), &offer.address, asset.external_link.as_deref().unwrap_or_default());
        if let Some(category) = &wanted.category {
            both.put("category".to_owned(), category, asset.category.as_deref().unwrap_or_default());
        }
        self.compare_details(offer, wanted, &asset.id.clone().into(), &mut both).await?;
        if let Some((kind, categories)) = &wanted.relation {
            let missing = self.flow.unrelated(&asset.id, kind, categories, collection).await?;
            let seen = if missing.is_empty() { ALL_REFER } else { "not every asset refers to it" };
            both.put(format!("relation {kind}"), ALL_REFER, seen);
        }
        both.into_facts(&mut source, &mut target);
        let again = self.again(node.id)?;
        (pair.if_different, pair.if_metadata) = (Some(again.clone()), Some(again));
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(pair)
    }

    /// The metadata that a rule gives a link asset.
    async fn compare_details(
        &self,
        offer: &Offer<'_>,
        wanted: &ShownAsset,
        object: &ObjectRef,
        both: &mut OnBothSides,
    ) -> Result<()> {
        let Some((view, _)) = &wanted.details else { return Ok(()) };
        let definition = self.flow.view(view).await?;
        let present = self.flow.iconik.get_metadata(object, view).await?;
        for (field, text) in &offer.details {
            let change = MetadataChange::new().set(field, [typed(&definition, field, text)]);
            let is_so = change.beyond(&present).is_empty();
            let held = if is_so { text.clone() } else { present.texts(field).join("\n") };
            both.put(field.clone(), text, &held);
        }
        Ok(())
    }

    /// A document that is to be shown as an address in a field of the collection.
    async fn as_address(
        &self,
        (node, offer): (&Node, &Offer<'_>),
        field: &ShownField,
        collection: &CollectionId,
        shown: &Shown,
    ) -> Result<Pair> {
        let mut pair = pair(node.id, collection, &node.name);
        pair.changed = node.modified;
        pair.source = Seen::There(Facts::default());
        let values = self.flow.iconik.get_metadata(&collection.clone().into(), &field.view).await?;
        if values.texts(&field.field).contains(&offer.address) {
            pair.target = Seen::There(Facts::default());
        } else {
            pair.account = self.account(node.id, shown).await?;
            pair.if_missing = Some(self.again(node.id)?);
            pair.note = Some(format!("The field {:?} does not have its address.", field.field));
        }
        Ok(pair)
    }

    /// What tells of a document that is not to be shown, where no listing does: a link that somebody put into the recycle bin
    /// before it was withdrawn, with all that it says.
    async fn left_over(&self, node: &Node, memory: &Memory, why: &Withheld) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        for (collection, shown) in memory.shown.iter().filter(|(_, shown)| shown.may_have_asset()) {
            let Some(id) = &shown.asset else { continue };
            let Some(asset) = self.flow.iconik.find_asset(id).await? else { continue };
            let is_ours = asset.external_id == Some(external_id(node.id, collection));
            if !is_ours || asset.status != AssetStatus::Deleted || asset.title == WITHDRAWN {
                continue;
            }
            // What it is called is told nowhere: it may be confidential.
            let mut pair = pair(node.id, collection, &external_id(node.id, collection));
            pair.changed = node.modified.max(asset.modified);
            pair.if_different = Some(self.again(node.id)?);
            let state = |state: String| Seen::There(Facts { state: Some(state), ..Facts::default() });
            pair.source = state(format!("not to be shown: {}", why.code));
            pair.target = state("in the recycle bin, with its title and address".to_owned());
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

fn version(number: Option<i64>) -> String {
    number.map_or_else(|| "no version was told".to_owned(), |number| format!("version {number}"))
}
