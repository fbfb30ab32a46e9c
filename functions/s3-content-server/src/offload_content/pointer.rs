//! The small document that stands where the content was.

use serde::Serialize;
use shared::{
    content_server::{NodeId, Upload, Version},
    http::Replayable,
};

use crate::version_copy::StoredVersion;

/// What the external identity of every pointer begins with.
const MARK: &str = "waybill:pointer:";

/// Whether a version is a pointer, rather than content.
pub(crate) fn is_pointer(version: &Version) -> bool {
    version.external_identity.as_ref().is_some_and(|identity| identity.starts_with(MARK))
}

/// The mark of the pointer to one version's copy.
pub(super) fn mark(node: NodeId, version: i64) -> String {
    format!("{MARK}{node}:{version}")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pointer<'a> {
    schema: &'static str,
    note: &'static str,
    node: i64,
    version: i64,
    file_name: &'a str,
    media_type: Option<&'a str>,
    content: &'a StoredVersion,
}

/// The pointer to a version's copy, as a file. The same copy gives the same bytes.
pub(super) fn upload(node: NodeId, version: &Version, stored: &StoredVersion) -> Upload {
    let pointer = Pointer {
        schema: "waybill.pointer.v1",
        note: "The content of this document is kept outside Content Server. To bring it back, set the recall \
               attribute of its external content category.",
        node: node.0,
        version: version.number,
        file_name: &version.file_name,
        media_type: version.mime_type.as_deref(),
        content: stored,
    };
    Upload {
        content: Replayable::from_bytes(serde_json::to_vec_pretty(&pointer).unwrap_or_default()),
        ranges: None,
        file_name: format!("{}.pointer.json", version.file_name),
        content_type: "application/json".to_owned(),
    }
}
