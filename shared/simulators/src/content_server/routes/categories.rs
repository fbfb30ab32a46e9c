//! Categories on items.

use serde_json::{Map, Value, json};

use super::{Call, number};
use crate::content_server::reply::{Reply, done, results};
use crate::content_server::request::as_text;
use crate::content_server::state::categories::Values;
use crate::content_server::state::{NodeId, Outcome, Refusal};
use crate::content_server::{form as category_form, render};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    if let ("GET", ["v1", "forms", "nodes", "categories", "create" | "update"]) = (method, path) {
        return Some(form(call));
    }
    let ["v2", "nodes", id, "categories", rest @ ..] = path else { return None };
    let id = match number(id) {
        Ok(id) => id,
        Err(refusal) => return Some(Err(refusal)),
    };
    Some(match (method, rest) {
        ("GET", []) => list(call, id),
        ("POST", []) => add(call, id),
        ("POST", ["apply"]) => apply(call, id),
        ("PUT" | "POST", ["upgrade"]) => call
            .state
            .visible(call.actor, id)
            .map(|_| results(json!({"message": "", "processed": 1, "skipped": 0}))),
        ("GET", [category]) => number(category).and_then(|category| one(call, id, category)),
        ("PUT", [category]) => number(category).and_then(|category| edit(call, id, category)),
        ("DELETE", [category]) => number(category).and_then(|category| {
            call.state.remove_category(call.actor, id, category)?;
            done()
        }),
        ("POST" | "DELETE", [category, "inheritance"]) => number(category).and_then(|category| {
            call.state.inherit_category(call.actor, id, category, method == "POST")?;
            done()
        }),
        _ => return None,
    })
}

fn entry(call: &Call<'_>, id: NodeId, category: NodeId) -> Outcome<Value> {
    let assigned = call.state.assigned(id, category)?;
    let mut entry = json!({"data": {"categories": render::category_values(call.state, category, assigned)}});
    if call.params.has("metadata")
        && let (Some(object), Some(definition)) =
            (entry.as_object_mut(), call.state.categories.get(&category))
    {
        let metadata = render::category_metadata(call.state, category);
        object.insert("metadata".to_owned(), json!({ "categories": metadata }));
        let map = json!({ category.to_string(): render::category_map(definition) });
        object.insert("metadata_map".to_owned(), json!({ "categories": map }));
    }
    if let Some(object) = entry.as_object_mut() {
        let order = json!({"categories": [category.to_string()]});
        object.insert("metadata_order".to_owned(), order);
        if call.params.has("state") {
            let token = json!({format!("{category}_1"): {"metadata_token": assigned.token.to_string()}});
            object.insert("state".to_owned(), json!({ "categories": token }));
        }
    }
    Ok(entry)
}

fn list(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let ids: Vec<NodeId> = node.categories.keys().copied().collect();
    let entries = ids.into_iter().map(|category| entry(call, id, category)).collect::<Outcome<Vec<_>>>()?;
    Ok(results(entries))
}

fn one(call: &mut Call<'_>, id: NodeId, category: NodeId) -> Outcome<Reply> {
    call.state.visible(call.actor, id)?;
    entry(call, id, category).map(results)
}

/// The attribute keys of a call for one category, without the category number.
fn values_of(call: &Call<'_>, category: NodeId) -> Values {
    let prefix = format!("{category}_");
    let of = |pairs: &Map<String, Value>| -> Values {
        pairs
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_owned(), value.clone())))
            .filter(|(key, _)| key != "1")
            .collect()
    };
    let mut values = of(call.params.all());
    if let Some(Value::Object(nested)) = call.params.get(&category.to_string()) {
        values.extend(of(nested));
    }
    values
}

fn add(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let category = call.params.needed_number("category_id")?;
    let values = values_of(call, category);
    call.state.add_category(call.actor, id, category, &values)?;
    done()
}

fn edit(call: &mut Call<'_>, id: NodeId, category: NodeId) -> Outcome<Reply> {
    let values = values_of(call, category);
    let token = call.params.get(&format!("{category}_1")).and_then(|own| as_text(own.get("metadata_token")?));
    let token = token.or_else(|| call.params.filled("metadata_token"));
    call.state.edit_category(call.actor, id, category, &values, token.as_deref())?;
    let state = render::tokens(call.state.node(id)?);
    Ok(results(json!({"data": {}, "state": state})))
}

fn apply(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let listed = match call.params.get("categories") {
        Some(Value::Array(entries)) => entries.clone(),
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| Refusal::BadType("categories".to_owned()))?
        }
        _ => Vec::new(),
    };
    let actions: Vec<(NodeId, String)> = listed
        .iter()
        .filter_map(|entry| {
            let id = as_text(entry.get("id")?)?.parse().ok()?;
            Some((id, entry.get("action").and_then(as_text).unwrap_or_default()))
        })
        .collect();
    let clear = call.params.flag("clear_existing_categories").unwrap_or(false);
    let (processed, skipped) = call.state.apply_categories(call.actor, id, &actions, clear)?;
    Ok(results(json!({"message": "", "processed": processed, "skipped": skipped})))
}

fn form(call: &mut Call<'_>) -> Outcome<Reply> {
    let category = call.params.needed_number("category_id")?;
    let id = call.params.needed_number("id")?;
    let node = call.state.visible(call.actor, id)?;
    let assigned = node.categories.get(&category).cloned().unwrap_or_default();
    let data = render::category_values(call.state, category, &assigned);
    let definition = call.state.categories.get(&category).ok_or(Refusal::NoNode(category))?;
    let (schema, options) = category_form::category(definition);
    Ok(Reply::Json(json!({"forms": [{"data": data, "options": options, "schema": schema}]})))
}
