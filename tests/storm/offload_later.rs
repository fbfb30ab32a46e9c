//! What `offload-content` left for later, and what becomes of it days afterwards.

use std::{collections::BTreeMap, time::Duration};

use s3_content_server::OFFLOAD_CONTENT;
use simulators::content_server::{seed, state::ADMIN};
use tests::{
    messages::node_change,
    storm::{Drive, QUARANTINE, Scenario, World, drive},
};

use crate::offload_content::{recalled_out_of_an_archive, the_document, the_held_one};

/// A world with these messages on the queue, worked until it is quiet.
async fn world(story: &Scenario) -> World {
    let world = World::new(story, BTreeMap::new(), None, 1).await;
    world.set_archive_is_slow(true);
    for message in (story.messages)(&world) {
        world.send(&message).await;
    }
    settle(&world).await;
    world
}

async fn settle(world: &World) {
    assert!(drive(world, &OFFLOAD_CONTENT, Drive::default()).await, "the queue does not become quiet");
}

/// Time passes, and the schedule puts a sweep on the queue.
async fn sweep(world: &World, hours: u64) {
    tokio::time::sleep(Duration::from_secs(hours * 3600)).await;
    let id = world.context.new_id();
    let event = serde_json::json!({
        "version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.events", "detail": {},
    });
    // At least once, which is sometimes twice.
    for _ in 0..2 {
        world.send(&event.to_string()).await;
    }
    settle(world).await;
}

fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

/// Whether a pointer is the newest version of the document.
fn is_pointer(world: &World) -> bool {
    world.content_server.with_state(|state| {
        the_document(state).latest().is_some_and(|version| version.mime_type == "application/json")
    })
}

#[test]
fn what_was_held_is_offloaded_once_the_hold_is_gone() {
    run(async {
        let world = world(&the_held_one()).await;
        assert_eq!(world.endings(), ["skipped reduction.held"]);
        // Still held on the next day: it is looked at, and noted again.
        sweep(&world, 25).await;
        assert_eq!(world.endings(), ["delivered", "skipped reduction.held", "skipped reduction.held"]);
        world.content_server.with_state(|state| {
            let node = the_document(state).id;
            state.remove_hold(ADMIN, node, seed::FLOOD_HOLD).expect("the hold goes");
        });
        // Nothing is due before a day has passed again.
        sweep(&world, 12).await;
        assert!(!is_pointer(&world));
        sweep(&world, 13).await;
        assert!(is_pointer(&world), "{:?}\n{}", world.endings(), world.made());
        let ended = world.endings().len();
        sweep(&world, 48).await;
        assert_eq!(world.endings().len(), ended + 1, "only the sweep itself: nothing is left for later");
    });
}

#[test]
fn what_was_called_back_is_left_alone_for_a_while_and_then_offloaded_again() {
    run(async {
        let world = world(&recalled_out_of_an_archive()).await;
        world.set_archive_is_slow(false);
        settle_after(&world, 1).await;
        assert!(!is_pointer(&world), "{:?}", world.endings());
        let node = world.content_server.with_state(|state| the_document(state).id);
        // The change feed tells of the version that the recall made.
        world.send(&node_change("offload-content", node, None, "the recalled version")).await;
        settle(&world).await;
        assert!(!is_pointer(&world));
        assert!(world.endings().contains(&"skipped offload.recalled".to_owned()), "{:?}", world.endings());
        sweep(&world, 29 * 24).await;
        assert!(!is_pointer(&world));
        sweep(&world, 2 * 24).await;
        assert!(is_pointer(&world), "{:?}\n{}", world.endings(), world.made());
    });
}

async fn settle_after(world: &World, hours: u64) {
    tokio::time::sleep(Duration::from_secs(hours * 3600)).await;
    world.restore();
    for event in world.events() {
        world.send(&event).await;
    }
    settle(world).await;
}

#[test]
fn a_restoration_that_never_ends_is_put_aside_with_its_reason_and_can_be_asked_for_again() {
    run(async {
        let world = world(&recalled_out_of_an_archive()).await;
        assert_eq!(world.endings(), ["delivered", "skipped recall.restoring"]);
        for _ in 0..5 {
            sweep(&world, 13).await;
            let gone = world.endings().iter().any(|ending| ending.starts_with("quarantined"));
            assert!(!gone, "too early: {:?}", world.endings());
        }
        sweep(&world, 13).await;
        let endings = world.endings();
        assert!(endings.contains(&"quarantined recall.not-restored".to_owned()), "{endings:?}");
        let reasons = world.aws.s3().versions(QUARANTINE);
        let reason =
            reasons.iter().find(|object| object.key.ends_with(".reason.json")).expect("a reason file");
        let text = String::from_utf8_lossy(&reason.data);
        assert!(text.contains("recall.not-restored") && text.contains("restore status"), "{text}");
        assert!(is_pointer(&world), "the document is as it was");
        // Somebody looks after it, and asks again.
        world.set_archive_is_slow(false);
        let node = world.content_server.with_state(|state| the_document(state).id);
        world.send(&node_change("offload-content", node, Some("recall"), "again")).await;
        settle(&world).await;
        assert!(!is_pointer(&world), "{:?}\n{}", world.endings(), world.made());
    });
}
