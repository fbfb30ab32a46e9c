//! What goes wrong on the way: pages instead of JSON, gateways, refused keys, answers that are cut.

use std::time::Duration;

use shared::{
    consonance::{Credential, UNAUTHENTICATED},
    error::FailureClass,
};
use simulators::{
    consonance::{self as simulator, seed, settings::Refusal},
    faults::{Action, Rule},
};

use crate::{account, client_of, ours, secret};

fn page(status: u16) -> Action {
    Action::Status {
        status,
        body: Some("<html><body>Bad Gateway</body></html>".to_owned()),
        content_type: Some("text/html".to_owned()),
        retry_after: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_where_json_is_due_is_a_failure_whatever_its_status() {
    for (action, code) in [
        (Action::HtmlOk, "consonance.not-json"),
        (Action::EmptyOk, "consonance.empty-answer"),
        (page(502), "consonance.gateway"),
        (Action::HtmlError, "consonance.failed"),
        (Action::CutBody { at: 20 }, "answer.cut"),
    ] {
        let (simulator, client) = account(simulator::Settings::default());
        client.capabilities().await.unwrap();
        simulator.faults().add(Rule::next(action.clone()).times(5)).unwrap();
        let error = client.find_work(1001).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Transient, code), "{action:?}");
        simulator.faults().clear();
        simulator.faults().add(Rule::next(action.clone()).times(5)).unwrap();
        let error = client.rest_products(None).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Transient, code), "{action:?}");
        simulator.faults().clear();
        assert!(client.find_work(1001).await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_fails_for_a_moment_is_waited_out() {
    let (simulator, client) = account(simulator::Settings::default());
    client.capabilities().await.unwrap();
    simulator.faults().add(Rule::next(page(502)).times(3)).unwrap();
    assert!(client.find_work(1001).await.unwrap().is_some());
    simulator.faults().add(Rule::next(Action::RateLimited { retry_after: 2 })).unwrap();
    let began = tokio::time::Instant::now();
    assert!(client.find_work(1001).await.unwrap().is_some());
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn errors_at_200_are_failures_even_with_half_an_answer() {
    for (body, class, code) in [
        (
            r#"{"errors":[{"message":"Field 'x' doesn't exist on type 'Work'"}]}"#,
            FailureClass::Forbidden,
            "consonance.query-refused",
        ),
        (
            r#"{"data":{"work":{"id":1001}},"errors":[{"message":"Timeout on Work.contributions","path":["work"]}]}"#,
            FailureClass::Transient,
            "consonance.timeout",
        ),
        (r#"{"data":{"work":{"id":7}}}"#, FailureClass::Transient, "consonance.unexpected-answer"),
        (r#"{"data":null}"#, FailureClass::Transient, "consonance.unexpected-answer"),
        ("[]", FailureClass::Transient, "consonance.unexpected-answer"),
    ] {
        let (simulator, client) = account(simulator::Settings::default());
        client.capabilities().await.unwrap();
        let action = Action::Status {
            status: 200,
            body: Some(body.to_owned()),
            content_type: None,
            retry_after: None,
        };
        simulator.faults().add(Rule::next(action).times(5)).unwrap();
        let error = client.find_work(1001).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (class, code), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_shown_once_and_again_only_when_it_has_changed_or_time_has_passed() {
    for refusal in [Refusal::Json, Refusal::Text] {
        let theirs = simulator::Settings { graphql_refusal: refusal, ..simulator::Settings::default() };
        let (simulator, client) = account(theirs);
        client.capabilities().await.unwrap();
        let before = simulator.journal().count();
        simulator.with_state(|state| state.graphql_keys.clear());
        for _ in 0..3 {
            let error = client.find_work(1001).await.unwrap_err();
            assert_eq!((error.class(), error.code()), (FailureClass::Auth, UNAUTHENTICATED), "{refusal:?}");
            assert!(!format!("{error:?}").contains(seed::GRAPHQL_KEY));
        }
        assert_eq!((simulator.journal().count() - before, client.is_refused()), (1, true));
        assert_eq!(
            client.rest_products(None).await.unwrap().len(),
            5,
            "the other interface has a key of its own"
        );
        simulator.with_state(|state| state.graphql_keys.push("anewkey".to_owned()));
        client.change_credential(Credential::from_json(r#"{"graphql_key":"anewkey"}"#).unwrap());
        assert!(client.find_work(1001).await.unwrap().is_some());
        assert!(!client.is_refused());
        simulator.with_state(|state| state.graphql_keys.clear());
        client.find_work(1001).await.unwrap_err();
        let before = simulator.journal().count();
        tokio::time::sleep(Duration::from_secs(31)).await;
        client.find_work(1001).await.unwrap_err();
        assert_eq!(simulator.journal().count() - before, 1, "it is tried again after a while");
    }
}

#[tokio::test(start_paused = true)]
async fn each_interface_is_shown_its_own_scheme_and_a_key_that_is_missing_is_not_sent() {
    let (simulator, client) = account(simulator::Settings::default());
    client.find_work(1001).await.unwrap();
    client.rest_products(None).await.unwrap();
    assert!(simulator.journal().entries().iter().all(|entry| entry.status == 200));
    let before = simulator.journal().count();
    let half = client_of(&simulator, ours(), &format!(r#"{{"graphql_key":"{}"}}"#, seed::GRAPHQL_KEY));
    assert_eq!(half.rest_products(None).await.unwrap_err().code(), UNAUTHENTICATED);
    assert_eq!(simulator.journal().count(), before);
    // Swapped, as somebody will store them.
    let swapped = secret()
        .replace("graphql_key", "x")
        .replace("rest_token", "graphql_key")
        .replace("\"x\"", "\"rest_token\"");
    let client = client_of(&simulator, ours(), &swapped);
    assert_eq!(client.find_work(1001).await.unwrap_err().class(), FailureClass::Auth);
    assert_eq!(client.rest_products(None).await.unwrap_err().class(), FailureClass::Auth);
}
