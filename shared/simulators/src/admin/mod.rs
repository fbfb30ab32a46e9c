//! What the administrator of every simulator can do, under `/_simulator/`: switches, faults, journal, clock, starting over, and
//! the page to look around.

use axum::body::Body;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::faults::{Faults, Rule};
use crate::frame::json_response;
use crate::journal::Journal;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Largest body of an admin call.
const LIMIT: usize = 1024 * 1024;

/// The parts of a simulator that its administrator sees and changes.
pub(crate) struct Admin<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) faults: &'a Faults,
    pub(crate) journal: &'a Journal,
    /// What the imitated system is called.
    pub(crate) name: &'static str,
    /// The part of the page that shows what the simulator holds.
    pub(crate) view: &'static str,
    /// The switches.
    pub(crate) settings: &'a dyn Fn() -> Value,
    /// Sets all switches, and gives them; or says what is wrong.
    pub(crate) change: &'a dyn Fn(Value) -> Result<Value, String>,
    /// Starts over.
    pub(crate) reset: &'a dyn Fn(),
}

/// An admin call, read.
pub(crate) struct AdminCall {
    pub(crate) method: String,
    /// Below `/_simulator/`.
    pub(crate) segments: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl AdminCall {
    pub(crate) async fn read(request: Request<Body>) -> Self {
        let method = request.method().to_string();
        let path = request.uri().path().trim_start_matches("/_simulator").trim_matches('/').to_owned();
        let body = http_body_util::Limited::new(request.into_body(), LIMIT).collect().await;
        Self {
            method,
            segments: path.split('/').map(str::to_owned).collect(),
            body: body.map(|body| body.to_bytes().to_vec()).unwrap_or_default(),
        }
    }
}

impl Admin<'_> {
    /// Answers what every simulator answers; `None` for a call that only one has.
    pub(crate) fn answer(&self, call: &AdminCall) -> Option<Response<Body>> {
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        Some(match (call.method.as_str(), segments.as_slice()) {
            ("GET", [""]) => text("text/html; charset=utf-8", PAGE.replace("{{name}}", self.name)),
            ("GET", ["style.css"]) => text("text/css; charset=utf-8", STYLE.to_owned()),
            ("GET", ["script.js"]) => text("text/javascript; charset=utf-8", SCRIPT.to_owned()),
            ("GET", ["view.js"]) => text("text/javascript; charset=utf-8", self.view.to_owned()),
            ("GET", ["settings"]) => json_response(200, &(self.settings)()),
            ("PUT", ["settings"]) => self.put_settings(&call.body),
            ("GET", ["faults"]) => json_response(200, &json!(self.faults.waiting())),
            ("POST", ["faults"]) => self.add_faults(&call.body),
            ("DELETE", ["faults"]) => {
                self.faults.clear();
                json_response(200, &json!({"waiting": 0}))
            }
            ("GET", ["journal"]) => {
                json_response(200, &json!({"count": self.journal.count(), "entries": self.journal.entries()}))
            }
            ("DELETE", ["journal"]) => {
                self.journal.clear();
                json_response(200, &json!({"count": 0}))
            }
            ("GET", ["clock"]) => json_response(200, &json!({"now": self.clock.now()})),
            ("POST", ["clock"]) => self.move_clock(&call.body),
            ("POST", ["reset"]) => {
                (self.reset)();
                json_response(200, &json!({"reset": true}))
            }
            _ => return None,
        })
    }

    /// Only the fields sent are changed, at any depth.
    fn put_settings(&self, bytes: &[u8]) -> Response<Body> {
        let sent: Value = match serde_json::from_slice(bytes) {
            Ok(sent) => sent,
            Err(error) => return refused(error),
        };
        let mut all = (self.settings)();
        merge(&mut all, sent);
        match (self.change)(all) {
            Ok(settings) => json_response(200, &settings),
            Err(reason) => refused(reason),
        }
    }

    /// One rule, or a list of rules.
    fn add_faults(&self, bytes: &[u8]) -> Response<Body> {
        let rules = serde_json::from_slice::<Vec<Rule>>(bytes)
            .or_else(|_| serde_json::from_slice::<Rule>(bytes).map(|rule| vec![rule]));
        let rules = match rules {
            Ok(rules) => rules,
            Err(error) => return refused(error),
        };
        for rule in rules {
            if let Err(error) = self.faults.add(rule) {
                return refused(error);
            }
        }
        json_response(200, &json!({"waiting": self.faults.waiting().len()}))
    }

    /// `{"now": "2031-05-06T07:08:09Z"}` or `{"advance_seconds": 1800}`.
    fn move_clock(&self, bytes: &[u8]) -> Response<Body> {
        let sent: Value = serde_json::from_slice(bytes).unwrap_or_default();
        if let Some(now) = sent.get("now").and_then(Value::as_str) {
            match now.parse() {
                Ok(now) => self.clock.set(now),
                Err(error) => return refused(error),
            }
        } else if let Some(seconds) = sent.get("advance_seconds").and_then(Value::as_i64) {
            self.clock.advance(jiff::SignedDuration::from_secs(seconds));
        } else {
            return refused("Send 'now' or 'advance_seconds'.");
        }
        json_response(200, &json!({"now": self.clock.now()}))
    }
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
