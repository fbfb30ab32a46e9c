//! What nobody outside the vendor knows, as switches: each field is one open question of the interface, with the
//! answer this simulator gives unless told otherwise. All can be changed while it runs
//! (`PUT /_simulator/settings` with the fields to change).

mod core;
mod media;
mod metadata;
mod notifications;
mod review;

use serde::{Deserialize, Serialize};

pub use self::core::{
    Bin, BulkDelete, Credentials, Dates, Edits, Index, NextUrl, OauthAnswer, Operator, Put, RateLimit,
    Spelling, StatusWrites, TokenHeader, UnknownFields, VersionOrder,
};
pub use media::{Jobs, Media, NoAddress};
pub use metadata::{EmptyValues, MetadataRules, Required, Unwanted};
pub use notifications::{ActsFor, Automations, CustomActions, Deliveries, Detail, Order, Webhooks};
pub use review::{Approvals, RollUp, SecondRequest, Segments, Shares};

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
    /// What the last page of a list says of the next one.
    pub next_url: NextUrl,
    /// Tokens.
    pub credentials: Credentials,
    /// How many calls are let through.
    pub rate_limit: RateLimit,
    /// How times are written.
    pub dates: Dates,
    /// What search and lists see, and when.
    pub index: Index,
    /// What writes of assets and collections do.
    pub edits: Edits,
    /// Deleting and what comes after it.
    pub bin: Bin,
    /// Comments and other segments.
    pub segments: Segments,
    /// Approvals.
    pub approvals: Approvals,
    /// Shares.
    pub shares: Shares,
    /// Webhooks.
    pub webhooks: Webhooks,
    /// The way from iconik to whom it calls.
    pub deliveries: Deliveries,
    /// Custom actions.
    pub custom_actions: CustomActions,
    /// Automations.
    pub automations: Automations,
    /// Storages and files.
    pub media: Media,
    /// Jobs.
    pub jobs: Jobs,
    /// Metadata.
    pub metadata_rules: MetadataRules,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_milliseconds: 0,
            error_shape: ErrorShape::List,
            missing_slash: MissingSlash::Served,
            next_url: NextUrl::Null,
            credentials: Credentials::default(),
            rate_limit: RateLimit::default(),
            dates: Dates::default(),
            index: Index::default(),
            edits: Edits::default(),
            bin: Bin::default(),
            segments: Segments::default(),
            approvals: Approvals::default(),
            shares: Shares::default(),
            webhooks: Webhooks::default(),
            deliveries: Deliveries::default(),
            custom_actions: CustomActions::default(),
            automations: Automations::default(),
            media: Media::default(),
            jobs: Jobs::default(),
            metadata_rules: MetadataRules::default(),
        }
    }
}
