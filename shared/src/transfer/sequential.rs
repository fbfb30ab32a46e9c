//! Contents that can only be read from their beginning, read part by part all the same.
//!
//! The body that was opened last is kept: whoever asks for the bytes that come next gets them from it, so parts in
//! order cost one reading. Only after a failure, or in another invocation, is the content opened anew and read up to
//! the place.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use super::{
    RangedSource,
    witness::{body_error, cut},
};
use crate::{error::Result, http::Body};

/// A content of `length` bytes that `open` always gives from its start.
pub fn from_start<F, Fut>(mark: &str, length: u64, open: F) -> RangedSource
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Body>> + Send + 'static,
{
    let (kept, open): (Kept, Arc<F>) = (Kept::default(), Arc::new(open));
    RangedSource::new(mark, length, move |offset, wanted| {
        let (kept, open) = (kept.clone(), Arc::clone(&open));
        async move {
            let reading = match kept.take(offset) {
                Some(reading) => reading,
                None => {
                    let mut reading = Reading { body: open().await?, rest: Bytes::new(), at: 0, length };
                    while reading.at < offset {
                        reading.next(offset - reading.at).await?;
                    }
                    reading
                }
            };
            Ok(part(reading, offset + wanted, kept))
        }
    })
}

/// A body that has been read up to a place.
struct Reading {
    body: Body,
    /// Bytes that came and were not asked for yet.
    rest: Bytes,
    at: u64,
    length: u64,
}

impl Reading {
    /// The next bytes, at most `most`; never none.
    async fn next(&mut self, most: u64) -> Result<Bytes> {
        while self.rest.is_empty() {
            let frame = self.body.frame().await.ok_or_else(|| cut("the source ended early"))?;
            self.rest = frame.map_err(body_error)?.into_data().unwrap_or_default();
        }
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        self.at += count as u64;
        Ok(self.rest.split_to(count))
    }

    /// Whether the content ends where it should.
    async fn end(&mut self) -> Result<()> {
        let mut surplus = !self.rest.is_empty();
        while let Some(frame) = self.body.frame().await {
            surplus |= frame.map_err(body_error)?.into_data().is_ok_and(|data| !data.is_empty());
        }
        if surplus { Err(cut(format!("the source is longer than {} bytes", self.length))) } else { Ok(()) }
    }
}

/// The reading that may be continued. Clones hold the same one.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<Reading>>>);

impl Kept {
    fn slot(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, offset: u64) -> Option<Reading> {
        // A reading that is elsewhere is of no more use: parts come in order.
        self.slot().take().filter(|reading| reading.at == offset && offset > 0)
    }

    fn put(&self, reading: Reading) {
        *self.slot() = Some(reading);
    }
}

/// The bytes of a reading up to a place; afterwards it is kept.
fn part(reading: Reading, end: u64, kept: Kept) -> Body {
    let parts = futures_util::stream::unfold(Some((reading, kept)), move |state| async move {
        let (mut reading, kept) = state?;
        if reading.at < end {
            return match reading.next(end - reading.at).await {
                Ok(data) => Some((Ok(Frame::data(data)), Some((reading, kept)))),
                Err(error) => Some((Err(error.into()), None)),
            };
        }
        if end < reading.length {
            kept.put(reading);
            return None;
        }
        reading.end().await.err().map(|error| (Err(error.into()), None))
    });
    StreamBody::new(parts).boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::http::full;

    fn source(content: &'static [u8], length: u64) -> (RangedSource, Arc<AtomicUsize>) {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let source = from_start("mark", length, move || {
            count.fetch_add(1, Ordering::Relaxed);
            async move { Ok(full(content)) }
        });
        (source, opened)
    }

    async fn read(source: &RangedSource, offset: u64, length: u64) -> Result<Vec<u8>> {
        let body = source.open(offset, length).await?;
        Ok(body.collect().await.map_err(body_error)?.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn parts_in_order_cost_one_reading_and_a_repeated_part_another() {
        let (source, opened) = source(b"abcdefgh", 8);
        assert_eq!(read(&source, 0, 3).await.unwrap(), b"abc");
        assert_eq!(read(&source, 3, 3).await.unwrap(), b"def");
        assert_eq!(read(&source, 6, 2).await.unwrap(), b"gh");
        assert_eq!(opened.load(Ordering::Relaxed), 1);
        assert_eq!(read(&source, 3, 3).await.unwrap(), b"def", "after a failure, say");
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_content_of_another_length_than_was_announced_is_no_content() {
        for (length, parts) in [(9, (6, 3)), (7, (6, 1))] {
            let (source, _) = source(b"abcdefgh", length);
            assert_eq!(read(&source, 0, parts.0).await.unwrap(), b"abcdef");
            assert_eq!(read(&source, parts.0, parts.1).await.unwrap_err().code(), "source.cut", "{length}");
        }
        let (empty, _) = source(b"", 0);
        assert!(read(&empty, 0, 0).await.unwrap().is_empty());
        let (not_empty, _) = source(b"x", 0);
        assert_eq!(read(&not_empty, 0, 0).await.unwrap_err().code(), "source.cut");
    }
}
