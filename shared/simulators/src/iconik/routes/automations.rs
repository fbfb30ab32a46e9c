//! Automations, their runs, and what they did.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::{Run, Subject};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["automations", "v1", "automations", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("GET", [id]) => get(call, id),
        ("PUT" | "PATCH", [id]) => edit(call, id),
        ("DELETE", [id]) => delete(call, id),
        ("POST", [id, "runs"]) => run(call, id),
        ("GET", [id, "runs", "estimate"]) => estimate(call, id),
        ("POST", [id, "history"]) => note(call, id),
        ("GET", [id, "history", kind, object, version]) => history(call, id, &subject(kind, object, version)),
        ("DELETE", [id, "history", kind, object, version]) => {
            forget(call, id, &subject(kind, object, version))
        }
        (_, [] | [_] | [_, "runs" | "history"] | [_, "runs", "estimate"] | [_, "history", _, _, _]) => {
            Err(Refusal::Method)
        }
        _ => return None,
    })
}

fn list(call: &Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_automations")?;
    let all = call.state.notifications.automations.objects().cloned().map(Value::Object).collect();
    page::by_number(call, 1000, all)
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_write_automations")?;
    let given = call.object()?.clone();
    let id = call.state.create_automation(&call.user, &given)?;
    Reply::created(call.state.notifications.automations.found(&id)?.clone())
}

fn get(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_automations")?;
    Reply::ok(call.state.notifications.automations.found(id)?.clone())
}

fn edit(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_automations")?;
    let given = call.object()?.clone();
    call.state.edit_automation(&call.user, id, &given)?;
    Reply::ok(call.state.notifications.automations.found(id)?.clone())
}

fn delete(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_automations")?;
    call.state.delete_automation(id)?;
    Ok(Reply::Nothing(204))
}

fn run(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_run_automations")?;
    call.state.run_for_existing(&call.user, id)?;
    Ok(Reply::Json(202, json!({})))
}

fn estimate(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_run_automations")?;
    let total = call.state.existing(id)?.len();
    Reply::ok(json!({ "total": total, "errors": [], "facets": {} }))
}

/// Collections have no version; the path needs something in its place, which is the collection itself.
fn subject(kind: &str, object: &str, version: &str) -> Subject {
    Subject {
        object_type: kind.to_owned(),
        object_id: object.to_owned(),
        version_id: (kind == "assets").then(|| version.to_owned()),
    }
}

fn shown(call: &Call<'_>, run: &Run) -> Value {
    let subject = &run.subject;
    json!({
        "automation_id": run.automation_id, "object_type": subject.object_type, "object_id": subject.object_id,
        "version_id": subject.version_id.as_ref().unwrap_or(&subject.object_id),
        "system_domain_id": call.state.system_domain_id, "date_executed": run.date_executed,
        "status": if run.error.is_some() { "FAILED" } else { "SUCCEED" }, "error_message": run.error, "job_id": null,
    })
}

fn history(call: &Call<'_>, id: &str, subject: &Subject) -> Outcome<Reply> {
    call.needs("can_read_automations")?;
    let missing = || Refusal::NotFound(format!("Automation {id} did not run for {}", subject.object_id));
    Reply::ok(shown(call, call.state.last_run(id, subject).ok_or_else(missing)?))
}

fn forget(call: &mut Call<'_>, id: &str, subject: &Subject) -> Outcome<Reply> {
    call.needs("can_read_automations")?;
    call.state.forget_run(id, subject)?;
    Ok(Reply::Nothing(204))
}

fn note(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_automations")?;
    call.state.notifications.automations.found(id)?;
    let given = call.object()?;
    let text = |name: &str| {
        let text = given.get(name).and_then(Value::as_str);
        text.ok_or_else(|| Refusal::field(name, "Missing data for required field."))
    };
    let subject = subject(text("object_type")?, text("object_id")?, text("version_id")?);
    let error = match text("status")? {
        "SUCCEED" => None,
        "FAILED" => Some(given.get("error_message").and_then(Value::as_str).unwrap_or_default().to_owned()),
        _ => return Err(Refusal::field("status", "Must be one of: FAILED, SUCCEED.")),
    };
    let run = Run { automation_id: id.to_owned(), subject, date_executed: call.state.time(), error };
    let shown = shown(call, &run);
    call.state.notifications.runs.push(run);
    Reply::created(shown)
}
