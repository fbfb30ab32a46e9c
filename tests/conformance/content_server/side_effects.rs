//! What an edit does besides, and what comes with content: each answer a server may give, and the client right under it.

use jiff::SignedDuration;
use shared::content_server::{
    CategoryOutcome, CategoryValues, Client, Grant, Holder, NewVersion, NodeChange, NodeId,
    PermissionTemplate, Right, Settings,
};
use simulators::content_server::{self as simulator, seed, settings::TicketExpiry};

use super::{client_as, content, document, simulated, simulated_with, upload};

async fn incoming(client: &Client) -> NodeId {
    client.resolve_path(&"Enterprise:Claims/Incoming".parse().unwrap()).await.unwrap().id
}

async fn digitised(client: &Client, folder: NodeId, value: &str) -> CategoryValues {
    let category = NodeId(seed::DIGITISED_ITEM);
    let definition = client.category_definition(category, folder).await.unwrap();
    let mut values = CategoryValues::new(category);
    let attribute = definition.attributes[0].name.clone();
    definition.put(&mut values, &attribute, value.into()).unwrap();
    values
}

#[tokio::test(start_paused = true)]
async fn values_are_written_once_whatever_an_edit_does_besides() {
    for (moves, adds) in [(false, false), (true, false), (false, true), (true, true)] {
        let theirs = simulator::Settings {
            category_edit_moves_modify_date: moves,
            category_edit_adds_version: adds,
            ..simulator::Settings::default()
        };
        let (simulator, client) = simulated(theirs);
        let case = format!("moves {moves}, adds {adds}");
        let folder = incoming(&client).await;
        let made = client.create_document(&document(folder, "a"), &upload("a", b"a")).await.unwrap();
        let values = digitised(&client, folder, "S 1").await;
        simulator.clock().advance(SignedDuration::from_secs(60));
        assert_eq!(client.set_category(made.id, &values).await.unwrap(), CategoryOutcome::Added, "{case}");
        let once = client.get_node(made.id).await.unwrap();
        assert_eq!(once.modified != made.modified, moves || adds, "{case}");
        let versions = client.list_versions(made.id).await.unwrap();
        assert_eq!(versions.len(), if adds { 2 } else { 1 }, "{case}");
        for version in &versions {
            assert_eq!(content(&client, made.id, Some(version.number)).await, b"a", "{case}");
        }
        // A second time nothing is written, so nothing moves and nothing is added.
        simulator.clock().advance(SignedDuration::from_secs(60));
        assert_eq!(
            client.set_category(made.id, &values).await.unwrap(),
            CategoryOutcome::Unchanged,
            "{case}"
        );
        assert_eq!(client.get_node(made.id).await.unwrap().modified, once.modified, "{case}");
        assert_eq!(client.list_versions(made.id).await.unwrap().len(), versions.len(), "{case}");
    }
}

fn template() -> PermissionTemplate {
    let rights = [Right::See, Right::SeeContents].into_iter().collect();
    PermissionTemplate {
        grants: vec![Grant { holder: Holder::Member(1104), rights }],
        only_these_members: false,
    }
}

#[tokio::test(start_paused = true)]
async fn rights_are_given_once_and_a_moved_document_gets_them_wherever_it_is() {
    for (moves_date, takes) in [(false, false), (true, false), (false, true), (true, true)] {
        let theirs = simulator::Settings {
            permission_edit_moves_modify_date: moves_date,
            move_takes_destination_permissions: takes,
            ..simulator::Settings::default()
        };
        let (simulator, _) = simulated(theirs);
        let password = seed::PASSWORD;
        let secret = format!(r#"{{"mode":"password","username":"admin","password":"{password}"}}"#);
        let client = client_as(&simulator, Settings::default(), &secret);
        let case = format!("date {moves_date}, takes {takes}");
        let folder = incoming(&client).await;
        let made = client.create_document(&document(folder, "a"), &upload("a", b"a")).await.unwrap();
        simulator.clock().advance(SignedDuration::from_secs(60));
        assert!(client.apply_permissions(made.id, &template()).await.unwrap() > 0, "{case}");
        let once = client.get_node(made.id).await.unwrap();
        assert_eq!(once.modified != made.modified, moves_date, "{case}");
        assert_eq!(client.apply_permissions(made.id, &template()).await.unwrap(), 0, "{case}");

        let to = client.resolve_path(&"Enterprise:Suppliers/Submissions".parse().unwrap()).await.unwrap().id;
        let moved = NodeChange { parent: Some(to), ..NodeChange::default() };
        client.update_node(made.id, &moved).await.unwrap();
        let before = client.apply_permissions(made.id, &template()).await.unwrap();
        assert_eq!(before > 0, takes, "{case}: what the move took away is given again");
        let rights = client.list_permissions(made.id).await.unwrap();
        let ours = rights.iter().find(|grant| grant.holder == Holder::Member(1104)).unwrap();
        assert_eq!(ours.rights, template().grants[0].rights, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn content_comes_whole_whatever_comes_with_it_and_wherever_it_is_kept() {
    let bytes: Vec<u8> = (0..40_000_u32).flat_map(u32::to_le_bytes).collect();
    for (tagged, threshold) in [(false, 0), (true, 0), (false, 1000), (true, 1 << 20)] {
        let theirs = simulator::Settings {
            etags: tagged,
            content_disposition: tagged,
            memory_threshold_bytes: threshold,
            ..simulator::Settings::default()
        };
        let (_, client) = simulated(theirs);
        let folder = incoming(&client).await;
        let made = client.create_document(&document(folder, "a b"), &upload("a b", &bytes)).await.unwrap();
        client.add_version(made.id, &NewVersion::default(), &upload("a b", b"two")).await.unwrap();
        assert_eq!(content(&client, made.id, Some(1)).await, bytes, "{tagged}, {threshold}");
        assert_eq!(content(&client, made.id, None).await, b"two", "{tagged}, {threshold}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_kept_by_its_newest_ticket_whether_or_not_use_prolongs_one() {
    for (prolongs, expiry) in [
        (false, TicketExpiry::Sliding),
        (true, TicketExpiry::Sliding),
        (false, TicketExpiry::Absolute),
        (true, TicketExpiry::Absolute),
    ] {
        let theirs = simulator::Settings {
            use_prolongs_ticket: prolongs,
            ticket_expiry: expiry,
            ticket_lifetime_seconds: 600,
            ..simulator::Settings::default()
        };
        let (simulator, client) = simulated(theirs);
        let folder = incoming(&client).await;
        simulator.journal().clear();
        for _ in 0..12 {
            simulator.clock().advance(SignedDuration::from_secs(300));
            client.get_node(folder).await.unwrap();
        }
        let sign_ins =
            simulator.journal().entries().iter().filter(|entry| entry.path.ends_with("/v1/auth")).count();
        let expected = if expiry == TicketExpiry::Sliding { 0 } else { 6 };
        assert_eq!(sign_ins, expected, "{expiry:?}, prolongs {prolongs}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bearer_token_is_fetched_anew_when_its_time_is_over() {
    for (lifetime, tokens) in [(60, 4), (100_000, 1)] {
        let theirs = simulator::Settings {
            direct_directory_tokens: true,
            bearer_lifetime_seconds: lifetime,
            ..simulator::Settings::default()
        };
        let (simulator, _) = simulated_with(theirs, Settings::default());
        let secret = format!(
            r#"{{"mode":"otds-client","otds_url":"http://content-server.test/otdsws","client_id":"{}","client_secret":"{}"}}"#,
            seed::CLIENT_ID,
            seed::CLIENT_SECRET
        );
        let client = client_as(&simulator, Settings { direct_bearer: true, ..Settings::default() }, &secret);
        for _ in 0..4 {
            assert_eq!(client.get_current_user().await.unwrap().name, seed::SERVICE_USER);
            simulator.clock().advance(SignedDuration::from_secs(61));
        }
        let asked = simulator.journal().entries();
        let asked = asked.iter().filter(|entry| entry.path.ends_with("/oauth2/token")).count();
        assert_eq!(asked, tokens, "a life of {lifetime} seconds");
    }
}
