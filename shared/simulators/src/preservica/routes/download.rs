//! Bytes on their way out, whole or in ranges.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Bitstream, Kind};

/// The bytes of a file of a part.
pub(super) fn bitstream(call: &mut Call<'_>, part: &str, at: (usize, usize)) -> Outcome<Reply> {
    let file = call.state.bitstream(part, at.0, at.1)?.clone();
    let response = bytes(call, &file)?;
    let user = call.user.clone();
    call.state.downloaded(&user, part);
    Ok(Reply::Whole(response))
}

/// The bytes of an asset: those for access where there are any, otherwise the first that are preserved.
pub(super) fn asset(call: &mut Call<'_>, reference: &str) -> Outcome<Reply> {
    let asset = call.state.living(Kind::InformationObject, reference)?;
    let of = |kind: &str| asset.representations.iter().find(|one| one.kind == kind);
    let part =
        of("Access").or_else(|| of("Preservation")).and_then(|one| one.content_objects.first()).cloned();
    let part = part.ok_or_else(|| Refusal::NotFound("The asset has no content".to_owned()))?;
    let entity = call.state.living(Kind::ContentObject, &part)?;
    let file = entity.generations.iter().rfind(|generation| generation.active);
    let file = file.and_then(|generation| generation.bitstreams.first()).cloned();
    let file = file.ok_or_else(|| Refusal::NotFound("The asset has no content".to_owned()))?;
    let response = bytes(call, &file)?;
    let user = call.user.clone();
    call.state.downloaded(&user, reference);
    Ok(Reply::Whole(response))
}

fn bytes(call: &Call<'_>, file: &Bitstream) -> Outcome<Response<Body>> {
    if let (true, Some(status)) = (file.cold, call.state.settings.cold_status) {
        return Err(Refusal::Refused(
            status,
            "The content is in cold storage and has to be retrieved first".to_owned(),
        ));
    }
    let size = file.content.size;
    let (status, from, to) = match call.header("range").map(|range| range_of(range, size)) {
        None | Some(Range::Ignored) => (StatusCode::OK, 0, size),
        Some(Range::Part(from, to)) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(Range::Outside) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            insert(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    let mut response = Response::new(file.content.body(from, to - from));
    *response.status_mut() = status;
    insert(&mut response, header::CONTENT_TYPE, "application/octet-stream");
    insert(&mut response, header::CONTENT_LENGTH, &(to - from).to_string());
    insert(&mut response, header::ACCEPT_RANGES, "bytes");
    insert(
        &mut response,
        header::CONTENT_DISPOSITION,
        &format!("attachment; filename=\"{}\"", file.filename),
    );
    if status == StatusCode::PARTIAL_CONTENT {
        insert(&mut response, header::CONTENT_RANGE, &format!("bytes {from}-{}/{size}", to - 1));
    }
    Ok(response)
}

fn insert(response: &mut Response<Body>, name: http::HeaderName, value: &str) {
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
