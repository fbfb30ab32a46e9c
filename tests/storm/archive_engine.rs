//! What the archive engine says when it cannot go on, when it goes on all the same, and how a large package gets there.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use shared::error::FailureClass;
use simulators::{
    content::Blob,
    faults::{Action, Rule},
    preservica::{
        Settings,
        state::{Algorithm, Bitstream, Kind, Status, digest},
    },
};
use tests::{
    archiving::{KEEP_MASTERS, Master, MasterFile},
    storm::{
        Drive, Fault, Meanwhile, Report, Scenario, World, archived_once, backwards, clean, drive, one_fault,
    },
};

use crate::{
    keep_masters::{first, there_with_other_content},
    weather::{each, none},
};

fn story(prepare: fn(&World)) -> Scenario {
    Scenario::of_preservica(
        "engine",
        &KEEP_MASTERS,
        prepare,
        |world| vec![first(world, "1").message()],
        (1, 0, 0),
    )
}

fn replacing(prepare: fn(&World)) -> Scenario {
    Scenario {
        messages: |world| vec![Master { replace: true, ..first(world, "1") }.message()],
        ..story(prepare)
    }
}

async fn played(story: &Scenario, plan: BTreeMap<usize, Fault>) -> World {
    let world = World::new(story, plan, None, 1).await;
    play(&world, story).await;
    world
}

async fn play(world: &World, story: &Scenario) {
    for message in (story.messages)(world) {
        world.send(&message).await;
    }
    let (quiet, ()) = tokio::join!(drive(world, story.flow, Drive::default()), world.live(story));
    assert!(quiet, "the queue never becomes quiet");
}

async fn ends_as(prepare: fn(&World), ending: &str) -> World {
    let world = played(&story(prepare), BTreeMap::new()).await;
    assert_eq!(world.endings(), [ending]);
    world
}

/// Assets with the identifier, and packages that arrived.
fn kept(world: &World) -> (usize, usize) {
    world.preservica().with_state(|state| (state.identified("OTMM", "kept-1:1").len(), state.monitors.len()))
}

fn switch(world: &World, change: impl FnOnce(&mut Settings)) {
    world.preservica().with_state(|state| change(&mut state.settings));
}

#[test]
fn the_stories_of_the_engine_end_as_told_in_both_orders() {
    for story in crate::keep_masters::scenarios() {
        for report in [clean(&story), backwards(&story)] {
            assert!(report.outcome.is_ok(), "{}: {:?}\n{}", story.name, report.outcome, report.made);
        }
    }
}

/// However short the storm is: elsewhere only a part of these nights is played.
#[test]
fn a_crash_or_a_lost_answer_at_every_call_of_the_engine_ends_like_a_calm_night() {
    let stories: Vec<(Scenario, Report)> = crate::keep_masters::scenarios()
        .into_iter()
        .take(2)
        .map(|story| {
            let calm = clean(&story);
            (story, calm)
        })
        .collect();
    let mut nights = Vec::new();
    for (story, calm) in &stories {
        assert!(calm.outcome.is_ok() && calm.calls.len() > 20, "{}: {:?}", story.name, calm.outcome);
        for call in 0..calm.calls.len() {
            let faults = [Fault::CrashBefore, Fault::CrashAfter, Fault::DropAfter];
            nights.extend(faults.map(|fault| (story, calm, call, fault)));
        }
    }
    none(&each(&nights, |(story, calm, call, fault)| {
        let reason = one_fault(story, &calm.made, *call, *fault, None).outcome.err()?;
        Some(format!("{}: {fault:?} at call {call} ({}): {}", story.name, calm.calls[*call].what, reason.0))
    }));
}

/// What of the ledger's table has this in its key.
fn noted(world: &World, key: &str) -> Vec<Value> {
    let has = |record: &Value| record["pk"]["S"].as_str().is_some_and(|pk| pk.contains(key));
    world.ledger().into_iter().filter(has).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_archived_is_remembered_under_its_reference_and_what_is_not_is_not() {
    let world = ends_as(|_| (), "delivered").await;
    let asset =
        world.preservica().with_state(|state| state.identified("OTMM", "kept-1:1")[0].reference.clone());
    let remembered = noted(&world, "reference#OTMM#kept-1:1");
    assert_eq!(remembered.len(), 1, "{remembered:?}");
    assert_eq!(
        (remembered[0]["sk"]["S"].as_str(), remembered[0]["id"]["S"].as_str()),
        (Some("preservica"), Some(asset.as_str()))
    );
    let fails = |world: &World| switch(world, |theirs| theirs.ingest.fail_next = 3);
    let story = story(|_| ());
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    fails(&world);
    play(&world, &story).await;
    assert_eq!(world.endings(), ["quarantined preservation.ingest-given-up"]);
    assert!(noted(&world, "reference#OTMM#").is_empty());
}

/// The words for an end that are neither success nor failure.
const NEITHER: [Status; 3] = [Status::FinishedMixedOutcome, Status::Suspended, Status::Unknown];

/// An ingest of which one of these words is told: when it is asked about first and nothing is there yet,
/// or when its end would be told and all is.
async fn told_of_the_ingest(status: Status, is_there: bool, act: fn(&mut Bitstream)) -> World {
    let story = story(|_| ());
    let calm = played(&story, BTreeMap::new()).await;
    let asked: Vec<usize> = calm
        .tap
        .calls()
        .iter()
        .enumerate()
        .filter(|(_, call)| call.what.contains("/progress/"))
        .map(|(number, _)| number)
        .collect();
    // Once more after its end, when it is looked at what came of it.
    assert!(asked.len() > 2, "it is asked about more than twice");
    let at = if is_there { asked[asked.len() - 2] } else { asked[0] };
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    let preservica = world.preservica().clone();
    world.tap.before(at, move || {
        preservica.with_state(|state| {
            let tokens: Vec<String> = state.progress.keys().cloned().collect();
            for token in tokens {
                state.end(&token, status, Some("one of its steps did not end"));
            }
            let files = state.entities.values_mut().flat_map(|one| &mut one.generations);
            files
                .flat_map(|generation| &mut generation.bitstreams)
                .filter(|file| file.filename == "master.tif")
                .for_each(act);
        });
    });
    play(&world, &story).await;
    world
}

#[tokio::test(start_paused = true)]
async fn an_ingest_that_ends_mixed_suspended_or_unknown_without_the_asset_needs_a_person() {
    for status in NEITHER {
        let world = told_of_the_ingest(status, false, |_| ()).await;
        assert_eq!(world.endings(), ["quarantined preservation.needs-person"], "{status:?}");
        // It arrived, and no second package goes.
        assert_eq!(kept(&world), (0, 1), "{status:?}");
        let items = noted(&world, "#item#");
        let result: Value = serde_json::from_str(items[0]["result"]["S"].as_str().unwrap()).unwrap();
        assert_eq!(result["reason"]["class"], serde_json::to_value(FailureClass::Forbidden).unwrap());
        let message = result["reason"]["message"].as_str().unwrap();
        assert!(message.contains("one of its steps did not end"), "{message}");
        assert!(noted(&world, "reference#OTMM#").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_ingest_that_ends_mixed_suspended_or_unknown_with_the_asset_is_believed_only_file_by_file() {
    for status in NEITHER {
        let world = told_of_the_ingest(status, true, |_| ()).await;
        assert_eq!((world.endings(), kept(&world)), (vec!["delivered".to_owned()], (1, 1)), "{status:?}");
        archived_once(&world, &world.made()).unwrap();
        let world = told_of_the_ingest(status, true, |file| {
            file.fixities = vec![("SHA256".to_owned(), "0".repeat(64))];
        })
        .await;
        let ending = "quarantined preservation.wrong-fixity".to_owned();
        assert_eq!((world.endings(), kept(&world)), (vec![ending], (1, 1)), "{status:?}");
        assert!(noted(&world, "reference#OTMM#").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_archived_already_is_verified_and_not_sent_again() {
    let story = story(|_| ());
    let world = played(&story, BTreeMap::new()).await;
    assert_eq!((world.endings(), kept(&world)), (vec!["delivered".to_owned()], (1, 1)));
    world.send(&first(&world, "2").message()).await;
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!((world.endings().len(), kept(&world)), (2, (1, 1)));
    archived_once(&world, &world.made()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_asset_with_other_content_is_left_or_gets_a_new_generation_once() {
    let world = ends_as(there_with_other_content, "skipped preservation.different").await;
    assert_eq!(kept(&world), (1, 0));
    let world = played(&replacing(there_with_other_content), BTreeMap::new()).await;
    assert_eq!(world.endings(), ["delivered"]);
    let facts = world.made().preservica;
    let expected = first(&world, "1").files[0].size;
    assert!(
        facts.iter().any(|fact| fact.contains(&format!("master.tif of {expected} bytes"))
            && fact.ends_with("generation 2")),
        "{facts:?}"
    );
    assert!(!facts.iter().any(|fact| fact.contains("small.jpg")), "what is the same stays: {facts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_copy_for_access_that_is_missing_is_added_and_a_master_is_not() {
    let world = played(
        &replacing(|world| {
            there_with_other_content(world);
            drop_representation(world, "Access");
        }),
        BTreeMap::new(),
    )
    .await;
    assert_eq!(world.endings(), ["delivered"]);
    let world = played(
        &replacing(|world| {
            there_with_other_content(world);
            drop_representation(world, "Preservation");
        }),
        BTreeMap::new(),
    )
    .await;
    assert_eq!(world.endings(), ["quarantined preservation.other-files"]);
}

fn drop_representation(world: &World, kind: &str) {
    world.preservica().with_state(|state| {
        let asset = state.identified("OTMM", "kept-1:1")[0].reference.clone();
        state.entities.get_mut(&asset).unwrap().representations.retain(|one| one.kind != kind);
    });
}

#[tokio::test(start_paused = true)]
async fn several_assets_with_one_identifier_are_an_alarm_that_names_them() {
    let world = ends_as(
        |world| {
            there_with_other_content(world);
            there_with_other_content(world);
        },
        "quarantined preservation.several-assets",
    )
    .await;
    let ledger = serde_json::to_string(&world.ledger()).unwrap();
    let references = world.preservica().with_state(|state| {
        state.identified("OTMM", "kept-1:1").into_iter().map(|one| one.reference.clone()).collect::<Vec<_>>()
    });
    assert!(references.iter().all(|reference| ledger.contains(reference)), "{ledger}");
    assert_eq!(kept(&world), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_package_whose_ingest_fails_is_sent_again_so_many_times() {
    for (failing, ending, arrived) in
        [(2, "delivered", 3), (3, "quarantined preservation.ingest-given-up", 3)]
    {
        let story = story(|_| ());
        let world = World::new(&story, BTreeMap::new(), None, 1).await;
        switch(&world, |theirs| theirs.ingest.fail_next = failing);
        play(&world, &story).await;
        assert_eq!((world.endings(), kept(&world).1), (vec![ending.to_owned()], arrived));
        archived_once(&world, &world.made()).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_ingest_that_is_told_to_have_failed_and_left_the_asset_is_believed_only_after_a_look() {
    let world = ends_as(
        |world| {
            switch(world, |theirs| {
                theirs.ingest.fail_next = 1;
                theirs.ingest.failure_leaves_assets = true;
            });
        },
        "delivered",
    )
    .await;
    assert_eq!(kept(&world), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_byte_that_is_another_on_its_way_is_never_archived() {
    let calm = played(&story(|_| ()), BTreeMap::new()).await;
    let part = calm.tap.calls().iter().position(|call| call.what.starts_with("PUT /api/s3/")).unwrap();
    let world = played(&story(|_| ()), [(part, Fault::FlipRequest)].into()).await;
    assert!(world.tap.is_spent());
    assert_eq!((world.endings(), kept(&world)), (vec!["delivered".to_owned()], (1, 2)));
    archived_once(&world, &calm.made()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn bytes_that_the_archive_holds_differently_are_an_alarm() {
    type Deed = fn(&mut Bitstream);
    let cases: [(Deed, &str); 3] = [
        // It tells another checksum than that of what was sent.
        (
            |file| file.fixities = vec![("SHA256".to_owned(), "0".repeat(64))],
            "quarantined preservation.wrong-fixity",
        ),
        // No checksum that is known here: its bytes are read.
        (
            |file| {
                let sum = digest(Algorithm::Sha512, &file.content).unwrap();
                file.fixities = vec![("SHA512".to_owned(), sum)];
            },
            "delivered",
        ),
        (
            |file| {
                file.fixities = Vec::new();
                let mut bytes = file.content.bytes().unwrap().to_vec();
                bytes[0] ^= 1;
                file.content = Blob::of(bytes);
            },
            "quarantined preservation.wrong-fixity",
        ),
    ];
    for (act, ending) in cases {
        let story = story(|_| ());
        let calm = played(&story, BTreeMap::new()).await;
        // Immediately before it is asked what it is made of.
        let look = calm.tap.calls().iter().position(|call| call.what.ends_with("/representations")).unwrap();
        let world = World::new(&story, BTreeMap::new(), None, 1).await;
        let preservica = world.preservica().clone();
        world.tap.before(look, move || {
            preservica.with_state(|state| {
                for part in state.entities.values_mut().filter(|one| one.kind == Kind::ContentObject) {
                    for file in part.generations.iter_mut().flat_map(|generation| &mut generation.bitstreams)
                    {
                        if file.filename == "master.tif" {
                            act(file);
                        }
                    }
                }
            });
        });
        play(&world, &story).await;
        assert_eq!(world.endings(), [ending]);
        assert_eq!(kept(&world), (1, 1), "nothing is removed, and nothing is sent again");
    }
}

#[tokio::test(start_paused = true)]
async fn an_asset_that_was_removed_from_the_archive_does_not_come_back_by_itself() {
    let story = story(|_| ());
    let world = played(&story, BTreeMap::new()).await;
    world.preservica().with_state(|state| {
        let asset = state.identified("OTMM", "kept-1:1")[0].reference.clone();
        state.entities.get_mut(&asset).unwrap().deleted = true;
    });
    world.send(&first(&world, "2").message()).await;
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!(world.endings(), ["delivered", "quarantined preservation.removed"]);
    assert_eq!(kept(&world), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_asset_whose_identifier_was_taken_off_is_known_by_its_reference_and_gets_it_again() {
    let story = story(|_| ());
    let world = played(&story, BTreeMap::new()).await;
    world.preservica().with_state(|state| {
        let asset = state.identified("OTMM", "kept-1:1")[0].reference.clone();
        state.entities.get_mut(&asset).unwrap().identifiers.clear();
    });
    world.send(&first(&world, "2").message()).await;
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!((world.endings(), kept(&world)), (vec!["delivered".to_owned(); 2], (1, 1)));
}

#[tokio::test(start_paused = true)]
async fn parts_that_were_refused_to_be_joined_are_thrown_away_and_go_once_more_when_it_is_sent_again() {
    let story = story(|_| ());
    let calm = played(&story, BTreeMap::new()).await;
    let join = calm.tap.calls().iter().rposition(|call| call.what.starts_with("POST /api/s3/")).unwrap();
    let world = played(&story, [(join, Fault::Refused(403))].into()).await;
    assert_eq!(
        (world.endings(), kept(&world)),
        (vec!["quarantined preservica.forbidden".to_owned()], (0, 0))
    );
    assert!(world.preservica().with_state(|state| state.uploads.is_empty()));
    world.send(&first(&world, "2").message()).await;
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!((world.endings()[0].as_str(), kept(&world)), ("delivered", (1, 1)));
}

/// The storage forgets the upload when its parts are about to be joined.
async fn forgotten(monitors_name_package: bool) -> (Scenario, World) {
    let story = story(|_| ());
    let calm = played(&story, BTreeMap::new()).await;
    let join = calm.tap.calls().iter().rposition(|call| call.what.starts_with("POST /api/s3/")).unwrap();
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    switch(&world, |theirs| theirs.ingest.monitors_name_package = monitors_name_package);
    let preservica = world.preservica().clone();
    world.tap.before(join, move || preservica.with_state(|state| state.uploads.clear()));
    play(&world, &story).await;
    (story, world)
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_know_whether_it_arrived_a_person_decides() {
    let (story, world) = forgotten(false).await;
    assert_eq!((world.endings(), kept(&world)), (vec!["failed effect.undecided".to_owned()], (0, 0)));
    // Redriven without a word, it is looked for again, and nothing is sent.
    assert_eq!(world.redrive(None).await, 1);
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!((world.endings(), kept(&world)), (vec!["failed effect.undecided".to_owned()], (0, 0)));
    assert_eq!(world.redrive(Some("repeat")).await, 1);
    assert!(drive(&world, story.flow, Drive::default()).await);
    assert_eq!((world.endings(), kept(&world)), (vec!["delivered".to_owned()], (1, 1)));
}

#[tokio::test(start_paused = true)]
async fn an_ingest_that_failed_without_a_token_is_known_by_its_monitor() {
    // The answer to the joining is lost twice, and the ingest fails.
    let story = story(|_| ());
    let calm = played(&story, BTreeMap::new()).await;
    let join = calm.tap.calls().iter().rposition(|call| call.what.starts_with("POST /api/s3/")).unwrap();
    let world = World::new(&story, [(join, Fault::DropAfter)].into(), None, 1).await;
    switch(&world, |theirs| theirs.ingest.fail_next = 1);
    play(&world, &story).await;
    assert!(world.tap.is_spent());
    assert_eq!((world.endings(), kept(&world)), (vec!["delivered".to_owned()], (1, 2)));
}

const TOKENS_END: &[Meanwhile] = &[
    Meanwhile { after: Duration::from_secs(30), what: |world| Box::pin(tokens_end(world)) },
    Meanwhile { after: Duration::from_secs(45), what: |world| Box::pin(tokens_end(world)) },
];

#[tokio::test(start_paused = true)]
async fn a_large_package_goes_in_parts_while_tokens_end_and_is_continued_by_others() {
    const LARGE: usize = 11 << 20;
    let story = Scenario {
        messages: |world| {
            let files = vec![MasterFile::preserved("film.mxf", 3, LARGE)];
            vec![Master { files, ..first(world, "1") }.message()]
        },
        // Every call takes four seconds.
        preservica: Some(|theirs| {
            theirs.ingest.seconds = 8;
            theirs.latency_milliseconds = 4000;
        }),
        meanwhile: TOKENS_END,
        ..story(|_| ())
    };
    let world = World::new(&story, BTreeMap::new(), None, 1).await;
    world.set_preservica(|_| (), r#"{"parts_at_once": 1, "part_bytes": 5242880}"#);
    // One part is refused, and sent again alone.
    let failed = Action::Status { status: 500, body: None, content_type: None, retry_after: None };
    world.preservica().faults().add(Rule::next(failed).on("PUT", "partNumber=2")).unwrap();
    play(&world, &story).await;
    assert_eq!((world.endings(), kept(&world)), (vec!["delivered".to_owned()], (1, 1)));
    archived_once(&world, &world.made()).unwrap();
    let calls = world.tap.calls();
    let logins = calls.iter().filter(|call| call.what.ends_with("/login")).count();
    let parts = calls.iter().filter(|call| call.what.starts_with("PUT /api/s3/")).count();
    assert!(logins > 2, "{logins}");
    // Those that were refused for their token, or failed, went once more; none that had arrived did.
    let arrived = world
        .preservica()
        .journal()
        .entries()
        .iter()
        .filter(|entry| entry.query.contains("partNumber") && entry.status == 200)
        .count();
    assert_eq!(arrived, LARGE.div_ceil(5 << 20), "of {parts}");
}

async fn tokens_end(world: &World) {
    world.preservica().with_state(|state| state.tokens.clear());
}
