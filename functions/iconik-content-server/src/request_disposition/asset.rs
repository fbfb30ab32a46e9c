//! The asset in iconik as a disposition sees it.

use jiff::Timestamp;
use serde_json::json;
use shared::{
    error::{Error, FailureClass, Result, System},
    flow::Reason,
    iconik::{AssetId, AssetStatus, AssetVersion, ObjectRef, View, ViewId},
    mapping::Record,
};

use super::RequestDisposition;

/// An asset that is there.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) category: Option<String>,
    /// What the field says; nothing when it is empty.
    pub(super) status: String,
    /// When it got that, where iconik says so.
    pub(super) since: Option<Timestamp>,
    /// When anything of it was changed.
    pub(super) modified: Option<Timestamp>,
    pub(super) versions: Vec<AssetVersion>,
}

impl Asset {
    pub(super) fn reference(&self) -> ObjectRef {
        ObjectRef::Assets(AssetId::new(&self.id))
    }

    /// What rules may read of it.
    pub(super) fn record(&self) -> Record {
        let category = self.category.as_deref().unwrap_or_default();
        Record::new().with(
            "asset",
            json!({"id": self.id, "title": self.title, "category": category, "status": self.status}),
        )
    }
}

impl RequestDisposition {
    /// The asset as it is now, or why there is nothing to dispose of.
    pub(super) async fn asset(&self, id: &str) -> Result<std::result::Result<Asset, Reason>> {
        let id = AssetId::new(id);
        let Some(found) = self.iconik.find_asset(&id).await? else {
            return Ok(Err(Reason::new("asset.gone", "the asset is not there any more")));
        };
        if found.status == AssetStatus::Deleted {
            return Ok(Err(Reason::new("asset.in-recycle-bin", "the asset is in the recycle bin")));
        }
        let view = self.view().await?;
        let values = self.iconik.get_metadata(&ObjectRef::Assets(id), &view.id).await?;
        Ok(Ok(Asset {
            id: found.id.to_string(),
            title: found.title,
            category: found.category,
            status: values.text(&self.rules.iconik.status).unwrap_or_default(),
            since: values.written(&self.rules.iconik.status),
            modified: found.modified,
            versions: found.versions,
        }))
    }

    /// The metadata view, which has to have the field of the status: an asset without one would look as if it had none.
    pub(super) async fn view(&self) -> Result<View> {
        let fields = &self.rules.iconik;
        let view = self.iconik.get_view(&ViewId::new(&fields.view)).await;
        let view = view.map_err(|error| match error.class() {
            FailureClass::Gone => {
                view_changed(format!("there is no metadata view {}", fields.view)).source(error)
            }
            _ => error,
        })?;
        if view.field(&fields.status).is_none() {
            let message = format!("the metadata view {:?} has no field {:?}", view.name, fields.status);
            return Err(view_changed(message).field(&fields.status));
        }
        Ok(view)
    }
}

fn view_changed(message: String) -> Error {
    Error::new(FailureClass::Forbidden, System::Iconik, "read status", "disposition.view-changed", message)
        .remedy("put the field back into the view, or correct the rules")
}
