//! Reading, lists, searches, changes.

use std::time::Duration;

use shared::{
    error::FailureClass,
    otmm::{
        AnyOf, AssetId, Condition, ContentLoad, Load, MetadataChange, OperatorId, Search, Settings, TableId,
    },
};
use simulators::otmm::{
    self as simulator, seed,
    settings::{Contains, InvalidConditions},
};

use crate::world::{BEGINNING, asset, calls, field, ours, seeded, site, site_with};

#[tokio::test(start_paused = true)]
async fn what_is_not_asked_for_is_not_there_and_that_is_not_the_same_as_empty() {
    let (simulator, client) = site(simulator::Settings::default());
    let spot = seeded(&simulator, "spring-spot.mov");
    let state = client.get_asset(&spot, Load::State).await.unwrap();
    assert!(
        state.metadata.is_none()
            && state.policies.is_none()
            && state.paths.is_none()
            && state.links.is_none()
    );
    for load in [Load::Metadata, Load::InheritedMetadata, Load::System, Load::Full] {
        client.get_asset(&spot, load).await.unwrap();
    }
    let whole = client.get_asset(&spot, Load::Chosen(ContentLoad::ARCHIVE)).await.unwrap();
    assert_eq!(whole.paths.unwrap()[0].last().map(String::as_str), Some("Spring 2030"));
    assert!(whole.metadata.is_some() && whole.links.is_some() && whole.master.is_some());
    assert!(!whole.policies.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_nothing_whatever_the_status() {
    for status in [404, 500] {
        let settings = simulator::Settings { not_found_status: status, ..simulator::Settings::default() };
        let (_, client) = site(settings);
        assert_eq!(client.find_asset(&AssetId::new("no-such"), Load::State).await.unwrap(), None, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn searches_page_to_the_end_and_conditions_join_as_they_were_meant() {
    let (simulator, client) = site_with(simulator::Settings::default(), Settings { page_size: 2, ..ours() });
    let all = client.search(Search::new().with_deleted()).all().await.unwrap();
    let kept = client.search(Search::new()).all().await.unwrap();
    assert!(kept.len() < all.len() && all.len() > 8, "{} of {}", kept.len(), all.len());
    let status = |text: &str| Condition::contains(&field(seed::STATUS), text);
    let either = Search::new()
        .and(client.is_latest())
        .and(AnyOf(vec![status("approved"), status("draft")]))
        .and(Condition::contains(&field(seed::NAME), "spring"));
    let mut names: Vec<String> =
        client.search(either).all().await.unwrap().into_iter().map(|asset| asset.name).collect();
    names.sort();
    assert_eq!(names, ["spring-brief.pdf", "spring-poster.tif", "spring-spot.mov"]);
    let table =
        Condition::contains(&field(seed::EVENT_TYPE), "approved").in_table(&TableId::new(seed::EVENTS));
    let found = client.search(Search::new().and(table)).all().await.unwrap();
    assert_eq!(found.iter().map(|asset| asset.name.as_str()).collect::<Vec<_>>(), ["spring-spot.mov"]);
    let folder = seeded(&simulator, "Products");
    assert_eq!(client.search(Search::new().in_folder(&folder)).all().await.unwrap().len(), 3);
    let uses = Condition::number_is(&field(seed::USES), 3);
    assert_eq!(client.search(Search::new().and(uses)).all().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_the_site_does_not_know_stops_everything_in_each_way_it_may_be_told() {
    let wrong = || Search::new().and(Condition::contains(&field("CUSTOM.FIELD.NO SUCH"), "x"));
    for (invalid, code) in [
        (InvalidConditions::LeftOut, "otmm.invalid-conditions"),
        (InvalidConditions::NothingFound, "otmm.invalid-conditions"),
        (InvalidConditions::Refused, "otmm.refused"),
    ] {
        let mut settings = simulator::Settings::default();
        settings.search.invalid = invalid;
        let (_, client) = site(settings);
        let error = client.search(wrong()).all().await.unwrap_err();
        assert_eq!(error.code(), code, "{invalid:?}");
        assert!(matches!(error.class(), FailureClass::Forbidden | FailureClass::Invalid));
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_is_ignored_without_a_word_is_found_out_before_changes_are_believed() {
    let mut settings = simulator::Settings::default();
    settings.search.invalid = InvalidConditions::LeftOutSilently;
    let mut ours = ours();
    ours.ids.operators.date_from = OperatorId::new("ARTESIA.OPERATOR.DATE.NO SUCH");
    let (_, client) = site_with(settings, ours);
    let error = client.changed_since(BEGINNING.parse().unwrap(), Search::new()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.conditions-ignored"));
}

#[tokio::test(start_paused = true)]
async fn contains_finds_more_than_what_is_equal_and_only_what_is_equal_is_given() {
    for contains in [Contains::Substring, Contains::Words] {
        let mut settings = simulator::Settings::default();
        settings.search.contains = contains;
        let (simulator, client) = site(settings);
        for (name, text) in [("spring-spot.mov", "arc 1"), ("spring-brief.pdf", "arc 1 b")] {
            let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), text);
            client.update_metadata(&seeded(&simulator, name), &change, None).await.unwrap();
        }
        let found = client.find_made(&field(seed::ARCHIVE_ID), "arc 1").await.unwrap();
        let names: Vec<&str> = found.iter().map(|asset| asset.name.as_str()).collect();
        assert_eq!(names, ["spring-spot.mov"], "{contains:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_ends_before_it_said_it_would_is_no_list() {
    let mut settings = simulator::Settings::default();
    settings.search.deepest = Some(4);
    let (_, client) = site_with(settings, Settings { page_size: 2, ..ours() });
    let error = client.search(Search::new()).all().await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Transient, "otmm.list-ended-early"));
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_shorter_than_asked_lose_nothing() {
    let mut settings = simulator::Settings::default();
    (settings.search.most, settings.lists.most) = (2, 2);
    let (simulator, client) = site(settings);
    let whole = client.search(Search::new().with_deleted()).all().await.unwrap().len();
    assert_eq!(Some(whole as u64), {
        let mut found = client.search(Search::new().with_deleted());
        found.next_page().await.unwrap();
        found.total()
    });
    let spring = seeded(&simulator, "Spring 2030");
    assert_eq!(
        client.children_of(&spring, Load::State).all().await.unwrap().len(),
        3,
        "without what is deleted"
    );
}

#[tokio::test(start_paused = true)]
async fn changes_are_found_once_with_an_overlap_by_condition_and_by_order() {
    for by_condition in [true, false] {
        for lag in [0, 3, 90] {
            let mut settings = simulator::Settings::default();
            settings.search.lag_seconds = lag;
            let mut ours = ours();
            if !by_condition {
                ours.ids.operators.date_from = OperatorId::default();
            }
            let (simulator, client) = site_with(settings, ours);
            tokio::time::sleep(Duration::from_secs(600)).await;
            let begun = client.changed_since(BEGINNING.parse().unwrap(), Search::new()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(600)).await;
            let spot = asset(&simulator, &client, "spring-spot.mov").await;
            let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
            client.update_metadata(&spot.id, &change, None).await.unwrap();
            // Looked for at once, and again when the index has it: the second look finds what the first could not.
            let mut since = begun.until;
            let mut found = Vec::new();
            for _ in 0..3 {
                let changes =
                    client.changed_since(since, Search::new().and(client.is_latest())).await.unwrap();
                since = changes.until;
                found.extend(changes.assets);
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            let of_spot = found.iter().any(|asset| asset.id == spot.id && asset.updated > spot.updated);
            assert!(of_spot, "lag {lag}, by condition {by_condition}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lists_of_one_written_as_that_one_read_the_same() {
    let mut settings = simulator::Settings::default();
    settings.wire.single_as_object = true;
    let (simulator, client) = site(settings);
    let spot = asset(&simulator, &client, "spring-spot.mov").await;
    assert_eq!(spot.paths.unwrap().len(), 1);
    let metadata = spot.metadata.unwrap();
    assert_eq!(metadata.table(&TableId::new(seed::EVENTS)).unwrap().rows(), Some(1));
    let search = Search::new().and(Condition::contains(&field(seed::NAME), "spring-spot"));
    assert_eq!(client.search(search).all().await.unwrap().len(), 1);
    assert_eq!(calls(&simulator, "POST", "/search/text"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_latest_version_is_found_by_what_all_versions_share() {
    let (simulator, client) = site(simulator::Settings::default());
    let poster = asset(&simulator, &client, "spring-poster.tif").await;
    let latest = client.latest_version(&poster.original_id, Load::State).await.unwrap().unwrap();
    assert_eq!((latest.version, latest.is_latest), (2, Some(true)));
}
