//! What goes wrong on the way, and what the client makes of it.

use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt;
use jiff::SignedDuration;
use shared::{
    content_server::{Client, NewFolder, NewVersion, NodeId, Settings},
    error::FailureClass::{self, Auth, Conflict, Forbidden, Throttled, Transient, UnknownOutcome},
};
use simulators::{
    content_server as simulator,
    faults::{Action, Rule},
};

use super::{content, document, simulated, upload};

async fn incoming(client: &Client) -> NodeId {
    client.resolve_path(&"Enterprise:Claims/Incoming".parse().unwrap()).await.unwrap().id
}

fn arm(simulator: &simulator::Simulator, rule: Rule) {
    simulator.faults().add(rule).unwrap();
}

fn stored(simulator: &simulator::Simulator, name: &str) -> Vec<Vec<u8>> {
    simulator.with_state(|state| {
        let node = state.at(&format!("Claims/Incoming/{name}"));
        let versions = node.map(|node| node.versions.clone()).unwrap_or_default();
        versions.iter().map(|version| version.content.bytes().unwrap().to_vec()).collect()
    })
}

#[tokio::test(start_paused = true)]
async fn an_upload_after_a_renewed_ticket_is_never_empty() {
    let (simulator, client) = simulated(simulator::Settings::default());
    let folder = incoming(&client).await;
    arm(&simulator, Rule::next(Action::Unauthorized).on("POST", "/v2/nodes$"));
    let made = client.create_document(&document(folder, "a.txt"), &upload("a.txt", b"bytes")).await.unwrap();
    // And without a fault: the ticket really runs out.
    simulator.clock().advance(SignedDuration::from_hours(1));
    client.add_version(made.id, &NewVersion::default(), &upload("a.txt", b"more bytes")).await.unwrap();
    assert_eq!(stored(&simulator, "a.txt"), [b"bytes".to_vec(), b"more bytes".to_vec()]);
    let refused = simulator.journal().entries().iter().filter(|entry| entry.status == 401).count();
    assert_eq!(refused, 2);
}

#[tokio::test(start_paused = true)]
async fn many_at_once_sign_in_once_when_the_session_ends() {
    let (simulator, client) = simulated(simulator::Settings::default());
    let folder = incoming(&client).await;
    simulator.clock().advance(SignedDuration::from_hours(1));
    simulator.journal().clear();
    let calls = (0..20).map(|_| client.get_node(folder));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    let sign_ins =
        simulator.journal().entries().iter().filter(|entry| entry.path.ends_with("/v1/auth")).count();
    assert_eq!(sign_ins, 1);
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_a_create_has_its_class_and_never_makes_a_second_document() {
    let cases: [(Action, FailureClass, usize); 14] = [
        (Action::Unauthorized, Auth, 0),
        (Action::Forbidden, Forbidden, 0),
        (Action::Conflict, Conflict, 0),
        (Action::Locked, Conflict, 0),
        (Action::RateLimited { retry_after: 60 }, Throttled, 0),
        (Action::HtmlError, UnknownOutcome, 0),
        (Action::HtmlOk, UnknownOutcome, 0),
        (Action::EmptyOk, UnknownOutcome, 0),
        (Action::NoContent, UnknownOutcome, 0),
        (Action::DropBeforeEffect, UnknownOutcome, 0),
        (Action::DropAfterEffect, UnknownOutcome, 1),
        (Action::StatusAfterEffect { status: 504 }, UnknownOutcome, 1),
        (Action::StatusAfterEffect { status: 502 }, UnknownOutcome, 1),
        (Action::CutBody { at: 10 }, UnknownOutcome, 1),
    ];
    for (action, class, made) in cases {
        let (simulator, client) = simulated(simulator::Settings::default());
        let folder = incoming(&client).await;
        arm(&simulator, Rule::next(action.clone()).on("POST", "/v2/nodes$").times(9));
        let new = document(folder, "a.txt");
        let error = client.create_document(&new, &upload("a.txt", b"bytes")).await.unwrap_err();
        assert_eq!(error.class(), class, "{action:?}: {error:?}");
        assert_eq!(stored(&simulator, "a.txt").len(), made, "{action:?}");
        // What the caller does next, after the pause that was asked for: look for it by our identity.
        simulator.faults().clear();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let found = client.find_child(folder, "a.txt").await.unwrap();
        let ours = found.filter(|node| node.external.identity == new.external.identity);
        assert_eq!(ours.is_some(), made == 1, "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_get_over_what_passes() {
    for action in [
        Action::RateLimited { retry_after: 1 },
        Action::Status { status: 503, body: None, content_type: None, retry_after: Some(2) },
        Action::Unauthorized,
        Action::DropBeforeEffect,
        Action::Delay { milliseconds: 2_000 },
    ] {
        let (simulator, client) = simulated(simulator::Settings::default());
        let folder = incoming(&client).await;
        arm(&simulator, Rule::next(action.clone()).on("GET", "/v2/nodes/"));
        assert_eq!(client.get_node(folder).await.unwrap().id, folder, "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_that_fail_for_good_say_so_and_never_that_the_item_is_to_blame() {
    for action in
        [Action::HtmlError, Action::HtmlOk, Action::EmptyOk, Action::NoContent, Action::CutBody { at: 5 }]
    {
        let (simulator, client) = simulated(simulator::Settings::default());
        let folder = incoming(&client).await;
        arm(&simulator, Rule::next(action.clone()).on("GET", "/v2/nodes/").times(99));
        let error = client.get_node(folder).await.unwrap_err();
        assert_eq!(error.class(), Transient, "{action:?}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_survives_every_lost_answer() {
    for action in
        [Action::DropAfterEffect, Action::StatusAfterEffect { status: 504 }, Action::CutBody { at: 1 }]
    {
        let (simulator, client) = simulated(simulator::Settings::default());
        let folder = incoming(&client).await;
        arm(&simulator, Rule::next(action.clone()).on("POST", "/v2/nodes$"));
        let names = ["2031".to_owned(), "05".to_owned()];
        let ensured = client.ensure_folder_path(folder, &names, &NewFolder::default()).await.unwrap();
        let again = client.ensure_folder_path(folder, &names, &NewFolder::default()).await.unwrap();
        assert_eq!(ensured.folder.id, again.folder.id, "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_that_breaks_off_is_never_taken_for_a_shorter_file() {
    let (simulator, client) = simulated(simulator::Settings::default());
    let folder = incoming(&client).await;
    let made =
        client.create_document(&document(folder, "a.txt"), &upload("a.txt", &[7; 5000])).await.unwrap();
    arm(&simulator, Rule::next(Action::CutBody { at: 1000 }).on("GET", "/content"));
    let cut = client.download(made.id, Some(1)).await.unwrap();
    assert!(cut.body.collect().await.is_err());
    for action in [Action::HtmlOk, Action::HtmlError] {
        arm(&simulator, Rule::next(action).on("GET", "/content"));
        assert_eq!(client.download(made.id, Some(1)).await.unwrap_err().class(), Transient);
    }
    arm(&simulator, Rule::next(Action::Unauthorized).on("GET", "/content"));
    assert_eq!(content(&client, made.id, Some(1)).await.len(), 5000);
}

#[tokio::test(start_paused = true)]
async fn an_upload_whose_source_breaks_off_leaves_nothing_behind() {
    let (simulator, client) = simulated(simulator::Settings::default());
    let folder = incoming(&client).await;
    let mut broken = upload("a.txt", b"only this");
    broken.content =
        shared::http::Replayable::new(500, || async { Ok(shared::http::full(&b"only this"[..])) });
    let error = client.create_document(&document(folder, "a.txt"), &broken).await.unwrap_err();
    assert_ne!(error.class(), FailureClass::Bug, "{error:?}");
    assert!(stored(&simulator, "a.txt").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_large_upload_gets_over_a_part_whose_answer_was_lost() {
    for action in [Action::DropAfterEffect, Action::StatusAfterEffect { status: 504 }, Action::Unauthorized] {
        let mut theirs = simulator::Settings::default();
        theirs.large_upload.min_size = 10;
        theirs.large_upload.part_size = 1000;
        let mut ours = Settings::default();
        ours.large_upload.from_size = 10;
        let (simulator, client) = super::simulated_with(theirs, ours);
        let folder = incoming(&client).await;
        for path in ["/v2/multipart/[^/]+/2$", "/v2/multipart/[^/]+$"] {
            arm(&simulator, Rule::next(action.clone()).on("POST", path));
        }
        let bytes: Vec<u8> = (0..3500_u32).map(|number| number.to_le_bytes()[0]).collect();
        client.create_document(&document(folder, "film.mov"), &upload("film.mov", &bytes)).await.unwrap();
        assert_eq!(stored(&simulator, "film.mov"), [bytes], "{action:?}");
        let parts =
            simulator.journal().entries().iter().filter(|entry| entry.path.contains("/multipart/")).count();
        assert!(parts >= 7, "four parts, two repeats and the end: {parts}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_workspace_whose_creation_was_not_confirmed_is_found() {
    let (simulator, client) = simulated(simulator::Settings::default());
    arm(&simulator, Rule::next(Action::DropAfterEffect).on("POST", "/v2/businessworkspaces$"));
    let new = shared::content_server::NewWorkspace {
        workspace_type: simulator::seed::CLAIM_TYPE,
        template: 5001,
        name: "CLM-1".to_owned(),
        description: String::new(),
        parent: None,
        business_object: None,
        categories: Vec::new(),
        external: shared::content_server::External::default(),
    };
    let (workspace, _) = client.ensure_workspace(&new).await.unwrap();
    assert_eq!(client.ensure_workspace(&new).await.unwrap(), (workspace, false));
}

#[tokio::test(start_paused = true)]
async fn clones_of_a_client_share_its_session() {
    let (simulator, client) = simulated(simulator::Settings::default());
    let client = Arc::new(client);
    let folder = incoming(&client).await;
    let other = Client::clone(&client);
    other.get_node(folder).await.unwrap();
    let sign_ins =
        simulator.journal().entries().iter().filter(|entry| entry.path.ends_with("/v1/auth")).count();
    assert_eq!(sign_ins, 1);
    assert!(simulator.journal().unknown().is_empty(), "{:?}", simulator.journal().unknown());
}
