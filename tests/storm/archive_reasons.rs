//! Why `archive-closed-files` puts something aside or refuses to start; how a record's later retention reaches its bag; and
//! a case that is larger than an invocation.

use std::{collections::BTreeMap, time::Duration};

use s3_content_server::ARCHIVE_CLOSED_FILES;
use serde_json::{Value, json};
use simulators::{
    aws::s3::Stored,
    content_server::{
        Blob, seed,
        state::{NewNode, NewVersion, kind},
    },
};
use tests::storm::{ARCHIVE, Broken, Drive, Form, Meanwhile, Report, Scenario, World, drive};

use crate::archive_closed_files::{
    CASE, LETTER, RETENTION, RETRIEVAL, RULES, case, change, closed, schedule, story,
};

/// What a restoration that never ends comes to: a person is told, once, after the time the rule gives it.
#[test]
fn a_restoration_that_never_ends_is_told_to_a_person() {
    let lines = "storage_class = \"DEEP_ARCHIVE\"\nretrieve = { overdue_hours = 1 }";
    let story = Scenario {
        meanwhile: &[RETRIEVAL],
        prepare: |world| {
            case(world);
            world.never_restore();
        },
        promise: Some(|world, _| {
            let letters: Vec<String> = world.dead_letters().into_iter().map(|(_, code)| code).collect();
            let bag = world.aws.s3().versions(ARCHIVE);
            assert!(bag.iter().any(|object| object.storage_class == "DEEP_ARCHIVE"));
            if letters == ["retrieve.overdue"] { Ok(()) } else { Err(Broken(format!("{letters:?}"))) }
        }),
        ..story("never restored", lines, case, closed, (1, 0, 0))
    };
    let report = tests::storm::clean(&story);
    match report.outcome {
        Err(Broken(told)) => assert!(told.contains("\"delivered\": 1, \"failed\": 1"), "{told}"),
        other => panic!("{other:?}"),
    }
}

/// A category that is not there, and a bag that is damaged each time it is built, are put aside with their reasons.
#[test]
fn what_cannot_be_archived_is_put_aside_with_its_reason() {
    let missing = RULES.replace("Integration/Archive", "Integration/Nowhere");
    let missing = Scenario {
        rules: missing.leak(),
        promise: Some(|world, _| reason(world, "content-server.path-missing")),
        ..story("no category", "", case, closed, (0, 0, 1))
    };
    let report = tests::storm::clean(&missing);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    let unknown = Scenario {
        promise: Some(|world, _| reason(world, "archive.unknown-schedule")),
        ..story(
            "no schedule",
            "[rule.retention]\nschedules = { OTHER = \"1 year\" }",
            case,
            closed,
            (0, 0, 1),
        )
    };
    let report = tests::storm::clean(&unknown);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
}

fn reason(world: &World, code: &str) -> Result<(), Broken> {
    let put_aside = world.aws.s3().versions(tests::storm::QUARANTINE);
    let found: Vec<String> = put_aside
        .iter()
        .filter_map(|object| serde_json::from_slice::<Value>(&object.data).ok())
        .filter_map(|record| Some(record.pointer("/reason/code")?.as_str()?.to_owned()))
        .collect();
    if found == [code] { Ok(()) } else { Err(Broken(format!("{found:?}"))) }
}

/// Somebody changes what lies in the working place whenever it is there: the bag never validates.
#[tokio::test(start_paused = true)]
async fn a_bag_that_does_not_validate_is_put_aside_and_nothing_is_reduced() {
    let lines = format!("after = \"purge-old-versions\"\n{RETENTION}");
    let story = story("damaged", &lines, case, closed, (0, 0, 1));
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    for call in 0..2000 {
        let aws = world.aws.clone();
        world.tap.before(call, move || damage(&aws));
    }
    for message in closed(&world) {
        world.send(&message).await;
    }
    assert!(drive(&world, &ARCHIVE_CLOSED_FILES, Drive::default()).await);
    assert_eq!(reason(&world, "archive.bag-invalid"), Ok(()));
    world.content_server.with_state(|state| {
        assert_eq!(state.at(LETTER).expect("the letter").versions.len(), 2);
        assert!(!state.at(CASE).expect("the case").categories.contains_key(&seed::ARCHIVED));
    });
    let placed =
        world.aws.s3().versions(ARCHIVE).into_iter().filter(|object| object.key.starts_with("kept/"));
    assert_eq!(placed.count(), 0, "nothing is placed, so nothing is locked for years");
}

fn damage(aws: &simulators::aws::Aws) {
    use futures_util::FutureExt;
    let objects = aws.s3().versions(ARCHIVE).into_iter();
    let contents: BTreeMap<String, Stored> = objects.map(|object| (object.key.clone(), object)).collect();
    for object in
        contents.into_values().filter(|object| object.key.contains("/bag/data/") && object.data != "damaged")
    {
        let path: String = object.key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let put = http::Request::put(format!("http://aws.test/{ARCHIVE}/{path}"));
        let put =
            put.header("content-length", "7").body(axum::body::Body::from("damaged")).expect("a request");
        let answer = aws.call(put).now_or_never().expect("the simulator never waits");
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

/// A bucket without Object Lock would keep nothing of what is promised: the function does not start.
#[tokio::test(start_paused = true)]
async fn a_bucket_without_object_lock_refuses_the_start() {
    let rules = RULES.replace("bucket = \"archive\"", "bucket = \"content\"");
    let story = Scenario { rules: rules.leak(), ..story("no lock", "", case, closed, (0, 0, 0)) };
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    let crash = std::sync::Arc::new(tokio::sync::Notify::new());
    let environment = world.environment(world.tap.transport(crash), 1, 0);
    let Err(error) = ARCHIVE_CLOSED_FILES.connect(&environment).await else { panic!("it started") };
    assert_eq!(error.code(), "archive.bucket-without-lock");
    assert!(error.remedy_text().is_some());
}

/// Somebody puts something over a file of the bag: Object Lock keeps versions, and does not keep anybody from that.
const CHANGED_IN_THE_ARCHIVE: Meanwhile = Meanwhile {
    after: Duration::from_secs(200),
    what: |world| {
        Box::pin(async move {
            let objects = world.aws.s3().versions(ARCHIVE);
            let letter = objects
                .iter()
                .find(|object| object.key.starts_with("kept/") && object.data == "a second letter");
            let key = &letter.expect("the letter in its bag").key;
            let put = world.s3.put_object().bucket(ARCHIVE).key(key);
            put.body(b"A second letter".to_vec().into()).send().await.expect("somebody writes");
        })
    },
};

/// What came out of the archive is validated before it is made available.
#[tokio::test(start_paused = true)]
async fn a_retrieved_bag_that_is_not_valid_is_told_and_not_available() {
    let story = Scenario {
        meanwhile: &[CHANGED_IN_THE_ARCHIVE, RETRIEVAL],
        ..story("changed in the archive", RETENTION, case, closed, (1, 0, 1))
    };
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    for message in closed(&world) {
        world.send(&message).await;
    }
    let (quiet, ()) =
        tokio::join!(drive(&world, &ARCHIVE_CLOSED_FILES, Drive::default()), world.live(&story));
    assert!(quiet);
    assert_eq!(world.endings(), ["delivered", "quarantined retrieve.bag-invalid"]);
    assert_eq!(told(&world, "State"), json!("damaged"));
}

fn told(world: &World, attribute: &str) -> Value {
    world.content_server.with_state(|state| {
        let case = state.at(CASE).expect("the case").id;
        state.value_of(case, "Archive", attribute).cloned().unwrap_or_default()
    })
}

/// The ends of the retention of every object of the bag.
fn retained(world: &World) -> Vec<String> {
    let objects = world.aws.s3().versions(ARCHIVE).into_iter();
    let mut ends: Vec<String> = objects
        .filter(|object| object.key.starts_with("kept/"))
        .map(|object| object.retained.map_or(0, |(_, until)| until))
        .map(|until| jiff::Timestamp::from_millisecond(until).expect("a moment").to_string())
        .collect();
    ends.dedup();
    ends
}

#[tokio::test(start_paused = true)]
async fn a_longer_retention_reaches_the_bag_and_a_shorter_one_never_does() {
    let story = story("longer", RETENTION, case, closed, (1, 0, 0));
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    let say = async |request: Option<&str>, occasion: &str| {
        world.send(&change(&world, CASE, request, occasion)).await;
        assert!(drive(&world, &ARCHIVE_CLOSED_FILES, Drive::default()).await);
    };
    say(None, "").await;
    assert_eq!(retained(&world), ["2041-05-07T00:00:00Z"]);
    assert!(told(&world, "Retain Until").to_string().contains("2041-05-06"));
    schedule(&world.content_server, "SUP-CONTRACTS-6Y");
    say(Some("mirror-holds"), "longer").await;
    assert_eq!(retained(&world), ["2051-05-07T00:00:00Z"]);
    assert!(told(&world, "Retain Until").to_string().contains("2051-05-06"));
    schedule(&world.content_server, "CLM-FILES-10Y");
    say(Some("mirror-holds"), "shorter").await;
    assert_eq!(retained(&world), ["2051-05-07T00:00:00Z"]);
    assert!(told(&world, "Retain Until").to_string().contains("2051-05-06"), "nothing is shortened");
    assert_eq!(world.endings(), ["delivered", "delivered", "skipped archive.unchanged"]);
}

/// What S3 brought out it puts back when it said it would: the category tells that moment, however often it is asked for.
#[tokio::test(start_paused = true)]
async fn until_when_a_bag_can_be_read_is_what_s3_says() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let lines = format!("storage_class = \"GLACIER\"\nretrieve = {{ days = 7 }}\n{RETENTION}");
    let story = story("read for a week", &lines, case, closed, (1, 0, 0));
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    let say = async |request: Option<&str>, occasion: &str| {
        world.send(&change(&world, CASE, request, occasion)).await;
        assert!(drive(&world, &ARCHIVE_CLOSED_FILES, Drive::default()).await);
    };
    say(None, "").await;
    say(Some("retrieve"), "for the court").await;
    let week = (world.context.now() + 7 * DAY).to_string();
    let until = told(&world, "Available Until");
    assert_eq!(until.as_str().and_then(|until| until.get(..10)), week.get(..10), "{until} and not {week}");
    tokio::time::sleep(2 * DAY).await;
    say(Some("retrieve"), "for the auditor").await;
    assert_eq!((told(&world, "State"), told(&world, "Available Until")), (json!("available"), until));
}

/// Every call takes so long that a case of twelve documents needs several invocations.
#[test]
fn a_case_larger_than_an_invocation_goes_on_where_it_stopped_and_packs_each_part_once() {
    const DOCUMENTS: usize = 12;
    let story = Scenario {
        prepare: |world| {
            case(world);
            world.content_server.with_state(|state| {
                let parent_id = state.at(CASE).expect("the case").id;
                for number in 2..DOCUMENTS {
                    let name = format!("Page {number}.txt");
                    let text = format!("page {number}").into_bytes();
                    let version = Some(NewVersion::of(&name, "text/plain", Blob::of(text)));
                    let new =
                        NewNode { kind: kind::DOCUMENT, parent_id, name, version, ..NewNode::default() };
                    state.create(seed::WAYBILL, new).expect("a page");
                }
            });
            world.set_content_server(|server| server.latency_milliseconds = 1500, "");
        },
        ..story("large", RETENTION, case, closed, (1, 0, 0))
    };
    let report = tests::storm::clean(&story);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    let count = |what: &str| report.calls.iter().filter(|call| call.what.contains(what)).count();
    assert!(count("SendMessage") >= 3, "{} continuations", count("SendMessage"));
    // One document has two versions.
    let packed = written(&report, "/bag/data/");
    assert_eq!((packed.len(), packed.values().max()), (DOCUMENTS + 1, Some(&1)), "{packed:?}");
    let described = written(&report, "/bag/metadata/documents/");
    assert_eq!((described.len(), described.values().max()), (DOCUMENTS, Some(&1)), "{described:?}");
    let placed = written(&report, "/archive/kept/");
    assert_eq!(placed.len(), 2 * DOCUMENTS + 1 + 5, "documents, descriptions, the case and four tag files");
    assert_eq!(placed.values().max(), Some(&1), "{placed:?}");
    // Each version is read twice, and no more for all the interruptions.
    assert_eq!(count("/content"), 2 * (DOCUMENTS + 1));
}

/// How often each object was written whose key has this in it.
fn written(report: &Report, part: &str) -> BTreeMap<String, usize> {
    let puts = report.calls.iter().filter(|call| call.form == Form::S3 && call.what.starts_with("PUT "));
    let mut written = BTreeMap::new();
    for call in puts.filter(|call| call.what.contains(part)) {
        *written.entry(call.what.clone()).or_default() += 1;
    }
    written
}
