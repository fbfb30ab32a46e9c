//! What was filed, as it is kept between invocations.

use serde::{Deserialize, Serialize};

/// A file of iconik that is a document of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filed {
    /// Its id in iconik.
    pub(super) file: String,
    pub(super) node: i64,
    pub(super) version: i64,
    pub(super) size: u64,
    pub(super) sha256: String,
}
