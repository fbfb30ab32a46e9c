//! Admin calls under `/_simulator/`, and the page to look around.

use axum::body::Body;
use http::{Request, Response};
use serde_json::{Value, json};

use super::Simulator;
use super::state::{Entity, Kind, State};
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
        name: "Preservica",
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
            simulator.with_state(|state| state.tokens.clear());
            json_response(200, &json!({"ended": true}))
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
    json!({
        "now": state.now,
        "tenant": state.tenant,
        "users": state.users.iter().map(|user| json!({"name": user.name, "roles": user.roles})).collect::<Vec<_>>(),
        "second_factors": state.users.iter().map(|user| (user.name.clone(), json!(state.second_factor(&user.name))))
            .collect::<serde_json::Map<_, _>>(),
        "entities": state.entities,
        "events": state.events,
        "progress": state.progress,
        "monitors": state.monitors,
        "policies": state.policies,
        "holds": state.holds,
        "subscriptions": state.subscriptions.iter().map(super::routes::webhooks::shown).collect::<Vec<_>>(),
        "uploads": state.uploads.len(),
        "workflows": state.instances,
    })
}

fn short(state: &State, entity: &Entity) -> Value {
    json!({
        "id": entity.reference, "title": entity.title, "kind": entity.kind, "deleted": entity.deleted,
        "children": state.children(Some(&entity.reference)).len(),
    })
}

/// What is in a folder or asset; `top` is the root.
fn children(state: &State, parent: &str) -> Value {
    let parent = (parent != "top").then_some(parent);
    state.children(parent).into_iter().map(|child| short(state, child)).collect()
}

/// One entity with all that hangs on it.
fn object(state: &State, id: &str) -> Option<Value> {
    let entity = state.entities.get(id)?;
    let mut above = Vec::new();
    let mut parent = entity.parent.as_deref();
    while let Some(found) = parent.and_then(|parent| state.entities.get(parent)) {
        above.insert(0, short(state, found));
        parent = found.parent.as_deref();
    }
    let mut events: Vec<Value> = state
        .events_of(id)
        .map(|(event, action)| {
            json!({"when": event.date, "what": event.kind, "command": action.command, "who": event.user})
        })
        .collect();
    events.reverse();
    let parts = match entity.kind {
        Kind::InformationObject => state.children(Some(id)),
        _ => Vec::new(),
    };
    let fragments: Vec<Value> = entity
        .fragments
        .iter()
        .map(|fragment| json!({"schema": fragment.schema, "xml": fragment.content.document(None)}))
        .collect();
    let policies: Vec<Value> = entity
        .retention
        .iter()
        .filter_map(|assignment| state.policies.get(&assignment.policy))
        .map(|policy| policy.field("Name").into())
        .collect();
    let holds: Vec<Value> = entity
        .holds
        .iter()
        .filter_map(|hold| state.holds.get(&hold.hold))
        .map(|hold| hold.name.clone().into())
        .collect();
    Some(json!({
        "entity": entity, "above": above, "events": events, "parts": parts, "fragments": fragments,
        "policies": policies, "holds": holds,
    }))
}
