//! The calls as a client sees them, in-process.

mod graphql;
mod rest;
mod schema;
mod storage;

use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Settings, Simulator, seed};
use crate::Clock;

/// A simulator whose clock stands still.
pub(super) fn simulator(settings: Settings) -> Simulator {
    Simulator::new(settings, Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap()))
}

pub(super) struct Answer {
    pub(super) status: http::StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) json: Value,
    pub(super) text: String,
}

pub(super) async fn perform(simulator: &Simulator, request: Request<Body>) -> Answer {
    let (parts, body) = simulator.router().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        json: serde_json::from_slice(&bytes).unwrap_or_default(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// One request to GraphQL, with the seeded key.
pub(super) async fn ask(simulator: &Simulator, text: &str, variables: Value) -> Value {
    let body = json!({"query": text, "variables": variables}).to_string();
    let request = Request::post("/graphql")
        .header("authorization", format!("Bearer {}", seed::GRAPHQL_KEY))
        .header("content-type", "application/json; charset=utf-8");
    let answer = perform(simulator, request.body(body.into()).unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

/// The ids of a list.
pub(super) fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
}
