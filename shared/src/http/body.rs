use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};

use crate::error::Result;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Opening = Pin<Box<dyn Future<Output = Result<Body>> + Send>>;

/// A body on its way, in either direction.
pub type Body = BoxBody<Bytes, BoxError>;

/// A body without bytes.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// A body of bytes already in memory.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A body of known length that can be opened again from its beginning for every attempt.
///
/// There is no way to send a body that cannot be replayed: a renewed credential can never send an empty file.
#[derive(Clone)]
pub struct Replayable {
    length: u64,
    open: Arc<dyn Fn() -> Opening + Send + Sync>,
}

impl Replayable {
    /// A body of `length` bytes that `open` begins anew each time it is called.
    pub fn new<F, Fut>(length: u64, open: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Body>> + Send + 'static,
    {
        Self { length, open: Arc::new(move || Box::pin(open())) }
    }

    /// Bytes in memory.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::new(bytes.len() as u64, move || {
            let bytes = bytes.clone();
            async move { Ok(full(bytes)) }
        })
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Opens it from the beginning.
    pub async fn open(&self) -> Result<Body> {
        (self.open)().await
    }
}

impl fmt::Debug for Replayable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Replayable").field("length", &self.length).finish_non_exhaustive()
    }
}

/// What a request carries. Its `Debug` form shows sizes only: a log-in form is a payload too.
#[derive(Clone)]
pub enum Payload {
    /// Nothing.
    Empty,
    /// Bytes in memory with their content type.
    Bytes(&'static str, Bytes),
    /// A stream with its content type.
    Stream(String, Replayable),
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("Empty"),
            Self::Bytes(kind, bytes) => write!(formatter, "{} bytes of {kind}", bytes.len()),
            Self::Stream(kind, stream) => write!(formatter, "{} bytes of {kind}", stream.length()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_in_a_log_shows_no_password() {
        let payload = Payload::Bytes("application/x-www-form-urlencoded", "password=hunter2".into());
        assert!(!format!("{payload:?}").contains("hunter2"));
    }
}
