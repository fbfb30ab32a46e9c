//! The flows between iconik and OpenText Content Server.

pub mod asset_metadata;
mod reason_file;
pub mod sync_asset_metadata;
pub mod sync_rules;

use shared::flow::Entry;
use sync_asset_metadata::SyncAssetMetadata;

/// Mapped metadata of assets and of their documents is kept equal.
pub static SYNC_ASSET_METADATA: Entry = Entry::of::<SyncAssetMetadata>();

/// Every flow of this pair.
pub static FLOWS: &[&Entry] = &[&SYNC_ASSET_METADATA];
