//! How far the bag of one item is: one small checkpoint, whatever the size of the case. Long lists lie in S3.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{error::Result, flow::Run};

/// Under which name it is kept.
const NAME: &str = "bag";

/// How far the bag is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// How often it was begun anew: each time in a place of its own.
    pub(super) attempt: u32,
    /// How often it did not validate.
    pub(super) rejected: u32,
    /// Which documents there are is written down.
    pub(super) listed: bool,
    /// Documents whose versions are written down.
    pub(super) planned: usize,
    /// Pieces that are in the working place.
    pub(super) packed: usize,
    /// The last piece of each list of packed pieces.
    pub(super) lists: Vec<usize>,
    /// SHA-256 of the manifest of tag files: all files of the bag are written.
    pub(super) sealed: Option<String>,
    /// Files that were read back.
    pub(super) inspected: usize,
    /// The bag is valid.
    pub(super) valid: bool,
    /// How it is to be locked.
    pub(super) locked: Option<Locked>,
    /// Files that are in their place.
    pub(super) placed: usize,
    /// The case says where its bag is.
    pub(super) told: bool,
    /// Documents whose content was reduced as far as it may be.
    pub(super) reduced: usize,
}

/// How the objects of a bag are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Locked {
    pub(super) until: Option<Timestamp>,
    pub(super) held: bool,
}

impl Progress {
    pub(super) fn of(run: &Run) -> Self {
        run.recorded(NAME).unwrap_or_default()
    }

    pub(super) async fn save(&self, run: &Run) -> Result<()> {
        run.checkpoint(NAME, self).await
    }

    /// Begins anew, with nothing that was made so far.
    pub(super) async fn begin_anew(&mut self, run: &Run) -> Result<()> {
        *self = Self { attempt: self.attempt + 1, rejected: self.rejected, ..Self::default() };
        self.save(run).await
    }
}
