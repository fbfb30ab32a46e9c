//! Folders, assets and content objects themselves.

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Entity, Kind, Representation};
use super::super::xml::Element;

pub(super) fn route(call: &mut Call<'_>, (kind, reference): (Kind, &str)) -> Outcome<Reply> {
    match call.method.as_str() {
        "GET" => {
            // A deleted one stays readable, and says that it is.
            let found = call.state.entities.get(reference).filter(|entity| entity.kind == kind);
            let unknown = || Refusal::NotFound(format!("No {} with reference {reference}", kind.path()));
            Ok(Reply::Xml(shown(call, found.ok_or_else(unknown)?)))
        }
        "PUT" => change(call, kind, reference),
        "DELETE" => {
            call.state.may_write(&call.user)?;
            let action = call.xml("DeletionAction")?;
            if action.find("Submission").and_then(|submission| submission.find("Comment")).is_none() {
                return Err(Refusal::Invalid("There is no Submission with a Comment".to_owned()));
            }
            let user = call.user.clone();
            Ok(Reply::Text(202, call.state.ask_removal(&user, kind, reference)?))
        }
        _ => Err(Refusal::NoUrl),
    }
}

/// What is written of an entity.
struct Written {
    reference: Option<String>,
    title: String,
    description: Option<String>,
    tag: Option<String>,
    custom_type: Option<String>,
    parent: Option<String>,
}

fn written(element: &Element) -> Outcome<Written> {
    let some = |name: &str| element.text_of(name).filter(|text| !text.is_empty());
    Ok(Written {
        reference: some("Ref"),
        title: some("Title").ok_or_else(|| Refusal::Invalid("A title is needed".to_owned()))?,
        description: some("Description"),
        tag: some("SecurityTag"),
        custom_type: some("CustomType"),
        parent: some("Parent"),
    })
}

/// A new folder, or an asset that is a thing without files.
pub(super) fn make(call: &mut Call<'_>, kind: Kind) -> Outcome<Reply> {
    if call.method != http::Method::POST {
        return Err(Refusal::NoUrl);
    }
    call.state.may_write(&call.user)?;
    let (element, representation) = match kind {
        Kind::StructuralObject => (call.xml("StructuralObject")?, None),
        Kind::InformationObject => {
            let document = call.xml("XIP")?;
            let asset = document.find("InformationObject");
            let asset = asset.ok_or_else(|| Refusal::Invalid("There is no InformationObject".to_owned()))?;
            (asset.clone(), document.find("Representation").cloned())
        }
        Kind::ContentObject => return Err(Refusal::NoUrl),
    };
    let Written { reference, title, description, tag, custom_type, parent } = written(&element)?;
    let draft = call.state.draft(kind, &title);
    let representations = representation.iter().map(|one| Representation {
        kind: one.text_of("Type").unwrap_or_else(|| "Physical".to_owned()),
        name: one.text_of("Name").unwrap_or_default(),
        content_objects: Vec::new(),
    });
    let entity = Entity {
        reference: reference.unwrap_or_else(|| draft.reference.clone()),
        description,
        security_tag: tag.unwrap_or_else(|| draft.security_tag.clone()),
        custom_type,
        parent,
        representations: representations.collect(),
        ..draft
    };
    let made = call.state.add(entity)?;
    let user = call.user.clone();
    call.state.happened("Modified", &user, "command_create", std::slice::from_ref(&made));
    Ok(Reply::Xml(shown(call, call.state.living(kind, &made)?)))
}

/// Title, description and custom type; tag and place have calls of their own.
fn change(call: &mut Call<'_>, kind: Kind, reference: &str) -> Outcome<Reply> {
    call.state.may_write(&call.user)?;
    let Written { title, description, custom_type, .. } = written(&call.xml(kind.element())?)?;
    let entity = call.state.living_mut(kind, reference)?;
    entity.title = title;
    entity.description = description;
    entity.custom_type = custom_type;
    let user = call.user.clone();
    call.state.happened("Modified", &user, "command_update", &[reference.to_owned()]);
    Ok(Reply::Xml(shown(call, call.state.living(kind, reference)?)))
}

pub(super) fn retag(call: &mut Call<'_>, of: (Kind, &str)) -> Outcome<Reply> {
    only_put(call)?;
    let with_descendants =
        call.text("includeDescendants").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let (user, tag) = (call.user.clone(), call.word());
    Ok(Reply::Text(202, call.state.retag(&user, of, &tag, with_descendants)?))
}

pub(super) fn relocate(call: &mut Call<'_>, of: (Kind, &str)) -> Outcome<Reply> {
    only_put(call)?;
    let (user, to) = (call.user.clone(), call.word());
    Ok(Reply::Text(202, call.state.relocate(&user, of, &to)?))
}

fn only_put(call: &Call<'_>) -> Outcome<()> {
    match call.method.as_str() {
        "PUT" => call.state.may_write(&call.user),
        _ => Err(Refusal::NoUrl),
    }
}

/// What is in a folder, or at the root.
pub(super) fn children(call: &mut Call<'_>, parent: Option<&str>) -> Outcome<Reply> {
    if call.method != http::Method::GET {
        return Err(Refusal::NoUrl);
    }
    let (entries, paging) = call.page(call.state.children(parent))?;
    let listed = entries.into_iter().map(|child| {
        let address = call.address(&format!("{}/{}", child.kind.path(), child.reference));
        call.entity_element("Child")
            .attribute("title", child.title.clone())
            .attribute("ref", child.reference.clone())
            .attribute("type", child.kind.short())
            .text(address)
    });
    let list = call.entity_element("Children").children_from(listed);
    Ok(Reply::Xml(call.entity_element("ChildrenResponse").child(list).child(paging)))
}

/// An entity as it is answered.
pub(super) fn shown(call: &Call<'_>, entity: &Entity) -> Element {
    let own = call.address(&format!("{}/{}", entity.kind.path(), entity.reference));
    let mut itself = call
        .xip_element(entity.kind.element())
        .with("Ref", entity.reference.clone())
        .with("Title", entity.title.clone())
        .with_some("Description", entity.description.as_deref())
        .with("SecurityTag", entity.security_tag.clone())
        .with_some("CustomType", entity.custom_type.as_deref())
        .with_some("Parent", entity.parent.as_deref());
    if entity.deleted {
        itself = itself.with("Deleted", "true");
    }
    let fragments = entity.fragments.iter().map(|fragment| {
        call.entity_element("Fragment")
            .attribute("schema", fragment.schema.clone())
            .text(format!("{own}/metadata/{}", fragment.reference))
    });
    let below = match entity.kind {
        Kind::StructuralObject => ("Children", "children"),
        Kind::InformationObject => ("Representations", "representations"),
        Kind::ContentObject => ("Generations", "generations"),
    };
    let further = call
        .entity_element("AdditionalInformation")
        .with("Self", own.clone())
        .with("Identifiers", format!("{own}/identifiers"))
        .child(call.entity_element("Metadata").children_from(fragments))
        .with(below.0, format!("{own}/{}", below.1))
        .with("Links", format!("{own}/links"))
        .with("EventActions", format!("{own}/event-actions"));
    call.entity_element("EntityResponse").child(itself).child(further)
}
