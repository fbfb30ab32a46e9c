//! Simulators behind the very code that ships, without a socket: requests of vendor clients and of the AWS SDK go
//! straight into a router.

use axum::body::Body as ServedBody;
use http_body_util::BodyExt;
use shared::http::{Body, Transport, full};
use tower::ServiceExt;

/// A transport that answers from a router, whatever the host.
pub fn transport(router: axum::Router) -> Transport {
    Transport::in_process(move |request| {
        let router = router.clone();
        async move { Ok(call(router, request).await) }
    })
}

/// Lets a router answer one request. The answer is collected, so that it can be cut or changed afterwards.
pub async fn call(router: axum::Router, request: http::Request<Body>) -> http::Response<Body> {
    let request = request.map(|body| ServedBody::new(body.boxed()));
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    http::Response::from_parts(parts, full(bytes))
}
