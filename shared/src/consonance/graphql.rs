//! Sending a call to either interface, and judging what comes back.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    Client, Interface,
    error::{
        Effect, Facts, Form, UNAUTHENTICATED, classify, classify_errors, failure, retry_after, unexpected,
    },
};
use crate::{
    error::{Error, FailureClass, Result},
    http::{Payload, Request},
};

/// As the vendor's example has it.
const JSON: &str = "application/json; charset=utf-8";

impl Client {
    /// Asks the GraphQL interface, and gives `data`.
    pub(super) async fn query(
        &self,
        operation: &'static str,
        effect: Effect,
        text: &str,
        variables: Value,
    ) -> Result<Value> {
        let body = json!({"query": text, "variables": variables});
        let mut request = Request::new(operation, Method::POST, "/graphql")
            .header(header::ACCEPT, "application/json")
            .payload(Payload::Bytes(JSON, body.to_string().into()));
        request = match effect {
            Effect::Once => request,
            Effect::Repeatable => request.repeatable_change(),
            Effect::Read => request.idempotent(),
        };
        let answer = self.call(Interface::GraphQl, operation, effect, request).await?;
        if let Some(error) = classify_errors(operation, effect, &answer) {
            return Err(error);
        }
        match answer {
            Value::Object(mut members) => match members.remove("data") {
                Some(data @ Value::Object(_)) => Ok(data),
                _ => Err(unexpected(operation, effect, "no data in it")),
            },
            _ => Err(unexpected(operation, effect, "no object")),
        }
    }

    /// Sends a request with the key of its interface, and gives its JSON.
    pub(super) async fn call(
        &self,
        interface: Interface,
        operation: &'static str,
        effect: Effect,
        request: Request,
    ) -> Result<Value> {
        let shown = self.authorization(interface, operation)?;
        let request = request.header(header::AUTHORIZATION, &shown);
        let turn = self.turns.acquire().await;
        let sent = self.http.send_and_read(&request).await;
        drop(turn);
        let (status, headers, bytes) = sent?;
        self.note(interface, &shown, status);
        judge(operation, effect, status, &headers, &bytes)
    }

    /// The header of an interface: `Bearer` opens one, Rails' own scheme the other. A key that was just refused is not shown.
    fn authorization(&self, interface: Interface, operation: &'static str) -> Result<String> {
        let pause = i64::try_from(self.settings.refused_credential_pause_seconds.saturating_mul(1000));
        let now = self.http.context().now_milliseconds();
        let keys = self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let refused = keys.refused.get(interface as usize).copied().flatten();
        if refused.is_some_and(|at| now.saturating_sub(at) < pause.unwrap_or(i64::MAX)) {
            return Err(key_failure(
                operation,
                "the key was refused a moment ago, and has not changed since",
            ));
        }
        let (key, shown) = match interface {
            Interface::GraphQl => {
                (&keys.credential.graphql_key, format!("Bearer {}", keys.credential.graphql_key))
            }
            Interface::Rest => {
                (&keys.credential.rest_token, format!("Token token={}", keys.credential.rest_token))
            }
        };
        if key.is_empty() {
            return Err(key_failure(operation, "the secret has no key for this interface"));
        }
        Ok(shown)
    }

    fn note(&self, interface: Interface, shown: &str, status: StatusCode) {
        let now = self.http.context().now_milliseconds();
        let mut keys = self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = match interface {
            Interface::GraphQl => &keys.credential.graphql_key,
            Interface::Rest => &keys.credential.rest_token,
        };
        // Of a key that was changed meanwhile it says nothing.
        if !shown.ends_with(key.as_str()) {
            return;
        }
        if let Some(refused) = keys.refused.get_mut(interface as usize) {
            *refused = (status == StatusCode::UNAUTHORIZED).then_some(now);
        }
    }
}

fn key_failure(operation: &'static str, what: &str) -> Error {
    failure(FailureClass::Auth, operation, UNAUTHENTICATED, what)
        .remedy("store {\"graphql_key\":…,\"rest_token\":…} with the keys that the vendor's support gave")
}

fn judge(
    operation: &'static str,
    effect: Effect,
    status: StatusCode,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Value> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_page = kind.trim_start().to_ascii_lowercase().starts_with("text/html");
    let parsed = serde_json::from_slice::<Value>(bytes).ok().filter(|_| !is_page);
    let form = match &parsed {
        Some(_) => Form::Json,
        None if bytes.is_empty() => Form::Empty,
        None => Form::Page,
    };
    match parsed {
        Some(answer) if status.is_success() => Ok(answer),
        _ => Err(classify(&Facts {
            operation,
            effect,
            status: status.as_u16(),
            retry_after: retry_after(headers),
            form,
        })),
    }
}
