//! From a request to its response: faults, keys, interface.

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use serde_json::json;

use super::settings::Refusal;
use super::{Simulator, graphql, rest, upload};
use crate::frame::{self, html, json_response};

/// Largest body of a call.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// Largest content that is brought.
const CONTENT_LIMIT: usize = 256 * 1024 * 1024;

/// An error with one sentence.
pub(super) fn refuse(status: u16, text: &str) -> Response<Body> {
    json_response(status, &json!({"errors": [{"message": text}]}))
}

/// Serves one request to the storage.
pub(super) async fn bring(simulator: Simulator, request: Request<Body>, _: u64) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = frame::read(body, CONTENT_LIMIT).await;
    simulator.with_state(|state| upload::answer(state, &parts.method, &parts.uri, &parts.headers, body))
}

/// Serves one request.
pub(super) async fn answer(simulator: Simulator, request: Request<Body>, sequence: u64) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if path.starts_with(upload::PLACE) {
        return bring(simulator, request, sequence).await;
    }
    let (parts, body) = request.into_parts();
    let Some(bytes) = frame::read(body, BODY_LIMIT).await else {
        return html(413, "Request Entity Too Large");
    };
    simulator.journal().note(sequence, |entry| entry.received = bytes.len() as u64);
    match (&parts.method, path.as_str()) {
        (&Method::POST, "/graphql") => {
            let is_right = simulator.with_state(|state| opens(&parts.headers, "Bearer", &state.graphql_keys));
            if !is_right {
                return match simulator.with_state(|state| state.settings.graphql_refusal) {
                    Refusal::Json => json_response(401, &json!({"errors": [{"message": "Unauthorized"}]})),
                    Refusal::Text => plain(401, "Unauthorized"),
                };
            }
            simulator.journal().note(sequence, |entry| entry.user = Some("graphql".to_owned()));
            let response = graphql::answer(&simulator, &bytes).await;
            simulator.with_state(|state| state.changes += 1);
            response
        }
        // The unversioned path is served too, as it was.
        (&Method::GET, "/api/v4/products.json" | "/api/products.json") => {
            let is_right = simulator.with_state(|state| opens(&parts.headers, "Token", &state.rest_tokens));
            if !is_right {
                // The sentence and header of Rails' own token scheme.
                let mut response = plain(401, "HTTP Token: Access denied.\n");
                let asks = HeaderValue::from_static("Token realm=\"Application\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, asks);
                return response;
            }
            simulator.journal().note(sequence, |entry| entry.user = Some("rest".to_owned()));
            simulator.with_state(|state| {
                rest::products(state, parts.uri.path(), parts.uri.query().unwrap_or_default())
            })
        }
        _ => {
            simulator.journal().note(sequence, |entry| entry.unknown = true);
            html(404, "The page you were looking for doesn't exist")
        }
    }
}

/// Whether the header shows one of these keys in its scheme: `Bearer <key>`, or `Token token=<key>` with quotes or without.
fn opens(headers: &HeaderMap, scheme: &str, keys: &[String]) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok()).unwrap_or_default();
    let Some((given, rest)) = shown.split_once(' ') else { return false };
    let key = match scheme {
        "Token" => rest.trim().strip_prefix("token=").map(|key| key.trim_matches('"')),
        _ => Some(rest.trim()),
    };
    given == scheme && key.is_some_and(|key| keys.iter().any(|known| known == key))
}

fn plain(status: u16, text: &'static str) -> Response<Body> {
    let mut response = html(status, text);
    *response.body_mut() = Body::from(text);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
