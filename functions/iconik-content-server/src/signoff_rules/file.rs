//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::{ConditionSpec, Duration, Located};

/// Sign-off rules: which approved versions of iconik are signed off in Content Server, by which workflow, and how iconik
/// shows how that goes. The first rule whose conditions hold takes an asset; an asset that no rule takes needs no sign-off.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignoffRulesFile {
    /// How iconik shows the sign-off of an asset.
    pub shown: ShownSpec,
    /// Metadata views of iconik that rules read, by a name of yours: `campaign = "8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02"`
    /// makes the field `Project` of that view `campaign.Project`.
    #[serde(default)]
    pub views: BTreeMap<String, Located<String>>,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// How iconik shows the sign-off of an asset: fields of one metadata view. A field that is not named is not written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownSpec {
    /// The id of the view. It has every field named below, and the service user may write them.
    pub view: Located<String>,
    /// The field with the state of the asset.
    pub state: Option<Located<String>>,
    /// The field with the step that the workflow is in; it is cleared when the workflow has ended.
    pub step: Option<Located<String>>,
    /// The field with the decision; it is cleared when a sign-off begins.
    pub decision: Option<Located<String>>,
    /// The field with the names of the people who decided; it is cleared when a sign-off begins.
    pub decided_by: Option<Located<String>>,
    /// The words for states and decisions, where the fields are lists of options that have others.
    #[serde(default)]
    pub words: WordsSpec,
}

/// The words for states and decisions.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WordsSpec {
    /// The state while the workflow runs. Without it: `in_signoff`.
    pub in_signoff: Option<Located<String>>,
    /// The state after an approval. Without it: `signed_off`.
    pub signed_off: Option<Located<String>>,
    /// The state after a rejection. Without it: `rejected`.
    pub refused: Option<Located<String>>,
    /// The state after a sign-off that ended without a decision. Without it: `not_signed_off`.
    pub undecided: Option<Located<String>>,
    /// The decision that approves. Without it: `approved`.
    pub approved: Option<Located<String>>,
    /// The decision that rejects. Without it: `rejected`.
    pub rejected: Option<Located<String>>,
    /// What stands for the decision when the review was withdrawn, or a newer version took its place. Without it:
    /// `withdrawn`.
    pub withdrawn: Option<Located<String>>,
    /// What stands for the decision when somebody ended the workflow before its last step, or deleted it. Without it:
    /// `stopped`.
    pub stopped: Option<Located<String>>,
}

/// One rule: the assets it takes, their workflow, and what counts as approval.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs, reasons and the audit: lower-case letters, digits and `-`. Keep it as long as its
    /// workflows run.
    pub name: Located<String>,
    /// What must hold of the asset, such as `{ field = "asset.category", is = "campaign" }`; all of it. Without any, the
    /// rule takes every asset.
    #[serde(default)]
    pub when: Vec<ConditionSpec>,
    /// The workflow.
    pub workflow: WorkflowSpec,
    /// The document that is signed off. Without it the workflow has no attachments.
    pub document: Option<DocumentSpec>,
    /// What counts as approval.
    pub decision: DecisionSpec,
}

/// The workflow of an approved version.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowSpec {
    /// The workflow map, such as `Enterprise:Workflow Maps/Document Review`.
    pub map: Located<String>,
    /// The title, such as `Sign-off of {asset.title}, version {version.number}`. A mark comes behind it.
    pub title: Located<String>,
    /// Attributes by the label on the map's form, such as `Campaign = "{campaign.Campaign}"`.
    #[serde(default)]
    pub attributes: BTreeMap<String, Located<String>>,
}

/// The document that is signed off: the one that the version was filed as.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentSpec {
    /// The number of the document, such as `{governance.ContentServerNode}`.
    pub node: Located<String>,
    /// The id of the version of the asset that is filed there, such as `{governance.FiledVersion}`. With it, a document that
    /// holds another version is waited for like one that is missing.
    pub holds: Option<Located<String>>,
    /// How long it is waited for until the version is filed. After that the approval is put aside. Without it: `"4 hours"`.
    pub wait: Option<Duration>,
}

/// What counts as approval.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionSpec {
    /// The names of the steps in which it is decided. All of them have to approve; one that does not rejects.
    pub steps: Located<Vec<String>>,
    /// The dispositions of those steps that approve, such as `["Approve"]`. Whatever else a step ended with rejects.
    pub approved: Located<Vec<String>>,
}
