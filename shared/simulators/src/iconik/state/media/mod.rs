//! Media: storages, formats, file sets, files, what is made of them, and the buckets that hold the bytes.

mod archive;
mod bin;
mod buckets;
mod derived;
mod exports;
mod files;
mod formats;
mod places;
mod signing;
mod storages;
mod transfers;

use serde_json::{Value, json};

use super::{Event, Object, Outcome, Refusal, State, Table};

pub use buckets::{Buckets, Stored};
pub(in crate::iconik) use buckets::{Received, Upload, UploadKind};
pub(in crate::iconik) use derived::webvtt;
pub(in crate::iconik) use exports::Sidecar;
pub use places::Kind;
pub(in crate::iconik) use signing::{Given, Signing, Unsigned};

/// Everything that has to do with media.
#[derive(Clone, Debug)]
pub struct Media {
    /// Storages.
    pub storages: Table,
    /// Formats: technical renditions of an asset's version.
    pub formats: Table,
    /// File sets: a format on one storage.
    pub file_sets: Table,
    /// Files.
    pub files: Table,
    /// Web previews.
    pub proxies: Table,
    /// Keyframes and posters.
    pub keyframes: Table,
    /// Subtitles.
    pub subtitles: Table,
    /// Attachments of segments.
    pub attachments: Table,
    /// Where exports go.
    pub export_locations: Table,
    /// The bytes.
    pub buckets: Buckets,
}

impl Media {
    pub(super) fn new() -> Self {
        Self {
            storages: Table::new("Storage"),
            formats: Table::new("Format"),
            file_sets: Table::new("File set"),
            files: Table::new("File"),
            proxies: Table::new("Proxy"),
            keyframes: Table::new("Keyframe"),
            subtitles: Table::new("Subtitle"),
            attachments: Table::new("Attachment"),
            export_locations: Table::new("Export location"),
            buckets: Buckets::default(),
        }
    }
}

/// A text of an object; empty when there is none.
pub(in crate::iconik) fn text<'object>(object: &'object Object, name: &str) -> &'object str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A text of an object that is there and not empty.
pub(in crate::iconik) fn filled<'object>(object: &'object Object, name: &str) -> Option<&'object str> {
    Some(text(object, name)).filter(|text| !text.is_empty())
}

/// The object of a literal.
pub(in crate::iconik) fn map(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// Whether a text of an object is this one.
pub(in crate::iconik) fn is(object: &Object, name: &str, value: &str) -> bool {
    object.get(name).and_then(Value::as_str) == Some(value)
}

/// A text that has to be one of these; what is not there passes.
fn one_of(given: &Object, name: &str, allowed: &[&str]) -> Outcome<()> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if allowed.contains(&text.as_str()) => Ok(()),
        Some(_) => Err(Refusal::field(name, format!("Must be one of: {}.", allowed.join(", ")))),
    }
}

/// A text that has to be there.
fn needed<'object>(given: &'object Object, name: &str) -> Outcome<&'object str> {
    filled(given, name).ok_or_else(|| Refusal::field(name, "Missing data for required field."))
}

impl State {
    /// The asset, or 404. What is in the bin may be read or not.
    pub(in crate::iconik) fn asset_of_media(&self, asset: &str) -> Outcome<&Object> {
        self.readable(&self.assets, "assets", asset)
    }

    /// The version that is named, which has to be one of the asset's, or its newest.
    fn version_for(&self, asset: &str, given: &Object) -> Outcome<Value> {
        let Some(wanted) = filled(given, "version_id") else {
            return Ok(self.current_version_of(asset).map_or(Value::Null, Value::from));
        };
        let versions = self.assets.found(asset)?.get("versions").and_then(Value::as_array);
        let mut ids = versions.into_iter().flatten().filter_map(|version| version.get("id")?.as_str());
        match ids.any(|id| id == wanted) {
            true => Ok(wanted.into()),
            false => Err(Refusal::field("version_id", "Not a version of this asset.")),
        }
    }

    /// The media of an asset as search documents hold them.
    pub(in crate::iconik) fn media_of(&self, asset: &str) -> Object {
        let of_asset = |table: &Table| -> Value {
            table.objects().filter(|found| is(found, "asset_id", asset)).cloned().map(Value::Object).collect()
        };
        map(json!({
            "files": of_asset(&self.media.files), "formats": of_asset(&self.media.formats),
            "proxies": of_asset(&self.media.proxies), "keyframes": of_asset(&self.media.keyframes),
        }))
    }

    /// Tells webhooks of something that happened to a part of an asset.
    pub(in crate::iconik) fn media_event(
        &mut self,
        user: &str,
        realm: &'static str,
        operation: &'static str,
        object: &Object,
    ) {
        self.emit(Event {
            event_type: "assets",
            realm,
            operation,
            object_id: text(object, "id").to_owned(),
            user_id: user.to_owned(),
            data: Value::Object(object.clone()),
        });
    }

    /// Sets members of an asset.
    fn mark_asset(&mut self, asset: &str, members: Object) {
        if let Ok(asset) = self.assets.found_mut(asset) {
            asset.extend(members);
        }
    }

    /// Sets members of one version of an asset.
    fn mark_version(&mut self, asset: &str, version: &str, members: &Object) {
        let Ok(asset) = self.assets.found_mut(asset) else { return };
        let versions = asset.get_mut("versions").and_then(Value::as_array_mut);
        let versions = versions.into_iter().flatten().filter_map(Value::as_object_mut);
        for found in versions.filter(|found| is(found, "id", version)) {
            found.extend(members.clone());
        }
    }
}
