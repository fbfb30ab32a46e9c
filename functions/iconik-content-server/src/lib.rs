//! The flows between iconik and OpenText Content Server.

pub mod approval;
pub mod archive_production;
pub mod asset_metadata;
pub mod disposition_rules;
pub mod exchange_review_status;
pub mod file_rights;
pub mod filing;
pub mod finals_rules;
pub mod link_references;
pub mod link_rules;
pub mod made_once;
pub mod production_rules;
pub mod progress;
pub mod publish_finals;
pub mod request_disposition;
pub mod review_rules;
pub mod rights_rules;
mod sides;
pub mod signoff_rules;
pub mod start_signoff;
pub mod sync_asset_metadata;
pub mod sync_rules;
mod view_rules;

use archive_production::ArchiveProduction;
use exchange_review_status::ExchangeReviewStatus;
use file_rights::FileRights;
use link_references::LinkReferences;
use publish_finals::PublishFinals;
use request_disposition::RequestDisposition;
use shared::{error::System, flow::Entry, reconcile::SidesEntry};
use start_signoff::StartSignoff;
use sync_asset_metadata::SyncAssetMetadata;

/// Approved versions of assets become documents, with their previews and posters.
pub static PUBLISH_FINALS: Entry = Entry::of::<PublishFinals>();

/// Approved versions are signed off by a workflow of Content Server; iconik shows how that goes.
pub static START_SIGNOFF: Entry = Entry::of::<StartSignoff>();

/// Mapped metadata of assets and of their documents is kept equal.
pub static SYNC_ASSET_METADATA: Entry = Entry::of::<SyncAssetMetadata>();

/// What Content Server decides about assets that are no longer used is done in iconik, and certified.
pub static REQUEST_DISPOSITION: Entry = Entry::of::<RequestDisposition>();

/// Rights, releases and licences of approved assets are filed beside their finals; what lapses narrows access.
pub static FILE_RIGHTS: Entry = Entry::of::<FileRights>();

/// Documents of workspaces are shown in the collections that belong to them.
pub static LINK_REFERENCES: Entry = Entry::of::<LinkReferences>();

/// Closed productions become complete packages.
pub static ARCHIVE_PRODUCTION: Entry = Entry::of::<ArchiveProduction>();

/// Reviews of regulated assets are exchanged, and leave evidence.
pub static EXCHANGE_REVIEW_STATUS: Entry = Entry::of::<ExchangeReviewStatus>();

/// Every flow of this pair.
pub static FLOWS: &[&Entry] = &[
    &ARCHIVE_PRODUCTION,
    &FILE_RIGHTS,
    &LINK_REFERENCES,
    &PUBLISH_FINALS,
    &START_SIGNOFF,
    &SYNC_ASSET_METADATA,
    &REQUEST_DISPOSITION,
    &EXCHANGE_REVIEW_STATUS,
];

/// What the sides of these flows are in.
const BOTH: &[System] = &[System::Iconik, System::ContentServer];

/// The two sides of flows of this pair, for comparisons.
pub static SIDES: &[SidesEntry] = &[
    SidesEntry { flow: "archive-production", systems: BOTH, connect: archive_production::connect_sides },
    SidesEntry { flow: "file-rights", systems: BOTH, connect: file_rights::connect_sides },
    SidesEntry { flow: "publish-finals", systems: BOTH, connect: publish_finals::connect_sides },
    SidesEntry {
        flow: "exchange-review-status",
        systems: BOTH,
        connect: exchange_review_status::connect_sides,
    },
    SidesEntry { flow: "link-references", systems: BOTH, connect: link_references::connect_sides },
    SidesEntry { flow: "request-disposition", systems: BOTH, connect: request_disposition::connect_sides },
    SidesEntry { flow: "start-signoff", systems: BOTH, connect: start_signoff::connect_sides },
    SidesEntry { flow: "sync-asset-metadata", systems: BOTH, connect: sync_asset_metadata::connect_sides },
];
