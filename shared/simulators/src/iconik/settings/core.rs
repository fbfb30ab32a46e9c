//! The switches of credentials, pace, paging, dates, search, assets and collections.

use serde::{Deserialize, Serialize};

/// What the last page of a list says of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextUrl {
    /// `null`.
    Null,
    /// An empty text.
    Empty,
    /// Nothing: the key is missing.
    Absent,
}

/// Which header carries the token of an OAuth application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenHeader {
    /// Either of the two.
    Either,
    /// `Auth-Token`, as for personal tokens.
    AuthToken,
    /// `Authorization: Bearer`.
    Bearer,
}

/// What the token endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OauthAnswer {
    /// The vendor's keys and the standard's.
    Both,
    /// The vendor's keys alone: `token`, `expires`.
    Vendor,
    /// The standard's keys (RFC 6749) alone: `access_token`, `token_type`, `expires_in`.
    Standard,
}

/// Tokens. How long they live and what is said of them is documented nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// Life of an application's personal token; for ever when absent. Tenants can set one.
    pub personal_token_seconds: Option<i64>,
    /// Life of the token of a login.
    pub login_token_seconds: i64,
    /// Life of a token from the OAuth endpoint, unless the caller asks for less.
    pub oauth_token_seconds: i64,
    /// Which header takes it.
    pub oauth_header: TokenHeader,
    /// What the OAuth endpoint answers.
    pub oauth_answer: OauthAnswer,
    /// Whether a refresh token comes with it.
    pub refresh_tokens: bool,
    /// Whether the header `App-ID` has to come with a token.
    pub app_id_needed: bool,
    /// What a 401 says.
    pub unauthorized_text: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            personal_token_seconds: None,
            login_token_seconds: 86_400,
            oauth_token_seconds: 3600,
            oauth_header: TokenHeader::Either,
            oauth_answer: OauthAnswer::Both,
            refresh_tokens: true,
            app_id_needed: true,
            unauthorized_text: "Token is invalid or has expired".to_owned(),
        }
    }
}

/// How many calls are let through for each application. The vendor speaks of 1000 in 20 seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimit {
    /// Calls let through in each window; all when absent.
    pub calls: Option<u64>,
    /// The window, in seconds.
    pub seconds: i64,
    /// Whether answers tell `RateLimit-Remaining`.
    pub tells_remaining: bool,
    /// `Retry-After` of a 429.
    pub retry_after_seconds: Option<u64>,
    /// Whether a 429 comes from a gateway that answers with a page.
    pub html_page: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            calls: None,
            seconds: 20,
            tells_remaining: true,
            retry_after_seconds: Some(1),
            html_page: false,
        }
    }
}

/// A spelling of times. All three occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// `2031-05-06T07:08:09.123456+00:00`.
    Zoned,
    /// `2031-05-06T07:08:09.123456`, meaning UTC.
    Zoneless,
    /// `2031-05-06 07:08:09`, meaning UTC.
    Spaced,
}

/// How times are written, by where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dates {
    /// In answers but search.
    pub objects: Spelling,
    /// In what search finds.
    pub search: Spelling,
}

impl Default for Dates {
    fn default() -> Self {
        Self { objects: Spelling::Zoned, search: Spelling::Zoneless }
    }
}

/// How the words of a query are joined when nothing joins them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// One has to be found.
    Or,
    /// All have to be.
    And,
}

/// What search and lists see. They are served from an index that follows; single objects are always fresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Index {
    /// How long after a write the index has it.
    pub lag_seconds: i64,
    /// The same for reads of single assets and collections: those of another region than the one written to.
    pub region_lag_seconds: i64,
    /// How words of a query are joined.
    pub operator: Operator,
}

impl Default for Index {
    fn default() -> Self {
        Self { lag_seconds: 0, region_lag_seconds: 0, operator: Operator::Or }
    }
}

/// What a PUT does to the fields that it does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Put {
    /// They stay.
    Merges,
    /// They are empty afterwards.
    Replaces,
}

/// What happens to fields that an object does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownFields {
    /// Nothing: they are dropped.
    Dropped,
    /// The call is refused.
    Refused,
}

/// What a write of `status`, `archive_status` and `is_online` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusWrites {
    /// The field says so, and that is all.
    Stored,
    /// Nothing.
    Dropped,
    /// `status` deletes and restores.
    Act,
}

/// Where the newest version of an asset stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionOrder {
    /// First, as one public client expects.
    NewestFirst,
    /// Last.
    OldestFirst,
}

/// What writes of assets and collections do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edits {
    /// Fields that a PUT does not name.
    pub put: Put,
    /// Fields that there are not.
    pub unknown_fields: UnknownFields,
    /// Writes of the fields that say in which state an asset is.
    pub status_writes: StatusWrites,
    /// Order of the versions of an asset.
    pub version_order: VersionOrder,
    /// Whether an asset read alone always names its collections, or only when asked to.
    pub collections_always: bool,
    /// Whether two assets may have the same external id; else the second is refused.
    pub external_ids_repeat: bool,
    /// Whether an asset counts as changed when it is put into a collection or taken out of it.
    pub contents_move_date_modified: bool,
}

impl Default for Edits {
    fn default() -> Self {
        Self {
            put: Put::Merges,
            unknown_fields: UnknownFields::Dropped,
            status_writes: StatusWrites::Stored,
            version_order: VersionOrder::NewestFirst,
            collections_always: false,
            external_ids_repeat: true,
            contents_move_date_modified: false,
        }
    }
}

/// What a bulk deletion of assets does when it does not say `content_only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkDelete {
    /// The assets stay: only contents would go, and assets have none.
    Keeps,
    /// The assets go.
    Deletes,
}

/// Deleting and what comes after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bin {
    /// Whether what is in the bin can still be read by its id.
    pub readable: bool,
    /// Whether only what is in the bin can be purged.
    pub purge_needs_deleted: bool,
    /// What a bulk deletion of assets does by default.
    pub bulk_delete: BulkDelete,
    /// Status of the deletion of a collection: 202, and since 2026 also 204.
    pub collection_delete_status: u16,
    /// Status of its restoration: 201 or 202.
    pub collection_restore_status: u16,
}

impl Default for Bin {
    fn default() -> Self {
        Self {
            readable: true,
            purge_needs_deleted: true,
            bulk_delete: BulkDelete::Keeps,
            collection_delete_status: 202,
            collection_restore_status: 202,
        }
    }
}
