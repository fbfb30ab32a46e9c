//! Why `publish-finals` leaves something alone, waits for it or puts it aside, told by what it writes for people; and what
//! it does when an address ends in the middle of a transfer, or when a master is large.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use iconik_content_server::PUBLISH_FINALS;
use serde_json::{Value, json};
use simulators::{
    content::Blob,
    faults::{Action, Rule},
    iconik::{
        State,
        seed::{
            self,
            media::{NEWS, SHORT},
            metadata::CAMPAIGN_VIEW,
        },
        state::media::Kind,
    },
};
use tests::storm::{Call, Drive, Fault, Form, Meanwhile, QUARANTINE, Scenario, World, drive};

use crate::publish_finals::{RULES, approved, bin, describe, id, map, original, prepare, version};

pub(crate) fn story(rules: &'static str, prepare: fn(&World)) -> Scenario {
    Scenario::of_iconik(
        "reasons",
        &PUBLISH_FINALS,
        rules,
        prepare,
        |world| vec![approved(world, SHORT, "1")],
        (1, 0, 0),
    )
}

pub(crate) async fn played(story: &Scenario, plan: BTreeMap<usize, Fault>) -> World {
    let world = World::new(story, plan, None, 1).await;
    play(&world, story).await;
    world
}

pub(crate) async fn play(world: &World, story: &Scenario) {
    for message in (story.messages)(world) {
        world.send(&message).await;
    }
    let (quiet, ()) = tokio::join!(drive(world, story.flow, Drive::default()), world.live(story));
    assert!(quiet, "the queue never becomes quiet");
}

/// The reasons that lie in the quarantine bucket.
pub(crate) fn reasons(world: &World) -> Vec<Value> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = objects.filter(|object| object.key.ends_with(".reason.json"));
    reasons.map(|object| serde_json::from_slice::<Value>(&object.data).unwrap()["reason"].clone()).collect()
}

pub(crate) fn filed(world: &World) -> Vec<String> {
    world.made().versions.into_iter().map(|(path, _)| path).collect()
}

pub(crate) fn shown(world: &World, title: &str, field: &str) -> Vec<Value> {
    let asset = id(world, title);
    world.iconik().with_state(|state| state.values_of(("assets", &asset), field))
}

/// States of our jobs.
pub(crate) fn jobs(world: &World) -> Vec<String> {
    world.iconik().with_state(|state| {
        let ours = state.jobs.objects().filter(|job| job["type"] == "CUSTOM");
        ours.map(|job| job["status"].as_str().unwrap_or_default().to_owned()).collect()
    })
}

/// Everything is put aside with this reason, which has a field or a remedy; iconik says that it is not filed, and the job,
/// where there is one, has failed.
async fn is_put_aside_as(story: Scenario, code: &str) -> World {
    let world = played(&story, BTreeMap::new()).await;
    assert_eq!(world.endings(), [format!("quarantined {code}")]);
    let reasons = reasons(&world);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0]["remedy"].is_string(), "{code} has no remedy: {reasons:?}");
    assert!(jobs(&world).iter().all(|status| status == "FAILED"), "{:?}", jobs(&world));
    world
}

async fn is_left_alone_as(prepare: fn(&World), code: &str) {
    let world = played(&story(RULES, prepare), BTreeMap::new()).await;
    assert_eq!(world.endings(), [format!("skipped {code}")]);
    assert!(filed(&world).is_empty() && reasons(&world).is_empty() && jobs(&world).is_empty());
}

pub(crate) fn with(from: &str, to: &str) -> &'static str {
    assert!(RULES.contains(from), "{from}");
    RULES.replace(from, to).leak()
}

#[tokio::test(start_paused = true)]
async fn an_approval_for_a_deleted_version_is_left_alone() {
    let mut story = story(RULES, prepare);
    story.messages = |world| {
        // The hint names the version, and then it is deleted.
        let message = crate::publish_finals::of_version(world, SHORT, 2, "1");
        world.iconik().with_state(|state| {
            let (asset, gone) = (state.titled(SHORT).unwrap(), version(state, SHORT, 2));
            let asset = state.assets.get_mut(&asset).unwrap();
            let versions = asset["versions"].as_array_mut().unwrap();
            versions.retain(|version| version["id"] != *gone);
        });
        vec![message]
    };
    let world = played(&story, BTreeMap::new()).await;
    assert_eq!(world.endings(), ["skipped version.deleted"]);
    assert!(filed(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_asset_in_the_recycle_bin_or_not_approved_is_left_alone() {
    is_left_alone_as(
        |world| {
            prepare(world);
            world.iconik().with_state(bin);
        },
        "asset.in-recycle-bin",
    )
    .await;
    is_left_alone_as(
        |world| {
            prepare(world);
            world.iconik().with_state(crate::publish_finals::reject);
        },
        "approval.not-approved",
    )
    .await;
}

fn grow(state: &mut State) {
    set_status(state, "GROWING");
}

fn set_status(state: &mut State, status: &str) {
    let (asset, file) = (state.titled(SHORT).unwrap(), original(state, SHORT, 2));
    state.edit_file(seed::EDITOR, &asset, &file, map(json!({ "status": status }))).expect("edited");
}

fn growing(world: &World) {
    prepare(world);
    world.iconik().with_state(grow);
}

#[tokio::test(start_paused = true)]
async fn a_growing_file_is_waited_for_and_filed_once_it_is_closed() {
    const CLOSED: &[Meanwhile] = &[Meanwhile {
        after: Duration::from_secs(1800),
        what: |world| Box::pin(async move { world.iconik().with_state(|state| set_status(state, "CLOSED")) }),
    }];
    let story = Scenario { meanwhile: CLOSED, ..story(RULES, growing) };
    let world = played(&story, BTreeMap::new()).await;
    assert_eq!(world.endings(), ["delivered"]);
    assert_eq!(filed(&world).len(), 2, "the file and the poster");
    assert_eq!(jobs(&world), ["FINISHED"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_never_closes_is_put_aside_and_what_is_closed_is_filed() {
    let rules = with("permissions = \"finals\"", "permissions = \"finals\"\npatience = \"1 hour\"");
    let world = is_put_aside_as(story(rules, growing), "file.not-closed").await;
    let filed = filed(&world);
    assert_eq!(filed.len(), 1, "{filed:?}");
    assert!(filed[0].contains("poster"), "{filed:?}");
    assert_eq!(shown(&world, SHORT, "ContentServerState"), [json!("not_filed")]);
}

#[tokio::test(start_paused = true)]
async fn a_storage_without_addresses_is_told_and_the_other_rendition_is_filed() {
    fn approve(world: &World) {
        prepare(world);
        world.iconik().with_state(|state| {
            let asset = state.titled(NEWS).unwrap();
            let request = map(json!({"users": [seed::PRODUCER], "min_number": 1}));
            state.request_approval(seed::EDITOR, "assets", &asset, &request).expect("asked");
            let key = state.approval_key("assets", &asset, None).expect("a key");
            state.decide(seed::PRODUCER, &key, "APPROVED").expect("approved");
            describe(
                state,
                NEWS,
                CAMPAIGN_VIEW,
                &json!({"Project": "NEWS", "Campaign": "News", "RightsStatus": "cleared"}),
            );
        });
    }
    let rules = RULES
        .replace("is = \"final\"", "is = \"news\"")
        .replace("poster = true", "format = \"PPRO_PROXY\"")
        .replace("{asset.title} poster.{media.extension}", "{media.name}");
    let mut story = story(rules.leak(), approve);
    story.messages = |world| vec![approved(world, NEWS, "1")];
    let world = is_put_aside_as(story, "iconik.no-signed-url").await;
    let filed = filed(&world);
    assert_eq!(filed.len(), 1, "{filed:?}");
    assert!(filed[0].ends_with("FERRY_1830_proxy.mp4"), "{filed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_metadata_view_that_changed_is_told_by_name_before_anything_is_filed() {
    fn without_a_field(world: &World) {
        prepare(world);
        world.iconik().with_state(|state| {
            let fields =
                json!({"view_fields": [{"name": "Project"}, {"name": "Campaign"}, {"name": "Region"}]});
            state.edit_view(CAMPAIGN_VIEW, map(fields)).expect("edited");
        });
    }
    let world = is_put_aside_as(story(RULES, without_a_field), "metadata.field-missing").await;
    assert_eq!(reasons(&world)[0]["field"], "RightsStatus");
    assert!(filed(&world).is_empty());

    let gone = with(CAMPAIGN_VIEW, "5f0c8f30-7a51-11f0-c0ff-0242ac120002");
    let world = is_put_aside_as(story(gone, prepare), "metadata.view-missing").await;
    assert!(filed(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_option_that_is_not_in_the_list_is_told_on_either_side() {
    fn unclear(world: &World) {
        prepare(world);
        world.iconik().with_state(|state| {
            describe(state, SHORT, CAMPAIGN_VIEW, &json!({"RightsStatus": "pending"}));
        });
    }
    let world = is_put_aside_as(story(RULES, unclear), "not-in-lookup").await;
    assert!(filed(&world).is_empty());
    assert_eq!(shown(&world, SHORT, "ContentServerState"), [json!("not_filed")]);

    // Content Server has other words.
    let other = with("Cleared for use", "Clear");
    let world = played(&story(other, prepare), BTreeMap::new()).await;
    assert_eq!(world.endings(), ["quarantined content-server.bad-request"]);
    assert_eq!(jobs(&world), ["FAILED"]);

    // The word for the state is none of the field's.
    let word = with("incomplete = \"not_filed\"", "incomplete = \"not_filed\"\nfiled = \"published\"");
    let world = played(&story(word, prepare), BTreeMap::new()).await;
    assert_eq!(world.endings(), ["quarantined iconik.no-such-choice"]);
    assert_eq!(reasons(&world)[0]["field"], "ContentServerState");
    assert_eq!(filed(&world).len(), 2, "what was filed stays");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_another_asset_has_is_not_taken_for_a_version_of_it() {
    fn planted(world: &World) {
        prepare(world);
        let server = &world.content_server;
        tests::repository::folder(server, "Marketing", "Harbour Lights");
        let name = "Harbour Lights 30s HL_30_v2.mov";
        let other = [b"another film".to_vec()];
        tests::repository::document(server, "Marketing/Harbour Lights", name, "video/quicktime", &other);
    }
    let world = is_put_aside_as(story(RULES, planted), "target.name-taken").await;
    assert_eq!(filed(&world).len(), 2, "the other film with its one version, and the poster");
}

/// The number of a call in a clean run.
pub(crate) async fn calls(story: &Scenario, wanted: fn(&tests::storm::Call) -> bool) -> Vec<usize> {
    let world = played(story, BTreeMap::new()).await;
    let calls = world.tap.calls();
    calls.iter().enumerate().filter(|(_, call)| wanted(call)).map(|(number, _)| number).collect()
}

#[tokio::test(start_paused = true)]
async fn an_address_that_ends_in_the_middle_of_a_transfer_is_renewed_and_the_transfer_goes_on() {
    let story = story(RULES, prepare);
    let reads = calls(&story, |call| call.form == Form::IconikStorage).await;
    // The look at the size, the first reading, and then the one that is sent, while the document is being made.
    let cut = reads[2];
    let broken = played(&story, [(cut, Fault::CutAnswer)].into()).await.tap.calls();
    let rest = broken.iter().enumerate().skip(cut + 1).find(|(_, call)| call.form == Form::IconikStorage);
    let (rest, _) = rest.expect("it goes on where it broke off");
    let world = World::new(&story, [(cut, Fault::CutAnswer)].into(), None, 1).await;
    let iconik = world.iconik().clone();
    world.tap.before(rest, move || {
        // As a bucket answers to an address that has ended.
        iconik.faults().add(Rule::next(Action::Forbidden).on("GET", "/_storage/")).expect("a rule");
    });
    play(&world, &story).await;
    assert_eq!(world.endings(), ["delivered"]);
    let calm = played(&story, BTreeMap::new()).await;
    assert_eq!(world.made().versions, calm.made().versions, "the same bytes");
    let calls = world.tap.calls();
    let next = calls.get(rest + 1).expect("it goes on");
    assert_eq!(next.form, Form::Iconik, "another address is asked for: {}", next.what);
}

/// The end of an item that a fault of one call was met by: one job, which is over, and no more in the history than is said.
fn is_over(world: &World, call: usize, fault: Fault) {
    let ended = ["FINISHED", "FAILED"].map(str::to_owned);
    let jobs = jobs(world);
    assert!(jobs.len() == 1 && ended.contains(&jobs[0]), "{fault:?} at call {call}: {jobs:?}");
    let made = world.made();
    let entries = made.iconik.iter().filter(|fact| fact.contains(": history CUSTOM ")).count();
    let is_delivered = world.endings().contains(&"delivered".to_owned());
    assert!(entries <= 1, "{fault:?} at call {call}: told {entries} times\n{made}");
    assert!(entries == 1 || !is_delivered, "{fault:?} at call {call}: delivered, and not told\n{made}");
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_comes_twice_is_told_once_whatever_becomes_of_the_entry() {
    let story = Scenario {
        messages: |world| vec![approved(world, SHORT, "1"), approved(world, SHORT, "2")],
        ..story(RULES, prepare)
    };
    let entries = calls(&story, |call| call.what.starts_with("POST") && call.what.contains("/history")).await;
    assert_eq!(entries.len(), 1, "one entry is written");
    for how in [Drive::default(), Drive { batch: 1, workers: 2, clock_off: 15 }] {
        for fault in Fault::all(Form::Iconik) {
            let world = World::new(&story, [(entries[0], *fault)].into(), None, 1).await;
            for message in (story.messages)(&world) {
                world.send(&message).await;
            }
            assert!(drive(&world, story.flow, how).await, "the queue never becomes quiet");
            is_over(&world, entries[0], *fault);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_ends_as_its_work_did_whatever_becomes_of_the_call_that_says_so() {
    let story = story(RULES, prepare);
    let changes = calls(&story, |call| call.what.starts_with("PATCH") && call.what.contains("/jobs/")).await;
    let end = *changes.last().expect("the job is ended");
    for fault in Fault::all(Form::Iconik) {
        let world = played(&story, [(end, *fault)].into()).await;
        assert!(world.tap.is_spent(), "{fault:?} is met");
        is_over(&world, end, *fault);
        // Busy is not refused: it is tried again.
        if matches!(fault, Fault::Refused(409 | 423)) {
            assert_eq!(jobs(&world), ["FINISHED"], "{fault:?}");
        }
    }
}

/// A master that goes up in parts, slowly.
fn large(world: &World) {
    in_parts(world, 262_144);
}

/// A master that goes up in twelve parts of so many bytes, slowly.
pub(crate) fn in_parts(world: &World, part: u64) {
    let size = 12 * part;
    prepare(world);
    world.iconik().with_state(|state| {
        let (asset, file) = (state.titled(SHORT).unwrap(), original(state, SHORT, 2));
        state.put_content(Kind::File, &file, Blob::generated(30, size));
        let size = map(json!({"status": "CLOSED", "size": size}));
        state.edit_file(seed::EDITOR, &asset, &file, size).expect("edited");
    });
    let clients = json!({"large_upload": {"from_size": 4 * part}, "range_downloads": true});
    world.set_content_server(
        |server| {
            server.large_upload.min_size = 1;
            server.large_upload.part_size = part;
            server.range_requests = true;
            server.latency_milliseconds = 4000;
        },
        &clients.to_string(),
    );
}

/// What people see of a job at one moment.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    status: String,
    percent: i64,
    message: String,
}

fn seen(state: &State) -> Option<Seen> {
    let job = state.jobs.objects().find(|job| job["type"] == "CUSTOM")?;
    let text = |name: &str| job[name].as_str().unwrap_or_default().to_owned();
    let percent = job["progress"].as_i64().expect("a job has its percent");
    Some(Seen { status: text("status"), percent, message: text("message") })
}

#[tokio::test(start_paused = true)]
async fn a_large_master_takes_several_invocations_and_one_job_shows_it_to_its_end() {
    let story = story(RULES, large);
    let calls = played(&story, BTreeMap::new()).await.tap.calls();
    let is_part = |call: &Call| call.what.starts_with("POST") && call.what.contains("/v2/multipart/");
    assert!(calls.iter().filter(|call| is_part(call)).count() >= 12, "it goes up in parts");
    let continuations = calls.iter().filter(|call| call.what.contains("SendMessage")).count();
    assert!(continuations >= 1, "{continuations} continuations");

    // Once more, and somebody looks at the job before every call.
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    let looks = Arc::new(Mutex::new(Vec::<Seen>::new()));
    for call in 0..calls.len() {
        let (iconik, looks) = (world.iconik().clone(), looks.clone());
        world.tap.before(call, move || {
            let job = iconik.with_state(|state| seen(state));
            looks.lock().expect("nobody panics while looking").extend(job);
        });
    }
    play(&world, &story).await;
    assert_eq!(world.endings(), ["delivered"]);
    assert_eq!(jobs(&world), ["FINISHED"]);
    let mut looks = looks.lock().expect("nobody panics while looking").clone();
    looks.dedup();
    let under_way: Vec<Seen> = looks.iter().filter(|job| job.status == "STARTED").cloned().collect();
    assert!(
        under_way.iter().all(|job| (0..100).contains(&job.percent)),
        "not done, and not said to be: {looks:?}"
    );
    assert!(under_way.is_sorted_by_key(|job| job.percent), "it only goes on: {looks:?}");
    let between: BTreeSet<i64> =
        under_way.iter().map(|job| job.percent).filter(|percent| *percent > 0).collect();
    assert!(between.len() >= 3, "people see it rise: {looks:?}");
    let in_mid_upload = under_way.iter().filter(|job| job.percent > 0);
    for job in in_mid_upload.clone() {
        assert!(job.message.contains(" of 2: "), "it says at which file it is: {job:?}");
    }
    assert!(in_mid_upload.clone().any(|job| job.message.starts_with("1 of 2: HL_30_v2.mov")), "{looks:?}");
    let last = world.iconik().with_state(|state| seen(state)).expect("the job");
    assert_eq!((last.status.as_str(), last.percent), ("FINISHED", 100));
    assert!(last.message.starts_with("2 filed and verified"), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_does_nothing() {
    let story = story(RULES, prepare);
    let world = World::new(&story, BTreeMap::new(), None, 1).await.dry();
    for message in (story.messages)(&world) {
        world.send(&message).await;
    }
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert!(filed(&world).is_empty() && jobs(&world).is_empty());
    assert!(shown(&world, SHORT, "ContentServerState").is_empty());
}
