//! An approved version is signed off by a workflow, once; iconik shows each step and who decided, and a review that is
//! withdrawn ends it.

use std::time::Duration;

use iconik_content_server::start_signoff::{COMPLETED, SCHEDULED};
use serde_json::{Value, json};
use shared::context::Context;
use simulators::{
    content_server::state::{ADMIN, Process, workflows::ProcessStatus},
    faults::{Action, Rule},
    iconik::{Settings, seed},
};

use crate::world::{Usual, World, content};

const FILM: &str = "Harbour Lights 30s";

fn usual() -> Usual {
    Usual { iconik: Some(Settings::default()), ..Usual::of("start-signoff") }
}

/// The workflows there are.
fn workflows(world: &World) -> Vec<Process> {
    world.ecm.with_state(|state| state.processes.values().cloned().collect())
}

/// The film's approved version is filed, as publish-finals leaves it.
fn film_is_filed(world: &World) -> (String, i64) {
    let film = world.titled(FILM);
    let bytes = content(10_000, 1);
    let node = world.document("Claims", "harbour-lights-30s.mov", "video/quicktime", &[bytes]);
    world.iconik().with_state(|state| {
        let values = json!({"ContentServerNode": {"field_values": [{"value": node}]}});
        let of = ("assets", film.as_str());
        let view = seed::metadata::GOVERNANCE_VIEW;
        state
            .write_values(seed::SERVICE, of, view, values.as_object().expect("fields"), false)
            .expect("written");
    });
    (film, node)
}

/// A value that shows in iconik what Content Server knows.
fn shown(world: &World, film: &str, field: &str) -> Value {
    world
        .iconik()
        .with_state(|state| state.values_of(("assets", film), field).into_iter().next().unwrap_or_default())
}

/// What the history of the film and its comments say of its sign-off.
fn said(world: &World) -> Vec<String> {
    world.iconik().with_state(|state| {
        let history = state.history.objects().filter_map(|entry| entry["operation_description"].as_str());
        let comments = state.review.segments.objects().filter_map(|comment| comment["segment_text"].as_str());
        history.chain(comments).filter(|text| text.starts_with("Sign-off")).map(str::to_owned).collect()
    })
}

/// The reviewer decides, in the words of another country.
fn decide(world: &World, process: i64, disposition: &str) {
    world.ecm.with_state(|state| {
        let reviewer = state.member_by_name("claims.reviewer").expect("a reviewer").id;
        state.finish_task(reviewer, process, 1, disposition, "\u{202e}Passt so.").expect("decided");
        if disposition == "Approve" {
            state.finish_task(ADMIN, process, 2, "SendOn", "").expect("sent on");
        }
    });
}

fn round() -> String {
    let time = Context::system().now().to_string();
    json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time}).to_string()
}

#[tokio::test]
async fn an_approved_version_is_signed_off_and_iconik_shows_who_decided() {
    let world = World::with(usual()).await;
    let (film, node) = film_is_filed(&world);
    let verdicts = |world: &World| world.iconik().with_state(|state| format!("{:?}", state.review.approvals));
    let before = verdicts(&world);
    world.iconik_request("assets", &film, "signoff").await;
    world.iconik_request("assets", &film, "signoff").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered", "skipped signoff.running"], "{}", world.told());
    let process = workflows(&world).remove(0);
    assert_eq!((workflows(&world).len(), process.documents.as_slice()), (1, [node].as_slice()));
    assert!(process.title.starts_with("Sign-off of Harbour Lights 30s, version 2 ["), "{}", process.title);
    assert_eq!(shown(&world, &film, "ContentServerState"), "in_signoff");
    assert_eq!(shown(&world, &film, "SignoffStep"), "Review");

    decide(&world, process.id, "Approve");
    world.request(process.id, COMPLETED).await;
    world.settle().await;
    assert_eq!(shown(&world, &film, "ContentServerState"), "signed_off", "{}", world.told());
    assert_eq!(shown(&world, &film, "SignoffDecision"), "approved");
    assert_eq!(shown(&world, &film, "SignoffDecidedBy"), "Claims Reviewer (claims.reviewer)");
    let said = said(&world);
    let named = |text: &&String| text.contains("by Claims Reviewer (claims.reviewer)");
    assert_eq!(
        said.iter().filter(named).count(),
        4,
        "step and decision, each in history and comment: {said:#?}"
    );
    assert!(said.iter().any(|text| text.ends_with("\u{2068}\u{202e}Passt so.\u{202c}\u{2069}")), "{said:#?}");
    assert_eq!(verdicts(&world), before, "no verdict is given in anybody's name");
    let audit = world.audit(shared::ledger::Key::of(&["iconik", &film]).digest()).await;
    assert_eq!(audit.len(), 2, "one event per hint");
}

#[tokio::test]
async fn a_review_that_is_withdrawn_ends_its_workflow_and_the_next_one_begins_another() {
    let world = World::with(usual()).await;
    let (film, _) = film_is_filed(&world);
    world.iconik_request("assets", &film, "signoff").await;
    world.settle().await;
    let key = world.iconik().with_state(|state| {
        let key = state.approval_key("assets", &film, None).expect("a review");
        state.take_back(seed::PRODUCER, &key, seed::PRODUCER).expect("taken back");
        key
    });
    // Nobody tells of it; a round finds it.
    world.send(&round()).await;
    world.settle().await;
    let statuses = || workflows(&world).iter().map(|process| process.status).collect::<Vec<_>>();
    assert_eq!(statuses(), [ProcessStatus::Stopped], "{}", world.told());
    assert_eq!(shown(&world, &film, "SignoffDecision"), "withdrawn");
    world.iconik().with_state(|state| state.decide(seed::PRODUCER, &key, "APPROVED")).expect("approved");
    world.iconik_request("assets", &film, "signoff").await;
    world.settle().await;
    assert_eq!(statuses(), [ProcessStatus::Stopped, ProcessStatus::Running]);
    assert_eq!(shown(&world, &film, "SignoffDecision"), Value::Null);
}

#[tokio::test]
async fn killed_after_the_workflow_was_started_it_starts_no_second_one() {
    let world = World::with(Usual { timeout: Duration::from_secs(4), visibility: 2, ..usual() }).await;
    let (film, _) = film_is_filed(&world);
    world.iconik_request("assets", &film, "signoff").await;
    // The workflow is started, the answer is lost, and so is the function while it looks for it.
    let answer_lost = Rule::next(Action::DropAfterEffect).on("PUT", "/draftprocesses/").call(2);
    world.ecm.faults().add(answer_lost).unwrap();
    let slow = Rule::next(Action::Delay { milliseconds: 3000 }).on("GET", "/workflows/status");
    world.ecm.faults().add(slow).unwrap();
    let delivery = world.delivering();
    while workflows(&world).is_empty() {
        assert!(!delivery.is_finished(), "it made none; {}", world.told());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for process in world.function.processes() {
        process.kill();
    }
    assert_eq!(delivery.await.unwrap().stay, 1);
    world.ecm.faults().clear();
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    assert_eq!(workflows(&world).len(), 1);
    assert_eq!(shown(&world, &film, "ContentServerState"), "in_signoff");
}

#[tokio::test]
async fn what_cannot_be_signed_off_is_put_aside_with_its_reason() {
    let nowhere = Usual {
        rules: Some(|_| {
            iconik_content_server::signoff_rules::SAMPLE.replace("Document Review", "No Such Map")
        }),
        ..usual()
    };
    let world = World::with(nowhere).await;
    let (film, _) = film_is_filed(&world);
    world.iconik_request("assets", &film, "signoff").await;
    let rejected = world.titled("Harbour Lights teaser (rejected)");
    world.iconik_request("assets", &rejected, "signoff").await;
    world.settle().await;
    let endings = ["quarantined workflow.map-missing", "skipped asset.in-recycle-bin"];
    assert_eq!(world.endings().await, endings, "{}", world.told());
    assert!(workflows(&world).is_empty());
}
