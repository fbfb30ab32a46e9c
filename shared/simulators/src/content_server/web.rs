//! Admin calls under `/_simulator/`, and the page to look around.

use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::Simulator;
use super::settings::Settings;
use crate::faults::Rule;
use crate::frame::json_response;

mod summary;

const PAGE: &str = include_str!("web/index.html");
const STYLE: &str = include_str!("web/style.css");
const SCRIPT: &str = include_str!("web/script.js");

/// Largest body of an admin call.
const LIMIT: usize = 1024 * 1024;

/// Serves an admin call or a part of the page.
pub(super) async fn answer(simulator: &Simulator, request: Request<Body>) -> Response<Body> {
    let method = request.method().clone();
    let uri = request.uri().clone();
    let body = http_body_util::Limited::new(request.into_body(), LIMIT).collect().await;
    let bytes = body.map(|body| body.to_bytes()).unwrap_or_default();
    let path = uri.path().trim_start_matches("/_simulator").trim_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", [""]) => text("text/html; charset=utf-8", PAGE),
        ("GET", ["style.css"]) => text("text/css; charset=utf-8", STYLE),
        ("GET", ["script.js"]) => text("text/javascript; charset=utf-8", SCRIPT),
        ("GET", ["settings"]) => {
            json_response(200, &json!(simulator.with_state(|state| state.settings.clone())))
        }
        ("PUT", ["settings"]) => put_settings(simulator, &bytes),
        ("GET", ["faults"]) => json_response(200, &json!(simulator.faults().waiting())),
        ("POST", ["faults"]) => add_faults(simulator, &bytes),
        ("DELETE", ["faults"]) => {
            simulator.faults().clear();
            json_response(200, &json!({"waiting": 0}))
        }
        ("GET", ["journal"]) => json_response(
            200,
            &json!({"count": simulator.journal().count(), "entries": simulator.journal().entries()}),
        ),
        ("DELETE", ["journal"]) => {
            simulator.journal().clear();
            json_response(200, &json!({"count": 0}))
        }
        ("GET", ["clock"]) => json_response(200, &json!({"now": simulator.clock().now()})),
        ("POST", ["clock"]) => move_clock(simulator, &bytes),
        ("POST", ["reset"]) => {
            simulator.reset();
            json_response(200, &json!({"reset": true}))
        }
        ("POST", ["sessions", "end"]) => {
            simulator.with_state(super::State::end_all_sessions);
            json_response(200, &json!({"ended": true}))
        }
        ("GET", ["state"]) => {
            let state = simulator.with_state(|state| summary::everything(state));
            json_response(200, &state)
        }
        ("GET", ["state", "tree", id]) => item(simulator, id, summary::children),
        ("GET", ["state", "nodes", id]) => item(simulator, id, summary::node),
        ("GET", ["content", id, version]) => content(simulator, id, version),
        _ => json_response(404, &json!({"error": "No such admin call."})),
    }
}

fn text(kind: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

fn refused(reason: impl ToString) -> Response<Body> {
    json_response(400, &json!({ "error": reason.to_string() }))
}

/// Only the fields sent are changed, at any depth.
fn put_settings(simulator: &Simulator, bytes: &[u8]) -> Response<Body> {
    let sent: Value = match serde_json::from_slice(bytes) {
        Ok(sent) => sent,
        Err(error) => return refused(error),
    };
    let mut all = json!(simulator.with_state(|state| state.settings.clone()));
    merge(&mut all, sent);
    match serde_json::from_value::<Settings>(all) {
        Ok(settings) => {
            simulator.with_state(|state| state.settings = settings.clone());
            json_response(200, &json!(settings))
        }
        Err(error) => refused(error),
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// One rule, or a list of rules.
fn add_faults(simulator: &Simulator, bytes: &[u8]) -> Response<Body> {
    let rules = serde_json::from_slice::<Vec<Rule>>(bytes)
        .or_else(|_| serde_json::from_slice::<Rule>(bytes).map(|rule| vec![rule]));
    let rules = match rules {
        Ok(rules) => rules,
        Err(error) => return refused(error),
    };
    for rule in rules {
        if let Err(error) = simulator.faults().add(rule) {
            return refused(error);
        }
    }
    json_response(200, &json!({"waiting": simulator.faults().waiting().len()}))
}

/// `{"now": "2031-05-06T07:08:09Z"}` or `{"advance_seconds": 1800}`.
fn move_clock(simulator: &Simulator, bytes: &[u8]) -> Response<Body> {
    let sent: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if let Some(now) = sent.get("now").and_then(Value::as_str) {
        match now.parse() {
            Ok(now) => simulator.clock().set(now),
            Err(error) => return refused(error),
        }
    } else if let Some(seconds) = sent.get("advance_seconds").and_then(Value::as_i64) {
        simulator.clock().advance(jiff::SignedDuration::from_secs(seconds));
    } else {
        return refused("Send 'now' or 'advance_seconds'.");
    }
    json_response(200, &json!({"now": simulator.clock().now()}))
}

/// An item by number, or by path below the Enterprise volume with `:` for `/`.
fn item(
    simulator: &Simulator,
    id: &str,
    show: fn(&mut super::State, i64) -> Option<Value>,
) -> Response<Body> {
    let path = percent_encoding::percent_decode_str(id).decode_utf8_lossy().replace(':', "/");
    let found = simulator.with_state(|state| {
        let id = id.parse().ok().or_else(|| state.at(&path).map(|node| node.id));
        id.and_then(|id| show(state, id))
    });
    match found {
        Some(value) => json_response(200, &value),
        None => json_response(404, &json!({"error": "No such item."})),
    }
}

fn content(simulator: &Simulator, id: &str, version: &str) -> Response<Body> {
    let found = simulator.with_state(|state| {
        let node = state.nodes.get(&id.parse().ok()?)?;
        let version = node.version(version.parse().ok()?)?;
        Some((version.content.clone(), version.file_name.clone()))
    });
    let Some((blob, name)) = found else {
        return json_response(404, &json!({"error": "No such version."}));
    };
    let name = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC);
    Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, blob.size)
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}"))
        .body(blob.body(0, blob.size))
        .unwrap_or_else(|_| {
            json_response(StatusCode::INTERNAL_SERVER_ERROR.as_u16(), &json!({"error": "header"}))
        })
}
