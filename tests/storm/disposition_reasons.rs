//! Why `request-disposition` puts something aside, told by what it writes for people; and that nothing was destroyed then.

use std::collections::BTreeMap;

use iconik_content_server::request_disposition::STEP;
use serde_json::{Value, json};
use simulators::{
    content_server::state::{ADMIN, records::RecordChanges, workflows::ProcessStatus},
    iconik::seed::{media::SHORT, metadata::GOVERNANCE_VIEW},
};
use tests::storm::{Drive, QUARANTINE, Scenario, World, drive};

use crate::{
    link_reasons::writing_calls,
    request_disposition::{
        WORKFLOW, certificates, delete_workflow, hint, obsolete, round, rules, scenarios, set,
    },
};

/// A story under these rules, with what `prepare` makes.
fn story(rules: &'static str, prepare: fn(&World)) -> Scenario {
    Scenario { name: "reasons", rules, prepare, meanwhile: &[], ..scenarios()[0] }
}

/// The world after the first hint was dealt with.
async fn asked(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    for body in hint(&world) {
        world.send(&body).await;
    }
    work(&world, story).await;
    world
}

async fn work(world: &World, story: &Scenario) {
    assert!(drive(world, story.flow, Drive::default()).await, "the queue never becomes quiet");
}

/// What is decided, and what follows from it after a round.
async fn decided(world: &World, story: &Scenario, decision: &str) {
    world.content_server.with_state(|state| {
        let all: Vec<i64> = state.processes.keys().copied().collect();
        assert_eq!(all.len(), 1);
        state.finish_task(ADMIN, all[0], 1, decision, "").expect("decided");
    });
    world.send(&round(world)).await;
    work(world, story).await;
}

/// The reasons that lie in the quarantine bucket.
fn reasons(world: &World) -> Vec<Value> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = objects.filter(|object| object.key.ends_with(".reason.json"));
    reasons.map(|object| serde_json::from_slice::<Value>(&object.data).unwrap()["reason"].clone()).collect()
}

/// One reason with a remedy, and the asset is there.
fn is_put_aside_as(world: &World, code: &str) {
    let reasons = reasons(world);
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["code"].as_str()).collect();
    assert_eq!(codes, [code], "{:?}", world.endings());
    assert!(reasons[0]["remedy"].is_string(), "{code} has no remedy");
    assert!(!is_deleted(world), "{code}: the asset is in the recycle bin");
}

fn is_deleted(world: &World) -> bool {
    world.iconik().with_state(|state| {
        let asset = state.titled(SHORT).expect("the asset");
        state.is_deleted("assets", &asset)
    })
}

fn with(from: &str, to: &str) -> &'static str {
    let rules = rules(WORKFLOW, "destroy = \"asset-and-documents\"");
    assert!(rules.contains(from), "{from}");
    rules.replace(from, to).leak()
}

#[tokio::test(start_paused = true)]
async fn an_asset_that_nobody_has_filed_or_whose_document_has_no_class_is_told() {
    fn unfiled(world: &World) {
        set(world.iconik(), "AssetStatus", &json!("obsolete"));
    }
    let rules = rules(WORKFLOW, "");
    is_put_aside_as(&asked(&story(rules, unfiled)).await, "disposition.not-filed");
    fn elsewhere(world: &World) {
        set(world.iconik(), "AssetStatus", &json!("obsolete"));
        set(world.iconik(), "ContentServerNode", &json!(999_999));
    }
    is_put_aside_as(&asked(&story(rules, elsewhere)).await, "disposition.document-gone");
    let unclassified = with("retained = \"ACTIVE\"\nclass = \"Records:File Plan/ARC-DIGITISED\"\n", "");
    is_put_aside_as(&asked(&story(unclassified, obsolete)).await, "disposition.no-record");
}

#[tokio::test(start_paused = true)]
async fn a_view_that_was_changed_is_told_before_a_status_is_believed() {
    let story = story(rules(WORKFLOW, ""), |world| {
        obsolete(world);
        world.iconik().with_state(|state| {
            let view = json!({"name": "Content Server", "view_fields": [{"name": "ContentServerNode"}]});
            let view = view.as_object().cloned().unwrap_or_default();
            state.edit_view(GOVERNANCE_VIEW, view).expect("changed");
        });
    });
    is_put_aside_as(&asked(&story).await, "disposition.view-changed");
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_told_destroys_nothing() {
    let rules = with("hold = \"LegalHold\"", "hold = \"LegalHold\"\noutcomes = { destroy = \"shredded\" }");
    let story = story(rules, obsolete);
    let world = asked(&story).await;
    decided(&world, &story, "Destroy").await;
    is_put_aside_as(&world, "iconik.no-such-choice");
}

#[tokio::test(start_paused = true)]
async fn a_review_that_ends_without_a_decision_decides_nothing() {
    let story = story(rules(WORKFLOW, "destroy = \"asset\""), obsolete);
    let world = asked(&story).await;
    world.content_server.with_state(|state| {
        state.processes.values_mut().for_each(|process| process.status = ProcessStatus::Stopped);
    });
    world.send(&round(&world)).await;
    work(&world, &story).await;
    is_put_aside_as(&world, "disposition.no-decision");
    // It is told once, whatever further rounds there are.
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    world.send(&round(&world)).await;
    work(&world, &story).await;
    is_put_aside_as(&world, "disposition.no-decision");

    let world = asked(&story).await;
    delete_workflow(&world.content_server);
    world.send(&round(&world)).await;
    work(&world, &story).await;
    is_put_aside_as(&world, "disposition.no-decision");

    // Its words are others than the rule knows.
    let renamed = with("destroy = [\"Destroy\"]", "destroy = [\"Shred\"]");
    let other = Scenario { rules: renamed, ..story };
    let world = asked(&other).await;
    decided(&world, &other, "Destroy").await;
    is_put_aside_as(&world, "disposition.no-decision");
}

#[tokio::test(start_paused = true)]
async fn a_document_that_content_server_does_not_let_go_brings_its_asset_back() {
    let story = story(rules(WORKFLOW, "destroy = \"asset-and-documents\""), obsolete);
    let world = asked(&story).await;
    world.content_server.with_state(|state| {
        let node = state.at("Digitised Archive/Harbour Lights.mov").expect("the document").id;
        let official = RecordChanges { official: Some(true), ..RecordChanges::default() };
        state.edit_record(ADMIN, node, official).expect("official");
    });
    decided(&world, &story, "Destroy").await;
    is_put_aside_as(&world, "disposition.not-removable");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_names_who_decided_in_the_workflow() {
    let story = story(rules(WORKFLOW, "destroy = \"asset\""), obsolete);
    let world = asked(&story).await;
    decided(&world, &story, "Destroy").await;
    let found = certificates(&world);
    let [certificate] = found.as_slice() else { panic!("{} certificates", found.len()) };
    let certificate: Value = serde_json::from_slice(certificate).expect("JSON");
    assert_eq!(certificate["decision"]["by"], "System Administrator (admin)", "{certificate}");
    assert!(certificate["decision"]["at"].is_string(), "{certificate}");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_said_of_destruction_people_do_it_themselves() {
    let story = story(rules(WORKFLOW, ""), obsolete);
    let world = asked(&story).await;
    decided(&world, &story, "Destroy").await;
    assert!(!is_deleted(&world) && reasons(&world).is_empty(), "{:?}", world.endings());
    let outcome = world.iconik().with_state(|state| {
        let asset = state.titled(SHORT).expect("the asset");
        state.values_of(("assets", &asset), "DispositionOutcome")
    });
    assert_eq!(outcome, [json!("destroy")]);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_comes_again_is_asked_about_again_and_one_that_goes_is_withdrawn() {
    let story = story(rules(WORKFLOW, "destroy = \"asset\""), obsolete);
    let world = asked(&story).await;
    for (status, workflows, running) in [("active", 1, 0), ("expired", 2, 1), ("obsolete", 3, 1)] {
        set(world.iconik(), "AssetStatus", &json!(status));
        let again = tests::messages::iconik_change(story.flow.name, "assets", &titled(&world), None, status);
        world.send(&again).await;
        work(&world, &story).await;
        let found = world.content_server.with_state(|state| {
            let open = state.processes.values().filter(|one| one.status == ProcessStatus::Running);
            (state.processes.len(), open.count())
        });
        assert_eq!(found, (workflows, running), "{status}: {:?}", world.endings());
    }
    assert!(!is_deleted(&world) && reasons(&world).is_empty());
}

fn titled(world: &World) -> String {
    world.iconik().with_state(|state| state.titled(SHORT)).expect("the asset")
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_asks_for_nothing_and_does_nothing_that_was_decided() {
    let story = story(rules(WORKFLOW, "destroy = \"asset-and-documents\""), obsolete);
    let world = World::new(&story, BTreeMap::new(), None, 1).await.dry();
    let before = world.made();
    for body in hint(&world) {
        world.send(&body).await;
    }
    work(&world, &story).await;
    assert_eq!(world.made(), before);
    assert!(writing_calls(&world).is_empty(), "{:?}", writing_calls(&world));

    // It is asked for, and decided: in a dry run neither a round nor the step itself destroys anything.
    let world = asked(&story).await.dry();
    let (asked_for, calls) = (world.made(), writing_calls(&world).len());
    assert_eq!(asked_for.workflows.len(), 1);
    world.content_server.with_state(|state| {
        let all: Vec<i64> = state.processes.keys().copied().collect();
        state.finish_task(ADMIN, all[0], 1, "Destroy", "").expect("decided");
    });
    world.send(&round(&world)).await;
    let step = json!({"revision": 1, "turn": 1, "news": "Destroy"}).to_string();
    world
        .send(&tests::messages::iconik_change(story.flow.name, "assets", &titled(&world), Some(STEP), &step))
        .await;
    work(&world, &story).await;
    assert!(!is_deleted(&world) && reasons(&world).is_empty());
    assert_eq!(
        world.made().versions,
        asked_for.versions,
        "no document is destroyed, and there is no certificate"
    );
    assert_eq!(writing_calls(&world).len(), calls);

    // Not dry any more, the next round does it.
    let world = world.in_earnest();
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    world.send(&round(&world)).await;
    work(&world, &story).await;
    assert!(is_deleted(&world), "{:?}", world.endings());
}
