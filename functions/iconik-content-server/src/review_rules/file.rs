//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::{ConditionSpec, Located};

/// Review rules: which assets are regulated, where their evidence is kept, and what each side is told of the other. The first
/// rule whose conditions hold takes an asset; an asset that no rule takes is left alone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRulesFile {
    /// Where an asset says which document of Content Server it was filed as.
    pub document: DocumentSpec,
    /// Metadata views of iconik that rules read, by a name of yours: `healthcare = "8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02"`
    /// makes the field `Product` of that view `healthcare.Product`.
    #[serde(default)]
    pub views: BTreeMap<String, Located<String>>,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// Where an asset says which document of Content Server it was filed as.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentSpec {
    /// The id of the view.
    pub view: Located<String>,
    /// The field with the number of the document.
    pub field: Located<String>,
}

/// One rule: the assets it takes and what is exchanged of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs, reasons and the audit: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// What must hold of the asset, such as `{ field = "asset.category", is = "healthcare" }`; all of it.
    #[serde(default)]
    pub when: Vec<ConditionSpec>,
    /// The folder of Content Server in which the evidence is kept, such as `Enterprise:Review Evidence`. Without it: the
    /// folder of the asset's document.
    pub evidence: Option<Located<String>>,
    /// What the document is told of the review.
    pub to_content_server: Option<ToContentServerSpec>,
    /// What the asset is told of the document.
    pub to_iconik: Option<ToIconikSpec>,
}

/// What the document is told of the review: attributes of one category. An attribute that is not named is not written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToContentServerSpec {
    /// The category, such as `Categories:Business/Review`.
    pub category: Located<String>,
    /// The attribute with where the review stands.
    pub status: Option<Located<String>>,
    /// The attribute with the names of those who approved.
    pub approved_by: Option<Located<String>>,
    /// The attribute with when the review changed last.
    pub changed: Option<Located<String>>,
    /// The attribute with the number of the version that was reviewed.
    pub version: Option<Located<String>>,
    /// The attribute with how many comments nobody has seen to.
    pub open_comments: Option<Located<String>>,
    /// What iconik's words are called there, such as `{ APPROVED = "Approved" }`. A word that is not named stays as it is.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
}

/// What the asset is told of the document, as metadata, comment and history, under the name of who decided.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToIconikSpec {
    /// The category that is read.
    pub category: Located<String>,
    /// The attribute with the state of the document.
    pub status: Located<String>,
    /// The attribute with who decided: a user or a text.
    pub decided_by: Option<Located<String>>,
    /// The attribute with when.
    pub decided: Option<Located<String>>,
    /// The attribute with what was said.
    pub remark: Option<Located<String>>,
    /// The id of the metadata view that is written.
    pub view: Located<String>,
    /// The field with the state.
    pub status_field: Option<Located<String>>,
    /// The field with who decided.
    pub decided_by_field: Option<Located<String>>,
    /// What Content Server's words are called there, such as `{ Approved = "approved" }`. A word that is not named stays as
    /// it is.
    #[serde(default)]
    pub words: BTreeMap<String, String>,
    /// Whether a comment says it too. Without it: true.
    pub comment: Option<bool>,
}
