//! The JSON beside an upload that describes it.

use shared::error::{Error, Result};

use super::upload::SIDECAR_SUFFIX;

/// Largest sidecar that is read, in bytes.
pub const LARGEST_SIDECAR: u64 = 1 << 20;

const REMEDY: &str = "upload a sidecar that is a JSON object of at most 1 MiB, then the file again";

/// The key of the sidecar of an object.
pub fn sidecar_key(key: &str) -> String {
    format!("{key}{SIDECAR_SUFFIX}")
}

/// Refuses a sidecar of more than [`LARGEST_SIDECAR`] bytes, before it is read.
///
/// # Errors
///
/// `sidecar.too-large`.
pub fn check_sidecar_length(length: u64) -> Result<()> {
    if length <= LARGEST_SIDECAR {
        return Ok(());
    }
    let message = format!("a sidecar has at most {LARGEST_SIDECAR} bytes, this one {length}");
    Err(Error::invalid("sidecar.too-large", message).field("sidecar").remedy(REMEDY))
}

/// Reads a sidecar.
///
/// # Errors
///
/// `sidecar.unreadable` when it is anything but a JSON object.
pub fn parse_sidecar(bytes: &[u8]) -> Result<serde_json::Value> {
    let unreadable =
        |message: String| Error::invalid("sidecar.unreadable", message).field("sidecar").remedy(REMEDY);
    let parsed: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        unreadable(format!("the sidecar is not JSON: line {}, column {}", error.line(), error.column()))
    })?;
    if parsed.is_object() {
        Ok(parsed)
    } else {
        Err(unreadable("the sidecar is JSON, but not an object".into()))
    }
}
