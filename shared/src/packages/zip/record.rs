//! The records of a zip, as PKWARE's APPNOTE 6.3 describes them.
//!
//! The extension for large zips (zip64) is used where a number needs it and nowhere else, so that small packages can be read by
//! everything.

use jiff::{Timestamp, tz::TimeZone};

pub(super) const LOCAL: u32 = 0x0403_4b50;
pub(super) const CENTRAL: u32 = 0x0201_4b50;
pub(super) const END: u32 = 0x0605_4b50;
pub(super) const END_64: u32 = 0x0606_4b50;
pub(super) const LOCATOR_64: u32 = 0x0706_4b50;

pub(super) const LOCAL_LENGTH: u64 = 30;
pub(super) const CENTRAL_LENGTH: u64 = 46;
pub(super) const END_LENGTH: u64 = 22;
pub(super) const END_64_LENGTH: u64 = 56;
pub(super) const LOCATOR_LENGTH: u64 = 20;

/// What stands in a field whose number is in the extension.
pub(super) const IN_EXTENSION: u32 = u32::MAX;
pub(super) const MANY: u16 = u16::MAX;
pub(super) const EXTENSION: u16 = 1;

const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Made on Unix, where the kind and the rights of a file are in the upper half of its attributes.
const MADE_BY: u16 = 3 << 8 | VERSION_64;
const FILE: u32 = 0o100_644 << 16;
/// The lower half says so to others.
const FOLDER: u32 = 0o040_755 << 16 | 0x10;

/// Date and time of a zip: local ones by the format, and always those of UTC here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    date: u16,
    time: u16,
}

impl Moment {
    /// The moment, to two seconds, and within 1980 to 2107.
    pub(super) fn of(timestamp: Timestamp) -> Self {
        let moment = timestamp.to_zoned(TimeZone::UTC).datetime();
        let field = |value: i8| u16::from(u8::try_from(value).unwrap_or_default());
        match u16::try_from(moment.year() - 1980) {
            Ok(year @ 0..=127) => Self {
                date: year << 9 | field(moment.month()) << 5 | field(moment.day()),
                time: field(moment.hour()) << 11 | field(moment.minute()) << 5 | (field(moment.second()) / 2),
            },
            Ok(_) => Self { date: 127 << 9 | 12 << 5 | 31, time: 23 << 11 | 59 << 5 | 29 },
            Err(_) => Self { date: 1 << 5 | 1, time: 0 },
        }
    }
}

/// What the records of one entry say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'a> {
    pub(super) path: &'a str,
    pub(super) bytes: u64,
    pub(super) crc32: u32,
    /// Where its first record begins.
    pub(super) offset: u64,
    pub(super) moment: Moment,
}

fn is_large(number: u64) -> bool {
    number >= u64::from(IN_EXTENSION)
}

fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(IN_EXTENSION)
}

fn count(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(MANY)
}

struct Writing(Vec<u8>);

impl Writing {
    fn two(&mut self, numbers: &[u16]) {
        for number in numbers {
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn four(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn eight(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }
}

impl Described<'_> {
    /// How long the record before the content is.
    pub(super) fn local_length(&self) -> u64 {
        let extension = if is_large(self.bytes) { 20 } else { 0 };
        LOCAL_LENGTH + self.path.len() as u64 + extension
    }

    /// The record before the content.
    pub(super) fn local(&self) -> Vec<u8> {
        let large = is_large(self.bytes);
        let size = if large { IN_EXTENSION } else { short(self.bytes) };
        let mut record = Writing(Vec::with_capacity(128));
        record.four(&[LOCAL]);
        let version = if large { VERSION_64 } else { VERSION };
        record.two(&[version, 0, 0, self.moment.time, self.moment.date]);
        record.four(&[self.crc32, size, size]);
        record.two(&[count(self.path.len()), if large { 20 } else { 0 }]);
        record.0.extend_from_slice(self.path.as_bytes());
        if large {
            record.two(&[EXTENSION, 16]);
            record.eight(&[self.bytes, self.bytes]);
        }
        record.0
    }

    /// The record in the directory at the end.
    pub(super) fn central(&self) -> Vec<u8> {
        let mut extended = Vec::new();
        let (size, offset) = (short(self.bytes), short(self.offset));
        if is_large(self.bytes) {
            extended.extend([self.bytes, self.bytes]);
        }
        if is_large(self.offset) {
            extended.push(self.offset);
        }
        let length = if extended.is_empty() { 0 } else { 4 + 8 * extended.len() };
        let mut record = Writing(Vec::with_capacity(128));
        record.four(&[CENTRAL]);
        let version = if extended.is_empty() { VERSION } else { VERSION_64 };
        record.two(&[MADE_BY, version, 0, 0, self.moment.time, self.moment.date]);
        record.four(&[self.crc32, size, size]);
        record.two(&[count(self.path.len()), count(length), 0, 0, 0]);
        record.four(&[if self.path.ends_with('/') { FOLDER } else { FILE }, offset]);
        record.0.extend_from_slice(self.path.as_bytes());
        if !extended.is_empty() {
            record.two(&[EXTENSION, count(8 * extended.len())]);
            record.eight(&extended);
        }
        record.0
    }
}

/// The end of a zip, behind its directory.
pub(super) fn end(entries: u64, directory_at: u64, directory_length: u64) -> Vec<u8> {
    let large = entries >= u64::from(MANY) || is_large(directory_at) || is_large(directory_length);
    let mut record = Writing(Vec::with_capacity(128));
    if large {
        record.four(&[END_64]);
        record.eight(&[END_64_LENGTH - 12]);
        record.two(&[MADE_BY, VERSION_64]);
        record.four(&[0, 0]);
        record.eight(&[entries, entries, directory_length, directory_at]);
        record.four(&[LOCATOR_64, 0]);
        record.eight(&[directory_at + directory_length]);
        record.four(&[1]);
    }
    record.four(&[END]);
    let number = u16::try_from(entries).unwrap_or(MANY);
    record.two(&[0, 0, number, number]);
    record.four(&[short(directory_length), short(directory_at)]);
    record.two(&[0]);
    record.0
}

/// Numbers of a record, in their order.
pub(super) struct Reading<'a>(pub(super) &'a [u8]);

impl Reading<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn two(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn four(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn eight(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn bytes(&mut self, length: u16) -> Option<Vec<u8>> {
        let (taken, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(taken.to_vec())
    }
}
