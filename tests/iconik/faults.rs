//! What the door, the pace and the wire do to a call.

use std::time::Duration;

use shared::{
    error::{FailureClass, Retry},
    iconik::{AssetId, Credential, OauthHeader, Settings},
};
use simulators::{
    faults::{Action, Rule},
    iconik::{self as simulator, seed},
};

use crate::{client_of, client_paced, ours, seeded, tenant, token};

fn oauth() -> String {
    format!(
        r#"{{"mode":"oauth-client","client_id":"{}","client_secret":"{}"}}"#,
        seed::CLIENT_ID,
        seed::CLIENT_SECRET
    )
}

fn asset(simulator: &simulator::Simulator) -> AssetId {
    seeded(simulator, "Harbour at dawn")
}

fn status(status: u16, retry_after: Option<u64>) -> Action {
    Action::Status { status, body: None, content_type: None, retry_after }
}

#[tokio::test(start_paused = true)]
async fn the_service_user_is_known_by_its_token() {
    let (_, client) = tenant(simulator::Settings::default());
    assert_eq!(client.login().await.unwrap().id.as_str(), seed::SERVICE);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_wrong_for_ever_is_said_once_and_a_corrected_secret_opens_the_door() {
    let (simulator, _) = tenant(simulator::Settings::default());
    let wrong = r#"{"mode":"application-token","app_id":"app","auth_token":"hush-hush"}"#;
    let client = client_of(&simulator, ours(), wrong);
    for _ in 0..3 {
        let error = client.get_asset(&asset(&simulator)).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Auth);
        assert!(!format!("{error:?}").contains("hush"));
    }
    assert_eq!(simulator.journal().entries().len(), 1, "a wrong token is shown once");
    client.change_credential(Credential::from_json(&token()).unwrap()).await;
    client.get_asset(&asset(&simulator)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_by_oauth_is_fetched_renewed_when_refused_and_before_it_ends() {
    for header in [OauthHeader::AuthToken, OauthHeader::Bearer, OauthHeader::Both] {
        let (simulator, _) = tenant(simulator::Settings::default());
        let client = client_of(&simulator, Settings { oauth_header: header, ..ours() }, &oauth());
        client.get_asset(&asset(&simulator)).await.unwrap();
        simulator.faults().add(Rule::next(Action::Unauthorized).on("GET", "/assets/v1/")).unwrap();
        client.get_asset(&asset(&simulator)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        client.get_asset(&asset(&simulator)).await.unwrap();
        let entries = simulator.journal().entries();
        let fetched = entries.iter().filter(|entry| entry.path.contains("/oauth/token")).count();
        assert_eq!(fetched, 3, "{header:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_401_for_ever_is_an_error_of_the_credential_and_no_endless_renewal() {
    let (simulator, _) = tenant(simulator::Settings::default());
    let client = client_of(&simulator, ours(), &oauth());
    simulator.faults().add(Rule::next(Action::Unauthorized).on("GET", "/assets/v1/").times(50)).unwrap();
    let error = client.get_asset(&asset(&simulator)).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Auth, "iconik.unauthenticated"));
    assert_eq!(simulator.journal().entries().len(), 4, "two tokens, each shown once");
}

#[tokio::test(start_paused = true)]
async fn a_429_is_waited_for_when_it_says_how_long_and_when_it_does_not() {
    for asked in [Some(2), None] {
        let (simulator, client) = tenant(simulator::Settings::default());
        simulator.faults().add(Rule::next(status(429, asked)).times(2)).unwrap();
        let began = tokio::time::Instant::now();
        client.get_asset(&asset(&simulator)).await.unwrap();
        assert!(asked.is_none_or(|seconds| began.elapsed() >= Duration::from_secs(2 * seconds)));
        // One that wants more than a call may wait is for the queue.
        simulator.faults().add(Rule::next(status(429, Some(90)))).unwrap();
        let error = client.get_asset(&asset(&simulator)).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Throttled);
        assert_eq!(error.retry_advice(), Retry::After(Duration::from_secs(90)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sees_how_few_calls_are_left_is_never_refused() {
    let mut settings = simulator::Settings::default();
    settings.rate_limit.calls = Some(400);
    let (simulator, _) = tenant(settings);
    let ours = Settings { few_calls_left: 200, ..ours() };
    let client = client_paced(&simulator, ours, &token(), 50.0);
    let asset = asset(&simulator);
    for _ in 0..900 {
        client.get_asset(&asset).await.unwrap();
    }
    let entries = simulator.journal().entries();
    let refused = entries.iter().filter(|entry| entry.status == 429).count();
    assert_eq!(refused, 0, "of {} calls", entries.len());
}

#[tokio::test(start_paused = true)]
async fn what_breaks_on_the_way_is_tried_again_when_it_may_be_and_told_when_not() {
    let broken = [status(502, None), status(503, None), Action::DropBeforeEffect, Action::DropAfterEffect];
    for action in broken {
        let (simulator, client) = tenant(simulator::Settings::default());
        simulator.faults().add(Rule::next(action.clone()).times(2)).unwrap();
        client.get_asset(&asset(&simulator)).await.unwrap();
    }
    let told = [
        (status(500, None), FailureClass::Transient, "iconik.failed"),
        (Action::HtmlError, FailureClass::Transient, "iconik.not-json"),
        (Action::HtmlOk, FailureClass::Transient, "iconik.not-json"),
        (Action::EmptyOk, FailureClass::Transient, "iconik.empty-answer"),
        (Action::Forbidden, FailureClass::Forbidden, "iconik.forbidden"),
        (Action::Conflict, FailureClass::Conflict, "iconik.conflict"),
        (Action::CutBody { at: 5 }, FailureClass::Transient, "answer.cut"),
    ];
    for (action, class, code) in told {
        let (simulator, client) = tenant(simulator::Settings::default());
        simulator.faults().add(Rule::next(action.clone())).unwrap();
        let error = client.get_asset(&asset(&simulator)).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (class, code), "{action:?}");
    }
}
