//! What a version of an asset consists of, as iconik lists it, and whether it can be used.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::{
    error::{Error, FailureClass, Result, Retry, System},
    filing::Mark,
    flow::Item,
    iconik::{
        AssetId, AssetVersion, Client, Content, File, FileKind, FileScope, FileSet, FileStatus, Format,
        Keyframe, KeyframeId, KeyframeKind, Proxy, StorageMethod, VersionId, VersionStatus,
    },
    ledger::Key,
    s3_notification::Sequencer,
};

use super::NOT_CLOSED;

/// How long to wait before a file that is being written is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// What a medium is of its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A file of a format, by the format's name.
    Format(String),
    /// A web preview.
    Proxy,
    /// The picture that stands for the whole.
    Poster,
}

impl Part {
    /// What it is called in marks, messages and records.
    pub fn name(&self) -> &str {
        match self {
            Self::Format(name) => name,
            Self::Proxy => "proxy",
            Self::Poster => "poster",
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Format(_) => "format",
            Self::Proxy => "proxy",
            Self::Poster => "poster",
        }
    }
}

/// A file, preview or picture of one version of an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    /// The asset.
    pub asset: AssetId,
    /// The version.
    pub version: VersionId,
    /// Its number.
    pub version_number: i64,
    /// What it is of it.
    pub part: Part,
    /// Where its bytes are.
    pub content: Content,
    /// Its name.
    pub name: String,
    /// The folder it is in.
    pub folder: String,
    /// Its size, as iconik knows it.
    pub size: Option<u64>,
    /// Whether its bytes are all there.
    pub status: FileStatus,
    /// Whether its set and format are in use.
    pub in_use: bool,
    /// A checksum of an undocumented kind: enough to notice that it changed.
    pub checksum: Option<String>,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
}

impl Media {
    /// The id of the file, preview or picture.
    pub fn id(&self) -> &str {
        match &self.content {
            Content::File(_, id) => id.as_str(),
            Content::Proxy(_, id) => id.as_str(),
            Content::Keyframe(_, id) => id.as_str(),
        }
    }

    /// What is filed once: asset, version, format and file.
    pub fn key(&self) -> Key {
        let part = [self.part.kind(), self.part.name()].join(" ");
        Key::of(&["iconik", self.asset.as_str(), self.version.as_str(), &part, self.id()])
    }

    /// The mark in Content Server. Media of one format of one asset succeed one another by the number of their version.
    pub fn mark(&self) -> Mark {
        let part = [self.part.kind(), self.part.name()].join(" ");
        let item = Item {
            key: self.key(),
            payload_hash: String::new(),
            asset: Key::of(&["iconik", self.asset.as_str(), &part]).digest().to_owned(),
            asset_text: String::new(),
        };
        // Sequencers are compared as text.
        let order = Sequencer::new(&format!("{:016X}", self.version_number.max(0)));
        Mark::of(&item, Some(&order))
    }

    /// What a version in Content Server says of where it comes from.
    pub fn origin(&self) -> String {
        format!("iconik version {}, {}, {}", self.version_number, self.part.name(), self.name)
    }

    /// The media type that its name says.
    pub fn media_type(&self) -> String {
        mime_guess::from_path(&self.name).first_or_octet_stream().essence_str().to_owned()
    }

    /// What rules read of it.
    pub fn facts(&self) -> Value {
        let (stem, extension) = match self.name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, Some(extension.to_lowercase())),
            _ => (self.name.as_str(), None),
        };
        json!({
            "name": self.name, "stem": stem, "extension": extension, "part": self.part.name(),
            "folder": self.folder, "type": self.media_type(),
        })
    }

    /// What tells these bytes from every other content.
    pub(super) fn content_mark(&self, length: u64) -> String {
        let modified = self.modified.map(|modified| modified.to_string()).unwrap_or_default();
        let checksum = self.checksum.as_deref().unwrap_or_default();
        let length = length.to_string();
        Key::of(&["iconik", self.asset.as_str(), self.id(), &length, &modified, checksum]).short().to_owned()
    }

    /// Whether it can be used. One that is being written can be later.
    ///
    /// # Errors
    /// [`NOT_CLOSED`] (`Transient`); `file.archived`, `file.failed` (`Invalid`).
    pub fn check_usable(&self) -> Result<()> {
        let status = self.status.as_str();
        let refused = |code, message: String, remedy: &str| {
            Err(Error::invalid(code, message).field(self.name.clone()).remedy(remedy))
        };
        match self.status {
            FileStatus::Closed if self.in_use => Ok(()),
            // Pictures and previews have states of their own on some tenants.
            FileStatus::Active if !matches!(self.part, Part::Format(_)) => Ok(()),
            FileStatus::Open | FileStatus::Growing | FileStatus::Awaited => Err(self.not_closed()),
            FileStatus::Archived => refused(
                "file.archived",
                "the file is in the archive".to_owned(),
                "restore it in iconik, then redrive the item",
            ),
            FileStatus::Closed => refused(
                "file.failed",
                "the file's set or format is archived or deleted".to_owned(),
                "restore it in iconik, then redrive the item",
            ),
            _ => refused(
                "file.failed",
                format!("the file is {status}; only a file that is CLOSED has all its bytes"),
                "bring the file into iconik again, then redrive the item",
            ),
        }
    }

    /// Why it is waited for.
    pub(super) fn not_closed(&self) -> Error {
        let status = self.status.as_str();
        let message = format!("the file is {status}; only a file that is CLOSED has all its bytes");
        Error::new(FailureClass::Transient, System::Iconik, "read file", NOT_CLOSED, message)
            .field(self.name.clone())
            .remedy("close the file in iconik, or take it out of the format")
            .retry(Retry::After(LOOK_AGAIN))
    }

    /// Whether it is still what it was when it was listed.
    ///
    /// # Errors
    /// `file.changed` (`Conflict`), so that everything is read anew.
    pub(super) async fn check_unchanged(&self, client: &Client) -> Result<()> {
        let Content::File(asset, id) = &self.content else { return Ok(()) };
        let now = client.get_file(asset, id).await?;
        let same = now.is_usable()
            && now.size == self.size
            && now.checksum == self.checksum
            && now.modified == self.modified;
        if same {
            return Ok(());
        }
        let message = "the file was changed in iconik while it was on its way";
        Err(Error::new(FailureClass::Conflict, System::Iconik, "read file", "file.changed", message)
            .field(self.name.clone()))
    }
}

/// Everything a version consists of that may be filed.
#[derive(Debug, Clone, Default)]
pub struct VersionMedia {
    files: BTreeMap<String, Vec<Media>>,
    proxies: Vec<Media>,
    posters: Vec<Media>,
}

/// What is to be listed, as each costs a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Formats with their files.
    pub files: bool,
    /// Web previews.
    pub proxies: bool,
    /// Pictures.
    pub posters: bool,
}

impl VersionMedia {
    /// Lists what a version consists of. `poster` is the picture somebody chose for the asset. Of a format that is on
    /// several storages, the files of one are taken: of one whose files are all closed and that gives addresses, if there
    /// is such a one.
    ///
    /// # Errors
    /// As any call.
    pub async fn list(
        client: &Client,
        asset: &AssetId,
        version: &AssetVersion,
        poster: Option<&KeyframeId>,
        wanted: Wanted,
    ) -> Result<Self> {
        let mut found = Self::default();
        let number = version.number.unwrap_or_default();
        let of = Of { asset, version: &version.id, number };
        if wanted.files {
            let scope = FileScope::Version(asset.clone(), version.id.clone());
            let formats: Vec<Format> = client.list_formats(&scope).all().await?;
            let sets: Vec<FileSet> = client.list_file_sets(&scope).all().await?;
            let files: Vec<File> = client.list_files(&scope).all().await?;
            found.files = of.files(&formats, &sets, files);
        }
        let scope = FileScope::Asset(asset.clone());
        let is_of_version = |id: &Option<VersionId>| id.as_ref().is_none_or(|id| *id == version.id);
        if wanted.proxies {
            let proxies: Vec<Proxy> = client.list_proxies(&scope).all().await?;
            let proxies = proxies.into_iter().filter(|proxy| is_of_version(&proxy.version_id));
            found.proxies =
                proxies.filter(|proxy| is_there(&proxy.status)).map(|one| of.proxy(one)).collect();
        }
        if wanted.posters {
            let pictures: Vec<Keyframe> = client.list_keyframes(&scope).all().await?;
            let of_version: Vec<Keyframe> = pictures
                .into_iter()
                .filter(|picture| is_of_version(&picture.version_id) && is_there(&picture.status))
                .collect();
            found.posters = of.poster(of_version, poster).into_iter().collect();
        }
        Ok(found)
    }

    /// The media of a part; none when the version has none.
    pub fn of(&self, part: &Part) -> &[Media] {
        match part {
            Part::Format(name) => self.files.get(name).map(Vec::as_slice).unwrap_or_default(),
            Part::Proxy => &self.proxies,
            Part::Poster => &self.posters,
        }
    }

    /// The names of its formats.
    pub fn formats(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

/// Every file, preview and picture of these versions of an asset that iconik lists, in whatever state: all of which something
/// may have been filed once. [`VersionMedia`] chooses from them what is to be filed now; here nothing is left out.
///
/// # Errors
/// As any call.
pub async fn list_all(client: &Client, asset: &AssetId, versions: &[AssetVersion]) -> Result<Vec<Media>> {
    let scope = FileScope::Asset(asset.clone());
    let proxies: Vec<Proxy> = client.list_proxies(&scope).all().await?;
    let pictures: Vec<Keyframe> = client.list_keyframes(&scope).all().await?;
    let mut all = Vec::new();
    for version in versions {
        let of = Of { asset, version: &version.id, number: version.number.unwrap_or_default() };
        let is_of_version = |id: &Option<VersionId>| id.as_ref().is_none_or(|id| *id == version.id);
        let of_version = proxies.iter().filter(|proxy| is_of_version(&proxy.version_id));
        all.extend(of_version.map(|proxy| of.proxy(proxy.clone())));
        let of_version = pictures.iter().filter(|picture| is_of_version(&picture.version_id));
        all.extend(of_version.map(|picture| of.picture(picture.clone())));
        let scope = FileScope::Version(asset.clone(), version.id.clone());
        let formats: Vec<Format> = match client.list_formats(&scope).all().await {
            // What was deleted may be named and not be there.
            Err(error) if error.class() == FailureClass::Gone && is_deleted(version) => continue,
            found => found?,
        };
        let files: Vec<File> = client.list_files(&scope).all().await?;
        for file in files {
            if let Some(format) = formats.iter().find(|one| file.format_id.as_ref() == Some(&one.id)) {
                all.push(of.file(&format.name, file));
            }
        }
    }
    Ok(all)
}

fn is_deleted(version: &AssetVersion) -> bool {
    matches!(version.status, VersionStatus::Deleting | VersionStatus::Deleted)
}

fn is_there(status: &FileStatus) -> bool {
    !matches!(status, FileStatus::Deleted)
}

/// Whose media are read.
#[derive(Clone, Copy)]
struct Of<'a> {
    asset: &'a AssetId,
    version: &'a VersionId,
    number: i64,
}

impl Of<'_> {
    fn files(self, formats: &[Format], sets: &[FileSet], files: Vec<File>) -> BTreeMap<String, Vec<Media>> {
        let mut by_set: BTreeMap<(String, String), Vec<File>> = BTreeMap::new();
        for file in files {
            let is_file = matches!(file.kind, FileKind::File) && is_there(&file.status);
            let format = file.format_id.as_ref().map(ToString::to_string);
            let Some(format) = format.filter(|_| is_file) else { continue };
            let set = file.file_set_id.as_ref().map(ToString::to_string).unwrap_or_default();
            by_set.entry((format, set)).or_default().push(file);
        }
        let mut best: BTreeMap<String, (u8, Vec<Media>)> = BTreeMap::new();
        for ((format, set), files) in by_set {
            let Some(format) = formats.iter().find(|one| one.id.as_str() == format) else { continue };
            if !is_there(&format.status) {
                continue;
            }
            let set = sets.iter().find(|one| one.id.as_str() == set);
            if set.is_some_and(|set| !is_there(&set.status)) {
                continue;
            }
            let rank = rank(&files);
            let mut media: Vec<Media> = files.into_iter().map(|file| self.file(&format.name, file)).collect();
            media.sort_by(|one, other| (&one.folder, &one.name).cmp(&(&other.folder, &other.name)));
            let chosen = best.get(&format.name).map_or(0, |(rank, _)| *rank);
            if rank > chosen {
                best.insert(format.name.clone(), (rank, media));
            }
        }
        best.into_iter().map(|(format, (_, media))| (format, media)).collect()
    }

    fn medium(self, part: Part, content: Content, name: String, status: FileStatus) -> Media {
        Media {
            asset: self.asset.clone(),
            version: self.version.clone(),
            version_number: self.number,
            part,
            content,
            name,
            folder: String::new(),
            size: None,
            status,
            in_use: true,
            checksum: None,
            modified: None,
        }
    }

    fn file(self, format: &str, file: File) -> Media {
        let name = if file.original_name.is_empty() { file.name.clone() } else { file.original_name.clone() };
        let content = Content::File(self.asset.clone(), file.id.clone());
        let in_use = file.is_usable();
        Media {
            folder: file.directory_path,
            size: file.size,
            in_use,
            checksum: file.checksum,
            modified: file.modified,
            ..self.medium(Part::Format(format.to_owned()), content, name, file.status)
        }
    }

    fn proxy(self, proxy: Proxy) -> Media {
        let name = proxy.filename.clone().filter(|name| !name.is_empty()).unwrap_or(proxy.name);
        let content = Content::Proxy(self.asset.clone(), proxy.id);
        Media { size: proxy.size, ..self.medium(Part::Proxy, content, name, proxy.status) }
    }

    /// The picture somebody chose; else the version's poster.
    fn poster(self, pictures: Vec<Keyframe>, chosen: Option<&KeyframeId>) -> Option<Media> {
        let is_chosen = |picture: &Keyframe| chosen.is_some_and(|id| picture.id == *id);
        let is_poster = |picture: &Keyframe| picture.kind == KeyframeKind::Poster;
        let position = pictures.iter().position(is_chosen).or_else(|| pictures.iter().position(is_poster))?;
        pictures.into_iter().nth(position).map(|picture| self.picture(picture))
    }

    fn picture(self, picture: Keyframe) -> Media {
        let name = picture.filename.clone().filter(|name| !name.is_empty()).unwrap_or(picture.name);
        let content = Content::Keyframe(self.asset.clone(), picture.id);
        Media { size: picture.size, ..self.medium(Part::Poster, content, name, picture.status) }
    }
}

/// How good a set of files is to read from; 0 is none.
fn rank(files: &[File]) -> u8 {
    let signs = |file: &File| {
        matches!(
            file.storage_method,
            StorageMethod::S3 | StorageMethod::Gcs | StorageMethod::B2 | StorageMethod::Azure
        )
    };
    let closed = files.iter().all(File::is_usable);
    1 + u8::from(files.iter().all(signs)) + 2 * u8::from(closed)
}
