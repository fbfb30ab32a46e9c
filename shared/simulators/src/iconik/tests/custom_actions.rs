//! Custom actions and the calls they make.

use axum::body::Body;
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::call;
use super::segments::with_asset;
use crate::iconik::{Simulator, seed};

const ACTIONS: &str = "assets/v1/custom_actions/";

/// Makes an action for assets; its id.
pub(super) async fn action(simulator: &Simulator, more: Value) -> String {
    let mut body = json!({
        "title": "Send to sign-off", "url": "http://127.0.0.1:9/action", "context": "ASSET", "type": "POST",
        "app_id": seed::APP_ID, "headers": {"X-Secret": "of the test"},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, made) = call(simulator, "POST", &format!("{ACTIONS}ASSET/"), Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

/// Reads an asset with the token that came with a call.
async fn read_with(simulator: &Simulator, app_id: &str, token: &str, asset: &str) -> u16 {
    let request = Request::get(format!("/API/assets/v1/assets/{asset}/"))
        .header("App-ID", app_id)
        .header("Auth-Token", token)
        .body(Body::empty());
    simulator.router().oneshot(request.unwrap()).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn an_action_is_made_read_changed_and_deleted() {
    let (simulator, ..) = with_asset().await;
    let id = action(&simulator, json!({})).await;
    let own = format!("{ACTIONS}ASSET/{id}/");
    let (status, made) = call(&simulator, "GET", &own, None).await;
    assert_eq!(
        (status.as_u16(), &made["status"], &made["context"]),
        (200, &json!("HEALTHY"), &json!("ASSET"))
    );
    let (_, changed) =
        call(&simulator, "PATCH", &own, Some(json!({"title": "New", "status": "FAILING"}))).await;
    assert_eq!((&changed["title"], &changed["status"]), (&json!("New"), &json!("HEALTHY")));
    for (list, expected) in
        [(ACTIONS.to_owned(), 1), (format!("{ACTIONS}ASSET/"), 1), (format!("{ACTIONS}BULK/"), 0)]
    {
        let (_, listed) = call(&simulator, "GET", &list, None).await;
        assert_eq!(listed["objects"].as_array().unwrap().len(), expected, "{list}");
    }
    assert_eq!(call(&simulator, "GET", &format!("{ACTIONS}BULK/{id}/"), None).await.0, 404);
    assert_eq!(call(&simulator, "DELETE", &own, None).await.0, 204);
    assert_eq!(call(&simulator, "GET", &own, None).await.0, 404);
    let wrong = json!({"title": "x", "url": "http://127.0.0.1/", "context": "ROOM"});
    assert_eq!(call(&simulator, "POST", &format!("{ACTIONS}ROOM/"), Some(wrong)).await.0, 400);
    for wrong in [
        json!({"title": "x"}),
        json!({"title": "x", "url": "here"}),
        json!({"title": "x", "url": "http://a/", "type": "SEND"}),
    ] {
        assert_eq!(call(&simulator, "POST", &format!("{ACTIONS}ASSET/"), Some(wrong)).await.0, 400);
    }
}

#[tokio::test]
async fn a_press_posts_the_captured_body_with_a_token_that_acts_for_who_pressed() {
    let (simulator, asset, _) = with_asset().await;
    let id = action(&simulator, json!({})).await;
    let press = format!("{ACTIONS}ASSET/{id}/callback/");
    let values = json!({"Reason": {"field_values": [{"value": "final"}]}});
    let body = json!({"asset_ids": [asset], "metadata_values": values});
    let (status, reply) = call(&simulator, "POST", &press, Some(body)).await;
    assert_eq!((status.as_u16(), reply), (200, json!({"redirect_url": null})));
    let deliveries = simulator.with_state(|state| state.take_deliveries(9));
    let sent = deliveries[0].json();
    let mut keys: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "action_id",
        "asset_ids",
        "auth_token",
        "collection_ids",
        "context",
        "date_created",
        "metadata_values",
        "metadata_view_id",
        "saved_search_ids",
        "system_domain_id",
        "user_id",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        (&sent["user_id"], &sent["action_id"], &sent["context"]),
        (&json!(seed::SERVICE), &json!(id), &json!("ASSET"))
    );
    assert_eq!((&sent["asset_ids"], &sent["metadata_values"]), (&json!([asset]), &values));
    assert_eq!(sent["date_created"], "2031-05-06T07:08:09.000000", "without a zone");
    let token = sent["auth_token"].as_str().unwrap();
    assert_eq!(read_with(&simulator, seed::APP_ID, token, &asset).await, 200);
    assert_eq!(
        read_with(&simulator, seed::ADMIN, token, &asset).await,
        401,
        "only with the action's application"
    );
    let entry = simulator.journal().entries().pop();
    assert_eq!(entry.and_then(|entry| entry.user), None, "nobody");
    simulator.clock().advance(SignedDuration::from_secs(3600));
    assert_eq!(read_with(&simulator, seed::APP_ID, token, &asset).await, 401, "it has expired");
}

#[tokio::test]
async fn how_long_such_a_token_lives_is_a_switch() {
    let (simulator, asset, _) = with_asset().await;
    simulator.with_state(|state| state.settings.custom_actions.token_seconds = 10);
    let id = action(&simulator, json!({})).await;
    call(&simulator, "POST", &format!("{ACTIONS}ASSET/{id}/callback/"), Some(json!({"asset_ids": [asset]})))
        .await;
    let sent = simulator.with_state(|state| state.take_deliveries(9))[0].json();
    simulator.clock().advance(SignedDuration::from_secs(11));
    let token = sent["auth_token"].as_str().unwrap();
    assert_eq!(read_with(&simulator, seed::APP_ID, token, &asset).await, 401);
}

#[tokio::test]
async fn an_action_that_is_not_answered_fails_until_it_is() {
    let (simulator, asset, _) = with_asset().await;
    let id = action(&simulator, json!({})).await;
    let press = format!("{ACTIONS}ASSET/{id}/callback/");
    let own = format!("{ACTIONS}ASSET/{id}/");
    for (answer, status, error) in [
        (Err("connection refused".to_owned()), "FAILING", "connection refused"),
        (Ok(200), "HEALTHY", "connection refused"),
    ] {
        call(&simulator, "POST", &press, Some(json!({"asset_ids": [asset]}))).await;
        simulator.with_state(|state| {
            let deliveries = state.take_deliveries(9);
            state.delivered(&deliveries[0], answer);
        });
        let (_, now) = call(&simulator, "GET", &own, None).await;
        assert_eq!((&now["status"], &now["last_error"]), (&json!(status), &json!(error)));
        assert!(now["last_error_date"].is_string());
    }
}

#[tokio::test]
async fn an_action_that_opens_gives_its_address_and_a_disabled_one_nothing() {
    let (simulator, asset, _) = with_asset().await;
    let opens = action(&simulator, json!({"type": "OPEN"})).await;
    let body = json!({"asset_ids": [asset]});
    let (_, reply) =
        call(&simulator, "POST", &format!("{ACTIONS}ASSET/{opens}/callback/"), Some(body.clone())).await;
    assert_eq!(reply["redirect_url"], "http://127.0.0.1:9/action");
    let disabled = action(&simulator, json!({"disabled": true})).await;
    assert_eq!(
        call(&simulator, "POST", &format!("{ACTIONS}ASSET/{disabled}/callback/"), Some(body)).await.0,
        400
    );
    let unknown = json!({"asset_ids": ["0"]});
    assert_eq!(
        call(&simulator, "POST", &format!("{ACTIONS}ASSET/{opens}/callback/"), Some(unknown)).await.0,
        404
    );
    assert_eq!(simulator.with_state(|state| state.take_deliveries(9)).len(), 0);
}
