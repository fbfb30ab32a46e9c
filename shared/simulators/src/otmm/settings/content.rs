//! Switches of content coming in and going out, and of what takes time.

use serde::{Deserialize, Serialize};

/// Content going out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Downloads {
    /// `Range` is understood.
    pub ranges: bool,
    /// The answer tells its length.
    pub tells_length: bool,
    /// The answer has an `ETag`.
    pub etags: bool,
    /// Largest master that the call gives out (`MAX_CONTENT_VIEW_SIZE`); any when absent.
    pub largest_bytes: Option<u64>,
    /// What was deleted is still given out.
    pub serves_deleted: bool,
    /// What has expired is still given out.
    pub serves_expired: bool,
    /// Status for a master that lies in an offline storage; it is given out when absent.
    pub offline_status: Option<u16>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self {
            ranges: false,
            tells_length: true,
            etags: false,
            largest_bytes: None,
            serves_deleted: false,
            serves_expired: true,
            offline_status: Some(500),
        }
    }
}

/// Content coming in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imports {
    /// Extensions that are refused, in lower case without dot.
    pub restricted_extensions: Vec<String>,
    /// Largest request with a file; a larger one gets a page with 413 from whoever stands before the server.
    pub largest_bytes: Option<u64>,
    /// Ids that the site does not have are found by the job, which fails; otherwise the call fails.
    pub checked_by_job: bool,
    /// A new asset can be seen, locked, while its job is running; otherwise when the job has ended.
    pub visible_at_once: bool,
    /// Seconds after which a job is forgotten whose files came but that was never started.
    pub abandoned_seconds: i64,
    /// A check-in needs the lock beside the check-out.
    pub check_in_needs_lock: bool,
}

impl Default for Imports {
    fn default() -> Self {
        Self {
            restricted_extensions: vec!["exe".to_owned()],
            largest_bytes: None,
            checked_by_job: true,
            visible_at_once: true,
            abandoned_seconds: 86_400,
            check_in_needs_lock: false,
        }
    }
}

/// Where a job's state stands in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobShape {
    /// `job_resource.job`.
    Resource,
    /// `job_handle`.
    Handle,
    /// Without a root.
    Bare,
}

/// What takes time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// How long a job takes, in seconds.
    pub seconds: i64,
    /// Status of what starts a job: 200 or 202.
    pub accepted_status: u16,
    /// Jobs never end.
    pub never_end: bool,
    /// Jobs fail with this sentence; none does when absent.
    pub fail_with: Option<String>,
    /// Where a job's state stands in the answer.
    pub shape: JobShape,
    /// What the member with the state is called.
    pub status_member: String,
    /// The word for a job that waits for its files.
    pub waiting: String,
    /// The word for one that runs.
    pub running: String,
    /// The word for one that has ended well.
    pub done: String,
    /// The word for one that has failed.
    pub failed: String,
    /// The answer tells the ids of the assets it made.
    pub tells_assets: bool,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            seconds: 10,
            accepted_status: 200,
            never_end: false,
            fail_with: None,
            shape: JobShape::Resource,
            status_member: "status".to_owned(),
            waiting: "WAITING".to_owned(),
            running: "RUNNING".to_owned(),
            done: "COMPLETED".to_owned(),
            failed: "FAILED".to_owned(),
            tells_assets: true,
        }
    }
}

/// Downloads of many assets at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exports {
    /// The request is JSON; otherwise a form.
    pub json_request: bool,
    /// The answer tells the number of the job.
    pub tells_job: bool,
}

impl Default for Exports {
    fn default() -> Self {
        Self { json_request: false, tells_job: true }
    }
}
