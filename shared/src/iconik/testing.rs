//! A server made of canned answers, which keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use http_body_util::BodyExt;

use super::{Client, Credential, Settings};
pub(super) use crate::http::testing::{Answer, Asked, answer, bytes, lost, nothing, page, range};
use crate::{
    context::Context,
    http::{Body, Pace, Transport, TransportError, TransportErrorKind},
};

pub(super) const BASE: &str = "https://eu.iconik.io";
const APPLICATION: &str = r#"{"mode":"application-token","app_id":"app","auth_token":"hush"}"#;

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
