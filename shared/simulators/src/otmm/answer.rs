//! From a request to its response: faults, body, session, route.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Shared;
use http::{HeaderMap, Method, Request, Response, Uri, header};

use super::Simulator;
use super::call::Call;
use super::reply::{Outcome, Refusal, Reply, refuse};
use super::request::Params;
use super::routes;
use super::web;
use crate::frame::{Frame, html};

/// Serves one request.
pub(super) async fn answer(Shared(simulator): Shared<Simulator>, request: Request<Body>) -> Response<Body> {
    if request.uri().path().starts_with("/_simulator") {
        return web::answer(&simulator, request).await;
    }
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
    // The container refuses such a target before the application sees it.
    if request.uri().query().unwrap_or_default().contains(['{', '}', '[', ']', '"', '|', '\\', '^', '`']) {
        return html(400, "HTTP Status 400 – Bad Request");
    }
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let settings = simulator.with_state(|state| state.settings.clone());
    let params = match Params::read(request, &settings).await {
        Ok(params) => params,
        Err(refusal) => return refusal.response(&settings),
    };
    simulator.journal().note(sequence, |entry| entry.received = params.received);
    let decoded: Vec<String> = uri
        .path()
        .trim_matches('/')
        .split('/')
        .map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let mut state = simulator.lock();
    let mut call = Call {
        state: &mut state,
        method: if method == Method::HEAD { Method::GET } else { method },
        params,
        headers: &headers,
        version: 6,
        user: String::new(),
        base: base_of(&uri, &headers),
    };
    let outcome = enter(&mut call, &segments);
    let name = call.state.user(&call.user).map(|user| user.login.clone());
    let is_unknown = matches!(outcome, Err(Refusal::NoUrl));
    simulator.journal().note(sequence, |entry| {
        entry.user = name;
        entry.unknown = is_unknown;
    });
    match outcome {
        Ok(reply) => reply.response(&settings),
        Err(refusal) => refusal.response(&settings),
    }
}

/// Where a call came to, as addresses in answers begin.
fn base_of(uri: &Uri, headers: &HeaderMap) -> String {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = named.or_else(|| uri.authority().map(http::uri::Authority::as_str)).unwrap_or("127.0.0.1");
    let scheme = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok()).unwrap_or("http");
    format!("{scheme}://{host}")
}

fn enter(call: &mut Call<'_>, segments: &[&str]) -> Outcome<Reply> {
    match segments {
        ["otmmapi", version @ ("v4" | "v5" | "v6"), path @ ..] => {
            call.version = version.trim_start_matches('v').parse().unwrap_or(6);
            if let ["sessions", rest @ ..] = path {
                return routes::sessions::route(call, rest);
            }
            call.user = routes::sessions::identify(call)?;
            routes::route(call, path)
        }
        ["otdsws", path @ ..] => routes::directory::route(call, path),
        ["adaptivemedia", "rendition"] if call.state.settings.delivery.enabled => {
            routes::contents::delivered(call)
        }
        _ => Err(Refusal::NoUrl),
    }
}
