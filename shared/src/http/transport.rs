use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use http_body_util::BodyExt;

use super::Body;
use crate::error::{Error, Result};

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send>>;

/// How requests leave this process: over the network, or (in a test) straight into a simulator.
#[derive(Clone)]
pub enum Transport {
    /// The network, through one connection pool and one TLS stack.
    Network(reqwest::Client),
    /// A function that answers in this process.
    InProcess(Arc<dyn Fn(http::Request<Body>) -> Answer + Send + Sync>),
}

impl Transport {
    /// The network. Redirects are not followed and no proxy is taken from the environment: an address is what the
    /// configuration says.
    ///
    /// # Errors
    /// When the machine has no usable root certificates.
    #[expect(clippy::disallowed_methods, reason = "this is where the client is built")]
    pub fn network() -> Result<Self> {
        // `ring` needs 5 ms for its first handshake where the alternative provider needs 35.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // No read time-out: it would count while a large body is still being sent. Callers bound the answer head.
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                Error::configuration("http.no-client", "the HTTP client could not be built").source(error)
            })?;
        Ok(Self::Network(client))
    }

    /// Answers come from `respond`, in this process.
    pub fn in_process<F, Fut>(respond: F) -> Self
    where
        F: Fn(http::Request<Body>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'static,
    {
        Self::InProcess(Arc::new(move |request| Box::pin(respond(request))))
    }

    /// Sends one request, once.
    ///
    /// # Errors
    /// When no answer head arrived; the kind says whether the request can have taken effect.
    pub async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        match self {
            Self::InProcess(respond) => respond(request).await,
            Self::Network(client) => {
                let request =
                    reqwest::Request::try_from(request.map(reqwest::Body::wrap)).map_err(|error| {
                        TransportError::new(TransportErrorKind::Unsendable, error.without_url())
                    })?;
                let response = client.execute(request).await.map_err(TransportError::from_reqwest)?;
                Ok(http::Response::from(response)
                    .map(|body| body.map_err(|error| Box::new(error.without_url()) as _).boxed()))
            }
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Network(_) => "Transport::Network",
            Self::InProcess(_) => "Transport::InProcess",
        })
    }
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// The request could not be formed. Never retried.
    Unsendable,
    /// No connection: the request cannot have taken effect. Always retried.
    Connect,
    /// No answer in time: the request may have taken effect. Retried only when it is idempotent.
    Timeout,
    /// The connection broke after sending began: the request may have taken effect. Retried only when idempotent.
    Interrupted,
}

/// No answer came. Holds no address: an address can carry a secret.
#[derive(Debug, thiserror::Error)]
#[error("{}", match self.kind {
    TransportErrorKind::Unsendable => "the request could not be formed",
    TransportErrorKind::Connect => "no connection",
    TransportErrorKind::Timeout => "no answer in time",
    TransportErrorKind::Interrupted => "the connection broke before the answer",
})]
pub struct TransportError {
    /// What happened.
    pub kind: TransportErrorKind,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl TransportError {
    /// A failure of a kind, with its cause.
    pub fn new(
        kind: TransportErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, source: source.into() }
    }

    fn from_reqwest(error: reqwest::Error) -> Self {
        let kind = if error.is_connect() {
            TransportErrorKind::Connect
        } else if error.is_timeout() {
            TransportErrorKind::Timeout
        } else if error.is_builder() {
            TransportErrorKind::Unsendable
        } else {
            TransportErrorKind::Interrupted
        };
        Self::new(kind, error.without_url())
    }
}
