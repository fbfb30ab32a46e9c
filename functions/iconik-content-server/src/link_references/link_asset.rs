//! The link asset of a document in a collection: made once, found again, and kept as the document is.

use std::time::Duration;

use serde_json::Value;
use shared::{
    content_server::NodeId,
    error::{Error, FailureClass, Result, System},
    flow::{Policy, Run},
    iconik::{
        Asset, AssetChange, AssetId, AssetKind, AssetStatus, CollectionId, FieldKind, HistoryOperation,
        MetadataChange, NOT_FOUND, NewAsset, ObjectRef, View, ViewId,
    },
};

use super::{
    BUSY, LinkReferences, SETTLING, address::external_id, again_after, memory::Shown, settle::Work,
    standing::Offer,
};
use crate::link_rules::ShownAsset;

impl LinkReferences {
    /// Shows a document as a link asset in a collection.
    pub(super) async fn show_asset(
        &self,
        work: &mut Work<'_>,
        offer: &Offer<'_>,
        wanted: &ShownAsset,
        collection: &CollectionId,
    ) -> Result<()> {
        let mut shown = work.remembered.in_collection(collection);
        if let Some(place) = shown.field.take() {
            // It was shown in another way before.
            let changed = self.write_address(work, collection, &place, false).await?;
            work.done.changed |= changed;
        }
        shown.withdrawn = false;
        self.remember(work.node, &mut work.remembered, collection, shown.clone()).await?;
        let (asset, is_made) = match self.find_link(work.node, collection, &shown, work.run).await? {
            Some((asset, changed)) => {
                work.done.changed |= changed;
                (asset, false)
            }
            None => {
                work.done.changed = true;
                (self.make_link(work, offer, wanted, collection, &mut shown).await?, true)
            }
        };
        shown.asset = Some(asset.id.clone());
        shown.begun = None;
        let known = self.remember(work.node, &mut work.remembered, collection, shown.clone()).await;
        if is_made && known.as_ref().is_err_and(|error| error.code() == BUSY) {
            self.take_back(work, collection, &asset).await?;
        }
        known?;
        work.done.changed |= self.align(&asset, offer, wanted, collection, work.run).await?;
        self.fill(work, offer, wanted, collection, (&asset.id, &mut shown)).await?;
        self.relate(work, wanted, collection, (&asset.id, &mut shown)).await?;
        self.tell_version(work, offer, &asset.id, shown.version).await?;
        shown.version = Some(offer.version);
        self.remember(work.node, &mut work.remembered, collection, shown).await?;
        work.done.shown.insert(collection.clone(), format!("asset {}", asset.id));
        Ok(())
    }

    /// The link asset that is there. One that was withdrawn comes out of the recycle bin. The second value says whether
    /// anything was changed for that.
    async fn find_link(
        &self,
        node: NodeId,
        collection: &CollectionId,
        shown: &Shown,
        run: &Run,
    ) -> Result<Option<(Asset, bool)>> {
        let called = external_id(node, collection);
        if let Some(id) = &shown.asset
            && let Some(asset) = self.iconik.find_asset(id).await?
            && asset.external_id.as_deref() == Some(called.as_str())
        {
            if asset.status != AssetStatus::Deleted {
                return Ok(Some((asset, false)));
            }
            self.repeat(run, "restore link asset", || self.iconik.restore_asset(id)).await?;
            return self.iconik.get_asset(id).await.map(|asset| Some((asset, true)));
        }
        let mut found = self.iconik.find_assets_by_external_id(&called).await?.into_iter();
        let Some(asset) = found.next() else {
            return match self.still_settling(shown) {
                Some(pause) => {
                    let message = "the link is being made, and iconik does not show it yet";
                    Err(again_after("link.being-made", message, pause))
                }
                None => Ok(None),
            };
        };
        let mut changed = false;
        for double in found {
            self.repeat(run, "delete doubled link asset", || self.iconik.delete_asset(&double.id)).await?;
            changed = true;
        }
        Ok(Some((asset, changed)))
    }

    /// How long a link that somebody began to make may still appear.
    pub(super) fn still_settling(&self, shown: &Shown) -> Option<Duration> {
        let begun = shown.begun?;
        let patience = SETTLING + Duration::from_secs(self.iconik.settings().index_patience_seconds);
        let gone = self.environment.context.now_milliseconds().saturating_sub(begun);
        patience.checked_sub(Duration::from_millis(u64::try_from(gone).unwrap_or(0)))
    }

    /// Makes the link asset. That it is begun is remembered first: whoever comes next waits until it must have appeared.
    async fn make_link(
        &self,
        work: &mut Work<'_>,
        offer: &Offer<'_>,
        wanted: &ShownAsset,
        collection: &CollectionId,
        shown: &mut Shown,
    ) -> Result<Asset> {
        let called = external_id(work.node, collection);
        shown.asset = None;
        shown.begun = Some(self.environment.context.now_milliseconds());
        self.remember(work.node, &mut work.remembered, collection, shown.clone()).await?;
        let new = NewAsset {
            title: offer.title.clone(),
            kind: AssetKind::Link,
            external_id: called.clone(),
            external_link: Some(offer.address.clone()),
            category: wanted.category.clone(),
            collection: Some(collection.clone()),
        };
        let probe = || async {
            let found = self.iconik.find_assets_by_external_id(&called).await?;
            Ok(found.into_iter().next().map(|asset| asset.id))
        };
        let act = || async { self.iconik.create_asset(&new).await.map(|asset| asset.id) };
        let made: Result<AssetId> =
            work.run.effect("create link asset", Policy::CheckThenRepeat, probe, act).await;
        match made {
            Ok(id) => self.iconik.get_asset(&id).await,
            Err(error) => {
                // Refused: nobody has to wait for it.
                if !matches!(error.class(), FailureClass::UnknownOutcome | FailureClass::Transient) {
                    shown.begun = None;
                    self.remember(work.node, &mut work.remembered, collection, shown.clone()).await?;
                }
                Err(error)
            }
        }
    }

    /// Takes back a link that was just made, unless it is the one that is remembered. Somebody whose clock is far ahead took
    /// the work over meanwhile and may have made another, or found that none is to be shown.
    async fn take_back(&self, work: &Work<'_>, collection: &CollectionId, made: &Asset) -> Result<()> {
        let theirs = self.remembered(work.node).await?.in_collection(collection);
        if theirs.asset.as_ref() == Some(&made.id) && !theirs.withdrawn {
            return Ok(());
        }
        self.conceal(work, made, &Shown::default()).await?;
        self.repeat(work.run, "delete link asset", || self.iconik.delete_asset(&made.id)).await
    }

    /// Title, address, category and place as they are to be. Says whether anything was changed.
    async fn align(
        &self,
        asset: &Asset,
        offer: &Offer<'_>,
        wanted: &ShownAsset,
        collection: &CollectionId,
        run: &Run,
    ) -> Result<bool> {
        let mut change = AssetChange::new();
        if asset.title != offer.title {
            change = change.title(&offer.title);
        }
        if asset.external_link.as_deref() != Some(offer.address.as_str()) {
            change = change.external_link(&offer.address);
        }
        if wanted.category.is_some() && asset.category != wanted.category {
            change = change.category(wanted.category.as_deref());
        }
        let mut changed = false;
        if !change.is_empty() {
            let update = || async { self.iconik.update_asset(&asset.id, &change).await.map(drop) };
            self.repeat(run, "update link asset", update).await?;
            changed = true;
        }
        if !asset.in_collections.contains(collection) {
            let content: ObjectRef = asset.id.clone().into();
            let add = || self.iconik.add_to_collection(collection, &content);
            self.repeat(run, "put link into collection", add).await?;
            changed = true;
        }
        Ok(changed)
    }

    /// The metadata that the rule says.
    async fn fill(
        &self,
        work: &mut Work<'_>,
        offer: &Offer<'_>,
        wanted: &ShownAsset,
        collection: &CollectionId,
        (asset, shown): (&AssetId, &mut Shown),
    ) -> Result<()> {
        let Some((view, _)) = wanted.details.as_ref() else { return Ok(()) };
        let object: ObjectRef = asset.clone().into();
        let definition = self.view(view).await?;
        let mut change = MetadataChange::new();
        for (field, text) in &offer.details {
            change = change.set(field, [typed(&definition, field, text)]);
        }
        if change.clone().beyond(&self.iconik.get_metadata(&object, view).await?).is_empty() {
            return Ok(());
        }
        definition.check(&change)?;
        let fields = offer.details.keys().cloned().collect();
        shown.details = Some((view.as_str().to_owned(), fields));
        self.remember(work.node, &mut work.remembered, collection, shown.clone()).await?;
        let write = || async { self.iconik.update_metadata(&object, view, &change, None).await.map(drop) };
        self.repeat(work.run, "describe link asset", write).await?;
        work.done.changed = true;
        Ok(())
    }

    pub(super) async fn view(&self, view: &ViewId) -> Result<View> {
        self.iconik.get_view(view).await.map_err(|error| {
            if error.code() != NOT_FOUND {
                return error;
            }
            let message = format!("iconik does not have the metadata view {view}");
            Error::new(FailureClass::Forbidden, System::Iconik, "link", "link.view-missing", message)
                .field(view.as_str())
                .remedy("correct the view in the rules, or let the service user see it")
                .source(error)
        })
    }

    /// A version that is newer than the one people know is told in the history; its name is not, as that may become
    /// confidential, and a history stays.
    async fn tell_version(
        &self,
        work: &mut Work<'_>,
        offer: &Offer<'_>,
        asset: &AssetId,
        known: Option<i64>,
    ) -> Result<()> {
        if known.is_none_or(|known| known >= offer.version) {
            return Ok(());
        }
        let said = format!("Version {} is in Content Server", offer.version);
        let (custom, said) = (HistoryOperation::Custom, said.as_str());
        let probe = || async {
            let entries = self.iconik.list_history(asset).all().await?.into_iter();
            let mut entries = entries.filter(|entry| entry.operation == custom && entry.description == said);
            Ok(entries.next().map(|entry| entry.id))
        };
        let act = || async {
            self.iconik.create_history_entry(asset, &custom, said, None).await.map(|entry| entry.id)
        };
        work.run.effect("tell version", Policy::CheckThenRepeat, probe, act).await?;
        work.done.changed = true;
        Ok(())
    }

    /// An effect that changes nothing when it is made again.
    pub(super) async fn repeat<A>(
        &self,
        run: &Run,
        name: &'static str,
        act: impl Fn() -> A + Send + Sync,
    ) -> Result<()>
    where
        A: Future<Output = Result<()>> + Send,
    {
        run.effect(name, Policy::RepeatSafe, || async { Ok(None) }, act).await
    }
}

/// A text as a value of a field: iconik takes numbers and truth as such.
pub(super) fn typed(view: &View, field: &str, text: &str) -> Value {
    let kind = view.field(field).map(|field| &field.kind);
    let value = match kind {
        Some(FieldKind::Integer) => text.parse::<i64>().ok().map(Value::from),
        Some(FieldKind::Float) => text.parse::<f64>().ok().map(Value::from),
        Some(FieldKind::Boolean) => text.to_lowercase().parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    value.unwrap_or_else(|| text.into())
}
