//! The wire: literal requests against the router, and what the repository holds afterwards.

mod categories;
mod documents;
mod failures;
mod items;
mod keeping;
mod large_uploads;
mod looking;
mod rights;
mod searching;
mod sessions;
mod side_effects;
mod switches;
mod unknowns;
mod workflows;

use axum::body::Body;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Settings, Simulator, seed};
use crate::Clock;

/// Gives another answer to an open question.
pub(super) type Flip = fn(&mut Settings);

/// A simulator at a fixed time, and a caller with a ticket.
pub(super) struct Caller {
    pub(super) simulator: Simulator,
    pub(super) ticket: String,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) json: Value,
    pub(super) bytes: bytes::Bytes,
    pub(super) headers: http::HeaderMap,
}

impl Caller {
    pub(super) fn new(settings: Settings) -> Self {
        Self::named(settings, "admin")
    }

    pub(super) fn named(settings: Settings, name: &str) -> Self {
        let clock = Clock::fixed("2031-05-06T07:08:09Z".parse().unwrap());
        let simulator = Simulator::new(settings, clock);
        let ticket = simulator.with_state(|state| state.log_in(name, seed::PASSWORD)).unwrap();
        Self { simulator, ticket }
    }

    pub(super) fn is(&self, name: &str) -> Self {
        let ticket = self.simulator.with_state(|state| state.log_in(name, seed::PASSWORD)).unwrap();
        Self { simulator: self.simulator.clone(), ticket }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.simulator.router().oneshot(request).await.unwrap()
    }

    pub(super) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("/otcs/cs.exe/api/{path}"))
            .header("OTCSTicket", &self.ticket)
    }

    pub(super) async fn call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(form).unwrap();
        let request = self
            .request(method, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        read(self.send(request).await).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[]).await
    }

    /// A multipart form: fields, then the part `file`.
    pub(super) async fn upload(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, &str, &str, &[u8]),
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part =
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let (field, name, kind, bytes) = file;
        let part = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = self
            .request("POST", path)
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(Body::from(body))
            .unwrap();
        read(self.send(request).await).await
    }

    /// A call with a JSON `body` field, as most writes are sent.
    pub(super) async fn send_body(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call(method, path, &[("body", &body.to_string())]).await
    }

    pub(super) fn switch(&self, change: impl FnOnce(&mut Settings)) {
        self.simulator.with_state(|state| change(&mut state.settings));
    }

    pub(super) async fn document(&self, parent: i64, name: &str, bytes: &[u8]) -> i64 {
        let body = format!(r#"{{"type":144,"parent_id":{parent},"name":"{name}"}}"#);
        let answer = self.upload("v2/nodes", &[("body", &body)], ("file", name, "text/plain", bytes)).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json["results"]["data"]["properties"]["id"].as_i64().unwrap()
    }
}

pub(super) async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status.as_u16(), json, bytes, headers: parts.headers }
}
