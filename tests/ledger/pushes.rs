//! What a door remembers of pushes.

use std::time::Duration;

use http::HeaderMap;
use shared::{
    preservica::{Push, PushSecret},
    webhook::{Delivery, Memory, Seen, Verifier},
};
use simulators::preservica::state::sign;
use standardwebhooks::Webhook;

use crate::table::Place;

const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

fn push(id: &str) -> Delivery {
    Delivery { id: id.to_owned(), signed_at: 0 }
}

#[tokio::test(start_paused = true)]
async fn a_push_that_is_sent_again_is_known_and_another_under_its_id_is_not_dealt_with() {
    let place = Place::in_process().await;
    let memory = Memory::new(place.ledger.clone(), "door");
    assert_eq!(memory.seen(&push("msg_1"), b"{}").await.unwrap(), Seen::New);
    // Until it is dealt with, it is new: a crash loses nothing.
    assert_eq!(memory.seen(&push("msg_1"), b"{}").await.unwrap(), Seen::New);
    memory.remember(&push("msg_1"), b"{}").await.unwrap();
    assert_eq!(memory.seen(&push("msg_1"), b"{}").await.unwrap(), Seen::Before);
    assert_eq!(memory.seen(&push("msg_1"), b"{\"changed\":1}").await.unwrap(), Seen::Other);
    assert_eq!(memory.seen(&push("msg_2"), b"{}").await.unwrap(), Seen::New);
    let other = Memory::new(place.ledger.clone(), "other-door");
    assert_eq!(other.seen(&push("msg_1"), b"{}").await.unwrap(), Seen::New);
}

#[tokio::test(start_paused = true)]
async fn a_push_is_remembered_for_longer_than_senders_try() {
    let place = Place::in_process().await;
    let memory = Memory::new(place.ledger.clone(), "door");
    memory.remember(&push("msg_1"), b"{}").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3 * 24 * 3600)).await;
    assert_eq!(memory.seen(&push("msg_1"), b"{}").await.unwrap(), Seen::Before);
    tokio::time::sleep(Memory::TIME).await;
    assert_eq!(memory.seen(&push("msg_1"), b"{}").await.unwrap(), Seen::New);
    let short = memory.time(Duration::from_secs(60));
    short.remember(&push("msg_2"), b"{}").await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(short.seen(&push("msg_2"), b"{}").await.unwrap(), Seen::New);
}

/// A push as the reference library of Standard Webhooks sends it, and as we take it.
fn sent(id: &str, at: i64, body: &[u8]) -> Delivery {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", id.parse().unwrap());
    headers.insert("webhook-timestamp", at.into());
    let signature = Webhook::new(SECRET).unwrap().sign(id, at, body).unwrap();
    headers.insert("webhook-signature", signature.parse().unwrap());
    let verifier = Verifier::from_json(&format!(r#"{{"current":"{SECRET}"}}"#)).unwrap();
    verifier.verify(&headers, body, jiff::Timestamp::from_second(at).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_known_however_well_it_is_signed() {
    let place = Place::in_process().await;
    let memory = Memory::new(place.ledger.clone(), "door");
    let first = sent("msg_1", 1_767_225_600, b"{}");
    memory.remember(&first, b"{}").await.unwrap();
    // The sender's next attempt has another time and signature, and the same id.
    let again = sent("msg_1", 1_767_225_905, b"{}");
    assert_ne!(first.signed_at, again.signed_at);
    assert_eq!(memory.seen(&again, b"{}").await.unwrap(), Seen::Before);
    let other = sent("msg_1", 1_767_225_910, b"{\"changed\":1}");
    assert_eq!(memory.seen(&other, b"{\"changed\":1}").await.unwrap(), Seen::Other);
}

const PRESERVICA_SECRET: &str = "kR3nVd8sQm1xZt7bLw5cYf2h";

/// A push about so many entities, as Preservica sends it, and as we take it.
fn of_preservica(timestamp: &str, entities: usize) -> (Push, Vec<u8>) {
    let events: Vec<_> = (0..entities)
        .map(|at| serde_json::json!({"entityRef": format!("00000000-0000-4000-a000-{at:012}"), "entityType": "IO"}))
        .collect();
    let body = serde_json::json!({
        "subscriptionId": "s", "trigger": "FULL_TEXT_INDEXED", "timestamp": timestamp, "tenant": "DEMO", "events": events,
    });
    let body = body.to_string().into_bytes();
    let mut headers = HeaderMap::new();
    headers.insert("preservica-signature", sign(PRESERVICA_SECRET, &body).parse().unwrap());
    let secret = PushSecret::from_json(&format!(r#"{{"current":"{PRESERVICA_SECRET}"}}"#)).unwrap();
    (secret.verify(&headers, &body).unwrap(), body)
}

#[tokio::test(start_paused = true)]
async fn a_push_of_preservica_is_taken_once_and_refused_when_it_is_sent_again() {
    let place = Place::in_process().await;
    let memory = Memory::new(place.ledger.clone(), "receive-preservica");
    // Of one entity, and of more than a key of the table has room for.
    for entities in [1, 500] {
        let (push, body) = of_preservica("2031-05-06T07:08:09.000Z", entities);
        assert_eq!(memory.seen(&push.delivery(), &body).await.unwrap(), Seen::New);
        memory.remember(&push.delivery(), &body).await.unwrap();
        // It is signed as well as the first time: nothing in it says that it is old.
        let (again, body) = of_preservica("2031-05-06T07:08:09.000Z", entities);
        assert_eq!(memory.seen(&again.delivery(), &body).await.unwrap(), Seen::Before);
        // The same told anew is another push.
        let (later, body) = of_preservica("2031-05-06T07:08:10.000Z", entities);
        assert_eq!(memory.seen(&later.delivery(), &body).await.unwrap(), Seen::New);
    }
}
