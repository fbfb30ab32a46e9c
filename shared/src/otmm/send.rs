//! Sending a call: in the session, once more after it was opened anew, and judging what comes back.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{Effect, Facts, NOT_FOUND, UNAUTHENTICATED, classify, failure, unexpected},
    session::{Pass, milliseconds},
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Body, Form, Request, Response},
};

/// A whole answer, or as much of it as shows what failed.
struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
}

pub(super) fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// What kind of body it is, seen from what it was read as.
pub(super) fn form_of(answer: &Value, bytes: &[u8]) -> Form {
    match answer {
        Value::Null if bytes.trim_ascii().is_empty() || bytes.trim_ascii() == b"null" => Form::Empty,
        Value::Null => Form::Page,
        _ => Form::Words,
    }
}

impl Client {
    /// Makes a call and gives its JSON: `Null` when it has none.
    pub(super) async fn tell(&self, call: &Call) -> Result<Value> {
        let request = call.request(self.settings.api_version.path())?;
        let mut pass = self.pass_for(call).await?;
        let mut renewed = false;
        loop {
            let idle = pass.idle(self.now_milliseconds());
            let (status, headers, bytes) = self.http.send_and_read(&pass.present(request.clone())).await?;
            pass.note(&headers);
            let whole = Whole { status, headers, bytes };
            if renewed || !self.is_shut(call, idle, &whole) {
                return self.judge(call, &pass, &whole).await;
            }
            // Nothing has happened yet, and every payload opens anew: the same call may go out again.
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// Makes a call and gives its JSON, which has to be there.
    pub(super) async fn ask(&self, call: &Call) -> Result<Value> {
        match self.tell(call).await? {
            Value::Null => {
                let whole = Whole { status: StatusCode::OK, headers: HeaderMap::new(), bytes: Bytes::new() };
                Err(self.failure(call, &whole))
            }
            answer => Ok(answer),
        }
    }

    /// Makes a call and gives the member of its answer that a pointer such as `/asset_resource/asset` leads to.
    pub(super) async fn ask_for(&self, call: &Call, pointer: &str) -> Result<Value> {
        let mut answer = self.ask(call).await?;
        match answer.pointer_mut(pointer).map(Value::take) {
            Some(member) if !member.is_null() => Ok(member),
            _ => Err(unexpected(call.operation(), call.effect(), format_args!("no {pointer} in it"))),
        }
    }

    /// Makes a call whose answer is content, and hands it over unread. `Response` is a success.
    /// A page is none, unless the content is known to be one.
    pub(super) async fn open(&self, call: &Call, range: Option<&str>, may_be_page: bool) -> Result<Response> {
        // A compressed answer has no length to check, so none is asked for.
        let request = call
            .request(self.settings.api_version.path())?
            .header(header::ACCEPT, "*/*")
            .header(header::ACCEPT_ENCODING, "identity");
        let request = match range {
            Some(range) => request.header(header::RANGE, range),
            None => request,
        };
        let mut pass = self.pass_for(call).await?;
        let mut renewed = false;
        loop {
            let idle = pass.idle(self.now_milliseconds());
            let response = self.http.send(&pass.present(request.clone())).await?;
            pass.note(&response.headers);
            if response.status.is_success() && (may_be_page || !is_page(&response.headers)) {
                self.note_taken(&pass).await;
                return Ok(response);
            }
            let Response { status, headers, body } = response;
            let bytes = beginning(body, self.settings.answer()).await;
            let whole = Whole { status, headers, bytes };
            if renewed || !self.is_shut(call, idle, &whole) {
                return Err(self.refusal(call, &pass, &whole).await);
            }
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// A pass that is likely to be taken, where finding out later would have cost the sending of a large body.
    async fn pass_for(&self, call: &Call) -> Result<Pass> {
        let pass = self.session.pass(&self.http, &self.settings).await?;
        let most = self.settings.session.ask_after_idle_seconds;
        if !call.carries_content() || most == 0 || !pass.is_session() {
            return Ok(pass);
        }
        if pass.idle(self.now_milliseconds()) < milliseconds(most) {
            return Ok(pass);
        }
        let target = format!("{}/sessions", self.settings.api_version.path());
        let request = Request::new("ask for the session", Method::GET, target);
        let (status, headers, bytes) = self.http.send_and_read(&pass.present(request)).await?;
        pass.note(&headers);
        if status.is_success() && form_of(&parsed(&bytes), &bytes) == Form::Words {
            return Ok(pass);
        }
        self.session.renew(&pass, &self.http, &self.settings).await
    }

    /// The pass was taken.
    async fn note_taken(&self, pass: &Pass) {
        pass.touch(self.now_milliseconds());
        self.session.note_success(pass).await;
    }

    /// Whether the answer says that the session has ended, in one of the ways that may be said. A page in place of the answer
    /// to a call that must not be repeated is believed only when it is one to sign in with.
    fn is_shut(&self, call: &Call, idle: i64, whole: &Whole) -> bool {
        let long = milliseconds(self.settings.session.forbidden_renews_after_idle_seconds);
        match whole.status.as_u16() {
            401 | 300..=399 => true,
            403 => idle > long || self.is_login_page(&whole.bytes),
            200..=299 if form_of(&parsed(&whole.bytes), &whole.bytes) == Form::Page => {
                call.effect() != Effect::Once || self.is_login_page(&whole.bytes)
            }
            _ => false,
        }
    }

    fn is_login_page(&self, bytes: &[u8]) -> bool {
        if !bytes.trim_ascii_start().starts_with(b"<") {
            return false;
        }
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        self.settings
            .texts
            .login_page
            .iter()
            .any(|mark| !mark.is_empty() && text.contains(&mark.to_lowercase()))
    }

    async fn judge(&self, call: &Call, pass: &Pass, whole: &Whole) -> Result<Value> {
        let answer = parsed(&whole.bytes);
        let is_answer = form_of(&answer, &whole.bytes) != Form::Page;
        // One that comes along with the outcome of many is read with it.
        let refuses = answer.get("exception_body").is_some()
            && answer.as_object().is_none_or(|members| members.len() == 1);
        if whole.status.is_success() && is_answer && !refuses {
            self.note_taken(pass).await;
            return Ok(answer);
        }
        Err(self.refusal(call, pass, whole).await)
    }

    async fn refusal(&self, call: &Call, pass: &Pass, whole: &Whole) -> Error {
        if whole.status != StatusCode::UNAUTHORIZED {
            if whole.status != StatusCode::FORBIDDEN {
                self.note_taken(pass).await;
            }
            return self.failure(call, whole);
        }
        let text = "answered 401 right after the session was opened";
        self.session.note_refusal(pass, self.http.context(), text).await;
        failure(FailureClass::Auth, call.operation(), UNAUTHENTICATED, text)
            .remedy("check the OTMM secret, and that all nodes behind the address share their sessions")
    }

    fn failure(&self, call: &Call, whole: &Whole) -> Error {
        let answer = parsed(&whole.bytes);
        let facts = Facts {
            operation: call.operation(),
            effect: call.effect(),
            names: &call.names(),
            status: whole.status,
            headers: &whole.headers,
            form: form_of(&answer, &whole.bytes),
            answer: &answer,
        };
        classify(&self.settings.texts, &facts)
    }
}

/// What is not there as nothing.
pub(super) fn absent_as_none<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    text_of(headers, &header::CONTENT_TYPE).trim_start().to_ascii_lowercase().starts_with("text/html")
}

pub(super) fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Enough of a body to see what failed.
async fn beginning(mut body: Body, patience: std::time::Duration) -> Bytes {
    const ENOUGH: usize = 64 << 10;
    let mut bytes = BytesMut::new();
    while bytes.len() < ENOUGH {
        match tokio::time::timeout(patience, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    bytes.extend_from_slice(&data);
                }
            }
            _ => break,
        }
    }
    bytes.freeze()
}
