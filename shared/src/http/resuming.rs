//! Bodies that a client puts together of several answers.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::Body;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// The pieces as a body of known length.
pub(crate) fn of_pieces(
    pieces: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
    length: u64,
) -> Body {
    Resuming { stream: Mutex::new(Box::pin(pieces)), remaining: length }.boxed()
}

/// A body without its first bytes.
pub(crate) fn skipping(body: Body, mut skip: u64) -> Body {
    let body = body.map_frame(move |frame| match frame.into_data() {
        Ok(mut data) => {
            let gone = usize::try_from(skip).unwrap_or(usize::MAX).min(data.len());
            skip -= gone as u64;
            Frame::data(data.split_off(gone))
        }
        Err(frame) => frame,
    });
    body.boxed()
}

struct Resuming {
    /// Never locked: only what makes the body shareable.
    stream: Mutex<Pieces>,
    remaining: u64,
}

impl http_body::Body for Resuming {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let stream = this.stream.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        match std::task::ready!(stream.as_mut().poll_next(context)) {
            Some(Ok(data)) => {
                this.remaining = this.remaining.saturating_sub(data.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
