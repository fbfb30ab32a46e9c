//! B2's own calls: an upload in one piece, and the parts of a large file.

use axum::body::Body;
use http::Response;
use serde_json::json;

use super::Asked;
use crate::frame::json_response;
use crate::iconik::state::State;
use crate::iconik::state::media::{Received, UploadKind};

const SINGLE: &str = "b2api/v2/b2_upload_file";
const PART: &str = "b2api/v2/b2_upload_part/";

pub(super) fn is_part(asked: &Asked) -> bool {
    asked.key.starts_with(PART)
}

fn refused(status: u16, code: &str, message: &str) -> Response<Body> {
    json_response(status, &json!({"status": status, "code": code, "message": message}))
}

/// Whether the authorization is good for this object.
fn admit(state: &State, asked: &Asked, key: &str) -> Result<(), Response<Body>> {
    let token = asked.header("authorization").unwrap_or_default();
    match state.check_token(token, &asked.storage, key) {
        Some(true) => Ok(()),
        Some(false) => Err(refused(401, "expired_auth_token", "Authorization token has expired")),
        None => Err(refused(401, "bad_auth_token", "Invalid authorization token")),
    }
}

/// The digest has to be that of what arrived; it may stand at the end of the body, which this simulator does not take.
fn checked(asked: &Asked, received: &Received) -> Result<String, Response<Body>> {
    let sha1 = received.sha1.clone().unwrap_or_default();
    match asked.header("x-bz-content-sha1") {
        None => Err(refused(400, "bad_request", "Missing header: X-Bz-Content-Sha1")),
        Some(claimed) if claimed == sha1 || claimed == "do_not_verify" => Ok(sha1),
        Some(_) => Err(refused(400, "bad_request", "Checksum did not match data received")),
    }
}

pub(super) fn act(state: &mut State, asked: &mut Asked, received: Received) -> Response<Body> {
    let done = match asked.key.strip_prefix(PART).map(str::to_owned) {
        Some(id) => part(state, asked, &id, received),
        None if asked.key == SINGLE => single(state, asked, received),
        None => Err(refused(404, "not_found", "Unknown API")),
    };
    done.unwrap_or_else(|refused| refused)
}

fn single(state: &mut State, asked: &Asked, received: Received) -> Result<Response<Body>, Response<Body>> {
    let name = asked.header("x-bz-file-name").unwrap_or_default();
    let key = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    admit(state, asked, &key)?;
    let sha1 = checked(asked, &received)?;
    let (size, now, kind) = (received.content.size, state.now, asked.content_type());
    state.media.buckets.receive(&asked.storage, &key, received, &kind, now);
    let answer = json!({
        "fileId": format!("4_z{}", state.new_id()), "fileName": key, "contentLength": size, "contentSha1": sha1,
        "contentType": kind, "action": "upload",
    });
    Ok(json_response(200, &answer))
}

fn part(
    state: &mut State,
    asked: &Asked,
    id: &str,
    received: Received,
) -> Result<Response<Body>, Response<Body>> {
    let key = state.media.buckets.uploads.get(id).map(|upload| upload.key.clone());
    let key = key.ok_or_else(|| refused(400, "bad_request", "Unknown fileId"))?;
    admit(state, asked, &key)?;
    let number = asked.header("x-bz-part-number").and_then(|number| number.parse::<u32>().ok());
    let number = number.filter(|number| (1..=10_000).contains(number));
    let number = number.ok_or_else(|| refused(400, "bad_request", "partNumber must be from 1 to 10000"))?;
    let sha1 = checked(asked, &received)?;
    let (size, now) = (received.content.size, state.now);
    match state.media.buckets.upload(id, &asked.storage, &key) {
        Some(upload) if matches!(upload.kind, UploadKind::Large) => {
            upload.parts.insert(number, (received, now));
        }
        _ => return Err(refused(400, "bad_request", "Unknown fileId")),
    }
    let answer = json!({"fileId": id, "partNumber": number, "contentLength": size, "contentSha1": sha1});
    Ok(json_response(200, &answer))
}
