//! What a door remembers of pushes.

use std::time::Duration;

use shared::webhook::{Delivery, Memory, Seen};

use crate::table::Place;

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
