//! What the wire, the pace and the server do to a call.

use std::time::Duration;

use shared::{
    error::{FailureClass, Retry},
    otmm::{Load, MetadataChange, NewFolder},
};
use simulators::{
    faults::{Action, Rule},
    otmm::{self as simulator, seed},
};

use crate::world::{calls, field, seeded, site};

fn status(status: u16, retry_after: Option<u64>) -> Action {
    Action::Status { status, body: None, content_type: None, retry_after }
}

#[tokio::test(start_paused = true)]
async fn what_breaks_on_the_way_is_tried_again_when_it_may_be_and_told_when_not() {
    for action in [status(502, None), status(503, None), Action::DropBeforeEffect, Action::DropAfterEffect] {
        let (simulator, client) = site(simulator::Settings::default());
        client.login().await.unwrap();
        simulator.faults().add(Rule::next(action.clone()).times(2)).unwrap();
        client.get_asset(&seeded(&simulator, "spring-spot.mov"), Load::State).await.unwrap();
    }
    for (action, class, code) in [
        (Action::HtmlError, FailureClass::Transient, "otmm.not-json"),
        (Action::EmptyOk, FailureClass::Transient, "otmm.empty-answer"),
        (Action::Forbidden, FailureClass::Forbidden, "otmm.forbidden"),
        (Action::Conflict, FailureClass::Conflict, "otmm.conflict"),
        (Action::Locked, FailureClass::Conflict, "otmm.locked"),
        (Action::CutBody { at: 5 }, FailureClass::Transient, "answer.cut"),
    ] {
        let (simulator, client) = site(simulator::Settings::default());
        client.login().await.unwrap();
        simulator.faults().add(Rule::next(action.clone()).on("GET", "/assets/")).unwrap();
        let error = client.get_asset(&seeded(&simulator, "spring-spot.mov"), Load::State).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (class, code), "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_where_json_was_due_is_tried_once_in_a_fresh_session_and_then_told() {
    let (simulator, client) = site(simulator::Settings::default());
    client.login().await.unwrap();
    let spot = seeded(&simulator, "spring-spot.mov");
    simulator.faults().add(Rule::next(Action::HtmlOk).on("GET", "/assets/")).unwrap();
    client.get_asset(&spot, Load::State).await.unwrap();
    simulator.faults().add(Rule::next(Action::HtmlOk).on("GET", "/assets/").times(9)).unwrap();
    let error = client.get_asset(&spot, Load::State).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "otmm.not-json"));
    assert_eq!(calls(&simulator, "POST", "/sessions"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_500_with_a_sentence_is_asked_once_and_one_without_is_out_of_order() {
    let (simulator, client) = site(simulator::Settings::default());
    client.login().await.unwrap();
    let spot = seeded(&simulator, "spring-spot.mov");
    let body =
        r#"{"exception_body":{"http_response_code":500,"message":"Rule 17 is against it","error_code":7}}"#;
    let refused = Action::Status {
        status: 500,
        body: Some(body.to_owned()),
        content_type: Some("application/json".to_owned()),
        retry_after: None,
    };
    simulator.faults().add(Rule::next(refused).on("GET", "/assets/")).unwrap();
    let error = client.get_asset(&spot, Load::State).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.business-error"));
    assert_eq!((error.retry_advice(), calls(&simulator, "GET", "/assets/")), (Retry::Never, 1));
    assert!(error.message().contains("Rule 17 is against it (error 7)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_429_is_waited_for_when_it_is_short() {
    let (simulator, client) = site(simulator::Settings::default());
    client.login().await.unwrap();
    let spot = seeded(&simulator, "spring-spot.mov");
    simulator.faults().add(Rule::next(status(429, Some(2)))).unwrap();
    let began = tokio::time::Instant::now();
    client.get_asset(&spot, Load::State).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(2));
    simulator.faults().add(Rule::next(status(429, Some(90)))).unwrap();
    let error = client.get_asset(&spot, Load::State).await.unwrap_err();
    assert_eq!(error.retry_advice(), Retry::After(Duration::from_secs(90)));
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_breaks_at_any_call_is_finished_by_the_next_try() {
    for action in [
        Action::DropAfterEffect,
        Action::DropBeforeEffect,
        Action::HtmlError,
        Action::HtmlOk,
        status(500, None),
    ] {
        // Reading, looking at the lock, locking, reading, writing, reading, unlocking, reading.
        for call in 1..=8 {
            let (simulator, client) = site(simulator::Settings::default());
            client.login().await.unwrap();
            let spot = seeded(&simulator, "spring-spot.mov");
            simulator.faults().add(Rule::next(action.clone()).call(call).times(3)).unwrap();
            let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
            let mut tries = 0;
            while let Err(error) = client.update_metadata(&spot, &change, None).await {
                tries += 1;
                assert!(tries < 4, "call {call} {action:?}: {error:?}");
                tokio::time::sleep(Duration::from_secs(301)).await;
            }
            let met = simulator.journal().entries().len() as u64;
            assert!(met > call, "call {call}: {met} calls with the login");
            // What goes wrong after the last call of the edit is not its business.
            simulator.faults().clear();
            let after = client.get_asset(&spot, Load::Metadata).await.unwrap();
            assert!(!after.is_locked, "call {call} {action:?}: it is left locked");
            assert_eq!(after.metadata.unwrap().text(&field(seed::ARCHIVE_ID)), Some("archive-1"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_whose_answer_was_lost_is_found_and_not_made_twice() {
    let (simulator, client) = site(simulator::Settings::default());
    let products = seeded(&simulator, "Products");
    let new = NewFolder { name: "New".to_owned(), ..NewFolder::default() };
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/folders/")).unwrap();
    client.ensure_folder(&products, &new).await.unwrap();
    let children = client.children_of(&products, Load::State).all().await.unwrap();
    assert_eq!(children.iter().filter(|child| child.name == "New").count(), 1);
}
