//! Search, and what people see of processes.

use std::time::Duration;

use bytes::Bytes;
use shared::preservica::{EntityKind, Search, Settings, UploadLedger, UploadStep};
use simulators::{
    faults::{Action, Rule},
    preservica as simulator,
};

use crate::{
    package::{Packed, package, source},
    world::{calls, ours, seeded, tenant, tenant_with},
};

fn asset_field() -> (String, Vec<String>) {
    ("xip.document_type".to_owned(), vec!["IO".to_owned()])
}

#[tokio::test(start_paused = true)]
async fn preservica_finds_by_words_fields_and_their_absence_in_order() {
    let (simulator, client) =
        tenant_with(simulator::Settings::default(), Settings { page_size: 2, ..ours() });
    let all = client.search(&Search::default(), 100).await.unwrap();
    assert_eq!(all.len(), 6, "three folders and three assets");
    let by_title = Search {
        fields: vec![asset_field()],
        sort: Some(("xip.title".to_owned(), true)),
        show: vec!["xip.title".to_owned(), "xip.identifier".to_owned()],
        ..Search::default()
    };
    let found = client.search(&by_title, 100).await.unwrap();
    let titles: Vec<&str> = found.iter().filter_map(|one| one.fields["xip.title"].as_str()).collect();
    assert_eq!(titles, ["Spring launch", "Press photographs", "Annual report"]);
    let without = Search { fields: Vec::new(), without: vec![asset_field()], ..by_title.clone() };
    let folders = client.search(&without, 100).await.unwrap();
    assert!(folders.iter().all(|one| one.kind == EntityKind::Folder), "{folders:?}");
    let words = Search { text: "marketing spring".to_owned(), ..Search::default() };
    let found = client.search(&words, 100).await.unwrap();
    assert_eq!(found[0].reference, seeded(&simulator, "Spring launch"));
    assert_eq!(client.search(&Search::default(), 3).await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn preservica_search_is_behind_and_never_makes_us_ask_for_ever() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let spring = seeded(&simulator, "Spring launch");
    let mut entity = client.get_entity(EntityKind::Asset, &spring).await.unwrap();
    entity.title = "Quokka".to_owned();
    client.save_entity(&entity).await.unwrap();
    let quokka = Search { text: "quokka".to_owned(), ..Search::default() };
    assert!(client.search(&quokka, 9).await.unwrap().is_empty());
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(client.search(&quokka, 9).await.unwrap().len(), 1);
    // A server that claims more than it gives.
    let body = r#"{"success":true,"value":{"objectIds":[],"totalHits":99,"metadata":[]}}"#;
    let action =
        Action::Status { status: 200, body: Some(body.to_owned()), content_type: None, retry_after: None };
    simulator.faults().add(Rule::next(action).on("POST", "/content/search").times(50)).unwrap();
    let before = calls(&simulator, "/content/search");
    assert!(client.search(&quokka, 9).await.unwrap().is_empty());
    assert_eq!(calls(&simulator, "/content/search"), before + 1);
}

#[tokio::test(start_paused = true)]
async fn preservica_shows_by_the_name_of_a_package_what_became_of_it() {
    let (simulator, client) =
        tenant_with(simulator::Settings::default(), Settings { page_size: 1, ..ours() });
    let folder = seeded(&simulator, "Records");
    let wrong = Packed { sha1: Some("0".repeat(40)), ..Packed::new(2, b"two") };
    let packages: [(Bytes, &str, usize); 2] = [
        (package(&folder, &[Packed::new(1, b"one"), Packed::new(3, b"three")]), "Succeeded", 2),
        (package(&folder, &[wrong]), "Failed", 1),
    ];
    for (package, status, said) in packages {
        let mut ledger = UploadLedger::default();
        while !matches!(
            client.upload_step(&source(&package), Some(&folder), &mut ledger).await.unwrap(),
            UploadStep::Done(_)
        ) {}
        let running = client.monitors(ledger.key()).await.unwrap().remove(0);
        assert!(!running.is_over(), "{running:?}");
        tokio::time::sleep(Duration::from_secs(30)).await;
        let monitor = client.monitors(ledger.key()).await.unwrap().remove(0);
        assert_eq!((monitor.status.as_str(), monitor.is_over()), (status, true));
        let messages = client.messages(&monitor.id).await.unwrap();
        assert_eq!(messages.len(), said, "{messages:?}");
        let is_failed = status == "Failed";
        assert!(messages.iter().all(|message| (message.status == "Error") == is_failed));
        assert_eq!(
            messages.iter().filter(|message| message.entity.is_some()).count(),
            if is_failed { 0 } else { 2 }
        );
    }
}
