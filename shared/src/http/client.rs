use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::{
    Answered, Body, Pace, Payload, Transport, TransportError, TransportErrorKind, body, retry_after,
};
use crate::{
    context::Context,
    error::{Error, FailureClass, Result, System},
    lost_answers,
};

/// Bounds of a call to an outside system.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// Time without an answer head after which an attempt is given up, for calls without a large body.
    pub answer: Duration,
    /// An answer head that takes longer shows that the target struggles; not for calls with a time-out of their own.
    pub slow: Duration,
    /// The longest pause between two attempts; anything longer is the queue's business.
    pub pause: Duration,
    /// The largest answer read into memory, in bytes.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 3,
            answer: Duration::from_secs(30),
            slow: Duration::from_secs(10),
            pause: Duration::from_secs(4),
            answer_bytes: 16 << 20,
        }
    }
}

/// Calls one vendor system: spaces requests, repeats those that may be repeated, reads answers within bounds.
#[derive(Debug, Clone)]
pub struct Client {
    system: System,
    base: Arc<str>,
    transport: Transport,
    context: Context,
    pace: Pace,
    limits: Limits,
}

/// One request of a vendor client.
#[derive(Debug, Clone)]
pub struct Request {
    operation: &'static str,
    method: Method,
    target: String,
    headers: HeaderMap,
    payload: Payload,
    idempotent: bool,
    repeats: bool,
    timeout: Option<Duration>,
    spares: bool,
}

impl Request {
    /// A request to a path below the client's base address (query included, already encoded).
    pub fn new(operation: &'static str, method: Method, target: impl Into<String>) -> Self {
        let idempotent = method.is_safe();
        Self {
            operation,
            method,
            target: target.into(),
            headers: HeaderMap::new(),
            payload: Payload::Empty,
            idempotent,
            repeats: false,
            timeout: None,
            spares: false,
        }
    }

    /// Says that it takes a burden from the target, such as what will never be used: it is sent even while the target
    /// wants to be left alone.
    #[must_use]
    pub fn sparing(mut self) -> Self {
        self.spares = true;
        self
    }

    /// Says that repeating the request does no harm, whatever its method.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Says that repeating the request does no harm although it changes something: when its answer is lost, it may still take
    /// effect after the repetition, over whatever was changed in between.
    #[must_use]
    pub fn repeatable_change(mut self) -> Self {
        self.repeats = true;
        self.idempotent()
    }

    /// Sets how long to wait for the answer head, for calls known to be slow or to carry a large body.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Adds a header; a value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets what it carries.
    #[must_use]
    pub fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Sets form fields as what it carries.
    #[must_use]
    pub fn form(self, fields: &[(String, String)]) -> Self {
        let encoded = serde_urlencoded::to_string(fields).unwrap_or_default();
        self.payload(Payload::Bytes("application/x-www-form-urlencoded", encoded.into()))
    }

    /// What is being done.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

/// An answer whose body has not been read yet.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl Client {
    /// A client for the system at `base`, without a trailing slash.
    pub fn new(
        system: System,
        base: &str,
        transport: Transport,
        context: Context,
        pace: Pace,
        limits: Limits,
    ) -> Self {
        Self { system, base: base.trim_end_matches('/').into(), transport, context, pace, limits }
    }

    /// The context it runs in.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The system it calls.
    pub fn system(&self) -> System {
        self.system
    }

    /// The configured address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request and returns the answer head, whatever its status. Lost connections are tried again when the
    /// request may be repeated; 429, and 502 to 504 on requests that may be repeated, likewise.
    ///
    /// # Errors
    /// `Throttled`, and nothing is sent, while the target wants to be left alone for longer than a pause between two
    /// attempts; `Transient` when no connection could be made, `UnknownOutcome` when a request that may not be repeated was
    /// sent and no answer came.
    pub async fn send(&self, request: &Request) -> Result<Response> {
        let mut attempt = 1;
        loop {
            let (outcome, took) = self.attempt(request).await?;
            let last = attempt >= self.limits.attempts;
            self.adapt(request, &outcome, took);
            if request.repeats && is_lost(&outcome) {
                lost_answers::note();
            }
            let pause = match &outcome {
                Ok(response) => match response.status.as_u16() {
                    status @ (429 | 502..=504) => {
                        let asked = retry_after(&response.headers);
                        let repeatable = status == 429 || request.idempotent;
                        if !repeatable || asked.is_some_and(|asked| asked > self.limits.pause) {
                            None
                        } else {
                            Some(asked.unwrap_or_else(|| self.backoff(attempt)))
                        }
                    }
                    _ => None,
                },
                Err(error) => match error.kind {
                    TransportErrorKind::Connect => Some(self.backoff(attempt)),
                    TransportErrorKind::Timeout | TransportErrorKind::Interrupted if request.idempotent => {
                        Some(self.backoff(attempt))
                    }
                    _ => None,
                },
            };
            match (outcome, pause) {
                (_, Some(pause)) if !last => self.context.sleep(pause).await,
                (Ok(response), _) => return Ok(response),
                (Err(error), _) => return Err(self.lost(request, error)),
            }
            attempt += 1;
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// As [`Client::send`]; an answer that breaks off is treated like one that never came.
    pub async fn send_and_read(&self, request: &Request) -> Result<(StatusCode, HeaderMap, Bytes)> {
        let response = self.send(request).await?;
        let bytes = self.read(request.operation, request.idempotent, response.body).await?;
        Ok((response.status, response.headers, bytes))
    }

    /// Reads the whole of an answer, within bounds.
    ///
    /// # Errors
    /// When it breaks off, stops coming, or is too large.
    pub(crate) async fn read(
        &self,
        operation: &'static str,
        idempotent: bool,
        mut body: Body,
    ) -> Result<Bytes> {
        let mut bytes = BytesMut::new();
        let class = if idempotent { FailureClass::Transient } else { FailureClass::UnknownOutcome };
        loop {
            let frame = tokio::time::timeout(self.limits.answer, body.frame()).await.map_err(|elapsed| {
                Error::new(class, self.system, operation, "answer.stalled", "the answer stopped coming")
                    .source(elapsed)
            })?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| {
                Error::new(class, self.system, operation, "answer.cut", "the answer broke off").source(error)
            })?;
            if let Ok(data) = frame.into_data() {
                if bytes.len() + data.len() > self.limits.answer_bytes {
                    return Err(Error::new(
                        FailureClass::Invalid,
                        self.system,
                        operation,
                        "answer.too-large",
                        format!("the answer is larger than {} bytes", self.limits.answer_bytes),
                    ));
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(bytes.freeze())
    }

    /// One attempt, and how long it took from the moment it was its turn.
    async fn attempt(&self, request: &Request) -> Result<(Result<Response, TransportError>, Duration)> {
        let mut outgoing = http::Request::builder()
            .method(request.method.clone())
            .uri(format!("{}{}", self.base, request.target));
        if let Some(headers) = outgoing.headers_mut() {
            headers.extend(request.headers.clone());
        }
        let (outgoing, body) = match &request.payload {
            Payload::Empty => (outgoing, body::empty()),
            Payload::Bytes(content_type, bytes) => {
                (outgoing.header(header::CONTENT_TYPE, *content_type), body::full(bytes.clone()))
            }
            Payload::Stream(content_type, stream) => (
                outgoing
                    .header(header::CONTENT_TYPE, content_type)
                    .header(header::CONTENT_LENGTH, stream.length()),
                stream.open().await?,
            ),
        };
        let outgoing = outgoing.body(body).map_err(|error| {
            Error::new(
                FailureClass::Bug,
                self.system,
                request.operation,
                "http.request",
                "the request could not be formed",
            )
            .source(error)
        })?;
        let closed = self.pace.closed_for();
        let goes_all_the_same = request.spares && !closed.is_zero();
        if closed > self.limits.pause && !goes_all_the_same {
            // Waiting for it here would use up the time of every item there is.
            let message = "the target asked to be left alone for longer than a request may wait";
            let error =
                Error::new(FailureClass::Throttled, self.system, request.operation, "http.pause", message);
            return Err(error.not_before(closed));
        }
        if !goes_all_the_same {
            self.pace.slot().await;
        }
        let timeout = request.timeout.unwrap_or(self.limits.answer);
        let began = Instant::now();
        let outcome = match tokio::time::timeout(timeout, self.transport.send(outgoing)).await {
            Ok(Ok(response)) => {
                let (parts, body) = response.into_parts();
                Answered::note(self.system, parts.status);
                Ok(Response { status: parts.status, headers: parts.headers, body })
            }
            Ok(Err(error)) => Err(error),
            Err(elapsed) => Err(TransportError::new(TransportErrorKind::Timeout, elapsed)),
        };
        let took = began.elapsed();
        Answered::took(took);
        Ok((outcome, took))
    }

    /// Sends less to a target that says it has too much, or looks like it; more again to one that answers well.
    fn adapt(&self, request: &Request, outcome: &Result<Response, TransportError>, took: Duration) {
        let response = match outcome {
            Ok(response) => response,
            Err(error) if error.kind == TransportErrorKind::Timeout => return self.pace.ease_off(),
            Err(_) => return,
        };
        let is_slow = request.timeout.is_none() && took > self.limits.slow;
        match (response.status.as_u16(), retry_after(&response.headers)) {
            (429, asked) => self.pace.slow_down(asked),
            (502..=504, Some(asked)) => self.pace.slow_down(Some(asked)),
            (502..=504, None) => self.pace.ease_off(),
            // With a page in it, it comes from what stands before the target; else it is an answer like others.
            (500, _) if is_page(&response.headers) => self.pace.ease_off(),
            _ if is_slow => self.pace.ease_off(),
            (200..=499, _) => self.pace.speed_up(),
            _ => {}
        }
    }

    fn backoff(&self, attempt: u32) -> Duration {
        let ceiling = Duration::from_millis(200 << attempt.min(8)).min(self.limits.pause);
        self.context.jitter(ceiling)
    }

    fn lost(&self, request: &Request, error: TransportError) -> Error {
        let (class, code) = match error.kind {
            TransportErrorKind::Unsendable => (FailureClass::Bug, "http.request"),
            TransportErrorKind::Connect => (FailureClass::Transient, "http.no-connection"),
            TransportErrorKind::Timeout if request.idempotent => (FailureClass::Transient, "http.timeout"),
            TransportErrorKind::Interrupted if request.idempotent => {
                (FailureClass::Transient, "http.interrupted")
            }
            TransportErrorKind::Timeout => (FailureClass::UnknownOutcome, "http.timeout"),
            TransportErrorKind::Interrupted => (FailureClass::UnknownOutcome, "http.interrupted"),
        };
        Error::new(class, self.system, request.operation, code, error.to_string()).source(error)
    }
}

/// Whether nobody knows what became of a request.
fn is_lost(outcome: &Result<Response, TransportError>) -> bool {
    match outcome {
        Ok(response) => response.status == StatusCode::GATEWAY_TIMEOUT,
        Err(error) => matches!(error.kind, TransportErrorKind::Timeout | TransportErrorKind::Interrupted),
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/html")
}
