//! Records Management on items, and holds.

use serde_json::{Value, json};

use super::{Call, number};
use crate::content_server::render::plain_date;
use crate::content_server::reply::{Page, Reply, results};
use crate::content_server::settings::{HoldAnswer, HoldItems};
use crate::content_server::state::records::RecordChanges;
use crate::content_server::state::{Hold, NodeId, Outcome, Refusal, State, kind};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        (_, ["v1", "nodes", id, "rmclassifications", rest @ ..]) => {
            return number(id)
                .map_or_else(|refusal| Some(Err(refusal)), |id| on_item(call, method, id, rest));
        }
        ("PUT", ["v1", "rmclassifications", "finalizerecords"]) => finalize(call),
        ("POST", ["v1", "rmclassifications", verb @ ("applyhold" | "removehold")]) => batch_hold(call, verb),
        ("POST", ["v1", "holds"]) => create_hold(call),
        ("DELETE", ["v1", "holds", id]) => number(id).and_then(|id| delete_hold(call, id)),
        ("DELETE", ["v2", "hold"]) => call.params.needed_number("id").and_then(|id| delete_hold(call, id)),
        ("GET", ["v2", "hold"]) => one_hold(call),
        ("GET", ["v2", "holds"]) => holds(call),
        ("GET", ["v1", "nodes", id, "holds"]) => number(id).and_then(|id| holds_of(call, id)),
        ("POST", ["v1", "nodes", id, "holds"]) => number(id).and_then(|id| {
            let hold = call.params.needed_number("hold_id")?;
            call.state.apply_hold(call.actor, id, hold)?;
            Ok(written(call, json!({"holdID": hold, "nodeID": id})))
        }),
        ("DELETE", ["v1", "nodes", id, "holds", hold]) => number(id).and_then(|id| {
            call.state.remove_hold(call.actor, id, number(hold)?)?;
            Ok(written(call, json!({"nodeID": id})))
        }),
        ("GET", ["v2", "holditems", hold] | ["v2", "holditems", hold, _]) => {
            number(hold).and_then(|hold| hold_items(call, hold))
        }
        _ => return None,
    })
}

fn on_item(call: &mut Call<'_>, method: &str, id: NodeId, rest: &[&str]) -> Option<Outcome<Reply>> {
    let answer = |call: &Call<'_>| -> Outcome<Reply> {
        let token = State::record_token(call.state.node(id)?);
        Ok(Reply::Json(json!({"id": id, "rm_metadataToken": token})))
    };
    Some(match (method, rest) {
        ("GET", []) => read(call, id),
        ("POST", []) => changes(call).and_then(|changes| {
            let class = call.params.needed_number("class_id")?;
            call.state.classify_record(call.actor, id, class, changes)?;
            answer(call)
        }),
        ("PUT", []) => changes(call).and_then(|changes| {
            call.state.edit_record(call.actor, id, changes)?;
            answer(call)
        }),
        ("PUT", [verb @ ("makeConfidential" | "removeConfidential")]) => {
            let confidential = *verb == "makeConfidential";
            call.state
                .mark_record(call.actor, id, |record| record.confidential = confidential)
                .and_then(|()| answer(call))
        }
        ("DELETE", [class]) => number(class).and_then(|class| {
            let token = call.params.filled("rm_metadataToken");
            call.state.unclassify_record(call.actor, id, class, token.as_deref())?;
            answer(call)
        }),
        _ => return None,
    })
}

fn changes(call: &Call<'_>) -> Outcome<RecordChanges> {
    let text = |name: &str| call.params.filled(name);
    Ok(RecordChanges {
        official: call.params.flag("official"),
        rsi: text("rsi"),
        // The description says `status`; the vendor's own client sends `file_status`.
        status: text("status").or_else(|| text("file_status")),
        status_date: text("status_date"),
        essential: text("essential"),
        storage: text("storage"),
        record_date: text("record_date"),
        subject: text("subject"),
        token: text("rm_metadataToken"),
    })
}

fn read(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let class_volume = call.state.volume(kind::RECORDS_VOLUME).map(|node| node.id);
    let data: Vec<Value> = node
        .record
        .iter()
        .map(|record| {
            let class = call.state.nodes.get(&record.class).map(|class| class.name.clone());
            json!({
                "rmclassification_id": record.class, "name": class, "file_number": record.file_number,
                "rsi": record.rsi, "record_date": record.record_date, "status": record.status,
                "status_date": record.status_date, "essential": record.essential,
                "official": record.official, "storage": record.storage, "subject": record.subject,
                "confidential": record.confidential, "finalized": record.finalized,
            })
        })
        .collect();
    let open = node.record.as_ref().is_none_or(|record| !record.finalized);
    Ok(Reply::Json(json!({
        "canRMClassify": open, "canRemoveClass": open, "canFinalize": open && !data.is_empty(),
        "canBeUnclassified": open, "classVolumeID": class_volume,
        "rm_metadataToken": State::record_token(node), "data": data,
    })))
}

fn ids(call: &Call<'_>) -> Outcome<Vec<i64>> {
    let missing = || Refusal::said(404, "ID is not an integer or is missing");
    let ids = call.params.numbers("ids").map_err(|_| missing())?;
    if ids.is_empty() { Err(missing()) } else { Ok(ids) }
}

fn finalize(call: &mut Call<'_>) -> Outcome<Reply> {
    for id in ids(call)? {
        call.state.mark_record(call.actor, id, |record| {
            record.finalized = true;
            record.official = true;
        })?;
    }
    Ok(Reply::Json(json!({"ok": true})))
}

fn batch_hold(call: &mut Call<'_>, verb: &str) -> Outcome<Reply> {
    let hold = call.params.needed_number("holdID")?;
    for id in ids(call)? {
        if verb == "applyhold" {
            call.state.apply_hold(call.actor, id, hold)?;
        } else {
            call.state.remove_hold(call.actor, id, hold)?;
        }
    }
    Ok(Reply::Json(json!({"ok": true})))
}

fn create_hold(call: &mut Call<'_>) -> Outcome<Reply> {
    let hold = Hold {
        id: 0,
        name: call.params.needed("name")?,
        kind: call.params.needed("type")?,
        comment: call.params.text("comment").unwrap_or_default(),
        alternate_id: call.params.text("alternate_id").unwrap_or_default(),
        date_applied: call.params.needed("date_applied")?,
        date_to_remove: call.params.filled("date_to_remove"),
        parent: call.params.number("parent_id")?,
        active: true,
    };
    let id = call.state.create_hold(hold)?;
    Ok(written(call, json!({ "holdID": id })))
}

/// What a write of holds answers.
fn written(call: &Call<'_>, value: Value) -> Reply {
    match call.state.settings.hold_answer {
        HoldAnswer::Flat => Reply::Json(value),
        HoldAnswer::Results => results(value),
        HoldAnswer::Nothing => Reply::Text { kind: "application/json", text: String::new() },
    }
}

fn delete_hold(call: &mut Call<'_>, id: i64) -> Outcome<Reply> {
    if call.state.holds.remove(&id).is_none() {
        return Err(Refusal::said(400, "Invalid hold."));
    }
    for node in call.state.nodes.values_mut() {
        node.holds.retain(|held| held.hold != id);
    }
    Ok(results(json!({"ok": true})))
}

fn hold_json(hold: &Hold) -> Value {
    json!({
        "HoldID": hold.id, "HoldName": hold.name, "ActiveHold": i32::from(hold.active), "HoldType": hold.kind,
        "HoldComment": hold.comment, "DateApplied": hold.date_applied, "DateToRemove": hold.date_to_remove,
        "ParentID": hold.parent.unwrap_or(0), "AlternateHoldID": hold.alternate_id, "OBJECT": 0,
    })
}

fn one_hold(call: &mut Call<'_>) -> Outcome<Reply> {
    let found = match call.params.number("id")? {
        Some(id) => call.state.holds.get(&id),
        None => call.state.hold_named(&call.params.needed("holdname")?),
    };
    match found {
        Some(hold) => Ok(results(json!({"ok": true, "data": {"hold": hold_json(hold)}}))),
        None => Ok(results(
            json!({"ok": false, "errMsg": "The hold could not be found.", "data": {"hold": null}}),
        )),
    }
}

fn holds(call: &mut Call<'_>) -> Outcome<Reply> {
    let all: Vec<Value> = call.state.holds.values().map(hold_json).collect();
    let (page, cut) = Page::cut(&call.params, &call.state.settings, usize::MAX, all)?;
    Ok(results(json!({"ok": true, "data": {"holds": cut}, "paging": page.numbers()})))
}

fn holds_of(call: &mut Call<'_>, id: NodeId) -> Outcome<Reply> {
    let node = call.state.visible(call.actor, id)?;
    let data: Vec<Value> = node
        .holds
        .iter()
        .filter_map(|held| Some((held, call.state.holds.get(&held.hold)?)))
        .map(|(held, hold)| {
            json!({
                "hold_id": hold.id, "hold_name": hold.name, "hold_type": hold.kind,
                "hold_appliedmethod": "direct", "active": hold.active, "removable": true,
                "date_applied": plain_date(held.at), "applied_by": call.state.login_of(held.by),
                "comments": hold.comment, "parent_id": hold.parent,
            })
        })
        .collect();
    Ok(Reply::Json(json!({ "data": data })))
}

fn hold_items(call: &mut Call<'_>, hold: i64) -> Outcome<Reply> {
    let items: Vec<Value> = call
        .state
        .nodes
        .values()
        .filter(|node| node.holds.iter().any(|held| held.hold == hold))
        .map(|node| json!({"id": node.id, "name": node.name, "type": node.kind}))
        .collect();
    let (_, cut) = Page::cut(&call.params, &call.state.settings, 25, items)?;
    Ok(match call.state.settings.hold_items {
        HoldItems::Results => results(cut),
        HoldItems::Contents => results(json!({ "contents": cut })),
    })
}
