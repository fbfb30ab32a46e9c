//! The delete queue, which people call the recycle bin.

use serde_json::Value;

use super::assets::accepted;
use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};

/// Most objects of one bulk call.
const BULK: usize = 500;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "delete_queue", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("POST", ["bulk"]) => bulk(call),
        ("POST", ["purge", "all"]) => every(call, |call, kind| call.state.purge_all(&call.user, kind)),
        (_, ["bulk"] | ["purge", "all"]) => Err(Refusal::Method),
        (_, [kind @ ("assets" | "collections"), rest @ ..]) => queue(call, method, kind, rest),
        _ => return None,
    })
}

fn queue(call: &mut Call<'_>, method: &str, kind: &str, rest: &[&str]) -> Outcome<Reply> {
    match (method, rest) {
        ("GET", []) => list(call, kind),
        ("POST", []) => each(call, kind, "can_delete_", |call, id| call.state.delete(&call.user, kind, id)),
        ("DELETE", []) => {
            each(call, kind, "can_delete_", |call, id| call.state.restore(&call.user, kind, id))
        }
        ("POST", ["purge"]) => {
            each(call, kind, "can_purge_", |call, id| call.state.purge(&call.user, kind, id))
        }
        ("POST", ["purge", "all"]) => {
            call.needs(&format!("can_purge_{kind}"))?;
            call.state.purge_all(&call.user, kind)?;
            Ok(Reply::Nothing(204))
        }
        ("POST", ["restore", "all"]) => {
            call.needs(&format!("can_delete_{kind}"))?;
            for id in call.state.ids_in_bin(kind) {
                call.state.restore(&call.user, kind, &id)?;
            }
            Ok(Reply::Nothing(204))
        }
        (_, [] | ["purge"] | ["purge" | "restore", "all"]) => Err(Refusal::Method),
        _ => Err(Refusal::NoUrl),
    }
}

fn list(call: &mut Call<'_>, kind: &str) -> Outcome<Reply> {
    call.needs(&format!("can_read_{kind}"))?;
    let table = call.state.table_of(kind)?;
    let deleted = call.state.ids_in_bin(kind);
    let deleted = deleted.iter().filter_map(|id| table.get(id)).cloned().map(Value::Object).collect();
    page::list(call, 1000, deleted)
}

/// All objects that the body names, or none when one of them is unknown.
fn each(
    call: &mut Call<'_>,
    kind: &str,
    role: &str,
    act: impl Fn(&mut Call<'_>, &str) -> Outcome<()>,
) -> Outcome<Reply> {
    call.needs(&format!("{role}{kind}"))?;
    let ids = call.ids("ids")?;
    for id in &ids {
        call.state.table_of(kind)?.found(id)?;
    }
    for id in &ids {
        act(call, id)?;
    }
    Ok(Reply::Nothing(204))
}

/// Empties the bin of the whole tenant.
fn every(call: &mut Call<'_>, act: impl Fn(&mut Call<'_>, &str) -> Outcome<()>) -> Outcome<Reply> {
    for kind in ["assets", "collections"] {
        call.needs(&format!("can_purge_{kind}"))?;
        act(call, kind)?;
    }
    Ok(Reply::Nothing(204))
}

fn bulk(call: &mut Call<'_>) -> Outcome<Reply> {
    let ids = call.ids("object_ids")?;
    if ids.is_empty() || ids.len() > BULK {
        return Err(Refusal::field("object_ids", format!("Length must be between 1 and {BULK}.")));
    }
    let kind = call.object()?.get("object_type").and_then(Value::as_str).map(str::to_owned);
    let content_only = call.object()?.get("content_only").and_then(Value::as_bool).unwrap_or(true);
    match kind.as_deref() {
        Some(kind @ ("assets" | "collections")) => {
            call.needs(&format!("can_delete_{kind}"))?;
            call.state.delete_many(&call.user, kind, &ids, content_only)?;
        }
        Some("saved_searches") => {
            call.needs("can_delete_saved_searches")?;
            call.state.delete_saved(&call.user, &ids, content_only)?;
        }
        Some(_) => {
            let allowed = "Must be one of: assets, collections, saved_searches.";
            return Err(Refusal::field("object_type", allowed));
        }
        None => return Err(Refusal::field("object_type", "Missing data for required field.")),
    }
    accepted(call, 202, "DELETE", "Delete")
}
