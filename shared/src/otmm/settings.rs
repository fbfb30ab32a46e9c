//! What differs from one installation to the next, and everything the vendor leaves open. Every field has a default that
//! is safe where nothing is known; every id is here, for each site has its own.

mod ids;
mod place;
mod words;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

pub use self::{
    ids::{Ids, Operators},
    words::{Actions, JobWords, Texts, WireTypes},
};
use crate::error::{Error, Result};

/// How to reach one OTMM and how to read its answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The server's address up to but without `/otmmapi`: `https://dam.example.com`.
    pub base_url: String,
    /// The version of the interface.
    pub api_version: ApiVersion,
    /// How the door is opened and kept open.
    pub session: SessionSettings,
    /// The site's fields, models, policies and operators.
    pub ids: Ids,
    /// Names that stand for kinds of values in what is written.
    pub types: WireTypes,
    /// Names of what can be done to an asset's state.
    pub actions: Actions,
    /// How metadata is written.
    pub editing: EditingSettings,
    /// How content is brought in.
    pub imports: ImportSettings,
    /// How the state of a job is recognised.
    pub jobs: JobWords,
    /// Sentences by which a failure is recognised.
    pub texts: Texts,
    /// Assets asked for at once.
    pub page_size: u32,
    /// Most pages read of one list before it is given up as endless.
    pub page_ceiling: u32,
    /// Seconds by which a look for changes begins earlier than asked. At least as long as the index lags.
    pub change_overlap_seconds: u64,
    /// Seconds for which a search is asked again for what was just made: the index lags, by how much nobody says.
    pub index_patience_seconds: u64,
    /// What is done about the checksum that the server says content has. Its algorithm is documented nowhere; it looks like
    /// MD5.
    pub checksum: Checksum,
    /// Seconds before content that lies offline is asked for again.
    pub offline_pause_seconds: u64,
    /// Bytes per second below which a transfer counts as stuck.
    pub slowest_transfer: u64,
    /// Times a download that broke off goes on without a byte in between, before it is given up.
    pub download_resumptions: u32,
    /// Attempts in all of a call that may be repeated.
    pub attempts: u32,
    /// Seconds without an answer after which a call is given up.
    pub answer_seconds: u64,
}

/// Version of the interface. All have one form of address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiVersion {
    /// The oldest that is known.
    V4,
    /// Before 22.2.
    V5,
    /// Since 22.2.
    #[default]
    V6,
}

impl ApiVersion {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::V4 => "/otmmapi/v4",
            Self::V5 => "/otmmapi/v5",
            Self::V6 => "/otmmapi/v6",
        }
    }
}

/// What is done about a checksum that does not agree with the bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// It is not made.
    Ignore,
    /// It is told in the log.
    #[default]
    Warn,
    /// It fails the download: set it once the site has confirmed that it is MD5.
    Fail,
}

/// Where the ticket of the directory service is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TicketPlace {
    /// The header `OTDSToken`.
    #[default]
    Header,
    /// The query `OTDSTicket`.
    Query,
}

/// How the door is opened and kept open.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// The address of the directory service up to but without `/otdsws`; needed where its tickets or tokens open the door.
    pub directory_url: String,
    /// The resource for which its ticket is exchanged before it is shown; not exchanged when empty.
    pub directory_resource: String,
    /// Where its ticket is shown.
    pub directory_ticket_in: TicketPlace,
    /// The path at which it gives tokens.
    pub directory_token_path: String,
    /// Send the session's cookies.
    pub cookies: bool,
    /// Send the session's digest as `otmmauthtoken`.
    pub digest: bool,
    /// Send the digest as `Authorization: Bearer otmmToken` too.
    pub digest_as_bearer: bool,
    /// Open a session with a token as well, so that there is an id for `X-Requested-By`.
    pub token_opens_session: bool,
    /// `X-OTMM-Locale` of every call; none when empty.
    pub locale: String,
    /// Seconds that a token lives whose answer does not say. 0: until it is refused.
    pub token_seconds: u64,
    /// Seconds before its end at which a token is renewed.
    pub token_margin_seconds: u64,
    /// A session that was not used for so many seconds is asked for before content is sent, so that a large body is not
    /// sent in vain. 0: never.
    pub ask_after_idle_seconds: u64,
    /// A 403 to a session that was not used for so many seconds is taken for its end, once.
    pub forbidden_renews_after_idle_seconds: u64,
    /// Seconds during which a refused credential is not shown again.
    pub refused_credential_pause_seconds: u64,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            directory_url: String::new(),
            directory_resource: String::new(),
            directory_ticket_in: TicketPlace::default(),
            directory_token_path: "/otdsws/oauth2/token".to_owned(),
            cookies: true,
            digest: true,
            digest_as_bearer: false,
            token_opens_session: false,
            locale: String::new(),
            token_seconds: 0,
            token_margin_seconds: 60,
            ask_after_idle_seconds: 120,
            forbidden_renews_after_idle_seconds: 60,
            refused_credential_pause_seconds: 30,
        }
    }
}

/// How a write is kept from crossing another's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockStrategy {
    /// The asset is locked, read, written, read again and unlocked.
    #[default]
    Lock,
    /// The write says `lock_strategy=optimistic`. Reported for folders; whether assets take it has to be tried on the site.
    /// It carries no version that the server could compare: of two writes in the same moment the last wins. Tables are locked
    /// all the same: they can only be written whole.
    Optimistic,
}

/// How metadata is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EditingSettings {
    /// How a write is kept from crossing another's.
    pub strategy: LockStrategy,
    /// Seconds for which a lock is tried: an asset is locked by others, and by jobs after an import.
    pub lock_patience_seconds: u64,
    /// A lock of our own user that is at least so many seconds old was left behind, and is taken over. A younger one is
    /// somebody else's who calls with the same user.
    pub own_lock_seconds: u64,
    /// Text is written without the HTML tags in it, as the vendor's own editor does.
    pub strip_tags: bool,
    /// How a lookup value is written.
    pub lookup_form: LookupForm,
}

/// How a lookup value is written. No public source shows it for certain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LookupForm {
    /// Its key, like any text.
    #[default]
    Key,
    /// A domain value around its key, as it is read.
    DomainValue,
}

impl Default for EditingSettings {
    fn default() -> Self {
        Self {
            strategy: LockStrategy::default(),
            lock_patience_seconds: 30,
            own_lock_seconds: 300,
            strip_tags: false,
            lookup_form: LookupForm::default(),
        }
    }
}

/// What comes first when content is checked out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutOrder {
    /// Checked out, then locked: what clients of this interface do.
    #[default]
    CheckOutFirst,
    /// Locked, then checked out: what the vendor's Java guide says.
    LockFirst,
}

/// Where the job of a check-in is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckInJob {
    /// `/jobs/imports`.
    #[default]
    Imports,
    /// `/jobs/checkins`.
    Checkins,
}

/// How content is brought in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImportSettings {
    /// Content up to this size goes in one call with its description; larger content is staged, then imported.
    pub one_call_bytes: u64,
    /// What comes first when content is checked out.
    pub check_out_order: CheckOutOrder,
    /// Where the job of a check-in is made.
    pub check_in_job: CheckInJob,
    /// Name of the part that names an import template. Not documented.
    pub template_part: String,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            one_call_bytes: 32 << 20,
            check_out_order: CheckOutOrder::default(),
            check_in_job: CheckInJob::default(),
            template_part: "import_template_id".to_owned(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            api_version: ApiVersion::default(),
            session: SessionSettings::default(),
            ids: Ids::default(),
            types: WireTypes::default(),
            actions: Actions::default(),
            editing: EditingSettings::default(),
            imports: ImportSettings::default(),
            jobs: JobWords::default(),
            texts: Texts::default(),
            page_size: 100,
            page_ceiling: 10_000,
            change_overlap_seconds: 120,
            index_patience_seconds: 60,
            checksum: Checksum::default(),
            offline_pause_seconds: 3600,
            slowest_transfer: 256 * 1024,
            download_resumptions: 4,
            attempts: 3,
            answer_seconds: 60,
        }
    }
}

impl Settings {
    /// The defaults for the server at an address.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// Reads and checks the JSON in which a site declares what is its own.
    ///
    /// # Errors
    /// A configuration error with the line of the mistake, and the field.
    pub fn from_json(text: &str) -> Result<Self> {
        let settings: Self = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = error.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            let message = format!("line {line}, column {column}: {what}");
            Error::configuration("otmm.settings", message).remedy("correct the line and start again")
        })?;
        settings.check().map_err(|wrong| {
            let at = place::of(text, &wrong.field);
            let at = at.map_or_else(String::new, |(line, column)| format!("line {line}, column {column}: "));
            wrong.into_error(&at)
        })?;
        Ok(settings)
    }

    /// Checks what can be checked without calling anybody.
    ///
    /// # Errors
    /// A configuration error that names the field.
    pub fn validate(&self) -> Result<()> {
        self.check().map_err(|wrong| wrong.into_error(""))
    }

    fn check(&self) -> Result<(), Wrong> {
        if !is_address(&self.base_url) {
            let message =
                format!("the OTMM address {:?} is no http(s) address without a path", self.base_url);
            return wrong(
                "base_url",
                message,
                "give the server's address, for example https://dam.example.com",
            );
        }
        let directory = &self.session.directory_url;
        if !directory.is_empty() && !is_address(directory) {
            let message =
                format!("the directory's address {directory:?} is no http(s) address without a path");
            return wrong("session.directory_url", message, "give it without /otdsws, or leave it out");
        }
        if !self.session.directory_token_path.starts_with('/') {
            let message = "directory_token_path has to begin with a slash".to_owned();
            return wrong("session.directory_token_path", message, "leave it out for /otdsws/oauth2/token");
        }
        if !self.session.cookies && !self.session.digest && !self.session.digest_as_bearer {
            let message = "a session is shown by cookies, digest or both, and all are off".to_owned();
            return wrong("session.digest", message, "leave both on");
        }
        if !(1..=1000).contains(&self.page_size) {
            let message = format!("page_size is {}, and has to be between 1 and 1000", self.page_size);
            return wrong("page_size", message, "leave it out for 100");
        }
        for (field, text) in self.ids.all().into_iter().chain(self.actions.all()) {
            if text.trim() != text || text.chars().any(char::is_control) {
                let message = format!("{text:?} begins or ends with a blank, and ids have to match exactly");
                return wrong(field, message, "copy the id without what stands around it");
            }
        }
        let spaces = [&self.types.text, &self.types.number, &self.types.date];
        if spaces.iter().any(|name| name.is_empty()) {
            return wrong("types", "a kind of value has no name".to_owned(), "leave out what is not known");
        }
        if let Some(word) = self.jobs.ambiguous() {
            let message = format!("the job state {word:?} stands for two things");
            return wrong("jobs", message, "name each word once");
        }
        Ok(())
    }

    pub(super) fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }

    /// How long the transfer of so many bytes may take.
    pub(super) fn transfer_time(&self, bytes: u64) -> Duration {
        Duration::from_secs(self.answer_seconds.saturating_add(bytes / self.slowest_transfer.max(1)))
    }
}

/// What is wrong with a field, by its path.
struct Wrong {
    field: String,
    message: String,
    remedy: &'static str,
}

impl Wrong {
    fn into_error(self, at: &str) -> Error {
        Error::configuration("otmm.settings", format!("{at}{}", self.message))
            .field(self.field)
            .remedy(self.remedy)
    }
}

fn wrong(field: &str, message: String, remedy: &'static str) -> Result<(), Wrong> {
    Err(Wrong { field: field.to_owned(), message, remedy })
}

fn is_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|address| {
        matches!(address.scheme(), "http" | "https")
            && address.has_host()
            && address.query().is_none()
            && address.username().is_empty()
            && address.path() == "/"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_settings_are_refused_by_field_before_anybody_is_called() {
        let at = || Settings::at("https://dam.example.com:11090");
        at().validate().unwrap();
        let mut blank = at();
        blank.ids.correlation = crate::otmm::FieldId::new("CUST.FIELD.KEY ");
        let mut words = at();
        words.jobs.failed.push("RUNNING".to_owned());
        let mut closed = at();
        (closed.session.cookies, closed.session.digest) = (false, false);
        let cases = [
            (Settings::at("dam.example.com"), "base_url"),
            (Settings::at("https://dam.example.com/otmmapi"), "base_url"),
            (Settings { page_size: 0, ..at() }, "page_size"),
            (blank, "ids.correlation"),
            (words, "jobs"),
            (closed, "session.digest"),
        ];
        for (settings, field) in cases {
            let error = settings.validate().unwrap_err();
            assert_eq!((error.code(), error.field_name()), ("otmm.settings", Some(field)));
        }
    }

    #[test]
    fn a_mistake_in_a_declaration_is_told_with_its_line() {
        let text = "{\n  \"base_url\": \"https://dam.example.com\",\n  \"ids\": {\n    \"correlation\": \" X\"\n  }\n}";
        let cases = [
            (text.to_owned(), "line 4, column 5: "),
            (text.replace("correlation", "corelation"), "line 4, "),
            (text.replace("https://", ""), "line 2, column 3: the OTMM address"),
            (text.replace("\" X\"", "7"), "line 4, "),
        ];
        for (text, begins) in cases {
            let error = Settings::from_json(&text).unwrap_err();
            assert!(error.message().starts_with(begins), "{error}");
        }
        Settings::from_json(&text.replace("\" X\"", "\"CUST.FIELD.KEY\"")).unwrap();
    }

    #[test]
    fn everything_that_can_be_declared_is_in_the_schema_with_its_meaning() {
        let schema = serde_json::to_value(schemars::schema_for!(Settings)).unwrap();
        let sections = ["session", "ids", "types", "actions", "editing", "imports", "jobs", "texts"];
        for section in sections {
            assert!(schema["properties"][section]["description"].is_string(), "{section}");
        }
        let ids = &schema["$defs"]["Ids"];
        assert_eq!(ids["additionalProperties"], false);
        assert!(ids["properties"].as_object().unwrap().values().all(|id| id["description"].is_string()));
    }
}
