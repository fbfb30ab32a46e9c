//! Business workspaces.

use serde_json::{Value, json};

use super::children::{passes, sort_nodes};
use super::{Call, nodes, number};
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection, done, results, workspace_list};
use crate::content_server::request::Params;
use crate::content_server::settings::{NameFilter, Settings};
use crate::content_server::state::workspaces::NewWorkspace;
use crate::content_server::state::{BusinessObject, Node, NodeId, Outcome, Permission, Refusal, State};

/// Default and largest page.
const MOST: usize = 500;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v2", "businessworkspacetypes"]) => types(call),
        ("GET", ["v1", "businessworkspacetypes", id]) => number(id).and_then(|id| one_type(call, id)),
        ("GET", ["v2", "businessworkspaces"]) => find(call),
        ("POST", ["v2", "businessworkspaces"]) => create(call),
        ("GET", ["v2", "externalsystems", system, "botypes", kind, "boids", id]) => {
            let object = BusinessObject::new(system, kind, id);
            by_object(call, &object)
        }
        ("GET", ["v2", "businessworkspaces", id]) => number(id).and_then(|id| read(call, id)),
        ("GET", ["v1", "nodes", id, "businessworkspace"]) => number(id).and_then(|id| containing(call, id)),
        ("PUT" | "DELETE", ["v2", "businessworkspaces", id, "workspacereferences"]) => {
            number(id).and_then(|id| {
                let object = reference(&call.params)?.ok_or(Refusal::Missing("bo_id"))?;
                call.state.set_reference(call.actor, id, &object, method == "PUT")?;
                done()
            })
        }
        ("GET", ["v2", "businessworkspaces", id, "relateditems"]) => {
            number(id).and_then(|id| related(call, id))
        }
        ("POST", ["v2", "businessworkspaces", id, "relateditems"]) => number(id).and_then(|id| {
            let other = call.params.needed_number("rel_bw_id")?;
            relate(call, id, other, true)
        }),
        ("DELETE", ["v2", "businessworkspaces", id, "relateditems", other]) => {
            number(id).and_then(|id| number(other).and_then(|other| relate(call, id, other, false)))
        }
        ("GET", ["v2", "businessworkspaces", id, "roles"]) => number(id).and_then(|id| roles(call, id, None)),
        ("GET", ["v2", "businessworkspaces", id, "roles", role]) => {
            number(id).and_then(|id| number(role).and_then(|role| roles(call, id, Some(role))))
        }
        ("GET", ["v2", "businessworkspaces", id, "members"]) => number(id).and_then(|id| team(call, id)),
        ("GET" | "POST", ["v2", "businessworkspaces", id, "roles", role, "members"]) => number(id)
            .and_then(|id| number(role).and_then(|role| role_members(call, id, role, method == "POST"))),
        ("DELETE", ["v2", "businessworkspaces", id, "roles", role, "members", member]) => number(id)
            .and_then(|id| {
                call.state.set_role_member(call.actor, id, number(role)?, number(member)?, false)?;
                done()
            }),
        _ => return None,
    })
}

fn types(call: &mut Call<'_>) -> Outcome<Reply> {
    let expand = call.params.flag("expand_templates").unwrap_or(true);
    let system = call.params.filled("ext_system_id").zip(call.params.filled("bo_type"));
    let found: Vec<Value> = call
        .state
        .workspace_types
        .values()
        .filter(|kind| system.as_ref().is_none_or(|system| kind.business_object_types.contains(system)))
        .map(|kind| {
            let templates: Vec<Value> = kind
                .templates
                .iter()
                .filter_map(|id| call.state.nodes.get(id))
                .map(|node| json!({"id": node.id, "name": node.name, "subtype": node.kind}))
                .collect();
            let properties = json!({
                "wksp_type_id": kind.id,
                "wksp_type_name": kind.name,
                "wksp_type_names": {"en": kind.name},
                "config_node_id": kind.config_node,
                "rm_enabled": false,
                "templates": if expand { templates } else { Vec::new() },
                "wksp_creation": {"manual": true, "location": kind.location},
            });
            json!({"data": {"properties": properties, "wksp_info": {"wksp_type_icon": ""}}})
        })
        .collect();
    Ok(results(found))
}

fn one_type(call: &mut Call<'_>, id: i64) -> Outcome<Reply> {
    let kind = call.state.workspace_types.get(&id);
    let kind = kind.ok_or_else(|| Refusal::said(404, "The business workspace type could not be found."))?;
    Ok(Reply::Json(json!({
        "id": kind.id, "workspace_type": kind.name, "icon_url": "", "is_policies_enabled": false,
        "is_rm_enabled": false,
    })))
}

/// An item as workspace calls show it: dates never carry a zone.
fn workspace_properties(state: &State, node: &Node) -> Value {
    let mut properties = render::properties(state, node);
    if let (Some(object), Some(workspace)) = (properties.as_object_mut(), &node.workspace) {
        object.insert("create_date".to_owned(), render::plain_date(node.created).into());
        object.insert("modify_date".to_owned(), render::plain_date(node.modified).into());
        object.insert("wnf_wksp_type_id".to_owned(), workspace.type_id.into());
        object.insert("wnf_wksp_template_id".to_owned(), workspace.template.into());
        object.insert("perm_see".to_owned(), true.into());
    }
    properties
}

fn find(call: &mut Call<'_>) -> Outcome<Reply> {
    let wanted = |name: &str| call.params.filled(name);
    let kind_id = call.params.number("where_workspace_type_id")?;
    let kind_name = wanted("where_workspace_type_name");
    let name = wanted("where_name");
    let (system, kind, object) =
        (wanted("where_ext_system_id"), wanted("where_bo_type"), wanted("where_bo_id"));
    let settings = &call.state.settings;
    let mut found: Vec<&Node> = call
        .state
        .workspaces()
        .filter(|(_, workspace)| kind_id.is_none_or(|id| workspace.type_id == id))
        .filter(|(_, workspace)| {
            let known = call.state.workspace_types.get(&workspace.type_id).map(|kind| kind.name.as_str());
            kind_name
                .as_deref()
                .is_none_or(|wanted| known.is_some_and(|name| name.eq_ignore_ascii_case(wanted)))
        })
        .filter(|(node, _)| name.as_deref().is_none_or(|wanted| name_fits(settings, &node.name, wanted)))
        .filter(|(_, workspace)| {
            let same =
                |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
            (system.is_none() && kind.is_none() && object.is_none())
                || workspace.references.iter().any(|known| {
                    same(&system, &known.system) && same(&kind, &known.kind) && same(&object, &known.id)
                })
        })
        .map(|(node, _)| node)
        .filter(|node| call.state.may(call.actor, node, Permission::See))
        .collect();
    // Without the expanded view only recently used workspaces come: at most 25.
    if call.params.flag("expanded_view") == Some(false) {
        found.sort_by_key(|node| std::cmp::Reverse(node.modified));
        found.truncate(25);
    }
    let sort = call.params.filled("sort").unwrap_or_else(|| "asc_name".to_owned());
    sort_nodes(&mut found, &sort);
    list(call, &found)
}

fn name_fits(settings: &Settings, name: &str, wanted: &str) -> bool {
    if let Some(part) = wanted.strip_prefix("contains_") {
        return passes(settings, NameFilter::Contains, name, part);
    }
    match wanted.strip_prefix("startswith_") {
        Some(part) => passes(settings, NameFilter::StartsWith, name, part),
        None => passes(settings, settings.workspace_name_filter, name, wanted),
    }
}

fn list(call: &Call<'_>, found: &[&Node]) -> Outcome<Reply> {
    let items: Vec<Value> = found
        .iter()
        .map(|node| json!({"data": {"properties": workspace_properties(call.state, node)}}))
        .collect();
    let (page, cut) = Page::cut_at(MOST, &call.params, &call.state.settings, MOST, items)?;
    Ok(workspace_list(&call.path, page, cut))
}

fn by_object(call: &mut Call<'_>, object: &BusinessObject) -> Outcome<Reply> {
    let found: Vec<&Node> = call
        .state
        .workspace_of(object)
        .into_iter()
        .filter(|node| call.state.may(call.actor, node, Permission::See))
        .collect();
    list(call, &found)
}

fn read(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let (node, workspace) = call.state.workspace(call.actor, id)?;
    let fields = call.params.list("fields");
    let wants = |name: &str| fields.iter().any(|field| field.starts_with(name));
    let mut data = serde_json::Map::new();
    if fields.is_empty() || wants("properties") {
        data.insert("properties".to_owned(), workspace_properties(call.state, node));
    }
    if wants("categories") {
        // Nested here, unlike on items.
        let nested: serde_json::Map<String, Value> = node
            .categories
            .iter()
            .map(|(id, assigned)| (id.to_string(), render::category_values(call.state, *id, assigned)))
            .collect();
        data.insert("categories".to_owned(), nested.into());
    }
    let references = || -> Value {
        let one = |known: &BusinessObject| json!({"ext_system_id": known.system, "bo_type": known.kind, "bo_id": known.id});
        workspace.references.iter().map(one).collect()
    };
    if wants("workspace_references") {
        data.insert("workspace_references".to_owned(), references());
    }
    if wants("business_properties") {
        let first = workspace.references.first();
        data.insert(
            "business_properties".to_owned(),
            json!({
                "isEarly": first.is_none(), "workspace_type_id": workspace.type_id,
                "external_system_id": first.map(|one| one.system.clone()),
                "business_object_type": first.map(|one| one.kind.clone()),
                "business_object_id": first.map(|one| one.id.clone()),
            }),
        );
    }
    Ok(results(json!({ "data": data })))
}

fn containing(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    call.state.visible(call.actor, id)?;
    let node = call
        .state
        .workspace_containing(id)
        .ok_or_else(|| Refusal::said(404, "Not in a business workspace."))?;
    let workspace = node.workspace.as_ref().ok_or(Refusal::NotAccessible)?;
    Ok(Reply::Json(json!({
        "id": node.id, "isLinked": !workspace.references.is_empty(), "type": node.kind,
        "workspace_type_id": workspace.type_id,
    })))
}

fn reference(params: &Params) -> Outcome<Option<BusinessObject>> {
    let parts = (params.filled("ext_system_id"), params.filled("bo_type"), params.filled("bo_id"));
    match parts {
        (None, None, None) => Ok(None),
        (Some(system), Some(kind), Some(id)) => Ok(Some(BusinessObject { system, kind, id })),
        (None, ..) => Err(Refusal::Missing("ext_system_id")),
        (_, None, _) => Err(Refusal::Missing("bo_type")),
        (_, _, None) => Err(Refusal::Missing("bo_id")),
    }
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    let template = match call.params.number("template_id")? {
        Some(template) => template,
        None => call
            .params
            .number("wksp_type_id")?
            .and_then(|id| call.state.workspace_types.get(&id)?.templates.first().copied())
            .ok_or(Refusal::Missing("template_id"))?,
    };
    let new = NewWorkspace {
        template,
        type_id: call.params.number("wksp_type_id")?,
        name: call.params.text("name").unwrap_or_default(),
        description: call.params.text("description").unwrap_or_default(),
        parent_id: call.params.number("parent_id")?,
        reference: reference(&call.params)?,
        categories: nodes::category_roles(&call.params)?,
        external: nodes::external(&call.params).unwrap_or_default(),
    };
    let id = call.state.create_workspace(call.actor, new)?;
    Ok(results(json!({"id": id, "direct_open": true, "sub_folder_id": 0})))
}

fn related(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    call.state.workspace(call.actor, id)?;
    let mut wanted = call.params.braced("where_rel_types");
    wanted.extend(call.params.filled("where_relationtype"));
    let name = call.params.filled("where_name").unwrap_or_default().to_lowercase();
    let types = call.params.numbers("where_workspace_type_ids")?;
    let items: Vec<Value> = call
        .state
        .related(id)
        .into_iter()
        .map(|(other, below)| (other, if below { "child" } else { "parent" }))
        .filter(|(_, kind)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == kind))
        .filter_map(|(other, kind)| Some((call.state.visible(call.actor, other).ok()?, kind)))
        .filter(|(node, _)| node.name.to_lowercase().starts_with(&name))
        .filter(|(node, _)| {
            types.is_empty() || node.workspace.as_ref().is_some_and(|one| types.contains(&one.type_id))
        })
        .map(|(node, kind)| {
            let mut properties = workspace_properties(call.state, node);
            if let Some(object) = properties.as_object_mut() {
                object.insert("rel_type".to_owned(), kind.into());
            }
            json!({"data": {"properties": properties}})
        })
        .collect();
    let (page, cut) = Page::cut_at(MOST, &call.params, &call.state.settings, 25, items)?;
    Ok(workspace_list(&call.path, page, cut))
}

fn relate(call: &mut Call<'_>, id: NodeId, other: NodeId, on: bool) -> Outcome<Reply> {
    let child = match call.params.filled("rel_type").as_deref() {
        None | Some("child") => true,
        Some("parent") => false,
        Some(_) => return Err(Refusal::BadType("rel_type".to_owned())),
    };
    call.state.relate(call.actor, id, other, child, on)?;
    done()
}

fn roles(call: &mut Call<'_>, id: NodeId, only: Option<i64>) -> Outcome<Reply> {
    let (_, workspace) = call.state.workspace(call.actor, id)?;
    let found: Vec<Value> = workspace
        .roles
        .iter()
        .filter(|role| only.is_none_or(|only| role.member == only))
        .filter_map(|role| Some((role, call.state.members.get(&role.member)?)))
        .map(|(role, member)| {
            let properties = json!({
                "id": member.id, "name": member.name, "leader": role.leader, "perms": null, "description": "",
                "inherited_from_id": null, "member_count": member.members.len(),
            });
            json!({"data": {"properties": properties}})
        })
        .collect();
    match (only, found.first()) {
        (None, _) => Ok(results(found)),
        (Some(_), Some(role)) => Ok(results(role.clone())),
        (Some(_), None) => Err(Refusal::said(404, "The role could not be found.")),
    }
}

fn team(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let (_, workspace) = call.state.workspace(call.actor, id)?;
    let items: Vec<Value> = workspace
        .roles
        .iter()
        .filter_map(|role| call.state.members.get(&role.member))
        .flat_map(|role| role.members.iter().map(move |member| (role, *member)))
        .filter_map(|(role, member)| Some((role, call.state.members.get(&member)?)))
        .map(|(role, member)| {
            let mut properties = render::member(member);
            if let Some(object) = properties.as_object_mut() {
                object.insert("roles".to_owned(), json!([{"id": role.id, "name": role.name}]));
            }
            json!({"data": {"properties": properties}})
        })
        .collect();
    let (page, cut) = Page::cut_at(MOST, &call.params, &call.state.settings, 25, items)?;
    Ok(Reply::Json(collection(&call.path, page, "asc_name", cut)))
}

fn role_members(call: &mut Call<'_>, id: NodeId, role: i64, add: bool) -> Outcome<Reply> {
    if add {
        let member = call.params.needed_number("id")?;
        call.state.set_role_member(call.actor, id, role, member, true)?;
        let member = call.state.members.get(&member).map(render::member);
        return Ok(results(json!({"data": {"properties": member}})));
    }
    let (_, workspace) = call.state.workspace(call.actor, id)?;
    if !workspace.roles.iter().any(|known| known.member == role) {
        return Err(Refusal::said(404, "The role could not be found."));
    }
    let members = call.state.members.get(&role).map(|role| role.members.clone()).unwrap_or_default();
    let found: Vec<Value> = members
        .iter()
        .filter_map(|member| call.state.members.get(member))
        .map(|member| json!({"data": {"properties": render::member(member)}}))
        .collect();
    let (page, cut) = Page::cut_at(MOST, &call.params, &call.state.settings, 100, found)?;
    Ok(Reply::Json(collection(&call.path, page, "asc_name", cut)))
}
