//! What the administrator is shown of the state.

use serde_json::{Value, json};

use super::state::{Object, State, Table, places};

fn all(table: &Table) -> Vec<&Object> {
    table.objects().collect()
}

/// Everything, for tests in other languages.
pub(super) fn everything(state: &State) -> Value {
    let events: Vec<Value> = state
        .events
        .iter()
        .map(|event| {
            json!({
                "event_type": event.event_type, "realm": event.realm, "operation": event.operation,
                "object_id": event.object_id, "user_id": event.user_id, "data": event.data,
            })
        })
        .collect();
    let bin: Vec<Value> = state
        .bin
        .iter()
        .map(|((kind, id), deleted)| json!({"kind": kind, "id": id, "since": deleted.since, "user": deleted.user}))
        .collect();
    json!({
        "now": state.now,
        "system_domain_id": state.system_domain_id,
        "system": state.system,
        "users": state.users.iter().map(|user| user.shown(&state.system_domain_id)).collect::<Vec<_>>(),
        "assets": all(&state.assets),
        "collections": all(&state.collections),
        "history": all(&state.history),
        "relation_types": all(&state.relation_types),
        "relations": all(&state.relations),
        "saved_searches": all(&state.saved_searches),
        "jobs": all(&state.jobs),
        "storages": all(&state.media.storages),
        "formats": all(&state.media.formats),
        "file_sets": all(&state.media.file_sets),
        "files": all(&state.media.files),
        "proxies": all(&state.media.proxies),
        "keyframes": all(&state.media.keyframes),
        "segments": all(&state.review.segments),
        "approvals": state.review.approvals.keys().filter_map(|key| state.approval_view("", key).ok())
            .collect::<Vec<_>>(),
        "webhooks": all(&state.notifications.webhooks),
        "bin": bin,
        "events": events,
    })
}

fn text<'object>(object: &'object Object, name: &str) -> &'object str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn short(state: &State, kind: &str, object: &Object) -> Value {
    let id = text(object, "id");
    json!({
        "id": id, "title": object.get("title"), "kind": kind, "type": object.get("type"),
        "children": if kind == "collections" { state.children_of(id).len() } else { 0 },
        "versions": object.get("versions").and_then(Value::as_array).map_or(0, Vec::len),
        "deleted": state.is_deleted(kind, id),
    })
}

/// What is in a collection; `top` is what is in none.
pub(super) fn children(state: &State, collection: &str) -> Option<Value> {
    let mut found = Vec::new();
    for (kind, table) in [("collections", &state.collections), ("assets", &state.assets)] {
        let inside = table.objects().filter(|object| match collection {
            "top" => places(object).next().is_none(),
            id => places(object).any(|place| place == id),
        });
        found.extend(inside.map(|object| short(state, kind, object)));
    }
    Some(found.into())
}

/// One asset or collection with all that belongs to it.
pub(super) fn object(state: &State, id: &str) -> Option<Value> {
    let (kind, found) = match state.assets.get(id) {
        Some(asset) => ("assets", asset),
        None => ("collections", state.collections.get(id)?),
    };
    let mut shown = found.clone();
    state.with_users(&mut shown);
    let its = |object: &&Object| text(object, "asset_id") == id;
    let mut history: Vec<Value> = state
        .history
        .objects()
        .filter(its)
        .map(|entry| {
            json!({
                "when": entry.get("date_created"), "what": entry.get("operation_type"),
                "text": entry.get("operation_description"), "who": state.login_of(text(entry, "user_id")),
            })
        })
        .collect();
    history.reverse();
    let relations: Vec<Value> = state
        .related(id, None)
        .into_iter()
        .map(|(other, relations)| {
            let title = state.assets.get(&other).and_then(|asset| asset.get("title"));
            json!({"id": other, "title": title, "relations": relations})
        })
        .collect();
    let rows = |table: &Table| -> Vec<Object> { table.objects().filter(its).cloned().collect() };
    let approval = state.approval_key(kind, id, None).and_then(|key| state.approval_view("", &key));
    let above = places(found).filter_map(|place| state.collections.get(place));
    let above: Vec<Value> = above.map(|collection| short(state, "collections", collection)).collect();
    Some(json!({
        "kind": kind, "object": shown, "above": above, "deleted": state.is_deleted(kind, id), "history": history,
        "relations": relations, "metadata": state.flat_values((kind, id)), "formats": rows(&state.media.formats),
        "file_sets": rows(&state.media.file_sets), "files": rows(&state.media.files),
        "segments": rows(&state.review.segments), "approval": approval.ok(),
    }))
}
