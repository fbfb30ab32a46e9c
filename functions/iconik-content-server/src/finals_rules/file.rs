//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made from
//! them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::{
    filing::{
        file::{CategorySpec, DocumentSpec, Existing, NameOrId, TargetSpec, Verify},
        permissions::PermissionTemplateSpec,
    },
    mapping::{ConditionSpec, Duration, Located, Lookups},
};

use crate::filing::Reading;

/// Finals rules: which approved assets become which documents in Content Server. The first rule that matches an asset
/// wins; an asset that no rule matches is skipped.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinalsRulesFile {
    /// Metadata views by a name of your own, each with its id in iconik. Their fields are read as `<name>.<field>`.
    #[serde(default)]
    pub views: BTreeMap<String, Located<String>>,
    /// Where iconik is told what was filed.
    pub shown: ShownSpec,
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

/// Where iconik is told what was filed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownSpec {
    /// The id of the metadata view these fields are in.
    pub view: Located<String>,
    /// The field that gets the node id of the first document.
    pub node: Located<String>,
    /// The field that gets the state.
    pub state: Located<String>,
    /// The field that gets an address of the document, as `link` says. Without it: none.
    pub link_field: Option<Located<String>>,
    /// The address of a document, with `{node}` in it, such as `https://ecm.example.com/otcs/cs.exe/app/nodes/{node}`.
    pub link: Option<Located<String>>,
    /// The word for: everything that the rule names is filed. Without it: `filed`.
    pub filed: Option<Located<String>>,
    /// The word for: something could not be filed. Without it: `incomplete`.
    pub incomplete: Option<Located<String>>,
}

/// One rule: which assets it takes, and what becomes of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// Conditions that must all hold.
    #[serde(default)]
    pub when: Vec<ConditionSpec>,
    /// What is filed of the approved version, in this order. The first document's id is shown in iconik.
    pub content: Vec<ContentSpec>,
    /// Where the documents go.
    pub target: Located<TargetSpec>,
    /// What happens when a document of that name is already there. Without it: `"skip-if-same"`. A document that was not
    /// made of the same asset and format never gets a version: then the name is in the way, unless both are kept.
    #[serde(default)]
    pub existing: Existing,
    /// The categories the documents get, with their attributes.
    #[serde(default)]
    pub category: Vec<CategorySpec>,
    /// The name of the permission template the documents get. Without it: the permissions of their folder.
    pub permissions: Option<Located<String>>,
    /// The records management classification the documents get: its path below the classification volume, or its id.
    pub classification: Option<Located<NameOrId>>,
    /// How long files that are still being written are waited for. Without it: `"6 hours"`.
    pub patience: Option<Duration>,
    /// The most files of one version. Without it: 500.
    pub max_files: Option<Located<usize>>,
    /// How often a file is read. Without it: `"twice"`, and no document is made unless both readings agree.
    #[serde(default)]
    pub reading: Reading,
    /// How a document is compared with its file afterwards. Without it: `"read-back"`.
    #[serde(default)]
    pub verify: Verify,
}

/// What is filed of a version. Exactly one of `format`, `proxy` and `poster`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentSpec {
    /// The files of the format with this name, such as `ORIGINAL`.
    pub format: Option<Located<String>>,
    /// The web previews.
    pub proxy: Option<Located<bool>>,
    /// The picture that stands for the whole.
    pub poster: Option<Located<bool>>,
    /// Whether there must be one. Without it: yes for a format, no for previews and posters.
    pub required: Option<bool>,
    /// What the documents are called. Without it: `{media.name}`.
    #[serde(default)]
    pub document: DocumentSpec,
}
