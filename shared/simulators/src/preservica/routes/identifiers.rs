//! What others call an entity.

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Identifier, Kind};
use super::super::xml::Element;

pub(super) fn route(call: &mut Call<'_>, (kind, reference): (Kind, &str), path: &[&str]) -> Outcome<Reply> {
    let entity = call.state.living(kind, reference)?;
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let (entries, paging) = call.page(entity.identifiers.iter().collect())?;
            let listed = entries.into_iter().map(|identifier| shown(call, reference, identifier));
            let list = call.entity_element("Identifiers").children_from(listed);
            Ok(Reply::Xml(call.entity_element("IdentifiersResponse").child(list).child(paging)))
        }
        ("POST", []) => {
            call.state.may_write(&call.user)?;
            let (kind_of_it, value) = read(call)?;
            let user = call.user.clone();
            let api_id = call.state.identify(reference, &kind_of_it, &value);
            call.state.happened("Modified", &user, "AddIdentifier", &[reference.to_owned()]);
            let stored = Identifier { api_id, kind: kind_of_it, value };
            let list = call.entity_element("Identifiers").child(shown(call, reference, &stored));
            Ok(Reply::Xml(call.entity_element("IdentifiersResponse").child(list)))
        }
        ("PUT" | "DELETE", [api_id]) => change(call, (kind, reference), api_id),
        _ => Err(Refusal::NoUrl),
    }
}

fn change(call: &mut Call<'_>, (kind, reference): (Kind, &str), api_id: &str) -> Outcome<Reply> {
    call.state.may_write(&call.user)?;
    let put = match call.method.as_str() {
        "PUT" => Some(read(call)?),
        _ => None,
    };
    let unknown = || Refusal::NotFound(format!("There is no identifier {api_id}"));
    let entity = call.state.living_mut(kind, reference)?;
    let at = entity.identifiers.iter().position(|known| known.api_id == api_id).ok_or_else(unknown)?;
    let (command, stored) = match put {
        Some((kind, value)) => {
            let stored = Identifier { api_id: api_id.to_owned(), kind, value };
            if let Some(place) = entity.identifiers.get_mut(at) {
                *place = stored.clone();
            }
            ("UpdateIdentifier", Some(stored))
        }
        None => {
            entity.identifiers.remove(at);
            ("DeleteIdentifier", None)
        }
    };
    let user = call.user.clone();
    call.state.happened("Modified", &user, command, &[reference.to_owned()]);
    match stored {
        Some(stored) if !call.state.settings.identifier_update_empty => {
            let list = call.entity_element("Identifiers").child(shown(call, reference, &stored));
            Ok(Reply::Xml(call.entity_element("IdentifiersResponse").child(list)))
        }
        _ => Ok(Reply::Nothing(204)),
    }
}

fn read(call: &Call<'_>) -> Outcome<(String, String)> {
    let element = call.xml("Identifier")?;
    let some = |name: &str| {
        let text = element.text_of(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| Refusal::Invalid(format!("An identifier needs a {name}")))
    };
    Ok((some("Type")?, some("Value")?))
}

fn shown(call: &Call<'_>, entity: &str, identifier: &Identifier) -> Element {
    call.xip_element("Identifier")
        .with("ApiId", identifier.api_id.clone())
        .with("Type", identifier.kind.clone())
        .with("Value", identifier.value.clone())
        .with("Entity", entity)
}
