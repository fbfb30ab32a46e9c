//! Switches of sessions and tokens.

use serde::{Deserialize, Serialize};

/// Which calls need `X-Requested-By` with the number of their session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestedBy {
    /// None.
    Off,
    /// Those that change something.
    Writes,
    /// All but those of the session itself.
    All,
}

/// What a call gets whose session is unknown or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expired {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 302 to a page for people.
    Redirect,
    /// 200 with a page for people.
    Page,
}

/// What a login comes to that would be one session too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Full {
    /// It is refused.
    Refused,
    /// The user's oldest session ends.
    OldestEnds,
}

/// Sessions and tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Seconds without a call after which a session ends.
    pub idle_seconds: i64,
    /// How long an access token lives, in seconds.
    pub token_seconds: i64,
    /// The answer of the token call tells how long it lives.
    pub tells_expiry: bool,
    /// How long a ticket of the directory service can be exchanged, in seconds.
    pub ticket_seconds: i64,
    /// What a call with an ended session gets.
    pub expired: Expired,
    /// The digest is still good after its session has ended for want of calls.
    pub digest_survives: bool,
    /// Which calls need `X-Requested-By`. Never asked for in v4, nor of bearers.
    pub requested_by: RequestedBy,
    /// Status when it is missing or wrong.
    pub requested_by_status: u16,
    /// The cookie alone is not enough to change something from v5 on: the digest is needed beside it.
    pub writes_need_digest: bool,
    /// Sessions a user may have at a time; any number when absent.
    pub most: Option<usize>,
    /// What becomes of one more.
    pub full: Full,
    /// Status when it is refused.
    pub full_status: u16,
    /// Status of a logout.
    pub logout_status: u16,
    /// The header in which a proxy names the user it has identified; such logins are off when absent.
    pub remote_user_header: Option<String>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            idle_seconds: 1800,
            token_seconds: 3600,
            tells_expiry: false,
            ticket_seconds: 300,
            expired: Expired::Unauthorized,
            digest_survives: false,
            requested_by: RequestedBy::Writes,
            requested_by_status: 403,
            writes_need_digest: false,
            most: None,
            full: Full::Refused,
            full_status: 500,
            logout_status: 200,
            remote_user_header: None,
        }
    }
}
