//! Formats and their components.

use serde_json::{Value, json};

use super::{by_last_id, file_sets, moves};
use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{is, map, text};

pub(super) fn route(call: &mut Call<'_>, method: &str, asset: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", []) => of_asset(call, asset),
        ("POST", []) => create(call, asset),
        ("GET", [format]) => get(call, asset, format),
        ("PUT" | "PATCH", [format]) => edit(call, asset, format),
        ("DELETE", [format]) => delete(call, asset, format),
        ("DELETE", [format, "purge"]) => purge(call, asset, format),
        ("PUT", [format, "restore"]) => restore(call, asset, format),
        ("POST", [format, "archive"]) => moves::archive(call, asset, format),
        ("POST", [format, "restore"]) => moves::restore(call, asset, format),
        ("POST", [format, "components"]) => add_component(call, asset, format),
        ("GET", [format, "components"]) => components(call, asset, format),
        ("GET", [format, "file_sets"]) => file_sets_of(call, asset, format, None),
        ("GET", [format, "storages", storage, "file_sets"]) => {
            file_sets_of(call, asset, format, Some(storage))
        }
        (_, [] | [_] | [_, "purge" | "restore" | "archive" | "components" | "file_sets"]) => {
            Err(Refusal::Method)
        }
        _ => return None,
    })
}

/// Formats of the newest version, or of all.
fn of_asset(call: &Call<'_>, asset: &str) -> Outcome<Reply> {
    let newest = call.state.current_version_of(asset);
    let all = call.flag("include_all_versions", false);
    list(call, asset, |format| all || newest.as_deref().is_none_or(|newest| is(format, "version_id", newest)))
}

pub(super) fn list(call: &Call<'_>, asset: &str, within: impl Fn(&Object) -> bool) -> Outcome<Reply> {
    call.state.asset_of_media(asset)?;
    let formats = call.state.media.formats.objects();
    by_last_id(
        call,
        formats.filter(|format| {
            is(format, "asset_id", asset) && is(format, "status", "ACTIVE") && within(format)
        }),
    )
}

fn create(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let id = call.state.create_format(&call.user, asset, given)?;
    Reply::created(call.state.media.formats.found(&id)?.clone())
}

fn get(call: &Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    Reply::ok(call.state.format_of(asset, format)?.clone())
}

fn edit(call: &mut Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    call.state.edit_format(&call.user, asset, format, given)?;
    get(call, asset, format)
}

fn delete(call: &mut Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let immediately = call.flag("immediately", false);
    let gone = call.state.delete_format(&call.user, asset, format, immediately)?;
    if immediately { Ok(Reply::Nothing(204)) } else { Reply::ok(gone) }
}

fn purge(call: &mut Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let id = text(call.state.format_of(asset, format)?, "id").to_owned();
    call.state.purge_format(&call.user, &id)?;
    Ok(Reply::Nothing(204))
}

fn restore(call: &mut Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let id = text(call.state.format_of(asset, format)?, "id").to_owned();
    Reply::ok(call.state.restore_format(&call.user, &id)?)
}

/// Adding a component answers 200, unlike other creations.
fn add_component(call: &mut Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    Reply::ok(call.state.add_component(asset, format, given)?)
}

fn components(call: &Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let format = call.state.format_of(asset, format)?;
    Reply::ok(json!({"objects": format.get("components").cloned().unwrap_or(Value::Array(Vec::new()))}))
}

fn file_sets_of(call: &Call<'_>, asset: &str, format: &str, storage: Option<&str>) -> Outcome<Reply> {
    let id = text(call.state.format_of(asset, format)?, "id").to_owned();
    let within = map(json!({"format_id": id, "storage_id": storage}));
    file_sets::list(call, asset, |file_set| {
        is(file_set, "format_id", text(&within, "format_id"))
            && storage.is_none_or(|storage| is(file_set, "storage_id", storage))
    })
}
