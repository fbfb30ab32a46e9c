//! Ids, each of its own type: nothing but texts to the server, and easily mistaken for one another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$about:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$about])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id with this text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// An asset.
    AssetId,
    /// A version of an asset.
    VersionId,
    /// A collection.
    CollectionId,
    /// A technical rendition of an asset.
    FormatId,
    /// The files of a format on one storage.
    FileSetId,
    /// A file.
    FileId,
    /// A storage.
    StorageId,
    /// A web preview.
    ProxyId,
    /// A still picture.
    KeyframeId,
    /// A comment, marker or other stretch of an asset.
    SegmentId,
    /// A user.
    UserId,
    /// A group of users.
    GroupId,
    /// A job.
    JobId,
    /// A metadata view.
    ViewId,
    /// An entry of an asset's history.
    HistoryId,
    /// A webhook.
    WebhookId,
    /// A custom action.
    CustomActionId,
    /// An automation.
    AutomationId,
}

/// What approvals and metadata belong to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "object_type", content = "object_id", rename_all = "snake_case")]
pub enum ObjectRef {
    /// An asset.
    Assets(AssetId),
    /// A collection.
    Collections(CollectionId),
}

impl ObjectRef {
    /// The word the interface has for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Assets(_) => "assets",
            Self::Collections(_) => "collections",
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Assets(id) => id.as_str(),
            Self::Collections(id) => id.as_str(),
        }
    }
}

impl From<AssetId> for ObjectRef {
    fn from(id: AssetId) -> Self {
        Self::Assets(id)
    }
}

impl From<CollectionId> for ObjectRef {
    fn from(id: CollectionId) -> Self {
        Self::Collections(id)
    }
}
