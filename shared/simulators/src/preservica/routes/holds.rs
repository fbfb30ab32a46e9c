//! Legal holds, and which assets are under them.

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{ADMINISTRATOR, CONFIGURATION_MANAGER, Hold, HoldAssignment, Kind};
use super::super::xml::Element;
use super::structure::when;

/// There are holds since 9.1.
fn are_offered(call: &Call<'_>) -> bool {
    let mut parts =
        call.state.settings.version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) >= (9, 1)
}

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    if !are_offered(call) {
        return Err(Refusal::NoUrl);
    }
    if call.method != http::Method::GET {
        call.state.needs(&call.user, &[CONFIGURATION_MANAGER, ADMINISTRATOR])?;
    }
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let name = call.text("name");
            let found = call.state.holds.values().filter(|hold| name.is_none_or(|name| hold.name == name));
            let (entries, paging) = call.page(found.collect())?;
            let list = call
                .entity_element("LegalHolds")
                .children_from(entries.into_iter().map(|hold| shown(call, hold)));
            Ok(Reply::Xml(call.entity_element("LegalHoldsResponse").child(list).child(paging)))
        }
        ("POST", []) => {
            let (name, description) = written(call)?;
            let user = call.user.clone();
            let made = call.state.make_hold(&user, &name, &description)?;
            Ok(Reply::Xml(call.entity_element("LegalHoldResponse").child(shown(call, &made))))
        }
        ("GET", [reference]) => one(call, reference),
        ("PUT", [reference]) => {
            let (name, description) = written(call)?;
            let hold = call.state.holds.get_mut(*reference).ok_or_else(|| unknown(reference))?;
            (hold.name, hold.description) = (name, description);
            one(call, reference)
        }
        ("DELETE", [reference]) => {
            let is_used = call
                .state
                .entities
                .values()
                .any(|entity| entity.holds.iter().any(|hold| hold.hold == *reference));
            if is_used {
                return Err(Refusal::Refused(422, "There are assets under the legal hold".to_owned()));
            }
            call.state.holds.remove(*reference).ok_or_else(|| unknown(reference))?;
            Ok(Reply::Nothing(204))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn unknown(reference: &str) -> Refusal {
    Refusal::NotFound(format!("There is no legal hold {reference}"))
}

fn written(call: &Call<'_>) -> Outcome<(String, String)> {
    let element = call.xml("LegalHold")?;
    let text = |name: &str| element.text_of(name).unwrap_or_default();
    Ok((text("Name"), text("Description")))
}

fn one(call: &Call<'_>, reference: &str) -> Outcome<Reply> {
    let hold = call.state.holds.get(reference).ok_or_else(|| unknown(reference))?;
    Ok(Reply::Xml(call.entity_element("LegalHoldResponse").child(shown(call, hold))))
}

fn shown(call: &Call<'_>, hold: &Hold) -> Element {
    call.entity_element("LegalHold")
        .with("Ref", hold.reference.clone())
        .with("Name", hold.name.clone())
        .with("Description", hold.description.clone())
        .with("User", hold.user.clone())
        .with("CreatedDate", when(hold.created))
}

pub(super) fn assignments(call: &mut Call<'_>, (kind, asset): (Kind, &str), path: &[&str]) -> Outcome<Reply> {
    if kind != Kind::InformationObject || !are_offered(call) {
        return Err(Refusal::NoUrl);
    }
    let entity = call.state.living(kind, asset)?;
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let listed = entity.holds.iter().map(|hold| assigned(call, asset, hold));
            let list = call.entity_element("LegalHoldAssignments").children_from(listed);
            Ok(Reply::Xml(call.entity_element("LegalHoldAssignmentsResponse").child(list)))
        }
        ("POST", []) => {
            call.state.may_write(&call.user)?;
            let hold = call.xml("LegalHoldAssignmentRequest")?.text_of("LegalHoldRef").unwrap_or_default();
            let made = call.state.hold(asset, &hold)?;
            let shown = assigned(call, asset, &made);
            Ok(Reply::Xml(call.entity_element("LegalHoldAssignmentResponse").child(shown)))
        }
        ("DELETE", [hold]) => {
            call.state.may_write(&call.user)?;
            call.state.release(asset, hold)?;
            Ok(Reply::Nothing(204))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn assigned(call: &Call<'_>, asset: &str, hold: &HoldAssignment) -> Element {
    call.entity_element("LegalHoldAssignment")
        .with("Entity", asset)
        .with("AssignedDate", when(hold.since))
        .with("LegalHold", hold.hold.clone())
}
