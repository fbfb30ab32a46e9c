//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::{ConditionSpec, FieldSpec, Located, Lookups, OneOrMany, RowsSpec};

use super::{permissions::PermissionTemplateSpec, plan::After, size::HumanSize};

/// Intake rules: which uploaded objects become which documents in Content Server. The first rule that matches an
/// object wins; an object that no rule matches is skipped.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntakeRulesFile {
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
    /// Permission lists by name, for `permissions` of a rule.
    #[serde(default)]
    pub permission_templates: BTreeMap<String, PermissionTemplateSpec>,
    /// Lookup tables by name, for `lookup` of a field: the value that comes in, and the value that goes out.
    #[serde(default)]
    pub lookups: Lookups,
}

/// One rule: which objects it takes, and what becomes of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs, tags and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The bucket it applies to: a name, or the end of a name as `*-uploads`. Without it: every bucket.
    pub bucket: Option<Located<String>>,
    /// The pattern of the keys it takes, such as `claims/{claim_id}/{name}`; of a list the first that matches.
    /// `{name}` stands for one part between `/`, `{rest...}` at the end for all that remains.
    pub key: Located<OneOrMany>,
    /// Regular expressions that captures of the key pattern must match as a whole.
    #[serde(default)]
    pub captures: BTreeMap<String, Located<String>>,
    /// Conditions that must all hold.
    #[serde(default)]
    pub when: Vec<ConditionSpec>,
    /// Whether metadata comes in a JSON object beside the upload, `<key>.metadata.json`. Without it: `"ignored"`.
    #[serde(default)]
    pub sidecar: Sidecar,
    /// Where the document goes.
    pub target: Located<TargetSpec>,
    /// What the document is called.
    #[serde(default)]
    pub document: DocumentSpec,
    /// What happens when a document of that name is already there. Without it: `"skip-if-same"`.
    #[serde(default)]
    pub existing: Existing,
    /// The categories the document gets, with their attributes.
    #[serde(default)]
    pub category: Vec<CategorySpec>,
    /// The name of the permission template the document gets. Without it: the permissions of its folder.
    pub permissions: Option<Located<String>>,
    /// The records management classification the document gets: its path below the classification volume, or its id.
    pub classification: Option<Located<NameOrId>>,
    /// The workflow that is started for the document.
    pub review: Option<ReviewSpec>,
    /// What happens to the object once the document is in place and verified. Without it: `"tag"`.
    pub after: Option<Located<After>>,
    /// What is accepted.
    #[serde(default)]
    pub limits: LimitsSpec,
}

/// Whether metadata comes in a JSON object beside the upload.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Sidecar {
    /// It is not read.
    #[default]
    Ignored,
    /// It is read when it is there.
    Optional,
    /// Without it the object is put aside.
    Required,
}

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

/// A workflow that is started for the document.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewSpec {
    /// The workflow map: its name or id.
    pub workflow: Located<NameOrId>,
    /// The title of the workflow; may contain placeholders. Without it: `{object.name}`.
    pub title: Option<Located<String>>,
    /// The attributes of the workflow.
    #[serde(default)]
    pub attributes: Vec<FieldSpec>,
    /// Conditions that must all hold for it to start.
    #[serde(default)]
    pub when: Vec<ConditionSpec>,
}

/// What is accepted. Everything else is put aside with a reason.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// The largest object, such as `"2 GiB"`. Without it: `"50 GiB"`.
    pub max_size: Option<HumanSize>,
    /// Whether objects of 0 bytes are accepted. Without it: no.
    #[serde(default)]
    pub allow_empty: bool,
    /// The media types accepted, such as `application/pdf` or `image/*`. Without it: all.
    pub content_types: Option<Located<Vec<String>>>,
    /// Whether the first bytes must agree with the extension of the name. Without it: yes.
    pub check_content: Option<bool>,
    /// How the document is compared with the object afterwards. Without it: `"read-back"`.
    #[serde(default)]
    pub verify: Verify,
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
