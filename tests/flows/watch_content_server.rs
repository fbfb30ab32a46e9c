//! What changes in Content Server is told to the flows, once.

use http::StatusCode;
use shared::node_change::Change;

use crate::world::{Usual, World};

const FEEDS: &str = r#"
[[feed]]
name = "scans"
flows = ["offload-content", "publish-approved"]
search = { below = 3004 }
"#;

const FOLDER: &str = "Digitised Archive";

async fn watched() -> World {
    World::with(Usual {
        rules: Some(|_| FEEDS.into()),
        tells: &["offload-content", "publish-approved"],
        ..Usual::of("watch-content-server")
    })
    .await
}

#[tokio::test]
async fn the_schedule_finds_what_changed_and_tells_every_flow_once() {
    let world = watched().await;
    assert!(world.round().await, "{}", world.told());
    // What was there before is announced; the story begins after it.
    for flow in ["offload-content", "publish-approved"] {
        world.told_to(flow).await;
    }
    let node = world.document(FOLDER, "Plan.tif", "image/tiff", &[b"first".to_vec(), b"second".to_vec()]);
    for _ in 0..2 {
        assert!(world.round().await, "{}", world.told());
    }
    for flow in ["offload-content", "publish-approved"] {
        let told = world.told_to(flow).await;
        let told: Vec<_> = told.iter().map(|one| (one.node, one.change, one.version)).collect();
        assert_eq!(told, [(node, Change::Changed, Some(2))], "{flow}; {}", world.told());
    }
}

#[tokio::test]
async fn a_signed_push_is_told_once_and_an_unsigned_one_to_nobody() {
    let world = watched().await;
    let push = r#"{"feed": "scans", "node": 4711, "request": "recall"}"#;
    let unsigned = world.ask(http::Method::POST, "/changes", &[], push).await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    assert_eq!(unsigned.header("content-type"), "application/problem+json");
    assert_eq!(world.push("msg_1", push).await.status, StatusCode::ACCEPTED, "{}", world.told());
    assert_eq!(world.push("msg_1", push).await.status, StatusCode::OK, "the same delivery again");
    let told = world.told_to("offload-content").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].node, told[0].request.as_deref()), (4711, Some("recall")));
}

#[tokio::test]
async fn a_feed_that_names_a_flow_without_a_queue_keeps_it_from_starting() {
    let world =
        World::with(Usual { rules: Some(|_| FEEDS.into()), ..Usual::of("watch-content-server") }).await;
    assert!(!world.round().await);
    let told = world.told();
    assert!(told.contains("feeds.invalid") && told.contains("[no-queue]"), "{told}");
}

#[tokio::test]
async fn each_round_tells_its_figures_and_content_server_is_left_alone_while_it_is_away() {
    let mut world = watched().await;
    // The first round looks at everything; from then on there is a window that can be read to its end.
    for _ in 0..2 {
        assert!(world.round().await, "{}", world.told());
    }
    let figures = |world: &World, name: &str| -> Vec<serde_json::Value> {
        let records = world.function.log().records();
        records.iter().filter_map(|record| record.get(name).cloned()).collect()
    };
    assert!(figures(&world, "Found").iter().any(|found| found.as_u64() > Some(0)), "{}", world.told());
    assert!(figures(&world, "Told").iter().any(|told| told.as_u64() > Some(0)));
    let lag = figures(&world, "Lag");
    let last = lag.last().and_then(serde_json::Value::as_u64);
    assert!(last.is_some_and(|seconds| seconds < 60), "{lag:?}");

    world.stop_content_server().await;
    let mut failed = 0;
    while !world.round().await {
        failed += 1;
        // The first round was lost with its process; five failures in a row open the breaker.
        assert!(failed <= 6, "the breaker never opens; {}", world.told());
    }
    assert_eq!(figures(&world, "BreakerOpen").last(), Some(&1.into()), "{}", world.told());
}
