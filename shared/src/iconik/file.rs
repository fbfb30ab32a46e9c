//! What an asset consists of: formats, file sets, files, previews, pictures, and the storages they are on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    asset::ArchiveStatus,
    ids::{AssetId, FileId, FileSetId, FormatId, KeyframeId, ProxyId, StorageId, VersionId},
    wire::{self, words},
};

words! {
    /// Whether the bytes of a file can be used.
    FileStatus {
        /// They are yet to come.
        Open = "OPEN",
        /// They are coming.
        Growing = "GROWING",
        /// They are expected.
        Awaited = "AWAITED",
        /// They are all there: the only state in which they can be used.
        Closed = "CLOSED",
        /// They could not be brought.
        Failed = "FAILED",
        /// They are in an archive.
        Archived = "ARCHIVED",
        /// The storage does not have them.
        Missing = "MISSING",
        /// The storage has them again.
        Rediscovered = "REDISCOVERED",
        /// They are deleted.
        Deleted = "DELETED",
        /// In use, of formats, file sets and storages.
        Active = "ACTIVE",
    }
}

words! {
    /// What an entry stands for.
    FileKind {
        /// A file.
        File = "FILE",
        /// A folder.
        Directory = "DIRECTORY",
        /// A link.
        Symlink = "SYMLINK",
    }
}

words! {
    /// What kind of storage it is.
    StorageMethod {
        /// Amazon S3, or what speaks like it.
        S3 = "S3",
        /// Google Cloud Storage.
        Gcs = "GCS",
        /// Backblaze B2.
        B2 = "B2",
        /// Azure.
        Azure = "AZURE",
        /// A customer's own, behind a gateway: no address can be signed for it.
        File = "FILE",
        /// HTTP.
        Http = "HTTP",
        /// FTP.
        Ftp = "FTP",
        /// SFTP.
        Sftp = "SFTP",
    }
}

words! {
    /// What a storage is for.
    StoragePurpose {
        /// Originals and renditions.
        Files = "FILES",
        /// Web previews.
        Proxies = "PROXIES",
        /// Pictures.
        Keyframes = "KEYFRAMES",
        /// Exports.
        Exports = "EXPORTS",
        /// The archive.
        Archive = "ARCHIVE",
    }
}

words! {
    /// What a picture is for.
    KeyframeKind {
        /// A moment.
        Keyframe = "KEYFRAME",
        /// Many moments.
        Map = "KEYFRAME_MAP",
        /// The whole.
        Poster = "POSTER",
    }
}

/// A technical rendition of an asset.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Format {
    /// Its id.
    pub id: FormatId,
    /// Its name: `ORIGINAL`, `PPRO_PROXY`, whatever the tenant uses.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// The version it belongs to.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// `ACTIVE` or `DELETED`.
    #[serde(default)]
    pub status: FileStatus,
    /// How far it is archived.
    #[serde(default)]
    pub archive_status: ArchiveStatus,
    /// Whether it can be had at once.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_online: bool,
    /// What storages its files are on.
    #[serde(default, deserialize_with = "wire::list")]
    pub storage_methods: Vec<StorageMethod>,
    /// Technical facts, as the analysis found them.
    #[serde(default, deserialize_with = "wire::list")]
    pub metadata: Vec<Map<String, Value>>,
    /// Links to copies elsewhere. Tenants before 2026 do not know these.
    #[serde(default, deserialize_with = "wire::list")]
    pub external_references: Vec<ExternalReference>,
}

/// A link from a format to a copy elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalReference {
    /// Where.
    pub uri: String,
    /// What people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// The files of a format on one storage.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FileSet {
    /// Its id.
    pub id: FileSetId,
    /// Its name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// Its format.
    #[serde(default)]
    pub format_id: Option<FormatId>,
    /// The version it belongs to.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// Its storage.
    #[serde(default)]
    pub storage_id: Option<StorageId>,
    /// The folder on it.
    #[serde(default, deserialize_with = "wire::text")]
    pub base_dir: String,
    /// `ACTIVE`, `ARCHIVED` or `DELETED`.
    #[serde(default)]
    pub status: FileStatus,
    /// Whether it is in an archive.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_archive: bool,
    /// How many files it has, where that was asked.
    #[serde(default, deserialize_with = "wire::size_or_none")]
    pub file_count: Option<u64>,
}

/// A file. Signed addresses that come with it are kept from every log.
#[derive(Clone, PartialEq, Deserialize)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// The name it was given.
    #[serde(default, deserialize_with = "wire::text")]
    pub original_name: String,
    /// The name it has on its storage.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// The folder, below that of its set.
    #[serde(default, deserialize_with = "wire::text")]
    pub directory_path: String,
    /// What it is.
    #[serde(default, rename = "type")]
    pub kind: FileKind,
    /// Its asset.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
    /// Its version.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// Its format.
    #[serde(default)]
    pub format_id: Option<FormatId>,
    /// Its set.
    #[serde(default)]
    pub file_set_id: Option<FileSetId>,
    /// Its storage.
    #[serde(default)]
    pub storage_id: Option<StorageId>,
    /// What kind of storage that is.
    #[serde(default)]
    pub storage_method: StorageMethod,
    /// Whether its bytes can be used.
    #[serde(default)]
    pub status: FileStatus,
    /// Whether its set is in use.
    #[serde(default)]
    pub file_set_status: FileStatus,
    /// Whether its format is in use.
    #[serde(default)]
    pub format_status: FileStatus,
    /// Its size in bytes, as iconik knows it.
    #[serde(default, deserialize_with = "wire::size_or_none")]
    pub size: Option<u64>,
    /// A checksum of an undocumented kind.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub checksum: Option<String>,
    /// When it was made.
    #[serde(default, rename = "date_created", deserialize_with = "wire::moment_or_none")]
    pub created: Option<Timestamp>,
    /// When it was changed last.
    #[serde(default, rename = "date_modified", deserialize_with = "wire::moment_or_none")]
    pub modified: Option<Timestamp>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub(super) upload_url: Option<String>,
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub(super) multipart_upload_url: Option<String>,
    #[serde(default)]
    pub(super) upload_headers: Option<BTreeMap<String, String>>,
}

impl File {
    /// Whether its bytes are all there and can be had.
    pub fn is_usable(&self) -> bool {
        let in_use = |status: &FileStatus| {
            !matches!(status, FileStatus::Deleted | FileStatus::Archived | FileStatus::Missing)
        };
        self.status == FileStatus::Closed && in_use(&self.file_set_status) && in_use(&self.format_status)
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("File")
            .field("id", &self.id)
            .field("original_name", &self.original_name)
            .field("storage_method", &self.storage_method)
            .field("status", &self.status)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// A web preview.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Proxy {
    /// Its id.
    pub id: ProxyId,
    /// Its name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// The name of its file.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub filename: Option<String>,
    /// Its version.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// Whether its bytes can be used.
    #[serde(default)]
    pub status: FileStatus,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "wire::size_or_none")]
    pub size: Option<u64>,
    /// The container, such as `mp4`.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub format: Option<String>,
}

/// A still picture.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Keyframe {
    /// Its id.
    pub id: KeyframeId,
    /// What it is for.
    #[serde(default, rename = "type")]
    pub kind: KeyframeKind,
    /// Its name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// The name of its file.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub filename: Option<String>,
    /// Its version.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// Whether its bytes can be used.
    #[serde(default)]
    pub status: FileStatus,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "wire::size_or_none")]
    pub size: Option<u64>,
}

impl std::fmt::Debug for Keyframe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Keyframe")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A storage. Its settings hold keys and are not read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Storage {
    /// Its id.
    pub id: StorageId,
    /// Its name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
    /// What kind it is.
    #[serde(default)]
    pub method: StorageMethod,
    /// What it is for.
    #[serde(default)]
    pub purpose: StoragePurpose,
    /// `ACTIVE`, `INACTIVE` or `FAILING`.
    #[serde(default, deserialize_with = "wire::text")]
    pub status: String,
    /// Whether it is the one for its purpose.
    #[serde(default, rename = "default", deserialize_with = "wire::truth")]
    pub is_default: bool,
}
