//! The flows between iconik and OpenText Content Server.

pub mod asset_metadata;
mod reason_file;
pub mod signoff_rules;
pub mod start_signoff;
pub mod sync_asset_metadata;
pub mod sync_rules;

use shared::flow::Entry;
use start_signoff::StartSignoff;
use sync_asset_metadata::SyncAssetMetadata;

/// Approved versions are signed off by a workflow of Content Server; iconik shows how that goes.
pub static START_SIGNOFF: Entry = Entry::of::<StartSignoff>();

/// Mapped metadata of assets and of their documents is kept equal.
pub static SYNC_ASSET_METADATA: Entry = Entry::of::<SyncAssetMetadata>();

/// Every flow of this pair.
pub static FLOWS: &[&Entry] = &[&START_SIGNOFF, &SYNC_ASSET_METADATA];
