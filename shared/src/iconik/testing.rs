//! A server made of canned answers, which keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;

use super::{Client, Credential, Settings};
use crate::{
    context::Context,
    http::{Body, Pace, Transport, TransportError, TransportErrorKind, full},
};

pub(super) const BASE: &str = "https://eu.iconik.io";
const APPLICATION: &str = r#"{"mode":"application-token","app_id":"app","auth_token":"hush"}"#;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Asked {
    /// Method and path; calls of the interface without `/API/`, others with their host.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// One canned answer.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// After how many bytes the body breaks off.
    cut: Option<usize>,
    /// Nothing comes at all.
    lost: bool,
}

impl Answer {
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
}

pub(super) fn answer(status: u16, body: impl ToString) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, headers, body: body.to_string().into_bytes(), cut: None, lost: false }
}

pub(super) fn page(status: u16) -> Answer {
    let headers = vec![("content-type", "text/html".to_owned())];
    let body = b"<html><body>Bad Gateway</body></html>".to_vec();
    Answer { status, headers, body, cut: None, lost: false }
}

/// The request arrived, the answer did not.
pub(super) fn lost() -> Answer {
    Answer { lost: true, ..nothing(200) }
}

pub(super) fn nothing(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: Vec::new(), cut: None, lost: false }
}

/// Bytes of a storage.
pub(super) fn bytes(status: u16, body: &[u8]) -> Answer {
    let headers = vec![("content-length", body.len().to_string())];
    Answer { status, headers, body: body.to_vec(), cut: None, lost: false }
}

/// A part of the bytes of a storage.
pub(super) fn range(whole: &[u8], from: usize, to: usize) -> Answer {
    bytes(206, &whole[from..to])
        .header("content-range", &format!("bytes {from}-{}/{}", to - 1, whole.len()))
        .header("etag", "\"mark\"")
}

/// The server. Tokens by OAuth are `t1`, `t2`, …; everything else gets the next canned answer.
#[derive(Clone, Default)]
pub(super) struct Canned {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    tokens: Arc<Mutex<u32>>,
    token_answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Canned {
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let canned = Self::default();
        canned.answers.lock().unwrap().extend(answers);
        canned
    }

    /// Answers to asking for a token, in place of a token each.
    pub(super) fn tokens(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.token_answers.lock().unwrap().extend(answers);
        self
    }

    /// How often a token was asked for.
    pub(super) fn tokens_asked(&self) -> u32 {
        *self.tokens.lock().unwrap()
    }

    /// What was asked, tokens left out.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    pub(super) fn client(&self) -> Client {
        self.client_with(Settings::at(BASE))
    }

    pub(super) fn client_with(&self, settings: Settings) -> Client {
        self.client_as(settings, APPLICATION, 10_000.0)
    }

    /// A client that sends so many requests per second at most.
    pub(super) fn client_paced(&self, per_second: f64) -> Client {
        self.client_as(Settings::at(BASE), APPLICATION, per_second)
    }

    pub(super) fn oauth_client(&self, settings: Settings) -> Client {
        let secret = r#"{"mode":"oauth-client","client_id":"app","client_secret":"hush"}"#;
        self.client_as(settings, secret, 10_000.0)
    }

    fn client_as(&self, settings: Settings, secret: &str, per_second: f64) -> Client {
        let canned = self.clone();
        let transport = Transport::in_process(move |request| {
            let canned = canned.clone();
            async move { canned.respond(request).await }
        });
        let context = Context::simulated("2031-05-06T07:08:09Z".parse().unwrap(), 7);
        let credential = Credential::from_json(secret).unwrap();
        Client::new(settings, credential, transport, context, Pace::per_second(per_second))
    }

    async fn respond(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        let (head, body) = request.into_parts();
        let broke = |_| TransportError::new(TransportErrorKind::Interrupted, "the request broke off");
        let body = body.collect().await.map_err(broke)?.to_bytes().to_vec();
        let address = head.uri.to_string();
        let target = address.strip_prefix(BASE).unwrap_or(&address);
        let target = target.strip_prefix("/API/").unwrap_or(target).to_owned();
        if target == "auth/v1/oauth/token/" {
            assert_eq!(head.headers.get("auth-token"), None);
            let number = {
                let mut tokens = self.tokens.lock().unwrap();
                *tokens += 1;
                *tokens
            };
            let canned = self.token_answers.lock().unwrap().pop_front();
            // So that calls that need a token at the same time really do.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            let usual =
                || answer(200, serde_json::json!({"token": format!("t{number}"), "expires_in": 3600}));
            return canned.unwrap_or_else(usual).response();
        }
        self.asked.lock().unwrap().push(Asked {
            method: head.method.to_string(),
            target: target.clone(),
            headers: head.headers,
            body,
        });
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| panic!("one call more than canned answers: {target}")).response()
    }
}

impl Answer {
    fn response(self) -> Result<http::Response<Body>, TransportError> {
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
