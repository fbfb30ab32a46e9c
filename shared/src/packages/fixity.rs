//! Fixities of contents, all that are asked for in one reading, with the CRCs that zips and S3 keep.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use crc_fast::CrcAlgorithm::{Crc32IsoHdlc, Crc64Nvme};
use http_body_util::BodyExt;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{
    Digest, Sha256, Sha512,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::{
    error::{Error, FailureClass, Result, System},
    http::RangedSource,
};

/// A fixity algorithm of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-1, which archives use when nothing else is said.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// The algorithm of a name, as OPEX (`SHA-1`) or XIP (`SHA1`) write it, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_uppercase().replace('-', "");
        Self::ALL.into_iter().find(|algorithm| algorithm.xip_name() == name)
    }

    /// Its name in OPEX, in HTTP headers and in PREMIS.
    pub fn opex_name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Its name in XIP.
    pub fn xip_name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// Whether a text is a value of it: hexadecimal, in any case, of the right length.
    pub fn is_value(self, text: &str) -> bool {
        let digits = match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        };
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// What is measured of documents, which are small.
pub(super) const OF_DOCUMENTS: [Algorithm; 2] = [Algorithm::Sha1, Algorithm::Sha256];

/// What is known of a content that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its CRC-32, as zips keep it.
    pub crc32: u32,
    /// Its CRC64-NVME as S3 writes it: base64 of the eight bytes, most significant first.
    pub crc64_nvme: String,
    /// Its fixities in lower-case hexadecimal.
    pub fixities: BTreeMap<Algorithm, String>,
}

impl Facts {
    /// Those of bytes in memory.
    pub fn of(bytes: &[u8], algorithms: &[Algorithm]) -> Self {
        let mut measure = Measure::new(algorithms);
        measure.update(bytes);
        measure.finish()
    }

    /// The CRCs of contents in a row, from theirs.
    pub(super) fn in_a_row<'a>(contents: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::of(b"", &[]);
        let mut crc64 = 0;
        for next in contents {
            let combined =
                crc_fast::checksum_combine(Crc32IsoHdlc, all.crc32.into(), next.crc32.into(), next.bytes);
            all.crc32 = low_half(combined);
            crc64 = crc_fast::checksum_combine(Crc64Nvme, crc64, crc64_value(&next.crc64_nvme), next.bytes);
            all.bytes += next.bytes;
        }
        all.crc64_nvme = BASE64.encode(crc64.to_be_bytes());
        all
    }

    /// Whether two say nothing different: fixities that only one has are left out.
    pub fn agrees(&self, other: &Self) -> bool {
        let differs = |(algorithm, value): (&Algorithm, &String)| {
            other.fixities.get(algorithm).is_some_and(|their| !their.eq_ignore_ascii_case(value))
        };
        self.bytes == other.bytes
            && self.crc32 == other.crc32
            && self.crc64_nvme == other.crc64_nvme
            && !self.fixities.iter().any(differs)
    }
}

fn crc64_value(text: &str) -> u64 {
    let bytes = BASE64.decode(text).ok().and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    u64::from_be_bytes(bytes.unwrap_or_default())
}

/// A CRC-32, which is computed in twice as many bits.
fn low_half(crc: u64) -> u32 {
    u32::try_from(crc & u64::from(u32::MAX)).unwrap_or_default()
}

/// One algorithm at work.
#[derive(Clone)]
enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

fn restored<H: SerializableState>(state: &[u8]) -> Option<H> {
    H::deserialize(&SerializedState::<H>::try_from(state).ok()?).ok()
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Md5(hasher) => hex::encode(hasher.finalize()),
            Self::Sha1(hasher) => hex::encode(hasher.finalize()),
            Self::Sha256(hasher) => hex::encode(hasher.finalize()),
            Self::Sha512(hasher) => hex::encode(hasher.finalize()),
        }
    }

    fn state(&self) -> Vec<u8> {
        match self {
            Self::Md5(hasher) => hasher.serialize().to_vec(),
            Self::Sha1(hasher) => hasher.serialize().to_vec(),
            Self::Sha256(hasher) => hasher.serialize().to_vec(),
            Self::Sha512(hasher) => hasher.serialize().to_vec(),
        }
    }

    fn resume(algorithm: Algorithm, state: &[u8]) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Md5 => Self::Md5(restored(state)?),
            Algorithm::Sha1 => Self::Sha1(restored(state)?),
            Algorithm::Sha256 => Self::Sha256(restored(state)?),
            Algorithm::Sha512 => Self::Sha512(restored(state)?),
        })
    }
}

/// Finds the [`Facts`] of a content while its bytes pass. Its state can be kept and gone on from in another invocation.
#[derive(Clone)]
pub struct Measure {
    hashers: BTreeMap<Algorithm, Hasher>,
    crc32: crc_fast::Digest,
    crc64: crc_fast::Digest,
    bytes: u64,
}

/// The state of a [`Measure`] between two invocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureState {
    /// Of each algorithm, in base64.
    hashers: BTreeMap<Algorithm, String>,
    crc32: u64,
    crc64: u64,
    bytes: u64,
}

impl MeasureState {
    /// How many bytes have passed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Measure {
    /// Nothing has passed yet.
    pub fn new(algorithms: &[Algorithm]) -> Self {
        Self {
            hashers: algorithms.iter().map(|algorithm| (*algorithm, Hasher::new(*algorithm))).collect(),
            crc32: crc_fast::Digest::new(Crc32IsoHdlc),
            crc64: crc_fast::Digest::new(Crc64Nvme),
            bytes: 0,
        }
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for hasher in self.hashers.values_mut() {
            hasher.update(bytes);
        }
        self.crc32.update(bytes);
        self.crc64.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes have passed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The end.
    pub fn finish(self) -> Facts {
        let fixities = self.hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish()));
        Facts {
            bytes: self.bytes,
            crc32: low_half(self.crc32.finalize()),
            crc64_nvme: BASE64.encode(self.crc64.finalize().to_be_bytes()),
            fixities: fixities.collect(),
        }
    }

    /// Its state, to be gone on from by [`Measure::resume`].
    pub fn state(&self) -> MeasureState {
        let hashers = self.hashers.iter();
        MeasureState {
            hashers: hashers.map(|(algorithm, hasher)| (*algorithm, BASE64.encode(hasher.state()))).collect(),
            crc32: self.crc32.get_state(),
            crc64: self.crc64.get_state(),
            bytes: self.bytes,
        }
    }

    /// Goes on where a state was kept.
    ///
    /// # Errors
    /// When the state was not written by this program or an older version of it.
    pub fn resume(state: &MeasureState) -> Result<Self> {
        let broken = || Error::bug("resume", "the recorded state of a measure cannot be read");
        let mut hashers = BTreeMap::new();
        for (algorithm, text) in &state.hashers {
            let bytes = BASE64.decode(text).map_err(|error| broken().source(error))?;
            hashers.insert(*algorithm, Hasher::resume(*algorithm, &bytes).ok_or_else(broken)?);
        }
        Ok(Self {
            hashers,
            crc32: crc_fast::Digest::new_with_init_state(Crc32IsoHdlc, state.crc32),
            crc64: crc_fast::Digest::new_with_init_state(Crc64Nvme, state.crc64),
            bytes: state.bytes,
        })
    }

    /// Reads a content from where this measure is, up to so many bytes more; whether it is at the end now. Keep the
    /// [`state`](Self::state) after each.
    ///
    /// # Errors
    /// What the source says; `Transient` with code `package.source-cut` when it breaks off.
    pub async fn read_on(&mut self, source: &RangedSource, most: u64) -> Result<bool> {
        let left = source.length().saturating_sub(self.bytes);
        let length = left.min(most);
        if length > 0 {
            let end = self.bytes + length;
            let mut body = source.range(self.bytes, length).open().await?;
            while let Some(frame) = body.frame().await {
                if let Ok(data) = frame.map_err(cut)?.into_data() {
                    self.update(&data);
                }
            }
            if self.bytes != end {
                return Err(cut("it has another length than it was said to have"));
            }
        }
        Ok(length == left)
    }
}

impl fmt::Debug for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of: Vec<_> = self.hashers.keys().collect();
        formatter.debug_struct("Measure").field("of", &of).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Reads a content once, to its end. Nothing of it is kept.
///
/// # Errors
/// What the source says; `Transient` with code `package.source-cut` when it breaks off.
pub async fn measure(source: &RangedSource, algorithms: &[Algorithm]) -> Result<Facts> {
    let mut measure = Measure::new(algorithms);
    measure.read_on(source, u64::MAX).await?;
    Ok(measure.finish())
}

/// A source that broke off. An error of ours that went through the body comes out as it was.
pub(super) fn cut(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    match error.into().downcast::<Error>() {
        Ok(ours) => *ours,
        Err(other) => Error::new(
            FailureClass::Transient,
            System::Waybill,
            "read content",
            "package.source-cut",
            format!("a content broke off while it was read: {other}"),
        ),
    }
}
