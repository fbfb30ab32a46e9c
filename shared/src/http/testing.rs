//! Canned answers, and what was asked, for tests of clients.

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;

use super::{Body, TransportError, TransportErrorKind, full};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// Method and target.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// One canned answer.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// After how many bytes the body breaks off.
    cut: Option<usize>,
    /// Nothing comes at all.
    lost: bool,
}

impl Answer {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
}

pub(crate) fn answer(status: u16, body: impl ToString) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, headers, body: body.to_string().into_bytes(), cut: None, lost: false }
}

pub(crate) fn page(status: u16) -> Answer {
    let headers = vec![("content-type", "text/html".to_owned())];
    let body = b"<html><body>Bad Gateway</body></html>".to_vec();
    Answer { status, headers, body, cut: None, lost: false }
}

/// The request arrived, the answer did not.
pub(crate) fn lost() -> Answer {
    Answer { lost: true, ..nothing(200) }
}

pub(crate) fn nothing(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: Vec::new(), cut: None, lost: false }
}

/// Bytes of a storage.
pub(crate) fn bytes(status: u16, body: &[u8]) -> Answer {
    let headers = vec![("content-length", body.len().to_string())];
    Answer { status, headers, body: body.to_vec(), cut: None, lost: false }
}

/// A part of the bytes of a storage.
pub(crate) fn range(whole: &[u8], from: usize, to: usize) -> Answer {
    bytes(206, &whole[from..to])
        .header("content-range", &format!("bytes {from}-{}/{}", to - 1, whole.len()))
        .header("etag", "\"mark\"")
}

impl Answer {
    /// As it goes out.
    pub(crate) fn response(self) -> Result<http::Response<Body>, TransportError> {
        if self.lost {
            return Err(TransportError::new(TransportErrorKind::Interrupted, "the answer was lost"));
        }
        let response = http::Response::builder().status(self.status);
        let response =
            self.headers.iter().fold(response, |response, (name, value)| response.header(*name, value));
        let body = match self.cut {
            None => full(self.body),
            Some(after) => {
                let beginning = Bytes::copy_from_slice(&self.body[..after]);
                let frames: Vec<Result<Frame<Bytes>, Box<dyn std::error::Error + Send + Sync>>> =
                    vec![Ok(Frame::data(beginning)), Err("the connection was cut".into())];
                StreamBody::new(futures_util::stream::iter(frames)).boxed()
            }
        };
        Ok(response.body(body).unwrap())
    }
}
