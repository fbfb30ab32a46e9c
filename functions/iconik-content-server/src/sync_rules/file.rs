//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::Located;

/// Sync rules: which metadata fields of an asset in iconik and of its document in Content Server are kept equal, and who
/// wins when both were changed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncRulesFile {
    /// Where the fields are on both sides.
    pub pair: PairSpec,
    /// The fields.
    #[serde(default)]
    pub field: Vec<FieldSpec>,
    /// Lists of options, by name, each with its spellings.
    #[serde(default)]
    pub options: std::collections::BTreeMap<String, Vec<OptionSpec>>,
}

/// Where the fields are on both sides.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairSpec {
    /// The id of the metadata view in iconik, such as `8f1f3c2e-5a0b-11ef-9d2a-0a58a9feac02`. It has every field named below.
    pub view: Located<String>,
    /// The path of the category in Content Server, such as `Categories:Marketing/Campaign Asset`. A document that lacks it
    /// gets it when there is something to say.
    pub category: Located<String>,
    /// Where an asset says which document is its own. Not needed for what `publish-finals` has filed.
    pub node: Option<NodeSpec>,
    /// The attribute of the category that holds the asset's id, such as `Asset ID`: so that a document tells its asset. Not
    /// needed for what `publish-finals` has filed.
    pub asset: Option<Located<String>>,
}

/// Where an asset says which document is its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// The id of a metadata view that has the field.
    pub view: Located<String>,
    /// The name of the field, which holds the number of the document, such as `ContentServerNode`.
    pub field: Located<String>,
}

/// One field that is kept equal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// The field's name here, in conflicts and reasons: lower-case letters, digits and `-`. What was agreed on is kept
    /// under it, so a field that is renamed starts anew.
    pub name: Located<String>,
    /// The name of the field in iconik (its key, not its label).
    pub iconik: Located<String>,
    /// The name of the attribute in Content Server; `Set:Attribute` is not possible.
    pub content_server: Located<String>,
    /// The type of its values. Without it: `"text"`.
    #[serde(default, rename = "type")]
    pub kind: KindName,
    /// How many values it holds: `"one"`, `"list"` (the order matters) or `"set"` (tags). Without it: `"one"`.
    #[serde(default)]
    pub many: ManyName,
    /// Who wins: `"iconik"` or `"content-server"` for the side whose field it is, `"newest"`, or `"manual"`.
    pub policy: Located<PolicyName>,
    /// With `policy = "newest"`: who wins when both were changed at the same time, or it is not known when. Without it:
    /// `"content-server"`.
    pub tie: Option<Located<SideName>>,
    /// The list of options it is chosen from, `[[options.<name>]]` below.
    pub options: Option<Located<String>>,
    /// The most characters of a text, as many as the shorter side takes. Without it: 254.
    pub max_length: Option<Located<u32>>,
    /// What separates the values, such as `"; "`, where Content Server has one text attribute for several.
    pub separator: Option<Located<String>>,
}

/// One option in its spellings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// Its value in iconik.
    pub iconik: Located<String>,
    /// Its label in iconik, which people and imports sometimes write instead.
    pub label: Option<Located<String>>,
    /// Its name in Content Server.
    pub content_server: Located<String>,
}

/// The type of values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KindName {
    /// Text, of one line or several.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// A number with decimals; in Content Server a text attribute.
    Decimal,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A moment, in whole seconds.
    DateTime,
}

/// How many values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManyName {
    /// One.
    #[default]
    One,
    /// Several, in order.
    List,
    /// Several, each once, in any order.
    Set,
}

/// Who wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// iconik: what is changed in Content Server is undone, and recorded.
    Iconik,
    /// Content Server: what is changed in iconik is undone, and recorded.
    ContentServer,
    /// What was changed later; the other value is recorded.
    Newest,
    /// A person; until then each side keeps its value.
    Manual,
}

/// A side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SideName {
    /// iconik.
    Iconik,
    /// Content Server.
    ContentServer,
}
