//! The hash of record and its second witness, computed while bytes pass.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use crc_fast::CrcAlgorithm::Crc64Nvme;
use serde::{Deserialize, Serialize};
use sha2::{
    Digest, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::error::{Error, Result};

/// What is known of a content that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256 in lower-case hexadecimal: the hash of record.
    pub sha256: String,
    /// CRC64-NVME as S3 writes it: base64 of the eight bytes, most significant first.
    pub crc64_nvme: String,
    /// Length in bytes.
    pub bytes: u64,
}

impl Digests {
    /// What an empty content has.
    pub fn of_nothing() -> Self {
        Hasher::new().finish()
    }

    /// What bytes in memory have.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The SHA-256 as S3 writes it, in base64.
    ///
    /// # Errors
    /// When the digests were not made here and do not hold hexadecimal digits.
    pub fn sha256_base64(&self) -> Result<String> {
        let bytes = hex::decode(&self.sha256)
            .map_err(|error| Error::bug("digest", "a SHA-256 is not hexadecimal").source(error))?;
        Ok(BASE64.encode(bytes))
    }
}

/// Computes [`Digests`]. Its state can be written down and continued in another invocation, so that a long transfer
/// never reads again what it has read.
#[derive(Clone)]
pub struct Hasher {
    sha256: Sha256,
    crc64_nvme: crc_fast::Digest,
    bytes: u64,
}

/// The state of a [`Hasher`] between two invocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HasherState {
    /// The state of SHA-256, base64.
    sha256: String,
    /// The state of CRC64-NVME, hexadecimal.
    crc64_nvme: String,
    /// Bytes seen.
    bytes: u64,
}

impl HasherState {
    /// How many bytes went into it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self { sha256: Sha256::new(), crc64_nvme: crc_fast::Digest::new(Crc64Nvme), bytes: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.crc64_nvme.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes it has taken.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digests of everything taken.
    pub fn finish(self) -> Digests {
        Digests {
            sha256: hex::encode(self.sha256.finalize()),
            crc64_nvme: crc_text(self.crc64_nvme.finalize()),
            bytes: self.bytes,
        }
    }

    /// The CRC64-NVME of everything taken so far.
    pub(super) fn crc64(&self) -> u64 {
        self.crc64_nvme.finalize()
    }

    /// Its state, to be continued by [`Hasher::resume`].
    pub fn state(&self) -> HasherState {
        HasherState {
            sha256: BASE64.encode(self.sha256.serialize()),
            crc64_nvme: format!("{:016x}", self.crc64_nvme.get_state()),
            bytes: self.bytes,
        }
    }

    /// Continues where a state was written down.
    ///
    /// # Errors
    /// When the state was not written by this program or an older version of it.
    pub fn resume(state: &HasherState) -> Result<Self> {
        let broken = || Error::bug("resume", "the recorded state of a hash cannot be read");
        let sha256 = BASE64.decode(&state.sha256).map_err(|error| broken().source(error))?;
        let sha256 =
            SerializedState::<Sha256>::try_from(sha256.as_slice()).map_err(|error| broken().source(error))?;
        let sha256 = Sha256::deserialize(&sha256).map_err(|error| broken().source(error))?;
        let crc = u64::from_str_radix(&state.crc64_nvme, 16).map_err(|error| broken().source(error))?;
        Ok(Self {
            sha256,
            crc64_nvme: crc_fast::Digest::new_with_init_state(Crc64Nvme, crc),
            bytes: state.bytes,
        })
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hasher").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// A CRC64-NVME as S3 writes it.
pub(super) fn crc_text(crc: u64) -> String {
    BASE64.encode(crc.to_be_bytes())
}

/// A CRC64-NVME as S3 writes it, read.
pub(super) fn crc_value(text: &str) -> Option<u64> {
    let bytes: [u8; 8] = BASE64.decode(text).ok()?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes))
}

/// The CRC64-NVME of contents in a row, from those of each as S3 writes them, and their lengths. Nothing when one of them
/// is no such checksum.
pub fn crc64_in_a_row<'a>(contents: impl IntoIterator<Item = (&'a str, u64)>) -> Option<String> {
    let mut all = 0;
    for (crc, bytes) in contents {
        all = crc_combine(all, crc_value(crc)?, bytes);
    }
    Some(crc_text(all))
}

/// The CRC64-NVME of two contents in a row, from theirs.
pub(super) fn crc_combine(first: u64, second: u64, second_bytes: u64) -> u64 {
    crc_fast::checksum_combine(Crc64Nvme, first, second, second_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_written_as_s3_and_sha256sum_write_them() {
        let digests = Digests::of(b"123456789");
        assert_eq!(digests.sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
        // The check value of CRC-64/NVME in the catalogue of CRC algorithms.
        assert_eq!(crc_value(&digests.crc64_nvme), Some(0xae8b_1486_0a79_9888));
        assert_eq!(digests.bytes, 9);
        assert_eq!(Digests::of_nothing().crc64_nvme, "AAAAAAAAAAA=");
        assert_eq!(
            Digests::of_nothing().sha256_base64().unwrap(),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn a_hash_begun_in_one_invocation_is_finished_in_another() {
        let content: Vec<u8> = (0..10_007_u32).map(|n| (n % 251) as u8).collect();
        for cut in [0, 1, 63, 64, 65, 5_000, content.len()] {
            let mut first = Hasher::new();
            first.update(&content[..cut]);
            let written = serde_json::to_string(&first.state()).unwrap();
            drop(first);
            let mut second = Hasher::resume(&serde_json::from_str(&written).unwrap()).unwrap();
            second.update(&content[cut..]);
            assert_eq!(second.finish(), Digests::of(&content), "cut at {cut}");
        }
    }

    #[test]
    fn a_state_that_was_tampered_with_is_refused() {
        let mut state = Hasher::new().state();
        state.sha256.truncate(20);
        assert_eq!(Hasher::resume(&state).unwrap_err().operation(), "resume");
    }

    #[test]
    fn the_checksums_of_parts_add_up_to_the_checksum_of_the_whole() {
        let content: Vec<u8> = (0..100_000_u32).map(|n| (n % 249) as u8).collect();
        let mut combined = 0;
        for part in content.chunks(30_000) {
            let crc = crc_value(&Digests::of(part).crc64_nvme).unwrap();
            combined = crc_combine(combined, crc, part.len() as u64);
        }
        assert_eq!(crc_text(combined), Digests::of(&content).crc64_nvme);
    }
}
