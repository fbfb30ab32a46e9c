//! Assets: reading, editing, subscribing.

use serde_json::json;

use super::super::call::Call;
use super::super::render::Load;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::settings::EditAnswer;
use super::super::state::{Asset, Failed};
use super::{bulk, contents, imports, listed, selected, shown, states};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let ids = selected(call)?;
            listed(call, ids, "assets_resource", "asset_list")
        }
        ("POST", []) => imports::one_shot(call),
        ("PATCH", [] | [""]) => edit_many(call),
        ("GET", ["recent"]) => recent(call),
        ("PUT", ["state"]) => states::many(call),
        ("POST", ["subscriptions"]) => subscribe(call),
        ("GET", [id]) => one(call, id),
        ("PATCH", [id]) => edit(call, id),
        ("PUT", [id, "state"]) => states::one(call, id),
        ("GET", [id, "contents"]) => contents::of_asset(call, id),
        ("POST", [id, "contents"]) => imports::rendition(call, id),
        ("GET", [id, "parents"]) => {
            let parents = call.state.asset(id)?.parents.clone();
            listed(call, parents, "folders_resource", "folder_list")
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn one(call: &Call<'_>, id: &str) -> Outcome<Reply> {
    let load = Load::read(&call.params)?;
    let asset = call.state.asset(id)?;
    Ok(Reply::Json(200, json!({"asset_resource": {"asset": shown(call, asset, &load)}})))
}

/// What came last.
fn recent(call: &Call<'_>) -> Outcome<Reply> {
    let is_shown =
        |asset: &&Asset| !asset.is_folder() && asset.latest && !asset.hidden && asset.deleted.is_none();
    let mut found: Vec<&Asset> = call.state.assets.values().filter(is_shown).collect();
    found.sort_by_key(|asset| std::cmp::Reverse((asset.imported, asset.number)));
    let ids = found.into_iter().map(|asset| asset.id.clone()).collect();
    listed(call, ids, "assets_resource", "asset_list")
}

/// An edit names what it edits in its root.
pub(super) fn edit(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    let user = call.user.clone();
    let strategy = call.params.text("lock_strategy").map(str::to_owned);
    let body = call.params.body()?.clone();
    let is_folder = call.state.asset(id)?.is_folder();
    let root = if is_folder { "edited_folder" } else { "edited_asset" };
    let edited = body.get(root).or_else(|| body.get("edited_asset")).and_then(|edited| edited.get("data"));
    let edited = edited.ok_or_else(|| Refusal::Invalid(format!("The body has no {root}.data")))?;
    // The list of fields, or a model around it.
    let metadata = edited.get("metadata");
    let elements = metadata.map(|metadata| metadata.get("metadata_element_list").unwrap_or(metadata));
    call.state.edit(&user, id, strategy.as_deref(), elements)?;
    match call.state.settings.edits.answer {
        EditAnswer::Empty => Ok(Reply::Nothing(200)),
        EditAnswer::NoContent => Ok(Reply::Nothing(204)),
        EditAnswer::Asset => {
            let load = Load::read(&call.params)?;
            let written = shown(call, call.state.asset(id)?, &load);
            Ok(Reply::Json(
                200,
                match is_folder {
                    true => json!({"folder_resource": {"folder": written}}),
                    false => json!({"asset_resource": {"asset": written}}),
                },
            ))
        }
    }
}

fn edit_many(call: &mut Call<'_>) -> Outcome<Reply> {
    let body = call.params.body()?.clone();
    let request = body.get("bulk_edit_request_param").and_then(|root| root.get("bulk_edit_request"));
    let request = request.ok_or_else(|| Refusal::Invalid("There is no bulk_edit_request".to_owned()))?;
    let user = call.user.clone();
    let (done, failed) = call.state.edit_many(&user, request)?;
    Ok(Reply::Json(200, bulk(call, &done, &failed)))
}

fn subscribe(call: &mut Call<'_>) -> Outcome<Reply> {
    let subscribes = match call.params.required("action")? {
        "subscribe" => true,
        "unsubscribe" => false,
        other => return Err(Refusal::Invalid(format!("There is no action '{other}'"))),
    };
    let user = call.user.clone();
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for id in selected(call)? {
        let Ok(asset) = call.state.asset_mut(&id) else {
            failed.push(Failed { id, reason: "NOT_EXIST".to_owned() });
            continue;
        };
        match subscribes {
            true => _ = asset.subscribers.insert(user.clone()),
            false => _ = asset.subscribers.remove(&user),
        }
        done.push(id);
    }
    Ok(Reply::Json(200, bulk(call, &done, &failed)))
}
