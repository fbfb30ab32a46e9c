//! The versions of a document.

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;

use super::{
    Client,
    call::Call,
    children::Turn,
    node::NodeId,
    wire::{self, Data, Listing, Results},
};
use crate::error::Result;

/// One version of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number, which counts on whatever kind of versioning there is.
    pub number: i64,
    /// How people see it: `3` or `2.1`.
    pub label: String,
    /// The name of its file.
    pub file_name: String,
    /// How many bytes it has. The server keeps no checksum.
    pub file_size: Option<u64>,
    /// Its media type.
    pub mime_type: Option<String>,
    /// Its description.
    pub description: String,
    /// When it was added.
    pub created: Option<Timestamp>,
    /// Who locked it.
    pub locked_by: Option<i64>,
    /// What the outside system said its identity is.
    pub external_identity: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct VersionProperties {
    #[serde(deserialize_with = "wire::integer")]
    version_number: i64,
    #[serde(default, deserialize_with = "wire::text")]
    version_number_name: String,
    #[serde(default, deserialize_with = "wire::text")]
    file_name: String,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    file_size: Option<i64>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    mime_type: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    description: String,
    #[serde(default, deserialize_with = "wire::text")]
    create_date: String,
    #[serde(default, deserialize_with = "wire::truth")]
    locked: bool,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    locked_user_id: Option<i64>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    external_identity: Option<String>,
}

impl VersionProperties {
    pub(super) fn number(&self) -> i64 {
        self.version_number
    }

    pub(super) fn into_version(self, zone: &TimeZone) -> Version {
        let label = if self.version_number_name.is_empty() {
            self.version_number.to_string()
        } else {
            self.version_number_name
        };
        Version {
            number: self.version_number,
            label,
            file_name: self.file_name,
            file_size: self.file_size.and_then(|size| u64::try_from(size).ok()),
            mime_type: self.mime_type,
            description: self.description,
            created: wire::moment(&self.create_date, zone),
            locked_by: self.locked_user_id.filter(|_| self.locked),
            external_identity: self.external_identity,
        }
    }
}

#[derive(Deserialize)]
struct Versions {
    versions: VersionProperties,
}

impl Client {
    /// All versions of a document, oldest first.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_versions(&self, node: NodeId) -> Result<Vec<Version>> {
        const OPERATION: &str = "list versions";
        let mut found = Vec::new();
        let mut turn = Turn::new(self);
        while let Some(page) = turn.page(OPERATION)? {
            let call = Call::get(OPERATION, format!("/v2/nodes/{node}/versions"))
                .query("page", page)
                .query("limit", turn.limit)
                .query("order", "asc");
            let answer: Listing<Data<Versions>> = self.ask(&call).await?;
            turn.took(answer.results.0.len(), answer.paging());
            let versions =
                answer.results.0.into_iter().map(|entry| entry.data.versions.into_version(&self.zone));
            found.extend(versions.filter(|version| turn.is_new(version.number)));
        }
        found.sort_by_key(|version| version.number);
        Ok(found)
    }

    /// One version of a document.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_version(&self, node: NodeId, number: i64) -> Result<Version> {
        let call = Call::get("read a version", format!("/v2/nodes/{node}/versions/{number}"));
        let answer: Results<Data<Versions>> = self.ask(&call).await?;
        Ok(answer.results.data.versions.into_version(&self.zone))
    }

    /// The latest version of a document.
    ///
    /// # Errors
    /// As any call.
    pub async fn latest_version(&self, node: NodeId) -> Result<Version> {
        // Only version 1 of the interface knows "latest".
        let call = Call::get("read the latest version", format!("/v1/nodes/{node}/versions/latest"));
        let answer: Data<VersionProperties> = self.ask(&call).await?;
        Ok(answer.data.into_version(&self.zone))
    }

    /// Removes one version.
    ///
    /// # Errors
    /// `Forbidden` when a hold, a record state or a missing right forbids it.
    pub async fn delete_version(&self, node: NodeId, number: i64) -> Result<()> {
        self.tell(&Call::delete("delete a version", format!("/v2/nodes/{node}/versions/{number}"))).await
    }
}
