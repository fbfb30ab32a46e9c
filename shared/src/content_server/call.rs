//! One call: what it says, what repeating it would do, and how its answer is judged.

use std::{fmt::Display, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Client,
    error::{Effect, Facts, Form, UNAUTHENTICATED, classify, holds_any, retry_after, sentence, unexpected},
    multipart::FormData,
};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Body, Payload, Request, Response},
};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// A call below `/api`.
pub(super) struct Call {
    operation: &'static str,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    flags: Vec<&'static str>,
    content: Content,
    effect: Effect,
    timeout: Option<Duration>,
}

enum Content {
    Nothing,
    Fields(Vec<(String, String)>),
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

    fn request(&self) -> Request {
        let mut request = Request::new(self.operation, self.method.clone(), self.target())
            .header(header::ACCEPT, "application/json");
        request = match &self.content {
            Content::Nothing => request,
            Content::Fields(fields) => request.form(fields),
            Content::Multipart(form) => request.payload(Payload::from(form)),
        };
        if self.effect != Effect::Once {
            request = request.idempotent();
        }
        match self.timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        }
    }
}

/// A whole answer.
struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Client {
    /// Makes a call and gives its JSON.
    pub(super) async fn json(&self, call: &Call) -> Result<Value> {
        let request = call.request();
        let mut pass = self.session.pass(&self.http, &self.settings).await?;
        let mut renewed = false;
        loop {
            let (status, headers, bytes) = self.http.send_and_read(&pass.present(request.clone())).await?;
            let answer = Whole { status, headers, bytes };
            if !self.is_locked_out(&answer) {
                self.session.note(&pass, &answer.headers).await;
                return self.judge(call, &answer);
            }
            if renewed {
                return Err(self.locked_out(call.operation, &answer));
            }
            // Nothing has happened yet, and every payload opens anew: the same call may go out again.
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// Makes a call and reads its answer as a type.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.json(call).await?;
        T::deserialize(answer).map_err(|error| unexpected(call.operation, call.effect, error))
    }

    /// Makes a call whose answer says nothing of interest.
    pub(super) async fn tell(&self, call: &Call) -> Result<()> {
        self.json(call).await.map(drop)
    }

    /// Makes a call whose answer is content, and hands it over unread. `Response` is a success.
    pub(super) async fn open(&self, call: &Call, range: Option<&str>) -> Result<Response> {
        // A compressed answer has no length to check, so none is asked for.
        let mut request = call
            .request()
            .header(header::ACCEPT, "application/octet-stream")
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let mut pass = self.session.pass(&self.http, &self.settings).await?;
        let mut renewed = false;
        loop {
            let response = self.http.send(&pass.present(request.clone())).await?;
            let page = self.settings.refuse_html_downloads && is_html(&response.headers);
            if response.status.is_success() && !page {
                self.session.note(&pass, &response.headers).await;
                return Ok(response);
            }
            let Response { status, headers, body } = response;
            let answer = Whole { status, headers, bytes: beginning(body).await };
            if !self.is_locked_out(&answer) {
                return Err(self.failure(call, &answer));
            }
            if renewed {
                return Err(self.locked_out(call.operation, &answer));
            }
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// A 401, a redirect, or a log-in form where an answer was due.
    fn is_locked_out(&self, answer: &Whole) -> bool {
        let form = || {
            let text = String::from_utf8_lossy(&answer.bytes).to_lowercase();
            text.trim_start().starts_with('<') && holds_any(&text, &self.settings.texts.login_page)
        };
        answer.status == StatusCode::UNAUTHORIZED
            || answer.status.is_redirection()
            || (answer.status.is_success() && form())
    }

    fn locked_out(&self, operation: &'static str, answer: &Whole) -> Error {
        let text = format!("answered {} right after a fresh sign-in", answer.status);
        Error::new(FailureClass::Auth, System::ContentServer, operation, UNAUTHENTICATED, text).remedy(
            "check that the service user may sign in, and that the servers behind the address share tickets",
        )
    }

    fn judge(&self, call: &Call, answer: &Whole) -> Result<Value> {
        match serde_json::from_slice(&answer.bytes) {
            Ok(value) if answer.status.is_success() && is_success(&value) => Ok(value),
            _ => Err(self.failure(call, answer)),
        }
    }

    fn failure(&self, call: &Call, answer: &Whole) -> Error {
        let parsed: Option<Value> = serde_json::from_slice(&answer.bytes).ok();
        let (form, text) = match &parsed {
            Some(Value::Null) => (Form::Empty, String::new()),
            Some(value) => (Form::Json, sentence(value)),
            None if answer.bytes.is_empty() => (Form::Empty, String::new()),
            None => (Form::Page, String::new()),
        };
        classify(
            &self.settings.texts,
            &Facts {
                operation: call.operation,
                effect: call.effect,
                status: answer.status.as_u16(),
                retry_after: retry_after(&answer.headers),
                form,
                text: &text,
            },
        )
    }
}

/// An answer that is there and does not carry an error.
fn is_success(value: &Value) -> bool {
    !value.is_null() && value.get("error").and_then(Value::as_str).is_none_or(str::is_empty)
}

fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// Enough of a body to see what failed.
async fn beginning(mut body: Body) -> Bytes {
    const ENOUGH: usize = 64 << 10;
    let mut bytes = BytesMut::new();
    while bytes.len() < ENOUGH {
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    bytes.extend_from_slice(&data);
                }
            }
            Some(Err(_)) | None => break,
        }
    }
    bytes.freeze()
}
