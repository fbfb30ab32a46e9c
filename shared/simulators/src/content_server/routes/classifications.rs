//! Plain classifications.

use serde_json::{Value, json};

use super::{Call, number};
use crate::content_server::reply::{Reply, results};
use crate::content_server::state::{NodeId, Outcome, Permission, Refusal, kind};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["v1", "nodes", id, "classifications", rest @ ..] = path else { return None };
    Some(number(id).and_then(|id| match (method, rest) {
        ("GET", []) => list(call, id),
        ("POST", []) => replace(call, id),
        ("DELETE", [class]) => {
            let class = number(class)?;
            change(call, id, |classes| classes.retain(|known| *known != class))?;
            Ok(results(json!({})))
        }
        ("DELETE", []) => {
            let gone = call.params.numbers("class_id")?;
            change(call, id, |classes| classes.retain(|known| !gone.contains(known)))?;
            Ok(results(json!({})))
        }
        _ => Err(Refusal::NoUrl),
    }))
}

fn list(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let data: Vec<Value> = node
        .classifications
        .iter()
        .filter_map(|class| call.state.nodes.get(class))
        .map(|class| json!({"id": class.id, "name": class.name, "type": class.kind, "selectable": true}))
        .collect();
    Ok(Reply::Json(json!({"data": data, "definitions": {}, "definitions_map": {}, "definitions_order": []})))
}

fn change(call: &mut Call<'_>, id: NodeId, edit: impl Fn(&mut Vec<NodeId>)) -> Outcome<()> {
    call.state.with_right(call.actor, id, Permission::EditAttributes, "classify")?;
    if let Some(node) = call.state.nodes.get_mut(&id) {
        edit(&mut node.classifications);
    }
    call.state.audit(id, 264, call.actor);
    call.state.touch(id);
    Ok(())
}

/// The list sent is the list from then on.
fn replace(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let mut classes = call.params.numbers("class_id")?;
    classes.dedup();
    let is_class =
        |class: &NodeId| call.state.node(*class).is_ok_and(|node| node.kind == kind::CLASSIFICATION);
    if !classes.iter().all(is_class) {
        return Err(Refusal::said(400, "Invalid classification."));
    }
    change(call, id, |known| known.clone_from(&classes))?;
    if call.params.flag("apply_to_sub_items").unwrap_or(false) {
        for below in call.state.subtree(id).split_off(1) {
            // Items the caller may not classify are passed over.
            let _ = change(call, below, |known| known.clone_from(&classes));
        }
    }
    Ok(results(json!({})))
}
