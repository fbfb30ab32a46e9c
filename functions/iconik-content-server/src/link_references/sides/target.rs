//! From what iconik shows to the document in Content Server.

use std::collections::BTreeSet;

use shared::{
    content_server::NodeId,
    error::Result,
    iconik::{AssetId, AssetKind, AssetStatus, CollectionId, CollectionStatus, ViewId},
    reconcile::{Facts, Pair, Seen},
};

use super::{LinkSides, Said, pair};
use crate::{
    link_references::{
        address::{external_id, place_of},
        memory::FieldPlace,
        standing::Standing,
    },
    link_rules::Show,
};

/// Stands for the number of a document, to find out where addresses have it.
const NUMBER: i64 = 7_777_777_777_777;

impl LinkSides {
    /// A link asset of ours: whether its document is to be shown, here and by it.
    pub(super) async fn link_asset(&self, id: &AssetId) -> Result<Option<Pair>> {
        let Some(asset) = self.flow.iconik.find_asset(id).await? else { return Ok(None) };
        if asset.kind != AssetKind::Link || asset.status == AssetStatus::Deleted {
            return Ok(None);
        }
        let Some((node, collection)) = asset.external_id.as_deref().and_then(place_of) else {
            return Ok(None);
        };
        let shown = self.remembered(node, &collection).await?;
        let said = self.said(node).await?;
        let mut pair = pair(node, &collection, &external_id(node, &collection));
        pair.changed = asset.modified;
        pair.target = Seen::There(Facts::default());
        pair.note = Some(match said {
            Said::PutAside(_) => return Ok(None),
            Said::Standing(Standing::Withheld(why)) => format!("Nothing is to be shown: {}.", why.message),
            Said::Standing(Standing::Shown(offer)) => {
                let is_asset = matches!(offer.rule.show, Show::Asset(_));
                if !offer.collections.contains(&collection) || !is_asset {
                    "Its document is to be shown elsewhere, or in another way.".to_owned()
                } else {
                    let link = self.link(node, &collection, &shown).await?;
                    if link.is_none_or(|link| link.id == *id) {
                        return Ok(None);
                    }
                    "Another link stands for the document in this collection.".to_owned()
                }
            }
        });
        // What the flow did not make, or has forgotten, it does not withdraw.
        if shown.may_have_asset() && shown.asset.as_ref() == Some(id) {
            pair.if_extra = Some(self.again(node)?);
        }
        Ok(Some(pair))
    }

    /// The addresses of documents in the fields of a collection: whether each is to be there.
    pub(super) async fn fields_of(&self, id: &CollectionId) -> Result<Vec<Pair>> {
        let collection = self.flow.iconik.find_collection(id).await?;
        let Some(collection) = collection.filter(|found| found.status != CollectionStatus::Deleted) else {
            return Ok(Vec::new());
        };
        let fields: BTreeSet<(&ViewId, &str)> = self
            .flow
            .rules
            .rules
            .iter()
            .filter_map(|rule| match &rule.show {
                Show::Field(field) => Some((&field.view, field.field.as_str())),
                Show::Asset(_) => None,
            })
            .collect();
        let mut pairs = Vec::new();
        for (view, field) in fields {
            let values = self.flow.iconik.get_metadata(&id.clone().into(), view).await?;
            for address in values.texts(field) {
                let Some(node) = self.node_of(&address)? else { continue };
                let place = FieldPlace { view: view.as_str().to_owned(), field: field.to_owned(), address };
                let mut found = self.address(node, id, place).await?;
                if let Some(pair) = &mut found {
                    pair.changed = collection.modified;
                }
                pairs.extend(found);
            }
        }
        Ok(pairs)
    }

    /// An address in a field: nothing when its document is to be shown there.
    async fn address(&self, node: NodeId, id: &CollectionId, place: FieldPlace) -> Result<Option<Pair>> {
        let why = match self.said(node).await? {
            Said::PutAside(_) => return Ok(None),
            Said::Standing(Standing::Withheld(why)) => why.message,
            Said::Standing(Standing::Shown(offer)) => {
                let is_here = matches!(&offer.rule.show, Show::Field(field) if FieldPlace::of(field, &offer.address) == place);
                if is_here && offer.collections.contains(id) {
                    return Ok(None);
                }
                "its document is to be shown elsewhere, or in another way".to_owned()
            }
        };
        let mut pair = pair(node, id, &format!("node {node} in the field {}", place.field));
        pair.target = Seen::There(Facts::default());
        pair.note =
            Some(format!("The field {:?} has its address, and it is not to be shown: {why}.", place.field));
        let shown = self.remembered(node, id).await?;
        if shown.field.as_ref() == Some(&place) {
            pair.if_extra = Some(self.again(node)?);
        }
        Ok(Some(pair))
    }

    /// The document an address leads to; nothing when it is no address of a document.
    fn node_of(&self, address: &str) -> Result<Option<NodeId>> {
        let pattern = self.flow.address(NodeId(NUMBER))?;
        let Some((before, behind)) = pattern.split_once(&NUMBER.to_string()) else { return Ok(None) };
        let number = address.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
        let Some(node) = number.and_then(|number| number.parse().ok()).map(NodeId) else { return Ok(None) };
        Ok((self.flow.address(node)? == address).then_some(node))
    }
}
