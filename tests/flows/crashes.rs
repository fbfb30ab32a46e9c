//! The function is killed, frozen or out of time, and the document is there once.

use std::time::Duration;

use simulators::faults::{Action, Rule};

use crate::world::{Usual, World, content};

/// The call that makes a document.
const CREATE: (&str, &str) = ("POST", "/api/v2/nodes");

fn hold(world: &World, path: &str, call: u64, milliseconds: u64) {
    let rule = Rule::next(Action::Delay { milliseconds }).on("POST", path).call(call);
    world.ecm.faults().add(rule).unwrap();
}

#[tokio::test]
async fn killed_in_the_middle_of_a_large_upload_the_document_is_there_once_and_whole() {
    let world =
        World::with(Usual { timeout: Duration::from_secs(8), visibility: 3, ..Usual::default() }).await;
    let video = content(48 * 1024 * 1024, 1);
    world.upload("inbox/video.bin", video.clone()).await;
    hold(&world, "/api/v2/nodes$", 1, 1500);
    let delivery = world.delivering();
    let process = world.caught_calling(CREATE.0, CREATE.1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    process.kill();
    let delivery = delivery.await.unwrap();
    assert_eq!(delivery.stay, 1, "{delivery:?}");
    assert!(world.documents("Claims/Incoming").is_empty(), "an upload that was cut is no document");
    world.settle().await;
    world.only_document("Claims/Incoming", &video);
}

#[tokio::test]
async fn killed_after_the_document_was_made_it_is_found_and_not_made_again() {
    let world =
        World::with(Usual { timeout: Duration::from_secs(4), visibility: 2, ..Usual::default() }).await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    // The document is made, its answer is lost, and so is the function while it looks for the document: its fourth look
    // into a folder, as three led to the folder.
    world.ecm.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/api/v2/nodes$")).unwrap();
    let slow =
        Rule::next(Action::Delay { milliseconds: 3000 }).on("GET", "/api/v2/nodes/[0-9]+/nodes$").call(4);
    world.ecm.faults().add(slow).unwrap();
    let delivery = world.delivering();
    while world.documents("Claims/Incoming").is_empty() {
        assert!(!delivery.is_finished(), "it made none; {}", world.told());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for process in world.function.processes() {
        process.kill();
    }
    assert_eq!(delivery.await.unwrap().stay, 1);
    world.settle().await;
    world.only_document("Claims/Incoming", b"dear sirs");
    let made = world.ecm.journal().entries();
    assert_eq!(made.iter().filter(|call| call.method == "POST" && call.path.ends_with("/nodes")).count(), 1);
}

#[tokio::test]
async fn frozen_past_its_claim_and_thawed_it_makes_no_second_document() {
    let world = World::with(Usual {
        timeout: Duration::from_secs(4),
        enforce_timeout: false,
        concurrency: 2,
        visibility: 2,
        ..Usual::default()
    })
    .await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    hold(&world, "/api/v2/nodes$", 1, 400);
    let first = world.delivering();
    let frozen = world.caught_calling(CREATE.0, CREATE.1).await;
    frozen.freeze();
    // Another process takes the message over once the claim has ended.
    world.settle().await;
    world.only_document("Claims/Incoming", b"dear sirs");
    assert!(!first.is_finished());
    frozen.thaw();
    first.await.unwrap();
    world.settle().await;
    world.only_document("Claims/Incoming", b"dear sirs");
}

#[tokio::test]
async fn out_of_time_in_the_middle_of_a_transfer_the_function_stops_by_itself() {
    let world =
        World::with(Usual { timeout: Duration::from_secs(4), visibility: 2, ..Usual::default() }).await;
    let scan = content(8 * 1024 * 1024, 2);
    world.upload("inbox/scan.bin", scan.clone()).await;
    hold(&world, "/api/v2/nodes$", 1, 8000);
    let delivery = world.deliver().await;
    assert!(
        matches!(delivery.outcome, tests::runtime::Outcome::Answer(_)),
        "Lambda had to end it: {:?}; {}",
        delivery.outcome,
        world.told()
    );
    assert_eq!(delivery.stay, 1);
    world.settle().await;
    world.only_document("Claims/Incoming", &scan);
}

#[tokio::test]
async fn two_processes_on_one_upload_make_one_document() {
    let world = World::with(Usual { concurrency: 2, ..Usual::default() }).await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    let request = world.place.sqs.receive_message().queue_url(&world.place.queue_url).wait_time_seconds(5);
    let message = request.send().await.unwrap().messages.unwrap_or_default().remove(0);
    let body = message.body.clone().unwrap();
    let request = world.place.sqs.delete_message().queue_url(&world.place.queue_url);
    request.set_receipt_handle(message.receipt_handle).send().await.unwrap();
    hold(&world, "/api/v2/nodes$", 1, 500);
    // At least once means sometimes twice, and then at the same moment.
    let (one, other) = (batch_of(&world, "one", &body), batch_of(&world, "other", &body));
    let (one, other) = tokio::join!(world.function.invoke(&one), world.function.invoke(&other));
    let stay = |invocation: &tests::runtime::Invocation, id: &str| {
        tests::runtime::failed_messages(&invocation.outcome, &[id.to_owned()]).len()
    };
    assert_eq!(stay(&one, "one") + stay(&other, "other"), 1, "one works, one waits: {one:?} {other:?}");
    world.only_document("Claims/Incoming", b"dear sirs");
    let again = world.function.invoke(&batch_of(&world, "again", &body)).await;
    assert_eq!(stay(&again, "again"), 0);
    world.only_document("Claims/Incoming", b"dear sirs");
}

fn batch_of(world: &World, id: &str, body: &str) -> serde_json::Value {
    let message = aws_sdk_sqs::types::Message::builder().message_id(id).receipt_handle(id).body(body).build();
    world.queue.event(&[message])
}
