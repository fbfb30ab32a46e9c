//! What the administrator is shown of the state.

use axum::body::Body;
use http::Response;
use serde_json::{Value, json};

use super::Simulator;
use super::state::{Asset, State};
use crate::frame::json_response;

/// The calls that the others have not.
pub(super) fn beside(simulator: &Simulator, method: &str, segments: &[&str]) -> Option<Response<Body>> {
    match (method, segments) {
        ("POST", ["index"]) => {
            simulator.with_state(State::index_all);
            Some(json_response(200, &json!({"indexed": true})))
        }
        _ => None,
    }
}

/// Everything, for tests in other languages. Passwords and secrets are not shown.
pub(super) fn everything(state: &State) -> Value {
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
pub(super) fn children(state: &State, parent: &str) -> Option<Value> {
    let found = if parent == "top" { state.roots() } else { state.children(parent, true) };
    Some(found.into_iter().map(|child| short(state, child)).collect())
}

/// One asset with all that hangs on it.
pub(super) fn object(state: &State, id: &str) -> Option<Value> {
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
