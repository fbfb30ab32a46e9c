//! Assets, collections, relations, history, search: what is made is made once, what is found is read anew.

use jiff::SignedDuration;
use shared::{
    error::FailureClass,
    iconik::{
        Asset, AssetChange, AssetKind, AssetStatus, CollectionChange, CollectionContent, ContentFilter,
        HistoryOperation, NewAsset, NewCollection, NewVersion, ObjectRef, Search, Settings, Term,
    },
};
use simulators::{
    faults::{Action, Rule},
    iconik as simulator,
};

use crate::{ours, seeded, tenant, tenant_with};

fn link(external_id: &str) -> NewAsset {
    NewAsset {
        title: "Brief: \"Harbour\" (v2) & more".to_owned(),
        kind: AssetKind::Link,
        external_id: external_id.to_owned(),
        external_link: Some("https://ecm.example.com/nodes/42".to_owned()),
        category: None,
        collection: None,
    }
}

/// How many assets there are by an external id, whatever the index says.
fn made(simulator: &simulator::Simulator, external_id: &str) -> usize {
    simulator.with_state(|state| {
        let is_it =
            |asset: &&simulator::state::Object| asset.get("external_id").is_some_and(|id| id == external_id);
        state.assets.objects().filter(is_it).count()
    })
}

fn lagging(seconds: i64) -> simulator::Settings {
    let mut settings = simulator::Settings::default();
    settings.index.lag_seconds = seconds;
    settings
}

#[tokio::test(start_paused = true)]
async fn an_asset_is_made_read_changed_deleted_and_restored() {
    let (_, client) = tenant(simulator::Settings::default());
    let made = client.create_asset(&link("ecm-1")).await.unwrap();
    let change = AssetChange::new().title("Brief").blocked(true).warning(Some("Under embargo"));
    client.update_asset(&made.id, &change).await.unwrap();
    let read = client.get_asset(&made.id).await.unwrap();
    assert_eq!((read.title.as_str(), read.is_blocked), ("Brief", true));
    assert_eq!(read.external_link.as_deref(), Some("https://ecm.example.com/nodes/42"));
    assert!(read.created.is_some() && read.current_version().is_some());
    client.delete_asset(&made.id).await.unwrap();
    let deleted = client.find_asset(&made.id).await.unwrap();
    assert!(deleted.is_none_or(|asset| asset.status == AssetStatus::Deleted));
    client.restore_asset(&made.id).await.unwrap();
    assert_eq!(client.get_asset(&made.id).await.unwrap().status, AssetStatus::Active);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_after_an_asset_was_made_makes_no_second_one_however_far_the_index_is_behind()
{
    for lag in [0, 3, 12] {
        let (simulator, client) = tenant(lagging(lag));
        let lost = Rule::next(Action::DropAfterEffect).on("POST", "/assets/v1/assets/");
        simulator.faults().add(lost).unwrap();
        let found = client.ensure_asset(&link("ecm-2")).await.unwrap();
        let again = client.ensure_asset(&link("ecm-2")).await.unwrap();
        assert_eq!(found.id, again.id);
        assert_eq!(made(&simulator, "ecm-2"), 1, "{lag} seconds");
    }
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_behind_for_longer_than_our_patience_is_no_leave_to_double() {
    let (simulator, client) = tenant_with(lagging(60), Settings { index_patience_seconds: 5, ..ours() });
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/assets/v1/assets/")).unwrap();
    let error = client.ensure_asset(&link("ecm-3")).await.unwrap_err();
    assert_eq!((error.class(), made(&simulator, "ecm-3")), (FailureClass::UnknownOutcome, 1));
}

#[tokio::test(start_paused = true)]
async fn a_title_full_of_query_signs_is_found_and_only_it() {
    let (_, client) = tenant(simulator::Settings::default());
    let wanted = client.create_asset(&link("ecm-4")).await.unwrap();
    let search = Search::of(&["assets"]).term(Term::is("title", &wanted.title));
    let found = client.search::<Asset>(search).all().await.unwrap();
    assert!(found.iter().any(|asset| asset.id == wanted.id), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn every_page_of_assets_comes_once_whatever_the_last_one_says_of_the_next() {
    use simulator::settings::NextUrl;
    for says in [NextUrl::Null, NextUrl::Empty, NextUrl::Absent] {
        let settings = simulator::Settings { next_url: says, ..simulator::Settings::default() };
        let (simulator, client) = tenant_with(settings, Settings { page_size: 2, ..ours() });
        let active = simulator.with_state(|state| {
            state.assets.objects().filter(|asset| asset.get("status") == Some(&"ACTIVE".into())).count()
        });
        // A search finds what is in the recycle bin too.
        let active_ones = Search::of(&["assets"]).term(Term::is("status", "ACTIVE"));
        let listed = client.list_assets().all().await.unwrap();
        let searched = client.search::<Asset>(active_ones).all().await.unwrap();
        assert!(active > 4);
        assert_eq!((listed.len(), searched.len()), (active, active), "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_is_added_and_promoted() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let asset = seeded(&simulator, "Harbour at dawn");
    let before = client.get_asset(&asset).await.unwrap();
    let added = client.create_version(&asset, NewVersion::default()).await.unwrap();
    let after = client.get_asset(&asset).await.unwrap();
    assert_eq!(after.versions.len(), before.versions.len() + 1);
    assert_eq!(after.current_version().map(|version| &version.id), Some(&added.id));
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_made_once_and_its_contents_are_what_was_put_in() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let top = NewCollection { title: "Top".to_owned(), ..NewCollection::default() };
    let parent = client.create_collection(&top).await.unwrap();
    let new = NewCollection {
        title: "Campaign".to_owned(),
        parent: Some(parent.id.clone()),
        external_id: Some("case-7".to_owned()),
        category: None,
    };
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/collections/")).unwrap();
    let collection = client.ensure_collection(&new).await.unwrap();
    assert_eq!(client.ensure_collection(&new).await.unwrap().id, collection.id);
    let asset: ObjectRef = seeded(&simulator, "Harbour at dawn").into();
    for _ in 0..2 {
        client.add_to_collection(&collection.id, &asset).await.unwrap();
    }
    let contents = client.list_contents(&collection.id, &ContentFilter::default()).all().await.unwrap();
    assert!(matches!(&contents[..], [CollectionContent::Asset(found)] if found.id.as_str() == asset.id()));
    client.update_collection(&collection.id, &CollectionChange::new().title("Closed")).await.unwrap();
    assert_eq!(client.get_collection(&collection.id).await.unwrap().title, "Closed");
    client.remove_from_collection(&collection.id, &asset).await.unwrap();
    client.remove_from_collection(&collection.id, &asset).await.unwrap();
    assert!(client.list_contents(&collection.id, &ContentFilter::default()).all().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn assets_are_related_once_and_the_relation_is_taken_away() {
    let (simulator, client) = tenant(simulator::Settings::default());
    let (one, other) = (seeded(&simulator, "Harbour at dawn"), seeded(&simulator, "Ferry terminal opens"));
    for _ in 0..2 {
        client.ensure_relation(&one, "rights_document", &other, Some("release")).await.unwrap();
    }
    let related = client.list_related(&one, "rights_document").all().await.unwrap();
    assert_eq!(related.len(), 1);
    assert_eq!(related[0].asset.id, other);
    for _ in 0..2 {
        client.delete_relation(&one, "rights_document", &other).await.unwrap();
    }
    assert!(client.list_related(&one, "rights_document").all().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_the_history_whose_answer_was_lost_is_found_again() {
    let (simulator, client) = tenant(lagging(2));
    let asset = seeded(&simulator, "Harbour at dawn");
    simulator.faults().add(Rule::next(Action::DropAfterEffect).on("POST", "/history/")).unwrap();
    for _ in 0..2 {
        let (what, text) = (HistoryOperation::Custom, "Filed in Content Server as 4711");
        client.ensure_history_entry(&asset, &what, text, None).await.unwrap();
    }
    simulator.clock().advance(SignedDuration::from_secs(60));
    let entries = client.list_history(&asset).all().await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.description.contains("4711")).count(), 1);
}
