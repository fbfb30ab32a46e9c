//! The files service.

mod attachments;
mod delete_queue;
mod derived;
mod file;
mod file_sets;
mod formats;
mod moves;
mod multipart;
mod storages;
mod subtitles;

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{Kind, is};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["files", version, rest @ ..] = path else { return None };
    if !matches!(*version, "v1" | "v2") {
        return None;
    }
    let role = if method == "GET" { "can_read_files" } else { "can_write_files" };
    if let Err(refusal) = call.needs(role) {
        return Some(Err(refusal));
    }
    moves::route(call, method, version, rest)
        .or_else(|| storages::route(call, method, rest))
        .or_else(|| delete_queue::route(call, method, rest))
        .or_else(|| of_asset(call, method, rest))
}

fn of_asset(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    match path {
        ["files", "checksum", checksum] => Some(file::by_checksum(call, checksum)),
        ["assets", asset, "formats", rest @ ..] => formats::route(call, method, asset, rest),
        ["assets", asset, "file_sets", rest @ ..] => file_sets::route(call, method, asset, rest),
        ["assets", asset, "files", file, "multipart_url" | "multipart", ..]
        | ["assets", asset, "proxies", file, "multipart_url" | "multipart", ..] => {
            let kind = if path.get(2) == Some(&"files") { Kind::File } else { Kind::Proxy };
            multipart::route(call, method, (kind, asset, file), path.get(4..).unwrap_or_default())
        }
        ["assets", asset, "files", rest @ ..] => file::route(call, method, asset, rest),
        ["assets", asset, "proxies", rest @ ..] => derived::route(call, method, (Kind::Proxy, asset), rest),
        ["assets", asset, "keyframes", rest @ ..] => {
            derived::route(call, method, (Kind::Keyframe, asset), rest)
        }
        ["assets", asset, "subtitles", rest @ ..] => subtitles::route(call, method, asset, rest),
        ["assets", asset, "segments", segment, "attachments", rest @ ..] => {
            attachments::route(call, method, (asset, segment), rest)
        }
        ["assets", asset, "versions", version, rest @ ..] => of_version(call, method, (asset, version), rest),
        _ => None,
    }
}

/// Lists of one version of an asset. Files and proxies come with their addresses there.
fn of_version(
    call: &mut Call<'_>,
    method: &str,
    (asset, version): (&str, &str),
    path: &[&str],
) -> Option<Outcome<Reply>> {
    if method != "GET" {
        return None;
    }
    let within = |object: &Object| is(object, "version_id", version);
    Some(match path {
        ["files"] => file::list(call, asset, within, true),
        ["formats"] => formats::list(call, asset, within),
        ["file_sets"] => file_sets::list(call, asset, within),
        ["proxies"] => derived::list(call, (Kind::Proxy, asset), within),
        ["keyframes"] => derived::list(call, (Kind::Keyframe, asset), within),
        ["subtitles"] => subtitles::list(call, asset, within),
        ["subtitles", language, "webvtt"] => subtitles::webvtt(call, (asset, language), false),
        _ => return None,
    })
}

/// The host that addresses lead to: the one that was called.
fn host(call: &Call<'_>) -> String {
    let named = call.headers.get("host").and_then(|value| value.to_str().ok());
    named.unwrap_or("127.0.0.1").to_owned()
}

/// A file, proxy, keyframe or attachment as it is shown, with an address where one is wanted and can be had.
fn shown(call: &Call<'_>, kind: Kind, object: &Object, signed: bool) -> Value {
    let mut shown = object.clone();
    let cached = !call.flag("bypass_url_cache", false);
    let address = signed
        .then(|| {
            call.state.download_address(kind, object, &host(call), call.text("content_disposition"), cached)
        })
        .flatten();
    shown.insert("url".to_owned(), address.into());
    shown.into()
}

/// What was made, with where and how to upload it.
fn created(call: &mut Call<'_>, kind: Kind, id: &str) -> Outcome<Reply> {
    let host = host(call);
    let mut made = call.state.table(kind).found(id)?.clone();
    for name in ["url", "upload_url", "multipart_upload_url", "upload_method"] {
        made.insert(name.to_owned(), Value::Null);
    }
    made.insert("upload_credentials".to_owned(), json!({}));
    let members = call.state.upload_members(kind, &made, &host);
    made.extend(members);
    Reply::created(made)
}

/// A list by the id of the last object seen.
fn by_last_id<'object>(call: &Call<'_>, objects: impl Iterator<Item = &'object Object>) -> Outcome<Reply> {
    page::by_last_id(call, objects.cloned().map(Value::Object).collect())
}

/// The job that was scheduled.
fn scheduled(status: u16, job: String) -> Outcome<Reply> {
    Ok(Reply::Json(status, json!({"job_id": job})))
}

/// The body, or an empty object: some clients send none.
fn optional_body(call: &Call<'_>) -> Outcome<Object> {
    match &call.body {
        Value::Null => Ok(Object::new()),
        Value::Object(object) => Ok(object.clone()),
        _ => Err(Refusal::field("_schema", "Invalid input type.")),
    }
}
