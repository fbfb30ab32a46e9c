//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::Located;

/// Link rules: which documents of workspaces in Content Server are shown in the collections of iconik that belong to these
/// workspaces. The first rule that takes a document wins; what no rule takes is not shown, and withdrawn when it was.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRulesFile {
    /// How a workspace says which collections it belongs to, and where links lead.
    pub links: LinksSpec,
    /// What is never shown, whatever the rules say.
    pub confidential: ConfidentialSpec,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// How a workspace says which collections it belongs to, and where links lead.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinksSpec {
    /// How the collections of a workspace are known.
    pub collection: Located<CollectionSpec>,
    /// Where a link leads, with `{node.id}`, such as `https://ecm.example.com/otcs/cs.exe/app/nodes/{node.id}`. Without it: the
    /// address of Content Server that the flow has, and `/app/nodes/{node.id}`.
    pub address: Option<Located<String>>,
}

/// How the collections of a workspace are known.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "by", rename_all = "kebab-case")]
pub enum CollectionSpec {
    /// An attribute of the workspace holds the id of the collection, or several.
    Attribute {
        /// The path of the category, such as `Categories:Business/Production`.
        category: String,
        /// The attribute with the ids, as iconik shows them in the address of a collection.
        attribute: String,
    },
    /// The external id of the collection is the number of the workspace. A collection that was made a moment ago may not be
    /// found yet.
    ExternalId,
}

/// What is never shown. Whatever becomes so is withdrawn, and its title overwritten first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfidentialSpec {
    /// Classifications that a shown document may not have, nor a folder or workspace it is in, such as
    /// `Classifications:Sensitivity/Confidential`. Write `[]` where none is confidential.
    pub classifications: Vec<Located<String>>,
    /// Values that a shown document may not have in a category, nor its workspace.
    #[serde(default)]
    pub attributes: Vec<ValueSpec>,
}

/// Values of an attribute.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueSpec {
    /// The path of the category, such as `Categories:Business/Supplier Submission`.
    pub category: Located<String>,
    /// The attribute; not one inside a set.
    pub attribute: String,
    /// Its values: text, a number, or `true` and `false`.
    pub values: Located<Vec<String>>,
}

/// One rule: which documents it takes, and how they are shown.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// Folders of the workspace, with everything below them, such as `Contracts` or `Briefs/Final`. Without it: the whole
    /// workspace.
    #[serde(default)]
    pub folders: Vec<Located<String>>,
    /// A pattern of the document's name with captures, such as `{kind} - {title}`. Without it: any name.
    pub document_name: Option<Located<String>>,
    /// The media types it takes, such as `application/pdf` or `image/*`. Without it: all.
    #[serde(default)]
    pub content_types: Vec<String>,
    /// Values that the document must have in a category, such as the type of an approval record.
    pub when: Option<ValueSpec>,
    /// How its documents are shown.
    pub show: Located<ShowSpec>,
}

/// How documents are shown.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "as", rename_all = "kebab-case")]
pub enum ShowSpec {
    /// As an asset of the type LINK in the collection. No content is copied.
    Asset(Box<AssetSpec>),
    /// As an address among the values of a field of the collection.
    Field {
        /// The id of the metadata view, such as `8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02`.
        view: String,
        /// The name of the field (its key, not its label): an address or a text. With several documents it has to take
        /// several values.
        field: String,
    },
}

/// An asset of the type LINK.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetSpec {
    /// Its title, with `{node.name}`, `{node.id}`, `{version.number}`, `{workspace.name}`, `{capture.…}`. Without it:
    /// `{node.name}`.
    pub title: Option<String>,
    /// Its category, which selects the metadata views people see.
    pub category: Option<String>,
    /// Values of its metadata, in the same words as the title.
    pub details: Option<DetailsSpec>,
    /// Relates assets of the collection to it.
    pub relation: Option<RelationSpec>,
}

/// Values of the metadata of a LINK asset.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailsSpec {
    /// The id of the metadata view.
    pub view: String,
    /// A text for each field, such as `ContentServerNode = "{node.id}"`.
    pub values: BTreeMap<String, String>,
}

/// Relates assets of the collection to a LINK asset.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationSpec {
    /// The relation type, which iconik has: `reference`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The categories of the assets that are related to it. Without it: every asset directly in the collection that is no link.
    #[serde(default)]
    pub categories: Vec<String>,
}
