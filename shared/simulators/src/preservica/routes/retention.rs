//! Retention policies, and which assets they are assigned to.

use super::super::call::{Call, RETENTION};
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{ADMINISTRATOR, Assignment, CONFIGURATION_MANAGER, FIELDS, Kind, MANAGER, Policy};
use super::super::xml::Element;

pub(super) fn policies(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    if call.method != http::Method::GET {
        call.state.needs(&call.user, &[MANAGER, CONFIGURATION_MANAGER, ADMINISTRATOR])?;
    }
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let (entries, paging) = call.page(call.state.policies.values().collect())?;
            let listed = entries.into_iter().map(|policy| {
                call.entity_element("RetentionPolicy")
                    .attribute("ref", policy.reference.clone())
                    .attribute("name", policy.field("Name"))
                    .text(call.address(&format!("retention-policies/{}", policy.reference)))
            });
            let list = call.entity_element("RetentionPolicies").children_from(listed);
            Ok(Reply::Xml(call.entity_element("RetentionPoliciesResponse").child(list).child(paging)))
        }
        ("POST", []) => {
            let fields = written(&call.xml("RetentionPolicy")?);
            let made = call.state.put_policy(None, fields)?;
            one(call, &made)
        }
        ("GET", [reference]) => one(call, reference),
        ("PUT", [reference]) => {
            known(call, reference)?;
            let fields = written(&call.xml("RetentionPolicy")?);
            call.state.put_policy(Some(reference), fields)?;
            one(call, reference)
        }
        ("DELETE", [reference]) => {
            known(call, reference)?;
            let is_used = |policy: &str| {
                call.state
                    .entities
                    .values()
                    .any(|entity| entity.retention.iter().any(|one| one.policy == policy))
            };
            if is_used(reference) {
                return Err(Refusal::Refused(422, "The policy is assigned to assets".to_owned()));
            }
            call.state.policies.remove(*reference);
            Ok(Reply::Nothing(204))
        }
        ("PUT", [reference, "assignable"]) => {
            known(call, reference)?;
            let assignable = call.word().to_lowercase();
            call.state.put_policy(Some(reference), vec![("Assignable".to_owned(), assignable)])?;
            one(call, reference)
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn known<'call>(call: &'call Call<'_>, reference: &str) -> Outcome<&'call Policy> {
    let found = call.state.policies.get(reference);
    found.ok_or_else(|| Refusal::NotFound(format!("There is no retention policy {reference}")))
}

fn written(element: &Element) -> Vec<(String, String)> {
    let field = |name: &&str| element.text_of(name).map(|text| ((*name).to_owned(), text));
    FIELDS.iter().filter_map(field).collect()
}

/// The policy must not be the root.
fn one(call: &Call<'_>, reference: &str) -> Outcome<Reply> {
    let policy = known(call, reference)?;
    let mut shown = Element::new(RETENTION, "RetentionPolicy").with("Ref", policy.reference.clone());
    for name in FIELDS {
        let text = match policy.field(name) {
            "" => None,
            text if name == "Assignable" => Some(text.to_lowercase()),
            text => Some(text.to_owned()),
        };
        shown = shown.with_some(name, text.as_deref());
    }
    Ok(Reply::Xml(call.entity_element("RetentionPolicyResponse").child(shown)))
}

pub(super) fn assignments(call: &mut Call<'_>, (kind, asset): (Kind, &str), path: &[&str]) -> Outcome<Reply> {
    if kind != Kind::InformationObject {
        return Err(Refusal::NoUrl);
    }
    let entity = call.state.living(kind, asset)?;
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let listed = entity.retention.iter().map(|assignment| shown(call, asset, assignment));
            let list = call.entity_element("RetentionAssignments").children_from(listed);
            Ok(Reply::Xml(call.entity_element("RetentionAssignmentsResponse").child(list)))
        }
        ("POST", []) => {
            call.state.may_write(&call.user)?;
            let policy = call.xml("RetentionAssignment")?.text_of("RetentionPolicy").unwrap_or_default();
            let made = call.state.assign(asset, &policy)?;
            let shown = shown(call, asset, &made);
            Ok(Reply::Xml(call.entity_element("RetentionAssignmentResponse").child(shown)))
        }
        ("DELETE", [api_id]) => {
            call.state.may_write(&call.user)?;
            let entity = call.state.living_mut(kind, asset)?;
            let before = entity.retention.len();
            entity.retention.retain(|known| known.api_id != *api_id);
            if entity.retention.len() == before {
                return Err(Refusal::NotFound(format!("There is no assignment {api_id}")));
            }
            let user = call.user.clone();
            call.state.happened("Modified", &user, "RemoveRetention", &[asset.to_owned()]);
            Ok(Reply::Nothing(204))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn shown(call: &Call<'_>, asset: &str, assignment: &Assignment) -> Element {
    Element::new(RETENTION, "RetentionAssignment")
        .with("ApiId", assignment.api_id.clone())
        .with("RetentionPolicy", assignment.policy.clone())
        .with("Entity", asset)
        .with("StartDate", super::structure::when(assignment.start))
        .with("Expired", call.state.is_expired(assignment).to_string())
}
