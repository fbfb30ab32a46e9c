//! Storages.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::media::is;

/// What a list of storages may be narrowed by.
const FILTERS: &[&str] = &["id", "name", "method", "status", "purpose"];

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["storages", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("GET", ["matching", purpose]) => matching(call, purpose, None),
        ("GET", ["matching", purpose, "method", wanted]) => matching(call, purpose, Some(wanted)),
        ("GET", [purpose, "default"]) => matching(call, purpose, None),
        ("GET", [id]) => call.state.media.storages.found(id).and_then(|found| Reply::ok(found.clone())),
        ("PUT" | "PATCH", [id]) => edit(call, id),
        ("GET", [id, "files"]) => files(call, id),
        ("POST", [id, "scan"]) => scan(call, id),
        (_, [] | [_] | [_, "files" | "scan"]) => Err(Refusal::Method),
        _ => return None,
    })
}

fn list(call: &Call<'_>) -> Outcome<Reply> {
    let fits = |storage: &&crate::iconik::state::Object| {
        FILTERS.iter().all(|name| call.text(name).is_none_or(|wanted| is(storage, name, wanted)))
    };
    let storages = call.state.media.storages.objects().filter(fits);
    page::by_number(call, 1000, storages.cloned().map(Value::Object).collect())
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_write_storages")?;
    let mut given = call.object()?.clone();
    given.remove("id");
    let id = call.state.create_storage(given)?;
    Reply::created(call.state.media.storages.found(&id)?.clone())
}

fn edit(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_storages")?;
    let given = call.object()?.clone();
    let storage = call.state.media.storages.found_mut(id)?;
    storage.extend(given.into_iter().filter(|(name, _)| name != "id" && name != "method"));
    Reply::ok(storage.clone())
}

fn matching(call: &Call<'_>, purpose: &str, method: Option<&str>) -> Outcome<Reply> {
    Reply::ok(call.state.storage_for(purpose, method)?.clone())
}

fn files(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.state.media.storages.found(id)?;
    let filters = ["directory_path", "checksum", "name", "type", "status"];
    let files = call.state.media.files.objects().filter(|file| {
        is(file, "storage_id", id)
            && filters.iter().all(|name| call.text(name).is_none_or(|wanted| is(file, name, wanted)))
    });
    page::by_number(call, 1000, files.cloned().map(Value::Object).collect())
}

/// Looks what is on a storage: files whose bytes are gone are missing, and found again when they are back.
fn scan(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let now = call.state.time();
    call.state.scan(id)?;
    let storage = call.state.media.storages.found_mut(id)?;
    storage.insert("last_scanned".to_owned(), now);
    storage.insert("scanner_status".to_owned(), "ACTIVE".into());
    Reply::ok(json!({}))
}
