//! Google's own ways: resumable uploads, and objects composed of others.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Response;

use super::answer::{Fault, empty, xml};
use super::parts::elements;
use super::{Answer, Asked};
use crate::iconik::state::State;
use crate::iconik::state::media::{Received, Upload, UploadKind};

/// Pieces of a resumable upload are multiples of this, but for the last.
const STEP: u64 = 256 * 1024;
/// Most objects that one call composes.
const MOST_COMPOSED: usize = 32;

/// Whether a call goes to a resumable upload: its number is all it needs.
pub(super) fn is_session(asked: &Asked) -> bool {
    asked.param("upload_id").is_some()
}

pub(super) fn begin(state: &mut State, asked: &Asked) -> Answer {
    let id = format!("resumable-{}", state.new_id());
    let upload = Upload {
        storage: asked.storage.clone(),
        key: asked.key.clone(),
        content_type: asked.content_type(),
        kind: UploadKind::Resumable(state.settings.media.spool(false)),
        parts: BTreeMap::new(),
    };
    state.media.buckets.begin(&id, upload);
    let host = asked.header("host").unwrap_or("127.0.0.1");
    let path = percent_encoding::utf8_percent_encode(&asked.key, percent_encoding::NON_ALPHANUMERIC);
    let place = format!("{}/{path}?upload_id={id}", state.bucket_place(host, &asked.storage));
    Ok(empty(201, &[("location", place), ("x-guploader-uploadid", id)]))
}

/// What a `Content-Range` says: where the piece begins, and how long the whole is.
fn content_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    match range {
        "*" => Some((None, total)),
        range => Some((Some(range.split_once('-')?.0.parse().ok()?), total)),
    }
}

pub(super) fn receive(state: &mut State, asked: &Asked, received: &Received) -> Answer {
    let id = asked.param("upload_id").unwrap_or_default();
    let now = state.now;
    let upload = state.media.buckets.upload(id, &asked.storage, &asked.key);
    let upload = upload.ok_or_else(|| Fault::new(410, "Gone", "The upload session is gone."))?;
    let UploadKind::Resumable(spool) = &mut upload.kind else { return Err(Fault::no_upload(id)) };
    let (start, total) = match asked.header("content-range") {
        Some(range) => content_range(range)
            .ok_or_else(|| Fault::new(400, "InvalidArgument", "The Content-Range could not be read."))?,
        None => (Some(0), Some(received.content.size)),
    };
    let size = received.content.size;
    if let Some(start) = start {
        if start > spool.size() {
            return Err(Fault::new(
                503,
                "ServiceUnavailable",
                "The piece does not follow what was received.",
            ));
        }
        // What was sent before is sent again after a broken connection: only the rest is new.
        let known = spool.size() - start;
        let fresh = size.saturating_sub(known);
        let ends = total == Some(start + size);
        let kept = if ends { fresh } else { fresh - fresh % STEP };
        let mut at = known;
        while at < known + kept {
            let piece = received.content.read_at(at, STEP.min(known + kept - at));
            let piece = piece.map_err(|error| Fault::internal(&error.to_string()))?;
            spool.write(&piece).map_err(|error| Fault::internal(&error.to_string()))?;
            at += piece.len() as u64;
        }
    }
    let so_far = spool.size();
    if total != Some(so_far) {
        let mut headers = Vec::new();
        if so_far > 0 {
            headers.push(("range", format!("bytes=0-{}", so_far - 1)));
        }
        return Ok(empty(308, &headers));
    }
    let Some(upload) = state.media.buckets.uploads.remove(id) else { return Err(Fault::no_upload(id)) };
    if let UploadKind::Resumable(spool) = upload.kind {
        let content = spool.finish();
        state.media.buckets.put(&asked.storage, &asked.key, content, &upload.content_type, now);
    }
    Ok(empty(200, &[("x-goog-stored-content-length", so_far.to_string())]))
}

pub(super) fn cancel(state: &mut State, asked: &Asked) -> Answer {
    let id = asked.param("upload_id").unwrap_or_default();
    let found = state.media.buckets.upload(id, &asked.storage, &asked.key).is_some();
    if !found {
        return Err(Fault::no_upload(id));
    }
    state.media.buckets.uploads.remove(id);
    let mut response = Response::new(Body::empty());
    // Google answers a cancelled upload with a status of its own.
    *response.status_mut() = http::StatusCode::from_u16(499).unwrap_or_default();
    Ok(response)
}

pub(super) fn compose(state: &mut State, asked: &Asked, received: &Received) -> Answer {
    let bytes = received.content.bytes().map_err(|error| Fault::internal(&error.to_string()))?;
    let named = elements(&bytes, "Component", &["Name"]).ok_or_else(Fault::malformed)?;
    let names: Vec<String> = named.into_iter().flatten().collect();
    if names.is_empty() || names.len() > MOST_COMPOSED {
        return Err(Fault::new(400, "InvalidArgument", "Between 1 and 32 components are composed."));
    }
    let mut spool = state.settings.media.spool(true);
    for name in &names {
        let stored = state.media.buckets.get(&asked.storage, name).ok_or_else(|| Fault::no_key(name))?;
        spool.append(&stored.content).map_err(|error| Fault::internal(&error.to_string()))?;
    }
    let now = state.now;
    state.media.buckets.put(&asked.storage, &asked.key, spool.finish(), &asked.content_type(), now);
    Ok(xml("ComposeResult", &[("Key", asked.key.clone())]))
}
