//! The words of rule files for filing a content as a document. The comments here are the descriptions editors show (the
//! JSON Schemas are made from them), so they speak to the person who writes rules.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::mapping::{FieldSpec, Located, RowsSpec};

/// What happens when a document of that name is already there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// The same bytes change nothing; other bytes become a new version.
    #[default]
    SkipIfSame,
    /// The bytes always become a new version.
    NewVersion,
    /// The bytes become a document of their own, with a number added to the name.
    KeepBoth,
}

/// Where the document goes: a folder or a business workspace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// The folder: a volume or a node id, a colon, and the path below it, such as
    /// `Enterprise:Claims/{capture.claim_id}`. `{capture.rest...}` as a whole step keeps the folders of the key.
    pub folder: Option<Located<String>>,
    /// Whether missing folders are created. Without it: no.
    #[serde(default)]
    pub create: bool,
    /// The business workspace.
    pub workspace: Option<Located<WorkspaceSpec>>,
}

/// A business workspace, found by its business object or by its name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceSpec {
    /// The name of the workspace type.
    #[serde(rename = "type")]
    pub kind: Located<String>,
    /// The business object it belongs to.
    pub business_object: Option<BusinessObjectSpec>,
    /// Its name; may contain placeholders. Needed to find it when there is no business object.
    pub name: Option<Located<String>>,
    /// The template to create it from: its name or id. Without it: the first template of the type.
    pub template: Option<Located<NameOrId>>,
    /// Whether it is created when it is missing. Without it: no.
    #[serde(default)]
    pub create: bool,
    /// Where it is created, such as `Enterprise:Claims`. Without it: where its type says.
    pub location: Option<Located<String>>,
    /// The folder inside it. Without it: its top.
    pub folder: Option<Located<String>>,
}

/// A business object of a connected system.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessObjectSpec {
    /// The external system, as Content Server knows it.
    pub system: Located<String>,
    /// The type of the business object.
    #[serde(rename = "type")]
    pub kind: Located<String>,
    /// Its id; may contain placeholders.
    pub id: Located<String>,
}

/// What the document is called.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentSpec {
    /// Its name; may contain placeholders. Without it: `{object.name}`.
    pub name: Option<Located<String>>,
    /// Its description; may contain placeholders.
    pub description: Option<Located<String>>,
}

/// A category with its attributes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategorySpec {
    /// Its path below the categories volume, such as `Claims/Claim Evidence`.
    pub path: Option<Located<String>>,
    /// Its node id, instead of `path`.
    pub id: Option<Located<u64>>,
    /// Its attributes.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// Its sets, with their rows.
    #[serde(default)]
    pub rows: Vec<RowsSpec>,
}

/// A name, or a node id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum NameOrId {
    /// The node id.
    Id(u64),
    /// The name or path.
    Name(String),
}

/// How the document is compared with the object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// It is read back, and its SHA-256 is compared.
    #[default]
    ReadBack,
    /// The size Content Server reports is compared.
    Size,
}
