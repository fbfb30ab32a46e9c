//! The way of one call through the frame: journal, faults, latency.

use std::future::Future;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{Refuse, Simulator, html, with_retry_after};
use crate::faults::{Action, Dropped};

impl<State: 'static, Settings: 'static> Simulator<State, Settings> {
    /// Serves one request; `act` does the call. It gets the request and the number of its journal entry.
    pub(super) async fn pass<Act, Done>(
        &self,
        request: Request<Body>,
        refuse: Refuse,
        act: Act,
    ) -> Response<Body>
    where
        Act: FnOnce(Self, Request<Body>, u64) -> Done,
        Done: Future<Output = Response<Body>>,
    {
        let (journal, faults) = (self.journal(), self.faults());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let query = uri.query().unwrap_or_default();
        let sequence = journal.begin(self.clock().now(), method.as_str(), uri.path(), query);
        let full = if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) };
        let fault = faults.meet(method.as_str(), &full);
        if let Some(fault) = &fault {
            let name = json!(fault).get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            journal.note(sequence, |entry| entry.fault = Some(name));
        }
        let latency = Duration::from_millis((self.system().latency)(&mut self.lock()));
        let pause = fault.as_ref().and_then(Action::delay).unwrap_or_default() + latency;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if fault == Some(Action::DropBeforeEffect) {
            return dropped();
        }
        let response = match fault.as_ref().and_then(|fault| instead(fault, refuse)) {
            Some(response) => {
                // A client notices a refusal only after it has sent all.
                let received = drain(request.into_body()).await;
                journal.note(sequence, |entry| entry.received = received);
                response
            }
            None => act(self.clone(), request, sequence).await,
        };
        let response = match fault {
            Some(Action::DropAfterEffect) => return dropped(),
            Some(Action::StatusAfterEffect { status }) => html(status, "Gateway Timeout"),
            Some(Action::CutBody { at }) => spoil(response, Spoil::Cut(at)),
            Some(Action::CorruptByte { at }) => spoil(response, Spoil::Corrupt(at)),
            _ => response,
        };
        journal.note(sequence, |entry| entry.status = response.status().as_u16());
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
fn instead(fault: &Action, refuse: Refuse) -> Option<Response<Body>> {
    Some(match fault {
        Action::Status { status, body, content_type, retry_after } => {
            let mut response = refuse(*status, "A fault was injected.");
            if let Some(body) = body {
                *response.body_mut() = Body::from(body.clone());
            }
            if let Some(kind) = content_type.as_deref().and_then(|kind| HeaderValue::from_str(kind).ok()) {
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            with_retry_after(response, *retry_after)
        }
        Action::Unauthorized => refuse(401, "Authentication Required"),
        Action::Forbidden => refuse(403, "Forbidden"),
        Action::Conflict => refuse(409, "Could not update metadata (edit conflict)."),
        Action::Locked => refuse(423, "Locked"),
        Action::RateLimited { retry_after } => {
            with_retry_after(refuse(429, "Too Many Requests"), Some(*retry_after))
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
