//! Refusals whose status nobody has published: each that may come, and what the client makes of it.

use shared::{
    content_server::{
        AuditFilter, CategoryValues, Client, MODULE_MISSING, NewVersion, NodeChange, NodeId, RECORD_STATE,
        RESERVED, RecordDetails, Settings,
    },
    error::{
        Error,
        FailureClass::{Conflict, Forbidden, Invalid},
    },
};
use simulators::content_server::{self as simulator, seed, state::ADMIN};

use super::{client_as, document, simulated, simulated_with, upload};

async fn incoming(client: &Client) -> NodeId {
    client.resolve_path(&"Enterprise:Claims/Incoming".parse().unwrap()).await.unwrap().id
}

fn told(error: &Error) -> (shared::error::FailureClass, &'static str) {
    (error.class(), error.code())
}

fn named(name: &str) -> NodeChange {
    NodeChange { name: Some(name.to_owned()), ..NodeChange::default() }
}

#[tokio::test(start_paused = true)]
async fn a_reservation_is_a_conflict_whatever_its_status() {
    for status in [400, 403, 409, 423, 500] {
        let theirs = simulator::Settings { reserved_status: status, ..simulator::Settings::default() };
        let (simulator, client) = simulated(theirs);
        let folder = incoming(&client).await;
        let made = client.create_document(&document(folder, "a"), &upload("a", b"a")).await.unwrap();
        simulator.with_state(|state| {
            let changes = simulator::state::Changes {
                reserved_user_id: Some(Some(ADMIN)),
                ..simulator::state::Changes::default()
            };
            state.update(ADMIN, made.id.0, changes).unwrap();
        });
        let error = client.update_node(made.id, &named("b")).await.unwrap_err();
        assert_eq!(told(&error), (Conflict, RESERVED), "{status}");
        let error =
            client.add_version(made.id, &NewVersion::default(), &upload("a", b"b")).await.unwrap_err();
        assert_eq!(told(&error), (Conflict, RESERVED), "{status}");
        assert_eq!(client.latest_version(made.id).await.unwrap().number, 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_missing_is_the_items_fault_whatever_its_status() {
    for status in [400, 422, 500] {
        let theirs =
            simulator::Settings { missing_required_status: status, ..simulator::Settings::default() };
        let (_, client) = simulated(theirs);
        let folder = incoming(&client).await;
        let nothing = CategoryValues::new(NodeId(seed::CLAIM_EVIDENCE));
        let mut new = document(folder, "a");
        new.categories = vec![nothing.clone()];
        let error = client.create_document(&new, &upload("a", b"a")).await.unwrap_err();
        assert_eq!(error.class(), Invalid, "{status}: {error:?}");
        assert!(client.find_child(folder, "a").await.unwrap().is_none(), "{status}");
        let made = client.create_document(&document(folder, "b"), &upload("b", b"b")).await.unwrap();
        let error = client.set_category(made.id, &nothing).await.unwrap_err();
        assert_eq!(error.class(), Invalid, "{status}: {error:?}");
        assert!(client.get_categories(made.id).await.unwrap().is_empty(), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_hold_or_an_official_record_forbids_is_told_as_such_and_the_rest_goes_through() {
    for (edit, version, status) in
        [(true, true, 400), (true, false, 500), (false, true, 403), (false, false, 423)]
    {
        let mut theirs = simulator::Settings::default();
        theirs.record_rules.hold_blocks_edit = edit;
        theirs.record_rules.official_blocks_version = version;
        theirs.record_rules.status = status;
        let (_, client) = simulated(theirs);
        let case = format!("edit {edit}, version {version}, {status}");
        let folder = incoming(&client).await;
        let held = client.create_document(&document(folder, "held"), &upload("a", b"a")).await.unwrap().id;
        client.apply_hold(held, seed::FLOOD_HOLD).await.unwrap();
        let definition = client.category_definition(NodeId(seed::DIGITISED_ITEM), folder).await.unwrap();
        let mut values = CategoryValues::new(NodeId(seed::DIGITISED_ITEM));
        let attribute = definition.attributes[0].name.clone();
        definition.put(&mut values, &attribute, "S 1".into()).unwrap();
        match client.set_category(held, &values).await {
            Ok(_) => assert!(!edit, "{case}"),
            Err(error) => {
                assert!(edit, "{case}: {error:?}");
                assert_eq!(told(&error), (Forbidden, RECORD_STATE), "{case}");
            }
        }
        let renamed = client.update_node(held, &named("renamed")).await;
        assert_eq!(renamed.as_ref().err().map(told), edit.then_some((Forbidden, RECORD_STATE)), "{case}");

        let record =
            client.create_document(&document(folder, "record"), &upload("a", b"a")).await.unwrap().id;
        let official = RecordDetails { official: Some(true), ..RecordDetails::default() };
        client.classify_record(record, NodeId(seed::CLAIM_FILES), &official).await.unwrap();
        let added = client.add_version(record, &NewVersion::default(), &upload("a", b"b")).await;
        assert_eq!(added.as_ref().err().map(told), version.then_some((Forbidden, RECORD_STATE)), "{case}");
        let number = client.latest_version(record).await.unwrap().number;
        assert_eq!(number, if version { 1 } else { 2 }, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_with_characters_the_server_does_not_take_are_refused_or_escaped() {
    for told_of_it in [false, true] {
        let theirs = simulator::Settings {
            forbidden_name_characters: ":*?".to_owned(),
            ..simulator::Settings::default()
        };
        let mut ours = Settings::default();
        if told_of_it {
            ours.names.forbidden = ":*?".to_owned();
        }
        let (_, client) = simulated_with(theirs, ours);
        let folder = incoming(&client).await;
        let name = client.settings().names.escape("what?.txt");
        let outcome = client.create_document(&document(folder, &name), &upload("a", b"a")).await;
        match outcome {
            Ok(made) => {
                assert!(told_of_it);
                assert_eq!(made.name, "what%3F.txt");
                assert_eq!(client.settings().names.unescape(&made.name).as_deref(), Some("what?.txt"));
            }
            Err(error) => {
                assert!(!told_of_it, "{error:?}");
                assert_eq!(error.class(), Invalid, "{error:?}");
                assert!(client.find_child(folder, &name).await.unwrap().is_none());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_audit_that_needs_a_right_is_a_matter_for_an_administrator() {
    for needs_right in [false, true] {
        let theirs = simulator::Settings { audit_needs_right: needs_right, ..simulator::Settings::default() };
        let (_, client) = simulated(theirs);
        let folder = incoming(&client).await;
        let read = client.list_audit(folder, &AuditFilter::default()).await;
        assert_eq!(read.is_err(), needs_right, "{read:?}");
        if let Err(error) = read {
            assert_eq!(told(&error), (Forbidden, "content-server.action-refused"));
            assert!(error.remedy_text().is_some());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_without_reports_or_workflows_says_so_and_blames_no_item() {
    let mut theirs = simulator::Settings::default();
    theirs.modules.web_reports = false;
    theirs.modules.workflows = false;
    theirs.modules.directory = false;
    let (simulator, client) = simulated(theirs);
    let error = client.web_report(NodeId(3801)).await.unwrap_err();
    assert_eq!(told(&error), (Forbidden, MODULE_MISSING));
    let folder = incoming(&client).await;
    let error = client.list_workflow_maps(folder, folder).await.unwrap_err();
    assert_eq!(told(&error), (Forbidden, MODULE_MISSING));
    // Without a directory service on the server nobody signs in through it, and that is no item's fault either.
    let secret = format!(
        r#"{{"mode":"otds-user","otds_url":"http://content-server.test/otdsws","username":"{}","password":"{}"}}"#,
        seed::SERVICE_USER,
        seed::PASSWORD
    );
    let error = client_as(&simulator, Settings::default(), &secret).login().await.unwrap_err();
    assert!(
        matches!(error.class(), shared::error::FailureClass::Auth | shared::error::FailureClass::Transient),
        "{error:?}"
    );
    let (_, client) = simulated(simulator::Settings::default());
    assert_eq!(client.web_report(NodeId(3801)).await.unwrap()["changes"], serde_json::json!([]));
}
