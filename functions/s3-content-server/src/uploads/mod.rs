//! What the flows have in common that make documents of uploads: the item of an upload, its mark in Content Server, its
//! place among those of its key, the way of its bytes, and where it goes when it cannot be accepted.

pub(crate) mod order;
pub(crate) mod passage;
pub(crate) mod put_aside;
pub(crate) mod tags;

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use sha2::{Digest, Sha256};
use shared::{
    content_server,
    error::{Error, FailureClass, Result},
    flow::Item,
    ledger::Key,
    s3_notification::{ObjectEvent, Sequencer},
    transfer::S3Object,
};

use crate::intake_rules::{Upload, content};

/// Largest object that is read with the first look at it and kept until it is delivered, in bytes. Every item under way
/// may hold as much.
const READ_AT_ONCE: u64 = 256 << 10;

/// The item of an upload is the version of the object.
pub(crate) fn item(event: &ObjectEvent) -> Item {
    let (bucket, key) = (event.bucket.as_str(), event.key.as_str());
    let version = match (&event.version_id, &event.etag, &event.sequencer) {
        (Some(version), ..) => format!("version {version}"),
        (None, etag, sequencer) => format!(
            "etag {} sequencer {}",
            etag.as_deref().unwrap_or_default(),
            sequencer.as_ref().map(Sequencer::as_str).unwrap_or_default()
        ),
    };
    let mut payload = Sha256::new();
    for part in [&version, &event.etag.clone().unwrap_or_default()] {
        payload.update((part.len() as u64).to_be_bytes());
        payload.update(part.as_bytes());
    }
    payload.update(event.size.unwrap_or_default().to_be_bytes());
    Item {
        key: Key::of(&[bucket, key, &version]),
        payload_hash: hex::encode(payload.finalize()),
        asset: Key::of(&[bucket, key]).digest().to_owned(),
        asset_text: format!("s3://{bucket}/{key}"),
    }
}

/// Which object an event is about: the version, or else the ETag it has to have.
fn pinned(event: &ObjectEvent) -> (Option<&str>, Option<&str>) {
    let version = event.version_id.as_deref();
    (version, if version.is_none() { event.etag.as_deref() } else { None })
}

/// The object of an event, pinned to the version the event was about.
pub(crate) async fn head(s3: &Client, event: &ObjectEvent) -> Result<S3Object> {
    let (version, expected) = pinned(event);
    S3Object::head(s3, &event.bucket, event.key.as_str(), version, expected).await
}

/// As [`head`]; a small object is read with the same call, for what is to be done with it. What goes up in parts is read
/// in ranges.
pub(crate) async fn head_to_read(
    s3: &Client,
    event: &ObjectEvent,
    content_server: &content_server::Client,
) -> Result<S3Object> {
    let in_parts = content_server.settings().large_upload.from_size;
    if !event.size.is_some_and(|size| size <= READ_AT_ONCE && size < in_parts) {
        return head(s3, event).await;
    }
    let (version, expected) = pinned(event);
    S3Object::head_and_content(s3, &event.bucket, event.key.as_str(), version, expected, READ_AT_ONCE).await
}

/// What rules may ask for of an object.
pub(crate) fn described(
    object: &S3Object,
    tags: BTreeMap<String, String>,
    sidecar: Option<serde_json::Value>,
    now: jiff::Timestamp,
) -> Upload {
    Upload {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        size: object.size,
        content_type: object.content_type.clone(),
        etag: Some(object.etag.clone()),
        version_id: object.version_id.clone(),
        last_modified: object.last_modified,
        tags,
        user: object.user_metadata.clone(),
        sidecar,
        now,
    }
}

/// The last name of an object's key.
pub(crate) fn file_name(object: &S3Object) -> String {
    object.key.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The media type it was uploaded with, or else the one its name says.
pub(crate) fn media_type(object: &S3Object) -> String {
    let by_name = content::detect(&file_name(object), &[]).media_type.map(str::to_owned);
    let stated = object.content_type.clone().filter(|kind| kind != "binary/octet-stream");
    stated.or(by_name).unwrap_or_else(|| "application/octet-stream".to_owned())
}

/// Whether trying again gives the same answer.
pub(crate) fn is_final(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid)
}
