//! The flows between iconik and OpenText Content Server.

pub mod sync_asset_metadata;
pub mod sync_rules;

use shared::flow::Entry;

/// Every flow of this pair.
pub static FLOWS: &[&Entry] = &[];
