//! Formats, file sets, files and storages: looking, and the little there is to change.

use serde_json::json;

use super::{
    Client,
    call::Call,
    file::{ExternalReference, File, FileSet, FileStatus, Format, Keyframe, Proxy, Storage},
    ids::{AssetId, FileId, FileSetId, FormatId, JobId, StorageId, VersionId},
    page::{Pages, Style},
};
use crate::error::Result;

/// Whose files to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileScope {
    /// Those of an asset, of whichever version.
    Asset(AssetId),
    /// Those of one version.
    Version(AssetId, VersionId),
}

impl FileScope {
    fn call(&self, operation: &'static str, kind: &str) -> Call {
        match self {
            Self::Asset(asset) => Call::get(operation, &["files", "v1", "assets", asset.as_str(), kind]),
            Self::Version(asset, version) => Call::get(
                operation,
                &["files", "v1", "assets", asset.as_str(), "versions", version.as_str(), kind],
            ),
        }
    }
}

/// How a format is archived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormatArchive {
    /// Whether its files are removed from where they were, once they are in the archive.
    pub remove_original: bool,
}

impl Client {
    /// The formats. Lists of files, unlike others, are exact.
    pub fn list_formats(&self, of: &FileScope) -> Pages<'_, Format> {
        // An asset lists those of its newest version, unless it is asked for all.
        let all = matches!(of, FileScope::Asset(_)).then_some(true);
        let call = of.call("list formats", "formats").query_if("include_all_versions", all);
        Pages::new(self, call, Style::LastId)
    }

    /// The format of an asset's current version with a name, such as `ORIGINAL`.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_format(&self, asset: &AssetId, name: &str) -> Result<Option<Format>> {
        self.look(&Call::get("get format", &["files", "v1", "assets", asset.as_str(), "formats", name])).await
    }

    /// Has a format moved to the default storage for archives. Gives the job, where the server says it; how far it has
    /// come is the format's `archive_status`.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look at the format's `archive_status` before trying again.
    pub async fn archive_format(
        &self,
        asset: &AssetId,
        format: &FormatId,
        how: &FormatArchive,
    ) -> Result<Option<JobId>> {
        let path = ["files", "v1", "assets", asset.as_str(), "formats", format.as_str(), "archive"];
        let call = Call::post("archive format", &path).body(json!({"delete_original": how.remove_original}));
        let answer = self.answer_or_nothing(&call).await?;
        Ok(answer.get("job_id").and_then(serde_json::Value::as_str).map(JobId::new))
    }

    /// The file sets, each with how many files it has.
    pub fn list_file_sets(&self, of: &FileScope) -> Pages<'_, FileSet> {
        let call = of.call("list file sets", "file_sets").query("file_count", true);
        Pages::new(self, call, Style::LastId)
    }

    /// The files. No addresses are signed: one is fetched when it is needed.
    pub fn list_files(&self, of: &FileScope) -> Pages<'_, File> {
        // The default differs from list to list, so it is always said.
        let call = of.call("list files", "files").query("generate_signed_url", false);
        Pages::new(self, call, Style::LastId)
    }

    /// The files of one set.
    pub fn list_files_of_set(&self, asset: &AssetId, set: &FileSetId) -> Pages<'_, File> {
        let path = ["files", "v1", "assets", asset.as_str(), "file_sets", set.as_str(), "files"];
        let call = Call::get("list files", &path).query("generate_signed_url", false);
        Pages::new(self, call, Style::LastId)
    }

    /// A file.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn get_file(&self, asset: &AssetId, file: &FileId) -> Result<File> {
        self.ask(&Call::get("get file", &one(asset, file))).await
    }

    /// The previews.
    pub fn list_proxies(&self, of: &FileScope) -> Pages<'_, Proxy> {
        let call = of.call("list previews", "proxies").query("generate_signed_url", false);
        Pages::new(self, call, Style::LastId)
    }

    /// The pictures.
    pub fn list_keyframes(&self, of: &FileScope) -> Pages<'_, Keyframe> {
        let call = of.call("list pictures", "keyframes").query("generate_signed_url", false);
        Pages::new(self, call, Style::LastId)
    }

    /// Every storage.
    pub fn list_storages(&self) -> Pages<'_, Storage> {
        Pages::new(self, Call::get("list storages", &["files", "v1", "storages"]), Style::Number)
            .of_everything()
    }

    /// A storage.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn get_storage(&self, storage: &StorageId) -> Result<Storage> {
        self.ask(&Call::get("get storage", &["files", "v1", "storages", storage.as_str()])).await
    }

    /// Says how the bytes of a file stand: `CLOSED` once they are all there, `FAILED` when they will not come. The size is
    /// what was sent.
    ///
    /// # Errors
    /// As any call.
    pub async fn update_file(
        &self,
        asset: &AssetId,
        file: &FileId,
        status: &FileStatus,
        size: Option<u64>,
    ) -> Result<File> {
        let mut body = json!({"status": status});
        if let Some((members, size)) = body.as_object_mut().zip(size) {
            members.insert("size".to_owned(), size.into());
        }
        self.ask(&Call::patch("update file", &one(asset, file)).body(body)).await
    }

    /// Has preview and pictures made of a file. Gives the job, where one was started.
    ///
    /// # Errors
    /// As any call.
    pub async fn start_preview(&self, asset: &AssetId, file: &FileId) -> Result<Option<JobId>> {
        let [service, version, kind, asset, files, file] = one(asset, file);
        let path = [service, version, kind, asset, files, file, "keyframes"];
        // A second time makes the same preview again, in place of the first.
        let call = Call::post("start preview", &path).repeatable().body(json!({"priority": 5}));
        let answer = self.answer_or_nothing(&call).await?;
        Ok(answer.get("job_id").and_then(serde_json::Value::as_str).map(JobId::new))
    }

    /// Sets the links of a format to copies elsewhere. Tenants before 2026 do not know these: read the format again and
    /// see.
    ///
    /// # Errors
    /// As any call.
    pub async fn update_external_references(
        &self,
        asset: &AssetId,
        format: &FormatId,
        references: &[ExternalReference],
    ) -> Result<Format> {
        let path = ["files", "v1", "assets", asset.as_str(), "formats", format.as_str()];
        let call = Call::patch("update format", &path).body(json!({"external_references": references}));
        self.ask(&call).await
    }
}

fn one<'a>(asset: &'a AssetId, file: &'a FileId) -> [&'a str; 6] {
    ["files", "v1", "assets", asset.as_str(), "files", file.as_str()]
}
