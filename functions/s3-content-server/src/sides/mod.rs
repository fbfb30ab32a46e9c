//! What the sides of the flows of this pair have in common when they are compared: listings that go on
//! behind a cursor, and what is said and asked of nodes.

mod nodes;
mod objects;
pub(crate) mod uploads;
mod walk;

use serde::{Serialize, de::DeserializeOwned};
use shared::error::{Error, Result};

pub(crate) use self::{
    nodes::{account, asset, listed_node, look_again, roots},
    objects::{ListedVersion, Prefix, list_objects, list_versions},
    walk::Walk,
};

/// A cursor as the comparison keeps it.
pub(crate) fn write_cursor<T: Serialize>(cursor: &T) -> Result<String> {
    serde_json::to_string(cursor).map_err(|error| Error::bug("list", "a cursor is not JSON").source(error))
}

/// A cursor that was kept; the beginning when there is none.
pub(crate) fn read_cursor<T: DeserializeOwned + Default>(cursor: Option<&str>) -> Result<T> {
    cursor.map_or_else(
        || Ok(T::default()),
        |text| {
            serde_json::from_str(text)
                .map_err(|error| Error::bug("list", "a cursor that was kept cannot be read").source(error))
        },
    )
}
