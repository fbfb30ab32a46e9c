//! What was read of a production, as it is kept between invocations: nothing of iconik is asked twice for one package.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The collections of a production and the assets in them, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// Every collection, the production's own first.
    pub(super) collections: Vec<Place>,
    /// Every asset, in the order it was met.
    pub(super) assets: Vec<Member>,
    /// What is in it and is neither asset nor collection: kind and id.
    pub(super) others: Vec<(String, String)>,
}

/// A collection of the production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) id: String,
    /// The titles from the production down to it.
    pub(super) path: Vec<String>,
}

/// An asset, and in which of the collections it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) id: String,
    /// Positions in [`Tree::collections`].
    pub(super) places: Vec<usize>,
}

/// What was read of one asset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct AssetFacts {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) category: Option<String>,
    pub(super) external_id: Option<String>,
    /// Where a link leads.
    pub(super) link: Option<String>,
    /// The asset a subclip is taken from.
    pub(super) original: Option<String>,
    pub(super) state: AssetState,
    pub(super) places: Vec<usize>,
    pub(super) created: Option<Timestamp>,
    /// Those in use, the newest first.
    pub(super) versions: Vec<VersionFacts>,
    /// Renditions of the versions whose files may go into the package.
    pub(super) formats: Vec<FormatFacts>,
    pub(super) comments: Vec<CommentFacts>,
    pub(super) shown: Vec<ShownFacts>,
}

/// Whether an asset is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AssetState {
    #[default]
    InUse,
    /// In the recycle bin.
    Recycled,
    /// The index still listed it.
    Gone,
}

/// One version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct VersionFacts {
    pub(super) id: String,
    pub(super) number: Option<i64>,
    pub(super) created: Option<Timestamp>,
    pub(super) created_by: Option<String>,
    /// Its review; nothing when nobody was asked.
    pub(super) review: Option<ReviewFacts>,
}

impl VersionFacts {
    pub(super) fn is_approved(&self) -> bool {
        self.review.as_ref().is_some_and(|review| review.status == "APPROVED")
    }

    /// `v3`, as people say it.
    pub(super) fn label(&self) -> String {
        self.number.map_or_else(|| "its version".to_owned(), |number| format!("v{number}"))
    }
}

/// The review of a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ReviewFacts {
    pub(super) status: String,
    /// Approvals needed.
    pub(super) needed: Option<i64>,
    pub(super) requested_by: Option<String>,
    pub(super) requested: Option<Timestamp>,
    pub(super) changed: Option<Timestamp>,
    pub(super) verdicts: Vec<VerdictFacts>,
}

/// What one reviewer said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct VerdictFacts {
    pub(super) reviewer: String,
    pub(super) reviewer_id: Option<String>,
    pub(super) status: String,
    pub(super) at: Option<Timestamp>,
}

/// A rendition of a version, with its files on each storage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FormatFacts {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) archived: bool,
    pub(super) sets: Vec<SetFacts>,
}

/// The files of a rendition on one storage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SetFacts {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) storage: Option<String>,
    pub(super) folder: String,
    pub(super) archived: bool,
    /// How many files it is said to have.
    pub(super) announced: Option<u64>,
    pub(super) files: Vec<FileFacts>,
}

/// One file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FileFacts {
    pub(super) id: String,
    pub(super) name: String,
    /// The folder, as iconik has it.
    pub(super) folder: String,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) usable: bool,
    /// What kind of storage it is on.
    pub(super) method: String,
    pub(super) size: Option<u64>,
    pub(super) checksum: Option<String>,
    pub(super) modified: Option<Timestamp>,
}

/// A comment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CommentFacts {
    pub(super) id: String,
    pub(super) version: Option<String>,
    /// The comment it answers.
    pub(super) answers: Option<String>,
    pub(super) text: String,
    pub(super) author: String,
    pub(super) author_id: Option<String>,
    pub(super) at: Option<Timestamp>,
    /// Where in the film, in milliseconds.
    pub(super) starts: Option<i64>,
    pub(super) ends: Option<i64>,
    pub(super) resolved: bool,
    pub(super) internal: bool,
    pub(super) drawing: bool,
}

/// Values of a metadata view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ShownFacts {
    pub(super) title: String,
    pub(super) view: String,
    /// Field and values.
    pub(super) fields: Vec<(String, Vec<String>)>,
}
