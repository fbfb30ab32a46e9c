//! Bytes on their way out, and their checksums.

use std::time::Duration;

use shared::{
    error::{FailureClass, Retry},
    preservica::{Bitstream, Client, FixityAlgorithm, RepresentationKind, Settings},
};
use simulators::{
    content::Blob,
    faults::{Action, Rule},
    preservica as simulator,
};

use crate::world::{ours, read, seeded, tenant, tenant_with};

/// The one preserved file of an asset.
async fn master(simulator: &simulator::Simulator, client: &Client, title: &str) -> Bitstream {
    let asset = seeded(simulator, title);
    let mut files = client.files_of(&asset, &RepresentationKind::Preservation).await.unwrap();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

#[tokio::test(start_paused = true)]
async fn preservica_gives_the_bytes_of_the_representation_that_was_asked_for_and_of_no_other() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let access = client.files_of(&spring, &RepresentationKind::Access).await.unwrap();
    assert_eq!((access[0].filename.as_str(), access[0].size), ("spring.jpg", 40_000));
    assert!(access[0].fixities.iter().any(|fixity| fixity.algorithm == FixityAlgorithm::Sha256));
    let bytes = read(client.download(&access[0]).await.unwrap().body).await.unwrap();
    assert!(bytes == Blob::generated(2, 40_000).bytes().unwrap());
    // An asset without a copy for access gives none out.
    let report = seeded(&simulator, "Annual report");
    assert!(client.files_of(&report, &RepresentationKind::Access).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn preservica_downloads_that_are_cut_go_on_where_they_broke() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let file = master(&simulator, &client, "Spring launch").await;
    for at in [0, 1, 100_000, 299_999] {
        simulator.faults().add(Rule::next(Action::CutBody { at }).on("GET", "/content$")).unwrap();
        let download = client.download(&file).await.unwrap();
        assert_eq!(download.length, 300_000);
        let bytes = read(download.body).await.unwrap();
        assert!(bytes == Blob::generated(1, 300_000).bytes().unwrap(), "{at}");
    }
    simulator.faults().add(Rule::next(Action::CutBody { at: 0 }).on("GET", "/content$").times(50)).unwrap();
    let error = read(client.download(&file).await.unwrap().body).await.unwrap_err();
    assert!(error.contains("preservica.content-cut"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn preservica_tokens_that_end_in_the_middle_of_a_download_are_renewed() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let file = master(&simulator, &client, "Spring launch").await;
    simulator.faults().add(Rule::next(Action::CutBody { at: 1000 }).on("GET", "/content$")).unwrap();
    let download = client.download(&file).await.unwrap();
    simulator.with_state(|state| state.tokens.clear());
    let bytes = read(download.body).await.unwrap();
    assert!(bytes == Blob::generated(1, 300_000).bytes().unwrap());
}

#[tokio::test(start_paused = true)]
async fn preservica_bytes_that_are_not_those_of_their_checksum_never_come_whole() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let file = master(&simulator, &client, "Spring launch").await;
    for at in [0, 299_999] {
        simulator.faults().add(Rule::next(Action::CorruptByte { at }).on("GET", "/content$")).unwrap();
        let error = read(client.download(&file).await.unwrap().body).await.unwrap_err();
        assert!(error.contains("preservica.fixity-mismatch"), "{error}");
    }
    // Of another length, they do not even begin.
    let mut shorter = file.clone();
    shorter.size = 299_999;
    let error = client.download(&shorter).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "preservica.content-changed"));
}

#[tokio::test(start_paused = true)]
async fn preservica_gives_any_range() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let file = master(&simulator, &client, "Spring launch").await;
    let whole = Blob::generated(1, 300_000).bytes().unwrap();
    for range in [0..1, 7..8, 100..5000, 299_000..300_000, 0..300_000, 5..5] {
        simulator.faults().add(Rule::next(Action::CutBody { at: 10 }).on("GET", "/content$")).unwrap();
        let download = client.download_range(&file, range.clone()).await.unwrap();
        assert_eq!(download.length, range.end - range.start);
        let expected = &whole[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        assert!(read(download.body).await.unwrap() == expected, "{range:?}");
        simulator.faults().clear();
    }
    let error = client.download_range(&file, 0..300_001).await.unwrap_err();
    assert_eq!(error.code(), "preservica.content-changed");
}

#[tokio::test(start_paused = true)]
async fn preservica_content_in_cold_storage_is_waited_for_where_one_knows_how_that_is_answered() {
    let (simulator, client) = tenant_with(
        simulator::Settings { cold_status: Some(409), ..simulator::Settings::default() },
        Settings { cold_statuses: vec![409], ..ours() },
    );
    let file = master(&simulator, &client, "Press photographs").await;
    let error = client.download(&file).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "preservica.in-cold-storage"));
    assert_eq!(error.retry_advice(), Retry::After(Duration::from_secs(3600)));
    simulator.with_state(|state| state.settings.cold_status = None);
    let bytes = read(client.download(&file).await.unwrap().body).await.unwrap();
    assert_eq!(bytes.len(), 80_000);
    // Not told, it is a failure like others.
    let (simulator, client) = tenant(simulator::Settings::default());
    let file = master(&simulator, &client, "Press photographs").await;
    let error = client.download(&file).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "preservica.gateway"));
}
