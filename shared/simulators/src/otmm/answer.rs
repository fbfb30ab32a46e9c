//! From a request to its response: faults, body, session, route.

use axum::body::Body;
use http::{Method, Request, Response};

use super::Simulator;
use super::call::Call;
use super::reply::{Outcome, Refusal, Reply};
use super::request::Params;
use super::routes;
use crate::frame::{self, html};

/// Serves one request.
pub(super) async fn answer(simulator: Simulator, request: Request<Body>, sequence: u64) -> Response<Body> {
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
    let decoded = frame::segments(uri.path());
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let mut state = simulator.lock();
    let mut call = Call {
        state: &mut state,
        method: if method == Method::HEAD { Method::GET } else { method },
        params,
        headers: &headers,
        version: 6,
        user: String::new(),
        base: frame::base_of(&uri, &headers),
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
