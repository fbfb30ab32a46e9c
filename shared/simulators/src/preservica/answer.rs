//! From a request to its response: faults, body, token, route.

use axum::body::Body;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, Response};
use md5::Digest as _;

use super::Simulator;
use super::call::{Call, Names, Received};
use super::reply::{Outcome, Refusal, Reply, refuse};
use super::routes::{self, storage};
use super::send;
use crate::content::Spool;
use crate::frame;

/// Largest body that is not content.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Serves one request.
pub(super) async fn answer(simulator: Simulator, request: Request<Body>, sequence: u64) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let decoded = frame::segments(parts.uri.path());
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let (mut bytes, mut received) = (bytes::Bytes::new(), None);
    if is_content(&parts.method, &segments) {
        let threshold = simulator.with_state(|state| state.settings.memory_threshold_bytes);
        match receive(body, threshold).await {
            Some(content) => received = Some(content),
            None => return refuse(400, "The body broke off"),
        }
    } else {
        match frame::read(body, BODY_LIMIT).await {
            Some(read) => bytes = read,
            None => return refuse(413, "The body is too large"),
        }
    }
    let length = received.as_ref().map_or(bytes.len() as u64, |content| content.content.size);
    simulator.journal().note(sequence, |entry| entry.received = length);
    if parts.method == Method::POST && segments == ["api", "webhook", "subscriptions"] {
        return subscribe(&simulator, &parts.headers, &bytes, sequence).await;
    }
    let mut state = simulator.lock();
    let names = Names::of(&state.settings.version);
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let mut call = Call {
        state: &mut state,
        method: if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() },
        path: parts.uri.path().to_owned(),
        query: query.into_owned().collect(),
        bytes,
        received,
        headers: &parts.headers,
        user: String::new(),
        names,
        base: frame::base_of(&parts.uri, &parts.headers),
    };
    let is_storage = segments.starts_with(&["api", "s3", "buckets"]);
    let outcome = enter(&mut call, &segments);
    let (user, xip) = (call.user.clone(), call.names.xip.clone());
    let is_unknown = matches!(outcome, Err(Refusal::NoUrl));
    simulator.journal().note(sequence, |entry| {
        entry.user = (!user.is_empty()).then_some(user);
        entry.unknown = is_unknown;
    });
    match outcome {
        Ok(reply) => reply.response(&xip),
        Err(refusal) if is_storage => storage::refused(&refusal),
        Err(refusal) if matches!(segments.as_slice(), ["api", "entity", ..] | ["sdb", ..]) => {
            refusal.entity(state.settings.error_body)
        }
        Err(refusal) => refusal.json(),
    }
}

/// Calls whose body is content, of any size.
fn is_content(method: &Method, segments: &[&str]) -> bool {
    match segments {
        ["api", "s3", ..] => *method == Method::PUT,
        ["api", "entity", .., "generations" | "representations" | "preview" | "ingests"] => {
            matches!(*method, Method::PUT | Method::POST)
        }
        _ => false,
    }
}

/// Reads content to its end.
pub(super) async fn receive(body: Body, threshold: u64) -> Option<Received> {
    let (mut spool, mut hash) = (Spool::new(threshold, false), md5::Md5::new());
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.ok()?;
        hash.update(&piece);
        spool.write(&piece).ok()?;
    }
    Some(Received { content: spool.finish(), md5: hex::encode(hash.finalize().as_slice()) })
}

/// The token of a call: in its own header, as a bearer, or as the access key of a signature.
fn token_of(headers: &HeaderMap, is_storage: bool) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = text("preservica-access-token");
    let authorization = text("authorization").unwrap_or_default();
    let bearer = authorization.strip_prefix("Bearer ").filter(|_| !is_storage);
    let signed = authorization.strip_prefix("AWS4-HMAC-SHA256 ").filter(|_| is_storage).and_then(|rest| {
        let credential = rest.split(',').find_map(|part| part.trim().strip_prefix("Credential="))?;
        credential.split('/').next()
    });
    own.or(bearer).or(signed).map(str::to_owned)
}

/// Checks the token, and routes.
fn enter(call: &mut Call<'_>, segments: &[&str]) -> Outcome<Reply> {
    let Some((&"api", path)) = segments.split_first() else {
        let token = token_of(call.headers, false).ok_or(Refusal::Unauthenticated)?;
        call.user = call.state.identify_token(&token)?;
        return routes::beside(call, segments);
    };
    if let ["accesstoken", what] = path {
        return routes::access_token::route(call, what);
    }
    let is_storage = path.first() == Some(&"s3");
    let token = token_of(call.headers, is_storage).ok_or(Refusal::Unauthenticated)?;
    call.user = call.state.identify_token(&token)?;
    routes::route(call, path)
}

/// Subscribing begins with asking the subscriber for the answer that only whoever has the secret can give.
async fn subscribe(
    simulator: &Simulator,
    headers: &HeaderMap,
    bytes: &[u8],
    sequence: u64,
) -> Response<Body> {
    let asked = simulator.with_state(|state| {
        let token = token_of(headers, false).ok_or(Refusal::Unauthenticated)?;
        let user = state.identify_token(&token)?;
        simulator.journal().note(sequence, |entry| entry.user = Some(user.clone()));
        routes::webhooks::read(state, &user, bytes)
    });
    let subscription = match asked {
        Ok(subscription) => subscription,
        Err(refusal) => return refusal.json(),
    };
    let (code, only_loopback, failed) = simulator.with_state(|state| {
        let rules = &state.settings.deliveries;
        let (only_loopback, failed) = (rules.only_loopback, rules.failed_handshake_status);
        (state.new_reference(), only_loopback, failed)
    });
    match send::shake_hands(&subscription.url, &subscription.secret, &code, only_loopback).await {
        Ok(()) => {
            let shown = routes::webhooks::shown(&subscription);
            simulator.with_state(|state| state.subscriptions.push(subscription));
            frame::json_response(200, &shown)
        }
        Err(reason) => refuse(failed, &format!("The handshake failed: {reason}")),
    }
}
