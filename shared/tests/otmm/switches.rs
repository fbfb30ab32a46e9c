//! The open questions of the interface that no other story is about: whatever the answer, the client says the same.

use std::time::Duration;

use shared::{
    error::FailureClass,
    otmm::{Condition, Load, MetadataChange, NewAsset, NewValue, OperatorId, Search, Upload},
};
use simulators::otmm::{self as simulator, seed};

use crate::world::{asset, calls, client_as, field, ours, seeded, site, site_with};

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_a_missing_right_whatever_the_status() {
    for status in [403, 401, 500] {
        let settings = simulator::Settings { forbidden_status: status, ..simulator::Settings::default() };
        let (simulator, _) = site(settings);
        let reader = client_as(&simulator, seed::READER);
        let error = reader.lock(&seeded(&simulator, "spring-spot.mov")).await.unwrap_err();
        let expected = match status {
            // Nobody can tell that from a session that ended.
            401 => (FailureClass::Auth, "otmm.unauthenticated"),
            // Nor this from any other rule, where the sentence is none that is known.
            500 => (FailureClass::Forbidden, "otmm.business-error"),
            _ => (FailureClass::Forbidden, "otmm.forbidden"),
        };
        assert_eq!((error.class(), error.code()), expected, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_business_error_is_never_asked_again_whatever_the_status() {
    for status in [500, 400, 409] {
        let settings = simulator::Settings { business_status: status, ..simulator::Settings::default() };
        let (simulator, client) = site(settings);
        let products = seeded(&simulator, "Products");
        let error = client.check_out(&products).await.unwrap_err();
        assert!(
            !matches!(error.class(), FailureClass::Transient | FailureClass::UnknownOutcome),
            "{error:?}"
        );
        assert_eq!(calls(&simulator, "PUT", "/state"), 1, "{status}");
        let new = NewAsset {
            upload: Upload {
                content: shared::http::Replayable::from_bytes("x"),
                file_name: "a.exe".to_owned(),
                content_type: "application/octet-stream".to_owned(),
            },
            folder: products,
            model: None,
            metadata: MetadataChange::new(),
            policies: Vec::new(),
            template: None,
            correlation: None,
        };
        let mut ledger = shared::otmm::ImportLedger::default();
        client.import_step(&new, &mut ledger).await.unwrap();
        let error = client.import_step(&new, &mut ledger).await.unwrap_err();
        assert_eq!(
            (error.class(), error.code()),
            (FailureClass::Forbidden, "otmm.restricted-extension"),
            "{status}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_given_back_whatever_is_answered_to_that() {
    for status in [200, 204] {
        let mut settings = simulator::Settings::default();
        settings.sessions.logout_status = status;
        let (simulator, client) = site(settings);
        client.login().await.unwrap();
        client.logout().await.unwrap();
        assert_eq!(simulator.with_state(|state| state.sessions.len()), 0);
    }
    // One that has ended by itself is as good.
    let (simulator, client) = site(simulator::Settings::default());
    client.login().await.unwrap();
    simulator.with_state(simulator::State::end_sessions);
    client.logout().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_outlives_its_session_goes_on_without_a_login() {
    let mut settings = simulator::Settings::default();
    settings.sessions.digest_survives = true;
    let (simulator, client) = site(settings);
    let spot = seeded(&simulator, "spring-spot.mov");
    client.get_asset(&spot, Load::State).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    client.get_asset(&spot, Load::State).await.unwrap();
    assert_eq!(calls(&simulator, "POST", "/sessions"), 1);
}

#[tokio::test(start_paused = true)]
async fn names_for_kinds_of_values_are_the_sites() {
    let mut settings = simulator::Settings::default();
    settings.wire.number_type = "integer".to_owned();
    settings.wire.date_type = "date-time".to_owned();
    let mut ours = ours();
    ours.types.number = "integer".to_owned();
    ours.types.date = "date-time".to_owned();
    let (simulator, client) = site_with(settings, ours);
    let poster = seeded(&simulator, "spring-poster.tif");
    let change = MetadataChange::new()
        .set(&field(seed::USES), NewValue::Number("12".to_owned()))
        .set(&field(seed::RETAIN_UNTIL), NewValue::Date("2050-01-01T00:00:00Z".parse().unwrap()));
    let after = client.update_metadata(&poster, &change, None).await.unwrap().metadata.unwrap();
    assert_eq!(after.text(&field(seed::USES)), Some("12"));
}

#[tokio::test(start_paused = true)]
async fn an_expired_lookup_value_is_written_or_refused_and_never_lost_without_a_word() {
    for taken in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.edits.expired_lookup = taken;
        let (simulator, client) = site(settings);
        let poster = seeded(&simulator, "spring-poster.tif");
        let change = MetadataChange::new().set(&field(seed::STATUS), NewValue::Lookup("on hold".to_owned()));
        let outcome = client.update_metadata(&poster, &change, None).await;
        assert_eq!(outcome.is_ok(), taken);
        assert!(!client.get_asset(&poster, Load::State).await.unwrap().is_locked);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_search_finds_is_the_sites_and_what_is_deleted_is_left_out_either_way() {
    for (deleted, expired, old) in [(true, true, true), (false, false, false)] {
        let mut settings = simulator::Settings::default();
        settings.search.finds_deleted = deleted;
        settings.search.finds_expired = expired;
        settings.search.finds_old_versions = old;
        let (_, client) = site(settings);
        let found = client.search(Search::new()).all().await.unwrap();
        assert!(found.iter().all(|asset| !asset.is_gone()));
        assert_eq!(found.iter().any(|asset| asset.is_expired), expired);
        assert_eq!(found.iter().any(|asset| asset.is_latest == Some(false)), old);
        let latest = client.search(Search::new().and(client.is_latest())).all().await.unwrap();
        assert!(latest.iter().all(|asset| asset.is_latest == Some(true)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_exact_operator_is_used_where_the_site_declares_it() {
    let mut ours = ours();
    ours.ids.operators.text_is = OperatorId::new("ARTESIA.OPERATOR.CHAR.IS");
    let (_, client) = site_with(simulator::Settings::default(), ours);
    let search = Search::new().and(Condition::is(&field(seed::NAME), "spring-spot.mov"));
    assert_eq!(client.search(search).all().await.unwrap().len(), 1);
    assert_eq!(client.find_by_text(&field(seed::STATUS), "draft").await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_ends_by_itself_is_not_waited_for_longer() {
    let mut settings = simulator::Settings::default();
    settings.edits.lock_seconds = Some(10);
    let (simulator, client) = site(settings);
    let spot = seeded(&simulator, "spring-spot.mov");
    client_as(&simulator, seed::EDITOR).lock(&spot).await.unwrap();
    let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
    let began = tokio::time::Instant::now();
    client.update_metadata(&spot, &change, None).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_let_out_or_said_to_have_expired() {
    for serves in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.downloads.serves_expired = serves;
        let (simulator, client) = site(settings);
        let logo = asset(&simulator, &client, "old-logo.png").await;
        assert!(logo.is_expired);
        match client.download(&logo).await {
            Ok(download) => assert!(serves && download.length > 0),
            Err(error) => {
                assert!(!serves);
                assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.business-error"));
                assert!(error.message().contains("has expired"), "{error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_purged_while_it_is_known_is_gone() {
    let mut settings = simulator::Settings::default();
    settings.deletion.purge_seconds = Some(60);
    let (simulator, client) = site(settings);
    let brief = asset(&simulator, &client, "spring-brief.pdf").await;
    client.delete_asset(&brief, true).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let error = client.get_asset(&brief.id, Load::State).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Gone, "otmm.not-found"));
    assert_eq!(client.delete_asset(&brief, true).await.unwrap_err().class(), FailureClass::Gone);
}
