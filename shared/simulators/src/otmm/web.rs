//! Admin calls under `/_simulator/`, and the page to look around.

use axum::body::Body;
use http::{Request, Response};
use serde_json::{Value, json};

use super::Simulator;
use super::state::{Asset, State};
use crate::admin::{Admin, AdminCall, no_such};
use crate::frame::json_response;

const VIEW: &str = include_str!("web/view.js");

/// Serves an admin call or a part of the page.
pub(super) async fn answer(simulator: &Simulator, request: Request<Body>) -> Response<Body> {
    let call = AdminCall::read(request).await;
    let admin = Admin {
        clock: simulator.clock(),
        faults: simulator.faults(),
        journal: simulator.journal(),
        name: "OTMM",
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
            simulator.with_state(State::end_sessions);
            json_response(200, &json!({"ended": true}))
        }
        ("POST", ["index"]) => {
            simulator.with_state(State::index_all);
            json_response(200, &json!({"indexed": true}))
        }
        ("GET", ["state"]) => json_response(200, &simulator.with_state(|state| everything(state))),
        ("GET", ["state", "tree", id]) => {
            json_response(200, &simulator.with_state(|state| children(state, id)))
        }
        ("GET", ["state", "objects", id]) => match simulator.with_state(|state| object(state, id)) {
            Some(value) => json_response(200, &value),
            None => no_such("object"),
        },
        _ => no_such("admin call"),
    }
}

/// Everything, for tests in other languages. Passwords and secrets are not shown.
fn everything(state: &State) -> Value {
    let sessions: Vec<Value> =
        state.sessions.values().map(|session| json!({"id": session.id, "user": session.user})).collect();
    json!({
        "now": state.now,
        "users": state.users,
        "sessions": sessions,
        "models": state.models,
        "domains": state.domains,
        "policies": state.policies,
        "assets": state.assets,
        "collections": state.collections,
        "jobs": state.jobs,
    })
}

fn short(state: &State, asset: &Asset) -> Value {
    json!({
        "id": asset.id, "title": asset.name, "kind": if asset.is_folder() { "folder" } else { asset.content_type() },
        "deleted": asset.deleted.is_some(), "version": asset.version, "latest": asset.latest,
        "children": state.children(&asset.id, true).len(),
    })
}

/// What is in a folder; `top` has the roots.
fn children(state: &State, parent: &str) -> Value {
    let found = if parent == "top" { state.roots() } else { state.children(parent, true) };
    found.into_iter().map(|child| short(state, child)).collect()
}

/// One asset with all that hangs on it.
fn object(state: &State, id: &str) -> Option<Value> {
    let asset = state.assets.get(id)?;
    let list = |assets: Vec<&Asset>| assets.into_iter().map(|one| short(state, one)).collect::<Vec<_>>();
    let jobs: Vec<Value> = state
        .jobs
        .values()
        .filter(|job| job.assets.iter().any(|made| made == id))
        .map(|job| json!({"id": job.id, "kind": job.kind, "phase": job.phase, "made": job.made}))
        .collect();
    Some(json!({
        "asset": asset, "above": list(state.path(asset)), "versions": list(state.versions(&asset.original_id)),
        "expired": state.is_expired(asset), "jobs": jobs,
    }))
}
