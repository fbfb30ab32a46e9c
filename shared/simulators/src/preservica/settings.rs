//! What nobody outside the vendor knows, as switches: each field is one open question of the interface, with the
//! answer this simulator gives unless told otherwise. All can be changed while it runs
//! (`PUT /_simulator/settings` with the fields to change).

use serde::{Deserialize, Serialize};

/// What the body of an error of the entity interface looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// A sentence.
    Text,
    /// XML.
    Xml,
    /// A page.
    Html,
}

/// What becomes of a package whose asset is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExistingReference {
    /// The ingest fails.
    Fails,
    /// Its content becomes the newest generation of what is there.
    NewGeneration,
    /// A second asset, with a reference of its own.
    SecondObject,
}

/// How a time is written in what webhooks send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// `2031-05-06T07:08:09.000Z`.
    Iso,
    /// Milliseconds since the epoch.
    Milliseconds,
}

/// Access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// How long a token lives, in seconds.
    pub lifetime_seconds: i64,
    /// The old access token ends when it is refreshed.
    pub refresh_ends_old: bool,
    /// Users have to show a second factor.
    pub two_factor: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { lifetime_seconds: 900, refresh_ends_old: false, two_factor: false }
    }
}

/// What becomes of packages that arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// Packages that are taken in at the same time; the others wait.
    pub workers: usize,
    /// How long one takes, in seconds.
    pub seconds: i64,
    /// A package whose asset is there already.
    pub existing_reference: ExistingReference,
    /// An ingest workflow is active; otherwise nothing is taken in.
    pub workflow_active: bool,
    /// A package of several assets of which one is wrong ends as a mixed outcome, with the others taken in.
    pub mixed_outcome: bool,
    /// The folder for what names none; what names none fails when absent.
    pub default_folder: Option<String>,
    /// Nothing below a folder is taken in before a manifest of it is there.
    pub opex_needs_manifests: bool,
    /// So many of the next ingests fail, whatever is in them.
    pub fail_next: u32,
    /// What fails so has been taken in nevertheless.
    pub failure_leaves_assets: bool,
    /// The monitor of a package is called as its object at the storage; otherwise as its number.
    pub monitors_name_package: bool,
    /// Largest package of this edition in bytes; none when absent.
    pub largest_package_bytes: Option<u64>,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            workers: 16,
            seconds: 20,
            existing_reference: ExistingReference::Fails,
            workflow_active: true,
            mixed_outcome: true,
            default_folder: None,
            opex_needs_manifests: true,
            fail_next: 0,
            failure_leaves_assets: false,
            monitors_name_package: true,
            largest_package_bytes: None,
        }
    }
}

/// The storage that uploads go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uploads {
    /// Fewest bytes of a part that is not the last.
    pub smallest_part_bytes: u64,
    /// How long credentials for the bulk location are good, in seconds.
    pub credential_seconds: i64,
    /// The bulk location is a container of Azure; otherwise a bucket of Amazon.
    pub at_azure: bool,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { smallest_part_bytes: 5 << 20, credential_seconds: 3600, at_azure: false }
    }
}

/// The small pictures of folders and assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Previews {
    /// Most bytes of one.
    pub largest_bytes: u64,
    /// Status for one that is too large, or in a format that is not taken.
    pub refused_status: u16,
    /// Status when one is taken away that is not there.
    pub absent_status: u16,
    /// Assets have one that the server made, as long as nobody gives them another.
    pub made_for_assets: bool,
}

impl Default for Previews {
    fn default() -> Self {
        Self { largest_bytes: 10 << 20, refused_status: 422, absent_status: 204, made_for_assets: false }
    }
}

/// Exports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exports {
    /// A workflow for exports is active; otherwise a request is rejected.
    pub workflow_active: bool,
    /// Status of that.
    pub rejected_status: u16,
    /// Status when the content of an export is fetched that is not done, or failed.
    pub unfinished_status: u16,
}

impl Default for Exports {
    fn default() -> Self {
        Self { workflow_active: true, rejected_status: 422, unfinished_status: 404 }
    }
}

/// Tables that change metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvEdits {
    /// The column with the references of entities. Absent, a table is kept and nothing is changed.
    pub reference_column: Option<String>,
    /// The schema of what the other columns become, one fragment for a row.
    pub schema: String,
}

impl Default for CsvEdits {
    fn default() -> Self {
        Self { reference_column: None, schema: "http://preservica.com/CustomMetadataGroup".to_owned() }
    }
}

/// Removing something, which takes two persons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deletion {
    /// A deletion workflow is active; otherwise a request is answered 422.
    pub workflow_active: bool,
    /// Status for a request to remove what is held or restricted; nothing is refused when absent.
    pub held_status: Option<u16>,
    /// How a request ends that was not approved.
    pub rejected: String,
}

impl Default for Deletion {
    fn default() -> Self {
        Self { workflow_active: true, held_status: Some(422), rejected: "ABORTED".to_owned() }
    }
}

/// What the list of changes tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// What changed at the very moment asked for is listed.
    pub inclusive: bool,
    /// Times are compared in whole units of so many milliseconds.
    pub resolution_milliseconds: i64,
    /// A download makes an entity reappear.
    pub reads_touch: bool,
}

impl Default for Changes {
    fn default() -> Self {
        Self { inclusive: true, resolution_milliseconds: 1, reads_touch: true }
    }
}

/// Lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Paging {
    /// Entries of a page when nothing is said.
    pub usual: usize,
    /// Most entries of a page, whatever is asked for.
    pub most: usize,
    /// Children come by title; otherwise in the order they were made.
    pub children_by_title: bool,
}

impl Default for Paging {
    fn default() -> Self {
        Self { usual: 100, most: 1000, children_by_title: true }
    }
}

/// The way from here to whom webhooks call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deliveries {
    /// Status for a subscription whose handshake failed.
    pub failed_handshake_status: u16,
    /// How often a push is tried.
    pub attempts: u32,
    /// Seconds before it is tried again.
    pub retry_seconds: i64,
    /// Seconds from what happened to its push.
    pub delay_seconds: i64,
    /// Every n-th push is sent twice; none for 0.
    pub duplicate_every: u64,
    /// The newest goes first.
    pub newest_first: bool,
    /// How the time is written.
    pub timestamp: TimeForm,
    /// Seconds after which an answer is not waited for any more.
    pub timeout_seconds: u64,
    /// Only addresses of this machine are called.
    pub only_loopback: bool,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            failed_handshake_status: 400,
            attempts: 1,
            retry_seconds: 60,
            delay_seconds: 0,
            duplicate_every: 0,
            newest_first: false,
            timestamp: TimeForm::Iso,
            timeout_seconds: 30,
            only_loopback: true,
        }
    }
}

/// The switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What the server says it is; its namespaces follow.
    pub version: String,
    /// How long each call takes at least, in milliseconds.
    pub latency_milliseconds: u64,
    /// What the body of an error looks like.
    pub error_body: ErrorBody,
    /// Seconds that moving, tagging and deleting take.
    pub action_seconds: i64,
    /// Types of identifiers differ by upper and lower case.
    pub identifier_types_mind_case: bool,
    /// An identifier that was changed is answered 204 instead of 200.
    pub identifier_update_empty: bool,
    /// Status of a download of what lies in cold storage; it is served when absent.
    pub cold_status: Option<u16>,
    /// Seconds by which the search index is behind.
    pub index_lag_seconds: i64,
    /// Access tokens.
    pub sessions: Sessions,
    /// What becomes of packages.
    pub ingest: Ingest,
    /// The storage that uploads go to.
    pub uploads: Uploads,
    /// A link can be taken away at the entity that it leads to, too.
    pub links_removed_from_both_ends: bool,
    /// Small pictures.
    pub previews: Previews,
    /// Exports.
    pub exports: Exports,
    /// Tables that change metadata.
    pub csv_edits: CsvEdits,
    /// Removing something.
    pub deletion: Deletion,
    /// What the list of changes tells.
    pub changes: Changes,
    /// Lists.
    pub paging: Paging,
    /// The way to whom webhooks call.
    pub deliveries: Deliveries,
    /// Content of more bytes than this is kept in a file.
    pub memory_threshold_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: "9.1.0".to_owned(),
            latency_milliseconds: 0,
            error_body: ErrorBody::Text,
            action_seconds: 2,
            identifier_types_mind_case: true,
            identifier_update_empty: false,
            cold_status: Some(503),
            index_lag_seconds: 30,
            sessions: Sessions::default(),
            ingest: Ingest::default(),
            uploads: Uploads::default(),
            links_removed_from_both_ends: false,
            previews: Previews::default(),
            exports: Exports::default(),
            csv_edits: CsvEdits::default(),
            deletion: Deletion::default(),
            changes: Changes::default(),
            paging: Paging::default(),
            deliveries: Deliveries::default(),
            memory_threshold_bytes: 1 << 20,
        }
    }
}
