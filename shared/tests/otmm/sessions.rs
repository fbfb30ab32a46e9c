//! The ways in, and what becomes of sessions.

use std::time::Duration;

use shared::{
    error::FailureClass,
    otmm::{ApiVersion, Load, MetadataChange, Settings, TicketPlace},
};
use simulators::{
    faults::{Action, Rule},
    otmm::{
        self as simulator, seed,
        settings::{Expired, Full, RequestedBy},
    },
};

use crate::world::{calls, client_as, client_with, field, ours, password_of, seeded, site, site_with};

fn secrets() -> Vec<String> {
    let (user, password) = (seed::INTEGRATION, seed::PASSWORD);
    let (id, secret) = (seed::CLIENT_ID, seed::CLIENT_SECRET);
    vec![
        password_of(user),
        format!(r#"{{"mode":"directory-ticket","username":"{user}","password":"{password}"}}"#),
        format!(r#"{{"mode":"remote-user","header":"X-Remote-User","value":"{user}"}}"#),
        format!(
            r#"{{"mode":"oauth-password","username":"{user}","password":"{password}","client_id":"{id}","client_secret":"{secret}"}}"#
        ),
        format!(r#"{{"mode":"oauth-client","client_id":"{id}","client_secret":"{secret}"}}"#),
    ]
}

fn change() -> MetadataChange {
    MetadataChange::new().text(&field(seed::ARCHIVE_STATUS), "archived")
}

#[tokio::test(start_paused = true)]
async fn every_way_in_reads_and_writes_however_much_is_asked_for() {
    for requested_by in [RequestedBy::Off, RequestedBy::Writes, RequestedBy::All] {
        for writes_need_digest in [false, true] {
            for secret in secrets() {
                let mut settings = simulator::Settings::default();
                settings.sessions.requested_by = requested_by;
                settings.sessions.writes_need_digest = writes_need_digest;
                settings.sessions.remote_user_header = Some("X-Remote-User".to_owned());
                let (simulator, _) = site(settings);
                let client = client_with(&simulator, ours(), &secret);
                let poster = seeded(&simulator, "spring-poster.tif");
                client.update_metadata(&poster, &change(), None).await.unwrap();
                client.logout().await.unwrap();
                assert_eq!(simulator.with_state(|state| state.sessions.len()), 0, "{secret}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_shown_in_the_query_and_for_a_resource_where_that_is_wanted() {
    let mut ours = ours();
    ours.session.directory_ticket_in = TicketPlace::Query;
    ours.session.directory_resource = "5f1c".to_owned();
    let (simulator, _) = site(simulator::Settings::default());
    let client = client_with(&simulator, ours, &secrets()[1]);
    client.login().await.unwrap();
    assert_eq!(calls(&simulator, "POST", "ticketforresource"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_older_interfaces_are_called_the_same_way() {
    for version in [ApiVersion::V4, ApiVersion::V5] {
        let (simulator, client) =
            site_with(simulator::Settings::default(), Settings { api_version: version, ..ours() });
        let poster = seeded(&simulator, "spring-poster.tif");
        client.update_metadata(&poster, &change(), None).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_session_serves_all_and_one_that_ended_is_opened_once_in_each_way_that_is_said() {
    for expired in [Expired::Unauthorized, Expired::Forbidden, Expired::Redirect, Expired::Page] {
        let mut settings = simulator::Settings::default();
        settings.sessions.expired = expired;
        let (simulator, client) = site(settings);
        let poster = seeded(&simulator, "spring-poster.tif");
        let many = (0..5).map(|_| client.get_asset(&poster, Load::State));
        for outcome in futures_util::future::join_all(many).await {
            outcome.unwrap();
        }
        assert_eq!(calls(&simulator, "POST", "/sessions"), 1);
        tokio::time::sleep(Duration::from_secs(1801)).await;
        let many = (0..5).map(|_| client.get_asset(&poster, Load::State));
        for outcome in futures_util::future::join_all(many).await {
            outcome.unwrap();
        }
        assert_eq!(calls(&simulator, "POST", "/sessions"), 2, "{expired:?}");
        // A write meets the same.
        tokio::time::sleep(Duration::from_secs(1801)).await;
        client.lock(&poster).await.unwrap();
        client.unlock(&poster).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_401_for_ever_is_an_error_of_the_credential_and_no_endless_login() {
    let (simulator, client) = site(simulator::Settings::default());
    let poster = seeded(&simulator, "spring-poster.tif");
    simulator.faults().add(Rule::next(Action::Unauthorized).on("GET", "/assets").times(50)).unwrap();
    let error = client.get_asset(&poster, Load::State).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Auth, "otmm.unauthenticated"));
    assert_eq!(simulator.journal().entries().len(), 4, "two sessions, each shown once");
    assert!(client.is_refused().await);
    client.get_asset(&poster, Load::State).await.unwrap_err();
    assert_eq!(simulator.journal().entries().len(), 4, "for a while nobody knocks");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_is_fetched_again_and_one_whose_end_is_told_before_it_ends() {
    for tells in [false, true] {
        let mut settings = simulator::Settings::default();
        settings.sessions.tells_expiry = tells;
        let (simulator, _) = site(settings);
        let client = client_with(&simulator, ours(), &secrets()[3]);
        let poster = seeded(&simulator, "spring-poster.tif");
        client.get_asset(&poster, Load::State).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3601)).await;
        client.get_asset(&poster, Load::State).await.unwrap();
        let refused = simulator.journal().entries().iter().filter(|entry| entry.status == 401).count();
        assert_eq!((calls(&simulator, "POST", "/token"), refused), (2, usize::from(!tells)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_full_is_waited_for_and_no_credential_is_to_blame() {
    let mut settings = simulator::Settings::default();
    settings.sessions.most = Some(1);
    let (simulator, first) = site(settings);
    first.login().await.unwrap();
    let second = client_as(&simulator, seed::INTEGRATION);
    let error = second.login().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Transient);
    assert!(!second.is_refused().await);
    first.logout().await.unwrap();
    second.login().await.unwrap();
    // Where the oldest has to go, it comes back by itself.
    simulator.with_state(|state| state.settings.sessions.full = Full::OldestEnds);
    let poster = seeded(&simulator, "spring-poster.tif");
    first.get_asset(&poster, Load::State).await.unwrap();
    second.get_asset(&poster, Load::State).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_answered_with_a_page_or_lost_is_tried_again_later() {
    for action in [Action::HtmlOk, Action::HtmlError, Action::EmptyOk, Action::DropAfterEffect] {
        let (simulator, client) = site(simulator::Settings::default());
        simulator.faults().add(Rule::next(action.clone()).on("POST", "/sessions")).unwrap();
        let error = client.login().await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Transient, "{action:?}");
        client.login().await.unwrap();
    }
}
