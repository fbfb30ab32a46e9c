//! From a request to its response: faults, credentials, pace, route.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use md5::Digest as _;
use serde_json::Value;

use super::Simulator;
use super::bucket;
use super::call::Call;
use super::reply::{Outcome, Refusal, Reply, refuse};
use super::routes;
use super::settings::MissingSlash;
use super::state::State;
use crate::frame;

/// Largest JSON body.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Serves one request.
pub(super) async fn answer(simulator: Simulator, request: Request<Body>, sequence: u64) -> Response<Body> {
    if request.uri().path().starts_with(bucket::PLACE) {
        return bucket::answer(&simulator, request, sequence).await;
    }
    let (parts, body) = request.into_parts();
    let Some(bytes) = frame::read(body, BODY_LIMIT).await else {
        return refuse(413, "Request Entity Too Large");
    };
    simulator.journal().note(sequence, |entry| entry.received = bytes.len() as u64);
    let Some(body) = read_json(&parts.headers, &bytes) else { return refuse(400, "Invalid JSON") };
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
        bytes,
    };
    state.request_id = request_id(sequence);
    let left = enter(&mut state, entered, &parts.headers);
    let is_unknown = matches!(left.outcome, Err(Refusal::NoUrl));
    let login = left.user.and_then(|user| state.login_of(&user));
    simulator.journal().note(sequence, |entry| {
        entry.user = login;
        entry.unknown = is_unknown;
    });
    let mut response = match left.outcome {
        Ok(reply) => reply.response(&state.settings),
        Err(refusal) => refusal.response(&state.settings),
    };
    if let Some(remaining) = left.remaining.filter(|_| state.settings.rate_limit.tells_remaining) {
        response.headers_mut().insert("RateLimit-Remaining", remaining.into());
    }
    response
}

/// The JSON of a body; `Null` for none and for a body that says it is something else.
fn read_json(headers: &HeaderMap, bytes: &[u8]) -> Option<Value> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match bytes {
        [] => Some(Value::Null),
        _ if kind.is_some_and(|kind| !kind.contains("json")) => Some(Value::Null),
        bytes => serde_json::from_slice(bytes).ok(),
    }
}

struct Entered {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
    bytes: Bytes,
}

/// What became of a call.
struct Left {
    user: Option<String>,
    /// Calls that its application still has.
    remaining: Option<u64>,
    outcome: Outcome<Reply>,
}

impl Left {
    fn refused(user: Option<String>, refusal: Refusal) -> Self {
        let remaining = (refusal == Refusal::TooMany).then_some(0);
        Self { user, remaining, outcome: Err(refusal) }
    }
}

/// Checks the credentials and the pace, and routes.
fn enter(state: &mut State, entered: Entered, headers: &HeaderMap) -> Left {
    let decoded = frame::segments(&entered.path);
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let Some((&"API", path)) = segments.split_first() else { return Left::refused(None, Refusal::NoUrl) };
    let token = match routes::is_public(&entered.method, path) {
        true => None,
        false => match state.identify(headers) {
            Ok(token) => Some(token),
            Err(refusal) => return Left::refused(None, refusal),
        },
    };
    let user = token.as_ref().map(|token| token.user.clone());
    let remaining = match token.as_ref().map(|token| state.admit(&token.app_id)).transpose() {
        Ok(remaining) => remaining.flatten(),
        Err(refusal) => return Left::refused(user, refusal),
    };
    let Entered { method, path: full, query, body, bytes } = entered;
    let caller = user.clone().unwrap_or_default();
    let mut call = Call { state, method, path: full, query, body, bytes, headers, user: caller, token };
    Left { user, remaining, outcome: routes::route(&mut call, path) }
}

fn with_slash(path: &str, query: Option<&str>) -> Response<Body> {
    let mut response = refuse(308, "Permanent Redirect");
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(place) = HeaderValue::from_str(&format!("{path}/{query}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Thirty-two digits that look like nothing, and are the same for the same call of the same story.
fn request_id(sequence: u64) -> String {
    hex::encode(md5::Md5::digest(sequence.to_be_bytes()))
}
