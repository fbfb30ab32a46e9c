//! The storage that signed addresses lead to: it takes content by PUT, until an address ends.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};

use super::state::{Brought, State};
use crate::content::Blob;

/// Where it is.
pub(super) const PLACE: &str = "/_storage/";

/// Serves one request.
pub(super) fn answer(
    state: &mut State,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Option<Bytes>,
) -> Response<Body> {
    let response = serve(state, method, uri, body);
    // That a key came is worth knowing; which one is not.
    let shown = headers.iter().map(|(name, value)| match *name == header::AUTHORIZATION {
        true => (name.to_string(), "…".to_owned()),
        false => (name.to_string(), value.to_str().unwrap_or_default().to_owned()),
    });
    state.brought.push(Brought {
        method: method.to_string(),
        headers: shown.collect(),
        status: response.status().as_u16(),
    });
    response
}

fn serve(state: &mut State, method: &Method, uri: &Uri, body: Option<Bytes>) -> Response<Body> {
    let token = uri.path().trim_start_matches(PLACE).to_owned();
    let Some(upload) = state.uploads.get(&token) else {
        return refused(404, "NoSuchKey", "The specified key does not exist.");
    };
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let of = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if of("X-Amz-Signature") != Some(token.as_str()) {
        return refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.");
    }
    if state.now >= upload.ends {
        return refused(403, "AccessDenied", "Request has expired");
    }
    if method != Method::PUT {
        return refused(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        );
    }
    match body {
        Some(body) => {
            state.receive(&token, Blob::of(body));
            Response::new(Body::empty())
        }
        None => refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
    }
}

fn refused(status: u16, code: &str, message: &str) -> Response<Body> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
