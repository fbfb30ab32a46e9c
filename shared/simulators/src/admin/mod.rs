//! What the administrator of every simulator can do, under `/_simulator/`: switches, faults, journal, clock, sessions, state,
//! starting over, and the page to look around.

use axum::body::Body;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::faults::{Faults, Rule};
use crate::frame::{Simulator, json_response};
use crate::journal::Journal;

/// Where the administrator's calls are.
pub(crate) const PLACE: &str = "/_simulator";

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Largest body of an admin call.
const LIMIT: usize = 1024 * 1024;

/// An administrator's call.
struct Call {
    method: String,
    /// Below `/_simulator/`, as sent.
    segments: Vec<String>,
    body: Vec<u8>,
}

impl Call {
    async fn read(request: Request<Body>) -> Self {
        let method = request.method().to_string();
        let path = request.uri().path().trim_start_matches(PLACE).trim_matches('/').to_owned();
        let body = http_body_util::Limited::new(request.into_body(), LIMIT).collect().await;
        Self {
            method,
            segments: path.split('/').map(str::to_owned).collect(),
            body: body.map(|body| body.to_bytes().to_vec()).unwrap_or_default(),
        }
    }
}

/// Answers a call of the administrator, or a part of the page.
pub(crate) async fn answer<State: 'static, Settings>(
    simulator: &Simulator<State, Settings>,
    request: Request<Body>,
) -> Response<Body>
where
    Settings: Clone + Serialize + DeserializeOwned + 'static,
{
    let Call { method, segments, body } = Call::read(request).await;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let system = simulator.system();
    let found = match (method.as_str(), segments.as_slice()) {
        ("GET", [""]) => Some(text("text/html; charset=utf-8", PAGE.replace("{{name}}", system.name))),
        ("GET", ["style.css"]) => Some(text("text/css; charset=utf-8", STYLE.to_owned())),
        ("GET", ["script.js"]) => Some(text("text/javascript; charset=utf-8", SCRIPT.to_owned())),
        ("GET", ["view.js"]) => Some(text("text/javascript; charset=utf-8", system.view.to_owned())),
        (_, ["settings"]) => settings(simulator, &method, &body),
        (_, ["faults"]) => faults(simulator.faults(), &method, &body),
        (_, ["journal"]) => journal(simulator.journal(), &method),
        (_, ["clock"]) => clock(simulator.clock(), &method, &body),
        ("POST", ["sessions", "end"]) => {
            simulator.with_state(system.end_sessions);
            Some(json_response(200, &json!({"ended": true})))
        }
        ("GET", ["state"]) => {
            Some(json_response(200, &simulator.with_state(|state| (system.everything)(state))))
        }
        ("GET", ["state", "tree", id]) => {
            Some(shown(simulator.with_state(|state| (system.children)(state, id))))
        }
        ("GET", ["state", "objects", id]) => {
            Some(shown(simulator.with_state(|state| (system.object)(state, id))))
        }
        ("POST", ["reset"]) => {
            simulator.reset();
            Some(json_response(200, &json!({"reset": true})))
        }
        _ => None,
    };
    found.or_else(|| (system.beside)(simulator, &method, &segments)).unwrap_or_else(|| no_such("admin call"))
}

/// Shows the switches, or sets those that are sent, at any depth.
fn settings<State: 'static, Settings>(
    simulator: &Simulator<State, Settings>,
    method: &str,
    sent: &[u8],
) -> Option<Response<Body>>
where
    Settings: Clone + Serialize + DeserializeOwned + 'static,
{
    let settings = simulator.system().settings;
    let mut all = json!(simulator.with_state(|state| settings(state).clone()));
    match method {
        "GET" => Some(json_response(200, &all)),
        "PUT" => {
            let changed = serde_json::from_slice::<Value>(sent).and_then(|sent| {
                merge(&mut all, sent);
                serde_json::from_value::<Settings>(all)
            });
            Some(match changed {
                Ok(changed) => {
                    let shown = json!(changed);
                    simulator.with_state(|state| *settings(state) = changed);
                    json_response(200, &shown)
                }
                Err(error) => refused(error),
            })
        }
        _ => None,
    }
}

/// Shows, arms (one rule, or a list of rules) or disarms.
fn faults(faults: &Faults, method: &str, sent: &[u8]) -> Option<Response<Body>> {
    match method {
        "GET" => return Some(json_response(200, &json!(faults.waiting()))),
        "DELETE" => faults.clear(),
        "POST" => {
            let rules = serde_json::from_slice::<Vec<Rule>>(sent)
                .or_else(|_| serde_json::from_slice::<Rule>(sent).map(|rule| vec![rule]));
            let rules = match rules {
                Ok(rules) => rules,
                Err(error) => return Some(refused(error)),
            };
            for rule in rules {
                if let Err(error) = faults.add(rule) {
                    return Some(refused(error));
                }
            }
        }
        _ => return None,
    }
    Some(json_response(200, &json!({"waiting": faults.waiting().len()})))
}

fn journal(journal: &Journal, method: &str) -> Option<Response<Body>> {
    match method {
        "GET" => Some(json_response(200, &json!({"count": journal.count(), "entries": journal.entries()}))),
        "DELETE" => {
            journal.clear();
            Some(json_response(200, &json!({"count": 0})))
        }
        _ => None,
    }
}

/// Shows the time, or moves it: `{"now": "2031-05-06T07:08:09Z"}` or `{"advance_seconds": 1800}`.
fn clock(clock: &Clock, method: &str, sent: &[u8]) -> Option<Response<Body>> {
    match method {
        "GET" => {}
        "POST" => {
            let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
            if let Some(now) = sent.get("now").and_then(Value::as_str) {
                match now.parse() {
                    Ok(now) => clock.set(now),
                    Err(error) => return Some(refused(error)),
                }
            } else if let Some(seconds) = sent.get("advance_seconds").and_then(Value::as_i64) {
                clock.advance(jiff::SignedDuration::from_secs(seconds));
            } else {
                return Some(refused("Send 'now' or 'advance_seconds'."));
            }
        }
        _ => return None,
    }
    Some(json_response(200, &json!({"now": clock.now()})))
}

/// What was looked for, or 404.
pub(crate) fn shown(found: Option<Value>) -> Response<Body> {
    found.map_or_else(|| no_such("object"), |found| json_response(200, &found))
}

/// 404 of the admin calls.
pub(crate) fn no_such(what: &str) -> Response<Body> {
    json_response(404, &json!({"error": format!("No such {what}.")}))
}

fn text(kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn refused(reason: impl ToString) -> Response<Body> {
    json_response(400, &json!({ "error": reason.to_string() }))
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
