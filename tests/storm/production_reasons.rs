//! Why `archive-production` lets a package wait, looks again, or puts it aside, told by what it writes for people.

use std::{collections::BTreeMap, time::Duration};

use iconik_content_server::ARCHIVE_PRODUCTION;
use serde_json::{Value, json};
use simulators::{
    content::Blob,
    iconik::{
        State,
        seed::{
            EDITOR, PRODUCER,
            media::{ORIGINALS, STUDIO},
        },
        state::{Object, media::Kind},
    },
};
use tests::{
    campaign::{self, FINAL, PROJECT, SPOT, VIEW},
    storm::{CONTENT, Drive, QUARANTINE, Scenario, World, drive},
};

use crate::{
    archive_production::{RULES, change, closed, package},
    link_reasons::writing_calls,
};

fn story(rules: &'static str, prepare: fn(&World)) -> Scenario {
    let messages = |world: &World| vec![change(world, "closed")];
    Scenario::of_iconik("reasons", &ARCHIVE_PRODUCTION, rules, prepare, messages, (1, 0, 0))
}

/// The world after the first message was dealt with.
async fn asked(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    for body in (story.messages)(&world) {
        tell(&world, story, &body).await;
    }
    world
}

async fn tell(world: &World, story: &Scenario, body: &str) {
    world.send(body).await;
    assert!(drive(world, story.flow, Drive::default()).await, "the queue never becomes quiet");
}

/// What Amazon EventBridge sends by the schedule.
fn round(number: u32) -> String {
    json!({
        "version": "0", "id": format!("89d1a02d-5ec7-412e-82f5-{number:012}"), "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2031-05-06T07:00:00Z", "region": "us-east-1",
        "resources": [], "detail": {},
    })
    .to_string()
}

/// The lines of the list of everything that holds the package.
fn held(world: &World) -> Vec<String> {
    let mut objects = world.aws.s3().versions(CONTENT).into_iter();
    let list = objects.rfind(|object| object.key.ends_with("held.txt")).expect("a list");
    let mut lines: Vec<String> = String::from_utf8_lossy(&list.data).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Our jobs: how each ended, and what it says.
fn jobs(world: &World) -> Vec<(String, String)> {
    let text = |job: &Object, name: &str| job[name].as_str().unwrap_or_default().to_owned();
    world.iconik().with_state(|state| {
        let ours = state.jobs.objects().filter(|job| text(job, "title").starts_with("Archive "));
        ours.map(|job| {
            let why = text(job, "error_message");
            (text(job, "status"), if why.is_empty() { text(job, "message") } else { why })
        })
        .collect()
    })
}

fn reasons(world: &World) -> Vec<Value> {
    let objects = world.aws.s3().versions(QUARANTINE).into_iter();
    let reasons = objects.filter(|object| object.key.ends_with(".reason.json"));
    reasons.map(|object| serde_json::from_slice::<Value>(&object.data).unwrap()["reason"].clone()).collect()
}

fn said(world: &World) -> Vec<Value> {
    world.iconik().with_state(|state| {
        let id = state.titled(SPOT).expect("the production");
        state.values_of(("collections", &id), "PackageState")
    })
}

fn is_filed(world: &World) -> bool {
    world.content_server.with_state(|state| !package(state).is_empty())
}

fn file(state: &State, name: &str) -> String {
    let found = state.media.files.objects().find(|file| file["original_name"] == name);
    found.expect("the file")["id"].as_str().expect("its id").to_owned()
}

/// Everything that can be wrong with a file, each with another one.
fn broken(world: &World) {
    closed(world);
    world.iconik().with_state(|state| {
        let film = state.titled(FINAL).expect("the final");
        let blob = |name: &str| Blob::of(campaign::bytes(name));
        let more = [
            ("LH_open.mov", "OPEN"),
            ("LH_growing.mov", "GROWING"),
            ("LH_awaited.mov", "AWAITED"),
            ("LH_failed.mov", "FAILED"),
            ("LH_missing.mov", "MISSING"),
            ("LH_archived.mov", "ARCHIVED"),
        ];
        let files = more.map(|(name, status)| (name, blob(name), status));
        campaign::format(state, &film, "ORIGINAL", ORIGINALS, "spot/more", &files);
        let studio = [("LH_20.otio.edl", blob("LH_20.otio.edl"), "CLOSED")];
        let project = state.titled(PROJECT).expect("the project");
        campaign::format(state, &project, "AAF", STUDIO, "spot/edit", &studio);
        state.index_all();
    });
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_with_a_file_it_is_named_and_nothing_is_filed() {
    let story = story(RULES, broken);
    let world = asked(&story).await;
    assert_eq!(world.endings(), ["skipped package.held"]);
    assert_eq!(
        held(&world),
        [
            "LH_20.otio.edl of Lighthouse project: its storage gives no addresses; transfer it to a cloud storage in iconik",
            "LH_archived.mov of Lighthouse 20s: lies in an archive; restore it in iconik (ARCHIVED)",
            "LH_awaited.mov of Lighthouse 20s: is still to come (AWAITED)",
            "LH_failed.mov of Lighthouse 20s: could not be brought into iconik (FAILED)",
            "LH_growing.mov of Lighthouse 20s: is still being written (GROWING)",
            "LH_missing.mov of Lighthouse 20s: is missing on its storage (MISSING)",
            "LH_open.mov of Lighthouse 20s: its upload has not ended (OPEN)",
        ]
    );
    let [(status, why)] = &jobs(&world)[..] else { panic!("{:?}", jobs(&world)) };
    assert_eq!(status, "FAILED");
    for line in held(&world) {
        assert!(why.contains(line.split(" of ").next().unwrap()), "{line} is not in the job: {why}");
    }
    assert_eq!(said(&world), [json!("waiting for files")]);
    assert!(!is_filed(&world), "nothing is filed while the package waits");
}

/// The storage has other bytes than iconik says: seen only when the file is its turn.
#[tokio::test(start_paused = true)]
async fn a_file_whose_storage_says_otherwise_holds_the_package_too() {
    let story = story(RULES, |world| {
        closed(world);
        world.iconik().with_state(|state| {
            let id = file(state, "LH_20.mov");
            let film = state.titled(FINAL).expect("the final");
            let size = json!({"size": 7}).as_object().cloned().unwrap();
            state.edit_file(EDITOR, &film, &id, size).expect("it says so");
            assert_ne!(state.stored(Kind::File, &id).expect("stored").content.size, 7);
        });
    });
    let world = asked(&story).await;
    assert_eq!(world.endings(), ["skipped package.held"]);
    assert_eq!(held(&world), ["LH_20.mov of Lighthouse 20s: iconik says another size than its storage"]);
}

#[tokio::test(start_paused = true)]
async fn a_package_that_waits_is_looked_at_again_by_the_schedule_and_found_finished() {
    let story = story(RULES, |world| {
        closed(world);
        world.iconik().with_state(|state| {
            state.settings.media.reopen = true;
            campaign::set_file(state, "LH_20.mov", "GROWING");
        });
    });
    let world = asked(&story).await;
    // Its time has not come.
    tell(&world, &story, &round(1)).await;
    assert_eq!(world.endings(), ["skipped package.held", "skipped round.nothing"]);
    tokio::time::sleep(Duration::from_secs(61 * 60)).await;
    tell(&world, &story, &round(2)).await;
    assert_eq!(jobs(&world).len(), 1, "nobody is told again of what has not changed");
    // It is finished, and nobody tells of it.
    world.iconik().with_state(|state| campaign::set_file(state, "LH_20.mov", "CLOSED"));
    tokio::time::sleep(Duration::from_secs(61 * 60)).await;
    tell(&world, &story, &round(3)).await;
    let endings = world.endings();
    let delivered = endings.iter().filter(|ending| *ending == "delivered").count();
    assert_eq!(delivered, 3, "two rounds and the package: {endings:?}");
    assert_eq!(said(&world), [json!("archived")]);
    // It waits no more.
    tokio::time::sleep(Duration::from_secs(7 * 60 * 60)).await;
    tell(&world, &story, &round(4)).await;
    assert_eq!(world.endings().iter().filter(|ending| *ending == "skipped round.nothing").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_package_that_has_waited_too_long_is_put_aside_with_its_list() {
    let rules = format!("{RULES}\n[rule.held]\nreport_after_hours = 1\n").leak();
    let story = story(rules, |world| {
        closed(world);
        world.iconik().with_state(|state| campaign::set_file(state, "LH_20_stereo.wav", "MISSING"));
    });
    let world = asked(&story).await;
    tokio::time::sleep(Duration::from_secs(61 * 60)).await;
    tell(&world, &story, &round(1)).await;
    let [reason] = &reasons(&world)[..] else { panic!("{:?}", world.endings()) };
    assert_eq!(reason["code"], "package.incomplete");
    let message = reason["message"].as_str().unwrap_or_default();
    assert!(message.contains("LH_20_stereo.wav of Lighthouse 20s: is missing on its storage"), "{message}");
    assert!(reason["remedy"].as_str().unwrap_or_default().contains("held.txt"), "{reason}");
    // The schedule tells once.
    tokio::time::sleep(Duration::from_secs(61 * 60)).await;
    tell(&world, &story, &round(2)).await;
    assert_eq!(reasons(&world).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_view_that_has_lost_its_field_is_not_taken_for_an_open_production() {
    let story = story(RULES, |world| {
        closed(world);
        world.iconik().with_state(|state| {
            let view = json!({"name": "Production", "view_fields": [{"name": "PackageState"}]});
            state.edit_view(VIEW, view.as_object().cloned().unwrap()).expect("changed");
        });
    });
    let world = asked(&story).await;
    let [reason] = &reasons(&world)[..] else { panic!("{:?}", world.endings()) };
    assert_eq!(reason["code"], "production.view-changed");
    assert!(reason["remedy"].is_string(), "{reason}");
    assert!(!is_filed(&world));
}

/// An asset goes into the recycle bin, and the index still lists it.
fn binned(world: &World) {
    closed(world);
    world.iconik().with_state(|state| {
        state.settings.index.lag_seconds = 24 * 60 * 60;
        let project = state.titled(PROJECT).expect("the project");
        state.delete(PRODUCER, "assets", &project).expect("it goes");
    });
}

#[tokio::test(start_paused = true)]
async fn an_asset_in_the_recycle_bin_is_left_out_or_waited_for_as_the_rule_says() {
    let every = RULES.replace("every_asset = false", "kinds = [\"NLE_PROJECT\"]");
    let world = asked(&story(every.clone().leak(), binned)).await;
    assert_eq!(world.endings(), ["delivered"]);
    let [(status, why)] = &jobs(&world)[..] else { panic!("{:?}", jobs(&world)) };
    assert_eq!(status, "FINISHED_WITH_WARNING", "{why}");
    let rules = every.replace("[rule.closed]", "recycled = \"hold\"\n[rule.closed]").leak();
    let world = asked(&story(rules, binned)).await;
    assert_eq!(world.endings(), ["skipped package.held"]);
    assert_eq!(held(&world), ["Lighthouse project: is in the recycle bin"]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_writes_nothing_on_either_side_and_keeps_nothing_from_being_done_afterwards() {
    type Change = fn(&World);
    let productions: [(Change, &str); 2] = [(closed, "delivered"), (broken, "skipped package.held")];
    for (prepare, would) in productions {
        let story = story(RULES, prepare);
        let world = World::new(&story, BTreeMap::new(), None, 1).await.dry();
        let before = world.made();
        tell(&world, &story, &change(&world, "closed")).await;
        tell(&world, &story, &round(1)).await;
        assert_eq!(world.made(), before, "{would}");
        assert_eq!(writing_calls(&world), [""; 0], "{would}");
        assert!(world.aws.s3().versions(CONTENT).is_empty(), "nothing is kept of what was read");
        assert!(reasons(&world).is_empty() && said(&world).is_empty());

        let world = world.in_earnest();
        tell(&world, &story, &change(&world, "closed")).await;
        assert_eq!(is_filed(&world), would == "delivered");
        assert!(world.endings().contains(&would.to_owned()), "{:?}", world.endings());
    }
}
