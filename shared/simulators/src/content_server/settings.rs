//! What nobody outside the vendor knows, as switches: each field is one open question of the interface, with the
//! answer this simulator gives unless told otherwise. All can be changed while it runs
//! (`PUT /_simulator/settings` with the fields to change).

use serde::{Deserialize, Serialize};

use crate::content::Spool;

/// How tickets age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketExpiry {
    /// Each ticket lives its time from the moment it was issued, and each answer issues a fresh one.
    Sliding,
    /// The whole session ends a fixed time after log-in.
    Absolute,
}

/// What a caller with an expired, absent or garbage ticket gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unauthenticated {
    /// `{"error":"Authentication Required"}`, with 401 unless `unauthenticated_status` says otherwise.
    Json,
    /// 200 and the HTML of a log-in page, as a single-sign-on gateway does.
    LoginPage,
    /// 302 to the directory service's log-in page.
    Redirect,
}

/// The name of the form field that carries a part of a large upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartField {
    /// `part_content`, as the vendor documents.
    PartContent,
    /// `file`, as a public client sends.
    File,
    /// Whichever comes.
    Either,
}

/// Shape of an answer about which description and clients disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// Under `results` (and `data` where the vendor nests it).
    Results,
    /// Bare, at the top level.
    Flat,
}

/// What happens when a right is granted without the rights it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dependencies {
    /// The missing ones are granted as well.
    Add,
    /// The call is refused.
    Reject,
}

/// Language of error sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    English,
    /// German: for clients that match on English words.
    German,
}

/// How a name filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameFilter {
    /// The filter occurs somewhere.
    Contains,
    /// The name starts with it.
    StartsWith,
    /// The name is it.
    Equals,
}

/// What becomes of names whose letters can be written in more than one way, such as an accented letter as one character
/// or as two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameForms {
    /// Kept as sent; two forms are two names.
    Apart,
    /// Kept as sent; two forms are one name.
    Alike,
    /// Stored composed (NFC); two forms are one name.
    Composed,
}

/// What a write of holds answers: the description names no body for some, and clients read different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldAnswer {
    /// Bare, at the top level.
    Flat,
    /// Under `results`.
    Results,
    /// 200 without a body.
    Nothing,
}

/// Where the items of a hold are in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldItems {
    /// `results` is the list, as the vendor documents.
    Results,
    /// `results.contents` is, as a public client saw.
    Contents,
}

/// What a list says of the number of all its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalCount {
    /// How many there are.
    Exact,
    /// Nothing; nor how many pages there are.
    Absent,
    /// More than the caller gets, as when what it may not see is counted too. The pages behind the last entry are empty.
    TooHigh,
}

/// In which form writes to the workspace interface are read. Parameters in the other are not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceInput {
    /// Both.
    Either,
    /// Form fields and the form field `body`, as the vendor's own client sends.
    Form,
    /// A JSON body, as the vendor documents.
    Json,
}

/// How many calls are let through. Nothing of the kind is documented; a gateway may do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// Calls let through per span of time; all when absent.
    pub calls: Option<u64>,
    /// Calls let through at the same time; all when absent. One is under way from its arrival until its answer begins.
    pub at_once: Option<u64>,
    /// The span, in seconds.
    pub seconds: i64,
    /// Counts for each user rather than for all together.
    pub per_user: bool,
    /// Status of the refusal.
    pub status: u16,
    /// `Retry-After` of the refusal.
    pub retry_after_seconds: Option<u64>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            calls: None,
            at_once: None,
            seconds: 1,
            per_user: false,
            status: 429,
            retry_after_seconds: None,
        }
    }
}

/// Large file upload (`/v2/multipart`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LargeUpload {
    /// Off: `is_enabled` is false and the other calls are refused.
    pub enabled: bool,
    /// Smallest file it takes.
    pub min_size: u64,
    /// Largest file it takes.
    pub max_size: u64,
    /// Bytes per part.
    pub part_size: u64,
    /// Field name of a part.
    pub part_field: PartField,
    /// A part is refused while one before it is missing. Whether parts may come in any order is documented nowhere.
    pub parts_in_order: bool,
    /// The closing call wants a `body` with the node fields, creates the node and answers its id.
    pub close_creates_node: bool,
    /// Shape of the start answer.
    pub envelope: Envelope,
    /// Seconds until an unfinished upload is forgotten.
    pub session_seconds: i64,
}

impl Default for LargeUpload {
    fn default() -> Self {
        Self {
            enabled: true,
            min_size: 104_857_600,
            max_size: 3_638_558_720,
            part_size: 16 * 1024 * 1024,
            part_field: PartField::PartContent,
            parts_in_order: false,
            close_creates_node: false,
            envelope: Envelope::Flat,
            session_seconds: 86_400,
        }
    }
}

/// Optional modules. A call of an absent one looks like an unknown URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Modules {
    /// Records Management.
    pub records: bool,
    /// Business workspaces.
    pub workspaces: bool,
    /// Workflows.
    pub workflows: bool,
    /// Web reports.
    pub web_reports: bool,
    /// Large file upload.
    pub large_upload: bool,
    /// The directory service on the same server (`/otdsws`).
    pub directory: bool,
}

impl Default for Modules {
    fn default() -> Self {
        Self {
            records: true,
            workspaces: true,
            workflows: true,
            web_reports: true,
            large_upload: true,
            directory: true,
        }
    }
}

/// What a record state forbids, and how the refusal looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordRules {
    /// A held item cannot be deleted.
    pub hold_blocks_delete: bool,
    /// A held item takes no new version.
    pub hold_blocks_version: bool,
    /// A held item cannot be renamed, moved or re-categorised.
    pub hold_blocks_edit: bool,
    /// An official record cannot be deleted.
    pub official_blocks_delete: bool,
    /// An official record takes no new version.
    pub official_blocks_version: bool,
    /// Status of the refusal.
    pub status: u16,
}

impl Default for RecordRules {
    fn default() -> Self {
        Self {
            hold_blocks_delete: true,
            hold_blocks_version: true,
            hold_blocks_edit: false,
            official_blocks_delete: true,
            official_blocks_version: true,
            status: 500,
        }
    }
}

/// All switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Roots under which `/api/…` is served; compared without regard to case.
    pub base_paths: Vec<String>,
    /// `server.version` of the server information. Two parts: a known client parses it as a number.
    pub version: String,
    /// Enters the text of tickets and tokens, so that two simulators do not accept each other's.
    pub seed: u64,
    /// How tickets age.
    pub ticket_expiry: TicketExpiry,
    /// Life of a ticket (or session) in seconds.
    pub ticket_lifetime_seconds: i64,
    /// Whether using an old ticket makes that ticket live longer.
    pub use_prolongs_ticket: bool,
    /// Answer to a bad ticket.
    pub unauthenticated: Unauthenticated,
    /// Status of that answer where it is JSON. 401 is documented; that it is never another one is not.
    pub unauthenticated_status: u16,
    /// Accept a bearer token or directory ticket on every call, not only for the exchange.
    pub direct_directory_tokens: bool,
    /// Calls let through.
    pub throttle: Throttle,
    /// Life of a bearer token in seconds.
    pub bearer_lifetime_seconds: i64,
    /// Answer `Range` with 206.
    pub range_requests: bool,
    /// Send `ETag` with content.
    pub etags: bool,
    /// Send `Content-Disposition` with content.
    pub content_disposition: bool,
    /// Compress downloads when the caller accepts it.
    pub gzip_downloads: bool,
    /// Large file upload.
    pub large_upload: LargeUpload,
    /// Answer to creating a node.
    pub upload_envelope: Envelope,
    /// `Z` at the end of node dates. Workspace, workflow and `external_*` dates never have it.
    pub dates_with_zone: bool,
    /// Language of error sentences.
    pub language: Language,
    /// Seconds until a change shows in search.
    pub search_lag_seconds: i64,
    /// Pages past the end of a search repeat the first page instead of being empty.
    pub search_repeats_past_end: bool,
    /// Each page of a search but the first begins with the last entry of the page before it.
    pub search_pages_overlap: bool,
    /// Each page of a search but the first leaves out its first entry, as when entries move while pages are read.
    pub search_pages_skip: bool,
    /// A search pays no heed to `sort`: whether and by what it orders is documented nowhere.
    pub search_ignores_sort: bool,
    /// Seconds by which the date and time regions of the index differ from the dates of the items: their zone is not
    /// documented.
    pub search_dates_off_seconds: i64,
    /// Every call takes at least this long.
    pub latency_milliseconds: u64,
    /// What holds and official records forbid.
    pub record_rules: RecordRules,
    /// Answer to creating a hold and to putting one on an item or taking it off.
    pub hold_answer: HoldAnswer,
    /// Answer to listing the items of a hold.
    pub hold_items: HoldItems,
    /// Status for touching an item somebody else reserved.
    pub reserved_status: u16,
    /// Status for a required attribute without value.
    pub missing_required_status: u16,
    /// Category edits move `modify_date`.
    pub category_edit_moves_modify_date: bool,
    /// Category edits add a version.
    pub category_edit_adds_version: bool,
    /// Permission edits move `modify_date`.
    pub permission_edit_moves_modify_date: bool,
    /// Deleted items go to the recycle bin.
    pub recycle_bin: bool,
    /// Rights granted without those they depend on.
    pub permission_dependencies: Dependencies,
    /// A move replaces the item's rights by those of the destination.
    pub move_takes_destination_permissions: bool,
    /// Name filter of child lists.
    pub node_name_filter: NameFilter,
    /// Name filter of member lists.
    pub member_name_filter: NameFilter,
    /// Name filter of workspace lists.
    pub workspace_name_filter: NameFilter,
    /// Name filters tell upper from lower case; whether names collide does not depend on it.
    pub name_filters_mind_case: bool,
    /// Names that differ in the form of a letter.
    pub name_forms: NameForms,
    /// Form of writes to the workspace interface.
    pub workspace_input: WorkspaceInput,
    /// Characters a name must not hold.
    pub forbidden_name_characters: String,
    /// Accept documents without bytes.
    pub empty_documents: bool,
    /// Largest single form upload; larger ones get 413. No limit when absent.
    pub max_upload_bytes: Option<u64>,
    /// Reading the audit needs the right to edit permissions.
    pub audit_needs_right: bool,
    /// The status of a workflow says who did a step, or is to do it: what is in its list of steps is not documented.
    pub workflow_steps_name_people: bool,
    /// Page size of child lists when none is sent.
    pub default_limit: usize,
    /// Largest page of any list; a larger `limit` is cut to it. Workspaces keep their own 500.
    pub largest_page: usize,
    /// What a list says of the number of all its entries.
    pub total_count: TotalCount,
    /// Optional modules.
    pub modules: Modules,
    /// Larger content goes to a temporary file.
    pub memory_threshold_bytes: u64,
    /// Keep only size and checksum of content (downloads then read as zeros): for measurements.
    pub discard_content: bool,
}

impl Settings {
    /// What receives content, as these settings say.
    pub(crate) fn spool(&self) -> Spool {
        Spool::new(self.memory_threshold_bytes, self.discard_content)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_paths: ["/otcs/cs.exe", "/cs/cs", "/otcs/llisapi.dll", "/otcs/cs"]
                .map(str::to_owned)
                .to_vec(),
            version: "25.4".to_owned(),
            seed: 1,
            ticket_expiry: TicketExpiry::Sliding,
            ticket_lifetime_seconds: 1800,
            use_prolongs_ticket: false,
            unauthenticated: Unauthenticated::Json,
            unauthenticated_status: 401,
            direct_directory_tokens: false,
            throttle: Throttle::default(),
            bearer_lifetime_seconds: 3600,
            range_requests: false,
            etags: false,
            content_disposition: false,
            gzip_downloads: false,
            large_upload: LargeUpload::default(),
            upload_envelope: Envelope::Results,
            dates_with_zone: true,
            language: Language::English,
            search_lag_seconds: 0,
            search_repeats_past_end: false,
            search_pages_overlap: false,
            search_pages_skip: false,
            search_ignores_sort: false,
            search_dates_off_seconds: 0,
            latency_milliseconds: 0,
            record_rules: RecordRules::default(),
            hold_answer: HoldAnswer::Flat,
            hold_items: HoldItems::Results,
            reserved_status: 500,
            missing_required_status: 400,
            category_edit_moves_modify_date: false,
            category_edit_adds_version: false,
            permission_edit_moves_modify_date: false,
            recycle_bin: true,
            permission_dependencies: Dependencies::Add,
            move_takes_destination_permissions: false,
            node_name_filter: NameFilter::Contains,
            member_name_filter: NameFilter::StartsWith,
            workspace_name_filter: NameFilter::StartsWith,
            name_filters_mind_case: false,
            name_forms: NameForms::Apart,
            workspace_input: WorkspaceInput::Either,
            forbidden_name_characters: ":".to_owned(),
            empty_documents: true,
            max_upload_bytes: None,
            audit_needs_right: false,
            workflow_steps_name_people: true,
            default_limit: 100,
            largest_page: 1000,
            total_count: TotalCount::Exact,
            modules: Modules::default(),
            memory_threshold_bytes: 1024 * 1024,
            discard_content: false,
        }
    }
}
