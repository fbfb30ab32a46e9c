//! What an asset holds in one metadata view: read as it is now, checked against the view, and written by field.
//!
//! For the flows of this crate that map fields or say something in them. A view that is not there (any more), a field that was
//! taken out of it and a choice that is not in its list are told by name, before iconik refuses or ignores them without one.

use serde_json::{Map, Value};
use shared::{
    error::{Error, FailureClass, Result, System},
    iconik::{
        AssetId, Client, METADATA_CHANGED, MetadataChange, MetadataValues, NOT_FOUND, ObjectRef, View, ViewId,
    },
};

/// The rules name a metadata view that iconik does not have.
pub const VIEW_MISSING: &str = "metadata.view-missing";

/// How often fields are set again because somebody else wrote them at the same moment.
const TRIES: u32 = 3;

/// What an asset holds in a view, as it was read.
#[derive(Debug, Clone)]
pub struct AssetMetadata {
    object: ObjectRef,
    view: View,
    values: MetadataValues,
}

impl AssetMetadata {
    /// Reads the view with its definitions, and what the asset holds in it.
    ///
    /// # Errors
    /// [`VIEW_MISSING`] (`Forbidden`); as any call.
    pub async fn read(client: &Client, asset: &AssetId, view: &ViewId) -> Result<Self> {
        let object = ObjectRef::Assets(asset.clone());
        let view = match client.get_view(view).await {
            Err(error) if error.code() == NOT_FOUND => return Err(view_missing(view).source(error)),
            outcome => outcome?,
        };
        let values = client.get_metadata(&object, &view.id).await?;
        Ok(Self { object, view, values })
    }

    /// The same asset and view with the values it has now.
    ///
    /// # Errors
    /// As any call.
    pub async fn read_again(&self, client: &Client) -> Result<Self> {
        let values = client.get_metadata(&self.object, &self.view.id).await?;
        Ok(Self { values, ..self.clone() })
    }

    /// The view, with the definitions of its fields.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The values.
    pub fn values(&self) -> &MetadataValues {
        &self.values
    }

    /// The values by field, for a mapping: one, or a list of several. Fields of the view without a value are not in it.
    pub fn for_mapping(&self) -> Value {
        let shown = self.values.fields().filter(|(field, _)| self.view.field(field).is_some());
        let shown = shown.filter_map(|(field, values)| match values {
            [] => None,
            [one] => Some((field.to_owned(), one.clone())),
            several => Some((field.to_owned(), several.to_vec().into())),
        });
        shown.collect::<Map<_, _>>().into()
    }

    /// Writes fields, unless one of them has changed since this was read. Gives what the asset holds afterwards.
    ///
    /// # Errors
    /// `iconik.field-not-in-view`, `iconik.no-such-choice`, `iconik.too-many-values`, `iconik.value-required`, each with the
    /// field and before anything is written; as [`Client::update_metadata`].
    pub async fn write(&self, client: &Client, change: &MetadataChange) -> Result<Self> {
        self.view.check(change)?;
        let values = client.update_metadata(&self.object, &self.view.id, change, Some(&self.values)).await?;
        Ok(Self { object: self.object.clone(), view: self.view.clone(), values })
    }

    /// The same in one attempt: a write that is repeated after a lost answer may arrive once more when something else is there.
    ///
    /// # Errors
    /// As [`Self::write`]; `UnknownOutcome` when no answer came.
    pub async fn write_once(&self, client: &Client, change: &MetadataChange) -> Result<Self> {
        self.view.check(change)?;
        let based_on = Some(&self.values);
        let values = client.update_metadata_once(&self.object, &self.view.id, change, based_on).await?;
        Ok(Self { values, ..self.clone() })
    }

    /// Sets fields that are ours alone, whatever they hold now. What is so already costs no write.
    ///
    /// # Errors
    /// As [`Self::read`] and [`Self::write`]; [`METADATA_CHANGED`] when somebody else keeps writing these fields.
    pub async fn set(
        client: &Client,
        asset: &AssetId,
        view: &ViewId,
        change: &MetadataChange,
    ) -> Result<Self> {
        let mut tries = 1;
        loop {
            match Self::read(client, asset, view).await?.write(client, change).await {
                Err(error) if error.code() == METADATA_CHANGED && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }
}

fn view_missing(view: &ViewId) -> Error {
    let message = format!("iconik has no metadata view {view}");
    Error::new(FailureClass::Forbidden, System::Iconik, "read metadata", VIEW_MISSING, message)
        .remedy("correct the id of the view in the rules, or bring the view back")
}
