//! Items as JSON.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::request::Params;
use super::state::node::{Assigned, External, kind_name};
use super::state::{
    Attribute, AttributeKind, CategoryDefinition, Member, MemberId, Node, NodeId, State, Version,
};

/// A date of a node.
pub(super) fn date(state: &State, at: Timestamp) -> String {
    let zone = if state.settings.dates_with_zone { "Z" } else { "" };
    format!("{}{zone}", plain_date(at))
}

/// A date without zone, as workspaces and workflows show it.
pub(super) fn plain_date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Sections asked for with `fields`, each with the keys in its braces.
pub(super) struct Fields(Vec<(String, Option<Vec<String>>, String)>);

impl Fields {
    pub(super) fn of(params: &Params) -> Self {
        let mut sections = Vec::new();
        for field in params.list("fields") {
            let end = field.find(['{', '.']).unwrap_or(field.len());
            let (name, rest) = field.split_at(end);
            let keys = rest
                .split_once('{')
                .and_then(|(_, inner)| inner.split_once('}'))
                .map(|(inner, _)| inner.split(',').map(|key| key.trim().to_owned()).collect());
            let selector = rest.rsplit_once('.').map_or("", |(_, selector)| selector);
            sections.push((name.to_owned(), keys, selector.to_owned()));
        }
        Self(sections)
    }

    fn wants(&self, name: &str) -> Option<(Option<&Vec<String>>, &str)> {
        self.0
            .iter()
            .find(|(known, ..)| known == name)
            .map(|(_, keys, selector)| (keys.as_ref(), selector.as_str()))
    }

    fn none(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps only the keys asked for.
    fn cut(keys: Option<&Vec<String>>, mut value: Value) -> Value {
        if let (Some(keys), Some(object)) = (keys, value.as_object_mut()) {
            object.retain(|key, _| keys.contains(key));
        }
        value
    }
}

/// An item as it stands in `results`.
pub(super) fn item(state: &State, params: &Params, node: &Node) -> Value {
    let fields = Fields::of(params);
    let mut data = Map::new();
    let wanted = fields.wants("properties");
    if fields.none() || wanted.is_some() {
        let mut all = Fields::cut(wanted.and_then(|(keys, _)| keys), properties(state, node));
        expand(state, params, node, &mut all);
        data.insert("properties".to_owned(), all);
    }
    let mut envelope = Map::new();
    if let Some((keys, selector)) = fields.wants("versions").or(fields.none().then_some((None, "element(0)")))
    {
        let mut list: Vec<Value> =
            node.versions.iter().rev().map(|one| Fields::cut(keys, version(state, node, one))).collect();
        if selector.starts_with("element") {
            if !list.is_empty() {
                data.insert("versions".to_owned(), list.swap_remove(0));
            }
        } else {
            data.insert("versions".to_owned(), list.into());
        }
    }
    if fields.wants("categories").is_some() {
        let flat = node.categories.iter().map(|(id, assigned)| category_values(state, *id, assigned));
        data.insert("categories".to_owned(), flat.collect());
        let metadata: Vec<Value> = node.categories.keys().map(|id| category_metadata(state, *id)).collect();
        envelope.insert("metadata".to_owned(), json!({ "categories": metadata }));
    }
    if fields.wants("permissions").is_some() {
        data.insert("permissions".to_owned(), permissions(node).into());
    }
    envelope.insert("data".to_owned(), data.into());
    if params.has("metadata") {
        add_metadata(&mut envelope);
    }
    if params.has("state") {
        envelope.insert("state".to_owned(), tokens(node));
    }
    if params.has("actions") {
        envelope.insert("actions".to_owned(), actions(state, node, params));
    }
    envelope.into()
}

fn add_metadata(envelope: &mut Map<String, Value>) {
    let definitions = json!({
        "id": {"key": "id", "name": "ID", "type": 2, "type_name": "Integer", "persona": "node"},
        "name": {"key": "name", "name": "Name", "type": -1, "type_name": "String", "max_length": 248},
        "type": {"key": "type", "name": "Type", "type": 2, "type_name": "Integer"},
    });
    let metadata = envelope.entry("metadata").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("properties".to_owned(), definitions);
    }
    envelope.insert("metadata_map".to_owned(), json!({"properties": {}}));
    envelope.insert("metadata_order".to_owned(), json!({"properties": ["id", "name", "type"]}));
}

fn expand(state: &State, params: &Params, node: &Node, properties: &mut Value) {
    for entry in params.list("expand") {
        let Some((_, keys)) = entry.split_once("properties{") else { continue };
        for key in keys.trim_end_matches('}').split(',') {
            let expanded = match key.trim() {
                "parent_id" => state.nodes.get(&node.parent_id).map(|parent| self::properties(state, parent)),
                "original_id" => state.nodes.get(&node.original_id).map(|one| self::properties(state, one)),
                "create_user_id" | "owner_user_id" => state.members.get(&node.created_by).map(member),
                _ => None,
            };
            if let (Some(expanded), Some(object)) = (expanded, properties.as_object_mut()) {
                object.insert(format!("{}_expand", key.trim()), expanded);
            }
        }
    }
}

/// The edit-conflict tokens of an item.
pub(super) fn tokens(node: &Node) -> Value {
    let categories: Map<String, Value> = node
        .categories
        .iter()
        .map(|(id, assigned)| (format!("{id}_1"), json!({"metadata_token": assigned.token.to_string()})))
        .collect();
    json!({"properties": {"metadata_token": node.token.to_string()}, "categories": categories})
}

fn actions(state: &State, node: &Node, params: &Params) -> Value {
    let _ = state;
    let wanted = params.list("actions");
    let all: Map<String, Value> = wanted
        .iter()
        .filter(|verb| !verb.is_empty())
        .map(|verb| {
            let href = format!("/api/v2/nodes/{}", node.id);
            let action = json!({"body": "", "content_type": "", "href": href, "method": "GET", "name": verb});
            (verb.clone(), action)
        })
        .collect();
    json!({"data": all, "map": {"default_action": ""}, "order": wanted})
}

/// `data.properties`.
pub(super) fn properties(state: &State, node: &Node) -> Value {
    let latest = node.latest();
    let children = state.child_count(node.id);
    let size = latest.map_or(children as u64, |version| version.content.size);
    let formatted = match latest {
        Some(_) => format!("{} KB", size.div_ceil(1024)),
        None => format!("{children} Items"),
    };
    let owner = node.permissions.owner.as_ref().map_or(node.created_by, |grant| grant.right_id);
    let mut all = json!({
        "id": node.id,
        "name": node.name,
        "name_multilingual": {"en_US": node.name},
        "description": node.description,
        "description_multilingual": {"en_US": node.description},
        "type": node.kind,
        "type_name": kind_name(node.kind),
        "parent_id": node.parent_id,
        "volume_id": -node.volume_id,
        "container": node.is_container(),
        "container_size": children,
        "size": size,
        "size_formatted": formatted,
        "mime_type": latest.map(|version| version.mime_type.clone()),
        "create_date": date(state, node.created),
        "create_user_id": node.created_by,
        "modify_date": date(state, node.modified),
        "modify_user_id": node.modified_by,
        "owner": state.login_of(owner),
        "owner_user_id": owner,
        "owner_group_id": node.permissions.group.as_ref().map_or(0, |grant| grant.right_id),
        "guid": null,
        "hidden": node.hidden,
        "favorite": false,
        "icon": "",
        "icon_large": "",
        "original_id": node.original_id,
        "permissions_model": "advanced",
        "reserved": node.reserved.is_some(),
        "reserved_date": node.reserved.as_ref().map(|one| date(state, one.at)),
        "reserved_user_id": node.reserved.as_ref().map_or(0, |one| one.user),
        "reserved_shared_collaboration": false,
        "status": null,
        "versionable": latest.is_some(),
        "advanced_versioning": latest.map(|_| node.advanced_versioning),
        "versions_control_advanced": node.advanced_versioning,
        "nickname": node.nickname,
    });
    if let Some(object) = all.as_object_mut() {
        external(&node.external, object);
        if let Some(url) = &node.url {
            object.insert("url".to_owned(), url.as_str().into());
        }
        object.extend(node.system_attributes.clone());
    }
    all
}

/// `external_*` go back as they came, without zone.
pub(super) fn external(external: &External, object: &mut Map<String, Value>) {
    let plain = |date: &Option<String>| date.as_deref().map(|date| date.trim_end_matches('Z').to_owned());
    object.insert("external_create_date".to_owned(), plain(&external.create_date).into());
    object.insert("external_modify_date".to_owned(), plain(&external.modify_date).into());
    object.insert("external_source".to_owned(), external.source.clone().into());
    object.insert("external_identity".to_owned(), external.identity.clone().into());
    object.insert("external_identity_type".to_owned(), external.identity_type.clone().into());
}

/// One version.
pub(super) fn version(state: &State, node: &Node, version: &Version) -> Value {
    let extension = version.file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let mut all = json!({
        "id": node.id,
        "version_id": version.version_id,
        "version_number": version.number,
        "version_number_major": version.major,
        "version_number_minor": version.minor,
        "version_number_name": version.label(),
        "name": version.file_name,
        "file_name": version.file_name,
        "file_size": version.content.size,
        "file_type": extension,
        "mime_type": version.mime_type,
        "description": version.description,
        "create_date": date(state, version.created),
        "modify_date": date(state, version.modified),
        "file_create_date": date(state, version.created),
        "file_modify_date": date(state, version.modified),
        "owner_id": version.owner,
        "provider_id": version.version_id,
        "locked": version.locked_by.is_some(),
        "locked_date": null,
        "locked_user_id": version.locked_by,
        "has_generation": false,
    });
    if let Some(object) = all.as_object_mut() {
        external(&version.external, object);
    }
    all
}

/// Flat values of a category: every attribute of the definition, with or without value.
pub(super) fn category_values(state: &State, id: NodeId, assigned: &Assigned) -> Value {
    let mut all = Map::new();
    let Some(definition) = state.categories.get(&id) else { return all.into() };
    for attribute in &definition.attributes {
        let AttributeKind::Set { members, .. } = &attribute.kind else {
            let key = attribute.id.to_string();
            all.insert(format!("{id}_{key}"), value_or_empty(assigned, &key, attribute));
            continue;
        };
        for row in 1..=rows(assigned, attribute.id) {
            for member in members {
                let key = format!("{}_{row}_{}", attribute.id, member.id);
                all.insert(format!("{id}_{key}"), value_or_empty(assigned, &key, member));
            }
        }
    }
    all.into()
}

fn value_or_empty(assigned: &Assigned, key: &str, attribute: &Attribute) -> Value {
    match assigned.values.get(key) {
        Some(Value::Null) | None if attribute.multi_value => json!([]),
        Some(Value::Null) | None => match attribute.kind {
            AttributeKind::Text { .. } | AttributeKind::TextArea | AttributeKind::Choice { .. } => json!(""),
            _ => Value::Null,
        },
        Some(value) => value.clone(),
    }
}

/// Number of rows of a set; an unused set shows one empty row.
fn rows(assigned: &Assigned, set: i64) -> i64 {
    let row = |key: &String| {
        let mut parts = key.split('_');
        (parts.next()?.parse::<i64>().ok()? == set).then(|| parts.next()?.parse::<i64>().ok()).flatten()
    };
    assigned.values.keys().filter_map(row).max().unwrap_or(1)
}

/// Definitions of a category: the category first, and each set before its members.
pub(super) fn category_metadata(state: &State, id: NodeId) -> Value {
    let mut all = Map::new();
    let Some(definition) = state.categories.get(&id) else { return all.into() };
    all.insert(
        id.to_string(),
        json!({"key": id.to_string(), "name": definition.name, "persona": "category", "type": -18, "type_name": "Assoc"}),
    );
    for attribute in &definition.attributes {
        let key = format!("{id}_{}", attribute.id);
        all.insert(key.clone(), definition_of(&key, attribute));
        if let AttributeKind::Set { members, .. } = &attribute.kind {
            for member in members {
                let key = format!("{id}_{}_x_{}", attribute.id, member.id);
                all.insert(key.clone(), definition_of(&key, member));
            }
        }
    }
    all.into()
}

/// `metadata_map` entry: keys of the attributes.
pub(super) fn category_map(definition: &CategoryDefinition) -> Value {
    definition.attributes.iter().map(|attribute| format!("{}_{}", definition.id, attribute.id)).collect()
}

fn definition_of(key: &str, attribute: &Attribute) -> Value {
    let (number, name) = attribute.kind.wire();
    let persona = match attribute.kind {
        AttributeKind::Set { .. } => "set",
        AttributeKind::User => "user",
        _ => "",
    };
    let mut all = json!({
        "key": key, "name": attribute.name, "persona": persona, "type": number, "type_name": name,
        "multi_value": attribute.multi_value, "required": attribute.required, "hidden": false, "read_only": false,
        "allow_undefined": !attribute.required,
    });
    if let Some(object) = all.as_object_mut() {
        match &attribute.kind {
            AttributeKind::Text { max_length } => {
                object.insert("max_length".to_owned(), json!(max_length));
                object.insert("min_length".to_owned(), Value::Null);
            }
            AttributeKind::Date { with_time } => {
                drop(object.insert("include_time".to_owned(), json!(with_time)))
            }
            AttributeKind::Choice { values } => drop(object.insert("valid_values".to_owned(), json!(values))),
            AttributeKind::Set { max_rows, .. } => {
                object.insert("array_size".to_owned(), json!({"min": 1, "max": max_rows}));
            }
            _ => {}
        }
    }
    all
}

/// Rights of an item: owner, group, public, then the rest.
pub(super) fn permissions(node: &Node) -> Vec<Value> {
    let rights = &node.permissions;
    let entry = |kind: &str, id: Option<MemberId>, rights: &super::state::Rights| json!({"type": kind, "right_id": id, "permissions": rights});
    let mut all = Vec::new();
    all.extend(rights.owner.as_ref().map(|grant| entry("owner", Some(grant.right_id), &grant.rights)));
    all.extend(rights.group.as_ref().map(|grant| entry("group", Some(grant.right_id), &grant.rights)));
    all.extend(rights.public.as_ref().map(|rights| entry("public", None, rights)));
    all.extend(rights.custom.iter().map(|(id, rights)| entry("custom", Some(*id), rights)));
    all
}

/// A user, group or role.
pub(super) fn member(member: &Member) -> Value {
    let mut all = json!({
        "id": member.id,
        "name": member.name,
        "type": member.kind,
        "type_name": match member.kind { 1 => "Group", 848 => "Role", 17 => "Service User", _ => "User" },
        "deleted": member.deleted,
    });
    if let Some(object) = all.as_object_mut() {
        if member.kind == 0 || member.kind == 17 {
            object.insert("first_name".to_owned(), member.first_name.as_str().into());
            object.insert("last_name".to_owned(), member.last_name.as_str().into());
            object.insert("middle_name".to_owned(), Value::Null);
            object.insert("title".to_owned(), Value::Null);
            object.insert("business_email".to_owned(), member.email.as_str().into());
            object.insert("group_id".to_owned(), member.group.into());
            object.insert("privilege_system_admin_rights".to_owned(), member.administrator.into());
            object.insert("privilege_login".to_owned(), member.password.is_some().into());
        }
        if let Some(node) = member.node {
            object.insert("node_id".to_owned(), node.into());
        }
    }
    all
}
