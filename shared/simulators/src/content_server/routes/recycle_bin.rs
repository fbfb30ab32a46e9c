//! The recycle bin.

use serde_json::{Map, Value, json};

use super::Call;
use crate::content_server::render;
use crate::content_server::reply::{Page, Reply, collection, results};
use crate::content_server::state::{NodeId, Outcome, Permission};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["v2", "volumes", "recyclebin", "nodes", rest @ ..] = path else { return None };
    match (method, rest) {
        ("GET", []) => Some(list(call)),
        ("POST", [verb @ ("purge" | "restore")]) => Some(act(call, verb)),
        _ => None,
    }
}

fn list(call: &mut Call<'_>) -> Outcome<Reply> {
    let prefix = call.params.filled("where_name").unwrap_or_default().to_lowercase();
    let items: Vec<Value> = call
        .state
        .recycle_bin
        .values()
        .filter_map(|nodes| nodes.first())
        .filter(|node| node.name.to_lowercase().starts_with(&prefix))
        .filter(|node| call.state.may(call.actor, node, Permission::Delete))
        .map(|node| json!({"data": {"properties": render::properties(call.state, node)}}))
        .collect();
    let (page, cut) = Page::cut(&call.params, &call.state.settings, 100, items)?;
    Ok(Reply::Json(collection(&call.path, page, "asc_name", cut)))
}

fn act(call: &mut Call<'_>, verb: &str) -> Outcome<Reply> {
    let (mut success, mut failed, mut errors): (Vec<NodeId>, Vec<NodeId>, Map<String, Value>) =
        Default::default();
    for id in call.params.numbers("ids")? {
        let outcome = match verb {
            "purge" => call.state.purge(call.actor, id),
            _ => call.state.restore(call.actor, id),
        };
        match outcome {
            Ok(()) => success.push(id),
            Err(refusal) => {
                let (_, text) = refusal.answer(call.api, call.state.settings.language);
                errors.insert(id.to_string(), text.into());
                failed.push(id);
            }
        }
    }
    Ok(results(json!({"failure": {"errors": errors, "ids": failed}, "success": {"ids": success}})))
}
