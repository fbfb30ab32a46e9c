//! Webhooks. They are replaced whole: there is no PATCH.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["notifications", "v1", "webhooks", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("GET", [id]) => get(call, id),
        ("PUT", [id]) => edit(call, id),
        ("DELETE", [id]) => delete(call, id),
        (_, [] | [_]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn list(call: &Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_webhooks")?;
    let all = call.state.notifications.webhooks.objects().filter(|webhook| webhook["status"] != "DELETED");
    Reply::ok(json!({ "objects": all.cloned().map(Value::Object).collect::<Vec<_>>() }))
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_write_webhooks")?;
    let given = call.object()?.clone();
    let id = call.state.create_webhook(&given)?;
    Reply::created(call.state.webhook(&id)?.clone())
}

fn get(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_webhooks")?;
    Reply::ok(call.state.webhook(id)?.clone())
}

fn edit(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_webhooks")?;
    let given = call.object()?.clone();
    call.state.edit_webhook(id, &given)?;
    Reply::ok(call.state.webhook(id)?.clone())
}

fn delete(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_webhooks")?;
    call.state.delete_webhook(id)?;
    Ok(Reply::Nothing(204))
}
