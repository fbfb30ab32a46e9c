//! What stops `publish-finals` while a final is on its way: an approval that is taken back, a file that is opened again or
//! becomes another one, a person who aborts the job. Then nothing is made any more, what is there is whole, and the job says
//! what is true.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulators::{
    content::Blob,
    iconik::{
        State,
        seed::{self, media::SHORT},
        state::media::Kind,
    },
};
use tests::storm::{Call, Drive, Fault, Form, Made, Scenario, World, drive};

use crate::{
    finals_reasons::{calls, filed, in_parts, jobs, play, played, reasons, shown, story, with},
    publish_finals::{RULES, abort, approved, map, original, prepare, reject, reopen},
};

/// The looks at the approval: the first one, and those that are the last before each of the two documents is made.
async fn looks_at_approval(story: &Scenario) -> [usize; 3] {
    fn is_look(call: &Call) -> bool {
        let path = call.what.trim_end_matches('/');
        call.form == Form::Iconik && path.starts_with("GET") && path.ends_with("/approvals/request")
    }
    let looks = calls(story, is_look).await;
    looks.try_into().expect("one look at first, and one before each document")
}

/// The look at the file that is the last before its document is made.
async fn last_look_at_file(story: &Scenario) -> usize {
    fn is_look(call: &Call) -> bool {
        let parts: Vec<&str> = call.what.trim_end_matches('/').split('/').collect();
        let of_one = parts.get(parts.len().saturating_sub(2)) == Some(&"files");
        call.form == Form::Iconik && call.what.starts_with("GET") && of_one
    }
    let [_, last, _] = looks_at_approval(story).await;
    let looks = calls(story, is_look).await;
    looks.into_iter().rfind(|look| *look < last).expect("a look at the file")
}

/// The story, in which a person does something in iconik immediately before a call.
async fn with_a_person(story: &Scenario, call: usize, act: fn(&mut State)) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    let iconik = world.iconik().clone();
    world.tap.before(call, move || iconik.with_state(act));
    play(&world, story).await;
    world
}

/// What our newest job says.
fn said(world: &World) -> String {
    world.iconik().with_state(|state| {
        let ours = state.jobs.objects().filter(|job| job["type"] == "CUSTOM");
        let newest = ours.max_by_key(|job| job["date_created"].as_str().map(str::to_owned)).expect("a job");
        newest["message"].as_str().unwrap_or_default().to_owned()
    })
}

/// Whether iconik says anywhere that the film is filed.
fn is_said_to_be_filed(world: &World) -> bool {
    let told = |fact: &String| fact.contains(": history CUSTOM ");
    !shown(world, SHORT, "ContentServerNode").is_empty()
        || shown(world, SHORT, "ContentServerState") == [json!("filed")]
        || world.made().iconik.iter().any(told)
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_is_taken_back_at_the_last_moment_keeps_the_document_from_being_made() {
    let story = story(RULES, prepare);
    let [_, before_film, before_poster] = looks_at_approval(&story).await;
    let world = with_a_person(&story, before_film, reject).await;
    assert_eq!(world.endings(), ["skipped approval.withdrawn"]);
    assert!(filed(&world).is_empty() && reasons(&world).is_empty());
    assert_eq!(jobs(&world), ["ABORTED"]);
    assert!(said(&world).contains("the approval was withdrawn"), "{}", said(&world));
    assert!(!is_said_to_be_filed(&world));

    // The film is filed already, and stays; the poster is not made any more.
    let world = with_a_person(&story, before_poster, reject).await;
    assert_eq!(world.endings(), ["skipped approval.withdrawn"]);
    let filed = filed(&world);
    assert!(filed.len() == 1 && filed[0].ends_with("HL_30_v2.mov"), "{filed:?}");
    assert_eq!(jobs(&world), ["ABORTED"]);
    assert!(!is_said_to_be_filed(&world));
    let clean = played(&story, BTreeMap::new()).await.made();
    is_whole(&world, &clean, "after the film");
}

/// Why the flow's item was last let go, as its record says.
fn let_go(world: &World) -> Vec<Value> {
    let records = world.ledger().into_iter().filter(|record| {
        record.pointer("/pk/S").and_then(Value::as_str).is_some_and(|key| key.contains("#item#"))
    });
    records.filter_map(|record| record.pointer("/last_reason/S").cloned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_opened_again_at_the_last_moment_is_not_filed() {
    let rules = with("permissions = \"finals\"", "permissions = \"finals\"\npatience = \"1 hour\"");
    let story = story(rules, prepare);
    let last = last_look_at_file(&story).await;
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    let iconik = world.iconik().clone();
    world.tap.before(last, move || iconik.with_state(reopen));
    for message in (story.messages)(&world) {
        world.send(&message).await;
    }
    // Until somebody looks at it again.
    let soon = std::time::Duration::from_secs(1);
    let looked = tokio::time::timeout(soon, drive(&world, story.flow, Drive::default())).await;
    assert!(looked.is_err(), "it is tried again: {:?}", world.endings());
    assert_eq!(let_go(&world), [json!("file.changed")]);
    assert!(filed(&world).is_empty(), "{:?}", filed(&world));

    // It stays open: it is waited for, and then put aside. The poster was never open.
    assert!(drive(&world, story.flow, Drive::default()).await, "the queue never becomes quiet");
    assert_eq!(world.endings(), ["quarantined file.not-closed"]);
    assert_eq!(reasons(&world)[0]["field"], "HL_30_v2.mov");
    let filed = filed(&world);
    assert!(filed.len() == 1 && filed[0].contains("poster"), "{filed:?}");
    assert_eq!(jobs(&world), ["FAILED"]);
    assert_eq!(shown(&world, SHORT, "ContentServerState"), [json!("not_filed")]);
}

const OTHER: &[u8] = b"the film with another ending";

/// Somebody brings other bytes, and closes the file again.
fn replace(state: &mut State) {
    let (asset, file) = (state.titled(SHORT).unwrap(), original(state, SHORT, 2));
    state.put_content(Kind::File, &file, Blob::of(OTHER.to_vec()));
    let closed = map(json!({"status": "CLOSED", "size": OTHER.len()}));
    state.edit_file(seed::EDITOR, &asset, &file, closed).expect("closed");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_becomes_another_one_at_the_last_moment_is_filed_as_it_is_now_and_only_so() {
    let story = story(RULES, prepare);
    let last = last_look_at_file(&story).await;
    let world = with_a_person(&story, last, replace).await;
    assert_eq!(world.endings(), ["delivered"]);
    let versions = world.made().versions;
    assert_eq!(versions.len(), 2, "{versions:?}");
    let sha256 = hex::encode(Sha256::digest(OTHER));
    let film = versions.iter().find(|(path, _)| path.ends_with("HL_30_v2.mov"));
    assert_eq!(film.map(|(_, sha256)| sha256.as_str()), Some(sha256.as_str()));
}

/// Everything that is in the target is there as in the clean run: verified, classified, with its categories and rights.
fn is_whole(world: &World, clean: &Made, when: &str) {
    let made = world.made();
    let half = made.lines.iter().find(|line| !clean.lines.contains(*line));
    assert!(half.is_none(), "{when}: {half:?} is not as in a clean run\n{clean}");
    let open = world.content_server.with_state(|state| state.open_large_uploads());
    assert!(open.is_empty(), "{when}: {open:?} are left behind");
}

/// How people stop a final that is on its way.
struct Stop {
    act: fn(&mut State),
    /// How the item ends then.
    endings: &'static [&'static str],
    /// What the job says then, one of these.
    says: &'static [&'static str],
}

const ABORTED: Stop = Stop { act: abort, endings: &["skipped job.aborted"], says: &["aborted"] };
const REJECTED: Stop = Stop {
    act: reject,
    endings: &["skipped approval.withdrawn", "skipped approval.not-approved"],
    says: &["the approval was withdrawn", "the review of the version is"],
};

/// A job that is aborted says what became of its work, and so does everything else.
fn is_truthful(world: &World, clean: &Made, stop: &Stop, when: &str) {
    let jobs = jobs(world);
    let endings = world.endings();
    let is_filed = world.made().versions == clean.versions;
    match (jobs.as_slice(), endings.as_slice()) {
        ([job], [ending]) if job == "ABORTED" && stop.endings.contains(&ending.as_str()) => {
            assert!(stop.says.iter().any(|words| said(world).contains(words)), "{when}: {}", said(world));
            assert!(!is_said_to_be_filed(world) || is_filed, "{when}: iconik says that it is filed");
        }
        ([job], [ending]) if job == "FINISHED" && ending == "delivered" => {
            assert!(
                is_filed && is_said_to_be_filed(world),
                "{when}: not all of it is filed\n{}",
                world.made()
            );
        }
        // The worker died when all of it was told, before it could note that the item is done.
        ([job], [ending]) if job == "FINISHED" && stop.endings.contains(&ending.as_str()) => {
            assert!(
                is_filed && is_said_to_be_filed(world),
                "{when}: not all of it is filed\n{}",
                world.made()
            );
        }
        other => panic!("{when}: {other:?}"),
    }
    is_whole(world, clean, when);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_aborts_the_job_in_mid_upload_is_obeyed_and_may_ask_again() {
    let story = story(RULES, in_small_parts);
    let parts =
        calls(&story, |call| call.what.starts_with("POST") && call.what.contains("/v2/multipart/")).await;
    let world = with_a_person(&story, parts[parts.len() / 2], abort).await;
    assert_eq!(world.endings(), ["skipped job.aborted"]);
    assert_eq!(jobs(&world), ["ABORTED"]);
    assert!(said(&world).contains("aborted"), "{}", said(&world));
    assert!(filed(&world).is_empty(), "{:?}", filed(&world));
    let open = world.content_server.with_state(|state| state.open_large_uploads());
    assert!(open.is_empty(), "the parts that were sent are thrown away: {open:?}");
    assert!(!is_said_to_be_filed(&world) && shown(&world, SHORT, "ContentServerState").is_empty());

    world.send(&approved(&world, SHORT, "2")).await;
    assert!(drive(&world, story.flow, Drive::default()).await, "the queue never becomes quiet");
    assert_eq!(world.endings(), ["delivered", "skipped job.aborted"]);
    let mut jobs = jobs(&world);
    jobs.sort();
    assert_eq!(jobs, ["ABORTED", "FINISHED"]);
    let clean = played(&story, BTreeMap::new()).await.made();
    assert_eq!(world.made().versions, clean.versions);
}

/// Calls that take a while, so that the job is shown again between two documents.
fn slow(world: &World) {
    prepare(world);
    world.set_content_server(|server| server.latency_milliseconds = 2000, "");
}

fn in_small_parts(world: &World) {
    in_parts(world, 16_384);
}

/// A person stops it before one call in so many; where there is a fault, it is met immediately before.
async fn stopped_at_calls(story: &Scenario, stop: &Stop, one_in: usize, fault: Option<Fault>) {
    let clean = played(story, BTreeMap::new()).await;
    let (calls, clean) = (clean.tap.calls(), clean.made());
    let begun = calls.iter().position(|call| call.what.starts_with("POST") && call.what.contains("/jobs/"));
    let (begun, mut stopped) = (begun.expect("a job is shown"), 0);
    for number in (begun + 1..calls.len()).step_by(one_in) {
        let plan: BTreeMap<usize, Fault> = fault.into_iter().map(|fault| (number, fault)).collect();
        let pressed = number + plan.len();
        let world = World::new(story, plan, None, 1).await;
        let (iconik, act) = (world.iconik().clone(), stop.act);
        world.tap.before(pressed, move || iconik.with_state(act));
        play(&world, story).await;
        let what = &calls[number].what;
        let when = format!("{fault:?}, stopped before call {pressed} ({number} is {what})");
        is_truthful(&world, &clean, stop, &when);
        stopped += usize::from(jobs(&world) == ["ABORTED"]);
    }
    assert!(stopped > 0, "nobody is ever obeyed");
}

#[tokio::test(start_paused = true)]
async fn whenever_a_person_aborts_the_job_it_tells_the_truth_and_nothing_is_left_half_filed() {
    stopped_at_calls(&story(RULES, slow), &ABORTED, 1, None).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_of_a_master_that_takes_several_invocations() {
    stopped_at_calls(&story(RULES, in_small_parts), &ABORTED, 5, None).await;
}

/// The worker dies with a document half filed, and the next one is to stop.
#[tokio::test(start_paused = true)]
async fn what_a_worker_that_died_has_made_is_finished_before_the_abort_is_obeyed() {
    for fault in [Fault::CrashAfter, Fault::DropAfter] {
        stopped_at_calls(&story(RULES, slow), &ABORTED, 3, Some(fault)).await;
    }
}

/// The same when the next one finds that the approval was taken back: between two invocations, and in the middle of one.
#[tokio::test(start_paused = true)]
async fn what_a_worker_that_died_has_made_is_finished_though_its_approval_was_taken_back() {
    for fault in [Fault::CrashAfter, Fault::DropAfter] {
        stopped_at_calls(&story(RULES, slow), &REJECTED, 3, Some(fault)).await;
    }
    stopped_at_calls(&story(RULES, in_small_parts), &REJECTED, 5, None).await;
}
