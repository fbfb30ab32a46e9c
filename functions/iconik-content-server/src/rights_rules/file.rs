//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made from
//! them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::{
    filing::{
        file::{CategorySpec, DocumentSpec, NameOrId, Verify},
        permissions::PermissionTemplateSpec,
    },
    mapping::{ConditionSpec, Duration, Located, Lookups},
};

use crate::filing::Reading;

/// Rights rules: what is filed of the rights of approved assets, and who may use their finals as long as the rights last and
/// afterwards. The first rule whose conditions hold takes an asset; an asset that no rule takes is skipped. When no rule
/// takes an asset any more whose rights were filed, they have lapsed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RightsRulesFile {
    /// Metadata views by a name of your own, each with its id in iconik. Their fields are read as `<name>.<field>`: in what
    /// is said of a release those of the release, otherwise those of the asset.
    #[serde(default)]
    pub views: BTreeMap<String, Located<String>>,
    /// Where iconik shows how it stands with the rights of an asset. Without it: only in the asset's history.
    pub shown: Option<ShownSpec>,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
    /// Permission lists by name.
    #[serde(default)]
    pub permission_templates: BTreeMap<String, PermissionTemplateSpec>,
    /// Lookup tables by name, for `lookup` of a field: the value that comes in, and the value that goes out.
    #[serde(default)]
    pub lookups: Lookups,
}

/// Where iconik shows how it stands with the rights: fields of one metadata view, none of which the rules read. A field that
/// is not named is not written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownSpec {
    /// The id of the view.
    pub view: Located<String>,
    /// The field that gets the number of the rights statement in Content Server.
    pub statement: Option<Located<String>>,
    /// The field that gets the state.
    pub state: Option<Located<String>>,
    /// The field, true or false, that is true when rights have lapsed: where the tenant says so, it keeps people from using
    /// the asset.
    pub blocked: Option<Located<String>>,
    /// The field that says what has lapsed; where the tenant says so, it is shown as a banner. It is cleared afterwards.
    pub notice: Option<Located<String>>,
    /// The word for rights that last. Without it: `current`.
    pub current: Option<Located<String>>,
    /// The word for rights that have lapsed. Without it: `lapsed`.
    pub lapsed: Option<Located<String>>,
}

/// One rule: which assets it takes, and what becomes of their rights.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs and reasons: lower-case letters, digits and `-`. Keep it as long as rights that were
    /// filed by it last.
    pub name: Located<String>,
    /// Conditions that must all hold.
    #[serde(default)]
    pub when: Vec<ConditionSpec>,
    /// The folder beside the final media in which rights are filed, such as `Rights`; it is created when it is missing.
    /// Without it: the folder of the final media itself.
    pub folder: Option<Located<String>>,
    /// Where the last day of the asset's own rights is told, such as `rights.ReleaseExpiry`. Without it, or without a value:
    /// they have no end.
    pub expires: Option<Located<String>>,
    /// The rights statement, which is made of metadata.
    pub statement: StatementSpec,
    /// Release documents: assets that are related to the asset.
    #[serde(default)]
    pub release: Vec<ReleaseSpec>,
    /// The final media itself.
    #[serde(rename = "final")]
    pub final_media: FinalSpec,
    /// The workflow that is started when rights lapse, so that somebody has a task. Without it: none.
    pub task: Option<TaskSpec>,
    /// How long the final media, and files of releases that are still being written, are waited for. Without it:
    /// `"6 hours"`.
    pub patience: Option<Duration>,
}

/// The rights statement: a page that people read. Each revision of the rights is a version of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementSpec {
    /// What it is called. Without a name: `{asset.title} rights statement.html`.
    #[serde(default)]
    pub document: DocumentSpec,
    /// What it says, in this order.
    pub fact: Vec<FactSpec>,
    /// The categories it gets, with their attributes.
    #[serde(default)]
    pub category: Vec<CategorySpec>,
    /// The name of the permission template it gets. Without it: the permissions of its folder.
    pub permissions: Option<Located<String>>,
    /// The records management classification it gets, and with it its retention: its path below the classification volume,
    /// or its id.
    pub classification: Option<Located<NameOrId>>,
}

/// One line of the statement.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactSpec {
    /// What people read, such as `Territories`.
    pub label: Located<String>,
    /// Where it is told, such as `rights.Territories`.
    pub from: Located<String>,
    /// Whether there has to be a value. Without it: no.
    #[serde(default)]
    pub required: bool,
}

/// Release documents of one kind: releases, licences.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpec {
    /// The relation type, such as `rights_document`, by which the asset refers to them. What they refer to themselves, and
    /// addresses of assets of the type LINK, are not followed.
    pub relation: Located<String>,
    /// Whether there has to be one. Without it: no.
    #[serde(default)]
    pub required: bool,
    /// The formats whose files are filed. Without it: `["ORIGINAL"]`.
    pub formats: Option<Located<Vec<String>>>,
    /// Where the last day of the release is told, such as `rights.ReleaseExpiry`. Without it, or without a value: it has no
    /// end.
    pub expires: Option<Located<String>>,
    /// Whether a release without a last day is refused. Without it: no.
    #[serde(default)]
    pub expiry_required: bool,
    /// What its documents are called. Without a name: `{asset.title} {media.name}`.
    #[serde(default)]
    pub document: DocumentSpec,
    /// The categories its documents get.
    #[serde(default)]
    pub category: Vec<CategorySpec>,
    /// The name of the permission template its documents get. Without it: the permissions of their folder.
    pub permissions: Option<Located<String>>,
    /// The records management classification its documents get, and with it their retention.
    pub classification: Option<Located<NameOrId>>,
    /// How often a file is read. Without it: `"twice"`, and no document is made unless both readings agree.
    #[serde(default)]
    pub reading: Reading,
    /// How a document is compared with its file afterwards. Without it: `"read-back"`.
    #[serde(default)]
    pub verify: Verify,
}

/// The final media: who may use it, and what it says of its rights.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinalSpec {
    /// Where the number of its document is told, such as `governance.ContentServerNode`, where something else than
    /// `publish-finals` files it. Without it: what `publish-finals` has filed of the version.
    pub node: Option<Located<String>>,
    /// The name of the permission template its documents have while the rights last. Without it: their rights are not
    /// touched until the rights lapse, and not given back afterwards.
    pub access: Option<Located<String>>,
    /// The name of the permission template its documents get when the rights have lapsed.
    pub narrowed: Located<String>,
    /// The categories its documents get. Leave out those that other flows fill.
    #[serde(default)]
    pub category: Vec<CategorySpec>,
}

/// The workflow that gives somebody a task when rights have lapsed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// The workflow map, such as `Enterprise:Workflow Maps/Document Review`.
    pub map: Located<String>,
    /// The title, such as `Renew the rights of {asset.title}`. A mark comes behind it.
    pub title: Located<String>,
    /// Attributes by the label on the map's form, such as `Reason = "{lapsed.text}"`.
    #[serde(default)]
    pub attributes: BTreeMap<String, Located<String>>,
}
