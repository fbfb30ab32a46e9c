//! What the vendor leaves open: each answer a server may give, and the client's setting for it.

use http_body_util::BodyExt;
use shared::{
    content_server::{COLLISION, Client, MODULE_MISSING, NewFolder, NodeId, Search, Settings},
    error::FailureClass,
};
use simulators::content_server::{
    self as simulator,
    settings::{Dependencies, Language, NameFilter, TicketExpiry, Unauthenticated},
};

use super::{client_as, content, document, simulated, simulated_with, upload};

async fn incoming(client: &Client) -> NodeId {
    client.resolve_path(&"Enterprise:Claims/Incoming".parse().unwrap()).await.unwrap().id
}

#[tokio::test(start_paused = true)]
async fn each_way_of_signing_in_works() {
    let secrets = [
        format!(
            r#"{{"mode":"otds-client","otds_url":"http://content-server.test/otdsws","client_id":"{}","client_secret":"{}"}}"#,
            simulator::seed::CLIENT_ID,
            simulator::seed::CLIENT_SECRET
        ),
        format!(
            r#"{{"mode":"otds-user","otds_url":"http://content-server.test/otdsws","username":"{}","password":"{}"}}"#,
            simulator::seed::SERVICE_USER,
            simulator::seed::PASSWORD
        ),
    ];
    for secret in &secrets {
        for direct in [false, true] {
            let theirs =
                simulator::Settings { direct_directory_tokens: direct, ..simulator::Settings::default() };
            let (simulator, _) = simulated(theirs);
            let ours = Settings { direct_bearer: direct, ..Settings::default() };
            let client = client_as(&simulator, ours, secret);
            assert_eq!(client.get_current_user().await.unwrap().name, simulator::seed::SERVICE_USER);
            simulator.clock().advance(jiff::SignedDuration::from_hours(2));
            assert!(client.get_current_user().await.is_ok(), "renewed, direct {direct}");
        }
    }
    let (simulator, _) = simulated(simulator::Settings::default());
    let token = simulator.with_state(|state| state.issue_bearer(simulator::seed::WAYBILL));
    let client =
        client_as(&simulator, Settings::default(), &format!(r#"{{"mode":"bearer","token":"{token}"}}"#));
    assert_eq!(client.get_current_user().await.unwrap().name, simulator::seed::SERVICE_USER);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_an_auth_failure_and_is_not_tried_again_at_once() {
    let (simulator, _) = simulated(simulator::Settings::default());
    for secret in [
        r#"{"mode":"password","username":"waybill","password":"wrong"}"#,
        r#"{"mode":"otds-client","otds_url":"http://content-server.test/otdsws","client_id":"x","client_secret":"y"}"#,
        r#"{"mode":"otds-user","otds_url":"http://content-server.test/otdsws","username":"x","password":"y"}"#,
        r#"{"mode":"bearer","token":"x"}"#,
    ] {
        let client = client_as(&simulator, Settings::default(), secret);
        simulator.journal().clear();
        for _ in 0..3 {
            let error = client.get_current_user().await.unwrap_err();
            assert_eq!(error.class(), FailureClass::Auth, "{error:?}");
        }
        assert_eq!(simulator.journal().count(), 1, "one attempt, then a pause");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_however_it_ends_is_renewed() {
    for (expiry, unauthenticated) in [
        (TicketExpiry::Sliding, Unauthenticated::Json),
        (TicketExpiry::Absolute, Unauthenticated::Json),
        (TicketExpiry::Absolute, Unauthenticated::LoginPage),
        (TicketExpiry::Sliding, Unauthenticated::Redirect),
        (TicketExpiry::Absolute, Unauthenticated::Redirect),
    ] {
        let theirs =
            simulator::Settings { ticket_expiry: expiry, unauthenticated, ..simulator::Settings::default() };
        // What marks the log-in page of an installation is for its configuration to say.
        let mut ours = Settings::default();
        ours.texts.login_page.push("sign in".to_owned());
        let (simulator, client) = simulated_with(theirs, ours);
        let folder = incoming(&client).await;
        for round in 0..3 {
            simulator.clock().advance(jiff::SignedDuration::from_mins(31));
            let name = format!("{round}.txt");
            let made =
                client.create_document(&document(folder, &name), &upload(&name, b"bytes")).await.unwrap();
            assert_eq!(content(&client, made.id, None).await, b"bytes");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_german_is_understood_by_looking_or_by_its_own_sentences() {
    let theirs = simulator::Settings { language: Language::German, ..simulator::Settings::default() };
    for taught in [false, true] {
        let mut ours = Settings::default();
        if taught {
            ours.texts.already_exists = vec!["bereits vorhanden".to_owned()];
        }
        let (simulator, client) = simulated_with(theirs.clone(), ours);
        let folder = incoming(&client).await;
        let new = document(folder, "a.txt");
        client.create_document(&new, &upload("a.txt", b"a")).await.unwrap();
        let error = client.create_document(&new, &upload("a.txt", b"b")).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Conflict, COLLISION));
        let plain = NewFolder::default();
        let rivals = (0..3).map(|_| client.ensure_folder(folder, "2031", &plain));
        let made: Vec<_> =
            futures_util::future::join_all(rivals).await.into_iter().map(Result::unwrap).collect();
        assert!(made.iter().all(|(node, _)| node.id == made[0].0.id));
        simulator.clock().advance(jiff::SignedDuration::from_hours(1));
        client.get_node(folder).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_module_is_told_as_such_and_large_files_go_up_whole() {
    let mut theirs = simulator::Settings::default();
    theirs.modules.records = false;
    theirs.modules.workspaces = false;
    theirs.modules.large_upload = false;
    let mut ours = Settings::default();
    ours.large_upload.from_size = 10;
    let (_, client) = simulated_with(theirs, ours);
    let folder = incoming(&client).await;
    assert_eq!(client.get_record(folder).await.unwrap_err().code(), MODULE_MISSING);
    assert_eq!(client.list_workspace_types().await.unwrap_err().class(), FailureClass::Forbidden);
    assert!(!client.is_held(folder).await.unwrap());
    assert!(client.large_upload_offer().await.unwrap().is_none());
    let made = client.create_document(&document(folder, "a"), &upload("a", &[1; 200])).await.unwrap();
    assert_eq!(content(&client, made.id, None).await, [1; 200]);
}

#[tokio::test(start_paused = true)]
async fn names_are_found_however_the_server_filters() {
    for filter in [NameFilter::Contains, NameFilter::StartsWith, NameFilter::Equals] {
        let theirs = simulator::Settings { node_name_filter: filter, ..simulator::Settings::default() };
        let ours = Settings { page_size: 2, ..Settings::default() };
        let (_, client) = simulated_with(theirs, ours);
        let folder = incoming(&client).await;
        for name in ["note", "a note", "note 1", "note 2", "note 3", "Notes"] {
            client.create_folder(folder, name, &NewFolder::default()).await.unwrap();
        }
        assert_eq!(client.find_child(folder, "NOTE").await.unwrap().unwrap().name, "note", "{filter:?}");
        assert_eq!(client.find_child(folder, "note 3").await.unwrap().unwrap().name, "note 3");
        assert!(client.find_child(folder, "not").await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_past_its_end_ends() {
    for repeats in [false, true] {
        let theirs =
            simulator::Settings { search_repeats_past_end: repeats, ..simulator::Settings::default() };
        let ours = Settings { page_size: 2, ..Settings::default() };
        let (_, client) = simulated_with(theirs, ours);
        let folder = incoming(&client).await;
        for number in 0..4 {
            let name = format!("{number}.txt");
            client.create_document(&document(folder, &name), &upload(&name, b"x")).await.unwrap();
        }
        let search =
            Search { query: "OTSubType:144".to_owned(), location: Some(folder), ..Search::default() };
        assert_eq!(client.search(search).all().await.unwrap().len(), 4, "repeats {repeats}");
    }
}

#[tokio::test(start_paused = true)]
async fn dates_are_the_same_moment_with_and_without_a_zone() {
    let mut moments = Vec::new();
    for with_zone in [true, false] {
        let theirs = simulator::Settings { dates_with_zone: with_zone, ..simulator::Settings::default() };
        let (_, client) = simulated(theirs);
        let folder = incoming(&client).await;
        let made = client.create_folder(folder, "dated", &NewFolder::default()).await.unwrap();
        moments.push(made.created.unwrap());
    }
    assert_eq!(moments[0], moments[1]);
}

#[tokio::test(start_paused = true)]
async fn ranges_are_used_only_where_they_are_known_to_work() {
    for (works, switched_on) in [(true, true), (false, true), (true, false)] {
        let theirs = simulator::Settings { range_requests: works, ..simulator::Settings::default() };
        let ours = Settings { range_downloads: switched_on, ..Settings::default() };
        let (_, client) = simulated_with(theirs, ours);
        let folder = incoming(&client).await;
        let made = client.create_document(&document(folder, "a"), &upload("a", b"0123456789")).await.unwrap();
        match client.download_range(made.id, 1, 3, 4).await {
            Ok(download) => {
                assert!(works && switched_on);
                assert_eq!(download.body.collect().await.unwrap().to_bytes(), "3456");
            }
            Err(error) => {
                assert!(!(works && switched_on), "{error:?}");
                assert_eq!(error.code(), "content-server.no-ranges");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_the_gateway_finds_too_large_is_refused_with_its_remedy() {
    let theirs = simulator::Settings { max_upload_bytes: Some(1000), ..simulator::Settings::default() };
    let (_, client) = simulated(theirs);
    let folder = incoming(&client).await;
    let error = client.create_document(&document(folder, "a"), &upload("a", &[1; 5000])).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Invalid, "content-server.too-large"));
    assert!(error.remedy_text().is_some());
}

#[tokio::test(start_paused = true)]
async fn gzip_is_not_asked_for_and_content_keeps_its_length() {
    let theirs = simulator::Settings { gzip_downloads: true, ..simulator::Settings::default() };
    let (_, client) = simulated(theirs);
    let folder = incoming(&client).await;
    let made = client.create_document(&document(folder, "a"), &upload("a", &[b'a'; 9000])).await.unwrap();
    assert_eq!(content(&client, made.id, None).await.len(), 9000);
}

#[tokio::test(start_paused = true)]
async fn rights_that_need_others_are_given_or_refused() {
    use shared::content_server::{Grant, Holder, PermissionTemplate, Right};
    for (dependencies, class) in
        [(Dependencies::Add, None), (Dependencies::Reject, Some(FailureClass::Invalid))]
    {
        let theirs =
            simulator::Settings { permission_dependencies: dependencies, ..simulator::Settings::default() };
        let (_, client) = simulated(theirs);
        let folder = incoming(&client).await;
        let made = client.create_document(&document(folder, "a"), &upload("a", b"a")).await.unwrap();
        let rights = [Right::EditAttributes].into_iter().collect();
        let template = PermissionTemplate {
            grants: vec![Grant { holder: Holder::Member(1104), rights }],
            only_these_members: false,
        };
        let outcome = client.apply_permissions(made.id, &template).await;
        assert_eq!(outcome.as_ref().err().map(shared::error::Error::class), class, "{outcome:?}");
        if class.is_none() {
            assert_eq!(client.apply_permissions(made.id, &template).await.unwrap(), 0);
        }
    }
}
