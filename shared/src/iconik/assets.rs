//! Assets and their versions.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{
    Client,
    asset::{Asset, AssetChange, AssetStatus, AssetVersion, NewAsset, NewVersion},
    call::Call,
    ids::{AssetId, VersionId},
    page::{Pages, Style},
    search::{Search, Term},
    wire,
};
use crate::error::{FailureClass, Result};

fn path(asset: &AssetId) -> [&str; 4] {
    ["assets", "v1", "assets", asset.as_str()]
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default, deserialize_with = "wire::list")]
    versions: Vec<AssetVersion>,
}

impl Client {
    /// An asset, with the collections it is in.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn get_asset(&self, asset: &AssetId) -> Result<Asset> {
        let call = Call::get("get asset", &path(asset)).query("include_collections", true);
        self.ask(&call.query("include_users", true)).await
    }

    /// An asset, if it is there. One in the recycle bin is, and says so.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_asset(&self, asset: &AssetId) -> Result<Option<Asset>> {
        let call = Call::get("get asset", &path(asset)).query("include_collections", true);
        self.look(&call.query("include_users", true)).await
    }

    /// All assets. The list comes from the index and may be behind: get each by its id before anything is done with it.
    pub fn list_assets(&self) -> Pages<'_, Asset> {
        let call = Call::get("list assets", &["assets", "v1", "assets"]).query("sort", "date_created,asc");
        Pages::new(self, call, Style::Number).of_everything()
    }

    /// The assets with an external id that are not deleted. They are searched for, so one that was just made may be
    /// missing; each that is found was read anew.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_assets_by_external_id(&self, external_id: &str) -> Result<Vec<Asset>> {
        let search = Search::of(&["assets"]).term(Term::is("external_id", external_id));
        let found = self.search::<Asset>(search).all().await?;
        let mut assets = Vec::new();
        for asset in found {
            let Some(asset) = self.find_asset(&asset.id).await? else { continue };
            if asset.external_id.as_deref() == Some(external_id) && asset.status != AssetStatus::Deleted {
                assets.push(asset);
            }
        }
        // Should two have been made: everybody takes the same one.
        assets.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        Ok(assets)
    }

    /// Makes an asset.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: find it by its external id before trying again.
    pub async fn create_asset(&self, new: &NewAsset) -> Result<Asset> {
        let call = Call::post("create asset", &["assets", "v1", "assets"])
            .query_if("assign_to_collection", new.collection.as_ref().map(|_| true));
        self.ask(&call.body(new.body())).await
    }

    /// The asset with an external id, made when there is none. When the answer to its making is lost, it is searched for
    /// until the index has had time to show it.
    ///
    /// # Errors
    /// `UnknownOutcome` when it could not be found out whether it was made.
    pub async fn ensure_asset(&self, new: &NewAsset) -> Result<Asset> {
        if let Some(asset) = self.find_assets_by_external_id(&new.external_id).await?.into_iter().next() {
            return Ok(asset);
        }
        let failure = match self.create_asset(new).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => failure,
            outcome => return outcome,
        };
        let found = self
            .patiently(async || {
                Ok(self.find_assets_by_external_id(&new.external_id).await?.into_iter().next())
            })
            .await?;
        found.ok_or(failure)
    }

    /// Changes an asset: only what is given.
    ///
    /// # Errors
    /// `Invalid` when a value is refused.
    pub async fn update_asset(&self, asset: &AssetId, change: &AssetChange) -> Result<Asset> {
        self.ask(&Call::patch("update asset", &path(asset)).body(change.body())).await
    }

    /// Puts an asset into the recycle bin, which empties itself after a day unless the tenant says otherwise.
    ///
    /// # Errors
    /// As any call; one that is gone already is no failure.
    pub async fn delete_asset(&self, asset: &AssetId) -> Result<()> {
        self.remove(&Call::delete("delete asset", &path(asset))).await
    }

    /// As [`Client::delete_asset`], in one call that is not repeated by itself: for callers who must ask whether they may
    /// immediately before each.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look at the asset's status, and ask again before trying again.
    pub async fn delete_asset_once(&self, asset: &AssetId) -> Result<()> {
        self.remove(&Call::delete("delete asset", &path(asset)).once()).await
    }

    /// Takes an asset out of the recycle bin.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`] when the bin has been emptied.
    pub async fn restore_asset(&self, asset: &AssetId) -> Result<()> {
        let [service, version, kind, id] = path(asset);
        self.tell(&Call::put("restore asset", &[service, version, kind, id, "restore"])).await
    }

    /// As [`Client::restore_asset`], in one call that is not repeated by itself: one whose answer was lost may be carried
    /// out later, after the asset was deleted again.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look at the asset's status.
    pub async fn restore_asset_once(&self, asset: &AssetId) -> Result<()> {
        let [service, version, kind, id] = path(asset);
        self.tell(&Call::put("restore asset", &[service, version, kind, id, "restore"]).once()).await
    }

    /// Adds a version and gives the one that is new.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: compare the versions of the asset before trying again.
    pub async fn create_version(&self, asset: &AssetId, new: NewVersion) -> Result<AssetVersion> {
        let [service, version, kind, id] = path(asset);
        let call = Call::post("create version", &[service, version, kind, id, "versions"]).body(json!({
            "copy_metadata": new.copy_metadata, "copy_segments": new.copy_segments,
        }));
        let answer: Versions = self.ask(&call).await?;
        let newest = answer.versions.into_iter().max_by_key(|version| version.number);
        newest.ok_or_else(|| super::error::unexpected(call.operation(), call.effect(), "no versions in it"))
    }

    /// Makes a version the current one.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn promote_version(&self, asset: &AssetId, wanted: &VersionId) -> Result<()> {
        let [service, version, kind, id] = path(asset);
        let path = [service, version, kind, id, "versions", wanted.as_str(), "promote"];
        self.tell(&Call::put("promote version", &path)).await
    }

    /// Looks again and again until something is found or the index has had its time.
    pub(super) async fn patiently<T>(&self, look: impl AsyncFn() -> Result<Option<T>>) -> Result<Option<T>> {
        let context = self.http.context();
        let patience = i64::try_from(self.settings.index_patience_seconds * 1000).unwrap_or(i64::MAX);
        let until = self.now_milliseconds().saturating_add(patience);
        let mut pause = Duration::from_millis(500);
        loop {
            if let Some(found) = look().await? {
                return Ok(Some(found));
            }
            if self.now_milliseconds() >= until {
                return Ok(None);
            }
            context.sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(4));
        }
    }
}
