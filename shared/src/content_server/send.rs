//! Sending a call: with the session's ticket, once more after a renewal, and judging what comes back.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{Facts, Form, UNAUTHENTICATED, begins_with_any, classify, holds_any, sentence, unexpected},
    session::Pass,
};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::{Body, Response, retry_after},
};

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
                self.note(&pass, &answer).await;
                return self.judge(call, &answer);
            }
            if renewed {
                return Err(self.locked_out(call.operation(), &answer));
            }
            // Nothing has happened yet, and every payload opens anew: the same call may go out again.
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// Makes a call and reads its answer as a type.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.json(call).await?;
        T::deserialize(answer).map_err(|error| unexpected(call.operation(), call.effect(), error))
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
                self.note(&pass, &answer).await;
                return Err(self.failure(call, &answer));
            }
            if renewed {
                return Err(self.locked_out(call.operation(), &answer));
            }
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// A 401 or what says the same, a redirect, or a log-in form where an answer was due.
    fn is_locked_out(&self, answer: &Whole) -> bool {
        let said = || {
            let text =
                serde_json::from_slice(&answer.bytes).map(|whole: Value| sentence(&whole).to_lowercase());
            // Further on it may be part of an item's name.
            text.is_ok_and(|text| begins_with_any(&text, &self.settings.texts.unauthenticated))
        };
        let form = || {
            let text = String::from_utf8_lossy(&answer.bytes).to_lowercase();
            is_page(&answer.bytes) && holds_any(&text, &self.settings.texts.login_page)
        };
        answer.status == StatusCode::UNAUTHORIZED
            || answer.status.is_redirection()
            || (matches!(answer.status.as_u16(), 400 | 500) && said())
            || (answer.status.is_success() && form())
    }

    /// Keeps the ticket an answer brings; after a page that came as a success, none.
    async fn note(&self, pass: &Pass, answer: &Whole) {
        if answer.status.is_success() && is_page(&answer.bytes) {
            self.session.doubt(pass).await;
        } else {
            self.session.note(pass, &answer.headers).await;
        }
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
                operation: call.operation(),
                effect: call.effect(),
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

fn is_page(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
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
