//! The stories of `request-disposition`.

use std::time::Duration;

use iconik_content_server::{
    REQUEST_DISPOSITION,
    request_disposition::{SCHEDULED, certificate},
};
use serde_json::{Value, json};
use simulators::{
    content_server::{
        self, Blob, State, seed,
        state::{ADMIN, NewNode, NewVersion, kind, workflows::ProcessStatus},
    },
    iconik::{
        self,
        seed::{media::SHORT, metadata::GOVERNANCE_VIEW},
    },
};
use tests::{
    messages,
    storm::{Broken, IconikIntervention, Intervention, Made, Meanwhile, Scenario, World},
};

const FLOW: &str = "request-disposition";
const FILM: &str = "Harbour Lights.mov";

/// The asset that goes out of use.
fn asset(world: &World) -> String {
    world.iconik().with_state(|state| state.titled(SHORT)).expect("the asset")
}

/// Rules of one rule whose review is `review`, with these lines about the outcome.
pub(crate) fn rules(review: &str, outcome: &str) -> &'static str {
    format!(
        r#"
[iconik]
view = "{view}"
status = "AssetStatus"
outcome = "DispositionOutcome"
state = "ContentServerState"
hold = "LegalHold"
node = "ContentServerNode"
states = {{ held = "under_hold", in-review = "in_signoff", retained = "filed", archived = "archived", destroyed = "destroyed", withdrawn = "filed" }}

[certificates]
folder = "Enterprise:Digitised Archive/Certificates"
class = "Records:File Plan/ARC-DIGITISED"

[[rule]]
name = "obsolete"
status = ["obsolete", "expired"]

[rule.record]
status = "INACTIVE"
retained = "ACTIVE"
class = "Records:File Plan/ARC-DIGITISED"

[rule.review]
{review}

[rule.outcome]
{outcome}
"#,
        view = GOVERNANCE_VIEW
    )
    .leak()
}

pub(crate) const WORKFLOW: &str = r#"map = "Enterprise:Workflow Maps/Disposition Review"
title = "Disposition of {asset.title}"
attributes = { Reason = "{asset.status}" }
step = "Decide"
decisions = { retain = ["Retain"], archive = ["Archive"], destroy = ["Destroy"] }"#;

const CATEGORY: &str = r#"category = "Categories:Integration/Publication"
asked_for = "Reason"
decision = "State"
decisions = { retain = ["keep"], destroy = ["delete"] }"#;

const PEOPLE: &[Intervention] = &[
    Intervention { name: "a hold", act: hold },
    Intervention { name: "a hold on the folder", act: hold_folder },
    Intervention { name: "the decision is changed", act: change_mind },
    Intervention { name: "the workflow is deleted", act: delete_workflow },
];

const IN_ICONIK: &[IconikIntervention] =
    &[IconikIntervention { name: "the asset is in use again", act: back_in_use }];

const ALL: Duration = Duration::from_secs(5);

/// The next round: what came too late for one is seen by the next.
const LATER: Meanwhile = Meanwhile { after: ALL, what: |world| Box::pin(later(world)) };

const RETAINED: &[Meanwhile] =
    &[Meanwhile { after: ALL, what: |world| Box::pin(decided(world, "Retain")) }, LATER];
const ARCHIVED: &[Meanwhile] =
    &[Meanwhile { after: ALL, what: |world| Box::pin(decided(world, "Archive")) }, LATER];
const DESTROYED: &[Meanwhile] =
    &[Meanwhile { after: ALL, what: |world| Box::pin(decided(world, "Destroy")) }, LATER];
const WRITTEN: &[Meanwhile] = &[Meanwhile { after: ALL, what: |world| Box::pin(written(world)) }, LATER];
const LIFTED: &[Meanwhile] = &[Meanwhile { after: ALL, what: |world| Box::pin(lifted(world)) }, LATER];
const HELD_THEN_LIFTED: &[Meanwhile] = &[
    Meanwhile {
        after: ALL,
        what: |world| {
            Box::pin(async {
                hold(&world.content_server);
                decided(world, "Destroy").await;
            })
        },
    },
    Meanwhile { after: Duration::from_secs(600), what: |world| Box::pin(lifted(world)) },
    LATER,
    LATER,
];

fn story(
    name: &'static str,
    rules: &'static str,
    meanwhile: &'static [Meanwhile],
    clean: (usize, usize, usize),
) -> Scenario {
    Scenario {
        // Calls take time, so that what happens before one happened before it.
        switches: |settings| settings.latency_milliseconds = 20,
        interventions: PEOPLE,
        in_iconik: IN_ICONIK,
        meanwhile,
        promise: Some(nothing_under_a_hold),
        ..Scenario::of_iconik(name, &REQUEST_DISPOSITION, rules, obsolete, hint, clean)
    }
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let asset = "destroy = \"asset\"";
    vec![
        story("an obsolete asset is asked about once", rules(WORKFLOW, asset), &[], (1, 1, 0)),
        story("it is to be retained", rules(WORKFLOW, asset), RETAINED, (2, 3, 0)),
        story(
            "it is to be archived",
            rules(WORKFLOW, "archive_formats = [\"ORIGINAL\"]\ndestroy = \"asset\""),
            ARCHIVED,
            (2, 3, 0),
        ),
        story("it is to be destroyed", rules(WORKFLOW, asset), DESTROYED, (2, 3, 0)),
        story(
            "it is to be destroyed on both sides",
            rules(WORKFLOW, "destroy = \"asset-and-documents\""),
            DESTROYED,
            (2, 3, 0),
        ),
        story("a category says that it is to be destroyed", rules(CATEGORY, asset), WRITTEN, (2, 3, 0)),
        Scenario {
            prepare: obsolete_and_held,
            interventions: &[],
            ..story("a hold is lifted before it is asked about", rules(WORKFLOW, asset), LIFTED, (1, 4, 0))
        },
        Scenario {
            interventions: &[],
            promise: Some(done_once_the_hold_is_lifted),
            ..story(
                "a hold is lifted after it was decided",
                rules(WORKFLOW, asset),
                HELD_THEN_LIFTED,
                (2, 6, 0),
            )
        },
    ]
}

// --- what there is ---------------------------------------------------------------------------------------------------

/// The film is filed, and its asset is obsolete.
pub(crate) fn obsolete(world: &World) {
    let node = world.content_server.with_state(|state| {
        let archive = state.at("Digitised Archive").expect("the archive").id;
        let content = Blob::of(b"a film of thirty seconds".to_vec());
        let new = NewNode {
            kind: kind::DOCUMENT,
            parent_id: archive,
            name: FILM.to_owned(),
            version: Some(NewVersion::of(FILM, "video/quicktime", content)),
            ..NewNode::default()
        };
        state.create(seed::WAYBILL, new).expect("a document")
    });
    set(world.iconik(), "ContentServerNode", &json!(node));
    set(world.iconik(), "AssetStatus", &json!("obsolete"));
}

fn obsolete_and_held(world: &World) {
    obsolete(world);
    hold(&world.content_server);
}

/// Sets a field of the asset, as the producer does.
pub(crate) fn set(iconik: &iconik::Simulator, field: &str, value: &Value) {
    iconik.with_state(|state| {
        let asset = state.titled(SHORT).expect("the asset");
        let values = json!({field: {"field_values": [{"value": value}]}});
        let (view, values) = (GOVERNANCE_VIEW, values.as_object().cloned().unwrap_or_default());
        state
            .write_values(iconik::seed::PRODUCER, ("assets", &asset), view, &values, false)
            .expect("written");
    });
}

pub(crate) fn hint(world: &World) -> Vec<String> {
    vec![messages::iconik_change(FLOW, "assets", &asset(world), None, "status")]
}

fn film(state: &State) -> Option<i64> {
    state.at(&format!("Digitised Archive/{FILM}")).map(|node| node.id)
}

// --- what people do --------------------------------------------------------------------------------------------------

pub(crate) fn hold(server: &content_server::Simulator) {
    server.with_state(|state| {
        if let Some(node) = film(state) {
            state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold");
        }
    });
}

fn hold_folder(server: &content_server::Simulator) {
    server.with_state(|state| {
        state.apply_hold(ADMIN, seed::ARCHIVE, seed::FLOOD_HOLD).expect("a hold");
    });
}

/// What is said of a decision that was turned round.
const RECONSIDERED: &str = "reconsidered";

/// The records manager turns the decision round after the workflow has ended.
fn change_mind(server: &content_server::Simulator) {
    server.with_state(|state| {
        for process in state.processes.values_mut().filter(|one| one.status == ProcessStatus::Completed) {
            for finished in &mut process.finished {
                "Retain".clone_into(&mut finished.action);
                RECONSIDERED.clone_into(&mut finished.comment);
            }
        }
    });
}

pub(crate) fn delete_workflow(server: &content_server::Simulator) {
    server.with_state(|state| {
        let all: Vec<i64> = state.processes.keys().copied().collect();
        all.into_iter().for_each(|process| state.delete_process(ADMIN, process).expect("deleted"));
    });
}

/// Somebody finds a use for it.
fn back_in_use(iconik: &iconik::Simulator) {
    let is_there = iconik.with_state(|state| {
        let asset = state.titled(SHORT);
        asset.is_some_and(|asset| !state.is_deleted("assets", &asset))
    });
    if is_there {
        set(iconik, "AssetStatus", &json!("active"));
    }
}

/// Waits until nothing is under way: a worker looks at an empty queue every 20 seconds, and a message that a dead one had
/// is seen again after minutes.
async fn calm(world: &World) {
    for _ in 0..720 {
        if world.waiting() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}

pub(crate) fn round(world: &World) -> String {
    let time = world.context.now().to_string();
    json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time}).to_string()
}

/// The records manager decides, and a round follows.
pub(crate) async fn decided(world: &World, decision: &'static str) {
    calm(world).await;
    world.content_server.with_state(|state| {
        let open = state.processes.values().filter(|one| one.status == ProcessStatus::Running);
        let open: Vec<i64> = open.map(|process| process.id).collect();
        for process in open {
            state.finish_task(ADMIN, process, 1, decision, "as the plan says").expect("decided");
        }
    });
    world.send(&round(world)).await;
}

/// The records manager writes the decision into the category, and a round follows.
async fn written(world: &World) {
    calm(world).await;
    world.content_server.with_state(|state| {
        let Some(node) = film(state) else { return };
        let asked = state.value_of(node, "Publication", "Reason").cloned();
        if asked.is_some_and(|asked| asked.as_str().is_some_and(|asked| !asked.is_empty())) {
            let values = json!({"2": "delete"}).as_object().cloned().unwrap_or_default();
            state.edit_category(ADMIN, node, seed::PUBLICATION, &values, None).expect("written");
        }
    });
    world.send(&round(world)).await;
}

/// The hold is lifted, and a round follows.
async fn lifted(world: &World) {
    calm(world).await;
    world.content_server.with_state(|state| {
        if let Some(node) = film(state) {
            // A second time there is none.
            let _ = state.remove_hold(ADMIN, node, seed::FLOOD_HOLD);
        }
    });
    world.send(&round(world)).await;
}

async fn later(world: &World) {
    calm(world).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    world.send(&round(world)).await;
}

// --- what must hold --------------------------------------------------------------------------------------------------

/// G6: what went into the recycle bin went there on a decision that stands, when no hold was in force, and left one
/// certificate that verifies; what did not has none. G1: it is asked about once.
fn nothing_under_a_hold(world: &World, clean: &Made) -> Result<(), Broken> {
    kept(world, clean, |made| made.iconik.clone())
}

/// The same where a hold may come before or after it is asked about, as the night goes: whatever was told of the hold, in
/// the end what was decided is done, and told once.
fn done_once_the_hold_is_lifted(world: &World, clean: &Made) -> Result<(), Broken> {
    kept(world, clean, |made| {
        let turn = regex::Regex::new(r" \([0-9.]+\):").expect("a pattern");
        let is_meant =
            |fact: &&String| !fact.contains(": history ") || fact.contains("Content Server decided");
        made.iconik.iter().filter(is_meant).map(|fact| turn.replace(fact, ":").into_owned()).collect()
    })
}

/// `of` gives what must be in iconik as after a clean run, in the end.
fn kept(world: &World, clean: &Made, of: fn(&Made) -> Vec<String>) -> Result<(), Broken> {
    let made = world.made();
    let mut entries: Vec<&String> =
        made.iconik.iter().filter(|fact| fact.contains(": history CUSTOM ")).collect();
    let all = entries.len();
    entries.dedup();
    if entries.len() < all {
        return Err(Broken(format!("an entry was told twice\n{made}")));
    }
    for (index, title) in made.workflows.iter().enumerate() {
        if made.workflows.iter().skip(index + 1).any(|other| other == title) {
            return Err(Broken(format!("{title} was started twice\n{made}")));
        }
    }
    let certificates = certificates(world);
    let deleted = deleted_at(world);
    let removed = world.content_server.with_state(|state| film(state).is_none());
    match deleted {
        None if !certificates.is_empty() => return Err(Broken("a certificate of nothing".to_owned())),
        None if removed => return Err(Broken("the document was removed, and the asset was not".to_owned())),
        None => {}
        Some(at) => {
            held_then(world, &at)?;
            verified(world, &certificates)?;
        }
    }
    // An item that was put aside, because a system refused, made less.
    let given_up =
        world.endings().iter().any(|one| one.starts_with("quarantined") || one.starts_with("failed"));
    let is_less = given_up || !world.dead_letters().is_empty();
    if of(&made) == of(clean) || is_less || is_touched(world, clean) {
        return Ok(());
    }
    Err(Broken(format!("iconik differs from a clean run\n--- clean\n{clean}\n--- seen\n{made}")))
}

/// Whether people came in between, or did not find what they were to decide.
fn is_touched(world: &World, clean: &Made) -> bool {
    let asset = asset(world);
    let status = world.iconik().with_state(|state| state.values_of(("assets", &asset), "AssetStatus"));
    let by_people = world.content_server.with_state(|state| {
        let nodes = film(state).into_iter().chain([seed::ARCHIVE]);
        let mut holds = nodes.filter_map(|node| state.nodes.get(&node)).flat_map(|node| &node.holds);
        let mut processes = state.processes.values();
        let reconsidered = processes.any(|process| {
            process.finished.iter().any(|finished| finished.comment == RECONSIDERED)
                || process.status == ProcessStatus::Running
        });
        holds.next().is_some() || reconsidered || state.processes.len() < clean.workflows.len()
    });
    by_people || status != [json!("obsolete")]
}

/// When the asset went into the bin, if it is there.
fn deleted_at(world: &World) -> Option<jiff::Timestamp> {
    let id = asset(world);
    world.iconik().with_state(|state| {
        let found = state.assets.get(&id)?;
        let is_deleted = found.get("status").and_then(Value::as_str) == Some("DELETED");
        let at = found.get("date_deleted").and_then(Value::as_str).filter(|_| is_deleted)?;
        Some(at.parse().expect("a time with its zone"))
    })
}

/// No hold was in force when it was destroyed.
fn held_then(world: &World, deleted: &jiff::Timestamp) -> Result<(), Broken> {
    world.content_server.with_state(|state| {
        let nodes = film(state).into_iter().chain([seed::ARCHIVE]);
        let holds = nodes.filter_map(|node| state.nodes.get(&node)).flat_map(|node| &node.holds);
        match holds.map(|held| held.at).min() {
            Some(at) if at <= *deleted => {
                Err(Broken(format!("destroyed at {deleted}, and a hold was in force since {at}")))
            }
            _ => Ok(()),
        }
    })
}

/// The contents of the certificates there are.
pub(crate) fn certificates(world: &World) -> Vec<Vec<u8>> {
    world.content_server.with_state(|state| {
        let Some(folder) = state.at("Digitised Archive/Certificates").map(|folder| folder.id) else {
            return Vec::new();
        };
        let contents =
            state.children(folder).into_iter().filter_map(|node| node.latest()?.content.bytes().ok());
        contents.map(|bytes| bytes.to_vec()).collect()
    })
}

/// There is one certificate, and it verifies against the asset's chain.
fn verified(world: &World, certificates: &[Vec<u8>]) -> Result<(), Broken> {
    let [text] = certificates else {
        return Err(Broken(format!("{} certificates of one destruction", certificates.len())));
    };
    let certificate: Value = serde_json::from_slice(text).map_err(|error| Broken(error.to_string()))?;
    let pk = format!("asset#{}", certificate["audit"]["chain"].as_str().unwrap_or_default());
    let mut events: Vec<(String, String)> = world
        .ledger()
        .iter()
        .filter_map(|item| {
            let text = |name: &str| item.pointer(&format!("/{name}/S")).and_then(Value::as_str);
            (text("pk")? == pk).then_some(())?;
            Some((text("sk")?.to_owned(), text("event")?.to_owned()))
        })
        .collect();
    events.sort();
    let chain: Vec<&str> = events.iter().map(|(_, event)| event.as_str()).collect();
    match certificate::verify(text, &chain.join("\n"), None) {
        Ok(found) if found.decision.place.starts_with("workflow") && found.decision.by.is_none() => {
            Err(Broken("the certificate does not name who decided".to_owned()))
        }
        Ok(found) if found.asset.id == asset(world) && !found.asset.files.is_empty() => Ok(()),
        Ok(_) => Err(Broken("the certificate is another asset's, or names no files".to_owned())),
        Err(doubt) => Err(Broken(format!("the certificate: {doubt}"))),
    }
}
