//! The history people see beside an asset.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{
    Client,
    call::Call,
    ids::{AssetId, HistoryId, JobId, UserId, VersionId},
    page::{Pages, Style},
    wire::{self, words},
};
use crate::error::{FailureClass, Result};

words! {
    /// What happened. Of some thirty words, those an integration writes or reads.
    HistoryOperation {
        /// Whatever the description says.
        Custom = "CUSTOM",
        /// It was taken out.
        Export = "EXPORT",
        /// It was downloaded.
        Download = "DOWNLOAD",
        /// It was approved.
        Approve = "APPROVE",
        /// It was rejected.
        Reject = "REJECT",
        /// Metadata was changed.
        Metadata = "METADATA",
        /// It was archived.
        Archive = "ARCHIVE",
        /// It was restored.
        Restore = "RESTORE",
        /// It was deleted.
        Delete = "DELETE",
        /// A version was made.
        VersionCreate = "VERSION_CREATE",
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HistoryEntry {
    /// Its id.
    pub id: HistoryId,
    /// What happened.
    #[serde(default, rename = "operation_type")]
    pub operation: HistoryOperation,
    /// In words.
    #[serde(default, rename = "operation_description", deserialize_with = "wire::text")]
    pub description: String,
    /// To which version.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// By whom. Entries we write are by the token's user: name the true actor in the description.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// In which job.
    #[serde(default)]
    pub job_id: Option<JobId>,
    /// When.
    #[serde(default, rename = "date_created", deserialize_with = "wire::moment_or_none")]
    pub created: Option<Timestamp>,
}

impl Client {
    /// The history of an asset. It comes from the index and may be behind.
    pub fn list_history(&self, asset: &AssetId) -> Pages<'_, HistoryEntry> {
        let path = ["assets", "v1", "assets", asset.as_str(), "history"];
        Pages::new(self, Call::get("list history", &path), Style::Number).of_everything()
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came.
    pub async fn create_history_entry(
        &self,
        asset: &AssetId,
        operation: &HistoryOperation,
        description: &str,
        job: Option<&JobId>,
    ) -> Result<HistoryEntry> {
        let path = ["assets", "v1", "assets", asset.as_str(), "history"];
        let mut body = json!({"operation_type": operation, "operation_description": description});
        if let Some((members, job)) = body.as_object_mut().zip(job) {
            members.insert("job_id".to_owned(), json!(job));
        }
        self.ask(&Call::post("create history entry", &path).body(body)).await
    }

    /// Adds an entry unless one with these words is there: say in them what makes it the only one of its kind. When the
    /// answer is lost, the entry is looked for until the index has had time to show it.
    ///
    /// # Errors
    /// `UnknownOutcome` when it could not be found out whether it was added.
    pub async fn ensure_history_entry(
        &self,
        asset: &AssetId,
        operation: &HistoryOperation,
        description: &str,
        job: Option<&JobId>,
    ) -> Result<HistoryEntry> {
        let find = async || {
            let is_it =
                |entry: &HistoryEntry| entry.operation == *operation && entry.description == description;
            self.list_history(asset).find(is_it).await
        };
        if let Some(entry) = find().await? {
            return Ok(entry);
        }
        match self.create_history_entry(asset, operation, description, job).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => {
                self.patiently(find).await?.ok_or(failure)
            }
            outcome => outcome,
        }
    }
}
