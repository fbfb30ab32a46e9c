//! From a request to its response: faults, credentials, pace, route.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Shared;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use serde_json::Value;

use super::Simulator;
use super::call::Call;
use super::reply::{Outcome, Refusal, Reply, refuse};
use super::routes;
use super::settings::MissingSlash;
use super::state::State;
use crate::frame::Frame;

/// Largest JSON body.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Serves one request.
pub(super) async fn answer(Shared(simulator): Shared<Simulator>, request: Request<Body>) -> Response<Body> {
    let latency = simulator.with_state(|state| Duration::from_millis(state.settings.latency_milliseconds));
    let frame = Frame {
        clock: simulator.clock(),
        faults: simulator.faults(),
        journal: simulator.journal(),
        latency,
        refusal: refuse,
    };
    frame.answer(request, async |request, sequence| api(&simulator, request, sequence).await).await
}

async fn api(simulator: &Simulator, request: Request<Body>, sequence: u64) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return refuse(413, "Request Entity Too Large");
    };
    simulator.journal().note(sequence, |entry| entry.received = bytes.len() as u64);
    let body = match bytes.as_ref() {
        [] => Value::Null,
        bytes => match serde_json::from_slice(bytes) {
            Ok(body) => body,
            Err(_) => return refuse(400, "Invalid JSON"),
        },
    };
    let mut state = simulator.lock();
    let path = parts.uri.path().to_owned();
    if !path.ends_with('/') {
        match state.settings.missing_slash {
            MissingSlash::Served => {}
            MissingSlash::Redirected => return with_slash(&path, parts.uri.query()),
        }
    }
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let entered = Entered {
        method: if parts.method == Method::HEAD { Method::GET } else { parts.method },
        path: format!("{}/", path.trim_end_matches('/')),
        query: query.into_owned().collect(),
        body,
    };
    let (user, outcome) = enter(&mut state, entered, &parts.headers);
    let is_unknown = matches!(outcome, Err(Refusal::NoUrl));
    let login = user.and_then(|user| state.login_of(&user));
    simulator.journal().note(sequence, |entry| {
        entry.user = login;
        entry.unknown = is_unknown;
    });
    match outcome {
        Ok(reply) => reply.response(),
        Err(refusal) => refusal.response(&state.settings),
    }
}

struct Entered {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
}

/// Checks the credentials and the pace, and routes.
fn enter(state: &mut State, entered: Entered, headers: &HeaderMap) -> (Option<String>, Outcome<Reply>) {
    let decoded: Vec<String> = entered
        .path
        .trim_matches('/')
        .split('/')
        .map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let Some((&"API", path)) = segments.split_first() else { return (None, Err(Refusal::NoUrl)) };
    let user = match routes::is_public(&entered.method, path) {
        true => None,
        false => match state.identify(headers) {
            Ok(user) => Some(user),
            Err(refusal) => return (None, Err(refusal)),
        },
    };
    if let Some(user) = &user
        && let Err(refusal) = state.admit(user)
    {
        return (Some(user.clone()), Err(refusal));
    }
    let Entered { method, path: full, query, body } = entered;
    let caller = user.clone().unwrap_or_default();
    let mut call = Call { state, method, path: full, query, body, headers, user: caller };
    (user, routes::route(&mut call, path))
}

fn with_slash(path: &str, query: Option<&str>) -> Response<Body> {
    let mut response = refuse(308, "Permanent Redirect");
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(place) = HeaderValue::from_str(&format!("{path}/{query}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
