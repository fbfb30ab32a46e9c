//! What differs from one installation to the next, and everything the vendor leaves open. Every field has a default
//! that is safe where nothing is known.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::names::NameRules;
use crate::error::{Error, Result};

/// How to reach one Content Server and how to read its answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address up to but without `/api`, for example `https://ecm.example.com/cs/cs`.
    pub base_url: String,
    /// Send the directory service's token or ticket with every call instead of exchanging it for a Content Server
    /// ticket once. Not in the vendor's description, so off.
    pub direct_bearer: bool,
    /// Zone of dates that come without `Z`, as an IANA name.
    pub time_zone: String,
    /// Entries asked for per page of a listing.
    pub page_size: u32,
    /// Most pages read of one listing before it is given up as endless.
    pub page_ceiling: u32,
    /// Ids sent with one call that takes a list; the vendor's ceiling is 250.
    pub ids_per_call: usize,
    /// Names that differ only in case count as the same name, as a default installation does.
    pub names_ignore_case: bool,
    /// Which names the server takes.
    pub names: NameRules,
    /// Longest description of a version, in characters.
    pub version_description_length: usize,
    /// The Large File Upload interface.
    pub large_upload: LargeUploadSettings,
    /// Ask for a byte range of content. Documented nowhere, so off.
    pub range_downloads: bool,
    /// Refuse a download that comes as HTML: the download call always answers with plain bytes, so a page is a log-in
    /// form or an error page.
    pub refuse_html_downloads: bool,
    /// Category attributes of date type are written with a time of midnight instead of as a bare date.
    pub dates_with_time: bool,
    /// Seconds for which the definition of a category is kept.
    pub definition_seconds: u64,
    /// Sentences by which a failure is recognised; replace them when the service user's language is not English.
    pub texts: Texts,
    /// Attempts in all of a call that may be repeated.
    pub attempts: u32,
    /// Seconds without an answer after which an ordinary call is given up.
    pub answer_seconds: u64,
    /// Seconds for calls that are known to take long: workspaces, copies, permissions on a whole tree.
    pub slow_seconds: u64,
    /// Bytes per second below which an upload counts as stuck; sets how long an upload may take.
    pub slowest_upload: u64,
    /// Seconds during which a refused log-in is not tried again, so that a wrong password cannot lock the account.
    pub refused_login_pause_seconds: u64,
}

/// The Large File Upload interface (`/v2/multipart`), an optional feature of the server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LargeUploadSettings {
    /// Use it when the server says it is on and takes files of that size.
    pub enabled: bool,
    /// Smaller files go up in one piece without asking the server about its bounds, in bytes.
    pub from_size: u64,
    /// Name of the form field that carries a part: the vendor documents `part_content`, a public client sends `file`.
    pub part_field: String,
    /// The closing call carries the node's fields in `body` and answers with the new node's id. The vendor documents
    /// neither, so off: the node is made by a call of its own with the upload's key.
    pub close_creates_node: bool,
}

impl Default for LargeUploadSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            from_size: 100 << 20,
            part_field: "part_content".to_owned(),
            close_creates_node: false,
        }
    }
}

/// Fragments of error sentences, compared without regard to case. Content Server answers most failures with status 400
/// or 500 and a sentence in the user's language; the sentence is all that tells them apart.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    /// The user name or password is wrong.
    pub credentials_refused: Vec<String>,
    /// The ticket is not good, or not any more: nobody says that this never comes with another status than 401.
    pub unauthenticated: Vec<String>,
    /// The category is already on the node.
    pub category_exists: Vec<String>,
    /// A sibling has that name.
    pub already_exists: Vec<String>,
    /// The item is missing, or hidden from this user; the server does not say which.
    pub not_accessible: Vec<String>,
    /// Nothing by that nickname, hold name, or similar.
    pub not_found: Vec<String>,
    /// The address is unknown, as it is when an optional module is not installed.
    pub module_missing: Vec<String>,
    /// The user lacks the right.
    pub insufficient_rights: Vec<String>,
    /// The action is not offered for this item and user.
    pub action_refused: Vec<String>,
    /// Somebody else changed the item in between.
    pub edit_conflict: Vec<String>,
    /// The item is checked out by somebody.
    pub reserved: Vec<String>,
    /// A hold or the state as a record forbids it.
    pub record_state: Vec<String>,
    /// The server is overloaded or restarting.
    pub overload: Vec<String>,
    /// The search expression is wrong.
    pub bad_query: Vec<String>,
    /// The file is outside the bounds of the Large File Upload.
    pub upload_size: Vec<String>,
    /// The Large File Upload is no longer known.
    pub upload_gone: Vec<String>,
    /// The Large File Upload has been closed before.
    pub upload_closed: Vec<String>,
    /// This part has arrived before.
    pub part_known: Vec<String>,
    /// Marks the HTML of a log-in form, which a single sign-on gateway shows instead of a 401.
    pub login_page: Vec<String>,
}

impl Default for Texts {
    fn default() -> Self {
        let list = |fragments: &[&str]| fragments.iter().map(|&fragment| fragment.to_owned()).collect();
        Self {
            credentials_refused: list(&["invalid username/password"]),
            unauthenticated: list(&["authentication required"]),
            category_exists: list(&["the attribute group"]),
            already_exists: list(&["already exists"]),
            not_accessible: list(&[
                "could not be accessed",
                "could not get a node",
                "could not get node",
                "could not locate node",
            ]),
            not_found: list(&["no exact match was found"]),
            module_missing: list(&["mappings registry"]),
            insufficient_rights: list(&["insufficient permissions"]),
            action_refused: list(&["invalid action"]),
            edit_conflict: list(&["edit conflict"]),
            reserved: list(&["reserved", "checked out", "is locked"]),
            record_state: list(&["on hold", "under hold", "official record", "is held", "record state"]),
            overload: list(&["please try again", "error processing request", "content server client error"]),
            bad_query: list(&["error evaluating query"]),
            upload_size: list(&["invalid block size"]),
            upload_gone: list(&["upload key", "session expired", "session has expired"]),
            upload_closed: list(&["already closed upload"]),
            part_known: list(&["already been uploaded"]),
            login_page: list(&["otdsws/login", "type=\"password\"", "type='password'"]),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            direct_bearer: false,
            time_zone: "UTC".to_owned(),
            page_size: 100,
            page_ceiling: 10_000,
            ids_per_call: 250,
            names_ignore_case: true,
            names: NameRules::default(),
            version_description_length: 255,
            large_upload: LargeUploadSettings::default(),
            range_downloads: false,
            refuse_html_downloads: true,
            dates_with_time: false,
            definition_seconds: 300,
            texts: Texts::default(),
            attempts: 3,
            answer_seconds: 60,
            slow_seconds: 300,
            slowest_upload: 256 * 1024,
            refused_login_pause_seconds: 30,
        }
    }
}

impl Settings {
    /// The defaults for the server at an address.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// Checks what can be checked without calling anybody.
    ///
    /// # Errors
    /// A configuration error that names the field.
    pub fn validate(&self) -> Result<()> {
        let address = url::Url::parse(&self.base_url).ok();
        if !address.is_some_and(|address| matches!(address.scheme(), "http" | "https") && address.has_host())
        {
            return Err(Error::configuration(
                "content-server.base-url",
                format!("the Content Server address {:?} is not an http(s) address", self.base_url),
            )
            .field("base_url")
            .remedy("give the address up to but without /api, for example https://ecm.example.com/cs/cs"));
        }
        if TimeZone::get(&self.time_zone).is_err() {
            return Err(Error::configuration(
                "content-server.time-zone",
                format!("{:?} is not a time zone", self.time_zone),
            )
            .field("time_zone")
            .remedy("give an IANA name such as Europe/Berlin"));
        }
        if !(1..=250).contains(&self.ids_per_call) || self.page_size == 0 {
            return Err(Error::configuration(
                "content-server.page-size",
                "page_size must be positive and ids_per_call between 1 and 250",
            )
            .field("page_size"));
        }
        Ok(())
    }

    pub(super) fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    pub(super) fn slow(&self) -> Duration {
        Duration::from_secs(self.slow_seconds)
    }

    /// How long the upload of so many bytes may take.
    pub(super) fn upload_time(&self, bytes: u64) -> Duration {
        Duration::from_secs(self.answer_seconds + bytes / self.slowest_upload.max(1))
    }
}
