//! Assets.

use serde_json::{Value, json};

use crate::iconik::call::Call;
use crate::iconik::page;
use crate::iconik::reply::{Outcome, Refusal, Reply};
use crate::iconik::state::{Edit, Object};

/// Most assets of a page.
const PAGE: usize = 1000;

pub(super) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Option<Outcome<Reply>> {
    let ["assets", "v1", "assets", rest @ ..] = path else { return None };
    Some(match (method, rest) {
        ("GET", []) => list(call),
        ("POST", []) => create(call),
        ("PUT" | "PATCH", []) => edit_many(call),
        ("GET", ["recent"]) => recent(call),
        (_, ["recent"]) => Err(Refusal::Method),
        ("GET", [id]) => get(call, id),
        ("PATCH", [id]) => edit(call, id, Edit::Part),
        ("PUT", [id]) => edit(call, id, Edit::Whole),
        ("DELETE", [id]) => delete(call, id),
        ("PUT", [id, "restore"]) => restore(call, id),
        ("DELETE", [id, "purge"]) => purge(call, id),
        ("POST", [id, "views"]) => view(call, id),
        ("POST", [id, "reindex"]) => reindex(call, id),
        (_, [] | [_] | [_, "restore" | "purge" | "views" | "reindex"]) => Err(Refusal::Method),
        _ => return None,
    })
}

/// Assets as the index has them; what is in the bin is not listed.
fn indexed(call: &Call<'_>) -> Vec<Object> {
    let assets = call.state.assets.listed(call.state.horizon()).into_iter();
    let is_there = |asset: &&Object| asset.get("status").and_then(Value::as_str) != Some("DELETED");
    assets.filter(is_there).map(|asset| call.state.asset_shown(&call.user, asset)).collect()
}

fn list(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_assets")?;
    let types = call.texts("types");
    let favoured_by = call.text("favoured_by").map(str::to_owned);
    let text =
        |asset: &Object, name: &str| asset.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut assets = indexed(call);
    assets.retain(|asset| {
        let is_type = types.is_empty() || types.contains(&text(asset, "type"));
        let is_favourite = favoured_by
            .as_deref()
            .is_none_or(|user| call.state.is_favourite(user, "assets", &text(asset, "id")));
        is_type && is_favourite
    });
    if let Some(name) = call.text("field_name") {
        // Only that field, beside what names the asset.
        for asset in &mut assets {
            asset.retain(|known, _| known == name || known == "id" || known == "title");
        }
    }
    page::list(call, PAGE, assets.into_iter().map(Value::Object).collect())
}

fn recent(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_read_assets")?;
    let mut assets: Vec<Value> = indexed(call).into_iter().map(Value::Object).collect();
    assets.retain(|asset| asset.get("date_viewed").is_some_and(Value::is_string));
    page::Sorting::of(vec![("date_viewed".to_owned(), true)]).sort(&mut assets);
    page::list(call, PAGE, assets)
}

fn create(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_create_assets")?;
    let given = call.object()?.clone();
    let wanted = given.get("collection_id").and_then(Value::as_str).map(str::to_owned);
    let collection = wanted.filter(|_| call.flag("assign_to_collection", false));
    if let Some(collection) = &collection
        && call.state.collections.get(collection).is_none()
    {
        return Err(Refusal::field("collection_id", format!("Collection {collection} was not found")));
    }
    let id = call.state.create_asset(&call.user, given)?;
    if let Some(collection) = collection {
        call.state.join(&call.user, "assets", &id, &collection)?;
    }
    let asset = call.state.assets.found(&id)?;
    Reply::created(call.state.asset_shown(&call.user, asset))
}

fn get(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_assets")?;
    let state = &call.state;
    state.readable(&state.assets, "assets", id)?;
    let Some(asset) = state.assets.listed_one(id, state.region_horizon()) else {
        return state.assets.gone(id);
    };
    let mut shown = state.asset_shown(&call.user, asset);
    if !call.flag("include_collections", false) && !state.settings.edits.collections_always {
        shown.shift_remove("in_collections");
    }
    if call.flag("include_users", false) {
        state.with_users(&mut shown);
    }
    Reply::ok(shown)
}

fn edit(call: &mut Call<'_>, id: &str, edit: Edit) -> Outcome<Reply> {
    call.needs("can_write_assets")?;
    let given = call.object()?.clone();
    call.state.edit_asset(&call.user, id, given, edit)?;
    let asset = call.state.assets.found(id)?;
    Reply::ok(call.state.asset_shown(&call.user, asset))
}

/// `{"objects": [{"id": …, …}]}`: all are edited, or none.
fn edit_many(call: &mut Call<'_>) -> Outcome<Reply> {
    call.needs("can_write_assets")?;
    let objects = call.object()?.get("objects").and_then(Value::as_array).cloned();
    let objects = objects.ok_or_else(|| Refusal::field("objects", "Missing data for required field."))?;
    let mut edits = Vec::new();
    for object in objects {
        let given =
            object.as_object().cloned().ok_or_else(|| Refusal::field("objects", "Invalid input type."))?;
        let id = given.get("id").and_then(Value::as_str).map(str::to_owned);
        let id = id.ok_or_else(|| Refusal::field("id", "Missing data for required field."))?;
        call.state.assets.found(&id)?;
        edits.push((id, given));
    }
    for (id, given) in &edits {
        call.state.edit_asset(&call.user, id, given.clone(), Edit::Part)?;
    }
    accepted(call, 202, "METADATA", "Edit assets")
}

/// The answer of scheduled work, which is done at once.
pub(super) fn accepted(call: &mut Call<'_>, status: u16, kind: &str, title: &str) -> Outcome<Reply> {
    let job = call.state.work_done(&call.user, kind, title);
    Ok(Reply::Json(status, json!({ "job_id": job })))
}

fn delete(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_assets")?;
    call.state.delete(&call.user, "assets", id)?;
    Ok(Reply::Nothing(204))
}

fn restore(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_delete_assets")?;
    call.state.restore(&call.user, "assets", id)?;
    Ok(Reply::Nothing(204))
}

fn purge(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_purge_assets")?;
    call.state.purge(&call.user, "assets", id)?;
    Ok(Reply::Nothing(204))
}

fn view(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_read_assets")?;
    call.state.view_asset(id)?;
    Reply::ok(json!({"asset_id": id, "user_id": call.user}))
}

fn reindex(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    call.needs("can_write_assets")?;
    call.state.assets.found(id)?;
    call.state.reindex("assets", id);
    accepted(call, 201, "REINDEX", "Reindex asset")
}
