//! What the sides of the flows of this pair have in common when they are compared: listings of iconik that go on behind a
//! cursor, what the audit chain says of an asset, the message that makes a flow look again, and what documents hold.

mod documents;
mod events;
mod listing;
mod made;
mod nodes;

pub(crate) use self::{
    documents::{OnBothSides, compare_categories, find_node, find_versions, keep_lasting, other_hours},
    events::{account, asset, collection_asset, events, look_again},
    listing::{list_assets, list_collections, listed_id},
    made::{Found, Made, find_made, is_of_same_asset},
    nodes::look_at_node,
};
