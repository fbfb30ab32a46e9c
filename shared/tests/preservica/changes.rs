//! What changed, and what was done.

use std::time::Duration;

use shared::preservica::{EntityKind, RepresentationKind, Settings};
use simulators::preservica::{self as simulator, seed};

use crate::world::{client_of, ours, seeded, tenant, tenant_with};

#[tokio::test(start_paused = true)]
async fn preservica_lists_what_changed_oldest_first_with_what_was_deleted() {
    let (simulator, client) =
        tenant_with(simulator::Settings::default(), Settings { page_size: 2, ..ours() });
    let manager = client_of(&simulator, ours(), seed::MANAGER);
    let (spring, report) = (seeded(&simulator, "Spring launch"), seeded(&simulator, "Annual report"));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let since = simulator.clock().now();
    client.add_identifier((EntityKind::Asset, &report), "Waybill", "1").await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let token = client.ask_removal((EntityKind::Asset, &spring), "gone").await.unwrap();
    manager.decide_removal(&token, true, "yes").await.unwrap();
    client.follow_progress(&token, Duration::from_secs(60)).await.unwrap();
    let changed = client.changed_since(since, None).all().await.unwrap();
    assert_eq!(changed[0].reference, report);
    let gone: Vec<_> = changed.iter().filter(|one| one.is_deleted).collect();
    // The asset and its two parts.
    assert_eq!(gone.len(), 3);
    assert!(gone.iter().all(|one| one.kind.is_none() && one.title.is_none()));
    assert!(gone.iter().any(|one| one.reference == spring));
    let until = client.changed_since(since, Some(since + Duration::from_secs(2))).all().await.unwrap();
    assert_eq!(until.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn preservica_misses_no_change_however_it_counts_the_first_moment_and_however_fine_its_times() {
    for (inclusive, resolution) in [(true, 1), (false, 1), (false, 1000), (true, 60_000)] {
        let mut settings = simulator::Settings::default();
        settings.changes.inclusive = inclusive;
        settings.changes.resolution_milliseconds = resolution;
        let (simulator, client) = tenant(settings);
        let report = seeded(&simulator, "Annual report");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let since = simulator.clock().now();
        client.add_identifier((EntityKind::Asset, &report), "Waybill", "1").await.unwrap();
        let changed = client.changed_since(since, None).all().await.unwrap();
        assert!(changed.iter().any(|one| one.reference == report), "{inclusive} {resolution}");
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_lists_what_was_only_read_as_well_and_its_event_says_so() {
    for touch in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.changes.reads_touch = touch;
        let (simulator, client) = tenant(settings);
        let spring = seeded(&simulator, "Spring launch");
        let file = client.files_of(&spring, &RepresentationKind::Access).await.unwrap().remove(0);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let since = simulator.clock().now();
        drop(client.download(&file).await.unwrap());
        let changed = client.changed_since(since, None).all().await.unwrap();
        assert_eq!(changed.len(), usize::from(touch));
        if let Some(part) = changed.first() {
            let events = client.events_of((EntityKind::ContentObject, &part.reference)).all().await.unwrap();
            assert!(events.last().unwrap().changes_nothing(), "{events:?}");
            assert!(!events.first().unwrap().changes_nothing());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn preservica_tells_events_of_all_and_what_each_did() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let all = client.events("", None, None).all().await.unwrap();
    let ingests = client.events("Ingest", None, None).all().await.unwrap();
    assert_eq!((ingests.len(), ingests.len() <= all.len()), (3, true));
    let spring = seeded(&simulator, "Spring launch");
    let first = client.events_of((EntityKind::Asset, &spring)).all().await.unwrap().remove(0);
    assert_eq!((first.kind.as_str(), first.command.as_deref()), ("Ingest", Some("command_create")));
    assert_eq!(first.user.as_deref(), Some(seed::OPERATOR));
    let actions = client.actions_of(first.id.as_ref().unwrap()).all().await.unwrap();
    assert_eq!(actions.len(), 3, "the asset and two parts");
    let later =
        client.events("", Some(simulator.clock().now() + Duration::from_secs(1)), None).all().await.unwrap();
    assert!(later.is_empty());
}
