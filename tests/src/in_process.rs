//! Simulators behind the very code that ships, without a socket: requests of vendor clients and of the AWS SDK go
//! straight into a router.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::body::Body as ServedBody;
use bytes::BytesMut;
use http_body_util::{BodyExt, StreamBody};
use shared::http::{Body, Transport, TransportError, TransportErrorKind, full};
use simulators::faults::Dropped;
use tower::ServiceExt;

/// A transport that answers from a router, whatever the host.
pub fn transport(router: axum::Router) -> Transport {
    Transport::in_process(move |request| {
        let router = router.clone();
        async move {
            let response = call(router, request).await;
            match response.extensions().get::<Dropped>() {
                Some(Dropped) => {
                    Err(TransportError::new(TransportErrorKind::Interrupted, "the connection was cut"))
                }
                None => Ok(response),
            }
        }
    })
}

/// Lets a router answer one request. The answer is collected, so that it can be cut or changed afterwards; one that
/// breaks off by itself still does. Where the request's body breaks off, so does the connection: the answer is marked
/// as [`Dropped`], and the caller never sees it.
pub async fn call(router: axum::Router, request: http::Request<Body>) -> http::Response<Body> {
    let broke = Arc::new(AtomicBool::new(false));
    let noted = broke.clone();
    let request = request.map(|body| {
        ServedBody::new(body.map_err(move |error| {
            noted.store(true, Ordering::Relaxed);
            error
        }))
    });
    let mut response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if broke.load(Ordering::Relaxed) {
        response.extensions_mut().insert(Dropped);
    }
    let (parts, mut body) = response.into_parts();
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => collected.extend_from_slice(&data),
            Ok(Err(_trailers)) => {}
            Err(error) => {
                let error: axum::BoxError = error.into();
                let frames = [Ok(http_body::Frame::data(collected.freeze())), Err(error)];
                let broken = StreamBody::new(futures_util::stream::iter(frames));
                return http::Response::from_parts(parts, BodyExt::boxed(broken));
            }
        }
    }
    http::Response::from_parts(parts, full(collected.freeze()))
}
