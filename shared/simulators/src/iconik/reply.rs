//! Answers and refusals. Every error is JSON: a widely used client cannot read anything else.

use axum::body::Body;
use http::{HeaderValue, Response, header};
use serde_json::{Map, Value, json};

use super::dates;
use super::settings::{ErrorShape, Settings, Spelling};
use crate::frame::{html, json_response, nothing, with_retry_after};

/// What a call answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// JSON with this status.
    Json(u16, Value),
    /// This status and no body.
    Nothing(u16),
    /// Text of another type.
    Text {
        /// Content type.
        kind: &'static str,
        /// The text.
        text: String,
    },
}

/// Why a call is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401: no credentials, or none that are valid.
    Unauthenticated,
    /// 403: the user lacks this role or right.
    Forbidden(String),
    /// 404: there is no such object.
    NotFound(String),
    /// 404: there is no such URL.
    NoUrl,
    /// 405: the URL takes other methods.
    Method,
    /// 400: fields and what is wrong with each.
    Invalid(Vec<(String, String)>),
    /// 409.
    Conflict(String),
    /// 429.
    TooMany,
    /// Another status.
    Other(u16, String),
}

/// A call's result inside the simulator.
pub type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// One field is wrong.
    pub(super) fn field(name: &str, why: impl Into<String>) -> Self {
        Self::Invalid(vec![(name.to_owned(), why.into())])
    }

    /// No object of this kind has this id.
    pub(super) fn unknown(kind: &str, id: &str) -> Self {
        Self::NotFound(format!("{kind} {id} was not found"))
    }

    pub(super) fn response(&self, settings: &Settings) -> Response<Body> {
        match self {
            Self::Unauthenticated => refuse(401, &settings.credentials.unauthorized_text),
            Self::Forbidden(what) => refuse(403, what),
            Self::NotFound(what) => refuse(404, what),
            Self::NoUrl => refuse(404, "The requested URL was not found on the server"),
            Self::Method => refuse(405, "The method is not allowed for the requested URL"),
            Self::Conflict(what) => refuse(409, what),
            Self::Other(status, what) => refuse(*status, what),
            Self::TooMany => {
                let refused = match settings.rate_limit.html_page {
                    true => html(429, "Too Many Requests"),
                    false => refuse(429, "Rate limit exceeded"),
                };
                with_retry_after(refused, settings.rate_limit.retry_after_seconds)
            }
            Self::Invalid(fields) => {
                let errors = match settings.error_shape {
                    ErrorShape::List => {
                        fields.iter().map(|(field, why)| Value::from(format!("{field}: {why}"))).collect()
                    }
                    ErrorShape::Map => {
                        let named =
                            fields.iter().map(|(field, why)| (field.clone(), Value::from(why.clone())));
                        Value::Object(named.collect::<Map<_, _>>())
                    }
                };
                json_response(400, &json!({ "errors": errors }))
            }
        }
    }
}

/// An error with one sentence.
pub(super) fn refuse(status: u16, text: &str) -> Response<Body> {
    json_response(status, &json!({ "errors": [text] }))
}

impl Reply {
    pub(super) fn ok(value: impl Into<Value>) -> Outcome<Self> {
        Ok(Self::Json(200, value.into()))
    }

    pub(super) fn created(value: impl Into<Value>) -> Outcome<Self> {
        Ok(Self::Json(201, value.into()))
    }

    /// The answer, with its times in the spelling that is switched on.
    pub(super) fn response(self, settings: &Settings) -> Response<Body> {
        match self {
            Self::Json(status, mut value) => {
                if settings.dates.objects != Spelling::Zoned {
                    dates::respell(&mut value, settings.dates.objects);
                }
                json_response(status, &value)
            }
            Self::Nothing(status) => nothing(status),
            Self::Text { kind, text } => {
                let mut response = Response::new(Body::from(text));
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
                response
            }
        }
    }
}
