//! Approvals of assets' versions and of collections.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::{ApprovalKey, Asked};

/// Objects in one bulk call.
const MOST: usize = 500;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", rest @ ..] = path else { return None };
    match rest {
        ["approvals", "bulk"] => return Some(only(method, "POST", || bulk(call))),
        ["approvals", "bulk_remove"] => return Some(only(method, "POST", || bulk_remove(call))),
        _ => {}
    }
    let (kind, id, version, rest) = match rest {
        [kind @ ("assets" | "collections"), id, "approvals", rest @ ..] => (*kind, *id, None, rest),
        [kind @ ("assets" | "collections"), id, "versions", version, "approvals", rest @ ..] => {
            (*kind, *id, Some(*version), rest)
        }
        _ => return None,
    };
    // Of another version than the latest, approvals are only read.
    Some(match (method, rest) {
        ("GET", ["request"]) => get(call, kind, id, version),
        ("GET", []) => verdicts(call, kind, id, version),
        _ if version.is_some() => Err(Refusal::Method),
        ("POST", ["request"]) => request(call, kind, id),
        ("PUT" | "PATCH", ["request"]) => edit(call, kind, id),
        ("DELETE", ["request"]) => delete(call, kind, id),
        ("PUT", []) => decide(call, kind, id),
        ("DELETE", []) => {
            let user = call.user.clone();
            take_back(call, kind, id, &user)
        }
        ("DELETE", ["user" | "external", reviewer]) => take_back(call, kind, id, reviewer),
        (_, [] | ["request"] | ["user" | "external", _]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn only(method: &str, allowed: &str, act: impl FnOnce() -> Outcome<Reply>) -> Outcome<Reply> {
    if method == allowed { act() } else { Err(Refusal::Method) }
}

/// What the body is about: it may name a version.
fn key(call: &Call<'_>, kind: &str, id: &str) -> Outcome<ApprovalKey> {
    let version = call.body.get("version_id").and_then(Value::as_str);
    call.state.approval_key(kind, id, version)
}

fn get(call: &Call<'_>, kind: &str, id: &str, version: Option<&str>) -> Outcome<Reply> {
    call.needs("can_read_approval_request")?;
    let key = call.state.approval_key(kind, id, version)?;
    Reply::ok(call.state.approval_view(&call.user, &key)?)
}

fn verdicts(call: &Call<'_>, kind: &str, id: &str, version: Option<&str>) -> Outcome<Reply> {
    call.needs("can_read_approval_request")?;
    let key = call.state.approval_key(kind, id, version)?;
    page::by_number(call, 1000, call.state.verdicts_view(&key)?)
}

fn request(call: &mut Call<'_>, kind: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_write_approval_request")?;
    let given = call.object()?.clone();
    match call.state.request_approval(&call.user, kind, id, &given)? {
        Asked::Now(key) => Reply::created(call.state.approval_view(&call.user, &key)?),
        Asked::Job(job) => Ok(Reply::Json(202, json!({ "job_id": job }))),
    }
}

fn edit(call: &mut Call<'_>, kind: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_write_approval_request")?;
    let (key, given) = (key(call, kind, id)?, call.object()?.clone());
    call.state.edit_request(&call.user, &key, &given)?;
    Reply::ok(call.state.approval_view(&call.user, &key)?)
}

fn delete(call: &mut Call<'_>, kind: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_approval_request")?;
    let key = key(call, kind, id)?;
    let deleted = call.state.delete_request(&call.user, &key)?;
    match call.state.settings.approvals.delete_answers_body {
        true => Reply::ok(deleted),
        false => Ok(Reply::Nothing(204)),
    }
}

fn decide(call: &mut Call<'_>, kind: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_write_approval_status")?;
    let status = call.object()?.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
    let key = key(call, kind, id)?;
    call.state.decide(&call.user, &key, &status)?;
    let own = call.state.verdicts_view(&key)?.into_iter().find(|verdict| verdict["user"] == call.user);
    Reply::ok(own.unwrap_or_default())
}

fn take_back(call: &mut Call<'_>, kind: &str, id: &str, reviewer: &str) -> Outcome<Reply> {
    call.needs("can_delete_approval_status")?;
    let key = key(call, kind, id)?;
    call.state.take_back(&call.user, &key, reviewer)?;
    Ok(Reply::Nothing(204))
}

/// The kind and ids of a bulk call.
fn many(call: &Call<'_>) -> Outcome<(String, Vec<String>)> {
    call.needs("can_write_approval_status_in_bulk")?;
    let ids = call.ids("object_ids")?;
    if !(1..=MOST).contains(&ids.len()) {
        return Err(Refusal::field("object_ids", format!("Length must be between 1 and {MOST}.")));
    }
    match call.object()?.get("object_type").and_then(Value::as_str) {
        Some(kind @ ("assets" | "collections")) => Ok((kind.to_owned(), ids)),
        _ => Err(Refusal::field("object_type", "Must be one of: assets, collections.")),
    }
}

fn bulk(call: &mut Call<'_>) -> Outcome<Reply> {
    let (kind, ids) = many(call)?;
    let status = call.object()?.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
    let job = call.state.decide_many(&call.user, &kind, &ids, &status)?;
    Reply::ok(json!({ "job_id": job }))
}

fn bulk_remove(call: &mut Call<'_>) -> Outcome<Reply> {
    let (kind, ids) = many(call)?;
    let job = call.state.withdraw_many(&call.user, &kind, &ids)?;
    Reply::ok(json!({ "job_id": job }))
}
