//! Puts a simulator on a loopback port.

use std::convert::Infallible;
use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::faults::Dropped;

/// Serves `router` on 127.0.0.1 (never on another interface). Port 0 takes a free one. The task ends when it is
/// aborted; a response marked [`Dropped`] cuts its connection without an answer.
pub async fn serve(router: Router, port: u16) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
    listen(router, port, None).await
}

/// The same over TLS, with a certificate and its key in PEM.
pub async fn serve_tls(
    router: Router,
    port: u16,
    certificate: &[u8],
    key: &[u8],
) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
    let wrong = |what: &str| Error::new(ErrorKind::InvalidInput, format!("{what} cannot be read as PEM"));
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|_| wrong("the certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| wrong("the key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(Error::other)?;
    listen(router, port, Some(TlsAcceptor::from(Arc::new(settings)))).await
}

async fn listen(
    router: Router,
    port: u16,
    tls: Option<TlsAcceptor>,
) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        // Small answers must not wait for the acknowledgement of earlier ones.
                        let _ = stream.set_nodelay(true);
                        let (router, tls) = (router.clone(), tls.clone());
                        connections.spawn(async move {
                            match tls {
                                None => connection(stream, router, false).await,
                                // An error is a caller who does not take the certificate.
                                Some(tls) => if let Ok(stream) = tls.accept(stream).await {
                                    connection(stream, router, true).await;
                                },
                            }
                        });
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok((address, task))
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    is_secure: bool,
) {
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        let router = router.clone();
        if is_secure {
            // Addresses in answers begin as the call did.
            request.headers_mut().insert("x-forwarded-proto", http::HeaderValue::from_static("https"));
        }
        async move {
            let response = match router.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never as Infallible {},
            };
            match response.extensions().get::<Dropped>() {
                Some(Dropped) => Err(Error::from(ErrorKind::ConnectionReset)),
                None => Ok(response),
            }
        }
    });
    // An error here is the caller going away or a fault we injected: nothing to report.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
