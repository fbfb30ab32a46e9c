//! `request-disposition`: assets that are no longer used, what Content Server decides about them, and what is certified.

use iconik_content_server::{REQUEST_DISPOSITION, request_disposition::SCHEDULED};
use serde_json::{Value, json};
use shared::reconcile::{Action, Kind, Options};
use simulators::{
    content_server::{seed as archive, state::ADMIN},
    iconik::seed::{PRODUCER, media::SHORT, metadata::GOVERNANCE_VIEW},
};
use tests::{
    messages, repository,
    storm::{Scenario, World},
};

use crate::{
    faults,
    side::{Compared, Said, repairing, run},
};

const FLOW: &str = "request-disposition";
const FILM: &str = "Harbour Lights.mov";
const CERTIFICATES: &str = "Digitised Archive/Certificates";

const RULES: &str = r#"
[iconik]
view = "5f0c8f30-7a51-11f0-c005-0242ac120002"
status = "AssetStatus"
outcome = "DispositionOutcome"
state = "ContentServerState"
hold = "LegalHold"
node = "ContentServerNode"
states = { held = "under_hold", in-review = "in_signoff", retained = "filed", archived = "archived", destroyed = "destroyed", withdrawn = "filed" }

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
map = "Enterprise:Workflow Maps/Disposition Review"
title = "Disposition of {asset.title}"
attributes = { Reason = "{asset.status}" }
step = "Decide"
decisions = { retain = ["Retain"], archive = ["Archive"], destroy = ["Destroy"] }

[rule.outcome]
destroy = "asset-and-documents"
"#;

fn asset(world: &World) -> String {
    world.iconik().with_state(|state| state.titled(SHORT)).expect("the asset")
}

/// Writes a field of the asset past what a view would take.
fn set(world: &World, field: &str, value: &Value) {
    let asset = asset(world);
    world.iconik().with_state(|state| {
        let values = json!({field: {"field_values": [{"value": value}]}});
        let values = values.as_object().cloned().unwrap_or_default();
        state.write_values(PRODUCER, ("assets", &asset), GOVERNANCE_VIEW, &values, false).expect("written");
    });
}

/// The film is filed, and its asset is obsolete.
fn obsolete(world: &World) {
    let content = [b"the film".to_vec()];
    let node =
        repository::document(&world.content_server, "Digitised Archive", FILM, "video/quicktime", &content);
    set(world, "ContentServerNode", &json!(node));
    set(world, "AssetStatus", &json!("obsolete"));
}

fn hint(world: &World) -> Vec<String> {
    vec![messages::iconik_change(FLOW, "assets", &asset(world), None, "status")]
}

pub(crate) fn story() -> Scenario {
    Scenario::of_iconik("a disposition", &REQUEST_DISPOSITION, RULES, obsolete, hint, (1, 1, 0))
}

fn film(world: &World) -> i64 {
    repository::at(&world.content_server, &format!("Digitised Archive/{FILM}"))
}

fn hold(world: &World) {
    repository::hold(&world.content_server, film(world));
}

fn lift(world: &World) {
    let film = film(world);
    world
        .content_server
        .with_state(|state| state.remove_hold(ADMIN, film, archive::FLOOD_HOLD))
        .expect("it is lifted");
}

/// The records manager decides, and nobody tells of it.
fn decide(world: &World, decision: &str) {
    world.content_server.with_state(|state| {
        let all: Vec<i64> = state.processes.keys().copied().collect();
        for process in all {
            state.finish_task(ADMIN, process, 1, decision, "as the plan says").expect("decided");
        }
    });
}

/// The same, and a round follows.
async fn decided(compared: &Compared, decision: &str) {
    decide(&compared.world, decision);
    let time = compared.world.context.now().to_string();
    let round = json!({"version": "0", "detail-type": SCHEDULED, "source": "aws.events", "time": time});
    compared.world.send(&round.to_string()).await;
    compared.work().await;
}

fn certificate(world: &World) -> (i64, String) {
    let folder = repository::at(&world.content_server, CERTIFICATES);
    world.content_server.with_state(|state| {
        let children = state.children(folder);
        let found = children.first().expect("a certificate");
        (found.id, found.name.clone())
    })
}

fn disposition() -> String {
    format!("disposition of {SHORT}")
}

fn what(said: &Said) -> Vec<String> {
    let finding = said.report.findings.first().expect("a finding");
    finding.differences.iter().map(|difference| difference.what.clone()).collect()
}

/// Something happens that nobody tells of; it is found, and put right by the flow.
fn nobody_told(act: fn(&World)) {
    run(async {
        let compared = Compared::after(story()).await;
        act(&compared.world);
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Different, disposition())]);
        assert_eq!(said.counts().queued, 1);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), []);
    });
}

/// After a decision was done something is changed: it is found under this name, and is a person's business.
fn after(decision: &'static str, act: fn(&World), kind: Kind, name: &str, differing: &[&str]) {
    run(async {
        let compared = Compared::after(story()).await;
        decided(&compared, decision).await;
        let name = match name {
            "CERTIFICATE" => certificate(&compared.world).1,
            other => other.to_owned(),
        };
        act(&compared.world);
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(kind, name)]);
        assert_eq!(what(&said), differing);
        assert_eq!(said.report.findings[0].repair.action, Action::Person);
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn a_disposition_agrees_while_it_is_decided_and_when_it_is_done() {
    for decision in ["Retain", "Archive"] {
        run(async {
            let compared = Compared::after(story()).await;
            let said = compared.compare(Options::default()).await;
            // What was told, and the record.
            assert_eq!((said.found(), said.counts().alike), (vec![], 2));
            decided(&compared, decision).await;
            let said = compared.compare(Options::default()).await;
            assert_eq!((said.found(), said.counts().alike), (vec![], 1), "{decision}");
            assert_eq!(compared.world.waiting(), 0);
        });
    }
}

#[test]
fn what_was_destroyed_is_certified() {
    run(async {
        let compared = Compared::after(story()).await;
        decided(&compared, "Destroy").await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().equal), (vec![], 1));
        // The bin empties itself; the certificate stays.
        compared.hours(30).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().equal), (vec![], 1));
    });
}

#[test]
fn a_status_nobody_told_of_was_not_asked_about_and_is() {
    run(async {
        let compared = Compared::after(Scenario { messages: |_| Vec::new(), ..story() }).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Missing, SHORT.to_owned())]);
        assert_eq!(said.finding(SHORT).repair.action, Action::LookAgain);
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().alike), (vec![], 2));
        assert_eq!(compared.world.made().workflows.len(), 1);
    });
}

#[test]
fn what_was_put_aside_is_not_missing() {
    run(async {
        // Nobody has filed it.
        let prepare = |world: &World| set(world, "AssetStatus", &json!("obsolete"));
        let compared = Compared::after(Scenario { prepare, ..story() }).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().accounted), (vec![], 1));
    });
}

#[test]
fn a_decision_nobody_told_of_is_found_and_done() {
    nobody_told(|world| decide(world, "Retain"));
}

#[test]
fn a_status_that_was_changed_withdraws_the_question() {
    nobody_told(|world| set(world, "AssetStatus", &json!("active")));
}

#[test]
fn what_is_held_waits_and_is_asked_about_when_the_hold_is_lifted() {
    run(async {
        let prepare = |world: &World| {
            obsolete(world);
            hold(world);
        };
        let compared = Compared::after(Scenario { prepare, ..story() }).await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().alike), (vec![], 1));
        lift(&compared.world);
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Different, disposition())]);
        compared.work().await;
        let said = compared.compare(Options::default()).await;
        assert_eq!((said.found(), said.counts().alike), (vec![], 2));
    });
}

#[test]
fn a_field_that_says_something_else_is_found() {
    let act = |world: &World| set(world, "DispositionOutcome", &json!("archive"));
    after("Retain", act, Kind::Metadata, &disposition(), &["DispositionOutcome"]);
}

#[test]
fn a_record_with_another_status_is_found() {
    run(async {
        let compared = Compared::after(story()).await;
        let film = film(&compared.world);
        compared.world.content_server.with_state(|state| {
            let record = state.nodes.get_mut(&film).and_then(|node| node.record.as_mut());
            "ACTIVE".clone_into(&mut record.expect("a record").status);
        });
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Different, format!("record {FILM} of {SHORT}"))]);
        assert_eq!(what(&said), ["state"]);
        assert_eq!(said.counts().queued, 0);
    });
}

#[test]
fn a_certificate_that_is_gone_is_missing() {
    let remove = |world: &World| {
        let node = certificate(world).0;
        world.content_server.with_state(|state| {
            // It is a record: only the repository itself lets it go.
            state.nodes.get_mut(&node).expect("it").record = None;
            state.delete(ADMIN, node).expect("deleted");
        });
    };
    after("Destroy", remove, Kind::Missing, "CERTIFICATE", &[]);
}

#[test]
fn a_certificate_that_was_changed_is_found() {
    let change = |world: &World| {
        let (node, name) = certificate(world);
        let text = repository::newest_bytes(&world.content_server, node);
        let text = String::from_utf8(text).expect("text").replace("obsolete", "expired!");
        world.content_server.with_state(|state| {
            state.nodes.get_mut(&node).expect("it").record = None;
        });
        repository::version(&world.content_server, node, &name, "application/json", text.as_bytes());
    };
    after("Destroy", change, Kind::Different, "CERTIFICATE", &["state"]);
}

#[test]
fn a_certificate_that_no_chain_knows_is_extra() {
    let forge = |world: &World| {
        let name = "Certificate of destruction 0f3c1a52-1.json";
        repository::document(
            &world.content_server,
            CERTIFICATES,
            name,
            "application/json",
            &[b"{}".to_vec()],
        );
    };
    after("Destroy", forge, Kind::Extra, "Certificate of destruction 0f3c1a52-1.json", &[]);
}

#[test]
fn an_asset_that_came_back_after_it_was_destroyed_is_found() {
    let restore = |world: &World| {
        let asset = asset(world);
        world.iconik().with_state(|state| state.restore(PRODUCER, "assets", &asset)).expect("restored");
    };
    after("Destroy", restore, Kind::Different, &disposition(), &["state"]);
}

#[test]
fn an_asset_that_somebody_deleted_while_it_was_decided_is_found() {
    run(async {
        let compared = Compared::after(story()).await;
        let asset = asset(&compared.world);
        compared
            .world
            .iconik()
            .with_state(|state| state.delete(PRODUCER, "assets", &asset))
            .expect("deleted");
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Different, format!("disposition of asset {asset}"))]);
        assert_eq!(said.report.findings[0].repair.action, Action::Person);
        assert_eq!(compared.world.waiting(), 0);
    });
}

#[test]
fn a_second_workflow_of_one_question_is_extra() {
    run(async {
        let compared = Compared::after(story()).await;
        let double = compared.world.content_server.with_state(|state| {
            let mut double = state.processes.values().next().expect("the workflow").clone();
            double.id += 1_000_000;
            state.processes.insert(double.id, double.clone());
            double
        });
        let said = compared.compare(repairing()).await;
        assert_eq!(said.found(), [(Kind::Extra, double.title.clone())]);
        let finding = said.report.findings.first().expect("a finding");
        assert_eq!(finding.key, format!("workflow {}", double.id));
        assert_eq!((finding.repair.action, said.counts().queued), (Action::Person, 0));
    });
}

#[test]
fn no_fault_makes_a_difference_of_a_disposition() {
    run(faults::every_call(story()));
}
