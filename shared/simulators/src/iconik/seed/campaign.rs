//! Collections and assets.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::people::{EDITOR, PRODUCER};
use crate::iconik::state::{Object, Outcome, State};

fn map(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

/// The time so many hours before the start.
fn hours_before(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(now)
}

/// Title, category and collection of an asset, and who made it.
fn asset(state: &mut State, collection: &str, user: &str, given: Value) -> Outcome<String> {
    let id = state.create_asset(user, map(given))?;
    state.join(user, "assets", &id, collection)?;
    Ok(id)
}

fn collection(state: &mut State, parent: Option<&str>, given: Value) -> Outcome<String> {
    let mut given = map(given);
    if let Some(parent) = parent {
        given.insert("parent_id".to_owned(), parent.into());
    }
    state.create_collection(PRODUCER, given)
}

pub(super) fn add(state: &mut State, now: Timestamp) -> Outcome<()> {
    state.now = hours_before(now, 30 * 24);
    relation_types(state)?;
    let productions = collection(state, None, json!({"title": "Productions"}))?;
    let campaign = json!({"title": "Harbour Lights", "external_id": "CMP-2031-014", "category": "campaign"});
    let campaign = collection(state, Some(&productions), campaign)?;
    harbour_lights(state, &campaign, now)?;
    state.now = hours_before(now, 20);
    let newsroom = collection(state, None, json!({"title": "Newsroom"}))?;
    let evening = collection(state, Some(&newsroom), json!({"title": "Evening news", "category": "news"}))?;
    let report = json!({"title": "Ferry terminal opens", "type": "ASSET", "category": "news", "external_id": "NEWS-88121"});
    asset(state, &evening, EDITOR, report)?;
    let healthcare = collection(state, None, json!({"title": "Healthcare"}))?;
    let patients = collection(
        state,
        Some(&healthcare),
        json!({"title": "Patient information", "category": "healthcare"}),
    )?;
    let explainer = json!({
        "title": "Using the inhaler", "type": "ASSET", "category": "healthcare", "external_id": "HC-204",
        "warning": "Regulated content: approval by medical and legal review needed.",
    });
    let explainer = asset(state, &patients, PRODUCER, explainer)?;
    state.add_version(PRODUCER, &explainer, &Object::new())?;
    Ok(())
}

fn relation_types(state: &mut State) -> Outcome<()> {
    for (name, source, destination) in [
        ("derived_from", "is derived from", "is the source of"),
        ("rights_document", "has rights document", "is a rights document of"),
        ("reference", "refers to", "is referred to by"),
    ] {
        let given = json!({"name": name, "source_label": source, "destination_label": destination});
        state.create_relation_type(&map(given))?;
    }
    Ok(())
}

fn harbour_lights(state: &mut State, campaign: &str, now: Timestamp) -> Outcome<()> {
    let mut part = |title: &str| collection(state, Some(campaign), json!({ "title": title }));
    let (footage, edit, finals) = (part("Footage")?, part("Edit")?, part("Finals")?);
    let (stills, documents) = (part("Stills")?, part("Documents")?);

    state.now = hours_before(now, 25 * 24);
    let dawn = json!({"title": "Harbour at dawn", "type": "ASSET", "category": "footage", "external_id": "CAM-A003"});
    let dawn = asset(state, &footage, EDITOR, dawn)?;
    let opening = json!({"title": "Opening shot (image sequence)", "type": "ASSET", "category": "footage"});
    asset(state, &footage, EDITOR, opening)?;
    let interview =
        json!({"title": "Harbour master: interview & b-roll", "type": "ASSET", "category": "footage"});
    asset(state, &footage, EDITOR, interview)?;
    let subclip = json!({
        "title": "Lighthouse turns on", "type": "SUBCLIP", "category": "footage", "original_asset_id": dawn,
        "time_start_milliseconds": 12_000, "time_end_milliseconds": 19_500,
    });
    asset(state, &footage, EDITOR, subclip)?;

    state.now = hours_before(now, 12 * 24);
    asset(
        state,
        &edit,
        EDITOR,
        json!({"title": "Harbour Lights edit", "type": "NLE_PROJECT", "category": "project"}),
    )?;
    asset(
        state,
        &edit,
        EDITOR,
        json!({"title": "Harbour Lights timeline", "type": "SEQUENCE", "category": "project"}),
    )?;
    let rejected = json!({"title": "Harbour Lights teaser (rejected)", "type": "ASSET", "category": "final"});
    let rejected = asset(state, &edit, EDITOR, rejected)?;

    state.now = hours_before(now, 9 * 24);
    let master = json!({
        "title": "Harbour Lights 60s master", "type": "ASSET", "category": "final", "external_id": "CMP-2031-014-060",
    });
    let master = asset(state, &finals, EDITOR, master)?;
    let short = json!({
        "title": "Harbour Lights 30s", "type": "ASSET", "category": "final", "external_id": "CMP-2031-014-030",
    });
    let short = asset(state, &finals, EDITOR, short)?;
    asset(
        state,
        &finals,
        PRODUCER,
        json!({"title": "Harbour Lights 15s vertical", "type": "PLACEHOLDER", "category": "final"}),
    )?;
    state.now = hours_before(now, 6 * 24);
    state.add_version(EDITOR, &master, &Object::new())?;
    state.add_version(EDITOR, &short, &Object::new())?;
    state.now = hours_before(now, 4 * 24);
    state.add_version(EDITOR, &master, &Object::new())?;
    state.relate(EDITOR, &short, "derived_from", &master, Some("Cut down from the master"))?;

    let poster =
        json!({"title": "Key visual (Søndre pier) – ヨコハマ version", "type": "ASSET", "category": "still"});
    asset(state, &stills, EDITOR, poster)?;
    let brief = json!({
        "title": "Creative brief", "type": "LINK", "category": "document",
        "external_link": "https://ecm.example.com/otcs/cs.exe/app/nodes/3104", "external_id": "3104",
    });
    let brief = asset(state, &documents, PRODUCER, brief)?;
    state.relate(PRODUCER, &master, "reference", &brief, None)?;

    state.now = hours_before(now, 2);
    state.delete(PRODUCER, "assets", &rejected)
}
