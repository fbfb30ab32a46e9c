//! What iconik tells, and who hears of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    ASSET, COLLECTION, FLOWS, MOMENT, OURSELVES, PUBLISH, SHARE, action, contents, door, metadata, objects,
    outcome, press, run, share, webhook,
};

fn told(outcome: &str) -> (u16, String) {
    (if outcome == "told" { 202 } else { 200 }, outcome.to_owned())
}

#[test]
fn an_event_is_told_to_each_interested_flow_once_for_each_object_it_names() {
    run(async {
        let world = door().await;
        assert_eq!(outcome(&world.ask(webhook(&contents())).await), told("told"));
        let messages = world.told();
        let asset = format!("assets/{ASSET}");
        let collection = format!("collections/{COLLECTION}");
        assert_eq!(
            objects(&messages),
            [
                ("link-references", asset.clone()),
                ("link-references", collection.clone()),
                ("sync-asset-metadata", asset),
                ("sync-asset-metadata", collection),
            ]
        );
        for one in &messages {
            assert_eq!(one.change.realm.as_deref(), Some("contents"));
            assert_eq!(one.change.operation.as_deref(), Some("create"));
            assert_eq!(one.source, "waybill:receive-iconik/collections");
        }
        let ids: BTreeSet<&String> = messages.iter().map(|one| &one.id).collect();
        assert_eq!(ids.len(), 4, "every message has an id of its own");
    });
}

#[test]
fn everything_that_is_sent_twice_is_told_once() {
    run(async {
        let world = door().await;
        let deliveries = [
            webhook(&contents()),
            webhook(&share()),
            webhook(&metadata("2123456789abcdef0123456789abcdef")),
            action(&press(&[ASSET], MOMENT)),
        ];
        for delivery in &deliveries {
            assert_eq!(outcome(&world.ask(delivery.clone()).await), told("told"));
        }
        let first = world.told();
        for pause in [0, 3600] {
            world.pass(pause).await;
            for delivery in &deliveries {
                assert_eq!(outcome(&world.ask(delivery.clone()).await), told("repeated"));
            }
        }
        assert_eq!(world.told(), first);
        // After a day it is told again, and the flow finds that there is nothing left to do: the message has the same id.
        world.pass(24 * 3600).await;
        assert_eq!(outcome(&world.ask(deliveries[1].clone()).await), told("told"));
        let shares = world.told().into_iter().filter(|one| one.change.realm.as_deref() == Some("shares"));
        let ids: Vec<String> = shares.map(|one| one.id).collect();
        assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    });
}

#[test]
fn a_second_edit_and_a_second_press_are_told_again() {
    run(async {
        let world = door().await;
        for request in ["2123456789abcdef0123456789abcdef", "3123456789abcdef0123456789abcdef"] {
            assert_eq!(outcome(&world.ask(webhook(&metadata(request))).await), told("told"));
        }
        for moment in [MOMENT, "2022-04-29T00:22:10.316686"] {
            assert_eq!(outcome(&world.ask(action(&press(&[ASSET], moment))).await), told("told"));
        }
        assert_eq!(world.told().len(), 4);
        let ids: BTreeSet<String> = world.told().into_iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), 4);
    });
}

#[test]
fn an_event_that_nothing_tells_from_the_next_is_never_taken_for_a_repetition() {
    run(async {
        let world = door().await;
        let mut event = metadata("");
        event.as_object_mut().unwrap().remove("request_id");
        for _ in 0..2 {
            assert_eq!(outcome(&world.ask(webhook(&event)).await), told("told"));
        }
        assert_eq!(world.told().len(), 2, "an edit must not be lost because it looks like another");
    });
}

#[test]
fn of_a_share_the_asset_is_told_and_nothing_of_its_text() {
    run(async {
        let world = door().await;
        assert_eq!(outcome(&world.ask(webhook(&share())).await), told("told"));
        assert_eq!(objects(&world.told()), [("link-references", format!("assets/{ASSET}"))]);
        let kept = world.kept();
        for text in ["gpj", "\u{202e}", "Dich", SHARE] {
            assert!(!kept.contains(text), "{text}: {kept}");
        }
    });
}

#[test]
fn a_press_and_an_automation_ask_each_asset_s_flow_and_the_token_goes_nowhere() {
    run(async {
        let world = door().await;
        // What an automation sends after a review: one asset, in another context.
        let mut automated = press(&[ASSET], MOMENT);
        automated["context"] = "ASSET".into();
        let mut by_hand = press(&[ASSET, SHARE, ASSET], "2022-04-29T00:23:10");
        by_hand["collection_ids"] = json!([COLLECTION]);
        for body in [automated, by_hand] {
            assert_eq!(outcome(&world.ask(action(&body)).await), told("told"));
        }
        let messages = world.told();
        assert_eq!(messages.len(), 4, "the asset that was selected twice is told once: {messages:?}");
        assert!(messages.iter().all(|one| one.flow == "publish-finals"));
        assert!(messages.iter().all(|one| one.change.request.as_deref() == Some("publish")));
        assert!(messages.iter().all(|one| one.change.realm.is_none()));
        for part in crate::TOKEN.split('.') {
            assert!(!world.kept().contains(part));
        }
    });
}

#[test]
fn what_we_did_ourselves_is_acknowledged_and_told_to_nobody() {
    run(async {
        let world = door().await;
        let mut event = contents();
        event["user_id"] = OURSELVES.into();
        assert_eq!(outcome(&world.ask(webhook(&event)).await), told("echo"));
        assert!(world.told().is_empty());
        // An automation may run as our user; unless the file says so, that is no echo: an approval must not be lost.
        let mut automated = press(&[ASSET], MOMENT);
        automated["user_id"] = OURSELVES.into();
        assert_eq!(outcome(&world.ask(action(&automated)).await), told("told"));
        automated["action_id"] = "0a4c8ebe-c7b1-11ec-ce99-0a580a3d8cdd".into();
        assert_eq!(outcome(&world.ask(action(&automated)).await), told("echo"));
        assert_eq!(world.told().len(), 1);
    });
}

#[test]
fn what_nobody_knows_or_wants_is_acknowledged() {
    run(async {
        let world = door().await;
        let changed = |name: &str, value: Value| {
            let mut event = contents();
            event[name] = value;
            event
        };
        for (event, expected) in [
            (changed("realm", "approvals".into()), "unknown"),
            (changed("operation", "ignite".into()), "unknown"),
            (changed("event_type", "storages".into()), "unknown"),
            (changed("realm", "acls".into()), "unwanted"),
            (
                json!({"event_type": "assets", "realm": "metadata", "operation": "update",
                "system_domain_id": crate::TENANT}),
                "unknown",
            ),
            (
                json!({"event_type": "assets", "realm": "metadata", "operation": "update",
                "system_domain_id": crate::TENANT, "object_id": "\u{202e}x", "data": [1]}),
                "unknown",
            ),
        ] {
            assert_eq!(outcome(&world.ask(webhook(&event)).await), told(expected), "{event}");
        }
        let mut other = press(&[ASSET], MOMENT);
        other["action_id"] = SHARE.into();
        assert_ne!(SHARE, PUBLISH);
        assert_eq!(outcome(&world.ask(action(&other)).await), told("unknown"));
        assert!(world.told().is_empty());
    });
}

#[test]
fn a_queue_that_is_away_keeps_nothing_from_the_other_flow_and_the_next_attempt_reaches_both() {
    run(async {
        let world = door().await;
        let sdk = shared::aws::connect_to(
            &tests::in_process::transport(world.aws.router()),
            &world.context,
            "http://aws.test",
            "test",
        );
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let url = sqs.get_queue_url().queue_name(FLOWS[2]).send().await.unwrap().queue_url.unwrap();
        sqs.delete_queue().queue_url(&url).send().await.unwrap();
        let refused = world.ask(webhook(&contents())).await;
        assert_eq!(crate::problem(&refused), (503, "receive.not-now".into()));
        assert!(refused.headers().contains_key("retry-after"));
        assert_eq!(world.told().len(), 2, "the flow whose queue is there has its messages");
        world.pass(120).await;
        sqs.create_queue().queue_name(FLOWS[2]).send().await.unwrap();
        assert_eq!(outcome(&world.ask(webhook(&contents())).await), told("told"));
        let ids: BTreeSet<String> = world.told().into_iter().map(|one| one.id).collect();
        assert_eq!((world.told().len(), ids.len()), (6, 4), "what came twice has the same id");
    });
}
