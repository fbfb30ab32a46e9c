//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::mapping::Located;

use crate::{rule_words::ClassName, version_copy::Reading};

/// Replica rules: which content sets of Content Server have a verified replica, and where. The first rule that takes a
/// document wins; a document that no rule takes is not replicated.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicaRulesFile {
    /// The rules, in the order they are tried. Each is a content set.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// One content set: what belongs to it, where its replica is, and how it is restored.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The name of the set, used in requests, logs and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The container of the set, with everything below it, such as `Enterprise:Claims`. Its folders belong to it too.
    pub within: Located<String>,
    /// The media types of the documents that belong to it, such as `application/pdf` or `image/*`. Without it: all.
    pub content_types: Option<Located<Vec<String>>>,
    /// The category a document must have, such as `Categories:Business/Claim Evidence`. Without it: any or none.
    pub with_category: Option<Located<String>>,
    /// The bucket of the replica. Without it: the one the function was deployed with.
    pub bucket: Option<Located<String>>,
    /// The Region of `bucket`, such as `"eu-west-1"`. Without it: the one the function was deployed with.
    pub region: Option<Located<String>>,
    /// The beginning of every key, ending with `/`. One prefix belongs to one set of one Content Server and to nothing
    /// else.
    pub prefix: Located<String>,
    /// The storage class of the contents, one that is read at once. Without it: `"STANDARD"`.
    pub storage_class: Option<Located<ClassName>>,
    /// How a copy is verified. Without it: `"twice"`.
    #[serde(default)]
    pub reading: Reading,
    /// The container that restores go into when the request names none. Each restore makes a folder of its own in it.
    pub restore_into: Located<String>,
    /// The container that drills go into. Without it: that of restores.
    pub drill_into: Option<Located<String>>,
    /// How many documents one drill restores, 1 to 50. Without it: 5.
    pub drill_documents: Option<Located<u32>>,
    /// How many things one `verify` looks at before the next goes on with the others. Without it: 1000.
    pub verify_at_once: Option<Located<u32>>,
    /// What rights restored things get. Without it: `"restore"`.
    #[serde(default)]
    pub permissions: Permissions,
    /// What restored things become as records. Without it: `"leave"`.
    #[serde(default)]
    pub records: Records,
}

/// What rights restored things get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permissions {
    /// Those of the original, for every member who still exists; nobody else keeps any. The owner is the service user.
    #[default]
    Restore,
    /// Those of the folder they are restored into.
    Inherit,
}

/// What restored things become as records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Records {
    /// No records.
    #[default]
    Leave,
    /// What the original was: an official record cannot be deleted any more.
    Restore,
}
