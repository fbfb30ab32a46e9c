//! What the administrator is shown of the state.

use serde_json::{Value, json};

use super::state::{Entity, Kind, State};

/// Everything, for tests in other languages. Passwords and secrets are not shown.
pub(super) fn everything(state: &State) -> Value {
    json!({
        "now": state.now,
        "tenant": state.tenant,
        "users": state.users.iter().map(|user| json!({"name": user.name, "roles": user.roles})).collect::<Vec<_>>(),
        "second_factors": state.users.iter().map(|user| (user.name.clone(), json!(state.second_factor(&user.name))))
            .collect::<serde_json::Map<_, _>>(),
        "entities": state.entities,
        "links": state.links,
        "csv_edits": state.csv_edits,
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
pub(super) fn children(state: &State, parent: &str) -> Option<Value> {
    let parent = (parent != "top").then_some(parent);
    Some(state.children(parent).into_iter().map(|child| short(state, child)).collect())
}

/// One entity with all that hangs on it.
pub(super) fn object(state: &State, id: &str) -> Option<Value> {
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
