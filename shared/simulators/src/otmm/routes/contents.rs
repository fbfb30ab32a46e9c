//! Content on its way out.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Asset, Content, DOWNLOAD};
use super::imports;

/// The master of an asset, or a picture of it.
pub(super) fn of_asset(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    let asset = call.state.asset(id)?;
    let (content, is_master) = match call.params.text("rendition_type") {
        None => (asset.master.as_ref(), true),
        Some("thumbnail") => (asset.thumbnail.as_ref(), false),
        Some("preview") => (asset.preview.as_ref(), false),
        Some(other) => return Err(Refusal::Business(format!("There is no rendition type '{other}'"))),
    };
    let content = content.ok_or_else(|| Refusal::Business(format!("The asset {id} has no such content")))?;
    given(call, asset, content, is_master)
}

/// Below `/renditions`: a content by its own id, or a file for a job.
pub(super) fn renditions(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("POST", []) => imports::stage(call),
        ("GET", [id]) => {
            let found = call.state.assets.values().find_map(|asset| {
                let all = [&asset.master, &asset.thumbnail, &asset.preview, &asset.pdf];
                let content = all.into_iter().flatten().find(|content| content.id == *id)?;
                Some((asset, content))
            });
            let (asset, content) =
                found.ok_or_else(|| Refusal::NotFound(format!("The content {id} does not exist")))?;
            given(call, asset, content, content.kind == "MASTER")
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn given(call: &Call<'_>, asset: &Asset, content: &Content, is_master: bool) -> Outcome<Reply> {
    call.state.needs(&call.user, if is_master { DOWNLOAD } else { "ASSET.DOWNLOAD_PREVIEW" })?;
    let rules = &call.state.settings.downloads;
    if asset.deleted.is_some() && !rules.serves_deleted {
        return Err(Refusal::Business(format!("The asset {} is deleted", asset.id)));
    }
    if call.state.is_expired(asset) && !rules.serves_expired {
        return Err(Refusal::Business(format!("The asset {} has expired", asset.id)));
    }
    if is_master && rules.largest_bytes.is_some_and(|most| content.content.size > most) {
        return Err(Refusal::Business("The content is larger than MAX_CONTENT_VIEW_SIZE".to_owned()));
    }
    if let (true, Some(status)) = (content.offline, rules.offline_status) {
        return Err(Refusal::Status(status, "The content is not online".to_owned()));
    }
    Ok(Reply::Whole(bytes(call, content)))
}

/// The bytes of what an address of the delivery service names, which needs no session.
pub(in crate::otmm) fn delivered(call: &Call<'_>) -> Outcome<Reply> {
    let id = call.params.required("id")?;
    let versions = call.state.versions(id);
    let asset = versions.iter().find(|asset| asset.latest);
    let serves = call.state.settings.delivery.serves_deleted;
    let asset = asset.filter(|asset| serves || asset.deleted.is_none() && !call.state.is_expired(asset));
    let content = asset.and_then(|asset| asset.master.as_ref());
    let content = content.ok_or_else(|| Refusal::Page(404, "Not Found".to_owned()))?;
    Ok(Reply::Whole(bytes(call, content)))
}

fn bytes(call: &Call<'_>, file: &Content) -> Response<Body> {
    let rules = &call.state.settings.downloads;
    let size = file.content.size;
    let mark = format!("\"{}\"", file.id);
    let is_other = call.header("if-range").is_some_and(|wanted| wanted != mark);
    let range = call.header("range").filter(|_| rules.ranges && !is_other).map(|range| range_of(range, size));
    let (status, from, to) = match range {
        None | Some(Range::Ignored) => (StatusCode::OK, 0, size),
        Some(Range::Part(from, to)) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(Range::Outside) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            insert(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return response;
        }
    };
    let mut response = Response::new(file.content.body(from, to - from));
    *response.status_mut() = status;
    insert(&mut response, header::CONTENT_TYPE, &file.mime_type);
    if rules.tells_length {
        insert(&mut response, header::CONTENT_LENGTH, &(to - from).to_string());
    }
    if rules.etags {
        insert(&mut response, header::ETAG, &mark);
    }
    if rules.ranges {
        insert(&mut response, header::ACCEPT_RANGES, "bytes");
    }
    if call.params.text("disposition") == Some("attachment") {
        let name = percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC);
        insert(&mut response, header::CONTENT_DISPOSITION, &format!("attachment; filename*=UTF-8''{name}"));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        insert(&mut response, header::CONTENT_RANGE, &format!("bytes {from}-{}/{size}", to - 1));
    }
    response
}

fn insert(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

enum Range {
    /// From the first to behind the last byte.
    Part(u64, u64),
    Outside,
    Ignored,
}

fn range_of(text: &str, size: u64) -> Range {
    let Some((from, to)) = text.strip_prefix("bytes=").and_then(|rest| rest.split_once('-')) else {
        return Range::Ignored;
    };
    let part = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => (from, to.saturating_add(1).min(size)),
        (Ok(from), Err(_)) if to.is_empty() => (from, size),
        (Err(_), Ok(last)) if from.is_empty() => (size.saturating_sub(last), size),
        _ => return Range::Ignored,
    };
    if part.0 < part.1 { Range::Part(part.0, part.1) } else { Range::Outside }
}
