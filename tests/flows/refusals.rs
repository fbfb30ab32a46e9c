//! What is refused, and what is said about it.

use serde_json::Value;
use simulators::content_server::{seed, state::Permission};
use tests::runtime::Outcome;

use crate::world::{Usual, World, watched};

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
    world.settle().await;
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

/// One upload is put aside as a fault of the configuration, with this code; the one beside it is delivered, and the alarm
/// for people is given what it watches.
async fn is_a_fault_of_the_configuration(world: &World, code: &str) -> Value {
    world.upload("inbox/good.txt", *b"good").await;
    world.settle().await;
    world.only_document("Claims/Incoming", b"good");
    let reasons = world.reasons().await;
    assert_eq!(reasons.len(), 1, "{}", world.told());
    let reason = reasons[0]["reason"].clone();
    assert_eq!(reason["code"], code, "{reasons:?}");
    assert!(reason["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{reasons:?}");
    assert!(world.dead_letters().await.is_empty());
    assert_eq!(
        watched(world, "IngestUploadsConfigurationAlarm").iter().sum::<f64>(),
        1.0,
        "{}",
        world.told()
    );
    reason
}

#[tokio::test]
async fn a_category_that_is_not_there_is_a_fault_of_the_configuration() {
    let world = World::usual().await;
    world.upload("misconfigured/letter.txt", *b"dear sirs").await;
    let reason = is_a_fault_of_the_configuration(&world, "content-server.path-missing").await;
    assert!(reason.to_string().contains("Not Installed Here"), "{reason}");
}

#[tokio::test]
async fn a_folder_that_may_not_be_added_to_is_a_fault_of_the_configuration() {
    let world = World::usual().await;
    world.ecm.with_state(|state| {
        let folder = state.at("Suppliers").expect("a folder").id;
        let permissions = &mut state.nodes.get_mut(&folder).expect("a folder").permissions;
        let everybody = permissions.owner.iter_mut().chain(permissions.group.iter_mut());
        let rights = everybody.map(|grant| &mut grant.rights).chain(permissions.public.iter_mut());
        for rights in rights.chain(permissions.custom.values_mut()) {
            *rights = [Permission::See, Permission::SeeContents].into_iter().collect();
        }
    });
    world.upload("closed/letter.txt", *b"dear sirs").await;
    is_a_fault_of_the_configuration(&world, "content-server.action-refused").await;
}

#[tokio::test]
async fn a_workflow_map_that_is_gone_is_a_fault_of_the_configuration() {
    let world = World::usual().await;
    world.upload("reviewed/first.txt", *b"first").await;
    world.settle().await;
    assert_eq!(world.endings().await, ["delivered"], "{}", world.told());
    let titles = |world: &World| world.ecm.with_state(|state| state.processes.len());
    assert_eq!(titles(&world), 1, "its review began");
    // The function is warm, and has seen the map.
    world.ecm.with_state(|state| state.nodes.remove(&seed::DOCUMENT_REVIEW)).expect("the map was there");
    world.ecm.with_state(|state| state.workflow_maps.remove(&seed::DOCUMENT_REVIEW));
    world.upload("reviewed/second.txt", *b"second").await;
    is_a_fault_of_the_configuration(&world, "review.workflow-missing").await;
    assert_eq!(titles(&world), 1);
}
