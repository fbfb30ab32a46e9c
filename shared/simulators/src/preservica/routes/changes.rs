//! What is found over all entities: by identifier, by when it changed, by what was done.

use jiff::Timestamp;

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Entity, Kind};
use super::super::xml::Element;
use super::entities;
use super::structure::{event_action, shown_event};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Outcome<Reply> {
    if call.method != http::Method::GET {
        return Err(Refusal::NoUrl);
    }
    match path {
        ["root", "children"] => entities::children(call, None),
        ["entities", "by-identifier"] => by_identifier(call),
        ["entities", "updated-since"] => updated_since(call),
        ["events"] => events(call),
        ["events", event, "event-actions"] => {
            let found = call.state.events.iter().find(|known| known.reference == *event);
            let event = found.ok_or_else(|| Refusal::NotFound(format!("There is no event {event}")))?;
            let (entries, paging) = call.page(event.actions.iter().collect())?;
            let listed = entries.into_iter().map(|action| event_action(call, event, action));
            let list = call.entity_element("EventActions").children_from(listed);
            Ok(Reply::Xml(call.entity_element("EventActionsResponse").child(list).child(paging)))
        }
        _ => Err(Refusal::NoUrl),
    }
}

fn by_identifier(call: &Call<'_>) -> Outcome<Reply> {
    let (kind, value) = (call.required("type")?, call.required("value")?);
    let (entries, paging) = call.page(call.state.identified(&kind, &value))?;
    let list =
        call.entity_element("Entities").children_from(entries.into_iter().map(|entity| light(call, entity)));
    Ok(Reply::Xml(call.entity_element("EntitiesResponse").child(list).child(paging)))
}

/// An entity in a list. One that was deleted has neither type nor title.
fn light(call: &Call<'_>, entity: &Entity) -> Element {
    let address = call.address(&format!("{}/{}", entity.kind.path(), entity.reference));
    let shown = call.entity_element("Entity").attribute("ref", entity.reference.clone());
    let shown = match (entity.deleted, &entity.description) {
        (true, _) => shown.attribute("deleted", "true"),
        (false, description) => {
            let shown = shown.attribute("title", entity.title.clone()).attribute("type", entity.kind.short());
            match description {
                Some(description) => shown.attribute("description", description.clone()),
                None => shown,
            }
        }
    };
    shown.text(address)
}

/// A time with an offset, or without one, which then is UTC.
fn moment(text: &str) -> Outcome<Timestamp> {
    let read = text.parse::<Timestamp>().ok().or_else(|| {
        let naive = text.parse::<jiff::civil::DateTime>().ok()?;
        naive.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    });
    read.ok_or_else(|| Refusal::Invalid(format!("{text} is no date")))
}

fn updated_since(call: &Call<'_>) -> Outcome<Reply> {
    let since = moment(&call.required("date")?)?;
    let until = call.text("endDate").map(moment).transpose()?;
    let (entries, paging) = call.page(call.state.changed_since(since, until))?;
    let list =
        call.entity_element("Entities").children_from(entries.into_iter().map(|entity| light(call, entity)));
    Ok(Reply::Xml(call.entity_element("EntitiesResponse").child(list).child(paging)))
}

fn events(call: &Call<'_>) -> Outcome<Reply> {
    let (from, to) = (call.text("from").map(moment).transpose()?, call.text("to").map(moment).transpose()?);
    let kinds: Vec<&str> = call.text("types").map(|types| types.split(',').collect()).unwrap_or_default();
    let user = call.text("username");
    let found = call.state.events.iter().filter(|event| {
        (kinds.is_empty() || kinds.contains(&event.kind.as_str()))
            && from.is_none_or(|from| event.date >= from)
            && to.is_none_or(|to| event.date <= to)
            && user.is_none_or(|user| event.user == user)
    });
    let (entries, paging) = call.page(found.collect())?;
    let list = call
        .entity_element("Events")
        .children_from(entries.into_iter().map(|event| shown_event(call, event)));
    Ok(Reply::Xml(call.entity_element("EventsResponse").child(list).child(paging)))
}

/// What was done to an entity, oldest first.
pub(super) fn events_of(call: &mut Call<'_>, (kind, reference): (Kind, &str)) -> Outcome<Reply> {
    if call.method != http::Method::GET {
        return Err(Refusal::NoUrl);
    }
    let known = call.state.entities.get(reference).filter(|entity| entity.kind == kind);
    known.ok_or_else(|| Refusal::NotFound(format!("No {} with reference {reference}", kind.path())))?;
    let (entries, paging) = call.page(call.state.events_of(reference).collect())?;
    let listed = entries.into_iter().map(|(event, action)| event_action(call, event, action));
    let list = call.entity_element("EventActions").children_from(listed);
    Ok(Reply::Xml(call.entity_element("EventActionsResponse").child(list).child(paging)))
}
