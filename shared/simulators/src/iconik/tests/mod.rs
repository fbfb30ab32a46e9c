//! The calls as a client sees them, in-process.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Settings, Simulator, seed};
use crate::Clock;

pub(super) fn simulator(settings: Settings) -> Simulator {
    Simulator::new(settings, Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap()))
}

/// One call by the service user.
pub(super) async fn call(
    simulator: &Simulator,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/API/{path}"))
        .header("App-ID", seed::APP_ID)
        .header("Auth-Token", seed::TOKEN);
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = simulator.router().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn an_asset_is_made_read_and_changed_with_and_without_the_last_slash() {
    let simulator = simulator(Settings::default());
    let (status, made) =
        call(&simulator, "POST", "assets/v1/assets", Some(json!({"title": "Trailer"}))).await;
    assert_eq!(status, 201);
    let id = made["id"].as_str().unwrap();
    let path = format!("assets/v1/assets/{id}/");
    let (status, changed) =
        call(&simulator, "PATCH", &path, Some(json!({"title": "Teaser", "id": "other"}))).await;
    assert_eq!((status.as_u16(), &changed["title"], &changed["id"]), (200, &json!("Teaser"), &json!(id)));
    let (status, listed) = call(&simulator, "GET", "assets/v1/assets/?page=2", None).await;
    assert_eq!(status, 404, "{listed}");
    assert_eq!(simulator.journal().unknown().len(), 0);
}

#[tokio::test]
async fn every_error_is_json_with_errors() {
    let simulator = simulator(Settings::default());
    let calls = [
        ("GET", "assets/v1/nothing/", None, 404),
        ("GET", "assets/v1/assets/0/", None, 404),
        ("POST", "assets/v1/assets/", Some(json!({})), 400),
        ("DELETE", "assets/v1/assets/", None, 405),
    ];
    for (method, path, body, expected) in calls {
        let (status, answer) = call(&simulator, method, path, body).await;
        assert_eq!(status, expected, "{method} {path}");
        assert!(answer["errors"].is_array(), "{answer}");
    }
}
