//! What a replica holds of a document or folder besides the contents: JSON from which it could be built again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use shared::error::{Error, Result};

use crate::version_copy::{NodeDescription, StoredVersion, VersionDescription};

/// The `schema` of a revision.
pub const REVISION: &str = "waybill.replica-revision.v1";
/// The `schema` of a record.
pub const RECORD: &str = "waybill.replica-record.v1";

/// One state in which a document or folder was: a metadata revision. Written once under a key that follows from what it
/// says, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// `waybill.replica-revision.v1`.
    pub schema: String,
    /// Counts the revisions of the document, from 1.
    pub number: u64,
    /// The key of the revision before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When the change feed told of the change, or when it was noticed.
    pub observed_at: String,
    /// The state.
    #[serde(flatten)]
    pub state: ReplicaState,
}

/// What a document or folder was like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaState {
    /// Whether it is in the content set. Of what is not, the rest tells how it was last.
    pub presence: Presence,
    /// Its facts, categories, rights, classifications and record details.
    pub node: NodeDescription,
    /// The id of the container it is in.
    pub parent: i64,
    /// The folders between the container of the set and it, outermost first.
    pub folders: Vec<FolderStep>,
    /// Its versions with where their contents are, oldest first.
    pub versions: Vec<ReplicatedVersion>,
}

/// Whether something is in the content set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It is.
    Present,
    /// A marker: it was deleted, or the service user may not see it any more. The two look alike.
    Gone,
    /// A marker: it was moved, or changed so that no rule, or another one, takes it.
    Left,
}

/// A folder on the way to a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FolderStep {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A version and its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplicatedVersion {
    /// The version.
    pub version: VersionDescription,
    /// Where its content is, with its checksums.
    pub content: StoredVersion,
}

/// What is known of a document or folder: which revision is the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaRecord {
    /// `waybill.replica-record.v1`.
    pub schema: String,
    /// The id of the document or folder.
    pub node: i64,
    /// The vendor's number of its type; 144 is a document, 0 a folder.
    pub kind: i64,
    /// Its name.
    pub name: String,
    /// The id of the container it is in.
    pub parent: i64,
    /// How many folders are between the container of the set and it.
    pub depth: usize,
    /// Whether it is in the content set.
    pub presence: Presence,
    /// Its newest revision.
    pub revision: RevisionPointer,
    /// When it was changed last, by Content Server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// When this record was written.
    pub replicated_at: String,
    /// The item by which it was written, as in the ledger.
    pub item: String,
}

/// Where a revision is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionPointer {
    /// Its number.
    pub number: u64,
    /// Its key.
    pub key: String,
    /// SHA-256 of the object, hexadecimal.
    pub sha256: String,
    /// SHA-256 of the state alone: equal states have equal ones.
    pub state: String,
}

impl ReplicaState {
    /// SHA-256 of it.
    pub(super) fn digest(&self) -> Result<String> {
        Ok(hex::encode(Sha256::digest(written(self)?)))
    }

    /// The same, out of the set.
    pub(super) fn marked(self, presence: Presence) -> Self {
        Self { presence, ..self }
    }
}

/// JSON for people and machines. Fields come in the order they are declared, so that equal things are equal bytes.
pub(super) fn written(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value)
        .map_err(|error| Error::bug("write record", "a record is not JSON").source(error))
}

/// Reads what was written; nothing when it is something else.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// The JSON Schemas of what a replica holds, by the name of their file.
pub fn schemas() -> Vec<(&'static str, String)> {
    fn text(mut schema: schemars::Schema, title: &str) -> String {
        schema.insert("title".to_owned(), format!("Waybill: {title}").into());
        let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        text.push('\n');
        text
    }
    vec![
        ("replica-revision.schema.json", text(schemars::schema_for!(Revision), "a revision in a replica")),
        ("replica-record.schema.json", text(schemars::schema_for!(ReplicaRecord), "a record in a replica")),
        (
            "replica-report.schema.json",
            text(schemars::schema_for!(super::report::Report), "a report about a replica"),
        ),
        (
            "replica-report-entry.schema.json",
            text(schemars::schema_for!(super::report::Entry), "one line of a report about a replica"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    /// The published schemas are those of the code; `UPDATE_SCHEMA=1` writes them.
    #[test]
    fn the_published_schemas_are_those_in_force() {
        for (name, text) in super::schemas() {
            let file = format!("{}/rules/{name}", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("UPDATE_SCHEMA").is_some() {
                std::fs::write(&file, &text).unwrap();
            }
            assert_eq!(
                std::fs::read_to_string(&file).unwrap(),
                text,
                "{name}: write it with UPDATE_SCHEMA=1"
            );
        }
    }
}
