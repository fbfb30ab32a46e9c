//! `start-signoff`: approved versions, the workflows that sign them off, and what iconik was told.

use iconik_content_server::{START_SIGNOFF, start_signoff::COMPLETED};
use serde_json::{Value, json};
use shared::reconcile::{Action, Kind, Options};
use simulators::{
    content_server::{
        seed as archive,
        state::{ADMIN, workflows::ProcessStatus},
    },
    iconik::{
        State,
        seed::{self, media::SHORT, metadata::GOVERNANCE_VIEW},
        state::Object,
    },
};
use tests::{
    messages, repository,
    storm::{Scenario, World},
};

use crate::{
    faults,
    side::{Compared, Said, repairing, run},
};

const FLOW: &str = "start-signoff";

fn object(value: Value) -> Object {
    value.as_object().cloned().unwrap_or_default()
}

fn film(world: &World) -> String {
    world.iconik().with_state(|state| state.titled(SHORT)).expect("it is seeded")
}

/// Writes a field that shows what Content Server knows.
fn set(world: &World, field: &str, value: &Value) {
    let asset = film(world);
    world.iconik().with_state(|state| {
        let values = object(json!({field: {"field_values": [{"value": value}]}}));
        let of = ("assets", asset.as_str());
        state.write_values(seed::EDITOR, of, GOVERNANCE_VIEW, &values, false).expect("written")
    });
}

/// The approved version is in Content Server, and iconik says as which document.
fn file(world: &World) {
    let server = &world.content_server;
    let name = "harbour-lights-30s.pdf";
    let content = [b"%PDF-1.7 the film".to_vec()];
    let node = repository::document(server, "Claims", name, "application/pdf", &content);
    set(world, "ContentServerNode", &json!(node));
}

fn hint(world: &World) -> Vec<String> {
    vec![messages::iconik_change(FLOW, "assets", &film(world), Some("signoff"), "first")]
}

pub(crate) fn story() -> Scenario {
    Scenario::of_iconik("a sign-off", &START_SIGNOFF, "", file, hint, (1, 0, 0))
}

/// The workflow that runs.
fn process(world: &World) -> i64 {
    world.content_server.with_state(|state| *state.processes.keys().next().expect("a workflow"))
}

/// The reviewer decides in Content Server.
fn decide(world: &World) {
    let process = process(world);
    world.content_server.with_state(|state| {
        let reviewer = state.member_by_name("claims.reviewer").expect("a reviewer").id;
        state.finish_task(reviewer, process, 1, "Approve", "well done").expect("decided");
        state.finish_task(ADMIN, process, 2, "SendOn", "").expect("sent on");
    });
}

/// The same, and the flow is told.
async fn decided(compared: &Compared) {
    decide(&compared.world);
    let process = process(&compared.world);
    compared.world.send(&messages::node_change(FLOW, process, Some(COMPLETED), "")).await;
    compared.work().await;
}

fn the_film(state: &State) -> String {
    state.titled(SHORT).expect("it is seeded")
}

fn take_back(world: &World) {
    world.iconik().with_state(|state| {
        let key = state.approval_key("assets", &the_film(state), None).expect("a key");
        state.take_back(seed::PRODUCER, &key, seed::PRODUCER).expect("taken back");
    });
}

fn named() -> String {
    format!("sign-off of {SHORT}, version 2")
}

fn what(said: &Said) -> Vec<String> {
    let finding = said.report.findings.first().expect("a finding");
    finding.differences.iter().map(|difference| difference.what.clone()).collect()
}

/// Something happens that nobody tells of; it is found, and put right by the flow.
fn nobody_told(act: fn(&World), kind: Kind) {
    run(async {
        let compared = Compared::after(story()).await;
        act(&compared.world);
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(kind, named())]);
        assert_eq!(said.counts().queued, 1);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

#[test]
fn a_sign_off_agrees_while_it_runs_and_when_it_is_decided() {
    run(async {
        let compared = Compared::after(story()).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().alike), (vec![], 1));
        decided(&compared).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().alike), (vec![], 1));
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn an_approval_nobody_told_of_has_no_workflow_and_gets_one() {
    run(async {
        let compared = Compared::after(Scenario { messages: |_| Vec::new(), ..story() }).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, SHORT.to_owned())]);
        assert_eq!(said.finding(SHORT).repair.action, Action::LookAgain);
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().alike), (vec![], 1));
        assert_eq!(compared.world.made().workflows.len(), 1);
    });
}

#[test]
fn a_version_that_is_not_filed_yet_is_not_missing() {
    run(async {
        let unfiled = Scenario { prepare: |_| (), messages: |_| Vec::new(), ..story() };
        let compared = Compared::after(unfiled).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));
    });
}

#[test]
fn what_was_put_aside_is_not_missing() {
    run(async {
        // What stands for the number of its document is the number of a folder.
        let prepare = |world: &World| set(world, "ContentServerNode", &json!(archive::ARCHIVE));
        let compared = Compared::after(Scenario { prepare, ..story() }).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));
    });
}

#[test]
fn what_nobody_told_of_is_told() {
    nobody_told(decide, Kind::Different);
}

#[test]
fn a_review_that_was_taken_back_ends_its_workflow() {
    nobody_told(take_back, Kind::Different);
}

#[test]
fn a_workflow_that_was_deleted_is_found() {
    let delete = |world: &World| {
        let process = process(world);
        world.content_server.with_state(|state| state.delete_process(ADMIN, process)).expect("deleted");
    };
    nobody_told(delete, Kind::Different);
}

#[test]
fn a_workflow_runs_on_though_its_asset_is_gone() {
    run(async {
        let compared = Compared::after(story()).await;
        let world = &compared.world;
        world.iconik().with_state(|state| {
            let film = the_film(state);
            state.delete(seed::PRODUCER, "assets", &film).expect("deleted");
        });
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!((said.found().len(), said.counts().extra, said.counts().queued), (1, 1, 1));
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
        let stopped = world.content_server.with_state(|state| {
            state.processes.values().all(|process| process.status == ProcessStatus::Stopped)
        });
        assert!(stopped);
    });
}

#[test]
fn a_second_workflow_of_one_version_is_extra() {
    run(async {
        let compared = Compared::after(story()).await;
        let first = process(&compared.world);
        compared.world.content_server.with_state(|state| {
            let mut double = state.processes.get(&first).expect("the workflow").clone();
            double.id = first + 1_000_000;
            state.processes.insert(double.id, double);
        });
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!((said.found().len(), said.counts().extra, said.counts().queued), (1, 1, 0));
        let finding = said.report.findings.first().expect("a finding");
        assert_eq!(finding.key, format!("workflow {}", first + 1_000_000));
        assert_eq!(finding.repair.action, Action::Person);
    });
}

/// After the decision was told, something is changed: it is found, and is a person's business.
fn after_the_decision(act: fn(&World), kind: Kind, differing: &[&str]) {
    run(async {
        let compared = Compared::after(story()).await;
        decided(&compared).await;
        act(&compared.world);
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(kind, named())]);
        assert_eq!(what(&said), differing);
        assert_eq!(said.counts().queued, 0);
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn a_decision_that_was_turned_round_is_found() {
    let turn = |world: &World| {
        world.content_server.with_state(|state| {
            for process in state.processes.values_mut() {
                for finished in process.finished.iter_mut().filter(|step| step.step == "Review") {
                    "Reject".clone_into(&mut finished.action);
                }
            }
        });
    };
    after_the_decision(turn, Kind::Different, &["state"]);
}

#[test]
fn a_field_that_says_something_else_is_found() {
    let clear = |world: &World| {
        let asset = film(world);
        world.iconik().with_state(|state| {
            let values = object(json!({"SignoffDecidedBy": {"field_values": [{"value": "somebody else"}]}}));
            state.write_directly(seed::EDITOR, ("assets", &asset), &values);
        });
    };
    after_the_decision(clear, Kind::Metadata, &["SignoffDecidedBy"]);
}

#[test]
fn a_comment_that_was_taken_away_is_found() {
    let take_away = |world: &World| {
        world.iconik().with_state(|state| {
            let film = the_film(state);
            let is_end = |segment: &&Object| {
                segment["external_id"]
                    .as_str()
                    .is_some_and(|id| id.starts_with("waybill-signoff") && id.ends_with("-ended"))
            };
            let found = state.review.segments.objects().find(is_end).expect("a comment");
            let comment = found["id"].as_str().expect("an id").to_owned();
            state.delete_segment(seed::EDITOR, &film, &comment, true).expect("deleted");
        });
    };
    after_the_decision(take_away, Kind::Different, &["state"]);
}

#[test]
fn no_fault_makes_a_difference_of_a_sign_off() {
    run(faults::every_call(story()));
}
