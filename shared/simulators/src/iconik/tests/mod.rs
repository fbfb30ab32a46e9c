//! The calls as a client sees them, in-process.

mod approvals;
mod assets;
mod automations;
mod bin;
mod collections;
mod credentials;
mod custom_actions;
mod downloads;
mod formats;
mod frame;
mod jobs;
mod lists;
mod looking;
mod media;
mod metadata;
mod reviews;
mod searching;
mod segments;
mod sending;
mod shares;
mod uploads;
mod webhooks;

use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Settings, Simulator, seed};
use crate::Clock;

/// A simulator whose clock stands still.
pub(super) fn simulator(settings: Settings) -> Simulator {
    Simulator::new(settings, Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap()))
}

/// One call by the service user.
pub(super) async fn call(
    simulator: &Simulator,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (http::StatusCode, Value) {
    let answer = send(simulator, seed::TOKEN, method, path, body).await;
    (answer.status, answer.json)
}

pub(super) struct Answer {
    pub(super) status: http::StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) json: Value,
}

/// One call with this token.
pub(super) async fn send(
    simulator: &Simulator,
    token: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/API/{path}"))
        .header("App-ID", seed::APP_ID)
        .header("Auth-Token", token);
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    perform(simulator, request.body(body).unwrap()).await
}

pub(super) async fn perform(simulator: &Simulator, request: Request<Body>) -> Answer {
    let (parts, body) = simulator.router().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        json: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

/// The id of an object of the seed.
pub(super) fn seeded(simulator: &Simulator, title: &str) -> String {
    simulator.with_state(|state| state.titled(title)).unwrap_or_else(|| panic!("there is no {title}"))
}

/// An asset, made by a call.
pub(super) async fn make_asset(simulator: &Simulator, title: &str) -> String {
    let (status, made) =
        call(simulator, "POST", "assets/v1/assets/", Some(serde_json::json!({ "title": title }))).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

/// Lets so many seconds pass.
pub(super) fn wait(simulator: &Simulator, seconds: i64) {
    simulator.clock().advance(jiff::SignedDuration::from_secs(seconds));
}
