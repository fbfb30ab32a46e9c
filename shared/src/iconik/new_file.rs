//! Entries for files to come: format, file set, file. Each is found again by what it is, so none is made twice.

use serde_json::json;

use super::{
    Client,
    call::Call,
    file::{File, FileKind, FileSet, FileStatus, Format},
    files::FileScope,
    ids::{AssetId, FileSetId, FormatId, StorageId, VersionId},
};
use crate::error::{FailureClass, Result};

/// A file set to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFileSet {
    /// Its name.
    pub name: String,
    /// Its format.
    pub format: FormatId,
    /// Its storage.
    pub storage: StorageId,
    /// The folder on it.
    pub base_dir: String,
}

/// A file to be made: an entry that waits for its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// The name.
    pub original_name: String,
    /// The folder, below that of the set.
    pub directory_path: String,
    /// The set.
    pub file_set: FileSetId,
    /// The format.
    pub format: FormatId,
    /// The storage.
    pub storage: StorageId,
    /// How many bytes are to come.
    pub size: u64,
}

impl Client {
    /// The format with a name that a version has, made when there is none.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_format(&self, asset: &AssetId, version: &VersionId, name: &str) -> Result<Format> {
        let scope = FileScope::Version(asset.clone(), version.clone());
        let find = async || {
            let is_it = |format: &Format| format.name == name && format.status != FileStatus::Deleted;
            self.list_formats(&scope).find(is_it).await
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        let call = Call::post("create format", &["files", "v1", "assets", asset.as_str(), "formats"])
            .body(json!({"name": name, "version_id": version}));
        match self.ask(&call).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => find().await?.ok_or(failure),
            outcome => outcome,
        }
    }

    /// The file set of a format on a storage, made when there is none.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_file_set(
        &self,
        asset: &AssetId,
        version: &VersionId,
        new: &NewFileSet,
    ) -> Result<FileSet> {
        let scope = FileScope::Version(asset.clone(), version.clone());
        let find = async || {
            let is_it = |set: &FileSet| {
                set.format_id.as_ref() == Some(&new.format)
                    && set.storage_id.as_ref() == Some(&new.storage)
                    && set.name == new.name
                    && set.status != FileStatus::Deleted
            };
            self.list_file_sets(&scope).find(is_it).await
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        let call = Call::post("create file set", &["files", "v1", "assets", asset.as_str(), "file_sets"])
            .body(json!({
                "name": new.name, "format_id": new.format, "storage_id": new.storage,
                "base_dir": new.base_dir, "component_ids": [], "version_id": version,
            }));
        match self.ask(&call).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => find().await?.ok_or(failure),
            outcome => outcome,
        }
    }

    /// The file of a set with a name, made when there is none. Look at its status: one that is closed has its bytes.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_file(&self, asset: &AssetId, version: &VersionId, new: &NewFile) -> Result<File> {
        let find = async || {
            let is_it = |file: &File| {
                file.original_name == new.original_name
                    && file.directory_path == new.directory_path
                    && file.status != FileStatus::Deleted
            };
            match self.list_files_of_set(asset, &new.file_set).find(is_it).await? {
                Some(found) => self.file_with_addresses(asset, &found.id).await.map(Some),
                None => Ok(None),
            }
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        let call =
            Call::post("create file", &["files", "v1", "assets", asset.as_str(), "files"]).body(json!({
                "original_name": new.original_name, "directory_path": new.directory_path,
                "type": FileKind::File, "file_set_id": new.file_set, "format_id": new.format,
                "storage_id": new.storage, "size": new.size, "version_id": version,
                "status": FileStatus::Open,
            }));
        match self.ask(&call).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => find().await?.ok_or(failure),
            outcome => outcome,
        }
    }
}
