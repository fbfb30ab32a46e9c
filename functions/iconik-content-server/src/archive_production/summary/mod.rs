//! The summary of a production: what was closed, what is in its package, who approved it, what was said of it. One page
//! for people, one JSON document for machines, both of the same facts.

mod build;
mod html;
mod lists;
#[cfg(test)]
mod tests;
mod text;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::lists::{APPROVALS, Approvals, COMMENTS, CommentedAsset, Comments, ReviewedVersion};
pub(super) use self::{build::Building, html::page, text::plain};

/// The `schema` member of every summary.
pub const SCHEMA: &str = "waybill.production-summary.v1";

/// The summary of a production that was packaged into Content Server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary {
    /// Always `waybill.production-summary.v1`.
    pub schema: String,
    /// The collection of iconik that was closed.
    pub collection: SummaryCollection,
    /// Which closing of it this package belongs to.
    pub closing: Closing,
    /// The name of the rule.
    pub rule: String,
    /// Where the package is in Content Server.
    pub package: Package,
    /// How much there is.
    pub totals: Totals,
    /// Metadata of the collection.
    pub metadata: Vec<Shown>,
    /// The parts of the package, in order.
    pub parts: Vec<PartSummary>,
    /// Every collection in the production, by the titles from the top; the production itself is the first.
    pub collections: Vec<Vec<String>>,
    /// Every asset in the production. Those with files in the package name them.
    pub assets: Vec<AssetSummary>,
    /// Every document of the package with its hash, the page and the lists of approvals and comments among them; not this
    /// document, whose hash is in the audit trail.
    pub documents: Vec<Document>,
    /// What was to be in the package and, by rule, is not.
    pub left_out: Vec<LeftOut>,
}

/// The collection that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SummaryCollection {
    /// Its id in iconik.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its category.
    pub category: Option<String>,
    /// What an outside system calls it.
    pub external_id: Option<String>,
    /// When it was made.
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
}

/// Which closing of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Closing {
    /// Counted from 1: a collection that is opened and closed again has another.
    pub number: u64,
    /// The field that says so.
    pub field: String,
    /// What it says.
    pub value: String,
    /// What tells this closing from others, where a field says that.
    pub revision: Option<String>,
    /// When it was noticed.
    #[schemars(with = "String")]
    pub noticed: Timestamp,
    /// When the package was begun.
    #[schemars(with = "String")]
    pub packaged: Timestamp,
}

/// Where a package is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    /// The folder or workspace in Content Server.
    pub node: i64,
    /// Its name.
    pub name: String,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Totals {
    /// Collections, the production's own among them.
    pub collections: u64,
    /// Assets in them.
    pub assets: u64,
    /// Assets that have files in the package.
    pub packaged_assets: u64,
    /// Files of these.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Comments.
    pub comments: u64,
    /// Verdicts of reviewers.
    pub verdicts: u64,
    /// What was to be in the package and, by rule, is not.
    pub left_out: u64,
}

/// Values of a metadata view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shown {
    /// What the rule calls it.
    pub title: String,
    /// The id of the view.
    pub view: String,
    /// Its fields, in order.
    pub fields: Vec<ShownField>,
}

/// A field with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownField {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// A part of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartSummary {
    /// Its folder.
    pub folder: String,
    /// What it is called.
    pub title: String,
    /// How many files are in it.
    pub files: u64,
    /// And how many bytes.
    pub bytes: u64,
}

/// An asset of the production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssetSummary {
    /// Its id in iconik.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its type, in iconik's word.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its category.
    pub category: Option<String>,
    /// What an outside system calls it.
    pub external_id: Option<String>,
    /// `in-use`, `recycled` or `gone`.
    pub state: String,
    /// Where a link leads.
    pub link: Option<String>,
    /// The asset a subclip is taken from.
    pub original_asset: Option<String>,
    /// The collections it is in, each by the titles from the top.
    pub places: Vec<Vec<String>>,
    /// When it was made.
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// The versions in use, the newest first, each with its review. Of assets that no part takes they are not read.
    pub versions: Vec<VersionSummary>,
    /// Its comments, in the order of time.
    pub comments: Vec<Comment>,
    /// Its metadata.
    pub metadata: Vec<Shown>,
    /// Its files in the package.
    pub files: Vec<FileSummary>,
}

/// A version of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionSummary {
    /// Its id in iconik.
    pub id: String,
    /// Its number.
    pub number: Option<i64>,
    /// When it was made.
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<String>,
    /// Whether files of it are in the package.
    pub packaged: bool,
    /// Its review; none when nobody was asked.
    pub review: Option<Review>,
}

/// The review of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Review {
    /// `REQUESTED`, `APPROVED`, `NOT_APPROVED` or `MIXED`.
    pub status: String,
    /// Approvals needed.
    pub needed: Option<i64>,
    /// Who asked.
    pub requested_by: Option<String>,
    /// When.
    #[schemars(with = "Option<String>")]
    pub requested: Option<Timestamp>,
    /// When it changed last.
    #[schemars(with = "Option<String>")]
    pub changed: Option<Timestamp>,
    /// What each reviewer said. What an integration passed on stands there as said by its own user.
    pub verdicts: Vec<Verdict>,
}

/// What one reviewer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verdict {
    /// The reviewer's name, or the address of somebody outside.
    pub reviewer: String,
    /// The reviewer's id in iconik.
    pub reviewer_id: Option<String>,
    /// What was said.
    pub status: String,
    /// When.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}

/// A comment, as it was written: a page that shows it has to escape it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comment {
    /// Its id in iconik.
    pub id: String,
    /// The version it is about.
    pub version: Option<String>,
    /// The comment it answers.
    pub answers: Option<String>,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub author: String,
    /// The author's id in iconik.
    pub author_id: Option<String>,
    /// When.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Where in the media it begins, in milliseconds.
    pub starts_milliseconds: Option<i64>,
    /// Where it ends.
    pub ends_milliseconds: Option<i64>,
    /// Whether it was dealt with.
    pub resolved: bool,
    /// Whether people outside did not see it.
    pub internal: bool,
    /// Whether there is a drawing with it, which is not in the package.
    pub drawing: bool,
}

/// A file of an asset in the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileSummary {
    /// Where it is in the package.
    pub path: String,
    /// The folder of its part.
    pub part: String,
    /// The id of its version.
    pub version: String,
    /// The name of its format.
    pub format: String,
    /// Its id in iconik.
    pub file: String,
    /// Its name in iconik.
    pub name: String,
    /// When it was changed last.
    #[schemars(with = "Option<String>")]
    pub modified: Option<Timestamp>,
    /// The checksum that iconik states, of a kind that iconik does not.
    pub stated_checksum: Option<String>,
    /// The document in Content Server.
    pub node: i64,
    /// Its version there.
    pub node_version: i64,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256, taken while it was brought, and again from what Content Server holds.
    pub sha256: String,
}

/// A document of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// Where it is in the package.
    pub path: String,
    /// The document in Content Server.
    pub node: i64,
    /// Its version there.
    pub node_version: i64,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// Something that is not in the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeftOut {
    /// The asset's title.
    pub asset: String,
    /// The file's name, where it is about one.
    pub file: Option<String>,
    /// Why, for machines.
    pub code: String,
    /// Why, in words.
    pub what: String,
}

/// The JSON Schema of summaries.
pub fn schema() -> String {
    written(schemars::schema_for!(Summary), "Waybill production summary")
}

/// The JSON Schema of lists of approvals.
pub fn approvals_schema() -> String {
    written(schemars::schema_for!(Approvals), "Waybill production approvals")
}

/// The JSON Schema of lists of comments.
pub fn comments_schema() -> String {
    written(schemars::schema_for!(Comments), "Waybill production comments")
}

fn written(mut schema: schemars::Schema, title: &str) -> String {
    schema.insert("title".to_owned(), title.into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
