//! Admin calls under `/_simulator/`, and the page to look around.

use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::Simulator;
use crate::admin::{Admin, AdminCall, no_such};
use crate::frame::json_response;

mod summary;

const VIEW: &str = include_str!("web/view.js");

/// Serves an admin call or a part of the page.
pub(super) async fn answer(simulator: &Simulator, request: Request<Body>) -> Response<Body> {
    let call = AdminCall::read(request).await;
    let admin = Admin {
        clock: simulator.clock(),
        faults: simulator.faults(),
        journal: simulator.journal(),
        name: "Content Server",
        view: VIEW,
        settings: &|| json!(simulator.with_state(|state| state.settings.clone())),
        change: &|settings| {
            let settings = serde_json::from_value(settings).map_err(|error| error.to_string())?;
            Ok(json!(simulator.with_state(|state| {
                state.settings = settings;
                state.settings.clone()
            })))
        },
        reset: &|| simulator.reset(),
    };
    if let Some(response) = admin.answer(&call) {
        return response;
    }
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["sessions", "end"]) => {
            simulator.with_state(super::State::end_all_sessions);
            json_response(200, &json!({"ended": true}))
        }
        ("GET", ["state"]) => {
            let state = simulator.with_state(|state| summary::everything(state));
            json_response(200, &state)
        }
        ("GET", ["state", "tree", id]) => item(simulator, id, summary::children),
        ("GET", ["state", "nodes", id]) => item(simulator, id, summary::node),
        ("GET", ["content", id, version]) => content(simulator, id, version),
        _ => no_such("admin call"),
    }
}

/// An item by number, or by path below the Enterprise volume with `:` for `/`.
fn item(
    simulator: &Simulator,
    id: &str,
    show: fn(&mut super::State, i64) -> Option<Value>,
) -> Response<Body> {
    let path = percent_encoding::percent_decode_str(id).decode_utf8_lossy().replace(':', "/");
    let found = simulator.with_state(|state| {
        let id = id.parse().ok().or_else(|| state.at(&path).map(|node| node.id));
        id.and_then(|id| show(state, id))
    });
    match found {
        Some(value) => json_response(200, &value),
        None => no_such("item"),
    }
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
