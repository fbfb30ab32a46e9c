//! What the administrator is shown of the state.

use axum::body::Body;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::{Simulator, State};
use crate::admin::{no_such, shown};
use crate::frame::json_response;

pub(super) mod summary;

/// The calls that the others have not: items by the name they have here, and the bytes of versions.
pub(super) fn beside(simulator: &Simulator, method: &str, segments: &[&str]) -> Option<Response<Body>> {
    match (method, segments) {
        ("GET", ["state", "nodes", id]) => Some(shown(simulator.with_state(|state| object(state, id)))),
        ("GET", ["content", id, version]) => Some(content(simulator, id, version)),
        _ => None,
    }
}

/// An item by number, or by path below the Enterprise volume with `:` for `/`.
fn number(state: &State, id: &str) -> Option<i64> {
    let path = percent_encoding::percent_decode_str(id).decode_utf8_lossy().replace(':', "/");
    id.parse().ok().or_else(|| state.at(&path).map(|node| node.id))
}

/// What is inside an item; `top` has the volumes.
pub(super) fn children(state: &State, parent: &str) -> Option<Value> {
    let id = if parent == "top" { -1 } else { number(state, parent)? };
    Some(summary::children(state, id))
}

/// One item with everything the page shows.
pub(super) fn object(state: &State, id: &str) -> Option<Value> {
    summary::node(state, number(state, id)?)
}

fn content(simulator: &Simulator, id: &str, version: &str) -> Response<Body> {
    let found = simulator.with_state(|state| {
        let node = state.nodes.get(&id.parse().ok()?)?;
        let version = node.version(version.parse().ok()?)?;
        Some((version.content.clone(), version.file_name.clone()))
    });
    let Some((blob, name)) = found else {
        return no_such("version");
    };
    let name = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC);
    Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, blob.size)
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}"))
        .body(blob.body(0, blob.size))
        .unwrap_or_else(|_| {
            json_response(StatusCode::INTERNAL_SERVER_ERROR.as_u16(), &json!({"error": "header"}))
        })
}
