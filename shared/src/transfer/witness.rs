//! Bodies that are hashed and measured while they flow.
//!
//! The last bytes of a watched body are held back until its source has said that it is at its end, and what came is
//! what was promised. A body that was cut, that is too long or that was corrupted therefore never arrives whole: the
//! other side sees an upload that broke off, not a shorter document.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;

use super::digest::{Digests, Hasher};
use crate::{
    error::{Error, FailureClass, Result, System},
    http::Body,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Sees what flows through the bodies it watches. Clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    seen: Arc<Mutex<Seen>>,
    known: Known,
}

#[derive(Debug, Default)]
struct Seen {
    pass: u64,
    hasher: Option<Hasher>,
    failure: Option<(FailureClass, &'static str, String)>,
}

/// What is known of a content before it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) sha256: Option<String>,
    pub(super) crc64_nvme: Option<String>,
}

impl Witness {
    /// A witness that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same witness, which also lets a body end only when its digests are the known ones.
    pub(super) fn knowing(&self, known: Known) -> Self {
        Self { seen: Arc::clone(&self.seen), known }
    }

    /// The same witness, which also lets a body end only when it has this SHA-256: for a content that was read before.
    #[must_use]
    pub fn expecting(&self, sha256: &str) -> Self {
        self.knowing(Known { sha256: Some(sha256.to_owned()), crc64_nvme: None })
    }

    /// A body that is hashed while it flows. Each call begins anew, so every attempt of a replayable body is judged
    /// by itself. A body that says how long it is and then is shorter or longer fails.
    pub fn watch(&self, body: Body) -> Body {
        self.watch_on(body, Hasher::new())
    }

    /// The same for a body that continues what a hasher has seen: its digests are those of all of it.
    pub fn watch_on(&self, body: Body, hasher: Hasher) -> Body {
        let expected = body.size_hint().exact();
        let pass = {
            let mut seen = self.lock();
            seen.pass += 1;
            seen.failure = None;
            // Nobody asks an empty body for its bytes, so it would never be seen to end.
            seen.hasher = (expected == Some(0)).then(|| hasher.clone());
            seen.pass
        };
        let report = Report { witness: self.clone(), pass, hasher };
        Watched::new(body, expected, Some(report)).boxed()
    }

    /// The digests of the pass begun last, once it has reached its end: nothing when the other side answered before
    /// it had taken everything.
    pub fn digests(&self) -> Option<Digests> {
        Some(self.hasher()?.finish())
    }

    /// The hasher at the end of the pass begun last, to be continued by the next body.
    pub fn hasher(&self) -> Option<Hasher> {
        self.lock().hasher.clone()
    }

    /// Why the pass begun last failed at its source: a request that broke off for this reason cannot have taken
    /// effect, because its last bytes were never sent.
    pub fn failure(&self) -> Option<Error> {
        let seen = self.lock();
        let (class, code, message) = seen.failure.as_ref()?;
        Some(Error::new(*class, System::S3, "read source", code, message))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that fails unless it is exactly `length` bytes long.
pub(super) fn exactly(body: Body, length: u64) -> Body {
    Watched::new(body, Some(length), None).boxed()
}

/// Reads a body to its end and gives its digests. Bytes are not kept.
///
/// # Errors
/// `Transient` with code `source.cut` when it breaks off, is shorter or longer than `expected`.
pub async fn hash_body(body: Body, expected: Option<u64>) -> Result<Digests> {
    let body = match expected {
        Some(length) => exactly(body, length),
        None => body,
    };
    Ok(hash_body_on(Hasher::new(), body).await?.finish())
}

/// The same for a body that continues what a hasher has seen.
///
/// # Errors
/// When the body breaks off.
pub async fn hash_body_on(mut hasher: Hasher, mut body: Body) -> Result<Hasher> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(body_error)?.into_data() {
            hasher.update(&data);
        }
    }
    Ok(hasher)
}

/// The error of a body as one of ours.
pub(super) fn body_error(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => cut("the source broke off").source(error),
    }
}

pub(super) fn cut(message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::S3, "read source", "source.cut", message)
}

struct Report {
    witness: Witness,
    pass: u64,
    hasher: Hasher,
}

impl Report {
    fn end(self) -> Result<()> {
        let digests = self.hasher.clone().finish();
        let known = &self.witness.known;
        let differs =
            |known: &Option<String>, found: &String| known.as_ref().is_some_and(|known| known != found);
        if differs(&known.sha256, &digests.sha256) || differs(&known.crc64_nvme, &digests.crc64_nvme) {
            return Err(Error::new(
                FailureClass::Transient,
                System::S3,
                "read source",
                "source.corrupt",
                "the bytes that came do not have the checksum their source states",
            ));
        }
        let mut seen = self.witness.lock();
        if seen.pass == self.pass {
            seen.hasher = Some(self.hasher);
        }
        Ok(())
    }
}

struct Watched {
    inner: Option<Body>,
    expected: Option<u64>,
    taken: u64,
    given: u64,
    held: Option<Bytes>,
    report: Option<Report>,
    watching: Option<(Witness, u64)>,
}

impl Watched {
    fn new(inner: Body, expected: Option<u64>, report: Option<Report>) -> Self {
        let watching = report.as_ref().map(|report| (report.witness.clone(), report.pass));
        Self { inner: Some(inner), expected, taken: 0, given: 0, held: None, report, watching }
    }

    fn give(&mut self, data: Bytes) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.given += data.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.inner = None;
        self.held = None;
        self.report = None;
        if let Some((witness, pass)) = self.watching.take() {
            let mut seen = witness.lock();
            if seen.pass == pass {
                seen.hasher = None;
                seen.failure = Some((error.class(), error.code(), error.message().to_owned()));
            }
        }
        Poll::Ready(Some(Err(Box::new(error))))
    }

    fn at_end(&mut self) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.inner = None;
        if let Some(expected) = self.expected
            && self.taken < expected
        {
            return self.fail(cut(format!("the source ended after {} of {expected} bytes", self.taken)));
        }
        if let Some(Err(error)) = self.report.take().map(Report::end) {
            return self.fail(error);
        }
        match self.held.take() {
            Some(last) => self.give(last),
            None => Poll::Ready(None),
        }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            let Some(inner) = this.inner.as_mut() else { return Poll::Ready(None) };
            match ready!(Pin::new(inner).poll_frame(task)) {
                None => return this.at_end(),
                Some(Err(error)) => {
                    let error = body_error(error);
                    return this.fail(error);
                }
                Some(Ok(frame)) => {
                    // Trailers belong to the hop they came over.
                    let Ok(data) = frame.into_data() else { continue };
                    if data.is_empty() {
                        continue;
                    }
                    this.taken += data.len() as u64;
                    if let Some(expected) = this.expected
                        && this.taken > expected
                    {
                        return this.fail(cut(format!("the source gave more than {expected} bytes")));
                    }
                    if let Some(report) = &mut this.report {
                        report.hasher.update(&data);
                    }
                    if this.expected == Some(this.taken) {
                        this.held = Some(data);
                    } else {
                        return this.give(data);
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.expected {
            Some(expected) => SizeHint::with_exact(expected.saturating_sub(self.given)),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
