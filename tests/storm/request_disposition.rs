//! The stories of `request-disposition`.

mod promises;

use std::time::Duration;

use iconik_content_server::{REQUEST_DISPOSITION, request_disposition::SCHEDULED};
use serde_json::{Value, json};
use shared::ledger::Key;
use simulators::{
    content_server::{
        self, Blob, State, seed,
        state::{ADMIN, NewNode, NewVersion, kind, workflows::ProcessStatus},
    },
    iconik::{
        self,
        seed::{media::SHORT, metadata::GOVERNANCE_VIEW},
        state::{Object, Table},
    },
};
use tests::{
    messages,
    storm::{Fault, IconikIntervention, Intervention, Meanwhile, Scenario, World, clean, one_fault},
};

use self::promises::{archived_in_the_end, done_once_the_hold_is_lifted, nothing_under_a_hold};
pub(crate) use self::promises::{certificates, certified};
use crate::publish_finals::version;

const FLOW: &str = "request-disposition";
const FILM: &str = "Harbour Lights.mov";
/// What else publish-finals has filed of it: the poster, and the preview of an earlier version.
pub(crate) const POSTER: &str = "Harbour Lights poster.jpg";
pub(crate) const PREVIEW: &str = "Harbour Lights v1 preview.mp4";

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

pub(crate) const CATEGORY: &str = r#"category = "Categories:Integration/Publication"
asked_for = "Reason"
decision = "State"
decisions = { retain = ["keep"], destroy = ["delete"] }"#;

/// What may come upon one of several documents.
const ON_SEVERAL: &[Intervention] = &[
    Intervention { name: "a hold on the poster", act: hold_poster },
    Intervention { name: "a hold", act: hold },
];

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
/// iconik takes its time with what it archives.
const ARCHIVED_LATER: &[Meanwhile] =
    &[Meanwhile { after: ALL, what: |world| Box::pin(decided(world, "Archive")) }, LATER, LATER];
/// The film was filed with its poster and a preview before anybody asks about it.
const SEVERAL_DESTROYED: &[Meanwhile] = &[
    Meanwhile { after: Duration::ZERO, what: |world| Box::pin(filed_beside(world)) },
    Meanwhile { after: ALL, what: |world| Box::pin(decided(world, "Destroy")) },
    LATER,
];
const POSTER_HELD_THEN_LIFTED: &[Meanwhile] = &[
    Meanwhile { after: Duration::ZERO, what: |world| Box::pin(filed_beside(world)) },
    Meanwhile {
        after: ALL,
        what: |world| {
            Box::pin(async {
                calm(world).await;
                hold_poster(&world.content_server);
                decided(world, "Destroy").await;
            })
        },
    },
    Meanwhile { after: Duration::from_secs(600), what: |world| Box::pin(lifted(world)) },
    LATER,
    LATER,
];
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
        Scenario {
            iconik: Some(|theirs| theirs.jobs.duration_seconds = 60),
            promise: Some(archived_in_the_end),
            ..story(
                "it is to be archived, which takes its time",
                rules(WORKFLOW, "archive_formats = [\"ORIGINAL\"]"),
                ARCHIVED_LATER,
                (3, 4, 0),
            )
        },
        story("it is to be destroyed", rules(WORKFLOW, asset), DESTROYED, (2, 3, 0)),
        story(
            "it is to be destroyed on both sides",
            rules(WORKFLOW, "destroy = \"asset-and-documents\""),
            DESTROYED,
            (2, 3, 0),
        ),
        Scenario {
            messages: |_| Vec::new(),
            prepare: obsolete_with_more,
            interventions: ON_SEVERAL,
            in_iconik: &[],
            ..story(
                "it is to be destroyed with its poster and preview",
                rules(WORKFLOW, "destroy = \"asset-and-documents\""),
                SEVERAL_DESTROYED,
                (2, 3, 0),
            )
        },
        Scenario {
            messages: |_| Vec::new(),
            prepare: obsolete_with_more,
            interventions: &[],
            promise: Some(done_once_the_hold_is_lifted),
            ..story(
                "a hold on its poster is lifted after it was decided",
                rules(WORKFLOW, asset),
                POSTER_HELD_THEN_LIFTED,
                (2, 6, 0),
            )
        },
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
    let node = document(world, FILM);
    set(world.iconik(), "ContentServerNode", &json!(node));
    set(world.iconik(), "AssetStatus", &json!("obsolete"));
}

/// The same with what else there is of it.
pub(crate) fn obsolete_with_more(world: &World) {
    obsolete(world);
    document(world, POSTER);
    document(world, PREVIEW);
}

fn document(world: &World, name: &str) -> i64 {
    world.content_server.with_state(|state| {
        let archive = state.at("Digitised Archive").expect("the archive").id;
        let content = Blob::of(format!("the content of {name}").into_bytes());
        let new = NewNode {
            kind: kind::DOCUMENT,
            parent_id: archive,
            name: name.to_owned(),
            version: Some(NewVersion::of(name, "application/octet-stream", content)),
            ..NewNode::default()
        };
        state.create(seed::WAYBILL, new).expect("a document")
    })
}

/// As publish-finals remembers it: each medium by itself, and of the asset the film alone. Then somebody asks.
pub(crate) async fn filed_beside(world: &World) {
    let asset = asset(world);
    let versions: Vec<String> =
        world.iconik().with_state(|state| [1, 2].map(|number| version(state, SHORT, number)).into());
    let (poster, preview) = world.iconik().with_state(|state| {
        let of = |table: &Table, version: &str, kind: Option<&str>| {
            let is_it = |found: &&Object| {
                found["version_id"] == version && kind.is_none_or(|kind| found["type"] == kind)
            };
            let found = table.objects().find(is_it).expect("it is seeded");
            found["id"].as_str().expect("an id").to_owned()
        };
        (
            of(&state.media.keyframes, &versions[1], Some("POSTER")),
            of(&state.media.proxies, &versions[0], None),
        )
    });
    // By a way of its own: it is no call of the flow.
    let transport = tests::in_process::transport(world.aws.router());
    let ledger = world.environment(transport, 0, 0).ledger;
    let media =
        [(POSTER, &versions[1], "poster poster", poster), (PREVIEW, &versions[0], "proxy proxy", preview)];
    for (name, version, part, id) in media {
        let node = world.content_server.with_state(|state| at(state, name)).expect("it is filed");
        let key = Key::of(&["iconik", &asset, version, part, &id]);
        let filed = json!({"node": node, "version": 1, "sha256": "0", "bytes": 1, "restricted": true});
        let filed = filed.to_string();
        let noted = ledger.put_reference("iconik-media", key.digest(), "content-server", &filed).await;
        noted.expect("noted");
    }
    for body in hint(world) {
        world.send(&body).await;
    }
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
    at(state, FILM)
}

pub(crate) fn at(state: &State, name: &str) -> Option<i64> {
    state.at(&format!("Digitised Archive/{name}")).map(|node| node.id)
}

/// The documents of the film that there are.
fn documents(state: &State) -> impl Iterator<Item = i64> {
    [FILM, POSTER, PREVIEW].into_iter().filter_map(|name| at(state, name))
}

// --- what people do --------------------------------------------------------------------------------------------------

pub(crate) fn hold(server: &content_server::Simulator) {
    server.with_state(|state| {
        if let Some(node) = film(state) {
            state.apply_hold(ADMIN, node, seed::FLOOD_HOLD).expect("a hold");
        }
    });
}

pub(crate) fn hold_poster(server: &content_server::Simulator) {
    server.with_state(|state| {
        if let Some(node) = at(state, POSTER) {
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
    lift(&world.content_server);
    world.send(&round(world)).await;
}

pub(crate) fn lift(server: &content_server::Simulator) {
    server.with_state(|state| {
        let all: Vec<i64> = documents(state).collect();
        for node in all {
            // A second time there is none.
            let _ = state.remove_hold(ADMIN, node, seed::FLOOD_HOLD);
        }
    });
}

async fn later(world: &World) {
    calm(world).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    world.send(&round(world)).await;
}

#[test]
fn a_document_that_is_refused_once_goes_in_the_next_round_with_or_without_those_that_were_gone() {
    let name = "it is to be destroyed with its poster and preview";
    let story = scenarios().into_iter().find(|story| story.name == name).expect("the story");
    let calm = clean(&story);
    let calls = calm.calls.iter().enumerate();
    let removals = calls.filter(|(_, call)| call.what.starts_with("DELETE /otcs/"));
    let removals: Vec<usize> = removals.map(|(number, _)| number).collect();
    assert_eq!(removals.len(), 3, "the poster, the preview, the film");
    for number in removals {
        let ended = one_fault(&story, &calm.made, number, Fault::Refused(423), None).outcome;
        assert!(ended.is_ok(), "call {number}: {ended:?}");
    }
}
