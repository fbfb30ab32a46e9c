//! Webhooks: whom they tell of what, and what becomes of them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::call;
use super::segments::with_asset;
use crate::iconik::settings::{Detail, Order};
use crate::iconik::state::{Delivery, Sender};
use crate::iconik::{Simulator, seed};

const WEBHOOKS: &str = "notifications/v1/webhooks/";

/// Makes a webhook for assets, with more of its own; its id.
async fn webhook(simulator: &Simulator, more: Value) -> String {
    let mut body = json!({
        "name": "Test", "url": "http://127.0.0.1:9/hook", "event_type": "assets", "status": "ENABLED",
        "headers": {"X-Secret": "of the test"},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, made) = call(simulator, "POST", WEBHOOKS, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn rename(simulator: &Simulator, asset: &str) {
    let title = json!({"title": "Teaser"});
    assert_eq!(call(simulator, "PATCH", &format!("assets/v1/assets/{asset}/"), Some(title)).await.0, 200);
}

fn taken(simulator: &Simulator) -> Vec<Delivery> {
    simulator.with_state(|state| state.take_deliveries(usize::MAX))
}

fn answer(simulator: &Simulator, deliveries: &[Delivery], status: u16) {
    simulator
        .with_state(|state| deliveries.iter().for_each(|delivery| state.delivered(delivery, Ok(status))));
}

async fn shown(simulator: &Simulator, id: &str) -> Value {
    call(simulator, "GET", &format!("{WEBHOOKS}{id}/"), None).await.1
}

#[tokio::test]
async fn a_webhook_is_made_read_replaced_and_deleted() {
    let (simulator, ..) = with_asset().await;
    let id = webhook(&simulator, json!({"realm": "metadata"})).await;
    let own = format!("{WEBHOOKS}{id}/");
    let (status, made) = call(&simulator, "GET", &own, None).await;
    assert_eq!(
        (status.as_u16(), &made["realm"], &made["operation"]),
        (200, &json!("metadata"), &Value::Null)
    );
    let patch = json!({"status": "DISABLED"});
    assert_eq!(call(&simulator, "PATCH", &own, Some(patch)).await.0, 405, "there is no PATCH");
    let mut whole = made.clone();
    whole["status"] = json!("DISABLED");
    let (status, changed) = call(&simulator, "PUT", &own, Some(whole)).await;
    assert_eq!((status.as_u16(), &changed["status"]), (200, &json!("DISABLED")));
    assert_eq!(call(&simulator, "GET", WEBHOOKS, None).await.1["objects"].as_array().unwrap().len(), 1);
    assert_eq!(call(&simulator, "DELETE", &own, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", WEBHOOKS, None).await.1["objects"].as_array().unwrap().len(), 0);
    assert_eq!(call(&simulator, "GET", &own, None).await.0, 404);
    for wrong in [
        json!({"url": "http://127.0.0.1/", "event_type": "assets"}),
        json!({"url": "nowhere", "event_type": "assets", "status": "ENABLED"}),
        json!({"url": "http://127.0.0.1/", "event_type": "assets", "status": "ON"}),
        json!({"url": "http://127.0.0.1/", "event_type": "assets", "status": "ENABLED", "query": "data.x ="}),
        json!({"url": "http://127.0.0.1/", "event_type": "assets", "status": "ENABLED", "headers": {"a": 1}}),
    ] {
        assert_eq!(call(&simulator, "POST", WEBHOOKS, Some(wrong)).await.0, 400);
    }
}

#[tokio::test]
async fn a_delivery_has_the_documented_body_and_the_configured_headers() {
    let (simulator, asset, _) = with_asset().await;
    webhook(&simulator, json!({})).await;
    rename(&simulator, &asset).await;
    let deliveries = taken(&simulator);
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    let body = deliveries[0].json();
    let mut keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "data",
        "event_type",
        "object_id",
        "operation",
        "realm",
        "request_id",
        "system_domain_id",
        "user_id",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&body["operation"], &body["realm"]), (&json!("update"), &json!("entity")));
    assert_eq!((&body["object_id"], &body["user_id"]), (&json!(asset), &json!(seed::SERVICE)));
    assert_eq!(body["data"]["title"], "Teaser");
    let request = body["request_id"].as_str().unwrap();
    assert!(request.len() == 32 && request.bytes().all(|byte| byte.is_ascii_hexdigit()), "{request}");
    let request = deliveries[0].request().unwrap();
    assert_eq!(request.headers()["x-secret"], "of the test");
    assert_eq!(request.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn filters_and_query_say_what_is_told() {
    let (simulator, asset, _) = with_asset().await;
    for (more, expected) in [
        (json!({}), 1),
        (json!({"event_type": "collections"}), 0),
        (json!({"realm": "entity", "operation": "update"}), 1),
        (json!({"realm": "metadata"}), 0),
        (json!({"operation": "delete"}), 0),
        (json!({"object_id": asset}), 1),
        (json!({"object_id": seed::ADMIN}), 0),
        (json!({"query": "data.title = \"Teaser\" data.is_online = false"}), 1),
        (json!({"query": "data.title = /^Trailer/ OR operation = \"delete\""}), 0),
    ] {
        let id = webhook(&simulator, more.clone()).await;
        rename(&simulator, &asset).await;
        assert_eq!(taken(&simulator).len(), expected, "{more}");
        call(&simulator, "DELETE", &format!("{WEBHOOKS}{id}/"), None).await;
    }
}

#[tokio::test]
async fn shares_are_told_with_the_share_as_object_and_the_asset_in_data() {
    let (simulator, asset, _) = with_asset().await;
    webhook(&simulator, json!({"realm": "shares"})).await;
    let body = json!({
        "emails": [], "allow_download": true, "allow_comments": true, "allow_approving_comments": false,
        "allow_setting_approve_status": false,
    });
    let (_, share) = call(&simulator, "POST", &format!("assets/v1/assets/{asset}/shares/"), Some(body)).await;
    let told = taken(&simulator)[0].json();
    assert_eq!((&told["object_id"], &told["data"]["object_id"]), (&share["id"], &json!(asset)));
    assert_eq!((&told["event_type"], &told["operation"]), (&json!("assets"), &json!("create")));
}

#[tokio::test]
async fn what_is_told_of_parts_is_a_switch() {
    let (simulator, asset, _) = with_asset().await;
    webhook(&simulator, json!({})).await;
    let segments = format!("assets/v1/assets/{asset}/segments/");
    let say = async || {
        call(&simulator, "POST", &segments, Some(json!({"segment_type": "COMMENT", "segment_text": "x"})))
            .await
            .1
    };
    let said = say().await;
    let told = taken(&simulator)[0].json();
    assert_eq!(
        (&told["realm"], &told["object_id"], &told["data"]["segment_text"]),
        (&json!("segments"), &said["id"], &json!("x"))
    );
    simulator.with_state(|state| {
        state.settings.webhooks.part_is_object = false;
        state.settings.webhooks.detail = Detail::Ids;
        state.settings.webhooks.segment_realm = Some("comments".to_owned());
        state.settings.webhooks.approval_realm = None;
    });
    let said = say().await;
    let told = taken(&simulator)[0].json();
    assert_eq!((&told["realm"], &told["object_id"]), (&json!("comments"), &json!(asset)));
    assert_eq!((&told["data"]["id"], &told["data"]["segment_text"]), (&said["id"], &Value::Null));
    call(&simulator, "POST", &format!("assets/v1/assets/{asset}/approvals/request/"), Some(json!({}))).await;
    assert_eq!(taken(&simulator).len(), 0, "approvals are not told of");
}

#[tokio::test]
async fn a_webhook_fails_is_disabled_after_five_hours_and_stays_silent_until_enabled() {
    let (simulator, asset, _) = with_asset().await;
    let id = webhook(&simulator, json!({})).await;
    rename(&simulator, &asset).await;
    let first = taken(&simulator);
    answer(&simulator, &first, 500);
    let failing = shown(&simulator, &id).await;
    assert_eq!((&failing["status"], &failing["last_error"]), (&json!("FAILING"), &json!("HTTP status 500")));
    assert_eq!(failing["last_payload"], first[0].body);
    assert_eq!(failing["first_failed_at"], "2031-05-06T07:08:09.000000+00:00");

    simulator.clock().advance(SignedDuration::from_mins(299));
    rename(&simulator, &asset).await;
    let second = taken(&simulator);
    assert_eq!(second.len(), 1, "one that fails still sends");
    answer(&simulator, &second, 204);
    let healed = shown(&simulator, &id).await;
    assert_eq!((&healed["status"], &healed["first_failed_at"]), (&json!("ENABLED"), &Value::Null));

    rename(&simulator, &asset).await;
    let third = taken(&simulator);
    simulator.with_state(|state| state.delivered(&third[0], Err("connection refused".to_owned())));
    rename(&simulator, &asset).await;
    simulator.clock().advance(SignedDuration::from_hours(5));
    assert_eq!(shown(&simulator, &id).await["status"], "DISABLED");
    assert_eq!(taken(&simulator).len(), 0, "what waited is not sent either");
    rename(&simulator, &asset).await;
    simulator.clock().advance(SignedDuration::from_hours(24));
    assert_eq!(taken(&simulator).len(), 0);

    let mut whole = shown(&simulator, &id).await;
    whole["status"] = json!("ENABLED");
    let (_, enabled) = call(&simulator, "PUT", &format!("{WEBHOOKS}{id}/"), Some(whole)).await;
    assert_eq!((&enabled["status"], &enabled["first_failed_at"]), (&json!("ENABLED"), &Value::Null));
    assert_eq!(taken(&simulator).len(), 0, "what happened meanwhile is lost");
    rename(&simulator, &asset).await;
    assert_eq!(taken(&simulator).len(), 1);
}

#[tokio::test]
async fn when_one_is_disabled_and_healed_are_switches() {
    let (simulator, asset, _) = with_asset().await;
    let id = webhook(&simulator, json!({})).await;
    simulator.with_state(|state| {
        state.settings.webhooks.disabled_by_clock = false;
        state.settings.webhooks.success_heals = false;
        state.settings.deliveries.any_2xx_succeeds = false;
    });
    rename(&simulator, &asset).await;
    answer(&simulator, &taken(&simulator), 204);
    assert_eq!(shown(&simulator, &id).await["status"], "FAILING", "204 is not 200");
    rename(&simulator, &asset).await;
    answer(&simulator, &taken(&simulator), 200);
    assert_eq!(shown(&simulator, &id).await["status"], "FAILING", "a success heals nothing");
    simulator.clock().advance(SignedDuration::from_hours(6));
    assert_eq!(shown(&simulator, &id).await["status"], "FAILING", "nothing was tried meanwhile");
    rename(&simulator, &asset).await;
    answer(&simulator, &taken(&simulator), 500);
    assert_eq!(shown(&simulator, &id).await["status"], "DISABLED");
}

#[tokio::test]
async fn deliveries_are_lost_doubled_delayed_and_reordered_by_switches() {
    let (simulator, asset, _) = with_asset().await;
    webhook(&simulator, json!({})).await;
    let numbers = |deliveries: &[Delivery]| deliveries.iter().map(|it| it.number).collect::<Vec<_>>();
    simulator.with_state(|state| {
        state.settings.deliveries.lose_every = 2;
        state.settings.deliveries.duplicate_every = 3;
        state.settings.deliveries.delay_every = 5;
        state.settings.deliveries.delay_seconds = 90;
    });
    for _ in 0..7 {
        rename(&simulator, &asset).await;
    }
    assert_eq!(numbers(&taken(&simulator)), [1, 3, 3, 7]);
    assert_eq!(simulator.with_state(|state| numbers(&state.notifications.lost)), [2, 4, 6]);
    simulator.clock().advance(SignedDuration::from_secs(90));
    assert_eq!(numbers(&taken(&simulator)), [5]);

    simulator.with_state(|state| {
        state.settings.deliveries.lose_every = 0;
        state.settings.deliveries.duplicate_every = 0;
        state.settings.deliveries.delay_every = 0;
        state.settings.deliveries.order = Order::Reversed;
    });
    for _ in 0..3 {
        rename(&simulator, &asset).await;
    }
    assert_eq!(numbers(&taken(&simulator)), [10, 9, 8]);
    simulator.with_state(|state| state.settings.deliveries.order = Order::Shuffled);
    for _ in 0..9 {
        rename(&simulator, &asset).await;
    }
    let mut shuffled = numbers(&taken(&simulator));
    assert!(!shuffled.is_sorted(), "{shuffled:?}");
    shuffled.sort_unstable();
    assert_eq!(shuffled, (11..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_delivery_is_tried_as_often_as_the_switch_says() {
    let (simulator, asset, _) = with_asset().await;
    let id = webhook(&simulator, json!({})).await;
    simulator.with_state(|state| {
        state.settings.deliveries.attempts = 2;
        state.settings.deliveries.retry_seconds = 10;
    });
    rename(&simulator, &asset).await;
    answer(&simulator, &taken(&simulator), 503);
    assert_eq!(taken(&simulator).len(), 0);
    simulator.clock().advance(SignedDuration::from_secs(10));
    let again = taken(&simulator);
    assert_eq!((again[0].number, again[0].attempt), (1, 2));
    assert_eq!(again[0].sender, Sender::Webhook(id));
    answer(&simulator, &again, 503);
    simulator.clock().advance(SignedDuration::from_secs(10));
    assert_eq!(taken(&simulator).len(), 0);
    assert_eq!(simulator.with_state(|state| state.notifications.tried.len()), 2);
}
