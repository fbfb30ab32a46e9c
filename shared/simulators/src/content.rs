//! Content that simulators keep: small content in memory, large content in an unlinked temporary file, none at all when
//! only size and checksum matter, and content that is generated as it is read, of any size.

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

/// Bytes handed to a download in one piece.
const PIECE: u64 = 256 * 1024;

#[derive(Debug)]
enum Stored {
    Memory(Bytes),
    File(File),
    Discarded,
    /// Every eight bytes follow from their place and this number.
    Generated(u64),
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

    /// Content that is held nowhere and looks random: the same `seed` gives the same bytes. Making it reads it once for
    /// its checksum.
    pub fn generated(seed: u64, size: u64) -> Self {
        let mut blob = Self { size, sha256: String::new(), stored: Arc::new(Stored::Generated(seed)) };
        let (mut hash, mut at) = (Sha256::new(), 0);
        while at < size {
            let piece = generate(seed, at, PIECE.min(size - at));
            hash.update(&piece);
            at += piece.len() as u64;
        }
        blob.sha256 = hex::encode(hash.finalize());
        blob
    }

    /// The whole content. Fails for content that was discarded on arrival.
    pub fn bytes(&self) -> Result<Bytes> {
        match &*self.stored {
            Stored::Memory(bytes) => Ok(bytes.clone()),
            Stored::File(_) | Stored::Generated(_) => self.read_at(0, self.size),
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
            Stored::Generated(seed) => Ok(generate(*seed, offset, length as u64).into()),
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

/// Bytes of generated content.
fn generate(seed: u64, offset: u64, length: u64) -> Vec<u8> {
    let (first, last) = (offset / 8, offset.saturating_add(length).div_ceil(8));
    let mut bytes = vec![0; usize::try_from((last - first) * 8).unwrap_or(0)];
    for (word, eight) in (first..last).zip(bytes.chunks_exact_mut(8)) {
        eight.copy_from_slice(&mixed(seed ^ word).to_le_bytes());
    }
    bytes.drain(..usize::try_from(offset % 8).unwrap_or(0));
    bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    bytes
}

/// The step of the generator `SplitMix64`.
fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Receives content piece by piece.
#[derive(Debug)]
pub struct Spool {
    hash: Sha256,
    size: u64,
    memory: Vec<u8>,
    file: Option<File>,
    threshold: u64,
    discard: bool,
}

impl Spool {
    /// An empty spool. Content of more bytes than `threshold` goes to a file; when told to `discard`, to nowhere.
    pub fn new(threshold: u64, discard: bool) -> Self {
        Self { hash: Sha256::new(), size: 0, memory: Vec::new(), file: None, threshold, discard }
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
        let mut spool = Spool::new(10, false);
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
        let mut spool = Spool::new(10, true);
        spool.write(b"gone").unwrap();
        let blob = spool.finish();
        assert_eq!((blob.size, blob.sha256.as_str()), (4, Blob::of(&b"gone"[..]).sha256.as_str()));
        assert!(blob.bytes().is_err());
    }

    #[test]
    fn generated_content_is_the_same_wherever_it_is_read() {
        let blob = Blob::generated(7, 600_000);
        let whole = blob.bytes().unwrap();
        assert_eq!(whole.len(), 600_000);
        assert_eq!(blob.sha256, Blob::of(whole.clone()).sha256);
        for (offset, length) in [(0, 1), (3, 10), (8, 8), (262_140, 20), (599_999, 5), (600_000, 1)] {
            let end = whole.len().min(offset + length);
            assert_eq!(
                blob.read_at(offset as u64, length as u64).unwrap(),
                whole[offset..end],
                "{offset} {length}"
            );
        }
        assert_ne!(blob.sha256, Blob::generated(8, 600_000).sha256);
    }
}
