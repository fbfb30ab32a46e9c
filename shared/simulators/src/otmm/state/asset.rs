//! Assets, folders, and what hangs on them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::State;
use crate::content::Blob;

/// A file of an asset.
#[derive(Clone, Debug, Serialize)]
pub struct Content {
    /// Its own id.
    pub id: String,
    /// File name.
    pub name: String,
    /// Media type.
    pub mime_type: String,
    /// `MASTER`, `THUMBNAIL`, `PREVIEW`, `PDFRENDITION`.
    pub kind: String,
    /// MD5 in hexadecimal.
    pub md5: String,
    /// Pixels, or −1 for each.
    pub pixels: (i64, i64),
    /// It lies in a storage that has to be asked for it first.
    pub offline: bool,
    /// The bytes.
    pub content: Blob,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A user, by id.
    User(String),
    /// A job, by number.
    Job(u64),
}

/// A lock.
#[derive(Clone, Debug, Serialize)]
pub struct Lock {
    /// Who holds it.
    pub holder: Holder,
    /// Since when.
    pub since: Timestamp,
}

/// A link to another asset.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// Id of the kind of link.
    pub kind: String,
    /// Id of the asset it leads to.
    pub target: String,
}

/// A field that every asset has, whatever its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SystemField {
    /// The id of the version.
    AssetId,
    /// The id that all versions share.
    OriginalId,
    /// `Y` or `N`.
    IsLatest,
    /// The name: the only one that can be written.
    Name,
    /// The media type of the master.
    MimeType,
    /// When it came.
    Imported,
    /// When it changed.
    Updated,
    /// The number of the job that brought it.
    ImportJob,
    /// Bytes of the master.
    Size,
}

/// A version of an asset, or a folder.
#[derive(Clone, Debug, Serialize)]
pub struct Asset {
    /// The version's own id.
    pub id: String,
    /// What all versions share: the id of the first.
    pub original_id: String,
    /// Number of the version, from 1.
    pub version: u32,
    /// There is no newer one.
    pub latest: bool,
    /// Name.
    pub name: String,
    /// The type of a folder; none for what is no folder.
    pub folder_type: Option<String>,
    /// The place in the order things were made in.
    pub number: u64,
    /// When it came.
    pub imported: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Id of the user who brought it.
    pub creator: String,
    /// Id of the user who changed it last.
    pub updated_by: String,
    /// The job that brought it.
    pub import_job: Option<u64>,
    /// Since when it is deleted.
    pub deleted: Option<Timestamp>,
    /// Not to be seen until its job has ended.
    pub hidden: bool,
    /// Who has it locked.
    pub lock: Option<Lock>,
    /// Who has it checked out.
    pub check_out: Option<Lock>,
    /// The file itself; none for folders and placeholders.
    pub master: Option<Content>,
    /// A small picture.
    pub thumbnail: Option<Content>,
    /// A larger picture.
    pub preview: Option<Content>,
    /// A PDF of it.
    pub pdf: Option<Content>,
    /// Its model.
    pub model: String,
    /// Values of fields.
    pub values: BTreeMap<String, Value>,
    /// Values of tables, by column; rows are at the same place of all columns.
    pub columns: BTreeMap<String, Vec<Option<Value>>>,
    /// Security policies.
    pub policies: Vec<i64>,
    /// Folders it is in.
    pub parents: Vec<String>,
    /// Links to other assets.
    pub links: Vec<Link>,
    /// Who is told by mail when it changes.
    pub subscribers: BTreeSet<String>,
}

impl Asset {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.folder_type.is_some()
    }

    /// Whether somebody else than this user, or a job, holds the lock.
    pub fn is_held_from(&self, user: &str) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.holder != Holder::User(user.to_owned()))
    }

    /// Whether this user holds the lock.
    pub fn is_locked_by(&self, user: &str) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.holder == Holder::User(user.to_owned()))
    }

    /// `BITMAP`, `VIDEO`, …; `NONE` without a file.
    pub fn content_type(&self) -> &'static str {
        self.master.as_ref().map_or("NONE", |master| content_type(&master.mime_type))
    }
}

/// The kind of content of a media type.
pub fn content_type(mime_type: &str) -> &'static str {
    match mime_type.split_once('/') {
        Some(("image", _)) => "BITMAP",
        Some(("video", _)) => "VIDEO",
        Some(("audio", _)) => "AUDIO",
        Some((_, "pdf")) => "ACROBAT",
        Some((_, rest)) if rest.contains("indesign") => "LAYOUT",
        Some((_, rest))
            if rest.contains("msword") || rest.contains("officedocument") || rest.starts_with("vnd.ms-") =>
        {
            "MSOFFICE"
        }
        _ => "OTHER",
    }
}

/// A time as it is written: whole seconds of UTC.
pub(in crate::otmm) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl State {
    /// A new asset or folder that is in no folder and has no values.
    pub fn draft(&mut self, name: &str, model: &str, user: &str) -> Asset {
        let id = self.new_id();
        Asset {
            original_id: id.clone(),
            id,
            version: 1,
            latest: true,
            name: name.to_owned(),
            folder_type: None,
            number: self.next(),
            imported: self.now,
            updated: self.now,
            creator: user.to_owned(),
            updated_by: user.to_owned(),
            import_job: None,
            deleted: None,
            hidden: false,
            lock: None,
            check_out: None,
            master: None,
            thumbnail: None,
            preview: None,
            pdf: None,
            model: model.to_owned(),
            values: BTreeMap::new(),
            columns: BTreeMap::new(),
            policies: Vec::new(),
            parents: Vec::new(),
            links: Vec::new(),
            subscribers: BTreeSet::new(),
        }
    }

    /// Keeps an asset or folder, and gives its id.
    pub fn add(&mut self, asset: Asset) -> String {
        let id = asset.id.clone();
        self.assets.insert(id.clone(), asset);
        self.reindex(&id);
        id
    }

    /// A content with an id of its own.
    pub fn content(&mut self, name: &str, mime_type: &str, kind: &str, content: Blob) -> Content {
        use md5::Digest as _;
        let (mut hash, mut at) = (md5::Md5::new(), 0);
        while at < content.size {
            // What cannot be read is of a size nobody compares.
            let Ok(piece) = content.read_at(at, 1 << 20) else { break };
            hash.update(&piece);
            at += piece.len() as u64;
        }
        self.content_with(name, mime_type, kind, (content, hex::encode(hash.finalize().as_slice())))
    }

    /// The same where the checksum is known.
    pub(super) fn content_with(
        &mut self,
        name: &str,
        mime_type: &str,
        kind: &str,
        content: (Blob, String),
    ) -> Content {
        let pixels = if mime_type.starts_with("image/") { (1920, 1080) } else { (-1, -1) };
        Content {
            id: self.new_id(),
            name: name.to_owned(),
            mime_type: mime_type.to_owned(),
            kind: kind.to_owned(),
            md5: content.1,
            pixels,
            offline: false,
            content: content.0,
        }
    }

    /// Gives an asset another file, as if it had always had it; for tests.
    pub fn put_master(&mut self, id: &str, name: &str, mime_type: &str, content: Blob) {
        let content = self.content(name, mime_type, "MASTER", content);
        if let Some(asset) = self.assets.get_mut(id) {
            asset.master = Some(content);
        }
    }

    /// The value of a field that every asset has.
    pub(in crate::otmm) fn system_value(&self, asset: &Asset, field: SystemField) -> Option<Value> {
        Some(match field {
            SystemField::AssetId => asset.id.clone().into(),
            SystemField::OriginalId => asset.original_id.clone().into(),
            SystemField::IsLatest => if asset.latest { "Y" } else { "N" }.into(),
            SystemField::Name => asset.name.clone().into(),
            SystemField::MimeType => asset.master.as_ref()?.mime_type.clone().into(),
            SystemField::Imported => written(asset.imported).into(),
            SystemField::Updated => written(asset.updated).into(),
            SystemField::ImportJob => asset.import_job?.into(),
            SystemField::Size => asset.master.as_ref()?.content.size.into(),
        })
    }

    /// Whether its expiration date has come.
    pub fn is_expired(&self, asset: &Asset) -> bool {
        let date = asset.values.get(super::EXPIRATION).and_then(Value::as_str);
        date.and_then(|date| date.parse::<Timestamp>().ok()).is_some_and(|date| date <= self.now)
    }

    /// The folders above an asset by its first parents, the root first.
    pub fn path(&self, asset: &Asset) -> Vec<&Asset> {
        let mut above = Vec::new();
        let mut at = asset.parents.first().and_then(|id| self.assets.get(id));
        while let Some(folder) = at.filter(|_| above.len() < 64) {
            above.insert(0, folder);
            at = folder.parents.first().and_then(|id| self.assets.get(id));
        }
        above
    }
}
