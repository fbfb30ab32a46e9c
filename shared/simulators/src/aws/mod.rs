//! In-process stand-ins for the AWS services Waybill calls.
//!
//! They exist for the storm: thousands of schedules a minute in one process, with faults put in by the caller's
//! transport. So there is no thread, no randomness and no clock here: ids come from counters, time from [`Now`], and a
//! call is answered without ever waiting. What keeps them honest is the contract suite, which runs over them and over
//! a separate AWS stand-in.
//!
//! Requests are not authenticated: signatures are neither needed nor checked.

pub mod dynamodb;
pub mod eventbridge;
mod failure;
pub mod s3;
pub mod secrets;
pub mod sqs;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value};

pub use self::failure::Failure;

/// The time in milliseconds since 1970, as the test says it is.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Largest request body taken by the JSON services.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// All services behind one endpoint. Clones share their state.
#[derive(Clone)]
pub struct Aws {
    dynamodb: dynamodb::DynamoDb,
    eventbridge: eventbridge::EventBridge,
    s3: s3::S3,
    secrets: secrets::Secrets,
    sqs: sqs::Sqs,
}

impl Aws {
    /// Empty services that live in the time `now` tells.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self {
            dynamodb: dynamodb::DynamoDb::new(now.clone()),
            eventbridge: eventbridge::EventBridge::default(),
            s3: s3::S3::new(now.clone()),
            secrets: secrets::Secrets::new(now.clone()),
            sqs: sqs::Sqs::new(now),
        }
    }

    /// Answers one request of any service: the JSON services are known by `X-Amz-Target`, all else is S3.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        let target =
            request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let Some(target) = target else {
            return self.s3.call(request).await;
        };
        let endpoint = endpoint(&request);
        let Ok(body) = to_bytes(request.into_body(), LARGEST_REQUEST).await else {
            return plain(StatusCode::BAD_REQUEST, "the request body ended early");
        };
        self.json(&target, &endpoint, &body)
    }

    /// The same as a service to put on a port.
    pub fn router(&self) -> Router {
        let aws = self.clone();
        Router::new().fallback(move |request: Request<Body>| {
            let aws = aws.clone();
            async move { aws.call(request).await }
        })
    }

    /// `DynamoDB` and its state.
    #[must_use]
    pub fn dynamodb(&self) -> &dynamodb::DynamoDb {
        &self.dynamodb
    }

    /// `EventBridge` and what was put on its buses.
    #[must_use]
    pub fn eventbridge(&self) -> &eventbridge::EventBridge {
        &self.eventbridge
    }

    /// Secrets Manager and its state.
    #[must_use]
    pub fn secrets(&self) -> &secrets::Secrets {
        &self.secrets
    }

    /// S3 and its state.
    #[must_use]
    pub fn s3(&self) -> &s3::S3 {
        &self.s3
    }

    /// SQS and its state.
    #[must_use]
    pub fn sqs(&self) -> &sqs::Sqs {
        &self.sqs
    }

    fn json(&self, target: &str, endpoint: &str, body: &[u8]) -> Response<Body> {
        let (service, operation) = target.split_once('.').unwrap_or((target, ""));
        let parsed: Result<Map<String, Value>, _> = serde_json::from_slice(body);
        let request = parsed.map_err(|error| Failure::new("SerializationException", error.to_string()));
        match service {
            "DynamoDB_20120810" => {
                let answer = request.and_then(|request| self.dynamodb.call(operation, &request));
                let namespace = match &answer {
                    Err(failure) if failure.code == "ValidationException" => "com.amazon.coral.validate#",
                    _ => "com.amazonaws.dynamodb.v20120810#",
                };
                rendered(&answer, namespace, "application/x-amz-json-1.0")
            }
            "AmazonSQS" => {
                let answer = request.and_then(|request| self.sqs.call(operation, endpoint, &request));
                let mut response = rendered(&answer, "com.amazonaws.sqs#", "application/x-amz-json-1.0");
                if let Err(failure) = &answer
                    && let Ok(code) =
                        HeaderValue::from_str(&format!("{};Sender", sqs::query_code(failure.code)))
                {
                    response.headers_mut().insert("x-amzn-query-error", code);
                }
                response
            }
            "AWSEvents" => {
                let answer = request.and_then(|request| self.eventbridge.call(operation, &request));
                rendered(&answer, "", "application/x-amz-json-1.1")
            }
            "secretsmanager" => {
                let answer = request.and_then(|request| self.secrets.call(operation, &request));
                rendered(&answer, "", "application/x-amz-json-1.1")
            }
            _ => {
                let answer =
                    Err(Failure::new("UnknownOperationException", format!("{target} is not simulated")));
                rendered(&answer, "", "application/x-amz-json-1.0")
            }
        }
    }
}

fn rendered(answer: &Result<Value, Failure>, namespace: &str, content_type: &'static str) -> Response<Body> {
    let (status, body) = match answer {
        Ok(body) => (200, body.to_string()),
        Err(failure) => (failure.status, failure.body(namespace).to_string()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// The address the caller reached us at: queue URLs begin with it.
fn endpoint(request: &Request<Body>) -> String {
    let host = request.headers().get(http::header::HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    format!("http://{}", host.unwrap_or("localhost"))
}
