//! What every simulator does around a call: journal, faults, latency.

use std::future::Future;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::faults::{Action, Dropped, Faults};
use crate::journal::Journal;

/// The parts of a simulator that a call passes before and after it is done.
pub(crate) struct Frame<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) faults: &'a Faults,
    pub(crate) journal: &'a Journal,
    /// How long each call takes at least.
    pub(crate) latency: Duration,
    /// An error of the imitated system with this status and sentence.
    pub(crate) refusal: fn(u16, &str) -> Response<Body>,
}

impl Frame<'_> {
    /// Serves one request; `act` does the call. It gets the request and the number of its journal entry.
    pub(crate) async fn answer<Act, Done>(self, request: Request<Body>, act: Act) -> Response<Body>
    where
        Act: FnOnce(Request<Body>, u64) -> Done,
        Done: Future<Output = Response<Body>>,
    {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let query = uri.query().unwrap_or_default();
        let sequence = self.journal.begin(self.clock.now(), method.as_str(), uri.path(), query);
        let full = if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) };
        let fault = self.faults.meet(method.as_str(), &full);
        if let Some(fault) = &fault {
            let name = json!(fault).get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            self.journal.note(sequence, |entry| entry.fault = Some(name));
        }
        let pause = fault.as_ref().and_then(Action::delay).unwrap_or_default() + self.latency;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if fault == Some(Action::DropBeforeEffect) {
            return dropped();
        }
        let response = match fault.as_ref().and_then(|fault| instead(fault, self.refusal)) {
            Some(response) => {
                // A client notices a refusal only after it has sent all.
                let received = drain(request.into_body()).await;
                self.journal.note(sequence, |entry| entry.received = received);
                response
            }
            None => act(request, sequence).await,
        };
        let response = match fault {
            Some(Action::DropAfterEffect) => return dropped(),
            Some(Action::StatusAfterEffect { status }) => html(status, "Gateway Timeout"),
            Some(Action::CutBody { at }) => spoil(response, Spoil::Cut(at)),
            Some(Action::CorruptByte { at }) => spoil(response, Spoil::Corrupt(at)),
            _ => response,
        };
        self.journal.note(sequence, |entry| entry.status = response.status().as_u16());
        if method == Method::HEAD { without_body(response) } else { response }
    }
}

/// Reads a body to its end and says how long it was.
async fn drain(body: Body) -> u64 {
    let mut received = 0;
    let mut pieces = body.into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        received += piece.len() as u64;
    }
    received
}

/// A body of at most this many bytes; `None` for a longer one. That is read to its end too, because a client notices a refusal
/// only after it has sent all.
pub(crate) async fn read(body: Body, limit: usize) -> Option<Bytes> {
    let (mut read, mut fits) = (BytesMut::new(), true);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.ok()?;
        fits &= read.len() + piece.len() <= limit;
        if fits {
            read.extend_from_slice(&piece);
        }
    }
    fits.then(|| read.freeze())
}

/// What a HEAD gets: the headers, with the length the body would have.
fn without_body(mut response: Response<Body>) -> Response<Body> {
    if let (None, Some(length)) =
        (response.headers().get(header::CONTENT_LENGTH), response.body().size_hint().exact())
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    response.map(|_| Body::empty())
}

/// The response a fault gives in place of the call.
fn instead(fault: &Action, refusal: fn(u16, &str) -> Response<Body>) -> Option<Response<Body>> {
    Some(match fault {
        Action::Status { status, body, content_type, retry_after } => {
            let mut response = refusal(*status, "A fault was injected.");
            if let Some(body) = body {
                *response.body_mut() = Body::from(body.clone());
            }
            if let Some(kind) = content_type.as_deref().and_then(|kind| HeaderValue::from_str(kind).ok()) {
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            with_retry_after(response, *retry_after)
        }
        Action::Unauthorized => refusal(401, "Authentication Required"),
        Action::Forbidden => refusal(403, "Forbidden"),
        Action::Conflict => refusal(409, "Could not update metadata (edit conflict)."),
        Action::Locked => refusal(423, "Locked"),
        Action::RateLimited { retry_after } => {
            with_retry_after(refusal(429, "Too Many Requests"), Some(*retry_after))
        }
        Action::HtmlError => html(500, "Error Processing Request. Please try again."),
        Action::HtmlOk => html(200, "Content Server Client Error"),
        Action::EmptyOk => Response::new(Body::empty()),
        Action::NoContent => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        _ => return None,
    })
}

pub(crate) fn with_retry_after(mut response: Response<Body>, seconds: Option<u64>) -> Response<Body> {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// JSON with this status.
pub(crate) fn json_response(status: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A page with one sentence.
pub(crate) fn html(status: u16, text: &str) -> Response<Body> {
    let page =
        format!("<!DOCTYPE html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>");
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    response
}

fn dropped() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Dropped);
    response
}

enum Spoil {
    Cut(u64),
    Corrupt(u64),
}

/// Cuts or corrupts a body while it streams. The announced length stays.
fn spoil(response: Response<Body>, how: Spoil) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let (None, Some(length)) = (parts.headers.get(header::CONTENT_LENGTH), body.size_hint().exact()) {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    let pieces = body.into_data_stream();
    let spoiled = stream::try_unfold((pieces, 0_u64, how), |(mut pieces, at, how)| async move {
        let Some(piece) = pieces.next().await else {
            return match how {
                Spoil::Cut(cut) if at > cut => Err(std::io::ErrorKind::ConnectionReset.into()),
                _ => Ok(None),
            };
        };
        let piece = piece.map_err(std::io::Error::other)?;
        let next = at + piece.len() as u64;
        let piece = match how {
            Spoil::Cut(cut) if at >= cut => {
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
            }
            Spoil::Cut(cut) if next > cut => piece.slice(..usize::try_from(cut - at).unwrap_or(0)),
            Spoil::Corrupt(position) if (at..next).contains(&position) => {
                let mut bytes = piece.to_vec();
                let index = usize::try_from(position - at).unwrap_or(0);
                if let Some(byte) = bytes.get_mut(index) {
                    *byte ^= 0x01;
                }
                bytes.into()
            }
            _ => piece,
        };
        let done = at + piece.len() as u64;
        // After a cut piece the next step fails, which breaks the connection.
        let at = if done < next { next } else { done };
        Ok(Some((piece, (pieces, at, how))))
    });
    Response::from_parts(parts, Body::from_stream(spoiled))
}
