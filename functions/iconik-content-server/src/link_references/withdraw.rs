//! Takes back what is shown. The recycle bin of iconik keeps what is deleted for a while, and administrators read in it: so
//! the title and everything else that tells of the document is overwritten first.

use shared::{
    error::{FailureClass, Result},
    iconik::{Asset, AssetChange, AssetId, AssetStatus, CollectionId, MetadataChange, ObjectRef, ViewId},
};

use super::{LinkReferences, address::external_id, again_after, memory::Shown, settle::Work};

/// What is left of a title.
pub(super) const WITHDRAWN: &str = "Reference withdrawn";

impl LinkReferences {
    /// Takes back what is shown of a document in a collection.
    pub(super) async fn withdraw(&self, work: &mut Work<'_>, collection: &CollectionId) -> Result<()> {
        let shown = work.remembered.in_collection(collection);
        let mut withdrew = false;
        if let Some(place) = &shown.field {
            withdrew |= self.write_address(work, collection, place, false).await?;
        }
        let mut asset = shown.asset.clone();
        if shown.may_have_asset() {
            let found = self.links_there(work, collection, &shown).await?;
            for link in &found {
                if link.status == AssetStatus::Deleted {
                    // Somebody deleted it, with all that it tells.
                    self.repeat(work.run, "restore link asset", || self.iconik.restore_asset(&link.id))
                        .await?;
                }
                self.conceal(work, link, &shown).await?;
                self.repeat(work.run, "delete link asset", || self.iconik.delete_asset(&link.id)).await?;
            }
            withdrew |= !found.is_empty();
            asset = asset.or_else(|| found.first().map(|link| link.id.clone()));
        }
        if withdrew {
            work.done.changed = true;
            work.done.withdrawn.push(collection.clone());
        }
        work.done.shown.remove(collection);
        let left = Shown { asset, field: shown.field, withdrawn: true, ..Shown::default() };
        self.remember(work.node, &mut work.remembered, collection, left).await
    }

    /// The link assets that tell of the document: the one that is remembered, or those that are called so.
    async fn links_there(
        &self,
        work: &Work<'_>,
        collection: &CollectionId,
        shown: &Shown,
    ) -> Result<Vec<Asset>> {
        let called = external_id(work.node, collection);
        let is_ours = |asset: &Asset| {
            let tells = asset.status != AssetStatus::Deleted || asset.title != WITHDRAWN;
            asset.external_id.as_deref() == Some(called.as_str()) && tells
        };
        if let Some(id) = &shown.asset {
            let found: Option<Asset> = self.iconik.find_asset(id).await?;
            return Ok(found.into_iter().filter(is_ours).collect());
        }
        let found = self.iconik.find_assets_by_external_id(&called).await?;
        match self.still_settling(shown) {
            Some(pause) if found.is_empty() => {
                let message =
                    "the link that is to be withdrawn is being made, and iconik does not show it yet";
                Err(again_after("link.being-made", message, pause))
            }
            _ => Ok(found),
        }
    }

    /// Overwrites what tells of the document.
    pub(super) async fn conceal(&self, work: &Work<'_>, link: &Asset, shown: &Shown) -> Result<()> {
        let home = self.home(work)?;
        let change = AssetChange::new().title(WITHDRAWN).external_link(&home);
        if link.title != WITHDRAWN || link.external_link.as_deref() != Some(home.as_str()) {
            let update = || async { self.iconik.update_asset(&link.id, &change).await.map(drop) };
            self.repeat(work.run, "conceal link asset", update).await?;
        }
        if let Some((view, fields)) = &shown.details {
            self.clear(work, &link.id, view, fields).await?;
        }
        if let Some(kind) = &shown.relation {
            self.unrelate(work, &link.id, kind).await?;
        }
        Ok(())
    }

    /// Clears the metadata that was filled. Where iconik does not let it be cleared, also when it is asked again, the asset
    /// goes all the same.
    async fn clear(&self, work: &Work<'_>, link: &AssetId, view: &str, fields: &[String]) -> Result<()> {
        let (object, view): (ObjectRef, _) = (link.clone().into(), ViewId::new(view));
        let change = fields.iter().fold(MetadataChange::new(), |change, field| change.clear(field));
        let clear = || async { self.iconik.update_metadata(&object, &view, &change, None).await.map(drop) };
        let mut refused = None;
        for _ in 0..2 {
            match self.repeat(work.run, "clear link asset", clear).await {
                Err(error) if matches!(error.class(), FailureClass::Invalid | FailureClass::Forbidden) => {
                    refused = Some(error.code());
                }
                outcome => return outcome,
            }
        }
        if let Some(code) = refused {
            work.run.note("not-cleared", code);
        }
        Ok(())
    }

    /// Where a withdrawn link leads: to the host of Content Server, and to no document.
    fn home(&self, work: &Work<'_>) -> Result<String> {
        let address = self.address(work.node)?;
        let host = address.split('/').take(3).collect::<Vec<_>>().join("/");
        Ok(format!("{host}/"))
    }
}
