use std::io::{BufRead, Error, ErrorKind, Read, Result};

/// A source of which no more than so many bytes are read until it is told to go on: what one record may take in memory.
pub(super) struct Gauge<R> {
    source: R,
    left: usize,
}

/// More bytes than a record may have.
#[derive(Debug, thiserror::Error)]
#[error("more bytes than one record may have")]
pub(super) struct TooLarge;

impl<R: BufRead> Gauge<R> {
    pub(super) fn new(source: R, left: usize) -> Self {
        Self { source, left }
    }

    pub(super) fn allow(&mut self, bytes: usize) {
        self.left = bytes;
    }
}

impl<R: BufRead> BufRead for Gauge<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let there = self.source.fill_buf()?;
        if self.left == 0 && !there.is_empty() {
            return Err(Error::new(ErrorKind::FileTooLarge, TooLarge));
        }
        Ok(there.get(..there.len().min(self.left)).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.source.consume(amount);
    }
}

impl<R: BufRead> Read for Gauge<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let there = self.fill_buf()?;
        let read = there.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..read), there.get(..read)) {
            to.copy_from_slice(from);
        }
        self.consume(read);
        Ok(read)
    }
}
