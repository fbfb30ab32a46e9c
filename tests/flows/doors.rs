//! What API Gateway, load balancers, schedules and everybody else hand to the functions that have a door.

use serde_json::Value;
use tests::runtime::Outcome;

use crate::{
    events::samples,
    receive_iconik,
    world::{Usual, World},
};

const FEEDS: &str = "[[feed]]\nname = \"scans\"\nflows = [\"offload-content\"]\nsearch = { below = 3004 }\n";

/// Requests of an HTTP API with payload format 2.0, which are those of a function URL too.
fn is_request(name: &str) -> bool {
    name.starts_with("example-apigw-v2-request-") || name == "example-apigw-sam-http-request"
}

/// What an HTTP API asks an authorizer in payload format 2.0 differs from a request only in what it leaves out.
fn may_be_request(name: &str) -> bool {
    name.starts_with("example-apigw-v2-custom-authorizer-v2-request")
}

/// Every sample is answered or refused by the same process.
async fn answers_every_sample(world: &World, has_schedule: bool) {
    let mut requests = 0;
    for (name, body) in samples() {
        let event: Value = serde_json::from_str(&body).unwrap();
        let is_schedule = event["detail-type"] == "Scheduled Event";
        match world.function.invoke(&event).await.outcome {
            Outcome::Answer(Some(answer)) if is_request(&name) || may_be_request(&name) => {
                requests += usize::from(is_request(&name));
                let status = answer["statusCode"].as_u64().unwrap_or_default();
                assert!((400..500).contains(&status), "{name}: nobody has a link or a signature: {answer}");
                assert!(answer["headers"].is_object() && answer["body"].is_string(), "{name}: {answer}");
            }
            Outcome::Answer(Some(Value::Null)) if is_schedule && has_schedule => {}
            Outcome::Failed(reason) if !(is_request(&name) || is_schedule && has_schedule) => {
                let text = reason["errorMessage"].as_str().unwrap_or_default();
                let codes = ["event.unknown", "event.not-http", "event.not-expected"];
                assert!(codes.iter().any(|code| text.contains(code)), "{name}: {reason}");
            }
            other => panic!("{name}: {other:?}; {}", world.told()),
        }
    }
    assert!(requests >= 5, "{requests} requests among the samples");
    assert_eq!(world.function.processes().len(), 1, "one process answered all of them");
}

#[tokio::test]
async fn the_function_that_serves_links_answers_or_refuses_every_sample_event() {
    answers_every_sample(&World::with(Usual::of("serve-links")).await, false).await;
}

#[tokio::test]
async fn the_function_that_hears_iconik_answers_or_refuses_every_sample_event() {
    let world = World::with(Usual {
        rules: Some(|_| receive_iconik::SUBSCRIPTIONS.into()),
        tells: receive_iconik::TELLS,
        ..Usual::of("receive-iconik")
    })
    .await;
    answers_every_sample(&world, false).await;
    let told =
        receive_iconik::tell(&world, "/actions", receive_iconik::SECRET, &receive_iconik::press()).await;
    assert_eq!(told.status, http::StatusCode::ACCEPTED, "{}", world.told());
}

#[tokio::test]
async fn the_function_that_watches_answers_or_refuses_every_sample_event() {
    let world = World::with(Usual {
        rules: Some(|_| FEEDS.into()),
        tells: &["offload-content"],
        ..Usual::of("watch-content-server")
    })
    .await;
    answers_every_sample(&world, true).await;
    // And it still does its work.
    let push = r#"{"feed": "scans", "node": 4711, "request": "recall"}"#;
    assert_eq!(world.push("msg_1", push).await.status, http::StatusCode::ACCEPTED, "{}", world.told());
}
