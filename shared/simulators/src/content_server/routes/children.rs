//! Child lists, name checks.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::{Call, number};
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection, results};
use crate::content_server::settings::{NameFilter, Settings};
use crate::content_server::state::{Api, Node, NodeId, Outcome, Permission, Refusal, kind};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", ["v2", "volumes", "recyclebin", ..]) => return None,
        ("GET", ["v1" | "v2", "nodes", id, "nodes"]) => number(id).and_then(|id| children(call, id)),
        ("GET", ["v2", "nodes", id, "nodes", "all"]) => number(id).and_then(|id| children(call, id)),
        ("GET", ["v2", "volumes", volume, "nodes"]) => number(volume).and_then(|volume| {
            let id = call.state.volume(volume).map(|node| node.id);
            children(
                call,
                id.ok_or_else(|| Refusal::said(500, format!("Subtype {volume} is not a root subtype")))?,
            )
        }),
        ("POST", ["v1", "validation", "nodes", "names"]) => check_names(call, false),
        ("POST", ["v1", "validation", "nodes"]) => check_names(call, true),
        ("GET", ["v2", "uniquenames"]) => unique_names(call),
        _ => return None,
    })
}

/// Whether a name passes a filter.
pub(super) fn passes(settings: &Settings, filter: NameFilter, name: &str, wanted: &str) -> bool {
    let seen = |text: &str| {
        if settings.name_filters_mind_case { text.to_owned() } else { text.to_lowercase() }
    };
    let (name, wanted) = (seen(name), seen(wanted));
    match filter {
        NameFilter::Contains => name.contains(&wanted),
        NameFilter::StartsWith => name.starts_with(&wanted),
        NameFilter::Equals => name == wanted,
    }
}

fn children(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let parent = call.state.visible(call.actor, id).map_err(|_| Refusal::NoNode(id))?;
    if !parent.is_container() || !call.state.may(call.actor, parent, Permission::SeeContents) {
        return Err(Refusal::InvalidAction("browse"));
    }
    let types = call.params.numbers("where_type")?;
    let name = call.params.filled("where_name");
    let hidden = call.params.flag("show_hidden").unwrap_or(false);
    let settings = &call.state.settings;
    let mut found: Vec<&Node> = call
        .state
        .child_ids(id)
        .filter_map(|child| call.state.nodes.get(&child))
        .filter(|node| hidden || !node.hidden)
        .filter(|node| types.is_empty() || types.iter().any(|wanted| of_type(node, *wanted)))
        .filter(|node| {
            let passes = |name| passes(settings, settings.node_name_filter, &node.name, name);
            name.as_deref().is_none_or(passes)
        })
        .filter(|node| call.state.may(call.actor, node, Permission::See))
        .collect();
    let sort = call.params.filled("sort").unwrap_or_else(|| "asc_name".to_owned());
    sort_nodes(&mut found, &sort);
    if let Some(name) = &name {
        // The exact name comes first, then the other case, then the rest.
        found.sort_by_key(|node| (node.name != *name, !node.name.eq_ignore_ascii_case(name)));
    }
    let (page, cut) =
        Page::cut(&call.params, &call.state.settings, call.state.settings.default_limit, found)?;
    if call.api == Api::V1 {
        let data: Vec<Value> = cut.iter().map(|node| render::properties(call.state, node)).collect();
        let mut all = page.numbers();
        if let Some(object) = all.as_object_mut() {
            object.insert("data".to_owned(), data.into());
            object.insert("sort".to_owned(), sort.into());
            object.insert("where_type".to_owned(), json!(types));
        }
        return Ok(Reply::Json(all));
    }
    let items = cut.iter().map(|node| render::item(call.state, &call.params, node)).collect();
    Ok(Reply::Json(collection(&call.path, page, &sort, items)))
}

/// -1 containers, -2 everything one can search, -3 what is no container.
fn of_type(node: &Node, wanted: i64) -> bool {
    match wanted {
        -1 => node.is_container(),
        -2 => true,
        -3 => !node.is_container(),
        exact => node.kind == exact,
    }
}

/// `name`, `asc_name`, `desc_modify_date`, ….
pub(super) fn sort_nodes(nodes: &mut [&Node], sort: &str) {
    let (descending, key) = match sort.split_once('_') {
        Some(("desc", key)) => (true, key),
        Some(("asc", key)) => (false, key),
        _ => (false, sort),
    };
    let size = |node: &Node| node.latest().map_or(0, |version| version.content.size);
    let compare = |left: &Node, right: &Node| -> Ordering {
        match key {
            "modify_date" => left.modified.cmp(&right.modified),
            "create_date" => left.created.cmp(&right.created),
            "size" => size(left).cmp(&size(right)),
            "type" => left.kind.cmp(&right.kind),
            "id" => left.id.cmp(&right.id),
            _ => left.name.to_lowercase().cmp(&right.name.to_lowercase()),
        }
    };
    nodes.sort_by(|left, right| {
        let order = compare(left, right);
        if descending { order.reverse() } else { order }.then(left.id.cmp(&right.id))
    });
}

/// Only the collisions; an empty list says that all names are free.
fn check_names(call: &mut Call<'_>, rich: bool) -> Outcome<Reply> {
    let parent = call.params.needed_number("parent_id")?;
    call.state.visible(call.actor, parent)?;
    let names = call.params.list("names");
    let collisions: Vec<Value> = names
        .iter()
        .filter_map(|name| call.state.child(parent, name.trim()))
        .map(|node| {
            if rich {
                let versioned = node.kind == kind::DOCUMENT;
                json!({"id": node.id, "name": node.name, "type": node.kind, "versioned": versioned})
            } else {
                json!({"id": node.id, "name": node.name})
            }
        })
        .collect();
    Ok(results(collisions))
}

fn unique_names(call: &mut Call<'_>) -> Outcome<Reply> {
    let names = call.params.braced("where_names");
    if names.is_empty() {
        return Err(Refusal::Missing("where_names"));
    }
    let taken = |name: &str| call.state.nodes.values().any(|node| node.name.eq_ignore_ascii_case(name));
    let found: Vec<Value> = names
        .iter()
        .map(|name| {
            let free = (1_u32..)
                .map(|count| if count == 1 { name.clone() } else { format!("{name} ({count})") })
                .find(|name| !taken(name));
            json!({"NodeName": name, "NodeUniqueName": free})
        })
        .collect();
    Ok(results(found))
}
