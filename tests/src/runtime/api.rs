//! The Runtime API of one process: what it asks for, what it is handed, what it answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot, watch};

use super::{Outcome, lock};

/// Lambda's limit on an answer.
const LONGEST_ANSWER: usize = 6 * 1024 * 1024;

/// One piece of work for the process.
pub(super) struct Work {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) body: Bytes,
    pub(super) deadline_milliseconds: u128,
}

pub(super) struct Api {
    /// Whether the process has asked for its first event: its start is over.
    pub(super) ready: watch::Sender<bool>,
    pub(super) start_error: watch::Sender<Option<String>>,
    name: String,
    waiting: Mutex<Option<Work>>,
    current: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
    arrived: Notify,
}

impl Api {
    pub(super) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self {
            ready: watch::channel(false).0,
            start_error: watch::channel(None).0,
            name: name.to_owned(),
            waiting: Mutex::default(),
            current: Mutex::default(),
            arrived: Notify::new(),
        })
    }

    /// Hands work to the process; the outcome comes through the receiver.
    pub(super) fn hand(&self, work: Work) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        *lock(&self.current) = Some((work.id.clone(), sender));
        *lock(&self.waiting) = Some(work);
        self.arrived.notify_one();
        receiver
    }

    fn answer(&self, id: &str, outcome: Outcome) -> Response {
        let mut current = lock(&self.current);
        match current.take() {
            Some((expected, sender)) if expected == id => {
                let _ = sender.send(outcome);
                (StatusCode::ACCEPTED, axum::Json(json!({"status": "OK"}))).into_response()
            }
            other => {
                *current = other;
                let body =
                    json!({"errorType": "InvalidRequestID", "errorMessage": format!("{id} is not in hand")});
                (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
            }
        }
    }
}

pub(super) fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(start_error))
        .route("/2020-01-01/extension/register", post(register))
        .route("/2020-01-01/extension/event/next", get(extension_event))
        .layer(DefaultBodyLimit::max(2 * LONGEST_ANSWER))
        .with_state(api)
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    api.ready.send_replace(true);
    let work = loop {
        let work = lock(&api.waiting).take();
        match work {
            Some(work) => break work,
            None => api.arrived.notified().await,
        }
    };
    let mut response = work.body.into_response();
    let headers = response.headers_mut();
    let text = |value: &str| header::HeaderValue::from_str(value).expect("our own values are plain");
    headers.insert(header::CONTENT_TYPE, text("application/json"));
    headers.insert("lambda-runtime-aws-request-id", text(&work.id));
    headers.insert("lambda-runtime-deadline-ms", text(&work.deadline_milliseconds.to_string()));
    headers.insert("lambda-runtime-invoked-function-arn", text(&work.arn));
    let trace =
        format!("Root=1-5759e988-{:0>24};Sampled=0", work.id.replace('-', "").get(..24).unwrap_or("0"));
    headers.insert("lambda-runtime-trace-id", text(&trace));
    response
}

async fn response(State(api): State<Arc<Api>>, Path(id): Path<String>, body: Bytes) -> Response {
    if body.len() > LONGEST_ANSWER {
        let outcome = Outcome::Failed(json!({"errorType": "Function.ResponseSizeTooLarge"}));
        let _ = api.answer(&id, outcome);
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    // No bytes mean null, as they do to Lambda.
    let answer = if body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&body).ok() };
    api.answer(&id, Outcome::Answer(answer))
}

async fn error(State(api): State<Arc<Api>>, Path(id): Path<String>, body: Bytes) -> Response {
    api.answer(&id, Outcome::Failed(serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

async fn start_error(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    api.start_error.send_replace(Some(String::from_utf8_lossy(&body).into_owned()));
    (StatusCode::ACCEPTED, axum::Json(json!({"status": "OK"}))).into_response()
}

/// Runtimes register an extension that listens to nothing, so that they are told to end in good order.
async fn register(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    let name =
        headers.get("lambda-extension-name").and_then(|name| name.to_str().ok()).unwrap_or("extension");
    let body = json!({"functionName": api.name, "functionVersion": "$LATEST", "handler": "bootstrap"});
    ([("lambda-extension-identifier", format!("{name}-1"))], axum::Json(body)).into_response()
}

async fn extension_event() -> Response {
    loop {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}
