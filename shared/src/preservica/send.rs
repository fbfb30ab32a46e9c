//! Sending a call: with the session's token, once more after a renewal, and judging what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{
        Effect, Facts, Form, NOT_FOUND, UNAUTHENTICATED, classify, failure, form_of, retry_after, unexpected,
    },
    progress::ProgressToken,
    xml::Element,
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Request, Response},
};

/// An address in an answer leads to another server.
pub const FOREIGN_HOST: &str = "preservica.foreign-host";

impl Client {
    /// Sends a request with a token: once more with a fresh one when that is refused, and when it is forbidden with one that
    /// may have ended.
    pub(super) async fn open(&self, request: &Request) -> Result<Response> {
        let mut pass = self.session.pass(&self.http, &self.settings).await?;
        let mut renewed = false;
        loop {
            let response = self.http.send(&pass.present(request.clone())).await?;
            let now = self.now_milliseconds();
            let may_have_ended = match response.status {
                StatusCode::UNAUTHORIZED => true,
                StatusCode::FORBIDDEN => pass.is_older(self.settings.forbidden_renews_after_seconds, now),
                _ => false,
            };
            if !may_have_ended || (renewed && response.status != StatusCode::UNAUTHORIZED) {
                if response.status != StatusCode::UNAUTHORIZED {
                    self.session.note_success(&pass).await;
                }
                return Ok(response);
            }
            if renewed {
                let text = "answered 401 right after a fresh token";
                self.session.note_refusal(&pass, self.http.context(), text).await;
                let error = failure(FailureClass::Auth, request.operation(), UNAUTHENTICATED, text);
                return Err(error.remedy("check the Preservica secret: user, password and tenant"));
            }
            // Nothing has happened yet: the same call may go out again.
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// Makes a call and gives its answer, which is no failure.
    pub(super) async fn answer(&self, call: &Call) -> Result<(HeaderMap, Bytes)> {
        let request = call.request(&self.settings.entity_version)?;
        self.answer_to(call, &request).await
    }

    async fn answer_to(&self, call: &Call, request: &Request) -> Result<(HeaderMap, Bytes)> {
        let response = self.open(request).await?;
        let (status, headers) = (response.status, response.headers);
        let bytes = self.http.read(call.operation(), call.effect() != Effect::Once, response.body).await?;
        match status.is_success() && form_of(&headers, &bytes) != Form::Page {
            true => Ok((headers, bytes)),
            false => Err(classify(&facts(call, status, &headers, &bytes))),
        }
    }

    /// Makes a call and gives its XML.
    pub(super) async fn ask_xml(&self, call: &Call) -> Result<Element> {
        let (headers, bytes) = self.answer(call).await?;
        match Element::parse(&bytes) {
            Ok(root) => Ok(root),
            Err(_) if bytes.is_empty() => Err(classify(&facts(call, StatusCode::OK, &headers, &bytes))),
            Err(why) => Err(unexpected(call.operation(), call.effect(), why)),
        }
    }

    /// Makes a call and reads its JSON.
    pub(super) async fn ask_json<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let (headers, bytes) = self.answer(call).await?;
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) => {
                T::deserialize(value).map_err(|error| unexpected(call.operation(), call.effect(), error))
            }
            Err(_) => Err(classify(&facts(call, StatusCode::OK, &headers, &bytes))),
        }
    }

    /// Makes a call that begins something, and gives the token under which one asks what became of it.
    pub(super) async fn begin(&self, call: &Call) -> Result<ProgressToken> {
        let answer = self.answer(call).await?;
        Self::token_in(call, answer)
    }

    /// The same of a call that carries so much that it takes longer.
    pub(super) async fn begin_within(&self, call: &Call, time: Duration) -> Result<ProgressToken> {
        let request = call.request(&self.settings.entity_version)?.timeout(time);
        let answer = self.answer_to(call, &request).await?;
        Self::token_in(call, answer)
    }

    fn token_in(call: &Call, (headers, bytes): (HeaderMap, Bytes)) -> Result<ProgressToken> {
        let text = std::str::from_utf8(&bytes).unwrap_or_default().trim();
        match ProgressToken::read(text) {
            Some(token) => Ok(token),
            None => Err(classify(&facts(call, StatusCode::OK, &headers, &bytes))),
        }
    }

    /// Makes a call whose answer says nothing of interest.
    pub(super) async fn tell(&self, call: &Call) -> Result<()> {
        self.answer(call).await.map(drop)
    }

    /// Makes a call that removes something: gone before is as good.
    pub(super) async fn remove(&self, call: &Call) -> Result<()> {
        absent_as_none(self.tell(call).await).map(drop)
    }

    /// Path and query of an address that an answer gave. Another server would get our token.
    pub(super) fn own_target(&self, operation: &'static str, address: &str) -> Result<String> {
        let own = url::Url::parse(self.http.base()).ok();
        let given = url::Url::parse(address).ok();
        let (Some(own), Some(given)) = (own, given) else {
            return Err(unexpected(operation, Effect::Read, "an address in it is none"));
        };
        if own.origin() != given.origin() {
            let host = given.host_str().unwrap_or_default();
            let message = format!("an answer leads to {host}, which is not the configured server");
            return Err(failure(FailureClass::Forbidden, operation, FOREIGN_HOST, message)
                .remedy("give the address under which the server knows itself"));
        }
        Ok(given.query().map_or_else(|| given.path().to_owned(), |query| format!("{}?{query}", given.path())))
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

pub(super) fn failed(call: &Call, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    classify(&facts(call, status, headers, body))
}

fn facts<'a>(call: &Call, status: StatusCode, headers: &HeaderMap, body: &'a [u8]) -> Facts<'a> {
    Facts {
        operation: call.operation(),
        effect: call.effect(),
        status: status.as_u16(),
        retry_after: retry_after(headers),
        form: form_of(headers, body),
        body,
    }
}
