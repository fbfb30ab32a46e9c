//! What is refused, and what is said about it.

use std::time::Duration;

use tests::runtime::Outcome;

use crate::world::{Usual, World};

#[tokio::test]
async fn with_a_broken_rule_file_the_function_refuses_to_start_and_says_where_and_what_to_do() {
    let world = World::with(Usual {
        rules: Some(|_| {
            "[[rule]]\nname = \"claims\"\nkye = \"claims/{name}\"\ntarget.folder = \"Enterprise:Claims\"\n"
                .into()
        }),
        ..Usual::default()
    })
    .await;
    world.upload("claims/letter.txt", *b"dear sirs").await;
    let delivery = world.deliver().await;
    assert!(matches!(delivery.outcome, Outcome::DidNotStart(_)), "{:?}", delivery.outcome);
    let log = world.function.log().text();
    assert!(log.contains("rules.toml:3"), "file and line: {log}");
    assert!(log.contains("kye") && log.contains("key"), "what is wrong and what was meant: {log}");
    assert_eq!(world.waiting().await, 1, "the upload waits");
}

#[tokio::test]
async fn a_poisoned_message_is_a_dead_letter_at_once_with_its_reason() {
    let world = World::usual().await;
    let poison = "{\"Records\": \"these are not records\",  \"ü\": 1}";
    world.send(poison).await;
    world.upload("inbox/good.txt", *b"good").await;
    world.settle_within(Duration::from_secs(20)).await;
    let dead = world.dead_letters().await;
    assert_eq!(dead.len(), 1, "{}", world.told());
    assert_eq!(dead[0].body.as_deref(), Some(poison), "byte for byte");
    let attributes = dead[0].message_attributes.as_ref().unwrap();
    let text = |name: &str| attributes[name].string_value.clone().unwrap_or_default();
    assert_eq!(text("waybill-flow"), "ingest-uploads");
    assert_eq!(text("waybill-code"), "event.unreadable");
    assert!(!text("waybill-reason").is_empty());
    world.only_document("Claims/Incoming", b"good");
}

#[tokio::test]
async fn a_category_that_is_not_there_is_a_fault_of_the_configuration() {
    let world = World::usual().await;
    world.upload("misconfigured/letter.txt", *b"dear sirs").await;
    world.upload("inbox/good.txt", *b"good").await;
    world.settle().await;
    world.only_document("Claims/Incoming", b"good");
    let reasons = world.reasons().await;
    assert_eq!(reasons.len(), 1, "{}", world.told());
    assert!(reasons[0].to_string().contains("Not Installed Here"), "{reasons:?}");
    let faults: u64 = world
        .function
        .log()
        .records()
        .iter()
        .filter_map(|record| record["ConfigurationFaults"].as_u64())
        .sum();
    assert_eq!(faults, 1, "somebody is told; {}", world.told());
}

#[tokio::test]
async fn nothing_secret_is_in_the_log() {
    let world = World::usual().await;
    world.upload("inbox/letter.txt", *b"dear sirs").await;
    world.settle().await;
    let log = world.function.log().text();
    assert!(log.contains("delivered"), "{log}");
    assert!(!log.contains(simulators::content_server::seed::PASSWORD));
    assert!(!log.to_lowercase().contains("otcsticket") && !log.contains("X-Amz-Signature"), "{log}");
}
