//! Checksums of what is kept.

use crate::content::Blob;

/// Bytes read at once.
const PIECE: u64 = 256 << 10;

/// A checksum, as XIP names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`.
    Md5,
    /// `SHA1`.
    Sha1,
    /// `SHA256`.
    Sha256,
    /// `SHA512`.
    Sha512,
}

impl Algorithm {
    /// The algorithm of a name, with or without the hyphen that packages and headers write.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_uppercase().replace('-', "").as_str() {
            "MD5" => Some(Self::Md5),
            "SHA1" => Some(Self::Sha1),
            "SHA256" => Some(Self::Sha256),
            "SHA512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// As packages and headers write it.
    pub(super) fn hyphenated(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// As XIP names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

/// The checksum of content in lower-case hexadecimal.
pub fn digest(algorithm: Algorithm, content: &Blob) -> std::io::Result<String> {
    match algorithm {
        Algorithm::Md5 => run::<md5::Md5>(content),
        Algorithm::Sha1 => run::<sha1::Sha1>(content),
        Algorithm::Sha256 => Ok(content.sha256.clone()),
        Algorithm::Sha512 => run::<sha2::Sha512>(content),
    }
}

fn run<Hash: md5::Digest>(content: &Blob) -> std::io::Result<String> {
    let (mut hash, mut at) = (Hash::new(), 0);
    while at < content.size {
        let piece = content.read_at(at, PIECE)?;
        at += piece.len() as u64;
        hash.update(&piece);
    }
    Ok(hex::encode(hash.finalize().as_slice()))
}
