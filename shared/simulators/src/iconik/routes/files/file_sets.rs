//! File sets.

use serde_json::Value;

use super::file;
use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{is, text};

pub(super) fn route(call: &mut Call<'_>, method: &str, asset: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    Some(match (method, path) {
        ("GET", []) => list(call, asset, |_| true),
        ("POST", []) => create(call, asset),
        ("GET", [file_set]) => get(call, asset, file_set),
        ("PUT" | "PATCH", [file_set]) => edit(call, asset, file_set),
        ("DELETE", [file_set]) => delete(call, asset, file_set),
        ("GET", [file_set, "files"]) => files_of(call, asset, file_set),
        ("DELETE", [file_set, "purge"]) => purge(call, asset, file_set),
        ("PUT", [file_set, "restore"]) => restore(call, asset, file_set),
        (_, [] | [_] | [_, "files" | "purge" | "restore"]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn counted(call: &Call<'_>, file_set: &Object) -> Value {
    let mut shown = file_set.clone();
    if call.flag("file_count", false) {
        let files = call.state.files_of_set(text(file_set, "id")).count();
        shown.insert("file_count".to_owned(), files.into());
    }
    shown.into()
}

pub(super) fn list(call: &Call<'_>, asset: &str, within: impl Fn(&Object) -> bool) -> Outcome<Reply> {
    call.state.asset_of_media(asset)?;
    let of_asset = call
        .state
        .media
        .file_sets
        .objects()
        .filter(|found| is(found, "asset_id", asset) && !is(found, "status", "DELETED") && within(found));
    page::by_last_id(call, of_asset.map(|file_set| counted(call, file_set)).collect())
}

fn create(call: &mut Call<'_>, asset: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let id = call.state.create_file_set(&call.user, asset, given)?;
    Reply::created(call.state.file_set_of(asset, &id)?.clone())
}

fn get(call: &Call<'_>, asset: &str, file_set: &str) -> Outcome<Reply> {
    Reply::ok(counted(call, call.state.file_set_of(asset, file_set)?))
}

fn edit(call: &mut Call<'_>, asset: &str, file_set: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    call.state.edit_file_set(&call.user, asset, file_set, given)?;
    get(call, asset, file_set)
}

/// The files of a file set come with their addresses unless the caller says otherwise.
fn files_of(call: &Call<'_>, asset: &str, file_set: &str) -> Outcome<Reply> {
    call.state.file_set_of(asset, file_set)?;
    file::list(call, asset, |file| is(file, "file_set_id", file_set), true)
}

fn delete(call: &mut Call<'_>, asset: &str, file_set: &str) -> Outcome<Reply> {
    let (keep, immediately) = (call.flag("keep_source", false), call.flag("immediately", false));
    let gone = call.state.delete_file_set(&call.user, asset, file_set, keep, immediately)?;
    if immediately { Ok(Reply::Nothing(204)) } else { Reply::ok(gone) }
}

fn purge(call: &mut Call<'_>, asset: &str, file_set: &str) -> Outcome<Reply> {
    call.state.file_set_of(asset, file_set)?;
    call.state.purge_file_set(&call.user, file_set)?;
    Ok(Reply::Nothing(204))
}

fn restore(call: &mut Call<'_>, asset: &str, file_set: &str) -> Outcome<Reply> {
    call.state.file_set_of(asset, file_set)?;
    Reply::ok(call.state.restore_file_set(&call.user, file_set)?)
}
