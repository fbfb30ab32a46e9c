//! One call: what it says, and what repeating it would do.

use std::{fmt::Display, time::Duration};

use http::{Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::error::Effect;
use crate::http::{FormData, Payload, Request};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// A call below `/api`.
#[derive(Clone)]
pub(super) struct Call {
    operation: &'static str,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    flags: Vec<&'static str>,
    content: Content,
    effect: Effect,
    timeout: Option<Duration>,
    spares: bool,
}

#[derive(Clone)]
enum Content {
    Nothing,
    Fields(Vec<(String, String)>),
    Json(Value),
    Multipart(FormData),
}

impl Call {
    fn new(operation: &'static str, method: Method, path: String, effect: Effect) -> Self {
        Self {
            operation,
            method,
            path,
            query: Vec::new(),
            flags: Vec::new(),
            content: Content::Nothing,
            effect,
            timeout: None,
            spares: false,
        }
    }

    pub(super) fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::GET, path.into(), Effect::Read)
    }

    /// A POST that makes something. [`Call::reading`] and [`Call::repeatable`] say otherwise.
    pub(super) fn post(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::POST, path.into(), Effect::Once)
    }

    /// A PUT, which leaves the same state however often it is sent.
    pub(super) fn put(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::PUT, path.into(), Effect::Repeatable)
    }

    pub(super) fn delete(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::DELETE, path.into(), Effect::Repeatable)
    }

    /// Says that it changes nothing, whatever its method.
    pub(super) fn reading(mut self) -> Self {
        self.effect = Effect::Read;
        self
    }

    pub(super) fn repeatable(mut self) -> Self {
        self.effect = Effect::Repeatable;
        self
    }

    pub(super) fn once(mut self) -> Self {
        self.effect = Effect::Once;
        self
    }

    pub(super) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Says that it takes a burden from the server.
    pub(super) fn sparing(mut self) -> Self {
        self.spares = true;
        self
    }

    pub(super) fn query(mut self, key: &str, value: impl Display) -> Self {
        self.query.push((key.to_owned(), value.to_string()));
        self
    }

    pub(super) fn query_if(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// A query parameter without a value, such as `?metadata`.
    pub(super) fn flag(mut self, name: &'static str) -> Self {
        self.flags.push(name);
        self
    }

    pub(super) fn field(mut self, key: &str, value: impl Display) -> Self {
        let pair = (key.to_owned(), value.to_string());
        match &mut self.content {
            Content::Fields(fields) => fields.push(pair),
            _ => self.content = Content::Fields(vec![pair]),
        }
        self
    }

    /// Structured input: one form field named `body` that holds JSON as text.
    pub(super) fn body(self, body: &Value) -> Self {
        self.field("body", body)
    }

    /// The same call with its fields as a JSON body.
    pub(super) fn as_json(&self) -> Self {
        let Content::Fields(fields) = &self.content else { return self.clone() };
        let mut object = serde_json::Map::new();
        for (key, value) in fields {
            match serde_json::from_str(value) {
                Ok(Value::Object(body)) if key == "body" => object.extend(body),
                _ => drop(object.insert(key.clone(), value.as_str().into())),
            }
        }
        Self { content: Content::Json(Value::Object(object)), ..self.clone() }
    }

    pub(super) fn multipart(mut self, form: FormData) -> Self {
        self.content = Content::Multipart(form);
        self
    }

    pub(super) fn operation(&self) -> &'static str {
        self.operation
    }

    fn target(&self) -> String {
        let mut target = format!("/api{}", self.path);
        let encoded = serde_urlencoded::to_string(&self.query).unwrap_or_default();
        let mut joint = '?';
        for part in std::iter::once(encoded.as_str()).chain(self.flags.iter().copied()) {
            if !part.is_empty() {
                target.push(joint);
                target.push_str(part);
                joint = '&';
            }
        }
        target
    }

    pub(super) fn effect(&self) -> Effect {
        self.effect
    }

    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(self.operation, self.method.clone(), self.target())
            .header(header::ACCEPT, "application/json");
        request = match &self.content {
            Content::Nothing => request,
            Content::Fields(fields) => request.form(fields),
            Content::Json(body) => {
                request.payload(Payload::Bytes("application/json", body.to_string().into()))
            }
            Content::Multipart(form) => request.payload(Payload::from(form)),
        };
        request = match self.effect {
            Effect::Once => request,
            Effect::Repeatable => request.repeatable_change(),
            Effect::Read => request.idempotent(),
        };
        if self.spares {
            request = request.sparing();
        }
        match self.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        }
    }
}
