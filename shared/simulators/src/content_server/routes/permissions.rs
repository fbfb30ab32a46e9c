//! Rights on items.

use serde_json::{Value, json};

use super::{Call, number};
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection, done, results};
use crate::content_server::request::as_text;
use crate::content_server::state::permissions::Holder;
use crate::content_server::state::{NodeId, Outcome, Permission, Refusal, Rights};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["v2", "nodes", id, "permissions", rest @ ..] = path else { return None };
    let id = match number(id) {
        Ok(id) => id,
        Err(refusal) => return Some(Err(refusal)),
    };
    let holder = match rest {
        [] if method == "GET" => return Some(list(call, id)),
        ["effective", member] if method == "GET" => {
            return Some(number(member).and_then(|member| {
                let node = call.state.visible(call.actor, id)?;
                let rights = call.state.effective_rights(member, node);
                Ok(results(json!({"data": {"permissions": {"permissions": rights, "right_id": member}}})))
            }));
        }
        ["owner"] => Ok(Holder::Owner),
        ["group"] => Ok(Holder::Group),
        ["public"] => Ok(Holder::Public),
        ["custom"] if method == "POST" => call.params.needed_number("right_id").map(Holder::Custom),
        ["custom", "bulk"] if method == "POST" => return Some(bulk(call, id)),
        ["custom", member] => number(member).map(Holder::Custom),
        _ => return None,
    };
    Some(holder.and_then(|holder| match method {
        "GET" => one(call, id, holder),
        "PUT" | "POST" => set(call, id, holder),
        "DELETE" => {
            let apply_to = call.params.number("apply_to")?.unwrap_or(0);
            call.state.set_rights(call.actor, id, holder, None, None, apply_to)?;
            done()
        }
        _ => Err(Refusal::NoUrl),
    }))
}

fn list(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let (page, cut) = Page::cut(&call.params, &call.state.settings, 100, render::permissions(node))?;
    let items = cut.into_iter().map(|entry| json!({"data": {"permissions": entry}})).collect();
    Ok(Reply::Json(collection(&call.path, page, "", items)))
}

fn one(call: &mut Call<'_>, id: NodeId, holder: Holder) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let wanted = match holder {
        Holder::Owner => ("owner", None),
        Holder::Group => ("group", None),
        Holder::Public => ("public", None),
        Holder::Custom(member) => ("custom", Some(member)),
    };
    let matches = |entry: &Value| {
        entry.get("type").and_then(Value::as_str) == Some(wanted.0)
            && wanted.1.is_none_or(|member| entry.get("right_id").and_then(Value::as_i64) == Some(member))
    };
    match render::permissions(node).into_iter().find(matches) {
        Some(entry) => Ok(results(json!({"data": {"permissions": entry}}))),
        None => Err(Refusal::said(500, "The permission does not exist.")),
    }
}

fn rights_of(names: &[String]) -> Outcome<Rights> {
    names
        .iter()
        .map(|name| Permission::named(name).ok_or_else(|| Refusal::BadType("permissions".to_owned())))
        .collect()
}

fn set(call: &mut Call<'_>, id: NodeId, holder: Holder) -> Outcome<Reply> {
    let mut names = call.params.list("permissions");
    if let [one] = names.as_slice()
        && one.trim_start().starts_with('[')
    {
        names = serde_json::from_str(one).map_err(|_| Refusal::BadType("permissions".to_owned()))?;
    }
    if !call.params.has("permissions") {
        return Err(Refusal::Missing("permissions"));
    }
    let rights = rights_of(&names)?;
    let right_id = call.params.number("right_id")?;
    let apply_to = call.params.number("apply_to")?.unwrap_or(0);
    call.state.set_rights(call.actor, id, holder, Some(rights), right_id, apply_to)?;
    done()
}

fn bulk(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let Some(Value::Array(entries)) = call.params.get("permissions_array").cloned() else {
        return Err(Refusal::Missing("permissions_array"));
    };
    let apply_to = call.params.number("apply_to")?.unwrap_or(0);
    for entry in entries {
        let member = entry.get("right_id").and_then(as_text).and_then(|id| id.parse().ok());
        let member = member.ok_or(Refusal::Missing("right_id"))?;
        let names: Vec<String> = entry
            .get("permissions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(as_text)
            .collect();
        let rights = rights_of(&names)?;
        call.state.set_rights(call.actor, id, Holder::Custom(member), Some(rights), None, apply_to)?;
    }
    done()
}
