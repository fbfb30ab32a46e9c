//! What a node is made of.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::records::{HeldBy, Record};
use super::workspaces::Workspace;
use crate::content::Blob;

/// Number of a node.
pub type NodeId = i64;
/// Number of a user, group or workspace role.
pub type MemberId = i64;

/// Item types by their number on the wire.
pub mod kind {
    /// Folder.
    pub const FOLDER: i64 = 0;
    /// Shortcut.
    pub const SHORTCUT: i64 = 1;
    /// Generation: a shortcut to one version.
    pub const GENERATION: i64 = 2;
    /// Workflow map.
    pub const WORKFLOW_MAP: i64 = 128;
    /// Category.
    pub const CATEGORY: i64 = 131;
    /// Folder of categories.
    pub const CATEGORY_FOLDER: i64 = 132;
    /// Categories volume.
    pub const CATEGORIES_VOLUME: i64 = 133;
    /// Compound document.
    pub const COMPOUND: i64 = 136;
    /// Web address.
    pub const URL: i64 = 140;
    /// Enterprise volume.
    pub const ENTERPRISE: i64 = 141;
    /// Document.
    pub const DOCUMENT: i64 = 144;
    /// Classification tree.
    pub const CLASSIFICATION_TREE: i64 = 196;
    /// Classifications volume.
    pub const CLASSIFICATIONS_VOLUME: i64 = 198;
    /// Classification.
    pub const CLASSIFICATION: i64 = 199;
    /// Project.
    pub const PROJECT: i64 = 202;
    /// Search query that somebody saved.
    pub const SEARCH_QUERY: i64 = 258;
    /// Collection.
    pub const COLLECTION: i64 = 298;
    /// Recycle bin volume.
    pub const RECYCLE_BIN: i64 = 405;
    /// Class of the records plan.
    pub const RECORDS_CLASS: i64 = 551;
    /// Records Management volume.
    pub const RECORDS_VOLUME: i64 = 550;
    /// E-mail folder.
    pub const EMAIL_FOLDER: i64 = 751;
    /// Business workspace.
    pub const WORKSPACE: i64 = 848;
    /// Business workspaces volume.
    pub const WORKSPACES_VOLUME: i64 = 862;
    /// Document templates volume.
    pub const TEMPLATES_VOLUME: i64 = 20541;
    /// Web report.
    pub const WEB_REPORT: i64 = 30303;
}

/// Name of an item type.
pub fn kind_name(number: i64) -> &'static str {
    match number {
        kind::FOLDER => "Folder",
        kind::SHORTCUT => "Shortcut",
        kind::GENERATION => "Generation",
        kind::WORKFLOW_MAP => "Workflow Map",
        kind::CATEGORY => "Category",
        kind::CATEGORY_FOLDER => "Category Folder",
        kind::CATEGORIES_VOLUME => "Categories Volume",
        kind::COMPOUND => "Compound Document",
        kind::URL => "URL",
        kind::ENTERPRISE => "Enterprise Workspace",
        kind::DOCUMENT => "Document",
        kind::CLASSIFICATION_TREE => "Classification Tree",
        kind::CLASSIFICATIONS_VOLUME => "Classification Volume",
        kind::CLASSIFICATION => "Classification",
        kind::PROJECT => "Project",
        kind::SEARCH_QUERY => "Search Query",
        kind::COLLECTION => "Collection",
        kind::RECYCLE_BIN => "Recycle Bin",
        kind::RECORDS_CLASS => "RM Classification",
        kind::RECORDS_VOLUME => "Records Management",
        kind::EMAIL_FOLDER => "Email Folder",
        kind::WORKSPACE => "Business Workspace",
        kind::WORKSPACES_VOLUME => "Business Workspaces",
        kind::TEMPLATES_VOLUME => "Document Templates Volume",
        kind::WEB_REPORT => "WebReport",
        _ => "Item",
    }
}

/// Whether items of this type hold other items.
pub fn is_container(number: i64) -> bool {
    !matches!(
        number,
        kind::SHORTCUT
            | kind::GENERATION
            | kind::WORKFLOW_MAP
            | kind::CATEGORY
            | kind::URL
            | kind::DOCUMENT
            | kind::SEARCH_QUERY
            | kind::WEB_REPORT
    )
}

/// One thing a member may do with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See that it is there.
    See,
    /// Open it.
    SeeContents,
    /// Rename, describe, add versions.
    Modify,
    /// Edit categories.
    EditAttributes,
    /// Create items inside.
    AddItems,
    /// Reserve.
    Reserve,
    /// Add a major version.
    AddMajorVersion,
    /// Delete versions.
    DeleteVersions,
    /// Delete.
    Delete,
    /// Change rights.
    EditPermissions,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::See,
        Self::SeeContents,
        Self::Modify,
        Self::EditAttributes,
        Self::AddItems,
        Self::Reserve,
        Self::AddMajorVersion,
        Self::DeleteVersions,
        Self::Delete,
        Self::EditPermissions,
    ];

    /// The right of this name.
    pub fn named(name: &str) -> Option<Self> {
        serde_json::from_value(Value::from(name)).ok()
    }

    /// The rights this one cannot do without.
    pub fn needs(self) -> &'static [Self] {
        use Permission::{DeleteVersions, EditAttributes, Modify, See, SeeContents};
        match self {
            Self::See => &[],
            Self::SeeContents => &[See],
            Self::Modify | Self::EditPermissions => &[See, SeeContents],
            Self::EditAttributes
            | Self::AddItems
            | Self::Reserve
            | Self::AddMajorVersion
            | Self::DeleteVersions => &[See, SeeContents, Modify],
            Self::Delete => &[See, SeeContents, Modify, EditAttributes, DeleteVersions],
        }
    }
}

/// A set of rights.
pub type Rights = BTreeSet<Permission>;

/// Rights of one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The member.
    pub right_id: MemberId,
    /// Its rights.
    pub rights: Rights,
}

/// Who may do what with an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// The owner, unless removed.
    pub owner: Option<Grant>,
    /// The owner's group, unless removed.
    pub group: Option<Grant>,
    /// Everybody, unless removed.
    pub public: Option<Rights>,
    /// Further members.
    pub custom: BTreeMap<MemberId, Rights>,
}

/// What a migration wrote about an item's origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// `external_create_date`, as sent.
    pub create_date: Option<String>,
    /// `external_modify_date`, as sent.
    pub modify_date: Option<String>,
    /// `external_source`.
    pub source: Option<String>,
    /// `external_identity`.
    pub identity: Option<String>,
    /// `external_identity_type`.
    pub identity_type: Option<String>,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// By whom.
    pub user: MemberId,
    /// Since when.
    pub at: Timestamp,
}

/// One version of a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    /// Plain counter, never reused.
    pub number: i64,
    /// Number of the version object itself.
    pub version_id: i64,
    /// Added under advanced versioning: the label has two parts.
    pub advanced: bool,
    /// Major part (0 under standard versioning).
    pub major: i64,
    /// Minor part (the counter under standard versioning).
    pub minor: i64,
    /// File name it came with.
    pub file_name: String,
    /// Content type it came with.
    pub mime_type: String,
    /// Description, at most 255 characters.
    pub description: String,
    /// The bytes, with size and SHA-256.
    pub content: Blob,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last touched.
    pub modified: Timestamp,
    /// By whom.
    pub owner: MemberId,
    /// Locked by this member.
    pub locked_by: Option<MemberId>,
    /// What a migration wrote about it.
    pub external: External,
    /// Categories as they stood when it was added.
    pub categories: BTreeMap<NodeId, Assigned>,
}

impl Version {
    /// The label: `3` under standard, `2.1` under advanced versioning.
    pub fn label(&self) -> String {
        if self.advanced { format!("{}.{}", self.major, self.minor) } else { self.number.to_string() }
    }
}

/// A category on an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Values by the key after the category number: `2`, or `3_1_4` for row 1 of set 3.
    pub values: BTreeMap<String, Value>,
    /// New items inside get it too.
    pub inherited: bool,
    /// Counts edits; its text is the `metadata_token`.
    pub token: u64,
}

/// An item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    /// Number.
    pub id: NodeId,
    /// Number of the container; -1 for volumes.
    pub parent_id: NodeId,
    /// Number of the volume it is in.
    pub volume_id: NodeId,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Type, see [`kind`].
    pub kind: i64,
    /// When it was created.
    pub created: Timestamp,
    /// By whom.
    pub created_by: MemberId,
    /// When it was last modified.
    pub modified: Timestamp,
    /// By whom.
    pub modified_by: MemberId,
    /// What a migration wrote about it.
    pub external: External,
    /// Target of a shortcut or generation; source of a copy is not kept.
    pub original_id: NodeId,
    /// Address of a URL item.
    pub url: Option<String>,
    /// Versions, oldest first.
    pub versions: Vec<Version>,
    /// Number of the next version.
    pub next_version: i64,
    /// Major and minor versions.
    pub advanced_versioning: bool,
    /// Categories by the number of their definition.
    pub categories: BTreeMap<NodeId, Assigned>,
    /// Rights.
    pub permissions: Permissions,
    /// Reservation.
    pub reserved: Option<Reservation>,
    /// Nickname.
    pub nickname: Option<String>,
    /// Plain classifications.
    pub classifications: Vec<NodeId>,
    /// Records details, once classified.
    pub record: Option<Record>,
    /// Holds.
    pub holds: Vec<HeldBy>,
    /// Tenant-defined system attributes.
    pub system_attributes: Map<String, Value>,
    /// Business workspace details, for type 848.
    pub workspace: Option<Workspace>,
    /// Counts edits; its text is the `metadata_token`.
    pub token: u64,
    /// Hidden.
    pub hidden: bool,
}

impl Node {
    /// The newest version.
    pub fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The version with this number.
    pub fn version(&self, number: i64) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// Whether it holds other items.
    pub fn is_container(&self) -> bool {
        is_container(self.kind)
    }
}
