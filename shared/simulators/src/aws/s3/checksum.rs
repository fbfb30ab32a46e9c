//! The checksums of S3: what a client sends along, what is stored, and what a multipart upload makes of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::{Digest, Md5};
use sha2::Sha256;

use super::error::{Error, Result};
use super::request::Request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha256,
}

const ALL: [Algorithm; 4] = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha256];

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Name of the element that carries it.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    pub(super) fn named(name: &str) -> Result<Self> {
        ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or_else(|| {
            Error::invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA256]")
        })
    }

    pub(super) fn raw(self, data: &[u8]) -> Vec<u8> {
        let narrow = |value: u64| u32::try_from(value).unwrap_or_default().to_be_bytes().to_vec();
        match self {
            Self::Crc32 => narrow(crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, data)),
            Self::Crc32c => narrow(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, data)),
            Self::Crc64Nvme => crc_fast::checksum(CrcAlgorithm::Crc64Nvme, data).to_be_bytes().to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha256 => 32,
        }
    }
}

/// A checksum as it is kept and shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    /// Base64; with `-n` behind it when it is the checksum of the checksums of n parts.
    pub(super) value: String,
    pub(super) composite: bool,
}

impl Checksum {
    pub(super) fn of(algorithm: Algorithm, data: &[u8]) -> Self {
        Self { algorithm, value: STANDARD.encode(algorithm.raw(data)), composite: false }
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }

    /// The checksum of the checksums of parts.
    pub(super) fn composed(algorithm: Algorithm, parts: &[&Self]) -> Self {
        let joined: Vec<u8> =
            parts.iter().flat_map(|part| STANDARD.decode(&part.value).unwrap_or_default()).collect();
        let value = format!("{}-{}", STANDARD.encode(algorithm.raw(&joined)), parts.len());
        Self { algorithm, value, composite: true }
    }
}

/// The one checksum value a request carries, in a header or behind its body.
pub(super) fn given(request: &Request) -> Result<Option<(Algorithm, String)>> {
    if request.header("x-amz-checksum-sha1").is_some() {
        return Err(Error::not_implemented("x-amz-checksum-sha1"));
    }
    let found: Vec<(Algorithm, &str)> = ALL
        .into_iter()
        .filter_map(|algorithm| Some((algorithm, request.header(algorithm.header())?)))
        .collect();
    match found.as_slice() {
        [] => Ok(None),
        [(algorithm, value)] => {
            // A composite value of a multipart upload has the number of parts behind it.
            let bare = value.split('-').next().unwrap_or_default();
            if STANDARD.decode(bare).is_ok_and(|raw| raw.len() == algorithm.length()) {
                return Ok(Some((*algorithm, (*value).to_owned())));
            }
            Err(Error::invalid_request(format!("Value for {} header is invalid.", algorithm.header())))
        }
        _ => Err(Error::invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )),
    }
}

/// Verifies every hash a request gave for its body, and returns the checksum to keep.
pub(super) fn verify(request: &Request, fallback: Algorithm) -> Result<Checksum> {
    let data = &request.body;
    if let Some(md5) = request.header("content-md5") {
        let claimed = STANDARD.decode(md5).ok().filter(|raw| raw.len() == 16);
        let claimed = claimed
            .ok_or_else(|| Error::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid."))?;
        if claimed != Md5::digest(data).as_slice() {
            return Err(Error::bad_digest("The Content-MD5 you specified did not match what we received."));
        }
    }
    let declared = request.header("x-amz-sdk-checksum-algorithm").map(Algorithm::named).transpose()?;
    let Some((algorithm, claimed)) = given(request)? else {
        return Ok(Checksum::of(declared.unwrap_or(fallback), data));
    };
    let found = Checksum::of(algorithm, data);
    if found.value != claimed {
        return Err(Error::bad_digest(format!(
            "The {} you specified did not match the calculated checksum.",
            algorithm.name()
        )));
    }
    Ok(found)
}

/// The entity tag of content written in one piece.
pub(super) fn etag(data: &[u8]) -> String {
    hex::encode(Md5::digest(data))
}

/// The entity tag of a multipart object: the hash of the parts' hashes and their number. Not a hash of the content.
pub(super) fn etag_of_parts<'part>(etags: impl Iterator<Item = &'part str>) -> String {
    let (mut joined, mut count) = (Vec::new(), 0);
    for etag in etags {
        joined.extend(hex::decode(etag).unwrap_or_default());
        count += 1;
    }
    format!("{}-{count}", hex::encode(Md5::digest(joined)))
}
