//! Bodies that a client puts together of several answers.

use std::{
    future::Future,
    ops::Range,
    pin::Pin,
    sync::Mutex,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::Body;
use crate::{
    context::Context,
    error::{Error, Result},
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Content that can be opened again where it broke off.
pub(crate) trait Source: Send + 'static {
    /// Everything from a byte on.
    fn open(&mut self, at: u64) -> impl Future<Output = Result<Body>> + Send;

    /// These bytes go out next.
    fn pass(&mut self, data: &[u8]);

    /// All bytes are there; the last of them goes out only when this is no failure.
    fn end(&mut self) -> Result<()>;

    /// It broke off again and again, at this byte.
    fn cut(&self, at: u64) -> Error;
}

/// How long a body that breaks off is gone on with.
pub(crate) struct Patience {
    pub(crate) context: Context,
    /// Without a byte for so long, it counts as broken off.
    pub(crate) stall: Duration,
    /// Times it is opened anew without a byte in between.
    pub(crate) resumptions: u32,
}

/// The range as one body, which goes on where an answer breaks off. It is opened before this returns.
pub(crate) async fn resuming<S: Source>(
    mut source: S,
    range: Range<u64>,
    patience: Patience,
) -> Result<Body> {
    let body = Some(source.open(range.start).await?);
    let length = range.end.saturating_sub(range.start);
    let reading = Reading { source, at: range.start, stop: range.end, body, idle: 0, patience };
    let stream = futures_util::stream::unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        match reading.step().await {
            Ok(Some(data)) => Some((Ok(data), Some(reading))),
            Ok(None) => None,
            Err(error) => Some((Err(BoxError::from(error)), None)),
        }
    });
    Ok(of_pieces(stream, length))
}

struct Reading<S> {
    source: S,
    /// The next byte to come.
    at: u64,
    stop: u64,
    body: Option<Body>,
    /// Openings since a byte came.
    idle: u32,
    patience: Patience,
}

impl<S: Source> Reading<S> {
    /// The next bytes; nothing at the end.
    async fn step(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.stop {
            return Ok(None);
        }
        loop {
            let mut body = match self.body.take() {
                Some(body) => body,
                None => self.source.open(self.at).await?,
            };
            let frame = tokio::time::timeout(self.patience.stall, body.frame()).await;
            if let Ok(Some(Ok(frame))) = frame {
                self.body = Some(body);
                let Ok(mut data) = frame.into_data() else { continue };
                if data.is_empty() {
                    continue;
                }
                data.truncate(usize::try_from(self.stop - self.at).unwrap_or(usize::MAX));
                self.at += data.len() as u64;
                self.idle = 0;
                self.source.pass(&data);
                // Before the last bytes go out: whoever has as many as were announced may not ask for the end.
                if self.at >= self.stop {
                    self.source.end()?;
                }
                return Ok(Some(data));
            }
            // Cut, stalled, or ended too early: on from here.
            self.idle += 1;
            if self.idle > self.patience.resumptions {
                return Err(self.source.cut(self.at));
            }
            let pause = Duration::from_millis(200 << self.idle.min(5));
            self.patience.context.sleep(self.patience.context.jitter(pause)).await;
        }
    }
}

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
        context: &mut TaskContext<'_>,
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
