//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::{filing::file::TargetSpec, mapping::Located};

use crate::filing::Reading;

/// Production rules: which collections of iconik are packaged into Content Server once they are closed, what goes into
/// the package, and what is said about it in iconik afterwards. The first rule that takes a collection wins.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductionRulesFile {
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// One rule: which collections it takes, when one is closed, where its package goes, and what is in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The categories of the collections it takes, such as `["campaign"]`. Without it: any, also none.
    #[serde(default)]
    pub categories: Vec<String>,
    /// The id of the collection below which it takes others, at any depth. Without it: everywhere.
    pub within: Option<Located<String>>,
    /// When a collection is closed.
    pub closed: Located<ClosedSpec>,
    /// Where the package goes; may contain placeholders such as `{collection.title}` or `{metadata.ProductionStatus}`.
    pub target: Located<TargetSpec>,
    /// What goes into the package. A file goes into the first part that takes it.
    #[serde(default)]
    pub part: Vec<PartSpec>,
    /// How often a file is read. Without it: `"twice"`, and no document is made unless both readings agree.
    #[serde(default)]
    pub reading: Reading,
    /// Whose comments go into the package: those on `"all-versions"` of an asset, on the `"filed-version"` alone, or
    /// `"none"`. Without it: `"all-versions"`.
    #[serde(default)]
    pub comments: Comments,
    /// Metadata that the summary shows, of the collection and of every asset in the package.
    #[serde(default)]
    pub shown: Vec<ShownSpec>,
    /// What becomes of an asset in the recycle bin: `"leave-out"` (the summary names it) or `"hold"` (the package waits
    /// until it is restored, taken out of the collection, or purged). Without it: `"leave-out"`.
    #[serde(default)]
    pub recycled: Recycled,
    /// When a package that waits is looked at again, and when somebody is told.
    #[serde(default)]
    pub held: HeldSpec,
    /// What is said in iconik.
    #[serde(default)]
    pub told: ToldSpec,
    /// The archive state that iconik shows afterwards: `"none"` (nothing is changed) or `"assets"` (every asset with a
    /// file in the package is shown as archived; no file is moved in iconik). Without it: `"none"`.
    #[serde(default)]
    pub archive_state: ArchiveStateName,
}

/// A metadata field of the collection says that it is closed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosedSpec {
    /// The id of the metadata view, such as `8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02`.
    pub view: Located<String>,
    /// The name of the field (its key, not its label).
    pub field: Located<String>,
    /// The values that mean closed.
    pub values: Located<Vec<String>>,
    /// A field of the same view that tells one closing from the next, such as the day. Without it, a collection has to be
    /// seen open before it can be closed again.
    pub revision_field: Option<Located<String>>,
}

/// One part of the package: its folder, and the files in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// The name of its folder, such as `Masters`.
    pub folder: Located<String>,
    /// What the summary calls it, such as `Final masters`. Without it: as its folder.
    pub title: Option<String>,
    /// The categories of the assets whose files it takes. Without it: any.
    #[serde(default)]
    pub categories: Vec<String>,
    /// The types of these assets, in iconik's words: `ASSET`, `SEQUENCE`, `NLE_PROJECT`, `CUSTOM`. Without it: any.
    #[serde(default)]
    pub kinds: Option<Located<Vec<String>>>,
    /// The names of the formats, such as `["ORIGINAL"]`. Without it: any.
    #[serde(default)]
    pub formats: Vec<String>,
    /// The endings of the files' names, such as `["edl", "aaf"]`. Without it: any.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Which version's files, and whether it has to be approved: `"current"`, `"approved"` (the current version, which
    /// holds the package while it is not approved) or `"newest-approved"`. Without it: `"current"`.
    #[serde(default)]
    pub version: VersionName,
    /// Whether each asset it takes must have a file in it; one that has none holds the package. Without it: yes.
    #[serde(default = "yes")]
    pub every_asset: bool,
    /// How many assets must have a file in it at least. Without it: none.
    #[serde(default)]
    pub at_least: usize,
    /// What becomes of a file that is missing or unfinished: `"hold"` (the package waits) or `"list"` (the summary
    /// names it). Without it: `"hold"`.
    #[serde(default)]
    pub missing: MissingName,
}

const fn yes() -> bool {
    true
}

/// Which version's files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionName {
    /// The current one.
    #[default]
    Current,
    /// The current one, which must be approved.
    Approved,
    /// The newest that is approved.
    NewestApproved,
}

/// What becomes of a file that is missing or unfinished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingName {
    /// The package waits.
    #[default]
    Hold,
    /// The summary names it.
    List,
}

/// Whose comments go into the package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comments {
    /// Those on every version.
    #[default]
    AllVersions,
    /// Those on the version whose files are in the package.
    FiledVersion,
    /// None.
    None,
}

/// What becomes of an asset in the recycle bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recycled {
    /// The summary names it.
    #[default]
    LeaveOut,
    /// The package waits.
    Hold,
}

/// Metadata that the summary shows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownSpec {
    /// The id of the metadata view.
    pub view: Located<String>,
    /// What the summary calls it.
    pub title: String,
    /// The fields, in order. Without it: all that have values.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// When a package that waits is looked at again, and when somebody is told.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeldSpec {
    /// After how many minutes it is looked at again.
    #[schemars(range(min = 1, max = 10080))]
    pub look_again_minutes: u32,
    /// After how many hours of waiting it is put aside with its list, which raises an alarm. It is looked at again when
    /// somebody asks for it, or when something in the collection changes.
    #[schemars(range(min = 0, max = 2160))]
    pub report_after_hours: u32,
}

impl Default for HeldSpec {
    fn default() -> Self {
        Self { look_again_minutes: 60, report_after_hours: 72 }
    }
}

/// What is said in iconik.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldSpec {
    /// The id of the metadata view of the collection that has the fields below.
    pub view: Option<Located<String>>,
    /// The field that says how the package stands.
    pub state_field: Option<Located<String>>,
    /// What it says while the package is made. Without it: nothing is written then.
    pub packing: Option<String>,
    /// What it says while the package waits for files. Without it: nothing is written then.
    pub held: Option<String>,
    /// What it says once the package is complete. Without it: `archived`.
    pub archived: Option<String>,
    /// The field that holds the number of the package's folder or workspace in Content Server.
    pub node_field: Option<Located<String>>,
    /// Whether the history of every asset in the package says so. Without it: no.
    #[serde(default)]
    pub history: bool,
}

/// The archive state that iconik shows afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveStateName {
    /// As before.
    #[default]
    None,
    /// Every asset with a file in the package is shown as archived.
    Assets,
}
