//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made from
//! them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::{FieldSpec, Located, Lookups};

use crate::intake_rules::HumanSize;

/// Data sets for analysis: which documents of Content Server are exported to S3, which never are, what is said of them,
/// and what may come back as a result.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRulesFile {
    /// The data sets.
    #[serde(default)]
    pub data_set: Vec<DataSetSpec>,
    /// Lookup tables by name, for `lookup` of a field: the value that comes in, and the value that goes out.
    #[serde(default)]
    pub lookups: Lookups,
}

/// One data set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSetSpec {
    /// Its name, by which it is asked for; the first folder of its keys: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The container its documents are in, at any depth, such as `Enterprise:Claims`. A document that was moved out of
    /// it meanwhile is not exported.
    pub within: Located<String>,
    /// How its documents are found. Without it: `"search"`.
    #[serde(default)]
    pub find: Find,
    /// An expression of Content Server's query language that documents must match, such as
    /// `[QLREGION "OTMimeType"] = "application/pdf"`. Only with `find = "search"`.
    pub query: Option<Located<String>>,
    /// Further expressions, each by a name: a request that names one exports what it finds of the data set, and nothing
    /// else.
    #[serde(default)]
    pub queries: BTreeMap<String, Located<String>>,
    /// How many minutes an incremental run looks back behind the last one, for what the search index shows late and for
    /// clocks that differ. Without it: 60.
    pub overlap_minutes: Option<Located<u32>>,
    /// Which versions of a document are exported. Without it: `"newest"`.
    #[serde(default)]
    pub versions: Versions,
    /// The media types exported, such as `application/pdf` or `text/*`. Without it: all.
    pub content_types: Option<Located<Vec<String>>>,
    /// The largest version exported, such as `"200 MiB"`. Without it: `"1 GiB"`.
    pub max_size: Option<HumanSize>,
    /// Whose data set it is: a document is exported only when at least one of these may read its content in Content
    /// Server. Names of groups, `"public"` for what everybody may read, or `"service-user"` for whatever the function's
    /// own user can read.
    pub readable_by: Located<Vec<String>>,
    /// What is never exported. A document of which this cannot be read is not exported either.
    #[serde(default)]
    pub forbid: ForbidSpec,
    /// What the manifest says of each document besides its identity: names, and where the values come from, such as
    /// `category.Claim Evidence.Claim Number`, `node.created` or `version.file_name`.
    #[serde(default)]
    pub fields: Vec<FieldSpec>,
    /// What may come back under `results/<name>/<node>/<version>/`. Without it: nothing.
    #[serde(default)]
    pub results: ResultsSpec,
}

/// How the documents of a data set are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Find {
    /// By searching the index, which shows changes a little late.
    #[default]
    Search,
    /// By listing the container folder by folder: slower, nothing late.
    Walk,
}

/// Which versions of a document are exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Versions {
    /// The newest.
    #[default]
    Newest,
    /// All that are there.
    All,
}

/// What is never exported.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForbidSpec {
    /// Documents with one of these classifications, such as `Classifications:Confidential`.
    #[serde(default)]
    pub classifications: Vec<Located<String>>,
    /// Documents with one of these records management classifications, such as `Records:File Plan/HR-FILES`.
    #[serde(default)]
    pub record_classes: Vec<Located<String>>,
    /// Whether official records are left out.
    #[serde(default)]
    pub official_records: bool,
    /// Whether documents under a hold are left out.
    #[serde(default)]
    pub held: bool,
    /// Documents with one of these category values: a security marking, a consent that is missing.
    #[serde(default)]
    pub value: Vec<ValueSpec>,
}

/// A category value that forbids the export.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueSpec {
    /// The category, such as `Categories:Business/Supplier Submission`.
    pub category: Located<String>,
    /// The name of its attribute.
    pub attribute: Located<String>,
    /// The values that forbid it, as text; `true` and `false` for yes and no. Letters' case does not matter.
    pub one_of: Located<Vec<String>>,
    /// Whether a document without the category or without a value is left out, too. Without it: no.
    #[serde(default)]
    pub or_missing: bool,
}

/// What may come back.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultsSpec {
    /// Values, in a file `*.json` for one document or `*.jsonl` for many, which become values of a category of theirs.
    pub values: Option<ValuesSpec>,
    /// A text, in a file `*.txt`, which becomes a document beside the one it was made from.
    pub text: Option<TextSpec>,
}

/// Values that come back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuesSpec {
    /// The category they are written to, such as `Categories:Integration/Analysis`.
    pub category: Located<String>,
    /// Which values there already are may be replaced. Without it: `"own"`.
    #[serde(default)]
    pub overwrite: Overwrite,
    /// The attributes, and where their values come from, such as `result.summary`.
    pub fields: Vec<FieldSpec>,
}

/// Which values that are there may be replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overwrite {
    /// None.
    Never,
    /// Those that an earlier result wrote and nobody has changed since.
    #[default]
    Own,
    /// All.
    Always,
}

/// A text that comes back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextSpec {
    /// The name of the document it becomes, with placeholders such as `{node.name}`. Without it: `{node.name} - text.txt`.
    pub name: Option<Located<String>>,
    /// The largest text taken. Without it: `"20 MiB"`.
    pub max_size: Option<HumanSize>,
}
