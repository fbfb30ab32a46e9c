//! What is pushed, when, how often, and to whom not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;

use super::{seeded, simulator, wait};
use crate::preservica::state::{Subscription, sign};
use crate::preservica::{Settings, Simulator, seed};

/// A subscription to moves, and so many of them.
fn moved(simulator: &Simulator, url: &str, times: usize) {
    let (spring, records) = (seeded(simulator, "Spring launch"), seeded(simulator, "Records"));
    simulator.with_state(|state| {
        state.subscriptions.push(Subscription {
            id: "s".to_owned(),
            url: url.to_owned(),
            trigger: "MOVED".to_owned(),
            secret: "secret".to_owned(),
            include_identifiers: true,
        });
    });
    let kind = crate::preservica::state::Kind::InformationObject;
    for _ in 0..times {
        simulator.with_state(|state| state.relocate(seed::OPERATOR, (kind, &spring), &records)).unwrap();
        wait(simulator, 3);
    }
}

#[tokio::test]
async fn preservica_pushes_are_signed_ascii_and_wait_their_time() {
    let mut settings = Settings::default();
    settings.deliveries.delay_seconds = 60;
    let simulator = simulator(settings);
    let spring = seeded(&simulator, "Spring launch");
    simulator.with_state(|state| state.identify(&spring, "Name", "größer 🦘"));
    moved(&simulator, "http://127.0.0.1:9/", 1);
    assert!(simulator.with_state(|state| state.take_deliveries(9)).is_empty());
    wait(&simulator, 60);
    let delivery = simulator.with_state(|state| state.take_deliveries(9)).remove(0);
    assert!(delivery.body.is_ascii());
    let json: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
    assert!(json["events"][0]["identifiers"].as_array().unwrap().iter().any(|id| id["Name"] == "größer 🦘"));
    assert_eq!(delivery.signature, sign("secret", delivery.body.as_bytes()));
    assert_eq!(delivery.request().unwrap().headers()["preservica-signature"], delivery.signature.as_str());
}

#[tokio::test]
async fn preservica_pushes_are_tried_again_and_may_come_the_wrong_way_round() {
    let mut settings = Settings::default();
    settings.deliveries.attempts = 2;
    settings.deliveries.retry_seconds = 10;
    settings.deliveries.newest_first = true;
    let simulator = simulator(settings);
    moved(&simulator, "http://127.0.0.1:9/", 2);
    let taken = simulator.with_state(|state| state.take_deliveries(9));
    assert!(taken[0].number > taken[1].number);
    simulator.with_state(|state| state.delivered(&taken[0], &Ok(500)));
    simulator.with_state(|state| state.delivered(&taken[1], &Ok(200)));
    assert!(simulator.with_state(|state| state.take_deliveries(9)).is_empty());
    wait(&simulator, 11);
    let again = simulator.with_state(|state| state.take_deliveries(9));
    assert_eq!((again.len(), again[0].number, again[0].attempt), (1, taken[0].number, 2));
    simulator.with_state(|state| state.delivered(&again[0], &Err("gone".to_owned())));
    wait(&simulator, 11);
    assert!(simulator.with_state(|state| state.take_deliveries(9)).is_empty());
}

#[tokio::test]
async fn preservica_calls_nobody_outside_this_machine_unless_told_and_waits_for_nobody_for_ever() {
    for only in [true, false] {
        let mut settings = Settings::default();
        settings.deliveries.only_loopback = only;
        let simulator = simulator(settings);
        let called = Arc::new(AtomicUsize::new(0));
        let counted = called.clone();
        let receiver =
            Router::new().route("/", post(async move || counted.fetch_add(1, Ordering::Relaxed).to_string()));
        let (address, server) = crate::serve(receiver, 0).await.unwrap();
        // Not an address of the loopback interface, though this machine answers there.
        moved(&simulator, &format!("http://{address}/").replace("127.0.0.1", "0.0.0.0"), 1);
        let sender = simulator.start_sending();
        tokio::time::sleep(Duration::from_millis(300)).await;
        sender.abort();
        server.abort();
        assert_eq!(called.load(Ordering::Relaxed), usize::from(!only));
    }
    let mut settings = Settings::default();
    settings.deliveries.timeout_seconds = 1;
    settings.deliveries.attempts = 2;
    settings.deliveries.retry_seconds = 0;
    let simulator = simulator(settings);
    let silent = Router::new().route("/", post(async || tokio::time::sleep(Duration::from_secs(60)).await));
    let (address, server) = crate::serve(silent, 0).await.unwrap();
    moved(&simulator, &format!("http://{address}/"), 1);
    let sender = simulator.start_sending();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    sender.abort();
    server.abort();
    let waiting = simulator.with_state(|state| state.take_deliveries(9));
    assert!(waiting.iter().all(|delivery| delivery.attempt == 2));
}
