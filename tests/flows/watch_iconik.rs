//! What the webhooks of iconik missed is told to the flows, once; a webhook that does not tell is a figure for an alarm.

use serde_json::{Value, json};
use shared::iconik_change::IconikChange;
use simulators::iconik::{self, seed, state::Called};

use crate::world::{Usual, World};

const FEEDS: &str = r#"
receiver = "https://waybill.example.com"

[[feed]]
name = "assets"
flows = ["publish-finals", "sync-asset-metadata"]
existing = "remember"
"#;
const FLOWS: &[&str] = &["publish-finals", "sync-asset-metadata"];

async fn watched() -> World {
    World::with(Usual {
        rules: Some(|_| FEEDS.into()),
        tells: FLOWS,
        iconik: Some(iconik::Settings::default()),
        ..Usual::of("watch-iconik")
    })
    .await
}

fn figures(world: &World, name: &str) -> Vec<Value> {
    let records = world.function.log().records();
    records.iter().filter_map(|record| record.get(name).cloned()).collect()
}

#[tokio::test]
async fn the_schedule_finds_what_no_webhook_told_and_tells_every_flow_once() {
    let world = watched().await;
    assert!(world.round().await, "{}", world.told());
    let asset = world.iconik().with_state(|state| {
        let given = json!({"title": "Harbour Lights teaser"});
        state.create_asset(seed::EDITOR, given.as_object().expect("an object").clone()).expect("an asset")
    });
    for _ in 0..2 {
        assert!(world.round().await, "{}", world.told());
    }
    for flow in FLOWS {
        let bodies = world.bodies_of(flow).await;
        let told: Vec<IconikChange> =
            bodies.iter().map(|body| IconikChange::parse(body).expect("a change")).collect();
        assert_eq!(told.len(), 1, "what was there before is not told, and nothing twice: {told:?}");
        assert_eq!((told[0].object_type.as_str(), &told[0].object_id), ("assets", &asset));
        assert!(bodies.iter().all(|body| !body.contains("Harbour")), "a message is a hint");
    }
    assert!(figures(&world, "Found").iter().any(|found| found.as_u64() > Some(10)), "{}", world.told());
    assert_eq!(figures(&world, "Told").iter().filter_map(Value::as_u64).sum::<u64>(), 2);
    let lag = figures(&world, "Lag");
    assert!(lag.last().and_then(Value::as_u64).is_some_and(|seconds| seconds < 60), "{lag:?}");
}

#[tokio::test]
async fn a_webhook_that_is_switched_off_is_a_figure_and_stays_off() {
    let world = watched().await;
    assert!(world.round().await, "{}", world.told());
    assert_eq!(figures(&world, "WebhooksSilent").last(), Some(&1.into()), "there is none that leads here");
    let webhook = world.iconik().with_state(|state| {
        let given = json!({
            "name": "Waybill", "url": "https://waybill.example.com/webhooks", "event_type": "assets",
            "status": "ENABLED", "headers": {"x-waybill-secret": "kR3nVd8sQm1xZt7bLw5cYf2h"},
        });
        state.create_webhook(given.as_object().expect("an object")).expect("a webhook")
    });
    assert!(world.round().await, "{}", world.told());
    assert_eq!(figures(&world, "WebhooksSilent").last(), Some(&0.into()), "{}", world.told());
    world.iconik().with_state(|state| {
        let mut whole = state.webhook(&webhook).expect("a webhook").clone();
        whole.insert("status".to_owned(), "DISABLED".into());
        state.edit_webhook(&webhook, &whole).expect("switched off");
    });
    for _ in 0..2 {
        assert!(world.round().await, "it is an alarm, and no failed round: {}", world.told());
    }
    assert_eq!(figures(&world, "WebhooksSilent").last(), Some(&1.into()), "{}", world.told());
    let status =
        world.iconik().with_state(|state| state.webhook(&webhook).expect("a webhook")["status"].clone());
    assert_eq!(status, "DISABLED", "only a person switches it on");
    let log = world.function.log().text();
    assert!(log.contains(&webhook) && log.contains("DISABLED"), "the log names it: {log}");
    assert!(!log.contains("kR3nVd8sQm1xZt7bLw5cYf2h"), "and not its secret");
}

#[tokio::test]
async fn a_webhook_and_a_custom_action_that_fail_are_figures_of_their_own_and_no_failed_round() {
    let world = watched().await;
    let headers = json!({"x-waybill-secret": "kR3nVd8sQm1xZt7bLw5cYf2h"});
    let object = |value: &Value| value.as_object().expect("an object").clone();
    let (webhook, action, film) = world.iconik().with_state(|state| {
        let given = json!({
            "name": "Waybill", "url": "https://waybill.example.com/webhooks", "event_type": "assets",
            "status": "ENABLED", "headers": headers,
        });
        let webhook = state.create_webhook(&object(&given)).expect("a webhook");
        let given =
            json!({"title": "Publish", "url": "https://waybill.example.com/actions", "headers": headers});
        let action = state.create_custom_action("ASSET", &object(&given)).expect("an action");
        (webhook, action, state.titled("Harbour Lights 30s").expect("it is seeded"))
    });
    let last = |name: &str| figures(&world, name).last().and_then(Value::as_u64);
    assert!(world.round().await, "{}", world.told());
    assert_eq!((last("WebhooksSilent"), last("ActionsFailing")), (Some(0), Some(0)), "{}", world.told());
    // Nobody answers.
    let press = Called { asset_ids: vec![film], ..Called::default() };
    world.iconik().with_state(|state| {
        let given = json!({"title": "Harbour Lights teaser"});
        state.create_asset(seed::EDITOR, object(&given)).expect("an asset");
        state.call_custom_action(seed::EDITOR, &action, &press).expect("pressed");
        for delivery in state.take_deliveries(usize::MAX) {
            state.delivered(&delivery, Err("connection refused".to_owned()));
        }
        assert_eq!(state.webhook(&webhook).expect("a webhook")["status"], "FAILING");
        assert_eq!(state.custom_action("ASSET", &action).expect("an action")["status"], "FAILING");
    });
    assert!(world.round().await, "it is an alarm, and no failed round: {}", world.told());
    assert_eq!((last("WebhooksSilent"), last("ActionsFailing")), (Some(1), Some(1)), "{}", world.told());
    let log = world.function.log().text();
    for part in [webhook.as_str(), action.as_str(), "FAILING"] {
        assert!(log.contains(part), "the log names it, {part}: {log}");
    }
    assert!(!log.contains("kR3nVd8sQm1xZt7bLw5cYf2h"), "and not its secret");
    // Somebody answers again.
    world.iconik().with_state(|state| {
        state.call_custom_action(seed::EDITOR, &action, &press).expect("pressed");
        for delivery in state.take_deliveries(usize::MAX) {
            state.delivered(&delivery, Ok(202));
        }
    });
    assert!(world.round().await, "{}", world.told());
    assert_eq!(last("ActionsFailing"), Some(0), "{}", world.told());
}

/// The packaged feeds, and one flow of all that they name.
#[tokio::test]
async fn the_packaged_feeds_start_with_whatever_flow_is_deployed_and_say_which_are_not() {
    let world = World::with(Usual {
        rules: None,
        tells: &["file-rights"],
        iconik: Some(iconik::Settings::default()),
        ..Usual::of("watch-iconik")
    })
    .await;
    assert!(world.round().await, "{}", world.told());
    let log = world.function.log().text();
    assert!(
        log.contains("flows that are not deployed are told nothing") && log.contains("request-disposition"),
        "{log}"
    );
}

#[tokio::test]
async fn iconik_is_left_alone_while_it_is_away_and_found_again() {
    let mut world = watched().await;
    assert!(world.round().await, "{}", world.told());
    world.stop_iconik().await;
    let mut failed = 0;
    while !world.round().await {
        failed += 1;
        assert!(failed <= 6, "the breaker never opens; {}", world.told());
    }
    assert_eq!(figures(&world, "BreakerOpen").last(), Some(&1.into()), "{}", world.told());
}

#[tokio::test]
async fn a_feed_that_names_a_flow_without_a_queue_keeps_it_from_starting() {
    let world = World::with(Usual {
        rules: Some(|_| FEEDS.into()),
        tells: &["publish-finals"],
        iconik: Some(iconik::Settings::default()),
        ..Usual::of("watch-iconik")
    })
    .await;
    assert!(!world.round().await);
    let told = world.told();
    assert!(told.contains("feeds.invalid") && told.contains("[no-queue]"), "{told}");
}
