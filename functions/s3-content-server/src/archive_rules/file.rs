//! The rule file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::{content_server::OfficialRecords, mapping::Located};

use crate::{rule_words::ClassName, version_copy::Reading};

/// Archive rules: which cases and records of Content Server become `BagIt` bags in S3, how long they are retained, and
/// what becomes of their content afterwards. The first rule that fits an item wins.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveRulesFile {
    /// The category that says where the bag of a case is.
    pub archive: ArchiveCategorySpec,
    /// The rules, in the order they are tried.
    #[serde(default)]
    pub rule: Vec<RuleSpec>,
}

/// The category that says where the bag of a case is, and the names of its attributes. An attribute that is not named
/// is not written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveCategorySpec {
    /// The path of the category, such as `Categories:Integration/Archive`.
    pub category: Located<String>,
    /// Text: the address of the bag, `s3://bucket/prefix/`.
    pub location: Located<String>,
    /// Text: which state of the case it holds.
    pub revision: Located<String>,
    /// Text: `archived`, `retrieving`, `available`, or `damaged` when what came out of the archive is no valid bag.
    pub state: Located<String>,
    /// Text: the SHA-256 of the bag's manifest of tag files, 64 hexadecimal digits.
    pub manifest_sha256: Located<String>,
    /// Date: until when the bag is retained.
    pub retain_until: Option<Located<String>>,
    /// Boolean: whether a legal hold is on the bag.
    pub legal_hold: Option<Located<String>>,
    /// Date with time: when it was archived.
    pub archived_at: Option<Located<String>>,
    /// Text: the link to the retrieved bag. Whoever may see it may download the bag.
    pub link: Option<Located<String>>,
    /// Date with time: until when the retrieved bag can be had.
    pub available_until: Option<Located<String>>,
}

/// One rule: what it takes, when it is closed, where its bag goes, and what becomes of the content.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// The rule's name, used in logs and reasons: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// What it takes: `"cases"` (workspaces and folders that are closed) or `"official-records"` (documents that have
    /// become official records, a bag for each). Without it: `"cases"`.
    #[serde(default)]
    pub takes: Takes,
    /// The container it applies to, with everything below it, such as `Enterprise:Claims`. Without it: everywhere the
    /// service user may read.
    pub within: Option<Located<String>>,
    /// When a case is closed. Needed for cases; official records need none.
    pub closed: Option<Located<ClosedSpec>>,
    /// Which versions of each document: `"all"` or `"latest"`. Without it: `"all"`.
    #[serde(default)]
    pub versions: Versions,
    /// The bucket, which must have Object Lock. Without it: the one the function was deployed with.
    pub bucket: Option<Located<String>>,
    /// The beginning of every key, ending with `/`. One prefix belongs to one Content Server and to nothing else.
    pub prefix: Located<String>,
    /// The storage class of the documents in a bag; its tag files are always in the standard one. Without it:
    /// `"STANDARD"`.
    #[serde(default)]
    pub storage_class: ClassName,
    /// How a copy is verified. Without it: `"twice"`, and only then may content be reduced.
    #[serde(default)]
    pub reading: Reading,
    /// Whose records they are: `Source-Organization` of every bag.
    pub source_organization: Option<Located<String>>,
    /// How long bags are retained. Without it: as long as nobody deletes them, and legal holds alone protect them.
    pub retention: Option<Located<RetentionSpec>>,
    /// What a request `retrieve` does.
    pub retrieve: Option<Located<RetrieveSpec>>,
    /// What becomes of the content in Content Server once the bag is validated and in its place. Without it: `"keep"`.
    pub after: Option<Located<After>>,
    /// Whether official records may be reduced: `"keep"` or `"reduce"`. Without it: `"keep"`.
    #[serde(default)]
    pub official_records: OfficialRecords,
}

/// What a rule takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// Workspaces and folders.
    #[default]
    Cases,
    /// Documents that are official records.
    OfficialRecords,
}

/// Which versions go into a bag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Versions {
    /// Every one.
    #[default]
    All,
    /// The newest one.
    Latest,
}

/// When a case is closed: an attribute of a category has one of some values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosedSpec {
    /// The path of the category, such as `Categories:Business/Case File`.
    pub category: Located<String>,
    /// The attribute.
    pub attribute: Located<String>,
    /// The values that mean closed.
    pub values: Located<Vec<String>>,
}

/// How long bags are retained by Object Lock. What is retained once is never retained for less.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionSpec {
    /// `"governance"` (people with a special right may end it) or `"compliance"` (nobody may, not even the account's
    /// owner). Without it: `"governance"`.
    #[serde(default)]
    pub mode: RetentionMode,
    /// How long records of a schedule are retained, by the schedule's code: `"10 years"`, `"18 months"`, `"90 days"`,
    /// counted from the record's date, or a day such as `"2099-12-31"`. Of several records in a case the longest counts.
    #[serde(default)]
    pub schedules: BTreeMap<String, Located<String>>,
    /// The same for what has no schedule, counted from the day of archiving. Without it, a case without any schedule,
    /// and a schedule that is not listed, are put aside.
    pub default: Option<Located<String>>,
}

/// Who may shorten a retention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetentionMode {
    /// People with a special right.
    #[default]
    Governance,
    /// Nobody.
    Compliance,
}

/// What a request `retrieve` does: it brings a bag out of an archive class, validates it and makes it available.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrieveSpec {
    /// How whoever asked gets the validated bag: `"bag"` (it lies where it was, for whoever may read the bucket) or `"link"`
    /// (as one ZIP file behind a link that expires, which is written into the category). Without it: `"bag"`.
    pub to: RetrieveTo,
    /// How fast: `"standard"`, `"bulk"` or `"expedited"`.
    pub tier: RetrieveTier,
    /// How many days the restored bag can be read, and its link leads to it (then at most 30).
    #[schemars(range(min = 1, max = 365))]
    pub days: u16,
    /// After how many hours a restoration that has not ended is told to a person.
    #[schemars(range(min = 1, max = 720))]
    pub overdue_hours: u16,
}

impl Default for RetrieveSpec {
    fn default() -> Self {
        Self { to: RetrieveTo::Bag, tier: RetrieveTier::Standard, days: 7, overdue_hours: 72 }
    }
}

/// How a retrieved bag is had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetrieveTo {
    /// Where it is.
    #[default]
    Bag,
    /// By a link.
    Link,
}

/// How fast an archived object is restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetrieveTier {
    /// In hours.
    #[default]
    Standard,
    /// In a day or two, at the least cost.
    Bulk,
    /// In minutes, where the class allows it.
    Expedited,
}

/// What becomes of the content in Content Server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// All of it stays.
    #[default]
    Keep,
    /// The newest version of each document stays; older ones are purged.
    PurgeOldVersions,
}
