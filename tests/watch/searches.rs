//! Feeds that search.

use tests::watched::{FLOWS, FOLDER, Setting, Watched};

use crate::{DAY, FEEDS, run, watched};

fn changed(nodes: &[i64]) -> Vec<(i64, String)> {
    let mut told: Vec<_> = nodes.iter().map(|node| (*node, "changed".to_owned())).collect();
    told.sort();
    told
}

fn documents(world: &Watched, count: usize) -> Vec<i64> {
    (0..count).map(|number| world.document(FOLDER, &format!("watched {number:03}.txt"))).collect()
}

#[test]
fn what_is_there_is_told_once_and_then_only_what_changes() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        let papers = documents(&world, 3);
        world.document(FOLDER, "not ours.txt");
        world.rounds().await;
        for flow in FLOWS {
            assert_eq!(world.told_to(flow), changed(&papers), "{flow}");
        }
        world.pass(1200).await;
        world.version(papers[0]);
        world.describe(papers[1], "another description");
        let new = world.document(FOLDER, "watched new.txt");
        world.rounds().await;
        for flow in FLOWS {
            let expected = [papers.as_slice(), &[papers[0], papers[1], new]].concat();
            assert_eq!(world.told_to(flow), changed(&expected), "{flow}");
        }
        assert!(!world.repeats());
    });
}

#[test]
fn a_value_that_goes_there_and_back_is_two_changes() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        let paper = documents(&world, 1)[0];
        world.set(paper, "2", "draft");
        world.rounds().await;
        for value in ["approved", "draft"] {
            world.pass(DAY).await;
            world.set(paper, "2", value);
            world.rounds().await;
        }
        assert_eq!(world.told_to(FLOWS[0]), changed(&[paper, paper, paper]));
        assert!(!world.repeats(), "the third state equals the first and is still a change of its own");
    });
}

#[test]
fn only_what_changes_is_told_when_the_feed_is_to_remember_what_is_there() {
    run(async {
        let feeds =
            format!("{FEEDS}existing = \"remember\"\n").replace("watch = [{ category = 4104 }]\n", "");
        let world = watched(Setting::of(&feeds)).await;
        let papers = documents(&world, 2);
        world.rounds().await;
        assert!(world.told().is_empty());
        world.version(papers[1]);
        world.rounds().await;
        assert_eq!(world.told_to(FLOWS[0]), changed(&papers[1..]));
    });
}

#[test]
fn an_index_that_lags_less_than_the_overlap_loses_nothing_and_repeats_nothing() {
    run(async {
        let mut setting = Setting::of(FEEDS);
        setting.content_server.search_lag_seconds = 600;
        let world = watched(setting).await;
        let mut papers = documents(&world, 2);
        world.pass(700).await;
        world.rounds().await;
        // Of two documents the later one may be known long before the earlier one is found.
        for number in 0..20 {
            papers.push(world.document(FOLDER, &format!("watched later {number}.txt")));
            world.round().await;
            world.pass(97).await;
        }
        for _ in 0..12 {
            assert!(world.round().await);
            world.pass(97).await;
        }
        assert_eq!(world.told_to(FLOWS[0]), changed(&papers));
        assert!(!world.repeats());
    });
}

#[test]
fn what_the_index_shows_after_the_overlap_is_found_by_the_full_look() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        let mut papers = documents(&world, 2);
        world.rounds().await;
        world.pass(7200).await;
        papers.push(world.document(FOLDER, "watched quick.txt"));
        world.rounds().await;
        // It shows in the index now, with a date of two hours ago.
        let late = world.document(FOLDER, "watched late.txt");
        world.content_server.with_state(|state| {
            let node = state.nodes.get_mut(&late).expect("a node");
            node.modified -= jiff::SignedDuration::from_hours(2);
        });
        world.rounds().await;
        assert_eq!(world.told_to(FLOWS[0]), changed(&papers), "it is before the window");
        world.pass(DAY).await;
        world.rounds().await;
        papers.push(late);
        assert_eq!(world.told_to(FLOWS[0]), changed(&papers));
        assert!(!world.repeats());
    });
}

#[test]
fn pages_that_overlap_skip_repeat_or_come_in_no_order_lose_nothing() {
    for fault in 0..5 {
        run(async {
            let mut setting = Setting::of(FEEDS);
            setting.client = serde_json::json!({ "page_size": 3 });
            match fault {
                0 => {}
                1 => setting.content_server.search_repeats_past_end = true,
                2 => setting.content_server.search_pages_overlap = true,
                3 => setting.content_server.search_pages_skip = true,
                _ => setting.content_server.search_ignores_sort = true,
            }
            let world = watched(setting).await;
            let papers = documents(&world, 17);
            world.rounds().await;
            assert_eq!(world.told_to(FLOWS[0]), changed(&papers), "fault {fault}");
            world.pass(600).await;
            let twice: Vec<i64> = papers.iter().copied().step_by(2).collect();
            twice.iter().for_each(|paper| world.version(*paper));
            world.rounds().await;
            world.pass(DAY).await;
            world.rounds().await;
            let all = [papers.as_slice(), &twice].concat();
            assert_eq!(world.told_to(FLOWS[0]), changed(&all), "fault {fault}");
            assert!(!world.repeats(), "fault {fault}");
        });
    }
}

#[test]
fn clocks_that_differ_lose_nothing_and_repeat_nothing() {
    for (clock_ahead, dates_off) in [(3600, 0), (-3600, 0), (0, 100), (0, -100), (7200, -100)] {
        run(async {
            let mut setting = Setting::of(FEEDS);
            setting.clock_ahead = clock_ahead;
            setting.content_server.search_dates_off_seconds = dates_off;
            setting.content_server.search_lag_seconds = 300;
            let world = watched(setting).await;
            let mut papers = documents(&world, 2);
            world.pass(301).await;
            world.rounds().await;
            for number in 0..12 {
                papers.push(world.document(FOLDER, &format!("watched later {number}.txt")));
                assert!(world.round().await);
                world.pass(211).await;
            }
            for _ in 0..8 {
                assert!(world.round().await);
                world.pass(211).await;
            }
            let case = format!("{clock_ahead} {dates_off}");
            assert_eq!(world.told_to(FLOWS[0]), changed(&papers), "{case}");
            assert!(!world.repeats(), "{case}");
        });
    }
}

#[test]
fn a_full_look_takes_as_many_rounds_as_it_needs_while_documents_change_under_it() {
    run(async {
        let mut setting = Setting::of(FEEDS);
        setting.client = serde_json::json!({ "page_size": 2 });
        setting.content_server.latency_milliseconds = 900;
        setting.time = 12;
        let world = watched(setting).await;
        let papers = documents(&world, 30);
        let mut rounds = 0;
        while world.told_to(FLOWS[0]).len() < 30 && rounds < 200 {
            world.round().await;
            world.pass(61).await;
            rounds += 1;
            world.describe(papers[rounds % 5], &format!("change {rounds}"));
        }
        assert!(rounds > 2, "it did not fit one round");
        for _ in 0..60 {
            world.round().await;
            world.pass(61).await;
        }
        let told = world.told_to(FLOWS[0]);
        for paper in &papers {
            assert!(told.contains(&(*paper, "changed".to_owned())), "{paper}");
        }
        // What is told last of each document is how it is now.
        let newest = world.content_server.with_state(|state| state.nodes[&papers[1]].modified);
        let bodies = world.aws.sqs().messages(FLOWS[0]);
        let changes = bodies.iter().map(|held| shared::node_change::NodeChange::parse(&held.body).unwrap());
        let last =
            changes.filter(|change| change.node == papers[1]).filter_map(|change| change.modified).max();
        assert_eq!(last.map(|last| last.as_second()), Some(newest.as_second()));
        assert!(!world.repeats());
    });
}

#[test]
fn a_document_that_is_deleted_and_comes_back_is_told_each_time() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        let papers = documents(&world, 3);
        world.rounds().await;
        world.delete(papers[1]);
        world.rounds().await;
        assert_eq!(world.told_to(FLOWS[0]).len(), 3, "a search does not show what is gone");
        world.pass(DAY).await;
        world.rounds().await;
        let mut expected = changed(&papers);
        expected.push((papers[1], "removed".to_owned()));
        expected.sort();
        assert_eq!(world.told_to(FLOWS[0]), expected);
        world.pass(DAY).await;
        world.rounds().await;
        assert_eq!(world.told_to(FLOWS[0]), expected, "it is told once that it is gone");
        world
            .content_server
            .with_state(|state| state.restore(simulators::content_server::state::ADMIN, papers[1]))
            .expect("restored");
        world.pass(DAY).await;
        world.rounds().await;
        expected.push((papers[1], "changed".to_owned()));
        expected.sort();
        assert_eq!(world.told_to(FLOWS[0]), expected);
        assert!(!world.repeats());
    });
}

#[test]
fn a_service_user_that_loses_its_rights_is_no_great_deletion() {
    run(async {
        let feeds = format!("{FEEDS}most_removed = 2\n").replace("watch = [{ category = 4104 }]\n", "");
        let world = watched(Setting::of(&feeds)).await;
        let papers = documents(&world, 5);
        world.rounds().await;
        let rights = world.content_server.with_state(|state| {
            let hidden = papers.iter().map(|paper| {
                let node = state.nodes.get_mut(paper).expect("a node");
                (*paper, std::mem::take(&mut node.permissions))
            });
            hidden.collect::<Vec<_>>()
        });
        world.pass(DAY).await;
        assert!(!world.round().await, "somebody has to look");
        assert_eq!(world.told_to(FLOWS[0]), changed(&papers));
        world.content_server.with_state(|state| {
            for (paper, permissions) in rights {
                state.nodes.get_mut(&paper).expect("a node").permissions = permissions;
            }
        });
        world.pass(61).await;
        world.rounds().await;
        assert_eq!(world.told_to(FLOWS[0]), changed(&papers));
    });
}

#[test]
fn a_flow_whose_queue_is_away_is_told_later_and_keeps_nothing_from_the_others() {
    run(async {
        let world = watched(Setting::of(FEEDS)).await;
        let papers = documents(&world, 2);
        world.rounds().await;
        let url = world.sqs().get_queue_url().queue_name(FLOWS[1]).send().await.unwrap().queue_url.unwrap();
        world.sqs().delete_queue().queue_url(&url).send().await.expect("deleted");
        world.pass(600).await;
        world.version(papers[0]);
        assert!(!world.round().await);
        assert_eq!(world.told_to(FLOWS[0]), changed(&[papers[0], papers[0], papers[1]]));
        world.pass(61).await;
        world.sqs().create_queue().queue_name(FLOWS[1]).send().await.expect("a queue");
        world.rounds().await;
        assert_eq!(world.told_to(FLOWS[1]), changed(&papers[..1]), "the second change; the queue was new");
        assert_eq!(world.told_to(FLOWS[0]), changed(&[papers[0], papers[0], papers[1]]));
        assert!(!world.repeats());
    });
}

#[test]
fn a_feed_that_cannot_be_meant_is_a_refused_start() {
    run(async {
        let refused = async |feeds: &str| {
            let world = watched(Setting::of(feeds)).await;
            let started = world.start(std::sync::Arc::default()).await;
            started.err().map(|error| (error.code(), error.message().to_owned())).unwrap_or_default()
        };
        let (code, message) = refused("[[feed]]\nname = \"x\"\nflow = [\"a\"]\n").await;
        assert_eq!(code, "feeds.invalid");
        assert!(
            message.contains(":3:") && message.contains("did you mean") || message.contains("flows"),
            "{message}"
        );
        let (code, message) = refused(&FEEDS.replace("publish-approved", "replicate-content")).await;
        assert_eq!(code, "feeds.invalid");
        assert!(message.contains(":4:9: the flow `replicate-content` has no queue"), "{message}");
    });
}
#[test]
fn a_query_that_content_server_rejects_is_told_and_moves_nothing() {
    run(async {
        let feeds = FEEDS.replace("OTName:\"watched*\"", "OTName:");
        let world = watched(Setting::of(&feeds)).await;
        documents(&world, 1);
        let function = world.start(std::sync::Arc::default()).await.expect("it starts");
        let deadline = world.context.now_milliseconds() + 60_000;
        let error = function.round(shared::batch::Invocation { deadline }).await.unwrap_err();
        assert_eq!(error.class(), shared::error::FailureClass::Forbidden, "{error:?}");
        assert!(world.told().is_empty());
    });
}
