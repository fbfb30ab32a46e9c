//! What a node is.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::wire;

/// The id of a node. Volumes have negative twins of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub i64);

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Item types, as numbers on the wire.
pub mod kind {
    /// A folder.
    pub const FOLDER: i64 = 0;
    /// A shortcut to another node.
    pub const SHORTCUT: i64 = 1;
    /// A fixed version of another document.
    pub const GENERATION: i64 = 2;
    /// A workflow map.
    pub const WORKFLOW_MAP: i64 = 128;
    /// A category.
    pub const CATEGORY: i64 = 131;
    /// A folder of categories.
    pub const CATEGORY_FOLDER: i64 = 132;
    /// A document.
    pub const DOCUMENT: i64 = 144;
    /// A business workspace.
    pub const WORKSPACE: i64 = 848;
    /// Search query that somebody saved.
    pub const SEARCH_QUERY: i64 = 258;
    /// `WebReport`.
    pub const WEB_REPORT: i64 = 30303;
}

/// A node's own facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The container it is in.
    pub parent: NodeId,
    /// Its name, as stored.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its type, one of [`kind`] or another of the vendor's.
    pub kind: i64,
    /// Whether it can hold others.
    pub container: bool,
    /// Bytes of a document, or how many children a container has.
    pub size: Option<u64>,
    /// Media type of a document.
    pub mime_type: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was changed. Whether a change of categories or permissions counts is not known.
    pub modified: Option<Timestamp>,
    /// Who has checked it out.
    pub reserved_by: Option<i64>,
    /// Whether versions are major and minor.
    pub advanced_versioning: bool,
    /// What a shortcut or generation points to.
    pub original: Option<NodeId>,
    /// What an outside system said about it.
    pub external: External,
}

/// What an outside system says about something it brings in. Travels with the creating call itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct External {
    /// Kind of source, one of the vendor's words such as `file_system` or `cloud_storage`.
    pub source: Option<String>,
    /// Our own identity of the item: how an upload whose answer was lost is found again.
    pub identity: Option<String>,
    /// What kind of identity that is.
    pub identity_type: Option<String>,
    /// When it was made there.
    pub created: Option<Timestamp>,
    /// When it was changed there.
    pub modified: Option<Timestamp>,
}

impl External {
    /// The fields as the creating calls take them.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        [
            ("external_source", self.source.clone()),
            ("external_identity", self.identity.clone()),
            ("external_identity_type", self.identity_type.clone()),
            ("external_create_date", self.created.map(wire::moment_text)),
            ("external_modify_date", self.modified.map(wire::moment_text)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}

/// The same on the wire.
#[derive(Deserialize)]
pub(super) struct NodeProperties {
    #[serde(deserialize_with = "wire::integer")]
    id: i64,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    parent_id: Option<i64>,
    #[serde(default, deserialize_with = "wire::text")]
    name: String,
    #[serde(default, deserialize_with = "wire::text")]
    description: String,
    #[serde(rename = "type", default, deserialize_with = "wire::integer_or_none")]
    kind: Option<i64>,
    #[serde(default, deserialize_with = "wire::truth")]
    container: bool,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    size: Option<i64>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    mime_type: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    create_date: String,
    #[serde(default, deserialize_with = "wire::text")]
    modify_date: String,
    #[serde(default, deserialize_with = "wire::truth")]
    reserved: bool,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    reserved_user_id: Option<i64>,
    #[serde(default, deserialize_with = "wire::truth")]
    advanced_versioning: bool,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    original_id: Option<i64>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    external_source: Option<String>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    external_identity: Option<String>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    external_identity_type: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    external_create_date: String,
    #[serde(default, deserialize_with = "wire::text")]
    external_modify_date: String,
}

impl NodeProperties {
    pub(super) fn into_node(self, zone: &TimeZone) -> Node {
        let kind = self.kind.unwrap_or(-1);
        Node {
            id: NodeId(self.id),
            parent: NodeId(self.parent_id.unwrap_or(-1)),
            name: self.name,
            description: self.description,
            kind,
            container: self.container
                || matches!(kind, kind::FOLDER | kind::WORKSPACE | kind::CATEGORY_FOLDER),
            size: self.size.and_then(|size| u64::try_from(size).ok()),
            mime_type: self.mime_type,
            created: wire::moment(&self.create_date, zone),
            modified: wire::moment(&self.modify_date, zone),
            reserved_by: self.reserved_user_id.filter(|user| self.reserved && *user > 0),
            advanced_versioning: self.advanced_versioning,
            original: self.original_id.filter(|original| *original != 0).map(NodeId),
            external: External {
                source: self.external_source,
                identity: self.external_identity,
                identity_type: self.external_identity_type,
                created: wire::moment(&self.external_create_date, zone),
                modified: wire::moment(&self.external_modify_date, zone),
            },
        }
    }
}
