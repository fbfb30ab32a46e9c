//! Assets of a collection that refer to a link asset.

use std::collections::BTreeSet;

use shared::{
    error::Result,
    iconik::{
        Asset, AssetId, AssetKind, AssetStatus, CollectionContent, CollectionId, ContentFilter, NOT_FOUND,
    },
};

use super::{LinkReferences, memory::Shown, settle::Work};
use crate::link_rules::ShownAsset;

impl LinkReferences {
    /// Lets the assets of the collection refer to the link asset. What people have related stays.
    pub(super) async fn relate(
        &self,
        work: &mut Work<'_>,
        wanted: &ShownAsset,
        collection: &CollectionId,
        (link, shown): (&AssetId, &mut Shown),
    ) -> Result<()> {
        let Some((kind, categories)) = &wanted.relation else { return Ok(()) };
        let missing = self.unrelated(link, kind, categories, collection).await?;
        if missing.is_empty() {
            return Ok(());
        }
        shown.relation = Some(kind.clone());
        self.remember(work.node, &mut work.remembered, collection, shown.clone()).await?;
        for asset in missing {
            let relate = || self.iconik.ensure_relation(&asset, kind, link, None);
            match self.repeat(work.run, "relate", relate).await {
                // The list is behind: the asset is not there any more.
                Err(error) if error.code() == NOT_FOUND => {}
                outcome => {
                    outcome?;
                    work.done.changed = true;
                }
            }
        }
        Ok(())
    }

    /// The assets of the collection that should refer to the link asset, and do not.
    pub(super) async fn unrelated(
        &self,
        link: &AssetId,
        kind: &str,
        categories: &[String],
        collection: &CollectionId,
    ) -> Result<Vec<AssetId>> {
        let is_wanted = |asset: &Asset| {
            let fits = asset.category.as_ref().is_some_and(|category| categories.contains(category));
            asset.kind != AssetKind::Link
                && asset.status != AssetStatus::Deleted
                && (categories.is_empty() || fits)
        };
        let filter = ContentFilter { object_types: vec!["assets"], external_id: None };
        let mut pages = self.iconik.list_contents(collection, &filter);
        let mut wanted = Vec::new();
        while let Some(page) = pages.next_page().await? {
            for content in page {
                if let CollectionContent::Asset(asset) = content
                    && is_wanted(&asset)
                {
                    wanted.push(asset.id);
                }
            }
        }
        let related = self.iconik.list_related(link, kind).all().await?;
        let related: BTreeSet<AssetId> = related.into_iter().map(|related| related.asset.id).collect();
        wanted.retain(|asset| !related.contains(asset));
        Ok(wanted)
    }

    /// Ends the relations that were made.
    pub(super) async fn unrelate(&self, work: &Work<'_>, link: &AssetId, kind: &str) -> Result<()> {
        for related in self.iconik.list_related(link, kind).all().await? {
            let from = related.asset.id;
            let unrelate = || self.iconik.delete_relation(&from, kind, link);
            self.repeat(work.run, "unrelate", unrelate).await?;
        }
        Ok(())
    }
}
