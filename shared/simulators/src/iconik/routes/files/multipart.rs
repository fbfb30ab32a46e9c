//! Uploads in parts: the addresses of parts, the end, what is cleaned up.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{host, optional_body};
use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{Kind, Signing, Unsigned, Upload, UploadKind, filled, map, text};

/// Parts of an upload at most.
const MOST_PARTS: usize = 10_000;
/// Objects that one of Google's compositions takes.
const GROUP: usize = 32;

/// Where a file's or proxy's bytes go.
struct Target {
    storage: String,
    key: String,
    method: String,
}

pub(super) fn route(
    call: &mut Call<'_>,
    method: &str,
    (kind, asset, id): (Kind, &str, &str),
    path: &[&str],
) -> Option<Outcome<Reply>> {
    let found = call.state.part_of(kind, asset, id).cloned();
    let target = found.map(|found| target(call, kind, &found));
    let act: fn(&mut Call<'_>, &Target) -> Outcome<Reply> = match (method, path) {
        ("GET", ["multipart_url"]) => ends,
        ("GET", ["multipart_url", "part"]) => parts,
        ("POST", ["multipart_url", "s3", "part"]) => checked_parts,
        ("POST", ["multipart"]) => group,
        ("POST", ["multipart", "cleanup"]) => clean_up,
        ("POST", ["multipart", "gcs", "compose_url"]) => compose,
        ("POST", ["multipart", "b2", "start"]) => start_large,
        ("POST", ["multipart", "b2", "finish"]) => finish_large,
        ("POST", ["multipart", "b2", "cancel"]) => cancel_large,
        (_, ["multipart_url" | "multipart", ..]) => return Some(Err(Refusal::Method)),
        _ => return None,
    };
    Some(target.and_then(|target| act(call, &target)))
}

fn target(call: &Call<'_>, kind: Kind, found: &Object) -> Target {
    Target {
        storage: text(found, "storage_id").to_owned(),
        key: call.state.key_of(kind, found),
        method: text(found, "storage_method").to_owned(),
    }
}

impl Target {
    fn needs(&self, methods: &[&str]) -> Outcome<()> {
        if methods.contains(&self.method.as_str()) {
            return Ok(());
        }
        Err(Refusal::field(
            "storage_method",
            format!("Not possible on a storage of the method {}.", self.method),
        ))
    }

    fn unsigned(&self, method: &str) -> Unsigned {
        Unsigned::new(method, &self.storage, &self.key)
    }

    /// Google's parallel uploads put parts as objects of their own.
    fn part_key(&self, group: usize, number: usize) -> String {
        format!("{}.parts/{group:05}/{number:05}", self.key)
    }

    fn group_key(&self, group: usize) -> String {
        format!("{}.parts/{group:05}.group", self.key)
    }
}

fn upload_id<'call>(call: &'call Call<'_>) -> Outcome<&'call str> {
    call.text("upload_id").ok_or_else(|| Refusal::field("upload_id", "Missing data for required field."))
}

/// Addresses that end an upload, or list its parts.
fn ends(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    target.needs(&["S3", "GCS"])?;
    let (id, host) = (upload_id(call)?, host(call));
    let sign = |unsigned: Unsigned| call.state.sign(&host, unsigned.with("uploadId", id), Signing::Fresh);
    let complete = || sign(target.unsigned("POST"));
    let abort = || sign(target.unsigned("DELETE"));
    let list = || {
        let last = call.number("max_part_number").ok().flatten().unwrap_or(1000);
        let markers = (0..last.max(1)).step_by(1000);
        let urls: Vec<String> = markers
            .map(|marker| sign(target.unsigned("GET").with("part-number-marker", &marker.to_string())))
            .collect();
        urls
    };
    Reply::ok(match call.text("type") {
        Some("complete_url") => json!({"complete_url": complete()}),
        Some("abort_url") => json!({"abort_url": abort()}),
        Some("list_parts_url") => json!({"list_parts_url": list()}),
        None => json!({"complete_url": complete(), "abort_url": abort(), "list_parts_url": list()}),
        Some(_) => {
            return Err(Refusal::field("type", "Must be one of: abort_url, complete_url, list_parts_url."));
        }
    })
}

/// Addresses of parts, page by page. With an upload they are parts of it; on Google without one, objects to be composed.
fn parts(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    target.needs(&["S3", "GCS"])?;
    let wanted = call.number("parts_num")?;
    let wanted = wanted.filter(|wanted| (1..=MOST_PARTS).contains(wanted));
    let wanted =
        wanted.ok_or_else(|| Refusal::field("parts_num", format!("Must be between 1 and {MOST_PARTS}.")))?;
    let upload = call.text("upload_id").map(str::to_owned);
    if upload.is_none() && target.method == "S3" {
        return Err(Refusal::field("upload_id", "Missing data for required field."));
    }
    let (per_page, page) = (call.number("per_page")?.unwrap_or(wanted), call.number("page")?.unwrap_or(1));
    let from = page.max(1).saturating_sub(1).saturating_mul(per_page);
    if from >= wanted {
        return Err(Refusal::NotFound(format!("Page {page} does not exist.")));
    }
    let host = host(call);
    let sign = |unsigned: Unsigned| call.state.sign(&host, unsigned, Signing::Fresh);
    let objects: Vec<Value> = (1..=wanted)
        .skip(from)
        .take(per_page)
        .map(|number| match &upload {
            Some(id) => {
                let unsigned = target.unsigned("PUT").with("partNumber", &number.to_string()).with("uploadId", id);
                // S3 knows no address of a part alone: these are the object's.
                json!({
                    "number": number, "key": target.key, "url": sign(unsigned),
                    "delete_url": sign(target.unsigned("DELETE")), "download_url": sign(target.unsigned("GET")),
                })
            }
            None => {
                let key = target.part_key((number - 1) / GROUP, number);
                let of = |method: &str| sign(Unsigned::new(method, &target.storage, &key));
                json!({
                    "number": number, "key": key, "url": of("PUT"), "delete_url": of("DELETE"),
                    "download_url": of("GET"),
                })
            }
        })
        .collect();
    Reply::ok(json!({"objects": objects}))
}

/// Addresses of parts that may only carry the content of these checksums.
fn checked_parts(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    target.needs(&["S3"])?;
    let given = call.object()?.clone();
    let id = filled(&given, "upload_id")
        .ok_or_else(|| Refusal::field("upload_id", "Missing data for required field."))?;
    let listed = given.get("parts").and_then(Value::as_array).into_iter().flatten().cloned();
    let host = host(call);
    let mut parts = Vec::new();
    for part in listed.map(map) {
        let number =
            part.get("part_number").and_then(Value::as_u64).filter(|number| (1..=10_000).contains(number));
        let number = number.ok_or_else(|| Refusal::field("part_number", "Must be between 1 and 10000."))?;
        let checksum = text(&part, "checksum");
        if !BASE64_STANDARD.decode(checksum).is_ok_and(|digest| digest.len() == 16) {
            return Err(Refusal::field("checksum", "Not a base64 encoded MD5 digest."));
        }
        let unsigned = target.unsigned("PUT").with("partNumber", &number.to_string()).with("uploadId", id);
        let url = call.state.sign(&host, unsigned.with_header("content-md5", checksum), Signing::Fresh);
        parts.push(json!({"part_number": number, "checksum": checksum, "url": url}));
    }
    Reply::ok(json!({"upload_id": id, "parts": parts}))
}

/// On Google: the address to which the list of objects goes that become one, and the object's own.
fn compose(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    target.needs(&["GCS"])?;
    let given = optional_body(call)?;
    let group =
        given.get("parts_group").and_then(Value::as_u64).and_then(|group| usize::try_from(group).ok());
    let key = group.map_or_else(|| target.key.clone(), |group| target.group_key(group));
    let host = host(call);
    let of = |method: &str| Unsigned::new(method, &target.storage, &key);
    let sign = |unsigned: Unsigned| call.state.sign(&host, unsigned, Signing::Fresh);
    let answer = json!({
        "compose_url": sign(of("PUT").with("compose", "")), "url": sign(of("GET")), "delete_url": sign(of("DELETE")),
        "key": key,
    });
    Reply::ok(answer)
}

/// On Google: iconik itself composes these parts into the object, or into a group of it.
fn group(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    target.needs(&["GCS"])?;
    let given = call.object()?.clone();
    let names: Vec<String> = given
        .get("parts_range")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    if names.is_empty() || names.len() > GROUP {
        return Err(Refusal::field("parts_range", format!("Length must be between 1 and {GROUP}.")));
    }
    let group =
        given.get("parts_group").and_then(Value::as_u64).and_then(|group| usize::try_from(group).ok());
    let key = group.map_or_else(|| target.key.clone(), |group| target.group_key(group));
    let mut spool = call.state.settings.media.spool(true);
    for name in &names {
        let stored = call.state.media.buckets.get(&target.storage, name);
        let stored =
            stored.ok_or_else(|| Refusal::field("parts_range", format!("There is no part {name}.")))?;
        spool.append(&stored.content).map_err(|error| Refusal::field("parts_range", error.to_string()))?;
    }
    let now = call.state.now;
    call.state.media.buckets.put(&target.storage, &key, spool.finish(), "application/octet-stream", now);
    Reply::ok(json!({}))
}

/// Takes parts away that are no longer needed; ends an upload when told so.
fn clean_up(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    let given = optional_body(call)?;
    if given.get("abort_upload") == Some(&Value::Bool(true))
        && let Some(id) = filled(&given, "upload_id")
    {
        call.state.media.buckets.uploads.remove(id);
    }
    let begin = format!("{}.parts/", target.key);
    let parts: Vec<String> = call
        .state
        .media
        .buckets
        .of(&target.storage)
        .filter(|(key, _)| key.starts_with(&begin))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in parts {
        call.state.media.buckets.remove(&target.storage, &key);
    }
    Reply::ok(json!({}))
}

fn start_large(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    target.needs(&["B2"])?;
    let id = format!("4_z{}", call.state.new_id());
    let upload = Upload {
        storage: target.storage.clone(),
        key: target.key.clone(),
        content_type: "application/octet-stream".to_owned(),
        kind: UploadKind::Large,
        parts: BTreeMap::new(),
    };
    call.state.media.buckets.begin(&id, upload);
    let place = call.state.bucket_place(&host(call), &target.storage);
    Reply::ok(json!({
        "authorization_token": call.state.token_for(&target.storage, &target.key), "upload_file_id": id,
        "upload_url": format!("{place}/b2api/v2/b2_upload_part/{id}"), "error": null, "error_code": null, "status": "started",
    }))
}

fn large(call: &mut Call<'_>, target: &Target) -> Outcome<String> {
    target.needs(&["B2"])?;
    let id = filled(call.object()?, "upload_file_id").map(str::to_owned);
    let id = id.ok_or_else(|| Refusal::field("upload_file_id", "Missing data for required field."))?;
    match call.state.media.buckets.upload(&id, &target.storage, &target.key) {
        Some(_) => Ok(id),
        None => Err(Refusal::field("upload_file_id", "There is no such upload.")),
    }
}

fn finish_large(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    let id = large(call, target)?;
    let claimed = call.object()?.get("sha1_list").and_then(Value::as_array).cloned().unwrap_or_default();
    let spool = call.state.settings.media.spool(false);
    let (now, least) = (call.state.now, call.state.settings.media.least_part_bytes);
    let wrong = |why: &str| Err(Refusal::field("sha1_list", why));
    let Some(upload) = call.state.media.buckets.uploads.get(&id) else {
        return wrong("There is no such upload.");
    };
    let numbers: Vec<u32> = upload.parts.keys().copied().collect();
    if !numbers.iter().copied().eq((1..).take(claimed.len())) {
        return wrong("The parts do not follow each other from 1.");
    }
    let parts: Vec<_> = upload.parts.values().map(|(part, _)| part.clone()).collect();
    let same = parts.iter().zip(&claimed).all(|(part, sha1)| part.sha1.as_deref() == sha1.as_str());
    if parts.is_empty() || !same {
        return wrong("The checksums are not those of the parts.");
    }
    if parts.split_last().is_some_and(|(_, before)| before.iter().any(|part| part.content.size < least)) {
        return wrong("A part is smaller than the least size.");
    }
    let kind = upload.content_type.clone();
    let place = (target.storage.as_str(), target.key.as_str());
    let joined = call.state.media.buckets.join(place, parts, &kind, now, spool);
    joined.map_err(|error| Refusal::field("sha1_list", error.to_string()))?;
    call.state.media.buckets.uploads.remove(&id);
    Reply::ok(json!({}))
}

fn cancel_large(call: &mut Call<'_>, target: &Target) -> Outcome<Reply> {
    let id = large(call, target)?;
    call.state.media.buckets.uploads.remove(&id);
    Reply::ok(json!({}))
}
