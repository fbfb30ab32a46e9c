//! What public sources do not tell of the interface, as switches: each field is one open question, with the answer this
//! simulator gives unless told otherwise. All can be changed while it runs (`PUT /_simulator/settings` with the fields to
//! change).

mod content;
mod doors;
mod looking;

use serde::{Deserialize, Serialize};

pub use content::{Downloads, Exports, Imports, JobShape, Jobs};
pub use doors::{Expired, Full, RequestedBy, Sessions};
pub use looking::{Checksum, Contains, EmptyValue, InvalidConditions, Lists, Search, Wire};

/// What a write with something the site does not know leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// The write fails.
    Refused,
    /// That part of it is left out.
    Ignored,
    /// It is stored as it came.
    Stored,
}

/// What the answer to an edit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditAnswer {
    /// 200 and nothing.
    Empty,
    /// 204.
    NoContent,
    /// The asset as it is now.
    Asset,
}

/// Changing what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edits {
    /// Status for a write to what somebody else, a job or nobody has locked.
    pub lock_conflict_status: u16,
    /// `lock_strategy=optimistic` saves an asset without a lock; folders always allow it.
    pub optimistic_assets: bool,
    /// A field that the model does not have.
    pub unknown_field: Unknown,
    /// A value that its lookup does not have.
    pub unknown_lookup: Unknown,
    /// A value that its lookup has as expired is taken.
    pub expired_lookup: bool,
    /// Columns of a table of which one would have more rows than another: refused, or stored.
    pub uneven_columns: Unknown,
    /// Fields that an edit does not name keep their values; otherwise they lose them.
    pub unnamed_fields_stay: bool,
    /// What an edit answers.
    pub answer: EditAnswer,
    /// What failed and succeeded in bulk is told as objects; otherwise as ids.
    pub bulk_objects: bool,
    /// How long a lock of a user holds, in seconds; for ever when absent.
    pub lock_seconds: Option<i64>,
}

impl Default for Edits {
    fn default() -> Self {
        Self {
            lock_conflict_status: 500,
            optimistic_assets: true,
            unknown_field: Unknown::Refused,
            unknown_lookup: Unknown::Refused,
            expired_lookup: true,
            uneven_columns: Unknown::Refused,
            unnamed_fields_stay: true,
            answer: EditAnswer::Empty,
            bulk_objects: true,
            lock_seconds: None,
        }
    }
}

/// Removing and bringing back. Names of actions that nobody has published are site data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deletion {
    /// The action that brings back.
    pub undelete_action: String,
    /// The action that ends a check-out without new content.
    pub cancel_action: String,
    /// The action that removes for ever.
    pub purge_action: String,
    /// Seconds after which what was deleted is removed for ever; never when absent.
    pub purge_seconds: Option<i64>,
    /// What was deleted can still be read by its id.
    pub readable: bool,
}

impl Default for Deletion {
    fn default() -> Self {
        Self {
            undelete_action: "undelete".to_owned(),
            cancel_action: "cancel_check_out".to_owned(),
            purge_action: "purge".to_owned(),
            purge_seconds: None,
            readable: true,
        }
    }
}

/// Adaptive Media Delivery: addresses that need no session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// The site has it.
    pub enabled: bool,
    /// It goes on serving what was deleted or has expired.
    pub serves_deleted: bool,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { enabled: true, serves_deleted: true }
    }
}

/// The switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long each call takes at least, in milliseconds.
    pub latency_milliseconds: u64,
    /// Content of more bytes than this is kept in a file.
    pub memory_threshold_bytes: u64,
    /// Status for what is not there.
    pub not_found_status: u16,
    /// Status for what the caller has no right to.
    pub forbidden_status: u16,
    /// Status of a business error.
    pub business_status: u16,
    /// Sessions and tokens.
    pub sessions: Sessions,
    /// Changing what is there.
    pub edits: Edits,
    /// Removing and bringing back.
    pub deletion: Deletion,
    /// How values are written.
    pub wire: Wire,
    /// Search.
    pub search: Search,
    /// Lists of folders and collections.
    pub lists: Lists,
    /// Content going out.
    pub downloads: Downloads,
    /// Content coming in.
    pub imports: Imports,
    /// What takes time.
    pub jobs: Jobs,
    /// Downloads of many assets at once.
    pub exports: Exports,
    /// Addresses that need no session.
    pub delivery: Delivery,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_milliseconds: 0,
            memory_threshold_bytes: 1 << 20,
            not_found_status: 404,
            forbidden_status: 403,
            business_status: 500,
            sessions: Sessions::default(),
            edits: Edits::default(),
            deletion: Deletion::default(),
            wire: Wire::default(),
            search: Search::default(),
            lists: Lists::default(),
            downloads: Downloads::default(),
            imports: Imports::default(),
            jobs: Jobs::default(),
            exports: Exports::default(),
            delivery: Delivery::default(),
        }
    }
}
