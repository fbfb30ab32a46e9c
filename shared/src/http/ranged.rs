use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::{Body, Replayable};
use crate::error::Result;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Opening = Pin<Box<dyn Future<Output = Result<Body>> + Send>>;

/// Content of which any range can be opened, as often as needed.
#[derive(Clone)]
pub struct RangedSource {
    length: u64,
    open: Arc<dyn Fn(u64, u64) -> Opening + Send + Sync>,
}

impl RangedSource {
    /// Content of `length` bytes; `open` takes an offset and a number of bytes.
    pub fn new<F, Fut>(length: u64, open: F) -> Self
    where
        F: Fn(u64, u64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Body>> + Send + 'static,
    {
        Self { length, open: Arc::new(move |offset, length| Box::pin(open(offset, length))) }
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// One range of it.
    pub fn range(&self, offset: u64, length: u64) -> Replayable {
        let open = self.open.clone();
        Replayable::new(length, move || open(offset, length))
    }
}

impl fmt::Debug for RangedSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RangedSource").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A body that fails when it ends early or goes on for too long, so that a source that breaks off is never taken for a
/// shorter file.
pub(crate) fn exactly(length: u64, body: Body) -> Body {
    Exact { body, expected: length, remaining: length }.boxed()
}

struct Exact {
    body: Body,
    expected: u64,
    remaining: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the content does not have the {expected} bytes it was said to have")]
struct WrongLength {
    expected: u64,
}

impl http_body::Body for Exact {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let wrong = WrongLength { expected: self.expected };
        match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => {
                let came = frame.data_ref().map_or(0, Bytes::len) as u64;
                if came > self.remaining {
                    return Poll::Ready(Some(Err(wrong.into())));
                }
                self.remaining -= came;
                Poll::Ready(Some(Ok(frame)))
            }
            None if self.remaining > 0 => {
                self.remaining = 0;
                Poll::Ready(Some(Err(wrong.into())))
            }
            other => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0 && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
