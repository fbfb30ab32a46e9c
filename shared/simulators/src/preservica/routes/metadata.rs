//! Pieces of descriptive metadata.

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Fragment, Kind};
use super::super::xml::Element;

pub(super) fn route(call: &mut Call<'_>, (kind, reference): (Kind, &str), path: &[&str]) -> Outcome<Reply> {
    call.state.living(kind, reference)?;
    let user = call.user.clone();
    match (call.method.as_str(), path) {
        ("POST", []) => {
            call.state.may_write(&user)?;
            let (schema, content) = read(call)?;
            let made = call.state.describe(reference, &schema, content);
            call.state.happened("Modified", &user, "AddMetadata", &[reference.to_owned()]);
            answer(call, (kind, reference), &made)
        }
        ("GET", [fragment]) => answer(call, (kind, reference), fragment),
        ("PUT", [fragment]) => {
            call.state.may_write(&user)?;
            let (schema, content) = read(call)?;
            let entity = call.state.living_mut(kind, reference)?;
            let found = entity.fragments.iter_mut().find(|known| known.reference == *fragment);
            let found = found.ok_or_else(|| unknown(fragment))?;
            (found.schema, found.content) = (schema, content);
            call.state.happened("Modified", &user, "UpdateMetadata", &[reference.to_owned()]);
            answer(call, (kind, reference), fragment)
        }
        ("DELETE", [fragment]) => {
            call.state.may_write(&user)?;
            let entity = call.state.living_mut(kind, reference)?;
            let before = entity.fragments.len();
            entity.fragments.retain(|known| known.reference != *fragment);
            if entity.fragments.len() == before {
                return Err(unknown(fragment));
            }
            call.state.happened("Modified", &user, "DeleteMetadata", &[reference.to_owned()]);
            Ok(Reply::Nothing(204))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn unknown(fragment: &str) -> Refusal {
    Refusal::NotFound(format!("There is no metadata fragment {fragment}"))
}

fn read(call: &Call<'_>) -> Outcome<(String, Element)> {
    let container = call.xml("MetadataContainer")?;
    let content = container.find("Content").and_then(|content| content.elements().next());
    let content =
        content.ok_or_else(|| Refusal::Invalid("There is no Content with an element".to_owned()))?;
    let schema = container.value("schemaUri").unwrap_or(&content.namespace).to_owned();
    Ok((schema, content.clone()))
}

fn answer(call: &Call<'_>, (kind, reference): (Kind, &str), fragment: &str) -> Outcome<Reply> {
    let entity = call.state.living(kind, reference)?;
    let found = entity.fragments.iter().find(|known| known.reference == fragment);
    let Fragment { reference: own, schema, content } = found.ok_or_else(|| unknown(fragment))?;
    let container = call
        .xip_element("MetadataContainer")
        .attribute("schemaUri", schema.clone())
        .with("Ref", own.clone())
        .with("Entity", reference)
        .child(call.xip_element("Content").child(content.clone()));
    let own = call.address(&format!("{}/{reference}/metadata/{own}", kind.path()));
    let further = call.entity_element("AdditionalInformation").with("Self", own);
    Ok(Reply::Xml(call.entity_element("MetadataResponse").child(container).child(further)))
}
