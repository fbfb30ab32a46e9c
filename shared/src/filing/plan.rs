//! What rules make of a content: everything resolved, ready to be carried out against Content Server.

use serde::Serialize;

use super::{
    file::{Existing, NameOrId},
    permissions::PermissionPlan,
};
use crate::mapping::Mapped;

/// The document that is to be made of a content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilingPlan {
    /// Where it goes.
    pub target: Target,
    /// What it is called.
    pub document: DocumentPlan,
    /// What happens when a document of that name is already there.
    pub existing: Existing,
    /// Its categories.
    pub categories: Vec<CategoryPlan>,
    /// Its permissions, when the rule sets them.
    pub permissions: Option<PermissionPlan>,
    /// Its records management classification.
    pub classification: Option<Reference>,
}

/// Where a document goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A folder.
    Folder {
        /// The folder.
        path: NodePath,
        /// Whether missing folders are created.
        create: bool,
    },
    /// A business workspace.
    Workspace(WorkspaceTarget),
}

/// A node by its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodePath {
    /// Where the path begins.
    pub root: Root,
    /// The names of the path, from the top.
    pub names: Vec<String>,
}

impl std::fmt::Display for NodePath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.root {
            Root::Enterprise => write!(formatter, "Enterprise:{}", self.names.join("/")),
            Root::Node(id) => write!(formatter, "{id}:{}", self.names.join("/")),
        }
    }
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    /// The enterprise workspace.
    Enterprise,
    /// A node by its id.
    Node(u64),
}

/// A business workspace, and the place inside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkspaceTarget {
    /// The name of the workspace type.
    pub workspace_type: String,
    /// The business object it belongs to.
    pub business_object: Option<BusinessObject>,
    /// Its name.
    pub name: Option<String>,
    /// The template to create it from.
    pub template: Option<Reference>,
    /// Whether it is created when it is missing.
    pub create: bool,
    /// Where it is created.
    pub location: Option<NodePath>,
    /// The folders inside it, from the top; none for the workspace itself.
    pub folder: Vec<String>,
}

/// A business object of a connected system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusinessObject {
    /// The external system.
    pub system: String,
    /// The type.
    pub object_type: String,
    /// The id.
    pub id: String,
}

/// What a document is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentPlan {
    /// Its name, not yet fitted to the rules of the target.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
}

/// A node by id, or by name or path below the volume it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// The node id.
    Id(u64),
    /// The names of the path, from the top; a single one is a name.
    Path(Vec<String>),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(formatter, "node {id}"),
            Self::Path(names) => formatter.write_str(&names.join("/")),
        }
    }
}

impl From<&NameOrId> for Reference {
    fn from(value: &NameOrId) -> Self {
        match value {
            NameOrId::Id(id) => Self::Id(*id),
            NameOrId::Name(name) => Self::Path(vec![name.clone()]),
        }
    }
}

/// A category with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryPlan {
    /// The category, below the categories volume.
    pub category: Reference,
    /// Its values, by the names of the attributes.
    #[serde(flatten)]
    pub values: Mapped,
}
