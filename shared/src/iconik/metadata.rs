//! Metadata: read by view, written by field. There is no version mark and no condition, so what is written is read
//! again, and a write that somebody else's wiped out is not taken for done.

use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{failure, unexpected},
    ids::{AssetId, ObjectRef, SegmentId, VersionId, ViewId},
    metadata_values::{MetadataChange, MetadataValues, same},
};
use crate::error::{Error, FailureClass, Result};

/// A field has another value than the one a decision was made from, or than the one just written.
pub const METADATA_CHANGED: &str = "iconik.metadata-changed";
/// The server took a write and did not do it: the field is not in the view, or it is read only.
pub const METADATA_NOT_WRITTEN: &str = "iconik.metadata-not-written";

const UPDATE: &str = "update metadata";

/// The server takes a write for the whole view.
pub const METADATA_VIEW_REPLACED: &str = "iconik.metadata-view-replaced";

impl Client {
    /// The values of a view. An object without any is answered with 404, as a missing object or view is: here they are no
    /// values. Get the object and the view where the difference matters.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_metadata(&self, object: &ObjectRef, view: &ViewId) -> Result<MetadataValues> {
        self.values(&Call::get("get metadata", &path(object, view))).await
    }

    /// The values of a view that one version had.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_version_metadata(
        &self,
        asset: &AssetId,
        version: &VersionId,
        view: &ViewId,
    ) -> Result<MetadataValues> {
        let path = [
            "metadata",
            "v1",
            "assets",
            asset.as_str(),
            "versions",
            version.as_str(),
            "views",
            view.as_str(),
        ];
        self.values(&Call::get("get version metadata", &path)).await
    }

    /// The values of a view that a segment has.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_segment_metadata(
        &self,
        asset: &AssetId,
        segment: &SegmentId,
        view: &ViewId,
    ) -> Result<MetadataValues> {
        let path = [
            "metadata",
            "v1",
            "assets",
            asset.as_str(),
            "segments",
            segment.as_str(),
            "views",
            view.as_str(),
        ];
        self.values(&Call::get("get segment metadata", &path)).await
    }

    /// Every value an object has, whatever the view. Only an administrator may ask.
    ///
    /// # Errors
    /// `Forbidden` for anybody else.
    pub async fn get_all_metadata(&self, object: &ObjectRef) -> Result<MetadataValues> {
        self.values(&Call::get("get all metadata", &["metadata", "v1", object.kind(), object.id()])).await
    }

    async fn values(&self, call: &Call) -> Result<MetadataValues> {
        match self.look::<Value>(call).await? {
            None => Ok(MetadataValues::default()),
            Some(answer) => MetadataValues::read(&answer)
                .ok_or_else(|| unexpected(call.operation(), call.effect(), "no metadata in it")),
        }
    }

    /// Writes fields of a view, and gives all its values as they were afterwards. Give what the decision was made from as
    /// `based_on`: nothing is written when a field that is to change has another value by now. Between that look and the
    /// write somebody may still come in; so it is read once more, and a write that is not there is a failure.
    ///
    /// # Errors
    /// [`METADATA_CHANGED`] (`Conflict`, with the field): read again, merge, write again. [`METADATA_NOT_WRITTEN`]
    /// (`Forbidden`, with the field). [`METADATA_VIEW_REPLACED`] (`Forbidden`). `Invalid`, with the field where the server names it, when a value is refused.
    pub async fn update_metadata(
        &self,
        object: &ObjectRef,
        view: &ViewId,
        change: &MetadataChange,
        based_on: Option<&MetadataValues>,
    ) -> Result<MetadataValues> {
        self.update(object, view, change, based_on, Call::repeatable).await
    }

    /// As [`Client::update_metadata`], in a write that is not repeated by itself: one whose answer was lost may be carried
    /// out later, over what was written since.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: read again, and where it is not there, wait until it cannot come any more. As
    /// [`Client::update_metadata`].
    pub async fn update_metadata_once(
        &self,
        object: &ObjectRef,
        view: &ViewId,
        change: &MetadataChange,
        based_on: Option<&MetadataValues>,
    ) -> Result<MetadataValues> {
        self.update(object, view, change, based_on, Call::once).await
    }

    async fn update(
        &self,
        object: &ObjectRef,
        view: &ViewId,
        change: &MetadataChange,
        based_on: Option<&MetadataValues>,
        repeated: fn(Call) -> Call,
    ) -> Result<MetadataValues> {
        let before = self.get_metadata(object, view).await?;
        if let Some(expected) = based_on
            && let Some(field) = change.fields.keys().find(|field| !expected.agrees(&before, field))
        {
            return Err(changed(field, "has changed since it was read; nothing was written"));
        }
        let change = change.clone().beyond(&before);
        if change.is_empty() {
            return Ok(before);
        }
        let whole = if self.settings.metadata_writes_replace_view {
            change.clone().with_all_of(&before)
        } else {
            change.clone()
        };
        self.write(object, view, &whole, repeated).await?;
        let after = self.get_metadata(object, view).await?;
        self.check_others(object, view, &change, &before, &after).await?;
        match change.fields.iter().find(|(field, values)| !same(values, after.get(field))) {
            None => Ok(after),
            Some((field, _)) if before.agrees(&after, field) => {
                let message = format!("the server took a value for {field:?} and kept the old one");
                Err(failure(FailureClass::Forbidden, UPDATE, METADATA_NOT_WRITTEN, message)
                    .field(field)
                    .remedy("put the field into the metadata view, and let it be written"))
            }
            Some((field, _)) => Err(changed(field, "was changed by somebody else at the same moment")),
        }
    }

    async fn write(
        &self,
        object: &ObjectRef,
        view: &ViewId,
        change: &MetadataChange,
        repeated: fn(Call) -> Call,
    ) -> Result<()> {
        let call = Call::put(UPDATE, &path(object, view)).query("ignore_unchanged", true);
        self.tell(&repeated(call.body(change.body()))).await
    }

    /// When every field that was not named has lost its values, the server takes a write for the whole view. They are put
    /// back, and nothing more is written until the setting says so.
    async fn check_others(
        &self,
        object: &ObjectRef,
        view: &ViewId,
        change: &MetadataChange,
        before: &MetadataValues,
        after: &MetadataValues,
    ) -> Result<()> {
        let others: Vec<&str> = before
            .fields()
            .map(|(field, _)| field)
            .filter(|field| !change.fields.contains_key(*field))
            .collect();
        if others.is_empty() || others.iter().any(|field| !after.get(field).is_empty()) {
            return Ok(());
        }
        self.write(object, view, &change.clone().with_all_of(before), Call::repeatable).await?;
        let message = "the server cleared the fields of the view that were not named; they were put back";
        Err(failure(FailureClass::Forbidden, UPDATE, METADATA_VIEW_REPLACED, message)
            .remedy("set metadata_writes_replace_view for this tenant"))
    }
}

fn changed(field: &str, what: &str) -> Error {
    failure(FailureClass::Conflict, UPDATE, METADATA_CHANGED, format!("the field {field:?} {what}"))
        .field(field)
}

fn path<'a>(object: &'a ObjectRef, view: &'a ViewId) -> [&'a str; 6] {
    ["metadata", "v1", object.kind(), object.id(), "views", view.as_str()]
}
