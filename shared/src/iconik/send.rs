//! Sending a call: with the session's token, once more after a renewal, and judging what comes back.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{Facts, Form, NOT_FOUND, UNAUTHENTICATED, classify, failure, retry_after, unexpected},
};
use crate::{
    error::{FailureClass, Result},
    http::Body,
};

const LEFT: &str = "ratelimit-remaining";

impl Client {
    /// Makes a call and gives its answer: `Null` when it has none.
    async fn answer(&self, call: &Call) -> Result<(StatusCode, Value)> {
        let request = call.request()?;
        let mut pass = self.session.pass(&self.http, &self.settings).await?;
        let mut renewed = false;
        loop {
            let (status, headers, bytes) = self.http.send_and_read(&pass.present(request.clone())).await?;
            self.mind(&headers);
            if status != StatusCode::UNAUTHORIZED {
                self.session.note_success(&pass).await;
                return judge(call, status, &headers, &bytes);
            }
            if renewed || !pass.is_renewable() {
                let text = if renewed { "answered 401 right after a fresh token" } else { "answered 401" };
                self.session.note_refusal(&pass, self.http.context(), text).await;
                let error = failure(FailureClass::Auth, call.operation(), UNAUTHENTICATED, text);
                return Err(error.remedy("check the iconik secret: the token is wrong or has ended"));
            }
            // Nothing has happened yet: the same call may go out again.
            pass = self.session.renew(&pass, &self.http, &self.settings).await?;
            renewed = true;
        }
    }

    /// Makes a call and gives its JSON.
    pub(super) async fn json(&self, call: &Call) -> Result<Value> {
        match self.answer(call).await? {
            (status, Value::Null) => {
                let headers = HeaderMap::new();
                let facts = facts(call, status, &headers, Form::Empty, &Value::Null);
                Err(classify(&facts))
            }
            (_, answer) => Ok(answer),
        }
    }

    /// Makes a call and reads its answer as a type.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.json(call).await?;
        T::deserialize(answer).map_err(|error| unexpected(call.operation(), call.effect(), error))
    }

    /// Makes a call that asks for one thing; nothing when it is not there.
    pub(super) async fn look<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>> {
        absent_as_none(self.ask(call).await)
    }

    /// Makes a call that may answer with nothing, which is `Null`.
    pub(super) async fn answer_or_nothing(&self, call: &Call) -> Result<Value> {
        self.answer(call).await.map(|(_, answer)| answer)
    }

    /// Makes a call whose answer says nothing of interest.
    pub(super) async fn tell(&self, call: &Call) -> Result<()> {
        self.answer(call).await.map(drop)
    }

    /// Makes a call that removes something: gone before is as good.
    pub(super) async fn remove(&self, call: &Call) -> Result<()> {
        absent_as_none(self.tell(call).await).map(drop)
    }

    /// A body that is known to be small.
    pub(super) async fn small_body(&self, body: Body) -> Result<Bytes> {
        let read = http_body_util::Limited::new(body, 1 << 20).collect();
        let read = tokio::time::timeout(self.settings.answer(), read).await;
        let broke = || failure(FailureClass::Transient, "read answer", "answer.cut", "the answer broke off");
        let whole = read.map_err(|_| broke())?.map_err(|_| broke())?;
        Ok(whole.to_bytes())
    }

    /// Slows down before the server has to say so.
    fn mind(&self, headers: &HeaderMap) {
        let left = headers.get(LEFT).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        match left {
            Some(0) => self.pace.slow_down(None),
            Some(left) if left < self.settings.few_calls_left => self.pace.ease_off(),
            _ => {}
        }
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

fn judge(call: &Call, status: StatusCode, headers: &HeaderMap, bytes: &Bytes) -> Result<(StatusCode, Value)> {
    let parsed = serde_json::from_slice::<Value>(bytes);
    let (answer, form) = match parsed {
        Ok(answer) => (answer, Form::Words),
        Err(_) if bytes.is_empty() => (Value::Null, Form::Empty),
        Err(_) => (Value::Null, Form::Page),
    };
    if status.is_success() && form != Form::Page {
        return Ok((status, answer));
    }
    Err(classify(&facts(call, status, headers, form, &answer)))
}

fn facts<'a>(
    call: &Call,
    status: StatusCode,
    headers: &HeaderMap,
    form: Form,
    answer: &'a Value,
) -> Facts<'a> {
    Facts {
        operation: call.operation(),
        effect: call.effect(),
        status: status.as_u16(),
        retry_after: retry_after(headers),
        form,
        answer,
    }
}
