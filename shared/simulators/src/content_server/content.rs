//! Content of versions: small content in memory, large content in an unlinked temporary file, none at all when
//! only size and checksum matter.

use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::settings::Settings;

/// Bytes handed to a download in one piece.
const PIECE: u64 = 256 * 1024;

#[derive(Debug)]
enum Stored {
    Memory(Bytes),
    File(File),
    Discarded,
}

/// Immutable content. Clones share it; the last one to go removes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Blob {
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    #[serde(skip, default = "discarded")]
    stored: Arc<Stored>,
}

fn discarded() -> Arc<Stored> {
    Arc::new(Stored::Discarded)
}

impl Blob {
    /// Content held in memory.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let sha256 = hex::encode(Sha256::digest(&bytes));
        Self { size: bytes.len() as u64, sha256, stored: Arc::new(Stored::Memory(bytes)) }
    }

    /// The whole content. Fails for content that was discarded on arrival.
    pub fn bytes(&self) -> Result<Bytes> {
        match &*self.stored {
            Stored::Memory(bytes) => Ok(bytes.clone()),
            Stored::File(_) => self.read_at(0, self.size),
            Stored::Discarded => Err(Error::new(ErrorKind::NotFound, "content was discarded on arrival")),
        }
    }

    /// A part of the content. Discarded content reads as zeros.
    pub fn read_at(&self, offset: u64, length: u64) -> Result<Bytes> {
        let end = offset.saturating_add(length).min(self.size);
        let length = usize::try_from(end.saturating_sub(offset)).map_err(Error::other)?;
        match &*self.stored {
            Stored::Memory(bytes) => {
                let start = usize::try_from(offset).map_err(Error::other)?.min(bytes.len());
                Ok(bytes.slice(start..start + length))
            }
            Stored::File(file) => {
                let mut buffer = vec![0; length];
                file.read_exact_at(&mut buffer, offset)?;
                Ok(buffer.into())
            }
            Stored::Discarded => Ok(vec![0; length].into()),
        }
    }

    /// A body that streams `length` bytes from `offset` in small pieces.
    pub fn body(&self, offset: u64, length: u64) -> Body {
        let end = offset.saturating_add(length).min(self.size);
        let blob = self.clone();
        Body::from_stream(stream::try_unfold(offset, move |at| {
            let blob = blob.clone();
            async move {
                if at >= end {
                    return Ok::<_, Error>(None);
                }
                let piece = blob.read_at(at, PIECE.min(end - at))?;
                let next = at + piece.len() as u64;
                Ok(Some((piece, next)))
            }
        }))
    }

    /// Writes the content to a file.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        if matches!(*self.stored, Stored::Discarded) {
            return Ok(());
        }
        let mut file = File::create(path)?;
        let mut at = 0;
        while at < self.size {
            let piece = self.read_at(at, PIECE)?;
            file.write_all(&piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Takes the content from a file written by [`save`](Self::save); discarded content has none.
    pub(crate) fn load(&mut self, path: &Path) -> Result<()> {
        match File::open(path) {
            Ok(file) => self.stored = Arc::new(Stored::File(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Receives content piece by piece.
pub struct Spool {
    hash: Sha256,
    size: u64,
    memory: Vec<u8>,
    file: Option<File>,
    threshold: u64,
    discard: bool,
}

impl Spool {
    /// An empty spool with the thresholds of `settings`.
    pub fn new(settings: &Settings) -> Self {
        Self {
            hash: Sha256::new(),
            size: 0,
            memory: Vec::new(),
            file: None,
            threshold: settings.memory_threshold_bytes,
            discard: settings.discard_content,
        }
    }

    /// An empty spool that keeps its content even when the settings say to discard it: for parts still to be joined.
    pub fn keeping(settings: &Settings) -> Self {
        Self { discard: false, ..Self::new(settings) }
    }

    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next piece.
    pub fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.hash.update(piece);
        self.size += piece.len() as u64;
        if self.discard {
            return Ok(());
        }
        if self.file.is_none() && self.size > self.threshold {
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(piece),
            None => {
                self.memory.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// Appends other content.
    pub fn append(&mut self, blob: &Blob) -> Result<()> {
        let mut at = 0;
        while at < blob.size {
            let piece = blob.read_at(at, PIECE)?;
            self.write(&piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// The finished content.
    pub fn finish(self) -> Blob {
        let stored = match self.file {
            _ if self.discard => Stored::Discarded,
            Some(file) => Stored::File(file),
            None => Stored::Memory(self.memory.into()),
        };
        Blob { size: self.size, sha256: hex::encode(self.hash.finalize()), stored: Arc::new(stored) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_above_the_threshold_goes_to_a_file_and_comes_back_whole() {
        let settings = Settings { memory_threshold_bytes: 10, ..Settings::default() };
        let mut spool = Spool::new(&settings);
        for piece in [&b"twelve bytes"[..], b" and more"] {
            spool.write(piece).unwrap();
        }
        let blob = spool.finish();
        assert!(matches!(*blob.stored, Stored::File(_)));
        assert_eq!(blob.bytes().unwrap(), &b"twelve bytes and more"[..]);
        assert_eq!(blob.sha256, Blob::of(&b"twelve bytes and more"[..]).sha256);
        assert_eq!(blob.read_at(7, 5).unwrap(), &b"bytes"[..]);
    }

    #[test]
    fn discarded_content_keeps_its_size_and_checksum() {
        let settings = Settings { discard_content: true, ..Settings::default() };
        let mut spool = Spool::new(&settings);
        spool.write(b"gone").unwrap();
        let blob = spool.finish();
        assert_eq!((blob.size, blob.sha256.as_str()), (4, Blob::of(&b"gone"[..]).sha256.as_str()));
        assert!(blob.bytes().is_err());
    }
}
