//! Why `request-disposition` puts something aside, told by what it writes for people; and that nothing was destroyed then.

use std::{collections::BTreeMap, time::Duration};

use iconik_content_server::request_disposition::{STEP, certificate::Certificate};
use serde_json::{Value, json};
use simulators::{
    content_server::{
        seed::PUBLICATION,
        state::{ADMIN, records::RecordChanges, workflows::ProcessStatus},
    },
    iconik::seed::{EDITOR, media::SHORT, metadata::GOVERNANCE_VIEW},
};
use tests::storm::{Drive, QUARANTINE, Scenario, World, drive};

use crate::{
    link_reasons::writing_calls,
    request_disposition::{
        CATEGORY, POSTER, PREVIEW, WORKFLOW, at, certificates, certified, delete_workflow, filed_beside,
        hint, hold, hold_poster, lift, obsolete, obsolete_with_more, round, rules, scenarios, set,
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

/// The same with a poster and a preview that publish-finals has filed too.
async fn asked_of_several(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    filed_beside(&world).await;
    work(&world, story).await;
    world
}

/// A round after that time.
async fn looked(world: &World, story: &Scenario, after: Duration) {
    tokio::time::sleep(after).await;
    world.send(&round(world)).await;
    work(world, story).await;
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

/// What a field of the asset says.
fn field(world: &World, name: &str) -> Vec<Value> {
    let asset = titled(world);
    world.iconik().with_state(|state| state.values_of(("assets", &asset), name))
}

fn is_there(world: &World, name: &str) -> bool {
    world.content_server.with_state(|state| at(state, name).is_some())
}

fn certified_documents(world: &World) -> Vec<Vec<String>> {
    let texts = certificates(world);
    let read = texts.iter().map(|text| serde_json::from_slice::<Certificate>(text).expect("a certificate"));
    read.map(|found| found.documents.into_iter().map(|document| document.name).collect()).collect()
}

const FILM: &str = "Harbour Lights.mov";

#[tokio::test(start_paused = true)]
async fn a_hold_on_the_poster_keeps_the_asset_and_the_certificate_names_all_its_documents() {
    let story = story(rules(WORKFLOW, "destroy = \"asset\""), obsolete_with_more);
    let world = asked_of_several(&story).await;
    // All of them are attached to the review, and have their record status.
    world.content_server.with_state(|state| {
        for name in [FILM, POSTER, PREVIEW] {
            let node = at(state, name).and_then(|node| state.nodes.get(&node)).expect("it is there");
            let record = node.record.as_ref().unwrap_or_else(|| panic!("{name} is no record"));
            assert_eq!(record.status, "INACTIVE", "{name}");
        }
    });
    hold_poster(&world.content_server);
    decided(&world, &story, "Destroy").await;
    assert!(!is_deleted(&world) && certificates(&world).is_empty(), "{:?}", world.endings());
    assert!(world.endings().contains(&"skipped disposition.held".to_owned()), "{:?}", world.endings());
    assert_eq!(field(&world, "LegalHold"), [json!(true)]);
    lift(&world.content_server);
    looked(&world, &story, Duration::from_secs(3600)).await;
    assert!(is_deleted(&world), "{:?}", world.endings());
    assert_eq!(certified_documents(&world), [[FILM, POSTER, PREVIEW]]);
    certified(&world).unwrap();
    assert!([FILM, POSTER, PREVIEW].iter().all(|name| is_there(&world, name)));
}

#[tokio::test(start_paused = true)]
async fn under_a_hold_on_the_poster_nothing_is_asked() {
    let story = story(rules(WORKFLOW, "destroy = \"asset\""), |world| {
        obsolete_with_more(world);
        hold_poster(&world.content_server);
    });
    let world = asked_of_several(&story).await;
    assert!(world.made().workflows.is_empty(), "{:?}", world.endings());
    assert_eq!(field(&world, "LegalHold"), [json!(true)]);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_cannot_be_seen_any_more_stops_everything_unless_the_rule_leaves_it_out() {
    let destroy = "destroy = \"asset-and-documents\"";
    let stops = story(rules(WORKFLOW, destroy), obsolete_with_more);
    let lost = |world: &World| {
        world.content_server.with_state(|state| {
            let poster = at(state, POSTER).expect("the poster");
            state.delete(ADMIN, poster).expect("deleted");
        });
    };
    let world = asked_of_several(&stops).await;
    lost(&world);
    decided(&world, &stops, "Destroy").await;
    is_put_aside_as(&world, "disposition.document-gone");

    let rules = with("name = \"obsolete\"\n", "name = \"obsolete\"\nmissing_documents = \"leave-out\"\n");
    let goes_on = Scenario { rules, ..stops };
    let world = asked_of_several(&goes_on).await;
    lost(&world);
    decided(&world, &goes_on, "Destroy").await;
    assert!(is_deleted(&world) && reasons(&world).is_empty(), "{:?}", world.endings());
    assert_eq!(certified_documents(&world), [[FILM, PREVIEW]]);
}

#[tokio::test(start_paused = true)]
async fn one_document_that_does_not_go_keeps_all_of_them() {
    let story = story(rules(WORKFLOW, "destroy = \"asset-and-documents\""), obsolete_with_more);
    let world = asked_of_several(&story).await;
    world.content_server.with_state(|state| {
        let poster = at(state, POSTER).expect("the poster");
        let official = RecordChanges { official: Some(true), ..RecordChanges::default() };
        state.edit_record(ADMIN, poster, official).expect("official");
    });
    decided(&world, &story, "Destroy").await;
    is_put_aside_as(&world, "disposition.not-removable");
    assert!([FILM, POSTER, PREVIEW].iter().all(|name| is_there(&world, name)));
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_when_a_hold_comes_has_a_certificate_and_the_rest_stays() {
    let mut story = story(rules(WORKFLOW, "destroy = \"asset-and-documents\""), obsolete_with_more);
    story.switches = |theirs| theirs.latency_milliseconds = 20;
    let world = asked_of_several(&story).await;
    let holding = async {
        while is_there(&world, PREVIEW) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        hold(&world.content_server);
    };
    tokio::join!(decided(&world, &story, "Destroy"), holding);
    assert!(!is_deleted(&world) && reasons(&world).is_empty(), "{:?}", world.endings());
    assert!(is_there(&world, FILM) && is_there(&world, POSTER));
    assert_eq!(certificates(&world).len(), 1, "{:?}", world.endings());
    certified(&world).unwrap();
    assert_eq!(field(&world, "LegalHold"), [json!(true)]);

    lift(&world.content_server);
    looked(&world, &story, Duration::from_secs(3600)).await;
    assert!(is_deleted(&world) && !is_there(&world, FILM) && !is_there(&world, POSTER));
    assert_eq!(certificates(&world).len(), 2, "{:?}", world.endings());
    certified(&world).unwrap();
}

#[tokio::test(start_paused = true)]
async fn documents_of_an_asset_that_say_different_things_decide_nothing() {
    let story = story(rules(CATEGORY, "destroy = \"asset\""), obsolete_with_more);
    let world = asked_of_several(&story).await;
    let write = |name: &str, word: &str| {
        world.content_server.with_state(|state| {
            let node = at(state, name).expect("it is there");
            let values = json!({"2": word}).as_object().cloned().unwrap_or_default();
            state.edit_category(ADMIN, node, PUBLICATION, &values, None).expect("written");
        });
    };
    write(FILM, "delete");
    write(POSTER, "keep");
    looked(&world, &story, Duration::from_secs(3600)).await;
    is_put_aside_as(&world, "disposition.no-decision");
    write(POSTER, "delete");
    looked(&world, &story, Duration::from_secs(3600)).await;
    assert!(is_deleted(&world), "{:?}", world.endings());
}

const ARCHIVES: &str = "archive_formats = [\"ORIGINAL\"]\narchive_within = \"2 days\"";
const HOUR: Duration = Duration::from_secs(3600);

/// Somebody archives in iconik what the flow could not.
fn archive_by_hand(world: &World) {
    world.set_iconik(|theirs| theirs.jobs = simulators::iconik::settings::Jobs::default(), "");
    let asset = titled(world);
    world.iconik().with_state(|state| {
        let of_asset = state.media.formats.objects().filter(|format| format["asset_id"] == asset.as_str());
        let all: Vec<String> =
            of_asset.filter_map(|format| format["id"].as_str().map(str::to_owned)).collect();
        for format in all {
            state.archive_format(EDITOR, &asset, &format, &serde_json::Map::new()).expect("a job");
        }
    });
}

/// What iconik says of itself, and what it was told.
fn shown(world: &World) -> (Vec<Value>, Vec<Value>) {
    (field(world, "ContentServerState"), field(world, "DispositionOutcome"))
}

#[tokio::test(start_paused = true)]
async fn an_archive_job_that_fails_is_told_and_nothing_is_called_archived() {
    let story = story(rules(WORKFLOW, ARCHIVES), obsolete);
    let world = asked(&story).await;
    world.set_iconik(|theirs| theirs.jobs.failing_types = vec!["ARCHIVE".to_owned()], "");
    decided(&world, &story, "Archive").await;
    assert!(reasons(&world).is_empty(), "{:?}", world.endings());
    let none: Vec<Value> = Vec::new();
    assert_eq!(shown(&world), (vec![json!("in_signoff")], none.clone()), "{:?}", world.endings());
    looked(&world, &story, HOUR).await;
    is_put_aside_as(&world, "disposition.not-archived");
    let message = reasons(&world)[0]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("ORIGINAL") && message.contains("The storage did not answer."), "{message}");
    // It is told once, whatever further rounds there are.
    looked(&world, &story, HOUR).await;
    is_put_aside_as(&world, "disposition.not-archived");
    assert_eq!(shown(&world), (vec![json!("in_signoff")], none));
    let told = world.made().iconik.iter().filter(|fact| fact.contains("iconik did not archive")).count();
    assert_eq!(told, 1, "{}", world.made());

    archive_by_hand(&world);
    looked(&world, &story, HOUR).await;
    assert_eq!(shown(&world), (vec![json!("archived")], vec![json!("archive")]), "{:?}", world.endings());
}

#[tokio::test(start_paused = true)]
async fn an_archive_job_that_never_ends_is_told_after_its_time() {
    let story = story(rules(WORKFLOW, ARCHIVES), obsolete);
    let world = asked(&story).await;
    world.set_iconik(|theirs| theirs.jobs.stuck_types = vec!["ARCHIVE".to_owned()], "");
    decided(&world, &story, "Archive").await;
    for _ in 0..3 {
        looked(&world, &story, 15 * HOUR).await;
        assert!(reasons(&world).is_empty(), "{:?}", world.endings());
    }
    looked(&world, &story, 5 * HOUR).await;
    is_put_aside_as(&world, "disposition.archiving-stuck");
    assert!(shown(&world).1.is_empty(), "{:?}", shown(&world));
    looked(&world, &story, 5 * HOUR).await;
    is_put_aside_as(&world, "disposition.archiving-stuck");

    archive_by_hand(&world);
    looked(&world, &story, HOUR).await;
    assert_eq!(shown(&world), (vec![json!("archived")], vec![json!("archive")]), "{:?}", world.endings());
}

#[tokio::test(start_paused = true)]
async fn an_asset_that_has_nothing_to_be_archived_is_told() {
    let story = story(rules(WORKFLOW, "archive_formats = [\"MEZZANINE\"]"), obsolete);
    let world = asked(&story).await;
    decided(&world, &story, "Archive").await;
    is_put_aside_as(&world, "disposition.nothing-to-archive");
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
