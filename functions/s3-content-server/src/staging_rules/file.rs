//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::Located;

use crate::intake_rules::HumanSize;

/// Staging rules: which uploads become attachments of which workflow, and what becomes of the workflow's decision. The
/// first rule whose key pattern fits an upload wins.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StagingRulesFile {
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// One rule: the uploads it takes, the workflow they belong to, how they are attached, and what comes out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs, reasons and marks: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The key pattern, such as `contracts/{contract}/{name}`. A capture matches within one part of the key.
    pub key: Located<String>,
    /// Regular expressions that captures must match as a whole.
    #[serde(default)]
    pub captures: BTreeMap<String, Located<String>>,
    /// The largest upload that is taken. Without it: `"50 GiB"`.
    pub max_size: Option<HumanSize>,
    /// The workflow an upload belongs to.
    pub workflow: WorkflowSpec,
    /// How the upload is attached. Without it: the document itself.
    #[serde(default)]
    pub attachment: AttachmentSpec,
    /// What counts as approval.
    pub decision: DecisionSpec,
    /// Where the output goes.
    pub output: OutputSpec,
}

/// The workflow an upload belongs to: uploads with the same title belong to the same workflow.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowSpec {
    /// The workflow map, such as `Enterprise:Workflow Maps/Document Review`.
    pub map: Located<String>,
    /// The title, such as `Review of contract {capture.contract}`. A running workflow of this title takes the upload;
    /// one that is started gets it, with a mark behind it.
    pub title: Located<String>,
    /// Whether a workflow is started when none is running. Without it: `true`.
    pub start: Option<bool>,
    /// Attributes of a started workflow by the label on its form, such as `Reason = "New draft"`.
    #[serde(default)]
    pub attributes: BTreeMap<String, Located<String>>,
}

/// How an upload is attached.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentSpec {
    /// `"document"` (default): the document itself. `"shortcut"`: a shortcut to a document elsewhere in Content Server,
    /// see `folder` and `original`. `"reference"`: a small document that says where the object is; its content stays
    /// in S3.
    #[serde(rename = "as")]
    pub form: Option<Located<Form>>,
    /// The attachment's name. Without it: `{object.name}`.
    pub name: Option<Located<String>>,
    /// For `"shortcut"`: the folder the upload is filed in, such as `Enterprise:Contracts/{capture.contract}`; it is made
    /// when it is missing.
    pub folder: Option<Located<String>>,
    /// For `"shortcut"`: the number of a document that is in Content Server already, such as `{tag.waybill-node}`. Its
    /// newest version must have the content of the upload.
    pub original: Option<Located<String>>,
}

/// How an upload is attached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The document itself.
    #[default]
    Document,
    /// A shortcut to a document elsewhere.
    Shortcut,
    /// A small document that says where the object is.
    Reference,
}

/// What counts as approval. Whatever else a step ended with is a rejection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionSpec {
    /// The name of the step in which it is decided.
    pub step: Located<String>,
    /// The dispositions of that step that approve, such as `["Approve"]`.
    pub approved: Located<Vec<String>>,
}

/// Where the output of an approved workflow goes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// The bucket. Without it: the one the function was deployed with.
    pub bucket: Option<Located<String>>,
    /// The beginning of every key, ending with `/`, used by nothing else.
    pub prefix: Located<String>,
    /// The folder of one workflow below the prefix, such as `{capture.contract}`; it has to hold every value that the
    /// title holds. Without it: the title.
    pub folder: Option<Located<String>>,
    /// Which documents. Without it: `"staged"`.
    #[serde(default)]
    pub contents: Contents,
}

/// Which documents of a workflow go out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Contents {
    /// Those that came in through this flow, as they are now.
    #[default]
    Staged,
    /// The final package: every document attached to the workflow.
    All,
}
