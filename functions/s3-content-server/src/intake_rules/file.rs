//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
pub use shared::filing::file::{
    BusinessObjectSpec, CategorySpec, DocumentSpec, Existing, NameOrId, TargetSpec, Verify, WorkspaceSpec,
};
use shared::mapping::{ConditionSpec, FieldSpec, Located, Lookups, OneOrMany};

use super::{permissions::PermissionTemplateSpec, plan::After, size::HumanSize};

/// Intake rules: which uploaded objects become which documents in Content Server. The first rule that matches an
/// object wins; an object that no rule matches is put aside (`rule.none`).
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
