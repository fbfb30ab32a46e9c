//! The sweep of iconik: what its webhooks missed is found once, whatever the index, its pages and the clocks do.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;
use shared::iconik::{AssetId, NewApprovalRequest, ObjectRef, UserId};
use simulators::iconik::seed;
use tests::swept::{FLOWS, Setting, Swept};
use tokio::sync::Notify;
use watch::WATCH_ICONIK;

use crate::{DAY, run};

const FEEDS: &str = r#"
receiver = "https://waybill.example.com"

[[feed]]
name = "assets"
flows = ["archive-production", "sync-asset-metadata"]
existing = "remember"
"#;

async fn swept(setting: Setting) -> Swept {
    Swept::new(&WATCH_ICONIK, setting).await
}

#[test]
fn what_a_lost_webhook_missed_is_told_to_every_flow_once() {
    run(async {
        let world = swept(Setting::of(FEEDS)).await;
        assert!(world.round().await, "what was there before is only remembered");
        assert!(world.told().is_empty());
        world.pass(300).await;
        let asset = world.asset("missed").await;
        for _ in 0..5 {
            assert!(world.round().await);
            world.pass(300).await;
        }
        for flow in FLOWS {
            assert_eq!(world.times(flow, &asset), 1, "{flow}");
        }
        // It changes again: that is another change.
        world.rename(&asset, "missed again").await;
        world.rounds().await;
        assert_eq!(world.times(FLOWS[1], &asset), 2);
        // Nothing happens for days, and nothing is told.
        let before = world.told().len();
        for _ in 0..10 {
            world.pass(DAY / 2).await;
            assert!(world.round().await);
        }
        assert_eq!(world.told().len(), before);
        assert!(!world.repeats());
    });
}

#[test]
fn what_was_there_is_announced_when_the_file_says_so_and_a_flow_added_later_is_told_all_of_it() {
    run(async {
        let world = swept(Setting::of(
            &FEEDS.replace("remember", "announce").replace("\"archive-production\", ", ""),
        ))
        .await;
        world.rounds().await;
        let told = world.told().len();
        assert!(told > 10, "the seeded production: {told}");
        world.put_feeds(&FEEDS.replace("remember", "announce"));
        world.pass(DAY).await;
        world.rounds().await;
        let times = |flow: &str| world.told().iter().filter(|told| told.flow == flow).count();
        assert_eq!((times(FLOWS[0]), times(FLOWS[1])), (told, told));
        assert!(!world.repeats());
    });
}

#[test]
fn what_the_index_shows_late_is_found_by_the_overlap_and_what_it_shows_later_by_the_full_look() {
    for (lag, patience) in [(50 * 60, 3), (30 * 3600, 60)] {
        run(async {
            let mut setting = Setting::of(FEEDS);
            setting.iconik.index.lag_seconds = lag;
            let world = swept(setting).await;
            assert!(world.round().await);
            world.pass(300).await;
            let asset = world.asset("late").await;
            assert!(world.round().await);
            assert!(world.told().is_empty(), "the index does not have it yet");
            for _ in 0..patience {
                world.pass(3600).await;
                assert!(world.round().await);
            }
            for flow in FLOWS {
                assert_eq!(world.times(flow, &asset), 1, "{flow}, {lag} seconds late");
            }
            assert!(!world.repeats());
        });
    }
}

#[test]
fn clocks_that_are_apart_within_the_allowance_lose_nothing() {
    for ahead in [-110, 110] {
        run(async {
            let mut setting = Setting::of(&FEEDS.replace("existing", "overlap = \"10 seconds\"\nexisting"));
            setting.clock_ahead = ahead;
            let world = swept(setting).await;
            assert!(world.round().await);
            for number in 0..6 {
                let asset = world.asset(&format!("asset {number}")).await;
                world.pass(30).await;
                world.rounds().await;
                assert_eq!(world.times(FLOWS[0], &asset), 1, "{ahead} seconds ahead, asset {number}");
            }
            assert!(!world.repeats());
        });
    }
}

#[test]
fn edits_between_the_pages_of_a_search_move_nothing_out_of_sight() {
    run(async {
        let mut setting = Setting::of(FEEDS);
        setting.client = json!({"attempts": 1, "page_size": 10});
        let world = swept(setting).await;
        assert!(world.round().await);
        world.pass(300).await;
        let mut assets = Vec::new();
        for number in 0..35 {
            assets.push(world.asset(&format!("asset {number}")).await);
            world.pass(1).await;
        }
        // Before the second page of the window is asked for, assets that were read and that were not are edited.
        let (seen, edited) = (searches(&world), Arc::new(AtomicBool::new(false)));
        let calls = world.tap.calls().len();
        for call in calls..calls + 400 {
            let (iconik, edited, ids) =
                (world.iconik.clone(), edited.clone(), [assets[0].clone(), assets[34].clone()]);
            world.tap.before(call, move || {
                let now =
                    iconik.journal().entries().iter().filter(|entry| entry.path.contains("/search/")).count();
                if now == seen + 1 && !edited.swap(true, Ordering::Relaxed) {
                    iconik.with_state(|state| {
                        let now = state.time();
                        for id in &ids {
                            let asset = state.assets.get_mut(id).expect("an asset");
                            asset.insert("date_modified".to_owned(), now.clone());
                        }
                        state.index_all();
                    });
                }
            });
        }
        assert!(world.round().await);
        assert!(edited.load(Ordering::Relaxed) && searches(&world) >= seen + 4);
        for asset in &assets[1..34] {
            assert_eq!(world.times(FLOWS[0], asset), 1, "an asset was passed over");
        }
        world.pass(61).await;
        world.rounds().await;
        for asset in [&assets[0], &assets[34]] {
            let told = world.times(FLOWS[0], asset);
            assert!((1..=2).contains(&told), "as it was, as it is, or both: {told}");
        }
        let newest = world.told().into_iter().rfind(|told| told.change.object_id == assets[34]);
        assert!(newest.is_some());
        assert!(!world.repeats());
    });
}

fn searches(world: &Swept) -> usize {
    world.iconik.journal().entries().iter().filter(|entry| entry.path.contains("/search/")).count()
}

#[test]
fn an_approval_that_does_not_move_the_date_is_found_by_the_full_look() {
    run(async {
        let world = swept(Setting::of(FEEDS)).await;
        let asset = world.asset("under review").await;
        world.rounds().await;
        // The window leaves it behind.
        world.pass(2 * 3600).await;
        world.rounds().await;
        let before = world.told().len();
        let object = ObjectRef::Assets(AssetId::new(&asset));
        let request =
            NewApprovalRequest { users: vec![UserId::new(seed::REVIEWER)], ..NewApprovalRequest::default() };
        world.editor.request_approval(&object, &request).await.expect("asked");
        world.rounds().await;
        assert_eq!(world.told().len(), before, "no search by date finds it");
        world.pass(DAY).await;
        world.rounds().await;
        assert_eq!(world.times(FLOWS[0], &asset), 1);
        assert!(!world.repeats());
    });
}

#[test]
fn a_comment_is_told_as_its_asset_with_its_version_and_none_of_its_text() {
    run(async {
        let feeds = format!(
            "{FEEDS}\n[[feed]]\nname = \"comments\"\nflows = [\"sync-asset-metadata\"]\nobjects = [\"segments\"]\nquery = \"segment_type:COMMENT\"\nexisting = \"remember\"\n"
        );
        let world = swept(Setting::of(&feeds)).await;
        let asset = world.asset("commented").await;
        world.rounds().await;
        world.pass(300).await;
        let comment = world.iconik.with_state(|state| {
            let said = json!({"segment_type": "COMMENT", "segment_text": "zu laut \u{202e}gpj"});
            state.add_segment(seed::EDITOR, &asset, None, said.as_object().unwrap()).expect("a comment")
        });
        world.rounds().await;
        let told: Vec<_> =
            world.told().into_iter().filter(|told| told.source.ends_with("/comments")).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].change.object_type.as_str(), &told[0].change.object_id), ("assets", &asset));
        assert!(told[0].change.version_id.is_some() && told[0].change.realm.as_deref() == Some("segments"));
        assert!(!format!("{told:?}").contains("laut"));
        // Somebody changes it: the same comment, another report.
        world.pass(300).await;
        world.iconik.with_state(|state| {
            let said = json!({"segment_checked": true});
            state.edit_segment(seed::EDITOR, &asset, &comment, said.as_object().unwrap()).expect("an edit");
        });
        world.rounds().await;
        assert_eq!(world.told().iter().filter(|told| told.source.ends_with("/comments")).count(), 2);
        assert!(!world.repeats());
    });
}

#[test]
fn a_deletion_and_a_restoration_are_told_and_a_lagging_index_brings_nothing_back() {
    for lag in [0, 40 * 60] {
        run(async {
            let mut setting = Setting::of(FEEDS);
            setting.iconik.index.lag_seconds = lag;
            let world = swept(setting).await;
            let asset = world.asset("regretted").await;
            world.pass(3600).await;
            world.rounds().await;
            world.delete(&asset).await;
            for _ in 0..12 {
                world.pass(300).await;
                assert!(world.round().await);
            }
            let told = |world: &Swept| -> Vec<Option<String>> {
                let told = world.told().into_iter().filter(|told| told.flow == FLOWS[0]);
                told.filter(|told| told.change.object_id == asset).map(|told| told.change.operation).collect()
            };
            assert_eq!(told(&world), [Some("delete".to_owned())], "{lag} seconds of lag");
            world.editor.restore_asset(&AssetId::new(&asset)).await.expect("restored");
            for _ in 0..12 {
                world.pass(300).await;
                assert!(world.round().await);
            }
            assert_eq!(told(&world), [Some("delete".to_owned()), None], "{lag} seconds of lag");
            world.delete(&asset).await;
            world.rounds().await;
            assert_eq!(told(&world).len(), 3, "a second deletion is another change");
            assert!(!world.repeats());
        });
    }
}

#[test]
fn what_is_more_than_a_round_can_tell_is_told_by_the_next_ones() {
    run(async {
        let mut setting = Setting::of(FEEDS);
        setting.client = json!({"attempts": 1, "page_size": 4, "index_patience_seconds": 0});
        // A call a second: each round has time for two or three pages.
        setting.rate = 1.0;
        setting.time = 15;
        let world = swept(setting).await;
        for _ in 0..60 {
            world.round().await;
            world.pass(61).await;
        }
        for number in 0..60 {
            world.asset(&format!("asset {number}")).await;
            world.pass(2).await;
        }
        let mut rounds = 0;
        while world.told().len() < 120 {
            assert!(world.round().await);
            world.pass(61).await;
            rounds += 1;
            assert!(rounds < 60, "it does not get on: {}", world.told().len());
        }
        assert!(rounds > 1, "one round had time for everything");
        world.rounds().await;
        assert_eq!(world.told().len(), 120);
        assert!(!world.repeats());
    });
}

#[test]
fn a_flow_whose_queue_is_away_is_told_when_it_is_back_and_the_other_one_at_once() {
    run(async {
        let world = swept(Setting::of(FEEDS)).await;
        world.rounds().await;
        world.pass(300).await;
        world.remove_queue(FLOWS[1]).await;
        let asset = world.asset("told late").await;
        assert!(!world.round().await, "a flow could not be told");
        assert_eq!(world.times(FLOWS[0], &asset), 1);
        world.pass(120).await;
        world.create_queue(FLOWS[1]);
        world.rounds().await;
        assert_eq!((world.times(FLOWS[0], &asset), world.times(FLOWS[1], &asset)), (1, 1));
        assert!(!world.repeats());
    });
}

#[test]
fn a_feed_that_tells_a_flow_without_a_queue_keeps_it_from_starting() {
    run(async {
        let world = swept(Setting::of(&FEEDS.replace("archive-production", "somebody"))).await;
        let error = world.start(Arc::new(Notify::new())).await.err().expect("refused");
        assert_eq!(error.code(), "feeds.invalid");
        assert!(error.message().contains("`somebody` is no flow of Waybill"), "{}", error.message());
        let world = swept(Setting::of("[[feed]]\nname = \"a\"\nflows = []\n")).await;
        let error = world.start(Arc::new(Notify::new())).await.err().expect("refused");
        assert_eq!(error.code(), "feeds.invalid");
    });
}
