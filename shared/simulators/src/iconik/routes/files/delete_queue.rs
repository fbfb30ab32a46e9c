//! The bin of file sets and formats.

use serde_json::Value;

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::media::{is, text};

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["delete_queue", kind @ ("file_sets" | "formats"), rest @ ..] = path else { return None };
    let is_format = *kind == "formats";
    Some(match (method, rest) {
        ("GET", []) => list(call, is_format),
        ("DELETE", []) => restore(call, is_format),
        ("POST", []) => delete(call, is_format),
        ("POST", ["purge"]) => call.ids("ids").and_then(|ids| purge(call, is_format, &ids)),
        ("POST", ["purge", "all"]) => {
            let ids = in_bin(call, is_format);
            purge(call, is_format, &ids)
        }
        (_, [] | ["purge"] | ["purge", "all"]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn in_bin(call: &Call<'_>, is_format: bool) -> Vec<String> {
    let media = &call.state.media;
    let table = if is_format { &media.formats } else { &media.file_sets };
    table
        .objects()
        .filter(|found| is(found, "status", "DELETED"))
        .map(|found| text(found, "id").to_owned())
        .collect()
}

fn list(call: &Call<'_>, is_format: bool) -> Outcome<Reply> {
    let media = &call.state.media;
    let table = if is_format { &media.formats } else { &media.file_sets };
    let deleted = table.objects().filter(|found| is(found, "status", "DELETED"));
    page::by_number(call, 1000, deleted.cloned().map(Value::Object).collect())
}

fn delete(call: &mut Call<'_>, is_format: bool) -> Outcome<Reply> {
    for id in call.ids("ids")? {
        let media = &call.state.media;
        let found = if is_format { media.formats.found(&id) } else { media.file_sets.found(&id) };
        let asset = text(found?, "asset_id").to_owned();
        match is_format {
            true => call.state.delete_format(&call.user, &asset, &id, false)?,
            false => call.state.delete_file_set(&call.user, &asset, &id, false, false)?,
        };
    }
    Ok(Reply::Nothing(204))
}

fn restore(call: &mut Call<'_>, is_format: bool) -> Outcome<Reply> {
    for id in call.ids("ids")? {
        match is_format {
            true => call.state.restore_format(&call.user, &id)?,
            false => call.state.restore_file_set(&call.user, &id)?,
        };
    }
    Ok(Reply::Nothing(204))
}

fn purge(call: &mut Call<'_>, is_format: bool, ids: &[String]) -> Outcome<Reply> {
    for id in ids {
        match is_format {
            true => call.state.purge_format(&call.user, id)?,
            false => call.state.purge_file_set(&call.user, id)?,
        }
    }
    Ok(Reply::Nothing(204))
}
