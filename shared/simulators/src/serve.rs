//! Puts a simulator on a loopback port.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::faults::Dropped;

/// Serves `router` on 127.0.0.1 (never on another interface). Port 0 takes a free one. The task ends when it is
/// aborted; a response marked [`Dropped`] cuts its connection without an answer.
pub async fn serve(router: Router, port: u16) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
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
                        connections.spawn(connection(stream, router.clone()));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok((address, task))
}

async fn connection(stream: tokio::net::TcpStream, router: Router) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let router = router.clone();
        async move {
            let response = match router.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never as Infallible {},
            };
            match response.extensions().get::<Dropped>() {
                Some(Dropped) => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
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
