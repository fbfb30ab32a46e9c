//! The audit of an item.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, number};
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection};
use crate::content_server::state::{Api, AuditEvent, NodeId, Outcome, Permission, Refusal};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    match (method, path) {
        ("GET", ["v1" | "v2", "nodes", id, "audit"]) => Some(number(id).and_then(|id| audit(call, id))),
        _ => None,
    }
}

fn audit(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    if call.state.settings.audit_needs_right && !call.state.may(call.actor, node, Permission::EditPermissions)
    {
        return Err(Refusal::said(400, "Could not process object, invalid action 'audit-list'"));
    }
    let kinds = call.params.numbers("where_type")?;
    let user = call.params.number("where_user_id")?;
    // Whole days: a time of day is ignored.
    let day = |name: &str| call.params.filled(name).map(|text| text.chars().take(10).collect::<String>());
    let (from, to) = (day("where_audit_date_start"), day("where_audit_date_end"));
    let mut events: Vec<&AuditEvent> = call
        .state
        .audit_of(id)
        .into_iter()
        .filter(|event| kinds.is_empty() || kinds.contains(&event.event_type))
        .filter(|event| user.is_none_or(|user| event.user == user))
        .filter(|event| {
            let day = event.at.strftime("%Y-%m-%d").to_string();
            from.as_ref().is_none_or(|from| day >= *from) && to.as_ref().is_none_or(|to| day <= *to)
        })
        .collect();
    let sort = call.params.filled("sort").unwrap_or_else(|| "desc_audit_date".to_owned());
    if sort.starts_with("desc") {
        events.reverse();
    }
    let names: BTreeMap<i64, &str> =
        events.iter().map(|event| (event.event_type, event.name.as_str())).collect();
    let types: Vec<Value> = names.into_iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
    let (page, cut) = Page::cut(&call.params, &call.state.settings, 100, events)?;
    let expands = call.params.list("expand").iter().any(|entry| entry.contains("user_id"));
    let listed: Vec<Value> = cut
        .into_iter()
        .map(|event| {
            let mut entry = json!({
                "id": event.node,
                "event_type": event.event_type,
                "audit_name": event.name,
                "audit_date": render::date(call.state, event.at),
                "audit_language_code": "en",
                "user_id": event.user,
                "agent_id": null,
                "target_user_id": event.target_user,
            });
            if let (true, Some(object)) = (expands, entry.as_object_mut()) {
                let user = call.state.members.get(&event.user).map(render::member);
                object.insert("user_id_expand".to_owned(), json!(user));
            }
            entry
        })
        .collect();
    let data = json!({"audit": listed, "audit_event_types": types});
    if call.api == Api::V1 {
        return Ok(Reply::Json(json!({"data": data})));
    }
    let mut envelope = collection(&call.path, page, &sort, Vec::new());
    if let Some(object) = envelope.as_object_mut() {
        object.insert("results".to_owned(), json!({ "data": data }));
    }
    Ok(Reply::Json(envelope))
}
