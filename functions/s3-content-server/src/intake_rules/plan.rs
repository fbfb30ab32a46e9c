//! What a rule makes of an object: everything resolved, ready to be carried out against Content Server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use shared::filing::plan::{
    BusinessObject, CategoryPlan, DocumentPlan, NodePath, Reference, Root, Target, WorkspaceTarget,
};
use shared::{filing::FilingPlan, mapping::MappedField};

use super::{
    file::{Existing, Verify},
    permissions::PermissionPlan,
    size::HumanSize,
};

/// The plan for one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IntakePlan {
    /// The name of the rule.
    pub rule: String,
    /// Where the document goes.
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
    /// The workflow to start.
    pub review: Option<ReviewPlan>,
    /// What happens to the object afterwards.
    pub after: After,
    /// What is accepted.
    pub limits: Limits,
}

impl IntakePlan {
    /// The part of it that makes a document.
    pub fn filing(&self) -> FilingPlan {
        FilingPlan {
            target: self.target.clone(),
            document: self.document.clone(),
            existing: self.existing,
            categories: self.categories.clone(),
            permissions: self.permissions.clone(),
            classification: self.classification.clone(),
        }
    }
}

/// A workflow to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewPlan {
    /// The workflow map, by name or id.
    pub workflow: Reference,
    /// The title.
    pub title: String,
    /// The attributes, by name.
    pub attributes: Vec<MappedField>,
}

/// What happens to the object once the document is in place and verified.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// It stays as it is.
    Keep,
    /// It stays, with tags that name the document and its SHA-256.
    Tag,
    /// It moves to this prefix, with its key after it.
    Move(String),
    /// It is deleted.
    Delete,
}

/// What is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The largest object.
    pub max_size: HumanSize,
    /// Whether objects of 0 bytes are accepted.
    pub allow_empty: bool,
    /// The media types accepted; none for all.
    pub content_types: Vec<String>,
    /// Whether the first bytes must agree with the extension.
    pub check_content: bool,
    /// How the document is compared with the object afterwards.
    pub verify: Verify,
}

impl Limits {
    /// The largest object when the rule names none.
    pub const DEFAULT_MAX_SIZE: HumanSize = HumanSize::bytes(50 << 30);

    /// Whether a media type is accepted.
    pub fn accepts(&self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        self.content_types.is_empty()
            || self.content_types.iter().any(|accepted| match accepted.strip_suffix("/*") {
                Some(family) => essence.split_once('/').is_some_and(|(found, _)| found == family),
                None => *accepted == essence,
            })
    }
}
