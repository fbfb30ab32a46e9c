//! Content Server is away or lets nobody in: nothing is lost, and all arrives once it is back.

use std::time::{Duration, Instant};

use simulators::content_server::{Settings, seed};

use crate::world::{PATIENCE, Usual, World, bytes, content, watched};

const UPLOADS: u64 = 12;

/// Uploads wait on the queue, the breaker is open, its alarm has what it fires at, and nothing was put aside or given up.
async fn all_wait(world: &World) {
    let poller = world.poll();
    // What the alarm looks at comes with the end of a batch, whose uploads have all been tried by then.
    let deadline = Instant::now() + PATIENCE;
    while watched(world, "IngestUploadsBreakerAlarm").last() != Some(&1.0) {
        assert!(Instant::now() < deadline, "no alarm; {}", world.told());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop(poller);
    assert_eq!(world.waiting().await, UPLOADS, "{}", world.told());
    assert!(world.documents("Claims/Incoming").is_empty());
    assert!(world.dead_letters().await.is_empty());
    assert!(world.reasons().await.is_empty());
    let open = world.function.log().records().iter().any(|record| record["message"] == "breaker open");
    assert!(open, "the breaker is closed; {}", world.told());
}

async fn all_arrive(world: &World) {
    world.settle().await;
    let documents = world.documents("Claims/Incoming");
    assert_eq!(documents.len() as u64, UPLOADS, "{}", world.told());
    assert!(documents.iter().all(|document| document.versions.len() == 1));
    assert!(world.dead_letters().await.is_empty());
    assert!(world.reasons().await.is_empty());
    assert_eq!(watched(world, "IngestUploadsBreakerAlarm").last(), Some(&0.0), "the alarm ends");
}

async fn upload_all(world: &World) {
    for number in 0..UPLOADS {
        world.upload(&format!("inbox/page {number}.bin"), content(2000, number)).await;
    }
}

#[tokio::test]
async fn with_a_wrong_secret_uploads_wait_and_arrive_once_it_is_right() {
    let world = World::with(Usual { password: "not-the-password", ..Usual::default() }).await;
    upload_all(&world).await;
    all_wait(&world).await;
    let refused = world.ecm.journal().entries().iter().filter(|entry| entry.path.ends_with("/auth")).count();
    assert!(refused <= 5, "a wrong password was tried {refused} times: that locks accounts");
    world.place.set_credential(seed::SERVICE_USER, seed::PASSWORD).await;
    all_arrive(&world).await;
}

#[tokio::test]
async fn while_content_server_is_unreachable_uploads_wait_and_arrive_afterwards() {
    let mut world = World::usual().await;
    world.stop_content_server().await;
    upload_all(&world).await;
    all_wait(&world).await;
    world.start_content_server().await;
    all_arrive(&world).await;
}

#[tokio::test]
async fn a_restart_of_content_server_in_the_middle_loses_and_doubles_nothing() {
    let mut world = World::with(Usual { concurrency: 2, ..Usual::default() }).await;
    upload_all(&world).await;
    let poller = world.poll();
    while world.documents("Claims/Incoming").len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Every ticket is void afterwards.
    world.stop_content_server().await;
    world.ecm.with_state(|state| state.end_all_sessions());
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.start_content_server().await;
    drop(poller);
    all_arrive(&world).await;
}

/// The first call of an item asks and carries nothing, so what an idle ticket costs is that call.
#[tokio::test]
async fn a_ticket_that_expired_while_the_function_was_idle_costs_one_call_and_no_content() {
    let ecm = Settings { ticket_lifetime_seconds: 2, ..Settings::default() };
    let world = World::with(Usual { ecm, ..Usual::default() }).await;
    world.upload("inbox/first.bin", content(2000, 1)).await;
    world.settle().await;
    let before = world.ecm.journal().entries().len();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let scan = content(5_000_000, 2);
    world.upload("inbox/second.bin", scan.clone()).await;
    world.settle().await;
    assert_eq!(world.function.processes().len(), 1, "the same process");
    let calls = world.ecm.journal().entries().split_off(before);
    let refused: Vec<_> = calls.iter().filter(|call| call.status == 401).collect();
    assert!(refused.len() == 1 && refused[0].method == "GET", "{refused:?}; {}", world.told());
    let carried: u64 = calls.iter().map(|call| call.received).sum();
    assert!((5_000_000..5_100_000).contains(&carried), "{carried} bytes were sent; {}", world.told());
    let documents = world.documents("Claims/Incoming");
    assert_eq!(bytes(&documents[1]), scan);
}
