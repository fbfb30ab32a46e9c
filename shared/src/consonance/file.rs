//! Production files, images and links as GraphQL shows them.

use serde::Deserialize;

use super::wire;

/// A file for print, an e-book or an audiobook.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProductionFile {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Its name.
    #[serde(deserialize_with = "wire::text")]
    pub filename: Option<String>,
    /// Its format: `PDF`.
    #[serde(deserialize_with = "wire::text")]
    pub file_format: Option<String>,
    /// Its size in bytes, which comes as text.
    #[serde(deserialize_with = "wire::size")]
    pub file_size: Option<u64>,
    /// Which file of the product it is.
    #[serde(deserialize_with = "wire::code")]
    pub file_variant: Option<String>,
    /// Whether it is approved.
    #[serde(deserialize_with = "wire::code")]
    pub approval_status: Option<String>,
    /// Whether it is there.
    #[serde(deserialize_with = "wire::truth")]
    pub exists: Option<bool>,
    /// When it was made.
    #[serde(deserialize_with = "wire::text")]
    pub created_at: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    url: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    download_url: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    file_url: Option<String>,
}

impl ProductionFile {
    /// Where its bytes are, where the account's schema says so. Whoever has it may read them.
    pub fn address(&self) -> Option<&str> {
        let first = self.download_url.as_deref().or(self.file_url.as_deref());
        first.or(self.url.as_deref())
    }
}

impl std::fmt::Debug for ProductionFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ProductionFile")
            .field("id", &self.id)
            .field("file_size", &self.file_size)
            .field("approval_status", &self.approval_status)
            .finish_non_exhaustive()
    }
}

/// An image: a cover, a jacket.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SupportingResource {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Where it is. Two slashes in a row are part of it.
    #[serde(deserialize_with = "wire::text")]
    pub url: Option<String>,
    /// Its name.
    #[serde(deserialize_with = "wire::text")]
    pub filename: Option<String>,
    /// Its size in bytes.
    #[serde(deserialize_with = "wire::size")]
    pub file_size: Option<u64>,
    /// Products it belongs to.
    #[serde(deserialize_with = "wire::integers")]
    pub product_ids: Vec<i64>,
    /// It is still being prepared.
    #[serde(deserialize_with = "wire::truth")]
    pub is_processing: Option<bool>,
    /// What the preparation says of itself.
    #[serde(deserialize_with = "wire::text")]
    pub delayed_job_status: Option<String>,
}

impl std::fmt::Debug for SupportingResource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SupportingResource")
            .field("id", &self.id)
            .field("is_processing", &self.is_processing)
            .finish_non_exhaustive()
    }
}

/// A link from a work or product to a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WebLink {
    /// Its id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: Option<i64>,
    /// Where it leads.
    #[serde(deserialize_with = "wire::text")]
    pub link: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    description: Option<String>,
    #[serde(deserialize_with = "wire::text")]
    note: Option<String>,
}

impl WebLink {
    /// What it is, in words.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref().or(self.note.as_deref())
    }
}

pub(super) const PRODUCTION_FILE: &str = "id filename fileFormat fileSize fileVariant approvalStatus exists createdAt \
    url downloadUrl fileUrl";
pub(super) const SUPPORTING_RESOURCE: &str =
    "id url filename fileSize productIds isProcessing delayedJobStatus";
pub(super) const WEB_LINK: &str = "id link description note";
