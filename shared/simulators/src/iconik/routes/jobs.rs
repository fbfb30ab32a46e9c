//! Jobs.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{is, map, text};

/// What a list of jobs may be narrowed by.
const FILTERS: &[&str] = &["type", "object_type", "object_id", "parent_id", "status", "created_by"];

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["jobs", "v1", "jobs", rest @ ..] = path else { return None };
    let role = match method {
        "GET" => "can_read_jobs",
        "DELETE" => "can_delete_jobs",
        _ => "can_write_jobs",
    };
    if let Err(refusal) = call.needs(role) {
        return Some(Err(refusal));
    }
    Some(match (method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("PATCH", []) => edit_bulk(call),
        ("DELETE", []) => delete_bulk(call),
        ("PUT", ["state"]) => press(call),
        ("PUT", ["priority"]) => prioritise(call),
        ("GET", [id]) => get(call, id),
        ("PUT" | "PATCH", [id]) => edit(call, id),
        ("DELETE", [id]) => delete(call, id),
        ("PUT" | "PATCH", [id, "steps"]) => edit_steps(call, id),
        ("PUT" | "PATCH", [id, "steps", step]) => edit_step(call, id, step),
        (_, [] | [_] | [_, "steps"] | [_, "steps", _]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn fits(call: &Call<'_>, job: &Object) -> bool {
    let between = |name: &str| {
        let Some(wanted) = call.text(name) else { return true };
        let date = text(job, name);
        match wanted.split_once(';') {
            Some((from, to)) => date >= from && date <= to,
            None => date >= wanted,
        }
    };
    FILTERS
        .iter()
        .all(|name| call.text(name).is_none_or(|wanted| wanted.split(',').any(|one| is(job, name, one))))
        && call.text("ids").is_none_or(|ids| ids.split(',').any(|id| is(job, "id", id)))
        && between("date_created")
        && between("date_modified")
}

/// Jobs, newest first, at most a hundred a page.
fn list(call: &mut Call<'_>) -> Outcome<Reply> {
    let jobs = call.state.jobs.listed(call.state.horizon()).into_iter().filter(|job| fits(call, job));
    let mut jobs: Vec<Value> = jobs.cloned().map(Value::Object).collect();
    jobs.reverse();
    page::list(call, 100, jobs)
}

fn get(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    Reply::ok(call.state.jobs.found(id)?.clone())
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let id = call.state.create_job(&call.user, given)?;
    Reply::created(call.state.jobs.found(&id)?.clone())
}

fn edit(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let merges = call.flag("merge_metadata", false);
    call.state.edit_job(&call.user, id, given, merges)?;
    get(call, id)
}

fn delete(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let recursive = call.flag("recursive", false);
    call.state.delete_job(&call.user, id, recursive)?;
    Ok(Reply::Nothing(204))
}

/// The jobs that the query of a bulk call names.
fn named(call: &Call<'_>) -> Vec<String> {
    let jobs = call.state.jobs.objects().filter(|job| fits(call, job));
    jobs.map(|job| text(job, "id").to_owned()).collect()
}

fn edit_bulk(call: &mut Call<'_>) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let (ids, user) = (named(call), call.user.clone());
    for id in &ids {
        call.state.edit_job(&user, id, given.clone(), call.flag("merge_metadata", false))?;
    }
    let job = json!({
        "type": "EDIT_JOBS", "status": "FINISHED", "title": "Edit jobs", "progress_total": ids.len(),
        "progress_processed": ids.len(),
    });
    let job = call.state.create_job(&user, map(job))?;
    Ok(Reply::Json(202, json!({"job_id": job})))
}

fn delete_bulk(call: &mut Call<'_>) -> Outcome<Reply> {
    let ids = match &call.body {
        Value::Null => named(call),
        _ => call.ids("job_ids")?,
    };
    for id in ids {
        call.state.delete_job(&call.user, &id, false)?;
    }
    Ok(Reply::Nothing(204))
}

/// The jobs of a call on several.
fn job_ids(call: &Call<'_>) -> Outcome<Vec<String>> {
    let ids = call.ids("job_ids")?;
    match ids.len() {
        1..=500 => Ok(ids),
        _ => Err(Refusal::field("job_ids", "Length must be between 1 and 500.")),
    }
}

fn press(call: &mut Call<'_>) -> Outcome<Reply> {
    let ids = job_ids(call)?;
    let action = text(call.object()?, "action").to_owned();
    call.state.press(&call.user, &ids, &action)?;
    Reply::ok(json!({"job_ids": ids, "action": action}))
}

fn prioritise(call: &mut Call<'_>) -> Outcome<Reply> {
    let ids = job_ids(call)?;
    let priority = call.object()?.get("priority").and_then(Value::as_u64).unwrap_or(0);
    call.state.prioritise(&ids, priority)?;
    Reply::ok(json!({"job_ids": ids, "priority": priority}))
}

fn edit_steps(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let steps = call.object()?.get("steps").and_then(Value::as_array).cloned();
    let steps = steps.ok_or_else(|| Refusal::field("steps", "Missing data for required field."))?;
    call.state.edit_steps(&call.user, id, steps.into_iter().map(map).collect())?;
    get(call, id)
}

fn edit_step(call: &mut Call<'_>, id: &str, step: &str) -> Outcome<Reply> {
    let mut given = call.object()?.clone();
    given.insert("id".to_owned(), step.into());
    call.state.edit_steps(&call.user, id, vec![given])?;
    get(call, id)
}
