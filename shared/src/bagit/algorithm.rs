//! Checksums, as many at once as the manifests of a bag ask for.

use std::collections::BTreeMap;

use sha2::digest::DynDigest;

/// A checksum algorithm that manifests may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5, of old bags.
    Md5,
    /// SHA-1, of old bags.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256: the one written here.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The algorithm a manifest's name stands for, in lower case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// Its name in the name of a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn hasher(self) -> Box<dyn DynDigest + Send> {
        match self {
            Self::Md5 => Box::new(md5::Md5::default()),
            Self::Sha1 => Box::new(sha1::Sha1::default()),
            Self::Sha224 => Box::new(sha2::Sha224::default()),
            Self::Sha256 => Box::new(sha2::Sha256::default()),
            Self::Sha384 => Box::new(sha2::Sha384::default()),
            Self::Sha512 => Box::new(sha2::Sha512::default()),
        }
    }

    /// How many hexadecimal digits a checksum has.
    pub(super) fn digits(self) -> usize {
        2 * self.hasher().output_size()
    }
}

/// Computes several checksums of one content while its bytes pass.
pub struct Checksums {
    hashers: Vec<(Algorithm, Box<dyn DynDigest + Send>)>,
    bytes: u64,
}

/// What a content was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Checksums in lower-case hexadecimal.
    pub checksums: BTreeMap<Algorithm, String>,
    /// Its length.
    pub bytes: u64,
}

impl Checksums {
    /// Nothing read yet.
    pub fn of(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self { hashers: algorithms.into_iter().map(|one| (one, one.hasher())).collect(), bytes: 0 }
    }

    /// The next bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        for (_, hasher) in &mut self.hashers {
            hasher.update(data);
        }
    }

    /// The end.
    pub fn finish(self) -> Found {
        let checksums = self.hashers.into_iter().map(|(algorithm, hasher)| {
            let digest = hasher.finalize();
            (algorithm, hex::encode(digest))
        });
        Found { checksums: checksums.collect(), bytes: self.bytes }
    }
}

impl std::fmt::Debug for Checksums {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let algorithms: Vec<_> = self.hashers.iter().map(|(algorithm, _)| algorithm.name()).collect();
        formatter.debug_struct("Checksums").field("of", &algorithms).field("bytes", &self.bytes).finish()
    }
}
