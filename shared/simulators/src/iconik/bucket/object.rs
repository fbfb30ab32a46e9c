//! Whole objects: downloads with ranges, uploads in one piece.

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Response, StatusCode, header};

use super::answer::{Fault, empty};
use super::{Answer, Asked};
use crate::iconik::state::State;
use crate::iconik::state::media::Received;

/// A download, whole or in part.
pub(super) fn get(state: &State, asked: &Asked) -> Answer {
    let stored =
        state.media.buckets.get(&asked.storage, &asked.key).ok_or_else(|| Fault::no_key(&asked.key))?;
    let etag = format!("\"{}\"", stored.etag);
    if asked.header("if-match").is_some_and(|wanted| wanted != "*" && wanted != etag) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(Fault::new(412, "PreconditionFailed", message));
    }
    if asked.header("if-none-match").is_some_and(|known| known == "*" || known == etag) {
        return Ok(empty(304, &[("etag", etag)]));
    }
    let size = stored.content.size;
    // A range that holds for another tag asks for the whole.
    let stale = asked.header("if-range").is_some_and(|wanted| wanted != etag);
    let range = asked.header("range").filter(|_| !stale).and_then(|range| parse(range, size));
    let (start, length) = match range {
        Some(None) => {
            return Err(Fault::new(416, "InvalidRange", "The requested range is not satisfiable"));
        }
        Some(Some(part)) => part,
        None => (0, size),
    };
    let mut response = Response::new(stored.content.body(start, length));
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let modified = stored.modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut headers = vec![
        (header::CONTENT_LENGTH, length.to_string()),
        (
            header::CONTENT_TYPE,
            asked.param("response-content-type").unwrap_or(&stored.content_type).to_owned(),
        ),
        (header::ETAG, etag),
        (header::LAST_MODIFIED, modified),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    if range.is_some() {
        let last = start + length - 1;
        headers.push((header::CONTENT_RANGE, format!("bytes {start}-{last}/{size}")));
    }
    if let Some(disposition) = asked.param("response-content-disposition") {
        headers.push((header::CONTENT_DISPOSITION, disposition.to_owned()));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// `bytes=a-b`, `bytes=a-`, `bytes=-n` as start and length. `None`: not a range, or several. `Some(None)`: behind the end.
#[allow(clippy::option_option, reason = "no range and a range that cannot be served are two answers")]
fn parse(range: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    if from.is_empty() {
        let length = to.parse::<u64>().ok()?.min(size);
        return Some((length > 0).then(|| (size - length, length)));
    }
    let start = from.parse::<u64>().ok()?;
    let end = if to.is_empty() { size } else { to.parse::<u64>().ok()?.checked_add(1)?.min(size) };
    if !to.is_empty() && to.parse::<u64>().ok()? < start {
        return None;
    }
    Some((start < size && end > start).then(|| (start, end - start)))
}

/// An upload in one piece.
pub(super) fn put(state: &mut State, asked: &Asked, provider: &str, received: Received) -> Answer {
    if provider == "AZURE" && asked.header("x-ms-blob-type") != Some("BlockBlob") {
        let message = "An HTTP header that's mandatory for this request is not specified.";
        return Err(Fault::new(400, "MissingRequiredHeader", message));
    }
    check_md5(asked, &received)?;
    let (now, kind) = (state.now, asked.content_type());
    let etag = state.media.buckets.receive(&asked.storage, &asked.key, received, &kind, now);
    let status = if provider == "AZURE" { 201 } else { 200 };
    Ok(empty(status, &[("etag", format!("\"{etag}\""))]))
}

/// What arrived has to be what was announced.
pub(super) fn check_md5(asked: &Asked, received: &Received) -> Result<(), Fault> {
    match asked.header("content-md5") {
        Some(claimed) if claimed != BASE64_STANDARD.encode(received.md5) => Err(Fault::bad_digest()),
        _ => Ok(()),
    }
}

/// Takes an object away: a part that is no longer needed.
pub(super) fn delete(state: &mut State, asked: &Asked) -> Answer {
    state.media.buckets.remove(&asked.storage, &asked.key);
    Ok(Response::builder().status(204).body(Body::empty()).unwrap_or_default())
}
