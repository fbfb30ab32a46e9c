//! What moves formats: archiving, restoring, transfers to other storages, exports.

use serde_json::{Value, json};

use super::{optional_body, scheduled};
use crate::iconik::call::Call;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::Object;
use crate::iconik::state::media::{filled, map, text};

/// Most objects that one bulk call takes.
const MOST: usize = 500;

pub(super) fn route(
    call: &mut Call<'_>,
    method: &str,
    version: &str,
    path: &[&str],
) -> Option<Outcome<Reply>> {
    Some(match (version, method, path) {
        ("v1", "POST", ["storages", storage, "bulk"]) => transfer_bulk(call, storage),
        ("v1", "POST", ["formats", name, verb @ ("archive" | "restore"), "bulk"]) => {
            by_name(call, name, *verb == "archive")
        }
        ("v1", "POST", ["formats", format, "storages", storage]) => transfer_of(call, format, storage),
        ("v2", "POST", ["assets", "bulk", verb @ ("archive" | "restore")]) => {
            of_assets(call, *verb == "archive")
        }
        ("v2", "POST", ["assets", asset, "formats", format, "archive"]) => archive(call, asset, format),
        ("v2", "POST", ["assets", asset, "formats", format, "storages", storage]) => {
            transfer(call, asset, format, storage)
        }
        ("v1", "POST", ["assets", asset, "export_locations", location]) => export(call, asset, location),
        ("v2", "POST", ["assets", "export_locations", location, "bulk", "export"]) => {
            export_bulk(call, location)
        }
        ("v1", "GET", ["export_locations"]) => locations(call),
        ("v1", "POST", ["export_locations"]) => create_location(call),
        ("v1", "GET", ["export_locations", id]) => {
            call.state.media.export_locations.found(id).and_then(|found| Reply::ok(found.clone()))
        }
        ("v1", "PUT" | "PATCH", ["export_locations", id]) => edit_location(call, id),
        ("v1", "DELETE", ["export_locations", id]) => delete_location(call, id),
        _ => return None,
    })
}

/// Schedules the archiving of a format.
pub(super) fn archive(call: &mut Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let given = optional_body(call)?;
    scheduled(202, call.state.archive_format(&call.user, asset, format, &given)?)
}

/// Schedules the restoring of a format from the archive.
pub(super) fn restore(call: &mut Call<'_>, asset: &str, format: &str) -> Outcome<Reply> {
    let given = optional_body(call)?;
    scheduled(202, call.state.restore_archived(&call.user, asset, format, &given)?)
}

/// The ids of a bulk call.
fn bulk_ids(call: &Call<'_>) -> Outcome<Vec<String>> {
    let ids = call.ids("object_ids")?;
    match ids.len() {
        1..=MOST => Ok(ids),
        _ => Err(Refusal::field("object_ids", format!("Length must be between 1 and {MOST}."))),
    }
}

/// A bulk call's own job, with a job for each object below it.
fn in_bulk(
    call: &mut Call<'_>,
    (kind, title): (&str, &str),
    ids: &[String],
    each: impl Fn(&mut Call<'_>, &str) -> Outcome<String>,
) -> Outcome<Reply> {
    let parent = json!({"type": kind, "status": "STARTED", "title": title, "progress_total": ids.len(), "progress_processed": 0});
    let user = call.user.clone();
    let parent = call.state.create_job(&user, map(parent))?;
    let mut refused = Vec::new();
    for id in ids {
        match each(call, id) {
            Ok(child) => {
                if let Ok(child) = call.state.jobs.found_mut(&child) {
                    child.insert("parent_id".to_owned(), parent.clone().into());
                }
            }
            Err(refusal) => refused.push(format!("{id}: {refusal:?}")),
        }
    }
    let end = match refused.is_empty() {
        true => json!({"status": "FINISHED", "progress_processed": ids.len(), "has_children": true}),
        false if refused.len() == ids.len() => {
            json!({"status": "FAILED", "error_message": refused.join("; ")})
        }
        false => json!({"status": "FINISHED_WITH_WARNING", "error_message": refused.join("; ")}),
    };
    call.state.edit_job(&user, &parent, map(end), false)?;
    scheduled(202, parent)
}

fn by_name(call: &mut Call<'_>, name: &str, archives: bool) -> Outcome<Reply> {
    let (ids, given) = (bulk_ids(call)?, call.object()?.clone());
    if text(&given, "object_type") != "assets" {
        return Err(Refusal::field("object_type", "Must be one of: assets."));
    }
    let kind = if archives { ("ARCHIVE", "Archive assets") } else { ("RESTORE", "Restore assets") };
    in_bulk(call, kind, &ids, |call, id| {
        let user = call.user.clone();
        match archives {
            true => call.state.archive_format(&user, id, name, &given),
            false => call.state.restore_archived(&user, id, name, &given),
        }
    })
}

/// The second version of the bulk calls: an entry for each asset, with its formats.
fn of_assets(call: &mut Call<'_>, archives: bool) -> Outcome<Reply> {
    let body = call.object()?.clone();
    let entries: Vec<Object> =
        body.get("objects").and_then(Value::as_array).into_iter().flatten().cloned().map(map).collect();
    let ids: Vec<String> = entries.iter().map(|entry| text(entry, "id").to_owned()).collect();
    if ids.is_empty() || ids.len() > MOST {
        return Err(Refusal::field("objects", format!("Length must be between 1 and {MOST}.")));
    }
    let kind = if archives { ("ARCHIVE", "Archive assets") } else { ("RESTORE", "Restore assets") };
    in_bulk(call, kind, &ids, |call, id| {
        let mut given = entries.iter().find(|entry| text(entry, "id") == id).cloned().unwrap_or_default();
        if let Some(storage) = filled(&body, "destination_storage_id") {
            given.insert("destination_storage_id".to_owned(), storage.into());
        }
        let named =
            given.get("formats").and_then(Value::as_array).and_then(|formats| formats.first()?.as_str());
        let format = named.unwrap_or("ORIGINAL").to_owned();
        let user = call.user.clone();
        match archives {
            true => call.state.archive_format(&user, id, &format, &given),
            false => call.state.restore_archived(&user, id, &format, &given),
        }
    })
}

fn transfer(call: &mut Call<'_>, asset: &str, format: &str, storage: &str) -> Outcome<Reply> {
    let given = optional_body(call)?;
    let folder = text(&given, "destination_directory_path").to_owned();
    scheduled(202, call.state.transfer_format(&call.user, asset, format, storage, &folder)?)
}

fn transfer_of(call: &mut Call<'_>, format: &str, storage: &str) -> Outcome<Reply> {
    let asset = text(call.state.media.formats.found(format)?, "asset_id").to_owned();
    transfer(call, &asset, format, storage)
}

fn transfer_bulk(call: &mut Call<'_>, storage: &str) -> Outcome<Reply> {
    call.state.media.storages.found(storage)?;
    let (ids, given) = (bulk_ids(call)?, call.object()?.clone());
    if text(&given, "object_type") != "assets" {
        return Err(Refusal::field("object_type", "Must be one of: assets."));
    }
    let format = filled(&given, "format_name").unwrap_or("ORIGINAL").to_owned();
    let folder = text(&given, "file_path").to_owned();
    in_bulk(call, ("TRANSFER", "Transfer assets"), &ids, |call, id| {
        let user = call.user.clone();
        call.state.transfer_format(&user, id, &format, storage, &folder)
    })
}

fn export(call: &mut Call<'_>, asset: &str, location: &str) -> Outcome<Reply> {
    let given = optional_body(call)?;
    scheduled(200, call.state.export_asset(&call.user, asset, location, &given)?)
}

fn export_bulk(call: &mut Call<'_>, location: &str) -> Outcome<Reply> {
    call.state.media.export_locations.found(location)?;
    let body = call.object()?.clone();
    let entries: Vec<Object> =
        body.get("objects").and_then(Value::as_array).into_iter().flatten().cloned().map(map).collect();
    let ids: Vec<String> = entries.iter().map(|entry| text(entry, "id").to_owned()).collect();
    if ids.is_empty() || ids.len() > MOST {
        return Err(Refusal::field("objects", format!("Length must be between 1 and {MOST}.")));
    }
    in_bulk(call, ("EXPORT", "Export assets"), &ids, |call, id| {
        let given = entries.iter().find(|entry| text(entry, "id") == id).cloned().unwrap_or_default();
        let user = call.user.clone();
        call.state.export_asset(&user, id, location, &given)
    })
}

fn locations(call: &Call<'_>) -> Outcome<Reply> {
    super::by_last_id(call, call.state.media.export_locations.objects())
}

fn create_location(call: &mut Call<'_>) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let id = call.state.create_export_location(given)?;
    Reply::created(call.state.media.export_locations.found(&id)?.clone())
}

fn edit_location(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let given = call.object()?.clone();
    let location = call.state.media.export_locations.found_mut(id)?;
    location.extend(given.into_iter().filter(|(name, _)| name != "id"));
    Reply::ok(location.clone())
}

fn delete_location(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.state.media.export_locations.found(id)?;
    call.state.media.export_locations.remove(id);
    Ok(Reply::Nothing(204))
}
