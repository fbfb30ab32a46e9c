//! Custom actions and the call that the page makes when somebody presses one.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Called;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "custom_actions", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call, None),
        ("GET", [context]) => list(call, Some(context)),
        ("POST", [context]) => create(call, context),
        ("POST", [context, id, "callback"]) => press(call, context, id),
        ("GET", [context, id]) => get(call, context, id),
        ("PUT" | "PATCH", [context, id]) => edit(call, context, id),
        ("DELETE", [context, id]) => delete(call, context, id),
        (_, [] | [_] | [_, _] | [_, _, "callback"]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn list(call: &Call<'_>, context: Option<&str>) -> Outcome<Reply> {
    call.needs("can_read_custom_actions")?;
    let all = call.state.notifications.custom_actions.objects();
    let found = all.filter(|action| context.is_none_or(|context| action["context"] == context));
    Reply::ok(json!({ "objects": found.cloned().map(Value::Object).collect::<Vec<_>>() }))
}

fn create(call: &mut Call<'_>, context: &str) -> Outcome<Reply> {
    call.needs("can_write_custom_actions")?;
    let given = call.object()?.clone();
    let id = call.state.create_custom_action(context, &given)?;
    Reply::created(call.state.custom_action(context, &id)?.clone())
}

fn get(call: &Call<'_>, context: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_read_custom_actions")?;
    Reply::ok(call.state.custom_action(context, id)?.clone())
}

fn edit(call: &mut Call<'_>, context: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_write_custom_actions")?;
    let given = call.object()?.clone();
    call.state.edit_custom_action(context, id, &given)?;
    Reply::ok(call.state.custom_action(context, id)?.clone())
}

fn delete(call: &mut Call<'_>, context: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_custom_actions")?;
    call.state.delete_custom_action(context, id)?;
    Ok(Reply::Nothing(204))
}

fn press(call: &mut Call<'_>, context: &str, id: &str) -> Outcome<Reply> {
    call.needs("can_read_custom_actions")?;
    call.state.custom_action(context, id)?;
    let given = call.object()?;
    let ids = |name: &str| {
        if given.get(name).is_some_and(Value::is_array) { call.ids(name) } else { Ok(Vec::new()) }
    };
    let value = |name: &str| given.get(name).cloned().unwrap_or_default();
    let called = Called {
        asset_ids: ids("asset_ids")?,
        collection_ids: ids("collection_ids")?,
        saved_search_ids: ids("saved_search_ids")?,
        metadata_view_id: value("metadata_view_id"),
        metadata_values: value("metadata_values"),
    };
    for id in &called.asset_ids {
        call.state.assets.found(id)?;
    }
    for id in &called.collection_ids {
        call.state.collections.found(id)?;
    }
    let opened = call.state.call_custom_action(&call.user, id, &called)?;
    Reply::ok(json!({ "redirect_url": opened }))
}
