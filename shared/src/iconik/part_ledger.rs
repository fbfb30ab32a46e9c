//! How far an upload has come. The caller keeps it, so that another process can go on.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// How far an upload has come: nothing when it is new. Keep it after every step, where only this item's worker reads it:
/// for Google's storage it holds the address to which the rest may be sent. Its `Debug` form shows counts only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartLedger {
    /// Bytes of the whole, as it was when the upload began.
    pub(super) length: u64,
    pub(super) part_size: u64,
    /// S3's id of the upload.
    pub(super) upload_id: Option<String>,
    /// Google's address for the rest.
    pub(super) session: Option<String>,
    /// S3's mark of each part that has arrived, by its number.
    pub(super) parts: BTreeMap<u32, String>,
    /// Bytes that have arrived from the beginning on, with Google.
    pub(super) sent: u64,
    pub(super) is_done: bool,
}

impl PartLedger {
    /// Whether all has arrived.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Whether anything has begun that is worth going on with, or has to be given up.
    pub fn is_begun(&self) -> bool {
        self.upload_id.is_some() || self.session.is_some()
    }

    /// Bytes that have arrived.
    pub fn bytes_sent(&self) -> u64 {
        if self.is_done {
            return self.length;
        }
        let last = self.count();
        let of_parts: u64 = self
            .parts
            .keys()
            .map(|number| if *number == last { self.length_of(last) } else { self.part_size })
            .sum();
        self.sent.max(of_parts)
    }

    pub(super) fn begin(&mut self, length: u64, least: u64) {
        // No storage takes more than 10,000 parts; Google wants multiples of 256 KiB.
        const STEP: u64 = 256 << 10;
        let size = least.max(length.div_ceil(10_000)).max(1);
        *self = Self { length, part_size: size.div_ceil(STEP) * STEP, ..Self::default() };
    }

    /// How many parts there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.length.div_ceil(self.part_size.max(1)).max(1)).unwrap_or(u32::MAX)
    }

    /// Where a part begins.
    pub(super) fn offset_of(&self, number: u32) -> u64 {
        u64::from(number.saturating_sub(1)) * self.part_size
    }

    /// How long a part is.
    pub(super) fn length_of(&self, number: u32) -> u64 {
        self.length.saturating_sub(self.offset_of(number)).min(self.part_size)
    }

    /// The next parts that have not arrived.
    pub(super) fn missing(&self, most: usize) -> Vec<u32> {
        (1..=self.count()).filter(|number| !self.parts.contains_key(number)).take(most).collect()
    }
}

impl fmt::Debug for PartLedger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PartLedger")
            .field("length", &self.length)
            .field("part_size", &self.part_size)
            .field("parts", &self.parts.len())
            .field("sent", &self.bytes_sent())
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_file_of_any_length_once_and_are_never_too_many() {
        for length in [0, 1, 256 << 10, (16 << 20) + 1, 20_u64 << 30, 5 << 40] {
            let mut ledger = PartLedger::default();
            ledger.begin(length, 16 << 20);
            assert!(ledger.count() <= 10_000, "{length}");
            assert_eq!(ledger.part_size % (256 << 10), 0);
            let total: u64 = (1..=ledger.count()).map(|number| ledger.length_of(number)).sum();
            assert_eq!(total, length);
            for number in 1..=ledger.count() {
                ledger.parts.insert(number, "mark".to_owned());
            }
            assert_eq!((ledger.bytes_sent(), ledger.missing(9).len()), (length, 0));
        }
    }

    #[test]
    fn a_ledger_goes_on_in_another_process_and_no_log_shows_its_address() {
        let mut ledger = PartLedger::default();
        ledger.begin(100 << 20, 16 << 20);
        ledger.session = Some("https://storage.googleapis.com/u?upload_id=hush".to_owned());
        ledger.sent = 32 << 20;
        let kept = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<PartLedger>(&kept).unwrap(), ledger);
        assert!(!format!("{ledger:?}").contains("hush"));
    }
}
