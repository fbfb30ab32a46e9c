//! The door of a function that no queue feeds: its schedule, and HTTP.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tests::{
    messages,
    runtime::{Function, Outcome},
    web::Answer,
};

use super::{SIGNING, World};

impl World {
    /// The schedule's hour has come. True when the round went well.
    pub(crate) async fn round(&self) -> bool {
        let event = json!({
            "version": "0", "detail-type": "Scheduled Event", "source": "aws.events",
            "region": "us-east-1", "detail": {},
        });
        matches!(self.function.invoke(&event).await.outcome, Outcome::Answer(_))
    }

    /// Asks the function over HTTP: the event that a function URL and an HTTP API make of a request.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.ask_of(&self.function, method, path, headers, body).await
    }

    /// The same of another function that stands in this world.
    pub(crate) async fn ask_of(
        &self,
        function: &Function,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let event = messages::http_request(&self.place.account, method.as_str(), path, headers, body);
        match function.invoke(&event).await.outcome {
            Outcome::Answer(Some(answer)) => answered(&answer),
            other => panic!("no answer: {other:?}; {}", self.told()),
        }
    }

    /// Pushes, signed as a sender does that knows the secret.
    pub(crate) async fn push(&self, id: &str, body: &str) -> Answer {
        let headers = messages::push_headers(SIGNING.1, id, body);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.ask(Method::POST, "/changes", &headers, body).await
    }
}

fn answered(answer: &Value) -> Answer {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let mut headers = HeaderMap::new();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.insert(name, HeaderValue::from_str(value.as_str().unwrap_or_default()).expect("a value"));
    }
    let text = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => BASE64_STANDARD.decode(text).expect("base64"),
        _ => text.as_bytes().to_vec(),
    };
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = StatusCode::from_u16(status.unwrap_or_default()).expect("a status");
    Answer { status, headers, body: body.into() }
}
