//! Versions.

use serde_json::{Value, json};

use super::{Call, nodes, number};
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection, done, results};
use crate::content_server::state::{Api, NewVersion, NodeId, Outcome, Refusal};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let (id, rest) = match path {
        ["v1" | "v2", "nodes", id, "versions", rest @ ..] => (number(id), rest),
        _ => return None,
    };
    let id = match id {
        Ok(id) => id,
        Err(refusal) => return Some(Err(refusal)),
    };
    Some(match (method, rest) {
        ("GET", []) => list(call, id),
        ("GET", ["latest"]) if call.api == Api::V1 => one(call, id, None),
        ("GET", [version]) => number(version).and_then(|version| one(call, id, Some(version))),
        ("GET", [version, "categories"]) => number(version).and_then(|version| categories(call, id, version)),
        ("POST", []) => add(call, id),
        ("DELETE", []) => {
            let keep = call.params.needed_number("number_to_keep");
            keep.and_then(|keep| call.state.purge_versions(call.actor, id, keep)).and_then(|()| done())
        }
        ("PUT", [version]) => number(version).and_then(|version| {
            let text = call.params.text("description").unwrap_or_default();
            call.state.describe_version(call.actor, id, version, &text)?;
            done()
        }),
        ("DELETE", [version]) => number(version)
            .and_then(|version| call.state.delete_version(call.actor, id, version))
            .and_then(|()| done()),
        ("POST", [version, verb @ ("promote" | "lock" | "unlock")]) => number(version).and_then(|version| {
            match *verb {
                "promote" => call.state.promote_version(call.actor, id, version)?,
                verb => call.state.lock_version(call.actor, id, version, verb == "lock")?,
            }
            done()
        }),
        _ => return None,
    })
}

fn list(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let mut versions: Vec<_> = node.versions.iter().collect();
    if call.params.text("order").as_deref() != Some("asc") {
        versions.reverse();
    }
    let rendered = versions.into_iter().map(|version| render::version(call.state, node, version)).collect();
    let (page, cut): (Page, Vec<Value>) =
        Page::cut(&call.params, &call.state.settings, usize::MAX, rendered)?;
    if call.api == Api::V1 {
        return Ok(Reply::Json(json!({ "data": cut, "definitions": {} })));
    }
    let items = cut.into_iter().map(|version| json!({"data": {"versions": version}})).collect();
    Ok(Reply::Json(collection(&call.path, page, "desc_version_number", items)))
}

fn one(call: &mut Call<'_>, id: NodeId, wanted: Option<i64>) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let version = match wanted {
        Some(number) => node.version(number),
        None => node.latest(),
    };
    let version = version.ok_or_else(|| Refusal::said(500, "Could not locate the version."))?;
    let rendered = render::version(call.state, node, version);
    if call.api == Api::V1 {
        return Ok(Reply::Json(json!({"data": rendered, "definitions": {}})));
    }
    Ok(results(json!({"data": {"versions": rendered}})))
}

fn categories(call: &mut Call<'_>, id: NodeId, wanted: i64) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let version = node.version(wanted).ok_or_else(|| Refusal::said(500, "Could not locate the version."))?;
    let entries: Vec<Value> = version
        .categories
        .iter()
        .map(|(category, assigned)| {
            json!({"data": {"categories": render::category_values(call.state, *category, assigned)}})
        })
        .collect();
    Ok(results(entries))
}

fn add(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    call.state.visible(call.actor, id).map_err(|_| Refusal::NoNode(id))?;
    let version = nodes::content_of(call, "")?.ok_or(Refusal::Missing("File"))?;
    let file_name = match version.file_name.as_str() {
        "" => call.state.node(id)?.name.clone(),
        name => name.to_owned(),
    };
    let categories = nodes::category_roles(&call.params)?;
    let number = call.state.add_version(call.actor, id, NewVersion { file_name, ..version })?;
    for (category, values) in categories {
        if call.state.node(id)?.categories.contains_key(&category) {
            call.state.edit_category(call.actor, id, category, &values, None)?;
        } else {
            call.state.add_category(call.actor, id, category, &values)?;
        }
    }
    if let Some(key) = call.params.filled("upload_key") {
        call.state.cancel_large_upload(call.actor, &key)?;
    }
    if call.api == Api::V1 {
        return Ok(Reply::Json(json!({"id": id, "version_number": number})));
    }
    let node = call.state.node(id)?;
    let version = node.version(number).map(|version| render::version(call.state, node, version));
    let properties = render::properties(call.state, node);
    Ok(results(json!({"data": {"properties": properties, "versions": version}})))
}
