//! What the directory of a zip says about one entry.

use super::{
    reader::{BAD_ZIP, ENCRYPTED, WAY_OUT},
    record::{CENTRAL, EXTENSION, IN_EXTENSION, Reading},
};
use crate::error::{Error, Result};

/// A file or folder of a zip that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it is in the package; a folder ends with `/`.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its CRC-32.
    pub crc32: u32,
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) packed: u64,
    pub(super) offset: u64,
}

/// The sizes stand behind the content, not before it.
pub(super) const SIZES_BEHIND: u16 = 1 << 3;
const IS_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Kinds of files of Unix, in the upper half of the attributes.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

impl Member {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.path.ends_with('/')
    }

    /// The next record of a directory.
    pub(super) fn read(reading: &mut Reading<'_>) -> Result<Self> {
        let record = Fields::read(reading).ok_or_else(|| broken("a record of its directory ends early"))?;
        record.checked()
    }
}

pub(super) fn broken(what: impl std::fmt::Display) -> Error {
    Error::invalid(BAD_ZIP, format!("the package is no zip that can be read: {what}"))
}

/// A record as it stands.
struct Fields {
    signature: u32,
    made_by: u16,
    flags: u16,
    method: u16,
    crc32: u32,
    packed: u32,
    bytes: u32,
    disk: u16,
    attributes: u32,
    offset: u32,
    name: Vec<u8>,
    extra: Vec<u8>,
}

impl Fields {
    fn read(reading: &mut Reading<'_>) -> Option<Self> {
        let signature = reading.four()?;
        let (made_by, _needed) = (reading.two()?, reading.two()?);
        let (flags, method) = (reading.two()?, reading.two()?);
        let _moment = reading.four()?;
        let (crc32, packed, bytes) = (reading.four()?, reading.four()?, reading.four()?);
        let (name, extra, comment) = (reading.two()?, reading.two()?, reading.two()?);
        let (disk, _internal) = (reading.two()?, reading.two()?);
        let (attributes, offset) = (reading.four()?, reading.four()?);
        let (name, extra) = (reading.bytes(name)?, reading.bytes(extra)?);
        reading.bytes(comment)?;
        Some(Self {
            signature,
            made_by,
            flags,
            method,
            crc32,
            packed,
            bytes,
            disk,
            attributes,
            offset,
            name,
            extra,
        })
    }

    fn checked(self) -> Result<Member> {
        if self.signature != CENTRAL {
            return Err(broken("its directory holds something else than entries"));
        }
        let path = String::from_utf8(self.name.clone())
            .map_err(|_| broken("the name of an entry is neither ASCII nor UTF-8"))?;
        if !is_inside(&path) {
            let message = format!("`{}` leads out of the package", path.escape_default());
            return Err(Error::invalid(WAY_OUT, message));
        }
        if self.flags & IS_ENCRYPTED != 0 {
            return Err(Error::invalid(ENCRYPTED, format!("`{path}` is encrypted")));
        }
        let kind = (self.attributes >> 16) & KIND;
        if self.made_by >> 8 == 3 && !matches!(kind, 0 | REGULAR | DIRECTORY) {
            // What a link or a device points to is not in the package.
            return Err(Error::invalid(WAY_OUT, format!("`{path}` is neither a file nor a folder")));
        }
        let numbers =
            self.numbers().ok_or_else(|| broken(format_args!("the sizes of `{path}` are missing")))?;
        let (bytes, packed, offset) = numbers;
        if self.disk != 0 || self.method == 0 && packed != bytes || path.ends_with('/') && bytes != 0 {
            return Err(broken(format_args!("what is said about `{path}` cannot be")));
        }
        let Self { crc32, method, flags, .. } = self;
        Ok(Member { path, bytes, crc32, method, flags, packed, offset })
    }

    /// Length, length as it lies there, and place: those that do not fit are in the extension, in this order.
    fn numbers(&self) -> Option<(u64, u64, u64)> {
        let mut extra = Reading(&self.extra);
        let mut extended = Vec::new();
        while let Some(id) = extra.two() {
            let length = extra.two()?;
            let field = extra.bytes(length)?;
            if id == EXTENSION {
                extended = field;
                break;
            }
        }
        let mut extension = Reading(&extended);
        let mut number = |short: u32| match short {
            IN_EXTENSION => extension.eight(),
            short => Some(short.into()),
        };
        Some((number(self.bytes)?, number(self.packed)?, number(self.offset)?))
    }
}

/// Whether a path stays in the package, on any system.
fn is_inside(path: &str) -> bool {
    let bytes = path.as_bytes();
    let has_drive = bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic);
    let steps = path.strip_suffix('/').unwrap_or(path);
    // A backslash is an ordinary character here, and steps into a folder elsewhere.
    let odd_step = steps.split(['/', '\\']).any(|step| step.is_empty() || step == "." || step == "..");
    !steps.is_empty() && path.len() <= 4096 && !has_drive && !odd_step && !path.chars().any(char::is_control)
}
