//! One batch of uploads in the real binary: how much of it goes on at once, and an end in the middle of it.

use std::time::{Duration, Instant};

use simulators::faults::{Action, Rule};
use tests::runtime::Outcome;

use crate::world::{PATIENCE, Usual, World};

const UPLOADS: u64 = 10;

/// Every document takes so long to be made.
fn slow(world: &World, milliseconds: u64) {
    let rule = Rule::next(Action::Delay { milliseconds }).on("POST", "/api/v2/nodes$").times(UPLOADS);
    world.ecm.faults().add(rule).unwrap();
}

async fn upload_all(world: &World) {
    for number in 0..UPLOADS {
        world.upload(&format!("inbox/{number}.txt"), format!("page {number}\n")).await;
    }
    world.until_queued(UPLOADS).await;
}

/// Documents that are being made at this moment.
fn being_made(world: &World) -> usize {
    let entries = world.ecm.journal().entries();
    let making = |method: &str, path: &str| method == "POST" && path.ends_with("/api/v2/nodes");
    entries.iter().filter(|entry| entry.status == 0 && making(&entry.method, &entry.path)).count()
}

#[tokio::test]
async fn of_a_batch_of_ten_as_many_uploads_go_on_at_once_as_the_setting_says() {
    let world = World::with(Usual {
        variables: |_| vec![("WAYBILL_TARGET_CONCURRENCY", "3".to_owned())],
        ..Usual::default()
    })
    .await;
    slow(&world, 400);
    upload_all(&world).await;
    let delivery = world.delivering();
    let mut most = 0;
    while !delivery.is_finished() {
        most = most.max(being_made(&world));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let delivery = delivery.await.unwrap();
    assert_eq!((delivery.messages, delivery.stay), (10, 0), "{}", world.told());
    assert_eq!(most, 3);
    assert_eq!(world.documents("Claims/Incoming").len(), 10);
}

#[tokio::test]
async fn told_to_end_in_mid_batch_the_function_gives_back_what_it_has_in_hand_and_says_so() {
    let world = World::with(Usual {
        variables: |_| vec![("WAYBILL_TARGET_CONCURRENCY", "2".to_owned())],
        visibility: 60,
        ..Usual::default()
    })
    .await;
    // The first two are made at once, the next two hang for half a minute.
    let hang =
        Rule::next(Action::Delay { milliseconds: 30_000 }).on("POST", "/api/v2/nodes$").call(3).times(2);
    world.ecm.faults().add(hang).unwrap();
    upload_all(&world).await;
    let delivery = world.delivering();
    let deadline = Instant::now() + PATIENCE;
    while being_made(&world) < 2 || world.documents("Claims/Incoming").len() < 2 {
        assert!(Instant::now() < deadline, "{}", world.told());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let process = world.function.busy().remove(0);
    let told = Instant::now();
    process.terminate();
    let delivery = delivery.await.unwrap();
    while process.is_alive() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = told.elapsed();
    assert!(took < Duration::from_secs(15), "it waited for what hangs: {took:?}; {}", world.told());
    // What had ended is acknowledged, the rest is on the queue, and all of it is in the log.
    assert!(matches!(delivery.outcome, Outcome::Answer(_)), "{delivery:?}; {}", world.told());
    assert_eq!((delivery.messages, delivery.stay), (10, 8), "{}", world.told());
    let records = world.function.log().records();
    let logged = |field: &str, text: &str| records.iter().filter(|record| record[field] == text).count();
    assert_eq!((logged("message", "shutting down"), logged("code", "shutdown")), (1, 2), "{}", world.told());
    let figures: Vec<_> = records.iter().filter(|record| record["GivenBack"].is_number()).collect();
    assert_eq!(figures.len(), 1, "{}", world.told());
    assert_eq!((&figures[0]["Delivered"], &figures[0]["GivenBack"]), (&2.into(), &8.into()));
    // Neither a claim nor a minute of invisibility is waited for, and nothing is lost or made twice.
    world.ecm.faults().clear();
    world.settle_within(Duration::from_secs(45)).await;
    let documents = world.documents("Claims/Incoming");
    assert_eq!(documents.len(), 10, "{}", world.told());
    assert!(documents.iter().all(|document| document.versions.len() == 1));
}

#[tokio::test]
async fn told_to_end_between_batches_the_function_ends_at_once() {
    let world = World::usual().await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    world.settle().await;
    let process = world.function.processes().remove(0);
    process.terminate();
    let deadline = Instant::now() + Duration::from_millis(1500);
    while process.is_alive() {
        assert!(Instant::now() < deadline, "{}", world.told());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(world.function.log().text().contains("shutting down"));
}

/// A request for messages goes on at the queue when nobody waits for its answer any more: what it took would be seen by
/// nobody until its visibility ends.
#[tokio::test]
async fn a_delivery_that_ends_while_it_waits_hides_no_message_from_the_next() {
    let world = World::usual().await;
    for round in 0..5 {
        let poller = world.poll();
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(poller);
        world.send("{}").await;
        let delivery = world.queue.deliver().await.unwrap();
        assert!(delivery.is_some(), "in round {round} it is hidden; {}", world.told());
    }
}
