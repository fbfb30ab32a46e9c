//! Which call goes where.

mod assets;
pub(super) mod contents;
pub(super) mod directory;
mod folders;
mod imports;
mod jobs;
mod lookups;
mod search;
pub(super) mod sessions;
mod states;

use serde_json::{Value, json};

use super::call::Call;
use super::render::{Load, Writer};
use super::reply::{Outcome, Refusal, Reply};
use super::state::Asset;

/// Routes a call of a session. `path` is below `/otmmapi/v6`.
pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match path {
        ["users", "me"] if call.method == http::Method::GET => Ok(lookups::me(call)),
        ["assets", rest @ ..] => assets::route(call, rest),
        ["renditions", rest @ ..] => contents::renditions(call, rest),
        ["jobs", rest @ ..] => jobs::route(call, rest),
        ["search", "text"] => search::route(call),
        ["folders", rest @ ..] => folders::route(call, rest),
        ["collections" | "securitypolicies" | "lookupdomains" | "metadatamodels" | "reviewjobs", ..] => {
            lookups::route(call, path)
        }
        _ => Err(Refusal::NoUrl),
    }
}

/// An asset or folder as this call wants it.
fn shown(call: &Call<'_>, asset: &Asset, load: &Load) -> Value {
    let writer = Writer { state: call.state, user: &call.user, base: &call.base, version: call.version };
    writer.asset(asset, load)
}

/// A page of assets under a root and a name.
fn listed(call: &Call<'_>, ids: Vec<String>, root: &str, name: &str) -> Outcome<Reply> {
    let load = Load::read(&call.params)?;
    let mut all: Vec<&Asset> = ids.iter().filter_map(|id| call.state.asset(id).ok()).collect();
    if let Some(sort) = call.params.text("sort") {
        call.state.sort(&mut all, sort)?;
    }
    let folders = all.iter().filter(|asset| asset.is_folder()).count();
    let groups = [("ASSET", all.len() - folders), ("CONTAINER", folders)];
    let page = call.page(all)?;
    let list: Vec<Value> = page.entries.iter().map(|asset| shown(call, asset, &load)).collect();
    Ok(Reply::Json(200, json!({ root: {"collection_summary": page.summary(&groups), name: list} })))
}

/// The selection context of a form.
fn selected(call: &Call<'_>) -> Outcome<Vec<String>> {
    let context = call.params.parsed("selection_context")?;
    let context =
        context.as_ref().and_then(|root| root.get("selection_context_param")?.get("selection_context"));
    let context = context.ok_or_else(|| Refusal::Invalid("There is no selection_context".to_owned()))?;
    call.state.select(context)
}

/// What became of many.
fn bulk(call: &Call<'_>, done: &[String], failed: &[super::state::Failed]) -> Value {
    let objects = call.state.settings.edits.bulk_objects;
    let good: Vec<Value> =
        done.iter().map(|id| if objects { json!({"object_id": id}) } else { json!(id) }).collect();
    let bad: Vec<Value> = failed
        .iter()
        .map(|one| match objects {
            true => json!({"object_id": one.id, "message": one.reason}),
            false => json!(one.id),
        })
        .collect();
    json!({"bulk_asset_result_representation": {"bulk_asset_result": {
        "successful_object_list": good, "failed_object_list": bad,
    }}})
}
