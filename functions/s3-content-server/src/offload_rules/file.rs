//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::{content_server::OfficialRecords, mapping::Located};

use crate::{intake_rules::HumanSize, rule_words::ClassName, version_copy::Reading};

/// Offload rules: which documents of Content Server get a copy of every version in S3, and what becomes of their
/// content afterwards. The first rule that matches a document wins; a document that no rule matches is left alone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffloadRulesFile {
    /// The category that says where the content of a document is.
    pub external_content: ExternalContentSpec,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// The category that says where the content of a document is, and the names of its attributes. An attribute that is
/// not named is not written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalContentSpec {
    /// The path of the category, such as `Categories:Integration/External Content`.
    pub category: Located<String>,
    /// Text: the address of the newest version's copy, `s3://bucket/key`.
    pub location: Located<String>,
    /// Integer: the number of the version that was offloaded last.
    pub document_version: Located<String>,
    /// Text: the SHA-256 of that version, 64 hexadecimal digits.
    pub sha256: Located<String>,
    /// Text: the version of the object in S3.
    pub object_version: Option<Located<String>>,
    /// Text (numbers in Content Server end at 2 GB): its size in bytes.
    pub size: Option<Located<String>>,
    /// Text: its storage class.
    pub storage_class: Option<Located<String>>,
    /// Date with time: when it was offloaded.
    pub offloaded_at: Option<Located<String>>,
    /// Boolean: set by a person or a workflow, it brings the content back.
    pub recall: Option<Located<String>>,
}

/// One rule: which documents it takes, where their content goes, and what becomes of it in Content Server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The container it applies to, with everything below it, such as `Enterprise:Digitised Archive`. Without it:
    /// everywhere the service user may read.
    pub within: Option<Located<String>>,
    /// The media types it takes, such as `application/pdf` or `image/*`. Without it: all.
    pub content_types: Option<Located<Vec<String>>>,
    /// The category a document must have, such as `Categories:Business/Digitised Item`. Without it: any or none.
    pub with_category: Option<Located<String>>,
    /// The least size of the newest version, such as `"100 MiB"`. Without it: any size.
    pub min_size: Option<HumanSize>,
    /// How many days a document must not have been modified. Without it: 0.
    #[serde(default)]
    pub unmodified_days: u32,
    /// For how many days content that somebody called back stays in Content Server before the rule takes it again, 0 to 90.
    /// Without it: 30.
    #[serde(default)]
    pub recalled_days: RecalledDays,
    /// The bucket. Without it: the one the function was deployed with.
    pub bucket: Option<Located<String>>,
    /// The beginning of every key, ending with `/`. One prefix belongs to one Content Server and to nothing else.
    pub prefix: Located<String>,
    /// The storage class of the contents. Without it: `"STANDARD"`.
    #[serde(default)]
    pub storage_class: ClassName,
    /// How a copy is verified. Without it: `"twice"`, and only then may content be reduced.
    #[serde(default)]
    pub reading: Reading,
    /// What becomes of the content in Content Server once every version is verified in S3. Without it: `"keep"`.
    pub after: Option<Located<After>>,
    /// Whether official records may be reduced: `"keep"` or `"reduce"`. Without it: `"keep"`.
    #[serde(default)]
    pub official_records: OfficialRecords,
}

/// A number of days from 0 to 90: as long as the ledger remembers a recall.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema, serde::Serialize)]
#[serde(try_from = "u8")]
pub struct RecalledDays(#[schemars(range(max = 90))] pub u8);

impl Default for RecalledDays {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u8> for RecalledDays {
    type Error = &'static str;

    fn try_from(days: u8) -> Result<Self, Self::Error> {
        if days <= 90 { Ok(Self(days)) } else { Err("a recall is remembered for at most 90 days") }
    }
}

/// What becomes of the content in Content Server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// All of it stays.
    #[default]
    Keep,
    /// The newest version stays; older ones are purged.
    PurgeOldVersions,
    /// A small pointer document becomes the newest version; all others are purged.
    Pointer,
}
