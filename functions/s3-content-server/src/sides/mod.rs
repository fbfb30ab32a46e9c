//! What the sides of the flows of this pair have in common when they are compared: listings that go on
//! behind a cursor, and what is said and asked of nodes.

mod nodes;
mod objects;
pub(crate) mod uploads;

pub(crate) use shared::reconcile::{Walk, read_cursor, write_cursor};

pub(crate) use self::{
    nodes::{account, asset, listed_node, look_again, roots},
    objects::{ListedVersion, Prefix, list_objects, list_versions},
};
