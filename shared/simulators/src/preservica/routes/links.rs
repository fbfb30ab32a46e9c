//! What leads from one entity to another.

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::Kind;

pub(super) fn route(call: &mut Call<'_>, (kind, reference): (Kind, &str), path: &[&str]) -> Outcome<Reply> {
    call.state.living(kind, reference)?;
    let user = call.user.clone();
    match (call.method.as_str(), path) {
        ("GET", []) => list(call, reference),
        ("POST", []) => {
            call.state.may_write(&user)?;
            add(call, reference)
        }
        ("DELETE", [api_id]) => {
            call.state.may_write(&user)?;
            call.state.unlink(&user, reference, api_id)?;
            Ok(Reply::Nothing(204))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn list(call: &Call<'_>, reference: &str) -> Outcome<Reply> {
    let (entries, paging) = call.page(call.state.links_of(reference))?;
    let listed = entries.into_iter().map(|(link, direction, other)| {
        call.entity_element("Link")
            .attribute("linkType", link.kind.clone())
            .attribute("linkDirection", direction)
            .attribute("title", other.title.clone())
            .attribute("ref", other.reference.clone())
            .attribute("type", other.kind.short())
            .attribute("apiId", link.api_id.clone())
            .text(call.address(&format!("{}/{}", other.kind.path(), other.reference)))
    });
    let list = call.entity_element("Links").children_from(listed);
    Ok(Reply::Xml(call.entity_element("LinksResponse").child(list).child(paging)))
}

fn add(call: &mut Call<'_>, reference: &str) -> Outcome<Reply> {
    let asked = call.xml("Link")?;
    let some = |name: &str| {
        let text = asked.text_of(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| Refusal::Invalid(format!("A link needs a {name}")))
    };
    let (kind, from, to) = (some("Type")?, some("FromEntity")?, some("ToEntity")?);
    if from != reference {
        return Err(Refusal::Invalid("A link is made at the entity that it leads from".to_owned()));
    }
    let user = call.user.clone();
    let made = call.state.link(&user, &kind, (&from, &to))?;
    let shown = call
        .xip_element("Link")
        .with("ApiId", made.api_id)
        .with("Type", made.kind)
        .with("FromEntity", made.from)
        .with("ToEntity", made.to);
    Ok(Reply::Xml(call.entity_element("LinkResponse").child(shown)))
}
