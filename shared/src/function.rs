//! What a function is that no queue feeds: a schedule starts it, or an HTTP request. It never sees Lambda.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    batch::Invocation,
    environment::Environment,
    error::{Error, Result, System},
};

/// A function with a schedule, an HTTP door, or both.
pub trait Function: Sized + Send + Sync + 'static {
    /// The same string everywhere: binary, records, logs.
    const NAME: &'static str;
    /// The systems it touches besides AWS.
    const SYSTEMS: &'static [System];

    /// Builds the clients and reads the configuration. Runs once, before the first event.
    fn connect(environment: &Environment) -> impl Future<Output = Result<Self>> + Send;

    /// Does what the schedule asks for. What fails is tried again with the next round.
    ///
    /// # Errors
    /// The round counts as failed, and somebody is told.
    fn round(&self, invocation: Invocation) -> impl Future<Output = Result<()>> + Send {
        let _ = invocation;
        async {
            Err(Error::configuration("event.not-expected", "this function has no schedule")
                .remedy("remove the schedule from the function"))
        }
    }

    /// Answers a request. The address it came from is an [`Origin`] among its extensions, what an authorizer said of it
    /// is an [`Authorized`].
    fn answer(
        &self,
        request: Request<Bytes>,
        invocation: Invocation,
    ) -> impl Future<Output = Response<Bytes>> + Send {
        let _ = (request, invocation);
        async { Problem::new(StatusCode::NOT_FOUND, "http.no-door", "Nothing is served here").response() }
    }
}

/// Where a request came from, as the service saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin(pub IpAddr);

/// What the authorizer in front of the function found out about who asks: verified claims of a token. Never anything
/// that stands in the request itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized(pub serde_json::Map<String, serde_json::Value>);

/// Why a request is refused, as "problem details" (RFC 9457).
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// The stable reason.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A refusal with a stable code and a title that is the same for every such refusal.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        let kind = format!("urn:waybill:problem:{code}");
        Self { kind, title, status: status.as_u16(), code, detail: None, retry_after: None }
    }

    /// What is wrong with this very request. Anybody may read it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// When to come again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The stable reason.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The answer.
    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(serde_json::to_vec(self).unwrap_or_default()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let json = header::HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

type Eventual<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Connect = for<'a> fn(&'a Environment) -> Eventual<'a, Result<Arc<dyn AnyFunction>>>;

/// A function without its types, for lists and for the Lambda side, which is compiled once.
pub struct FunctionEntry {
    /// The function's name.
    pub name: &'static str,
    /// The systems it touches.
    pub systems: &'static [System],
    connect: Connect,
}

impl FunctionEntry {
    /// The entry of a function.
    pub const fn of<F: Function>() -> Self {
        Self {
            name: F::NAME,
            systems: F::SYSTEMS,
            connect: |environment| {
                Box::pin(async move { Ok(Arc::new(F::connect(environment).await?) as Arc<dyn AnyFunction>) })
            },
        }
    }

    /// Connects the function.
    ///
    /// # Errors
    /// As [`Function::connect`].
    pub async fn connect(&self, environment: &Environment) -> Result<Arc<dyn AnyFunction>> {
        (self.connect)(environment).await
    }
}

/// The erased face of [`Function`]; implemented for every function, not by hand.
pub trait AnyFunction: Send + Sync {
    /// As [`Function::round`].
    fn round(&self, invocation: Invocation) -> Eventual<'_, Result<()>>;
    /// As [`Function::answer`].
    fn answer(&self, request: Request<Bytes>, invocation: Invocation) -> Eventual<'_, Response<Bytes>>;
}

impl<F: Function> AnyFunction for F {
    fn round(&self, invocation: Invocation) -> Eventual<'_, Result<()>> {
        Box::pin(Function::round(self, invocation))
    }

    fn answer(&self, request: Request<Bytes>, invocation: Invocation) -> Eventual<'_, Response<Bytes>> {
        Box::pin(Function::answer(self, request, invocation))
    }
}
