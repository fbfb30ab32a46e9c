//! Content: downloads.

use std::io::Write as _;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::{Call, number};
use crate::content_server::reply::{Content, Reply};
use crate::content_server::settings::Settings;
use crate::content_server::state::{Api, NodeId, Outcome, Refusal};

/// Larger content is never compressed: the simulator compresses in memory.
const COMPRESS_UP_TO: u64 = 16 * 1024 * 1024;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let (id, version) = match (method, path) {
        ("GET", [_, "nodes", id, "content"] | [_, "nodes", id, "content", _]) => (*id, None),
        (
            "GET",
            [_, "nodes", id, "versions", version, "content"]
            | [_, "nodes", id, "versions", version, "content", _],
        ) => (*id, Some(*version)),
        _ => return None,
    };
    Some(number(id).and_then(|id| {
        let version = version.map(number).transpose()?;
        download(call, id, version)
    }))
}

fn download(call: &mut Call<'_>, id: NodeId, version: Option<i64>) -> Outcome<Reply> {
    let version = match call.state.readable_version(call.actor, id, version) {
        Err(Refusal::NotAccessible) if call.api == Api::V1 => {
            return Err(Refusal::said(500, format!("Could not locate node: {id}")));
        }
        Err(Refusal::NotAccessible) => return Err(Refusal::sorry(500)),
        other => other?,
    };
    let forced = call.api == Api::V1 && call.params.text("action").as_deref() == Some("download");
    let content = Content {
        blob: version.content.clone(),
        mime_type: if forced { "application/octet-stream".to_owned() } else { version.mime_type.clone() },
        file_name: version.file_name.clone(),
        version_id: version.version_id,
    };
    call.state.audit(id, 20, call.actor);
    Ok(Reply::Content(content))
}

/// The response for content, with range, compression and tags as the settings say.
pub(crate) fn response(settings: &Settings, content: &Content, asked: &HeaderMap) -> Response<Body> {
    let text = |name: header::HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let size = content.blob.size;
    let range =
        text(header::RANGE).filter(|_| settings.range_requests).and_then(|range| parse_range(range, size));
    let compress = settings.gzip_downloads
        && range.is_none()
        && size <= COMPRESS_UP_TO
        && text(header::ACCEPT_ENCODING).is_some_and(|accepted| accepted.contains("gzip"));
    let (start, length) = range.unwrap_or((0, size));
    let mut response = match compress.then(|| compressed(content)).flatten() {
        Some(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        None => {
            let mut response = Response::new(content.blob.body(start, length));
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
            response
        }
    };
    let mut put = |name: header::HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, content.mime_type.clone());
    if settings.content_disposition {
        let name =
            percent_encoding::utf8_percent_encode(&content.file_name, percent_encoding::NON_ALPHANUMERIC);
        put(header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}"));
    }
    if settings.etags {
        put(header::ETAG, format!("\"{}\"", content.version_id));
    }
    if range.is_some() {
        let last = (start + length).saturating_sub(1);
        put(header::CONTENT_RANGE, format!("bytes {start}-{last}/{size}"));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn compressed(content: &Content) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&content.blob.bytes().ok()?).ok()?;
    encoder.finish().ok()
}

/// `bytes=a-b`, `bytes=a-`, `bytes=-n` as start and length; anything else counts as no range.
fn parse_range(range: &str, size: u64) -> Option<(u64, u64)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    if from.is_empty() {
        let length = to.parse::<u64>().ok()?.min(size);
        return Some((size - length, length));
    }
    let start = from.parse::<u64>().ok().filter(|start| *start < size)?;
    let end = if to.is_empty() { size } else { to.parse::<u64>().ok()?.saturating_add(1).min(size) };
    (end > start).then(|| (start, end - start))
}
