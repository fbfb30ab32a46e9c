//! The repository as JSON, for tests in other languages and for the page.

use serde_json::{Map, Value, json};

use super::super::render;
use super::super::state::{Node, State};

/// Everything but content.
pub(in super::super) fn everything(state: &State) -> Value {
    let nodes: Map<String, Value> =
        state.nodes.values().map(|node| (node.id.to_string(), facts(state, node))).collect();
    let recycled: Vec<i64> = state.recycle_bin.keys().copied().collect();
    json!({
        "now": state.now,
        "nodes": nodes,
        "recycle_bin": recycled,
        "members": state.members.values().map(render::member).collect::<Vec<_>>(),
        "role_members": state.members.values().filter(|member| member.node.is_some())
            .map(|role| (role.id.to_string(), json!(role.members))).collect::<Map<_, _>>(),
        "categories": state.categories,
        "workspace_types": state.workspace_types,
        "workflow_maps": state.workflow_maps,
        "drafts": state.drafts.len(),
        "processes": state.processes,
        "holds": state.holds,
        "schedules": state.schedules,
        "audit": state.audit,
        "web_reports": state.web_reports.keys().collect::<Vec<_>>(),
    })
}

/// One item, with nothing hidden.
fn facts(state: &State, node: &Node) -> Value {
    let versions: Vec<Value> = node
        .versions
        .iter()
        .map(|version| {
            json!({
                "number": version.number, "label": version.label(), "file_name": version.file_name,
                "mime_type": version.mime_type, "description": version.description,
                "size": version.content.size, "sha256": version.content.sha256,
                "created": version.created, "owner": state.login_of(version.owner),
                "external": version.external,
            })
        })
        .collect();
    json!({
        "id": node.id, "parent_id": node.parent_id, "name": node.name, "path": state.path_of(node.id),
        "description": node.description, "type": node.kind, "nickname": node.nickname, "url": node.url,
        "created": node.created, "modified": node.modified, "created_by": state.login_of(node.created_by),
        "original_id": node.original_id, "external": node.external, "versions": versions,
        "categories": node.categories, "permissions": node.permissions, "reserved": node.reserved,
        "classifications": node.classifications, "record": node.record, "holds": node.holds,
        "workspace": node.workspace, "system_attributes": node.system_attributes, "token": node.token,
        "advanced_versioning": node.advanced_versioning,
    })
}

fn short(state: &State, node: &Node) -> Value {
    json!({
        "id": node.id, "title": node.name, "name": node.name, "type": node.kind,
        "type_name": super::super::state::node::kind_name(node.kind),
        "container": node.is_container(), "children": state.child_count(node.id),
        "size": node.latest().map(|version| version.content.size),
        "held": state.holding(node).is_some(),
    })
}

/// What is inside an item; `-1` lists the volumes.
pub(super) fn children(state: &State, id: i64) -> Value {
    state.children(id).into_iter().map(|node| short(state, node)).collect()
}

/// One item with everything the page shows.
pub(super) fn node(state: &State, id: i64) -> Option<Value> {
    let node = state.nodes.get(&id)?;
    let mut all = facts(state, node);
    let object = all.as_object_mut()?;
    let names: Vec<Value> = node
        .categories
        .iter()
        .filter_map(|(id, assigned)| Some((state.categories.get(id)?, assigned)))
        .map(|(definition, assigned)| {
            let values = render::category_values(state, definition.id, assigned);
            let metadata = render::category_metadata(state, definition.id);
            json!({"id": definition.id, "name": definition.name, "values": values, "metadata": metadata})
        })
        .collect();
    object.insert("category_view".to_owned(), names.into());
    let rights: Vec<Value> = render::permissions(node)
        .into_iter()
        .map(|mut entry| {
            let name = entry.get("right_id").and_then(Value::as_i64).map(|id| state.login_of(id));
            if let Some(object) = entry.as_object_mut() {
                object.insert("name".to_owned(), name.into());
            }
            entry
        })
        .collect();
    object.insert("permission_view".to_owned(), rights.into());
    let audit: Vec<Value> = state
        .audit_of(id)
        .into_iter()
        .rev()
        .map(|event| json!({"at": event.at, "name": event.name, "user": state.login_of(event.user)}))
        .collect();
    object.insert("audit".to_owned(), audit.into());
    let holds: Vec<&str> = node
        .holds
        .iter()
        .filter_map(|held| state.holds.get(&held.hold))
        .map(|hold| hold.name.as_str())
        .collect();
    object.insert("hold_names".to_owned(), json!(holds));
    let classes: Vec<String> = node
        .classifications
        .iter()
        .chain(node.record.as_ref().map(|record| &record.class))
        .filter_map(|id| state.nodes.get(id).map(|class| class.name.clone()))
        .collect();
    object.insert("class_names".to_owned(), json!(classes));
    let processes: Vec<Value> = state
        .processes
        .values()
        .filter(|process| process.documents.contains(&id))
        .map(|process| {
            json!({"id": process.id, "title": process.title, "status": process.status,
            "assignee": state.login_of(process.assignee), "task": process.task, "finished": process.finished})
        })
        .collect();
    object.insert("workflows".to_owned(), processes.into());
    let ancestors: Vec<Value> = state
        .ancestors(id)
        .into_iter()
        .filter_map(|id| state.nodes.get(&id))
        .map(|node| short(state, node))
        .collect();
    let above = ancestors.split_last().map_or_else(Vec::new, |(_, above)| above.to_vec());
    object.insert("above".to_owned(), above.into());
    object.insert("ancestors".to_owned(), ancestors.into());
    object.insert("type_name".to_owned(), super::super::state::node::kind_name(node.kind).into());
    Some(all)
}
