//! What an asset is.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    approvals::Approval,
    ids::{AssetId, CollectionId, KeyframeId, UserId, VersionId},
    users::Person,
    wire::{self, words},
};

words! {
    /// What kind of asset it is.
    AssetKind {
        /// Media.
        Asset = "ASSET",
        /// An image sequence.
        Sequence = "SEQUENCE",
        /// A project of an editing program.
        EditProject = "NLE_PROJECT",
        /// Something to come.
        Placeholder = "PLACEHOLDER",
        /// Whatever the tenant makes of it.
        Custom = "CUSTOM",
        /// A link to elsewhere.
        Link = "LINK",
        /// A stretch of another asset.
        Subclip = "SUBCLIP",
        /// A social media post.
        Post = "POST",
    }
}

words! {
    /// Whether an asset is in the recycle bin.
    AssetStatus {
        /// It is not.
        Active = "ACTIVE",
        /// It is, until the bin empties itself.
        Deleted = "DELETED",
    }
}

words! {
    /// How far an asset, version or format is archived.
    ArchiveStatus {
        /// Not at all.
        NotArchived = "NOT_ARCHIVED",
        /// Under way.
        Archiving = "ARCHIVING",
        /// It did not work.
        Failed = "FAILED_TO_ARCHIVE",
        /// Wholly.
        Archived = "ARCHIVED",
    }
}

words! {
    /// The state of a version.
    VersionStatus {
        /// In use.
        Active = "ACTIVE",
        /// Still being made.
        InProgress = "IN_PROGRESS",
        /// Could not be made.
        Failed = "FAILED",
        /// On its way out.
        Deleting = "DELETING",
        /// Gone.
        Deleted = "DELETED",
    }
}

/// An asset. Members that only search results have are empty elsewhere.
#[derive(Debug, Clone, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// Its title.
    #[serde(default, deserialize_with = "wire::text")]
    pub title: String,
    /// Its kind.
    #[serde(default, rename = "type")]
    pub kind: AssetKind,
    /// Whether it is in the recycle bin.
    #[serde(default)]
    pub status: AssetStatus,
    /// Selects which metadata views people see.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub category: Option<String>,
    /// What an outside system calls it. Nothing makes it unique.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub external_id: Option<String>,
    /// Where a link leads.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub external_link: Option<String>,
    /// The banner people see.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub warning: Option<String>,
    /// Whether people are kept from using it.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_blocked: bool,
    /// Whether its original can be had at once.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_online: bool,
    /// How far it is archived.
    #[serde(default)]
    pub archive_status: ArchiveStatus,
    /// Groups that alone may download it; all who may otherwise, when there are none.
    #[serde(default, deserialize_with = "wire::list")]
    pub limit_download_to_groups: Vec<String>,
    /// Its versions, in whatever order the server has them.
    #[serde(default, deserialize_with = "wire::list")]
    pub versions: Vec<AssetVersion>,
    /// Collections it is in. The server gives them only when asked.
    #[serde(default, deserialize_with = "wire::list")]
    pub in_collections: Vec<CollectionId>,
    /// The asset a subclip is taken from.
    #[serde(default)]
    pub original_asset_id: Option<AssetId>,
    /// The poster somebody chose.
    #[serde(default)]
    pub custom_poster: Option<KeyframeId>,
    /// Who made it.
    #[serde(default)]
    pub created_by_user: Option<UserId>,
    /// Who changed it last.
    #[serde(default)]
    pub updated_by_user: Option<UserId>,
    /// Who changed it last, by name.
    #[serde(default)]
    pub updated_by_user_info: Option<Person>,
    /// When it was made.
    #[serde(default, rename = "date_created", deserialize_with = "wire::moment_or_none")]
    pub created: Option<Timestamp>,
    /// When it was changed last.
    #[serde(default, rename = "date_modified", deserialize_with = "wire::moment_or_none")]
    pub modified: Option<Timestamp>,
    /// When it was deleted. A widely used client writes this date into assets that are not: look at the status.
    #[serde(default, rename = "date_deleted", deserialize_with = "wire::moment_or_none")]
    pub deleted: Option<Timestamp>,
    /// In search results: the approval of its current version.
    #[serde(default)]
    pub approval: Option<Approval>,
    /// In search results: values of the view that was asked for, by field, each a value or a list.
    #[serde(default)]
    pub metadata: Value,
    /// In search results: every collection it is in, at any depth.
    #[serde(default, deserialize_with = "wire::list")]
    pub ancestor_collections: Vec<CollectionId>,
}

impl Asset {
    /// The version with an id.
    pub fn version(&self, id: &VersionId) -> Option<&AssetVersion> {
        self.versions.iter().find(|version| version.id == *id)
    }

    /// The version people see: the highest number among those in use. The order of the list says nothing.
    pub fn current_version(&self) -> Option<&AssetVersion> {
        let in_use = self.versions.iter().filter(|version| {
            !matches!(
                version.status,
                VersionStatus::Deleting | VersionStatus::Deleted | VersionStatus::Failed
            )
        });
        in_use.max_by_key(|version| version.number)
    }
}

/// A version of an asset.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AssetVersion {
    /// Its id.
    pub id: VersionId,
    /// Its number, counted from 1.
    #[serde(default, rename = "version_number", deserialize_with = "wire::integer_or_none")]
    pub number: Option<i64>,
    /// Its state.
    #[serde(default)]
    pub status: VersionStatus,
    /// How far it is archived.
    #[serde(default)]
    pub archive_status: ArchiveStatus,
    /// Whether its original can be had at once.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_online: bool,
    /// Who made it.
    #[serde(default)]
    pub created_by_user: Option<UserId>,
    /// When it was made.
    #[serde(default, rename = "date_created", deserialize_with = "wire::moment_or_none")]
    pub created: Option<Timestamp>,
}

/// An asset to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAsset {
    /// Its title.
    pub title: String,
    /// Its kind.
    pub kind: AssetKind,
    /// What we call it: how an asset whose creation was not confirmed is found again.
    pub external_id: String,
    /// Where it leads, when it is a link.
    pub external_link: Option<String>,
    /// Selects which metadata views people see.
    pub category: Option<String>,
    /// The collection it goes into.
    pub collection: Option<CollectionId>,
}

impl NewAsset {
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "title": self.title, "type": self.kind, "external_id": self.external_id,
        });
        if let Some(members) = body.as_object_mut() {
            let optional = [
                ("external_link", self.external_link.as_deref()),
                ("category", self.category.as_deref()),
                ("collection_id", self.collection.as_ref().map(CollectionId::as_str)),
            ];
            for (key, value) in optional {
                members.extend(value.map(|value| (key.to_owned(), value.into())));
            }
        }
        body
    }
}

/// What is to be changed of an asset; nothing else is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetChange(Map<String, Value>);

impl AssetChange {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Its title.
    #[must_use]
    pub fn title(self, title: &str) -> Self {
        self.with("title", title)
    }

    /// What we call it.
    #[must_use]
    pub fn external_id(self, id: &str) -> Self {
        self.with("external_id", id)
    }

    /// Where a link leads.
    #[must_use]
    pub fn external_link(self, address: &str) -> Self {
        self.with("external_link", address)
    }

    /// The banner people see; nothing takes it away.
    #[must_use]
    pub fn warning(self, text: Option<&str>) -> Self {
        self.with("warning", text)
    }

    /// Whether people are kept from using it.
    #[must_use]
    pub fn blocked(self, blocked: bool) -> Self {
        self.with("is_blocked", blocked)
    }

    /// Groups that alone may download it. Tenants before 2026 do not know this.
    #[must_use]
    pub fn limit_download_to_groups(self, groups: &[String]) -> Self {
        self.with("limit_download_to_groups", groups.to_vec())
    }

    /// How far it is archived, as people see it: moving files is another call.
    #[must_use]
    pub fn archive_status(self, status: &ArchiveStatus) -> Self {
        self.with("archive_status", status.as_str())
    }

    /// Its category.
    #[must_use]
    pub fn category(self, category: Option<&str>) -> Self {
        self.with("category", category)
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn body(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// A version to be made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewVersion {
    /// Takes the metadata along.
    pub copy_metadata: bool,
    /// Takes comments and markers along.
    pub copy_segments: bool,
}
