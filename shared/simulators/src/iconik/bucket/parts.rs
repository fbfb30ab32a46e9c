//! Uploads in parts, as S3 has them and Google's XML interface too.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::answer::{Fault, document, element, empty, xml};
use super::object::check_md5;
use super::{Answer, Asked};
use crate::iconik::state::State;
use crate::iconik::state::media::{Received, Upload, UploadKind};

const MOST_PARTS: u32 = 10_000;

pub(super) fn begin(state: &mut State, asked: &Asked) -> Answer {
    let id = format!("upload-{}", state.new_id());
    let upload = Upload {
        storage: asked.storage.clone(),
        key: asked.key.clone(),
        content_type: asked.content_type(),
        kind: UploadKind::Multipart,
        parts: BTreeMap::new(),
    };
    state.media.buckets.begin(&id, upload);
    let members = [("Bucket", asked.storage.clone()), ("Key", asked.key.clone()), ("UploadId", id)];
    Ok(xml("InitiateMultipartUploadResult", &members))
}

/// The upload that an address names.
fn upload<'state>(state: &'state mut State, asked: &Asked) -> Result<(String, &'state mut Upload), Fault> {
    let id = asked.param("uploadId").unwrap_or_default();
    match state.media.buckets.upload(id, &asked.storage, &asked.key) {
        Some(upload) => Ok((id.to_owned(), upload)),
        None => Err(Fault::no_upload(id)),
    }
}

pub(super) fn put(state: &mut State, asked: &Asked, received: Received) -> Answer {
    let number = asked.param("partNumber").and_then(|number| number.parse().ok());
    let number = number.filter(|number| (1..=MOST_PARTS).contains(number)).ok_or_else(|| {
        let message = format!("Part number must be an integer between 1 and {MOST_PARTS}, inclusive");
        Fault::new(400, "InvalidArgument", message)
    })?;
    check_md5(asked, &received)?;
    let (now, etag) = (state.now, hex::encode(received.md5));
    let (_, upload) = upload(state, asked)?;
    upload.parts.insert(number, (received, now));
    Ok(empty(200, &[("etag", format!("\"{etag}\""))]))
}

pub(super) fn list(state: &mut State, asked: &Asked) -> Answer {
    let (id, upload) = upload(state, asked)?;
    let after: u32 = asked.param("part-number-marker").and_then(|number| number.parse().ok()).unwrap_or(0);
    let most: usize = asked.param("max-parts").and_then(|number| number.parse().ok()).unwrap_or(1000);
    let rest: Vec<_> = upload.parts.iter().filter(|(number, _)| **number > after).collect();
    let shown = rest.get(..most).unwrap_or(&rest);
    let mut inner = [element("Key", &asked.key), element("UploadId", &id)].concat();
    inner.push_str(&element("IsTruncated", if shown.len() < rest.len() { "true" } else { "false" }));
    if let Some((last, _)) = shown.last() {
        inner.push_str(&element("NextPartNumberMarker", &last.to_string()));
    }
    for (number, (part, modified)) in shown {
        let members = [
            element("PartNumber", &number.to_string()),
            element("LastModified", &modified.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()),
            element("ETag", &format!("\"{}\"", hex::encode(part.md5))),
            element("Size", &part.content.size.to_string()),
        ];
        inner.push_str(&format!("<Part>{}</Part>", members.concat()));
    }
    Ok(document("ListPartsResult", &inner))
}

pub(super) fn abort(state: &mut State, asked: &Asked) -> Answer {
    let (id, _) = upload(state, asked)?;
    state.media.buckets.uploads.remove(&id);
    Ok(empty(204, &[]))
}

pub(super) fn complete(state: &mut State, asked: &Asked, received: &Received) -> Answer {
    let (least, spool, now) =
        (state.settings.media.least_part_bytes, state.settings.media.spool(false), state.now);
    let bytes = received.content.bytes().map_err(|error| Fault::internal(&error.to_string()))?;
    let named = elements(&bytes, "Part", &["PartNumber", "ETag"]).ok_or_else(Fault::malformed)?;
    if named.is_empty() {
        return Err(Fault::malformed());
    }
    let (id, upload) = upload(state, asked)?;
    let mut parts = Vec::new();
    let mut last = 0;
    for part in &named {
        let [number, etag] = part.as_slice() else { return Err(Fault::malformed()) };
        let number: u32 = number.parse().map_err(|_| Fault::malformed())?;
        if number <= last {
            let message =
                "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(Fault::new(400, "InvalidPartOrder", message));
        }
        last = number;
        let found =
            upload.parts.get(&number).filter(|(part, _)| etag.trim_matches('"') == hex::encode(part.md5));
        let (found, _) = found.ok_or_else(|| {
            let message = "One or more of the specified parts could not be found. The part may not have been \
                           uploaded, or the specified entity tag may not match the part's entity tag.";
            Fault::new(400, "InvalidPart", message)
        })?;
        parts.push(found.clone());
    }
    if parts.split_last().is_some_and(|(_, before)| before.iter().any(|part| part.content.size < least)) {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(Fault::new(400, "EntityTooSmall", message));
    }
    let kind = upload.content_type.clone();
    let etag = state
        .media
        .buckets
        .join(asked.place(), parts, &kind, now, spool)
        .map_err(|error| Fault::internal(&error.to_string()))?;
    state.media.buckets.uploads.remove(&id);
    let members = [
        ("Location", format!("/{}/{}", asked.storage, asked.key)),
        ("Bucket", asked.storage.clone()),
        ("Key", asked.key.clone()),
        ("ETag", format!("\"{etag}\"")),
    ];
    Ok(xml("CompleteMultipartUploadResult", &members))
}

/// The texts of these members of each element of that name.
pub(super) fn elements(xml: &[u8], name: &str, members: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut reader = Reader::from_reader(xml);
    let (mut found, mut open, mut current): (Vec<Vec<String>>, Vec<String>, Vec<String>) = Default::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let opened = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                if opened == name {
                    current = vec![String::new(); members.len()];
                }
                open.push(opened);
            }
            Event::End(_) => {
                let closed = open.pop()?;
                if closed == name {
                    found.push(std::mem::take(&mut current));
                }
            }
            Event::Text(text) => {
                let text = text.decode().ok()?;
                add(&mut current, &open, members, &text);
            }
            Event::GeneralRef(reference) => {
                let written = format!("&{};", reference.decode().ok()?);
                let text = quick_xml::escape::unescape(&written).ok()?.into_owned();
                add(&mut current, &open, members, &text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    open.is_empty().then_some(found)
}

fn add(current: &mut [String], open: &[String], members: &[&str], text: &str) {
    let at = members.iter().position(|member| open.last().is_some_and(|open| open == member));
    if let Some(slot) = at.and_then(|at| current.get_mut(at)) {
        slot.push_str(text);
    }
}
