//! The way into a simulator without a socket.

use axum::body::Body as ServedBody;
use bytes::BytesMut;
use http_body_util::{BodyExt, StreamBody};
use shared::http::{Body, Transport, TransportError, TransportErrorKind, full};
use simulators::faults::Dropped;
use tower::ServiceExt;

/// Everything a body holds, or how it failed.
pub(crate) async fn read(body: Body) -> Result<Vec<u8>, String> {
    body.collect().await.map(|body| body.to_bytes().to_vec()).map_err(|error| error.to_string())
}

/// A transport that answers from a router.
pub(crate) fn transport(router: axum::Router) -> Transport {
    Transport::in_process(move |request| {
        let router = router.clone();
        async move {
            let response = match router.oneshot(request.map(ServedBody::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if response.extensions().get::<Dropped>().is_some() {
                return Err(TransportError::new(TransportErrorKind::Interrupted, "the connection was cut"));
            }
            Ok(collected(response).await)
        }
    })
}

/// The answer with its body collected; one that breaks off still does.
async fn collected(response: http::Response<ServedBody>) -> http::Response<Body> {
    let (parts, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => bytes.extend_from_slice(&data),
            Ok(Err(_trailers)) => {}
            Err(error) => {
                let error: axum::BoxError = error.into();
                let frames = [Ok(http_body::Frame::data(bytes.freeze())), Err(error)];
                let broken = StreamBody::new(futures_util::stream::iter(frames));
                return http::Response::from_parts(parts, BodyExt::boxed(broken));
            }
        }
    }
    http::Response::from_parts(parts, full(bytes.freeze()))
}
