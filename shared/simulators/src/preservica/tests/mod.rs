//! The calls as a client sees them, in-process.

mod containers;
mod deliveries;
mod door;
mod exports;
mod ingest;
mod links_and_previews;
mod protocol;
mod switches;

use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt as _;

use super::xml::Element;
use super::{Settings, Simulator, seed};
use crate::Clock;

/// A simulator whose clock stands still.
pub(super) fn simulator(settings: Settings) -> Simulator {
    Simulator::new(settings, Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap()))
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn xml(&self) -> Element {
        Element::parse(self.text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// One call by a user, with a token of its own.
pub(super) async fn call(simulator: &Simulator, user: &str, method: &str, path: &str, body: &str) -> Answer {
    let token = simulator.with_state(|state| state.open_session(user).token);
    let request = Request::builder().method(method).uri(path).header("Preservica-Access-Token", token);
    perform(simulator, request.body(Body::from(body.to_owned())).unwrap()).await
}

/// A GET by the operator.
pub(super) async fn get(simulator: &Simulator, path: &str) -> Answer {
    call(simulator, seed::OPERATOR, "GET", path, "").await
}

pub(super) async fn perform(simulator: &Simulator, request: Request<Body>) -> Answer {
    let (parts, body) = simulator.router().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status: parts.status.as_u16(), headers: parts.headers, text }
}

/// The reference of what has a title in the seed.
pub(super) fn seeded(simulator: &Simulator, title: &str) -> String {
    simulator.with_state(|state| state.titled(title).map(|entity| entity.reference.clone())).unwrap()
}

/// Lets so many seconds pass.
pub(super) fn wait(simulator: &Simulator, seconds: i64) {
    simulator.clock().advance(jiff::SignedDuration::from_secs(seconds));
}
