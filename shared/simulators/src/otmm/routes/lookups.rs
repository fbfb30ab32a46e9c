//! What a site is made of: lookups, models, policies, collections, the caller.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::render::domain;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Collection, Element, Field, Model, Policy, written};
use super::listed;

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    match (call.method.as_str(), path) {
        ("GET", ["lookupdomains"]) => {
            let all: Vec<Value> = call.state.domains.iter().map(domain).collect();
            Ok(Reply::Json(200, json!({"lookup_domains_resource": {"lookup_domains": all}})))
        }
        ("GET", ["lookupdomains", id]) => {
            let found = call.state.domain(id);
            let found =
                found.ok_or_else(|| Refusal::NotFound(format!("The lookup domain {id} does not exist")))?;
            Ok(Reply::Json(200, json!({"lookup_domain_resource": {"lookup_domain": domain(found)}})))
        }
        ("GET", ["metadatamodels", id]) => {
            let found = call.state.model(id);
            let found =
                found.ok_or_else(|| Refusal::NotFound(format!("The metadata model {id} does not exist")))?;
            Ok(Reply::Json(200, json!({"metadata_model_resource": {"metadata_model": model(found)}})))
        }
        ("GET", ["securitypolicies"]) => {
            let now = written(call.state.now);
            let list: Vec<Value> = call.state.policies.iter().map(|one| policy(one, &now)).collect();
            Ok(Reply::Json(200, json!({"security_policies_resource": {"security_policy_list": list}})))
        }
        ("GET", ["collections"]) => collections(call),
        ("GET", ["collections", id, "assets"]) => {
            let found = call.state.collections.iter().find(|one: &&Collection| one.id == *id);
            let found =
                found.ok_or_else(|| Refusal::NotFound(format!("The collection {id} does not exist")))?;
            let ids = found.assets.clone();
            listed(call, ids, "assets_resource", "asset_list")
        }
        ("POST", ["reviewjobs", "quicksessions"]) => review(call),
        _ => Err(Refusal::NoUrl),
    }
}

/// All collections, with whose they are.
fn collections(call: &Call<'_>) -> Outcome<Reply> {
    let owner = call.state.user(&call.user).map(|user| user.full_name.clone());
    let shown = |one: &Collection| json!({"id": one.id, "name": one.name, "owner_name": owner});
    let page = call.page(call.state.collections.iter().map(shown).collect())?;
    let summary = page.summary(&[]);
    Ok(Reply::Json(
        200,
        json!({"collection_resource": {"collection_summary": summary, "collection": page.entries}}),
    ))
}

/// The caller.
pub(super) fn me(call: &Call<'_>) -> Reply {
    let user = call.state.user(&call.user);
    let shown = json!({
        "id": call.user, "login_name": user.map(|user| &user.login), "name": user.map(|user| &user.full_name),
        "role_name": user.map(|user| &user.role.1), "functional_enablement_tokens": user.map(|user| &user.rights),
    });
    Reply::Json(200, json!({"user_resource": {"user": shown}}))
}

fn policy(policy: &Policy, now: &str) -> Value {
    json!({
        "id": policy.id, "name": policy.name, "description": policy.name, "status": "ACTIVE",
        "ownership_type": "PUBLIC", "create_date": now, "last_update_date": now, "last_updated_by": "administrator",
    })
}

fn field(field: &Field, kind: &str) -> Value {
    json!({
        "type": kind, "id": field.id, "name": field.name, "data_type": field.kind, "domain_id": field.domain,
        "domained": field.domain.is_some(),
    })
}

fn model(model: &Model) -> Value {
    let groups: Vec<Value> = model
        .groups
        .iter()
        .map(|group| {
            let inner: Vec<Value> = group
                .elements
                .iter()
                .map(|element| match element {
                    Element::Field(one) => field(one, "com.artesia.metadata.MetadataField"),
                    Element::Table { id, name, columns } => {
                        let columns: Vec<Value> = columns
                            .iter()
                            .map(|column| field(column, "com.artesia.metadata.MetadataTableField"))
                            .collect();
                        json!({
                            "type": "com.artesia.metadata.MetadataTable", "id": id, "name": name,
                            "metadata_element_list": columns,
                        })
                    }
                })
                .collect();
            json!({
                "type": "com.artesia.metadata.MetadataCategory", "id": group.id, "name": group.name,
                "metadata_element_list": inner,
            })
        })
        .collect();
    json!({
        "type": "com.artesia.metadata.MetadataModel", "id": model.id, "name": model.name,
        "legacy_id": model.legacy_id, "metadata_element_list": groups,
    })
}

/// An address under which people look at assets outside of a task.
fn review(call: &mut Call<'_>) -> Outcome<Reply> {
    let ids: Vec<String> =
        call.params.required("asset_ids")?.split(',').map(|id| id.trim().to_owned()).collect();
    for id in &ids {
        call.state.asset(id)?;
    }
    let session = call.state.new_id();
    let address = format!("{}/otmm/ux-html/review?session={session}", call.base);
    Ok(Reply::Json(200, json!({"quick_session_resource": {"url": address, "session_id": session}})))
}
