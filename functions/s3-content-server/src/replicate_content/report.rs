//! What a restore, a drill or a verification found, as JSON beside the replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `schema` of a report.
pub const REPORT: &str = "waybill.replica-report.v1";

/// What came of a restore, a drill or a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `waybill.replica-report.v1`.
    pub schema: String,
    /// What was done.
    pub kind: ReportKind,
    /// The content set.
    pub set: String,
    /// What tells it from other reports, and the folder and the marks of a restore from others.
    pub id: String,
    /// The folder in Content Server that things were restored into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<i64>,
    /// When it was finished.
    pub finished_at: String,
    /// Whether everything is what it is said to be, byte for byte and value for value.
    pub equal: bool,
    /// What was looked at.
    pub counts: Counts,
    /// The keys of the entries, JSON Lines each. A verification lists what is damaged, the others everything.
    pub entries: Vec<String>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// A content set, a folder or a document was brought back.
    Restore,
    /// A random sample was.
    Drill,
    /// Objects were compared with what is known of them.
    Verify,
}

impl ReportKind {
    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Drill => "drill",
            Self::Verify => "verify",
        }
    }
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Documents.
    pub documents: u64,
    /// Folders.
    pub folders: u64,
    /// Versions of the documents.
    pub versions: u64,
    /// Bytes of the versions.
    pub bytes: u64,
    /// Documents and folders that differ, or are damaged in the replica.
    pub different: u64,
}

impl Counts {
    pub(super) fn add(&mut self, entry: &Entry) {
        if entry.document {
            self.documents += 1;
        } else {
            self.folders += 1;
        }
        self.versions += entry.versions;
        self.bytes += entry.bytes;
        self.different += u64::from(entry.outcome != EntryOutcome::Equal);
    }
}

/// One document or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its id.
    pub node: i64,
    /// Whether it is a document; else it is a folder.
    pub document: bool,
    /// The id of what was restored from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<i64>,
    /// Its versions.
    pub versions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How it compares.
    pub outcome: EntryOutcome,
    /// What differs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub differences: Vec<Difference>,
    /// What cannot be restored at all and does not count as a difference.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// How something compares with what the replica says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryOutcome {
    /// Every version has its SHA-256, and everything that is mapped is the same.
    Equal,
    /// It is there and differs.
    Different,
    /// The replica itself is not what it was.
    Damaged,
}

/// One thing that differs. Values are in the replica; here is only which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Which part: `content of version 2`, `category Claim Evidence: Amount`, `rights of 1105`.
    pub field: String,
    /// In which way.
    pub what: String,
}

impl Difference {
    pub(super) fn new(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { field: field.into(), what: what.into() }
    }
}

impl Entry {
    /// Nothing about a node yet.
    pub(super) fn of(node: i64, document: bool) -> Self {
        Self {
            node,
            document,
            restored: None,
            versions: 0,
            bytes: 0,
            outcome: EntryOutcome::Equal,
            differences: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// With what differs, which decides how it compares.
    pub(super) fn differing(self, differences: Vec<Difference>) -> Self {
        let outcome = if differences.is_empty() { EntryOutcome::Equal } else { EntryOutcome::Different };
        Self { outcome, differences, ..self }
    }

    /// Whose replica is not what it was.
    pub(super) fn damaged(self, differences: Vec<Difference>) -> Self {
        Self { outcome: EntryOutcome::Damaged, differences, ..self }
    }
}
