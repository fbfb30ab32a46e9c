//! Tokens: fetched once, renewed in time, and what a door that stays shut amounts to.

use std::time::Duration;

use shared::{
    error::FailureClass,
    preservica::{Credential, EntityKind, Renewal, Settings},
};
use simulators::{
    faults::{Action, Rule},
    preservica::{self as simulator, seed},
};

use crate::world::{calls, client_of, client_with, ours, secret_of, seeded, tenant, tenant_with};

#[tokio::test(start_paused = true)]
async fn preservica_tokens_are_fetched_once_for_all_and_renewed_before_they_end() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Spring launch");
    let many = (0..5).map(|_| client.get_entity(EntityKind::Asset, &asset));
    for outcome in futures_util::future::join_all(many).await {
        outcome.unwrap();
    }
    assert_eq!(calls(&simulator, "accesstoken/login"), 1);
    tokio::time::sleep(Duration::from_secs(11 * 60)).await;
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!(calls(&simulator, "accesstoken/login"), 1);
    tokio::time::sleep(Duration::from_secs(2 * 60)).await;
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!(calls(&simulator, "accesstoken/login"), 2);
    let refused = simulator.journal().entries().iter().filter(|entry| entry.status == 401).count();
    assert_eq!(refused, 0, "it was renewed before it was refused");
}

#[tokio::test(start_paused = true)]
async fn preservica_tokens_are_renewed_with_a_refresh_token_where_that_is_wanted() {
    for ends_old in [false, true] {
        let mut settings = simulator::Settings::default();
        settings.sessions.refresh_ends_old = ends_old;
        let (simulator, client) = tenant_with(settings, Settings { renewal: Renewal::Refresh, ..ours() });
        let asset = seeded(&simulator, "Spring launch");
        for _ in 0..3 {
            client.get_entity(EntityKind::Asset, &asset).await.unwrap();
            tokio::time::sleep(Duration::from_secs(13 * 60)).await;
        }
        assert_eq!((calls(&simulator, "/login"), calls(&simulator, "/refresh")), (1, 2));
        // One that ended meanwhile is no reason to stay outside.
        tokio::time::sleep(Duration::from_secs(3600)).await;
        client.get_entity(EntityKind::Asset, &asset).await.unwrap();
        assert_eq!((calls(&simulator, "/login"), calls(&simulator, "/refresh")), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_tokens_that_end_all_at_once_are_renewed_once_and_the_call_goes_through() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Spring launch");
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    simulator.with_state(|state| state.tokens.clear());
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!(calls(&simulator, "/login"), 2);
}

#[tokio::test(start_paused = true)]
async fn preservica_answering_401_for_ever_is_an_error_of_the_credential_and_no_endless_login() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Spring launch");
    simulator.faults().add(Rule::next(Action::Unauthorized).on("GET", "/api/entity").times(50)).unwrap();
    let error = client.get_entity(EntityKind::Asset, &asset).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Auth, "preservica.unauthenticated"));
    assert_eq!(simulator.journal().entries().len(), 4, "two tokens, each shown once");
    assert!(client.is_refused().await);
    // For a while nobody knocks any more.
    assert!(client.get_entity(EntityKind::Asset, &asset).await.is_err());
    assert_eq!(simulator.journal().entries().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn preservica_credentials_that_are_wrong_are_shown_once_and_corrected_ones_open_the_door() {
    let (simulator, _) = tenant(simulator::Settings::default());
    let client = client_with(&simulator, ours(), &secret_of(seed::OPERATOR, "hush-hush"));
    let asset = seeded(&simulator, "Spring launch");
    for _ in 0..3 {
        let error = client.get_entity(EntityKind::Asset, &asset).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Auth);
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    assert_eq!(simulator.journal().entries().len(), 1);
    let right = Credential::from_json(&secret_of(seed::OPERATOR, seed::PASSWORD)).unwrap();
    client.change_credential(right).await;
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn preservica_answering_403_is_asked_once_more_with_a_fresh_token_when_ours_may_have_ended() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Spring launch");
    let forbid =
        || simulator.faults().add(Rule::next(Action::Forbidden).on("GET", "/information-objects")).unwrap();
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    // A fresh token is not the reason.
    forbid();
    let error = client.get_entity(EntityKind::Asset, &asset).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "preservica.forbidden"));
    tokio::time::sleep(Duration::from_secs(300)).await;
    forbid();
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!(calls(&simulator, "/login"), 2);
    // Whoever lacks the right lacks it with the next token too.
    tokio::time::sleep(Duration::from_secs(300)).await;
    simulator.faults().add(Rule::next(Action::Forbidden).on("GET", "/information-objects").times(9)).unwrap();
    let error = client.get_entity(EntityKind::Asset, &asset).await.unwrap_err();
    assert_eq!(error.code(), "preservica.forbidden");
    assert_eq!(calls(&simulator, "/login"), 3);
}

#[tokio::test(start_paused = true)]
async fn preservica_wanting_a_second_factor_or_answering_a_login_with_a_page_is_said() {
    let mut settings = simulator::Settings::default();
    settings.sessions.two_factor = true;
    let (simulator, client) = tenant(settings);
    let error = client.login().await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Auth, "preservica.second-factor"));
    simulator.with_state(|state| state.settings.sessions.two_factor = false);
    simulator.faults().add(Rule::next(Action::HtmlOk).on("POST", "/login")).unwrap();
    let client = client_of(&simulator, ours(), seed::OPERATOR);
    let error = client.login().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient);
    client.login().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn preservica_tells_the_tenant_where_the_secret_does_not() {
    let (simulator, _) = tenant(simulator::Settings::default());
    let secret = format!(r#"{{"username":"{}","password":"{}"}}"#, seed::OPERATOR, seed::PASSWORD);
    let client = client_with(&simulator, ours(), &secret);
    assert_eq!(client.tenant().await.unwrap(), seed::TENANT);
}

#[tokio::test(start_paused = true)]
async fn preservica_lifetimes_that_a_login_tells_are_believed() {
    let mut settings = simulator::Settings::default();
    settings.sessions.lifetime_seconds = 3600;
    let (simulator, client) = tenant(settings);
    let asset = seeded(&simulator, "Spring launch");
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    tokio::time::sleep(Duration::from_secs(50 * 60)).await;
    client.get_entity(EntityKind::Asset, &asset).await.unwrap();
    assert_eq!(calls(&simulator, "/login"), 1);
}
