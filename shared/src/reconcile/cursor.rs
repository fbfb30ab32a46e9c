//! Cursors of listings, as a comparison keeps them.

use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// A cursor as the comparison keeps it.
///
/// # Errors
/// `Bug` when it is not JSON.
pub fn write_cursor<T: Serialize>(cursor: &T) -> Result<String> {
    serde_json::to_string(cursor).map_err(|error| Error::bug("list", "a cursor is not JSON").source(error))
}

/// A cursor that was kept; the beginning when there is none.
///
/// # Errors
/// `Bug` when it is of another listing.
pub fn read_cursor<T: DeserializeOwned + Default>(cursor: Option<&str>) -> Result<T> {
    cursor.map_or_else(
        || Ok(T::default()),
        |text| {
            serde_json::from_str(text)
                .map_err(|error| Error::bug("list", "a cursor that was kept cannot be read").source(error))
        },
    )
}
