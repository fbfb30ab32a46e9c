//! Items: read, create, copy, change, delete.

use serde_json::{Map, Value, json};

use super::{Call, number};
use crate::content_server::render;
use crate::content_server::reply::{Reply, done, results};
use crate::content_server::request::{Params, as_text};
use crate::content_server::settings::Envelope;
use crate::content_server::state::categories::Values;
use crate::content_server::state::{
    Api, Changes, External, NewNode, NewVersion, NodeId, Outcome, Refusal, kind,
};

/// Most numbers in one list call.
const LIST_LIMIT: usize = 250;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("POST", ["v2", "nodes", "list"]) => list(call),
        ("GET" | "POST", ["v2", "nodes", "actions"]) => actions(call),
        ("POST", ["v1" | "v2", "nodes"]) => create(call),
        ("GET", ["v1" | "v2", "nodes", id]) => number(id).and_then(|id| read(call, id)),
        ("GET", ["v2", "nodes", id, "properties"]) => number(id).and_then(|id| read(call, id)),
        ("PUT", ["v1" | "v2", "nodes", id]) => number(id).and_then(|id| update(call, id)),
        ("DELETE", ["v1" | "v2", "nodes", id]) => number(id).and_then(|id| {
            call.state.delete(call.actor, id)?;
            done()
        }),
        ("PUT", ["v2", "nodes", id, "nicknames"]) => number(id).and_then(|id| {
            let nickname = call.params.text("nickname").unwrap_or_default();
            call.state.set_nickname(call.actor, id, &nickname)?;
            done()
        }),
        ("PUT", ["v2", "nodes", id, "systemattributes"]) => {
            number(id).and_then(|id| system_attributes(call, id))
        }
        ("GET", ["v2", "nicknames", nickname, "nodes"]) => by_nickname(call, nickname),
        ("GET", ["v2", "volumes", volume]) => number(volume).and_then(|volume| by_volume(call, volume)),
        ("GET", ["v1", "nodes", id, "ancestors"]) => number(id).and_then(|id| ancestors(call, id)),
        ("GET", ["v1", "nodes", id, "addablenodetypes"]) => number(id).and_then(|id| {
            call.state.visible(call.actor, id)?;
            let data = json!({"folder": "api/v1/nodes", "document": "api/v1/nodes"});
            Ok(Reply::Json(
                json!({"data": data, "definitions": {}, "definitions_map": {}, "definitions_order": []}),
            ))
        }),
        _ => return None,
    })
}

fn read(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    if call.api == Api::V1 {
        let data = render::properties(call.state, node);
        return Ok(Reply::Json(json!({
            "type": node.kind, "type_name": data.get("type_name"), "data": data,
            "definitions": {}, "definitions_map": {}, "definitions_order": [],
        })));
    }
    Ok(results(render::item(call.state, &call.params, node)))
}

fn list(call: &mut Call<'_>) -> Outcome<Reply> {
    let ids = call.params.numbers("ids")?;
    if ids.is_empty() {
        return Err(Refusal::Missing("ids"));
    }
    if ids.len() > LIST_LIMIT {
        return Err(Refusal::said(400, "Too many items specified for parameter 'ids'"));
    }
    let found: Vec<Value> = ids
        .iter()
        .filter_map(|id| call.state.visible(call.actor, *id).ok())
        .map(|node| render::item(call.state, &call.params, node))
        .collect();
    Ok(results(found))
}

fn actions(call: &mut Call<'_>) -> Outcome<Reply> {
    use crate::content_server::state::Permission as P;
    let wanted = call.params.list("actions");
    let mut all = Map::new();
    for id in call.params.numbers("ids")? {
        let Ok(node) = call.state.visible(call.actor, id) else { continue };
        let verbs: Map<String, Value> = wanted
            .iter()
            .filter(|verb| {
                let needed = match verb.to_lowercase().as_str() {
                    "open" | "download" | "browse" => P::SeeContents,
                    "delete" | "move" => P::Delete,
                    "rename" | "addversion" => P::Modify,
                    "permissions" | "editpermissions" => P::EditPermissions,
                    "addcategory" | "updatecategories" => P::EditAttributes,
                    "create" | "initiatedocumentworkflow" => P::AddItems,
                    "reserve" | "unreserve" => P::Reserve,
                    _ => P::See,
                };
                call.state.may(call.actor, node, needed)
            })
            .map(|verb| {
                let href = format!("/api/v2/nodes/{id}");
                (
                    verb.clone(),
                    json!({"body": "", "content_type": "", "href": href, "method": "", "name": verb}),
                )
            })
            .collect();
        let order: Vec<&String> = verbs.keys().collect();
        let order = json!(order);
        all.insert(id.to_string(), json!({"data": verbs, "map": {"default_action": ""}, "order": order}));
    }
    Ok(results(all))
}

fn by_nickname(call: &mut Call<'_>, nickname: &str) -> Outcome<Reply> {
    let unknown = || Refusal::said(404, format!("no exact match was found for nickname '{nickname}'"));
    let id = call.state.by_nickname(nickname).ok_or_else(unknown)?.id;
    let node = call.state.visible(call.actor, id).map_err(|_| unknown())?;
    Ok(results(render::item(call.state, &call.params, node)))
}

fn by_volume(call: &mut Call<'_>, volume: i64) -> Outcome<Reply> {
    let unknown = || Refusal::said(500, format!("Subtype {volume} is not a root subtype"));
    let id = call.state.volume(volume).ok_or_else(unknown)?.id;
    let node = call.state.visible(call.actor, id)?;
    Ok(results(render::item(call.state, &call.params, node)))
}

fn ancestors(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    call.state.visible(call.actor, id)?;
    let path: Vec<Value> = call
        .state
        .ancestors(id)
        .into_iter()
        .filter_map(|id| call.state.nodes.get(&id))
        .map(|node| {
            json!({
                "id": node.id, "name": node.name, "parent_id": node.parent_id, "type": node.kind,
                "type_name": crate::content_server::state::node::kind_name(node.kind), "volume_id": -node.volume_id,
            })
        })
        .collect();
    Ok(Reply::Json(json!({ "ancestors": path })))
}

/// `external_*` of a call, if any was sent.
pub(super) fn external(params: &Params) -> Option<External> {
    let sent = params.all().keys().any(|key| key.starts_with("external_"));
    sent.then(|| External {
        create_date: params.filled("external_create_date"),
        modify_date: params.filled("external_modify_date"),
        source: params.filled("external_source"),
        identity: params.filled("external_identity"),
        identity_type: params.filled("external_identity_type"),
    })
}

/// `roles.categories`, flat (`"8101_2": "x"`) or nested (`"8101": {"8101_2": "x"}`).
pub(super) fn category_roles(params: &Params) -> Outcome<Vec<(NodeId, Values)>> {
    let roles = match params.get("roles") {
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| Refusal::BadType("roles".to_owned()))?
        }
        other => other.cloned().unwrap_or_default(),
    };
    let mut found: Vec<(NodeId, Values)> = Vec::new();
    let Some(Value::Object(categories)) = roles.get("categories") else { return Ok(found) };
    let mut add = |key: &str, value: &Value| {
        let (category, rest) = key.split_once('_').unwrap_or((key, "1"));
        let category: NodeId = category.parse().map_err(|_| Refusal::BadType("categories".to_owned()))?;
        if !found.iter().any(|(known, _)| *known == category) {
            found.push((category, Values::new()));
        }
        // `{category}_1` stands for the category itself.
        if rest != "1"
            && let Some((_, values)) = found.iter_mut().find(|(known, _)| *known == category)
        {
            values.insert(rest.to_owned(), value.clone());
        }
        Ok::<_, Refusal>(())
    };
    for (key, value) in categories {
        match value {
            Value::Object(nested) if !key.contains('_') => {
                add(key, &Value::Null)?;
                for (key, value) in nested {
                    add(key, value)?;
                }
            }
            _ if key == "inheritance" => {}
            _ => add(key, value)?,
        }
    }
    Ok(found)
}

/// Content of a call: the part `file`, or a finished large upload.
pub(super) fn content_of(call: &mut Call<'_>, name: &str) -> Outcome<Option<NewVersion>> {
    let (content, file_name, mime_type) = if let Some(key) = call.params.filled("upload_key") {
        let (content, file_name, mime_type) = call.state.closed_upload(call.actor, &key)?;
        (content, file_name, mime_type)
    } else if let Some(upload) = call.params.take_file(|field| field == "file") {
        (upload.content, upload.file_name, upload.mime_type)
    } else {
        return Ok(None);
    };
    if content.size == 0 && !call.state.settings.empty_documents {
        return Err(Refusal::said(400, "The file is empty."));
    }
    let file_name = if file_name.is_empty() { name.to_owned() } else { file_name };
    Ok(Some(NewVersion {
        description: call.params.text("description").filter(|_| name.is_empty()).unwrap_or_default(),
        external: external(&call.params).unwrap_or_default(),
        major: call.params.flag("add_major_version").unwrap_or(false),
        ..NewVersion::of(&file_name, &mime_type, content)
    }))
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    let mut kind = call.params.number("type")?;
    let parent = match (call.params.number("parent_id")?, kind) {
        (Some(parent), _) => parent,
        // Without a parent the type names a volume, and the file becomes a document in it.
        (None, Some(volume)) => {
            let parent =
                call.state.volume(volume).map(|node| node.id).ok_or(Refusal::Missing("parent_id"))?;
            kind = Some(kind::DOCUMENT);
            parent
        }
        (None, None) => return Err(Refusal::Missing("parent_id")),
    };
    let id = match (kind, call.params.number("original_id")?) {
        (None, Some(original)) => {
            let inheritance = call
                .params
                .get("roles")
                .and_then(|roles| as_text(roles.get("categories")?.get("inheritance")?)?.parse().ok())
                .unwrap_or(0);
            let name = call.params.filled("name");
            call.state.copy(call.actor, original, parent, name.as_deref(), inheritance)?
        }
        (None, None) => return Err(Refusal::Missing("type")),
        (Some(kind), original) => create_new(call, kind, parent, original.unwrap_or(0))?,
    };
    if let Some(key) = call.params.filled("upload_key") {
        call.state.cancel_large_upload(call.actor, &key)?;
    }
    if call.api == Api::V1 {
        return Ok(Reply::Json(json!({ "id": id })));
    }
    let node = call.state.node(id)?;
    let properties = render::properties(call.state, node);
    if call.state.settings.upload_envelope == Envelope::Flat {
        return Ok(Reply::Json(properties));
    }
    Ok(results(json!({"data": {"properties": properties}})))
}

/// Types one cannot create over REST.
fn creatable(number: i64) -> bool {
    matches!(
        number,
        kind::FOLDER
            | kind::SHORTCUT
            | kind::GENERATION
            | kind::CATEGORY
            | kind::CATEGORY_FOLDER
            | kind::COMPOUND
            | kind::URL
            | kind::DOCUMENT
            | kind::CLASSIFICATION_TREE
            | kind::CLASSIFICATION
            | kind::PROJECT
            | kind::COLLECTION
            | kind::EMAIL_FOLDER
    )
}

fn create_new(call: &mut Call<'_>, kind: i64, parent: NodeId, original_id: NodeId) -> Outcome<NodeId> {
    if !creatable(kind) {
        return Err(Refusal::said(
            400,
            format!("Could not create a new {kind}: the subtype is not registered."),
        ));
    }
    let name = call.params.needed("name")?;
    let version = if kind == kind::DOCUMENT { content_of(call, &name)? } else { None };
    let classifications =
        call.params.get("roles").and_then(|roles| roles.get("classifications")).map(|roles| {
            let ids = ["id", "create_id"].iter().filter_map(|key| roles.get(*key)?.as_array());
            ids.flatten().filter_map(|id| as_text(id)?.parse().ok()).collect()
        });
    let new = NewNode {
        kind,
        parent_id: parent,
        name,
        description: call.params.text("description").unwrap_or_default(),
        external: external(&call.params).unwrap_or_default(),
        original_id,
        url: call.params.filled("url"),
        version,
        advanced_versioning: call.params.flag("advanced_versioning").unwrap_or(false),
        categories: category_roles(&call.params)?,
        classifications: classifications.unwrap_or_default(),
    };
    let id = call.state.create(call.actor, new)?;
    if kind == kind::CATEGORY {
        // Over REST a new category is always empty.
        let name = call.state.node(id)?.name.clone();
        call.state.categories.insert(
            id,
            crate::content_server::state::CategoryDefinition { id, name, attributes: Vec::new() },
        );
    }
    Ok(id)
}

fn update(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let reserved = match call.params.get("reserved_user_id") {
        _ if call.api == Api::V1 => None,
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => {
            let text = as_text(value).unwrap_or_default();
            let user = if text.is_empty() || text == "null" { None } else { Some(number(&text)?) };
            Some(user)
        }
    };
    let changes = Changes {
        name: call.params.text("name"),
        description: call.params.text("description"),
        parent_id: call.params.number("parent_id")?,
        reserved_user_id: reserved,
        advanced_versioning: call
            .params
            .flag("versions_control_advanced")
            .or_else(|| call.params.flag("advanced_versioning")),
        external: external(&call.params),
        metadata_token: call.params.filled("metadata_token"),
    };
    let asked_for_token = changes.metadata_token.is_some();
    call.state.update(call.actor, id, changes)?;
    if asked_for_token {
        let state = render::tokens(call.state.node(id)?);
        return Ok(results(json!({"data": {}, "state": state})));
    }
    done()
}

fn system_attributes(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    use crate::content_server::state::Permission;
    call.state.with_right(call.actor, id, Permission::Modify, "systemattributes")?;
    let sent = call.params.all().clone();
    if sent.is_empty() {
        return Err(Refusal::said(500, "Could not set feature: no attribute was given."));
    }
    if let Some(node) = call.state.nodes.get_mut(&id) {
        node.system_attributes.extend(sent);
    }
    call.state.modify(id);
    done()
}
