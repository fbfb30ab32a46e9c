//! Webhooks: subscribing with a handshake over a real socket, and pushes that are verified.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    response::IntoResponse,
    routing::post,
};
use bytes::Bytes;
use http::HeaderMap;
use shared::preservica::{
    Client, EntityKind, ProgressStatus, Push, PushRefusal, PushSecret, Trigger, UploadLedger, UploadStep,
};
use simulators::{
    Clock,
    preservica::{self as simulator, seed, settings::TimeForm},
    serve,
};
use tokio::sync::Mutex;

use crate::{
    package::{Packed, package, source},
    world::{client_of, ours, seeded},
};

const SECRET: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";

type Received = Arc<Mutex<Vec<Result<Push, PushRefusal>>>>;

/// A receiver as we would run one.
async fn receiver() -> (String, Received) {
    let received = Received::default();
    let secret = PushSecret::from_json(&format!(r#"{{"current":"{SECRET}"}}"#)).unwrap();
    let answer = async |State((secret, received)): State<(PushSecret, Received)>,
                        RawQuery(query): RawQuery,
                        headers: HeaderMap,
                        body: Bytes| {
        if let Some(code) = query.as_deref().and_then(|query| query.strip_prefix("challengeCode=")) {
            return Json(secret.answer_challenge(code)).into_response();
        }
        received.lock().await.push(secret.verify(&headers, &body));
        ().into_response()
    };
    let router = Router::new().route("/push", post(answer)).with_state((secret, received.clone()));
    let (address, _) = serve(router, 0).await.unwrap();
    (format!("http://{address}/push"), received)
}

fn tenant(settings: simulator::Settings) -> (simulator::Simulator, Client) {
    let simulator =
        simulator::Simulator::new(settings, Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap()));
    let client = client_of(&simulator, ours(), seed::MANAGER);
    (simulator, client)
}

fn wait(simulator: &simulator::Simulator, seconds: i64) {
    simulator.clock().advance(jiff::SignedDuration::from_secs(seconds));
}

async fn come(received: &Received, number: usize) -> Vec<Result<Push, PushRefusal>> {
    for _ in 0..500 {
        let pushes = received.lock().await.clone();
        if pushes.len() >= number {
            return pushes;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{number} pushes did not come: {:?}", received.lock().await);
}

#[tokio::test]
async fn preservica_tells_whoever_has_the_secret_and_what_it_tells_is_verified() {
    for form in [TimeForm::Iso, TimeForm::Milliseconds] {
        let mut settings = simulator::Settings::default();
        settings.deliveries.timestamp = form;
        let (simulator, client) = tenant(settings);
        let (url, received) = receiver().await;
        let subscription = client.ensure_subscription(&url, Trigger::Moved, SECRET).await.unwrap();
        assert_eq!(client.ensure_subscription(&url, Trigger::Moved, SECRET).await.unwrap(), subscription);
        let sender = simulator.start_sending();
        let (spring, records) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Records"));
        client.add_identifier((EntityKind::Asset, &spring), "Waybill", "größer").await.unwrap();
        client.move_entity((EntityKind::Asset, &spring), Some(&records)).await.unwrap();
        wait(&simulator, 5);
        let push = come(&received, 1).await.remove(0).unwrap();
        assert_eq!((push.subscription.as_str(), push.trigger.as_str()), (subscription.id.as_str(), "MOVED"));
        assert_eq!((&push.entities[0].reference, push.entities[0].kind), (&spring, Some(EntityKind::Asset)));
        assert!(push.entities[0].identifiers.contains(&("Waybill".to_owned(), "größer".to_owned())));
        client.unsubscribe(&subscription.id).await.unwrap();
        client.unsubscribe(&subscription.id).await.unwrap();
        assert!(client.subscriptions().await.unwrap().is_empty());
        sender.abort();
    }
}

#[tokio::test]
async fn preservica_does_not_tell_whoever_cannot_answer_its_challenge() {
    for status in [400, 422] {
        let mut settings = simulator::Settings::default();
        settings.deliveries.failed_handshake_status = status;
        let (_, client) = tenant(settings);
        let (url, _) = receiver().await;
        let other = "another secret of 24 letters";
        let error = client.ensure_subscription(&url, Trigger::Moved, other).await.unwrap_err();
        assert!(error.message().contains("handshake"), "{error}");
        assert!(client.subscriptions().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn preservica_pushes_that_come_twice_have_one_key_and_others_have_others() {
    let mut settings = simulator::Settings::default();
    settings.deliveries.duplicate_every = 1;
    let (simulator, client) = tenant(settings);
    let (url, received) = receiver().await;
    client.ensure_subscription(&url, Trigger::ChangedSecurityDescriptor, SECRET).await.unwrap();
    let sender = simulator.start_sending();
    let spring = seeded(&simulator, "Spring launch");
    for tag in ["closed", "open"] {
        client.change_security_tag((EntityKind::Asset, &spring), tag, false).await.unwrap();
        wait(&simulator, 5);
    }
    let keys: Vec<String> = come(&received, 4).await.into_iter().map(|push| push.unwrap().key()).collect();
    sender.abort();
    let mut different = keys.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 2, "{keys:?}");
}

#[tokio::test]
async fn preservica_tells_when_a_package_has_arrived_and_when_one_was_refused() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let operator = client_of(&simulator, ours(), seed::OPERATOR);
    let (url, received) = receiver().await;
    let mut subscriptions = Vec::new();
    for trigger in [Trigger::FullTextIndexed, Trigger::IngestFailed] {
        subscriptions.push(client.ensure_subscription(&url, trigger, SECRET).await.unwrap().id);
    }
    let sender = simulator.start_sending();
    let folder = seeded(&simulator, "Records");
    let good = Packed::new(1, b"one");
    let bad = Packed { sha1: Some("0".repeat(40)), ..Packed::new(2, b"two") };
    let mut ends = Vec::new();
    for asset in [&good, &bad] {
        let content = package(&folder, std::slice::from_ref(asset));
        let mut ledger = UploadLedger::default();
        let token = loop {
            if let UploadStep::Done(token) =
                operator.upload_step(&source(&content), Some(&folder), &mut ledger).await.unwrap()
            {
                break token.expect("a token");
            }
        };
        // The ingest itself, and search that is behind it.
        wait(&simulator, 21);
        ends.push(operator.follow_progress(&token, Duration::ZERO).await.unwrap().status);
        wait(&simulator, 31);
    }
    assert_eq!(ends, [ProgressStatus::Completed, ProgressStatus::Failed]);
    let pushes: Vec<Push> = come(&received, 2).await.into_iter().map(|push| push.unwrap()).collect();
    // Nothing else comes.
    wait(&simulator, 3600);
    tokio::time::sleep(Duration::from_millis(100)).await;
    sender.abort();
    assert_eq!(received.lock().await.len(), 2);
    let told =
        |trigger: Trigger| pushes.iter().find(|push| push.trigger == trigger.as_str()).expect("it came");
    let (arrived, refused) = (told(Trigger::FullTextIndexed), told(Trigger::IngestFailed));
    assert_eq!(arrived.subscription, subscriptions[0].as_str());
    assert_eq!(arrived.entities.len(), 1);
    let entity = &arrived.entities[0];
    assert_eq!((&entity.reference, entity.kind), (&good.reference, Some(EntityKind::Asset)));
    assert_eq!(entity.identifiers, [("OTMM".to_owned(), "asset-1:1".to_owned())]);
    assert_eq!(refused.subscription, subscriptions[1].as_str());
    assert!(refused.entities.is_empty(), "there is no asset to tell of: {refused:?}");
    assert_ne!(arrived.delivery().id, refused.delivery().id);
}
