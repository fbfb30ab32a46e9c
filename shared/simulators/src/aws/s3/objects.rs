//! Put, get, head and delete of objects.

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;

use super::answer::{Answer, http_date, iso_date, parse_iso, quoted};
use super::checksum::{self, Algorithm};
use super::conditions::{check_read, check_write};
use super::error::{Error, Result};
use super::locks;
use super::metadata;
use super::notification::Cause;
use super::request::Request;
use super::restore;
use super::state::{Description, Retention, State, Version, Versioning};

/// Headers kept with an object and handed back as they came.
const KEPT: [&str; 8] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

const MOST_METADATA: usize = 2 * 1024;

/// Reads what a write says about the object.
pub(super) fn description(request: &Request) -> Result<Description> {
    let mut headers: BTreeMap<String, String> = KEPT
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), request.header(name)?.to_owned())))
        .collect();
    if let Some(encoding) = headers.remove("content-encoding") {
        let kept: Vec<&str> =
            encoding.split(',').map(str::trim).filter(|part| *part != "aws-chunked").collect();
        if !kept.is_empty() {
            headers.insert("content-encoding".to_owned(), kept.join(","));
        }
    }
    headers.entry("content-type".to_owned()).or_insert_with(|| "binary/octet-stream".to_owned());
    let metadata: BTreeMap<String, String> = request
        .headers_under("x-amz-meta-")
        .map(|(name, value)| (name.to_owned(), metadata::decode(value)))
        .collect();
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MOST_METADATA {
        return Err(Error::new(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        )
        .with("Size", size.to_string())
        .with("MaxSizeAllowed", MOST_METADATA.to_string()));
    }
    let tags: Vec<(String, String)> =
        serde_urlencoded::from_str(request.header("x-amz-tagging").unwrap_or_default()).unwrap_or_default();
    locks::check_tags(&tags)?;
    Ok(Description {
        headers,
        metadata,
        tags: tags.into_iter().collect(),
        retention: retention(request)?,
        legal_hold: request.header("x-amz-object-lock-legal-hold") == Some("ON"),
        restoration: None,
    })
}

fn retention(request: &Request) -> Result<Option<Retention>> {
    let mode = request.header("x-amz-object-lock-mode");
    let until = request.header("x-amz-object-lock-retain-until-date");
    match (mode, until) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let until = parse_iso(until).ok_or_else(|| {
                Error::invalid_argument(
                    "x-amz-object-lock-retain-until-date",
                    until,
                    "The date is not valid.",
                )
            })?;
            Ok(Some(Retention { mode: mode.to_owned(), until }))
        }
        _ => Err(Error::invalid_argument(
            "x-amz-object-lock-retain-until-date",
            until.unwrap_or_default(),
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )),
    }
}

pub(super) fn put(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let checksum = checksum::verify(request, Algorithm::Crc64Nvme)?;
    let description = description(request)?;
    let number = state.next();
    let bucket = state.bucket(&request.bucket)?;
    locks::check_allowed(bucket, &description)?;
    check_write(request, bucket)?;
    let version = Version {
        id: String::new(),
        marker: false,
        data: request.body.clone(),
        etag: checksum::etag(&request.body),
        modified: now,
        description,
        checksum: Some(checksum),
        parts: Vec::new(),
    };
    bucket.add(&request.key, version, number);
    let version = bucket.find(&request.key, None)?;
    let answer = Answer::ok().checksum(version.checksum.as_ref()).written(bucket, version);
    state.notify(&request.bucket, &request.key, Cause::Put, now);
    Ok(answer)
}

/// First and last byte of a range, or nothing when the header is to be ignored.
fn range(text: &str, size: usize) -> Result<Option<(usize, usize)>> {
    let Some(wanted) = text.strip_prefix("bytes=").filter(|wanted| !wanted.contains(',')) else {
        return Ok(None);
    };
    let Some((from, to)) = wanted.split_once('-') else { return Ok(None) };
    let unsatisfiable = || {
        Error::new(416, "InvalidRange", "The requested range is not satisfiable")
            .with("RangeRequested", text)
            .with("ActualObjectSize", size.to_string())
            .header("content-range", format!("bytes */{size}"))
    };
    let last = size.saturating_sub(1);
    match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), _) if from >= size => Err(unsatisfiable()),
        (Ok(from), Ok(to)) if from <= to => Ok(Some((from, to.min(last)))),
        (Ok(from), Err(_)) if to.is_empty() => Ok(Some((from, last))),
        (Err(_), Ok(0)) => Err(unsatisfiable()),
        (Err(_), Ok(_)) if size == 0 => Err(unsatisfiable()),
        (Err(_), Ok(count)) if from.is_empty() => Ok(Some((size.saturating_sub(count), last))),
        _ => Ok(None),
    }
}

/// The bytes of one part of a multipart object.
fn part_range(version: &Version, number: usize) -> Result<(usize, usize)> {
    let whole = [version.data.len()];
    let sizes = if version.parts.is_empty() { whole.as_slice() } else { version.parts.as_slice() };
    let size = number
        .checked_sub(1)
        .and_then(|index| sizes.get(index))
        .ok_or_else(|| Error::new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable"))?;
    let from: usize = sizes.iter().take(number - 1).sum();
    Ok((from, (from + size).saturating_sub(1)))
}

pub(super) fn get(state: &mut State, request: &Request, head: bool, now: i64) -> Result<Answer> {
    let cut = if head { None } else { state.cut_next_get };
    let bucket = state.bucket(&request.bucket)?;
    let version = bucket.find(&request.key, request.query("versionId"))?;
    check_read(request, "", version)?;
    if !head && !version.description.is_readable(now) {
        return Err(Error::new(
            403,
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
        )
        .with("StorageClass", version.description.storage_class()));
    }
    let size = version.data.len();
    let part = request.query("partNumber").map(str::parse::<usize>).transpose();
    let part =
        part.map_err(|_| Error::invalid_argument("partNumber", "", "Part number must be an integer"))?;
    let slice = match (part, request.header("range")) {
        (Some(number), _) => Some(part_range(version, number)?),
        (None, Some(text)) => range(text, size)?,
        (None, None) => None,
    };
    let mut answer = described(request, version).optional("x-amz-version-id", bucket.shown_id(version));
    if part.is_some() && !version.parts.is_empty() {
        answer = answer.header("x-amz-mp-parts-count", version.parts.len().to_string());
    }
    answer = restore::header(locks::headers(answer, version), version, now);
    let whole = slice.is_none_or(|(from, to)| from == 0 && to + 1 >= size);
    if request.header("x-amz-checksum-mode") == Some("ENABLED") && whole {
        answer = answer.checksum(version.checksum.as_ref());
    }
    let mut data = version.data.clone();
    if let Some((from, to)) = slice {
        data = if size == 0 { Bytes::new() } else { data.slice(from..=to.min(size - 1)) };
        answer = answer
            .status(StatusCode::PARTIAL_CONTENT)
            .header("content-range", format!("bytes {from}-{to}/{size}"));
    }
    answer = answer.header("content-length", data.len().to_string());
    if head {
        return Ok(answer);
    }
    let Some(cut) = cut else { return Ok(answer.body(Body::from(data))) };
    state.cut_next_get = None;
    Ok(answer.body(cut_body(data, cut)))
}

/// A body that breaks off after so many bytes, as a lost connection does.
fn cut_body(data: Bytes, after: usize) -> Body {
    let kept = data.slice(..after.min(data.len()));
    let lost = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the connection was lost");
    let end = async move {
        // A server gets the chance to send what there is before it learns of the loss.
        tokio::task::yield_now().await;
        Err(lost)
    };
    Body::from_stream(stream::iter([Ok(kept)]).chain(stream::once(end)))
}

fn described(request: &Request, version: &Version) -> Answer {
    let description = &version.description;
    let mut answer = Answer::ok();
    for (name, value) in &description.headers {
        if name != "x-amz-storage-class" || value != "STANDARD" {
            answer = answer.header(name, value);
        }
    }
    for (name, value) in &description.metadata {
        answer = answer.header(&format!("x-amz-meta-{name}"), metadata::encode(value));
    }
    for name in
        ["content-type", "content-disposition", "content-encoding", "content-language", "cache-control"]
    {
        answer = answer.optional(name, request.query(&format!("response-{name}")));
    }
    if !description.tags.is_empty() {
        answer = answer.header("x-amz-tagging-count", description.tags.len().to_string());
    }
    answer
        .header("etag", quoted(&version.etag))
        .header("last-modified", http_date(version.modified))
        .header("accept-ranges", "bytes")
        .header("x-amz-server-side-encryption", "AES256")
}

pub(super) fn delete(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let bypass = request.header("x-amz-bypass-governance-retention") == Some("true");
    if request.header("if-match").is_some() {
        check_write(request, state.bucket(&request.bucket)?)?;
    }
    delete_one(state, &request.bucket, &request.key, request.query("versionId"), bypass, now)
}

/// Deletes one object or version; also what a batch delete does with each of its entries.
pub(super) fn delete_one(
    state: &mut State,
    bucket_name: &str,
    key: &str,
    id: Option<&str>,
    bypass: bool,
    now: i64,
) -> Result<Answer> {
    let number = state.next();
    let bucket = state.bucket(bucket_name)?;
    let answer = Answer::no_content();
    if let Some(id) = id {
        let Some(versions) = bucket.objects.get_mut(key) else {
            return Ok(answer.header("x-amz-version-id", id));
        };
        let Some(place) = versions.iter().position(|version| version.id == id) else {
            return Ok(answer.header("x-amz-version-id", id));
        };
        if let Some(version) = versions.get(place) {
            locks::check_delete(version, bypass, now)?;
        }
        let gone = versions.remove(place);
        if versions.is_empty() {
            bucket.objects.remove(key);
        }
        let marker = gone.marker.then_some("true");
        let answer = answer.header("x-amz-version-id", id).optional("x-amz-delete-marker", marker);
        state.notify_about(bucket_name, key, &gone, Cause::Delete, now);
        return Ok(answer);
    }
    if bucket.versioning == Versioning::Never {
        let gone = bucket.objects.remove(key).and_then(|mut versions| versions.pop());
        if let Some(gone) = gone {
            state.notify_about(bucket_name, key, &gone, Cause::Delete, now);
        }
        return Ok(answer);
    }
    let marker = Version {
        id: String::new(),
        marker: true,
        data: Bytes::new(),
        etag: String::new(),
        modified: now,
        description: Description::default(),
        checksum: None,
        parts: Vec::new(),
    };
    bucket.add(key, marker, number);
    let Some(marker) = bucket.objects.get(key).and_then(|versions| versions.last()).cloned() else {
        return Ok(answer);
    };
    state.notify_about(bucket_name, key, &marker, Cause::DeleteMarker, now);
    Ok(answer.header("x-amz-delete-marker", "true").header("x-amz-version-id", &marker.id))
}

/// `ISO` date of a version, for lists.
pub(super) fn modified(version: &Version) -> String {
    iso_date(version.modified)
}
