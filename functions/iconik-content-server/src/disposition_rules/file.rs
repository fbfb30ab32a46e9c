//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use shared::mapping::{Duration, Located};

/// Disposition rules: which status of an asset in iconik asks for a decision in Content Server, how that is asked for,
/// and what each decision does. The first rule whose statuses hold the asset's wins.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DispositionRulesFile {
    /// Where iconik says the status, and where it is told what became of it.
    pub iconik: IconikSpec,
    /// Where certificates of destruction go.
    pub certificates: CertificatesSpec,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// What the keys of a table may be, for editors.
fn keys<K: JsonSchema>() -> serde_json::Value {
    K::json_schema(&mut SchemaGenerator::default()).to_value()
}

/// Where iconik says the status, and where it is told what became of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IconikSpec {
    /// The id of the metadata view, such as `8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02`. It has every field named below.
    pub view: Located<String>,
    /// The field with the asset's status, such as `AssetStatus`.
    pub status: Located<String>,
    /// The field that gets the outcome: `retain`, `archive` or `destroy`, unless `outcomes` says otherwise.
    pub outcome: Located<String>,
    /// The field that gets how far it has come, as `states` says. Without it nothing is said of that.
    pub state: Option<Located<String>>,
    /// The field with the number of the document in Content Server, such as `ContentServerNode`: for assets that were filed
    /// by others than Waybill. Without it only what Waybill filed has a document.
    pub node: Option<Located<String>>,
    /// The field, yes or no, that says whether a hold is in the way. Without it nothing is said of that.
    pub hold: Option<Located<String>>,
    /// The values of the outcome, where they are not `retain`, `archive` and `destroy`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = keys::<OutcomeName>()))]
    pub outcomes: BTreeMap<OutcomeName, Located<String>>,
    /// The values of the state. A state without a value is not told.
    #[serde(default)]
    #[schemars(extend("propertyNames" = keys::<StateName>()))]
    pub states: BTreeMap<StateName, Located<String>>,
}

/// Where certificates of destruction go.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificatesSpec {
    /// The folder in Content Server, such as `Enterprise:Certificates of Destruction`. What is missing of it is made,
    /// but for its first name.
    pub folder: Located<String>,
    /// The records management classification of a certificate, such as `Records:File Plan/CERTIFICATES`.
    /// Without it a certificate has none.
    pub class: Option<Located<String>>,
}

/// One rule: the statuses it is for, what is asked for, and what a decision does.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs, reasons and certificates: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The statuses that ask for a decision, such as `["obsolete", "superseded"]`.
    pub status: Located<Vec<String>>,
    /// Only assets of these categories of iconik. Without it: all.
    #[serde(default)]
    pub category: Vec<Located<String>>,
    /// What becomes of the record when a decision is asked for. Without it: nothing.
    pub record: Option<RecordSpec>,
    /// What is done when a document that was filed of the asset cannot be seen in Content Server any more, which does not
    /// say whether it is deleted or hidden. Without it: `"stop"`.
    #[serde(default)]
    pub missing_documents: MissingName,
    /// How the decision is asked for.
    pub review: ReviewSpec,
    /// What a decision does. Without it a decision is told and nothing more.
    #[serde(default)]
    pub outcome: OutcomeSpec,
}

/// What becomes of the record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSpec {
    /// The status code it gets when a decision is asked for, such as `"INACTIVE"`. Retention stages that count from the
    /// status begin with it.
    pub status: Located<String>,
    /// The status code it gets back when it is to be retained. Without it: it keeps the one above.
    pub retained: Option<Located<String>>,
    /// The records management classification of a document that has none, such as
    /// `Records:File Plan/CAMPAIGNS`. Without it such a document is put aside.
    pub class: Option<Located<String>>,
}

/// How the decision is asked for: by a workflow (`map`, `title`, `step`), or by a category that records managers fill in
/// (`category`, `asked_for`, `decision`).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewSpec {
    /// The workflow map, such as `Enterprise:Workflow Maps/Disposition Review`.
    pub map: Option<Located<String>>,
    /// The workflow's title, such as `Disposition of {asset.title}`; a mark is put behind it. It may read `asset.id`,
    /// `asset.title`, `asset.category` and `asset.status`.
    pub title: Option<Located<String>>,
    /// Attributes of the workflow by the label on its form, with the same placeholders.
    #[serde(default)]
    pub attributes: BTreeMap<String, Located<String>>,
    /// The step in which it is decided.
    pub step: Option<Located<String>>,
    /// The category, such as `Categories:Records/Disposition`. A document that lacks it gets it.
    pub category: Option<Located<String>>,
    /// The attribute that holds the decision once there is one.
    pub decision: Option<Located<String>>,
    /// The attribute that gets the status for which the decision is asked, and which of the asset's statuses it is:
    /// `obsolete (3)`. A decision counts only beside its own.
    pub asked_for: Option<Located<String>>,
    /// The attribute in which people say who decided, for the certificate. Without it: none.
    pub decided_by: Option<Located<String>>,
    /// The words of each decision: dispositions of the step, or values of the attribute. What is not named here is no
    /// decision.
    #[schemars(extend("propertyNames" = keys::<OutcomeName>()))]
    pub decisions: BTreeMap<OutcomeName, Located<Vec<String>>>,
}

/// What a decision does. Whatever is said here, nothing is archived or destroyed under a hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeSpec {
    /// Names of the formats that `archive` has iconik move to its archive, such as `["ORIGINAL"]`. Without it: none.
    #[serde(default)]
    pub archive_formats: Vec<Located<String>>,
    /// Whether iconik removes the files from where they were, once they are archived. Without it: `false`.
    #[serde(default)]
    pub remove_archived: bool,
    /// How long iconik may take to archive before somebody is told that it does not end. Without it: `"2 days"`.
    pub archive_within: Option<Duration>,
    /// What `destroy` removes. Without it: `"nothing"`; people do it themselves.
    #[serde(default)]
    pub destroy: DestroyName,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeName {
    /// It stays as it is.
    Retain,
    /// It goes into the archive.
    Archive,
    /// It is destroyed.
    Destroy,
}

/// How far a disposition has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// A hold is in the way.
    Held,
    /// It is being decided.
    InReview,
    /// It stays.
    Retained,
    /// It was decided to archive it, and iconik is at it.
    Archiving,
    /// iconik says that it is archived.
    Archived,
    /// It is destroyed, or about to be.
    Destroyed,
    /// The asset's status changed before it was decided.
    Withdrawn,
}

/// What is done about a document that cannot be seen any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingName {
    /// Nothing goes on: it may be hidden, and a hold may be on it.
    #[default]
    Stop,
    /// It is left out. Only where the service user sees every document, held ones too.
    LeaveOut,
}

/// What `destroy` removes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DestroyName {
    /// Nothing: people do it themselves, and no certificate is written.
    #[default]
    Nothing,
    /// The asset in iconik, by its recycle bin. The documents in Content Server are left to its own disposition.
    Asset,
    /// The asset, and the documents in Content Server that were made of it, by its recycle bin.
    AssetAndDocuments,
}
