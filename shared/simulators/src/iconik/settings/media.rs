//! Switches of storages, files and jobs.

use serde::{Deserialize, Serialize};

use crate::content::Spool;

/// What `download_url` answers for a file whose storage signs no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAddress {
    /// 404.
    NotFound,
    /// 200 with a `url` that is null.
    Null,
}

/// Switches of storages and files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// How long a signed address lives.
    pub address_lifetime_seconds: u64,
    /// How long the addresses of lists and single objects are cached: one may be so much older than the answer it is in.
    pub address_cache_seconds: u64,
    /// Where the buckets are, without the last slash; at the host of the call when absent.
    pub bucket_address: Option<String>,
    /// Whether an address signed for GET serves HEAD too.
    pub head_with_get_address: bool,
    /// Status of a Google bucket's answer to an expired address: Google itself says 400, its XML `ExpiredToken`.
    pub google_expired_status: u16,
    /// What `download_url` answers for a file whose storage signs no addresses.
    pub no_address: NoAddress,
    /// Whether there are addresses of files that are not `CLOSED`.
    pub addresses_of_unfinished: bool,
    /// Whether a file can be `CLOSED` before its content is there.
    pub close_without_content: bool,
    /// Whether a file that was `CLOSED` can be opened again.
    pub reopen: bool,
    /// Whether `download_url` writes a `DOWNLOAD` entry into the history and tells webhooks.
    pub download_is_told: bool,
    /// Whether lists show files whose file set or format is in the bin.
    pub lists_files_in_bin: bool,
    /// Whether `keyframes` of a file answers 204 instead of the number of a job.
    pub keyframes_without_job: bool,
    /// Smallest part of a multipart upload but the last, as S3 has it.
    pub least_part_bytes: u64,
    /// Content of more bytes goes to a file instead of memory.
    pub memory_threshold_bytes: u64,
    /// Keep only size and checksums of what is uploaded in one piece (downloads then read as zeros): for measurements.
    pub discard_content: bool,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            address_lifetime_seconds: 900,
            address_cache_seconds: 0,
            bucket_address: None,
            head_with_get_address: true,
            google_expired_status: 403,
            no_address: NoAddress::NotFound,
            addresses_of_unfinished: true,
            close_without_content: true,
            reopen: true,
            download_is_told: true,
            lists_files_in_bin: false,
            keyframes_without_job: false,
            least_part_bytes: 5 * 1024 * 1024,
            memory_threshold_bytes: 1024 * 1024,
            discard_content: false,
        }
    }
}

impl Media {
    /// What receives content. Parts, which are joined later, keep theirs whatever the settings say.
    pub(in crate::iconik) fn spool(&self, is_part: bool) -> Spool {
        Spool::new(self.memory_threshold_bytes, self.discard_content && !is_part)
    }
}

/// Switches of jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// How long iconik's own jobs take: archiving, transfers, keyframes, bulk edits.
    pub duration_seconds: u64,
    /// Types of iconik's own jobs that fail, such as `ARCHIVE`.
    pub failing_types: Vec<String>,
    /// Types of iconik's own jobs that never end.
    pub stuck_types: Vec<String>,
    /// Whether a worker that writes `STARTED` once more takes an abort back that a person asked for. Its client may have
    /// to send a status with every change.
    pub progress_takes_abort_back: bool,
    /// Whether a job that has ended refuses changes.
    pub ended_is_final: bool,
}
