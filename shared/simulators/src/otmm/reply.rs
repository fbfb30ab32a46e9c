//! Answers and refusals.

use axum::body::Body;
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use super::settings::{Expired, Settings};
use crate::frame::{html, json_response, nothing};

/// What a call answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// JSON with this status.
    Json(u16, Value),
    /// This status and no body.
    Nothing(u16),
    /// Anything else.
    Whole(Response<Body>),
}

/// Why a call is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No session, or none that is valid.
    Unauthenticated,
    /// The caller has no right to it.
    Forbidden(String),
    /// There is no such object.
    NotFound(String),
    /// There is no such URL: the container answers, not the interface.
    NoUrl,
    /// 400.
    Invalid(String),
    /// A rule is against it: told like a failure of the server.
    Business(String),
    /// Somebody else, a job, or nobody holds the lock.
    Locked(String),
    /// Another status.
    Status(u16, String),
    /// A page of the container, or of whoever stands before it.
    Page(u16, String),
}

/// A call's result inside the simulator.
pub type Outcome<T> = Result<T, Refusal>;

/// The number of an error whose own nobody has published.
const GENERIC: i64 = 1000;

impl Refusal {
    /// Status and sentence.
    pub fn told(&self, settings: &Settings) -> (u16, String) {
        match self {
            Self::Unauthenticated => (401, "The session is missing, unknown or has expired".to_owned()),
            Self::Forbidden(what) => (settings.forbidden_status, what.clone()),
            Self::NotFound(what) => (settings.not_found_status, what.clone()),
            Self::NoUrl => (404, "Not Found".to_owned()),
            Self::Invalid(what) => (400, what.clone()),
            Self::Business(what) => (settings.business_status, what.clone()),
            Self::Locked(what) => (settings.edits.lock_conflict_status, what.clone()),
            Self::Status(status, what) | Self::Page(status, what) => (*status, what.clone()),
        }
    }

    pub(super) fn response(&self, settings: &Settings) -> Response<Body> {
        let (status, message) = self.told(settings);
        match self {
            Self::NoUrl | Self::Page(..) => html(status, &message),
            Self::Unauthenticated => match settings.sessions.expired {
                Expired::Unauthorized => refuse(401, &message),
                Expired::Forbidden => refuse(403, &message),
                Expired::Page => html(200, "Sign in"),
                Expired::Redirect => {
                    let mut response = html(302, "Sign in");
                    let login = HeaderValue::from_static("/otmm/ux-html/login.html");
                    response.headers_mut().insert(header::LOCATION, login);
                    response
                }
            },
            _ => refuse(status, &message),
        }
    }
}

/// An error as the interface tells it.
pub(super) fn refuse(status: u16, message: &str) -> Response<Body> {
    let body = json!({
        "http_response_code": status, "message": message,
        "debug_message": format!("com.artesia.common.exception.BaseTeamsException: {message}"),
        "error_code": GENERIC,
    });
    json_response(status, &json!({ "exception_body": body }))
}

impl Reply {
    pub(super) fn response(self, settings: &Settings) -> Response<Body> {
        match self {
            Self::Json(status, mut value) => {
                if settings.wire.single_as_object {
                    unlist(&mut value);
                }
                json_response(status, &value)
            }
            Self::Nothing(status) => nothing(status),
            Self::Whole(response) => response,
        }
    }
}

/// Writes every list of one as that one.
fn unlist(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(unlist),
        Value::Array(items) => {
            items.iter_mut().for_each(unlist);
            if let [one] = items.as_mut_slice() {
                *value = one.take();
            }
        }
        _ => {}
    }
}
