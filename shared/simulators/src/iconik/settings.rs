//! What nobody outside the vendor knows, as switches: each field is one open question of the interface, with the
//! answer this simulator gives unless told otherwise. All can be changed while it runs
//! (`PUT /_simulator/settings` with the fields to change).

use serde::{Deserialize, Serialize};

/// Which of the two documented shapes an error has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// `{"errors": ["…"]}`.
    List,
    /// `{"errors": {"field": "…"}}`.
    Map,
}

/// What happens to a path without its trailing slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingSlash {
    /// It is served as if the slash were there.
    Served,
    /// 308 to the path with it.
    Redirected,
}

/// The switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long each call takes at least, in milliseconds.
    pub latency_milliseconds: u64,
    /// Shape of validation errors.
    pub error_shape: ErrorShape,
    /// What happens to a path without its trailing slash.
    pub missing_slash: MissingSlash,
    /// Calls let through per second and credentials; all when absent.
    pub calls_per_second: Option<u64>,
    /// Whether a 429 says when to come back.
    pub retry_after: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_milliseconds: 0,
            error_shape: ErrorShape::List,
            missing_slash: MissingSlash::Served,
            calls_per_second: None,
            retry_after: true,
        }
    }
}
