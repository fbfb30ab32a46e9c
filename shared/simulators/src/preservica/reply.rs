//! Answers and refusals.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::settings::ErrorBody;
use super::xml::Element;
use crate::frame::{html, json_response, nothing};

/// What a call answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// XML.
    Xml(Element),
    /// Text with this status.
    Text(u16, String),
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
    /// 401: no token, or none that is valid.
    Unauthenticated,
    /// 403.
    Forbidden(String),
    /// 404: there is no such object.
    NotFound(String),
    /// 404: there is no such URL.
    NoUrl,
    /// 400.
    Invalid(String),
    /// Another status.
    Refused(u16, String),
}

/// A call's result inside the simulator.
pub type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// Status and sentence.
    pub fn told(&self) -> (u16, String) {
        match self {
            Self::Unauthenticated => (401, "The token is missing, unknown or has expired".to_owned()),
            Self::Forbidden(what) => (403, what.clone()),
            Self::NotFound(what) => (404, what.clone()),
            Self::NoUrl => (404, "There is no such resource".to_owned()),
            Self::Invalid(what) => (400, what.clone()),
            Self::Refused(status, what) => (*status, what.clone()),
        }
    }

    /// The answer of an interface that speaks JSON.
    pub(super) fn json(&self) -> Response<Body> {
        let (status, message) = self.told();
        refuse(status, &message)
    }

    /// The answer of the entity interface.
    pub(super) fn entity(&self, form: ErrorBody) -> Response<Body> {
        let (status, message) = self.told();
        match form {
            ErrorBody::Text => text(status, "text/plain;charset=UTF-8", message),
            ErrorBody::Html => html(status, &message),
            ErrorBody::Xml => {
                let error =
                    Element::new("", "Error").with("Status", status.to_string()).with("Message", message);
                text(status, "application/xml;charset=UTF-8", error.document(None))
            }
        }
    }
}

/// An error as JSON, which every interface but the entity one gives.
pub(super) fn refuse(status: u16, message: &str) -> Response<Body> {
    json_response(status, &json!({"success": false, "message": message}))
}

/// A text with this status.
pub(super) fn text(status: u16, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

impl Reply {
    pub(super) fn response(self, xip: &str) -> Response<Body> {
        match self {
            Self::Xml(root) => text(200, "application/xml;charset=UTF-8", root.document(Some(("xip", xip)))),
            Self::Text(status, body) => text(status, "text/plain;charset=UTF-8", body),
            Self::Json(status, value) => json_response(status, &value),
            Self::Nothing(status) => nothing(status),
            Self::Whole(response) => response,
        }
    }
}
