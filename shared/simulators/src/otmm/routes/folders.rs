//! Folders.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::render::Load;
use super::super::reply::{Outcome, Refusal, Reply};
use super::{assets, listed, selected, shown};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("GET", ["rootfolders"]) => {
            let roots = call.state.roots().into_iter().map(|folder| folder.id.clone()).collect();
            listed(call, roots, "folders_resource", "folder_list")
        }
        ("GET", [id]) => {
            let load = Load::read(&call.params)?;
            let folder = call.state.folder(id)?;
            Ok(Reply::Json(200, json!({"folder_resource": {"folder": shown(call, folder, &load)}})))
        }
        ("GET", [id, what @ ("folders" | "assets" | "children")]) => inside(call, id, what),
        ("GET", [id, "parents"]) => {
            let parents = call.state.folder(id)?.parents.clone();
            listed(call, parents, "folders_resource", "folder_list")
        }
        ("POST", [parent]) => create(call, parent),
        ("PUT", [id, "children"]) => add(call, id),
        ("PATCH", [id]) => {
            call.state.folder(id)?;
            assets::edit(call, id)
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn inside(call: &Call<'_>, id: &str, what: &str) -> Outcome<Reply> {
    call.state.folder(id)?;
    let filter = call.params.parsed("asset_filter_request")?;
    let filter =
        filter.as_ref().and_then(|root| root.get("asset_filter_request_param")?.get("asset_filter_request"));
    let excludes = filter.and_then(|filter| filter.get("exclude_deleted_assets"));
    let excludes = excludes.is_some_and(|flag| *flag == true || flag == "true");
    let ids = call
        .state
        .children(id, !excludes)
        .into_iter()
        .filter(|child| what == "children" || child.is_folder() == (what == "folders"))
        .map(|child| child.id.clone())
        .collect();
    let (root, name) = match what {
        "folders" => ("folders_resource", "folder_list"),
        "assets" => ("assets_resource", "asset_list"),
        _ => ("folder_children", "asset_list"),
    };
    listed(call, ids, root, name)
}

fn create(call: &mut Call<'_>, parent: &str) -> Outcome<Reply> {
    let body = call.params.body()?.clone();
    let asked = body.get("folder_resource").and_then(|root| root.get("folder"));
    let asked = asked.ok_or_else(|| Refusal::Invalid("There is no folder_resource.folder".to_owned()))?;
    let user = call.user.clone();
    let id = call.state.create_folder(&user, parent, asked)?;
    let mut written = shown(call, call.state.folder(&id)?, &Load::read(&call.params)?);
    let policies = call.state.policies.iter();
    let held = &call.state.folder(&id)?.policies;
    let policies: Vec<Value> = policies
        .filter(|policy| held.contains(&policy.id))
        .map(|policy| json!({"id": policy.id, "name": policy.name}))
        .collect();
    if let Some(members) = written.as_object_mut() {
        members.insert("security_policy_list".to_owned(), policies.into());
    }
    Ok(Reply::Json(200, json!({"folder_resource": {"folder": written}})))
}

fn add(call: &mut Call<'_>, id: &str) -> Outcome<Reply> {
    match call.params.required("type")? {
        "add" => {}
        other => return Err(Refusal::Invalid(format!("There is no folder operation '{other}'"))),
    }
    let ids = selected(call)?;
    let user = call.user.clone();
    let (done, failed) = call.state.add_children(&user, id, ids)?;
    let failed: Vec<Value> =
        failed.into_iter().map(|one| json!({"asset_id": one.id, "reasons": [one.reason]})).collect();
    let result = json!({"valid_children": done, "failed_children": failed});
    Ok(Reply::Json(200, json!({"folder_operation_resource": {"folder_operation_result": result}})))
}
