use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use http::{HeaderValue, Uri, header::ACCEPT};
use http_body_util::BodyExt;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::net::TcpStream;
use tower::{Service, util::BoxCloneSyncService};

use super::Body;
use crate::error::{Error, Result};

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send>>;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// For a connection and its TLS handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections are closed before most servers close them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes that a connection keeps of what comes or goes. Unbounded, it grows with the speed of a large transfer.
const CONNECTION_BUFFER: usize = 64 * 1024;

/// How requests leave this process: over the network, or (in a test) straight into a simulator.
#[derive(Clone)]
pub enum Transport {
    /// The network, through one connection pool and one TLS stack.
    Network(Client<Connector, Body>),
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
        let tls = rustls::ClientConfig::builder()
            .try_with_platform_verifier()
            .map_err(|error| {
                Error::configuration("http.no-client", "the HTTP client could not be built").source(error)
            })?
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        // No read time-out: it would count while a large body is still being sent. Callers bound the answer head.
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .http1_max_buf_size(CONNECTION_BUFFER)
            .build(in_time(https));
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
    pub async fn send(
        &self,
        mut request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        match self {
            Self::InProcess(respond) => respond(request).await,
            Self::Network(client) => {
                if !matches!(request.uri().scheme_str(), Some("http" | "https")) {
                    let reason = "an address begins with http:// or https://";
                    return Err(TransportError::new(TransportErrorKind::Unsendable, reason));
                }
                request.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
                let response = client.request(request).await.map_err(TransportError::from_hyper)?;
                Ok(response.map(|body| body.map_err(Into::into).boxed()))
            }
        }
    }
}

/// A connector that gives up when the connection, with its TLS handshake, is not there in time.
fn in_time(https: HttpsConnector<HttpConnector>) -> Connector {
    BoxCloneSyncService::new(tower::service_fn(move |address: Uri| {
        let connection = https.clone().call(address);
        async move { tokio::time::timeout(CONNECT_TIMEOUT, connection).await.map_err(BoxError::from).flatten() }
    }))
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

    fn from_hyper(error: hyper_util::client::legacy::Error) -> Self {
        let kind =
            if error.is_connect() { TransportErrorKind::Connect } else { TransportErrorKind::Interrupted };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::http::{empty, full};

    /// A server on this machine that answers each connection with these bytes, once something was sent, and closes it.
    async fn server(answer: &'static [u8]) -> SocketAddr {
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut heard = [0; 4096];
                let _ = connection.read(&mut heard).await;
                let _ = connection.write_all(answer).await;
            }
        });
        address
    }

    #[expect(clippy::disallowed_methods, reason = "the server that is called")]
    async fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }

    async fn kind(address: &str) -> TransportErrorKind {
        let request = http::Request::get(address).body(empty()).unwrap();
        Transport::network().unwrap().send(request).await.map(drop).unwrap_err().kind
    }

    #[tokio::test]
    async fn an_answer_is_read_whole() {
        let address = server(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nthere").await;
        let request = http::Request::post(format!("http://{address}/")).body(full("hello")).unwrap();
        let answer = Transport::network().unwrap().send(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "there");
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_an_error_of_its_body() {
        let address = server(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nthere").await;
        let request = http::Request::get(format!("http://{address}/")).body(empty()).unwrap();
        let answer = Transport::network().unwrap().send(request).await.unwrap();
        assert!(answer.into_body().collect().await.is_err());
    }

    #[tokio::test]
    async fn it_says_whether_a_request_can_have_taken_effect() {
        assert_eq!(kind("/without/a/host").await, TransportErrorKind::Unsendable);
        assert_eq!(kind("ftp://127.0.0.1/").await, TransportErrorKind::Unsendable);
        let nobody = listener().await.local_addr().unwrap();
        assert_eq!(kind(&format!("http://{nobody}/")).await, TransportErrorKind::Connect);
        let mute = server(b"").await;
        assert_eq!(kind(&format!("http://{mute}/")).await, TransportErrorKind::Interrupted);
        let plain = server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        assert_eq!(kind(&format!("https://{plain}/")).await, TransportErrorKind::Connect);
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_does_not_end_is_given_up() {
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        let silent = tokio::spawn(async move {
            let connection = listener.accept().await;
            std::future::pending::<()>().await;
            drop(connection);
        });
        assert_eq!(kind(&format!("https://{address}/")).await, TransportErrorKind::Connect);
        silent.abort();
    }
}
