//! Objects of any size that nobody has to store: the stand-in for S3 with a bucket whose objects are made on the way.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, Method, Request, Response, StatusCode, header},
};
use simulators::aws::Aws;

/// Bytes made in one piece.
const PIECE: u64 = 256 * 1024;

/// Bytes of content that went from S3 to the function, and back.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Read from objects.
    pub(crate) read: AtomicU64,
    /// Written to objects.
    pub(crate) written: AtomicU64,
}

impl Traffic {
    /// Both counts, which start again at nothing.
    pub(crate) fn take(&self) -> (u64, u64) {
        (self.read.swap(0, Ordering::Relaxed), self.written.swap(0, Ordering::Relaxed))
    }
}

/// AWS, with `generated/<bytes>-<anything>` in every bucket.
pub(crate) fn router(aws: Aws, traffic: Arc<Traffic>) -> Router {
    // Does not repeat within a piece, and compresses badly: as a video does.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let piece: Vec<u8> = (0..PIECE)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect();
    let piece = Bytes::from(piece);
    Router::new().fallback(move |request: Request<Body>| {
        let (aws, traffic, piece) = (aws.clone(), traffic.clone(), piece.clone());
        async move { answer(&aws, &traffic, piece, request).await }
    })
}

async fn answer(aws: &Aws, traffic: &Traffic, piece: Bytes, request: Request<Body>) -> Response<Body> {
    let is_object = !request.headers().contains_key("x-amz-target")
        && request.uri().path().trim_start_matches('/').contains('/')
        && !request.uri().query().unwrap_or_default().contains("tagging");
    let method = request.method().clone();
    if is_object && method == Method::PUT {
        let size = request.body().size_hint().exact().unwrap_or(0);
        traffic.written.fetch_add(size, Ordering::Relaxed);
    }
    let response = match size(request.uri().path()) {
        Some(size) => generated(&request, size, piece),
        None => aws.call(request).await,
    };
    if is_object && method == Method::GET {
        traffic.read.fetch_add(response.body().size_hint().exact().unwrap_or(0), Ordering::Relaxed);
    }
    response
}

fn size(path: &str) -> Option<u64> {
    let (_, name) = path.split_once("/generated/")?;
    name.split('-').next()?.parse().ok()
}

fn generated(request: &Request<Body>, size: u64, piece: Bytes) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    let answer = Response::builder()
        .header(header::ETAG, format!("\"generated-{size}\""))
        .header(header::LAST_MODIFIED, "Tue, 06 May 2031 07:08:09 GMT")
        .header(header::CONTENT_TYPE, "application/octet-stream");
    if query.contains("tagging") {
        let body = if request.method() == Method::GET { "<Tagging><TagSet></TagSet></Tagging>" } else { "" };
        return answer.body(Body::from(body)).expect("complete");
    }
    let (status, start, end) = match range(request.headers(), size) {
        Some((start, end)) => (StatusCode::PARTIAL_CONTENT, start, end),
        None => (StatusCode::OK, 0, size),
    };
    let answer = answer.status(status).header(header::CONTENT_LENGTH, end - start);
    let answer = match status {
        StatusCode::PARTIAL_CONTENT => {
            answer.header(header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1))
        }
        _ => answer,
    };
    if request.method() == Method::HEAD {
        return answer.body(Body::empty()).expect("complete");
    }
    let pieces = futures_util::stream::unfold(start, move |at| {
        let piece = piece.clone();
        async move {
            let left = end.saturating_sub(at).min(PIECE - at % PIECE);
            if left == 0 {
                return None;
            }
            let (from, to) = (usize::try_from(at % PIECE).ok()?, usize::try_from(at % PIECE + left).ok()?);
            Some((Ok::<_, std::convert::Infallible>(piece.slice(from..to)), at + left))
        }
    });
    answer.body(Body::from_stream(pieces)).expect("complete")
}

/// The first byte and the one after the last.
fn range(headers: &HeaderMap, size: u64) -> Option<(u64, u64)> {
    let text = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
    let (start, last) = text.split_once('-')?;
    let start = start.parse().ok()?;
    let last: u64 = last.parse().unwrap_or(size - 1);
    Some((start, last.saturating_add(1).min(size)))
}
