//! Where the bytes of files, proxies, keyframes and attachments are, and how they get there.

use serde_json::{Value, json};

use super::signing::{Signing, Unsigned};
use super::{Object, State, Stored, Table, filled, is, text};
use crate::content::Blob;

/// What has bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of a file set.
    File,
    /// A web preview.
    Proxy,
    /// A keyframe or poster.
    Keyframe,
    /// An attachment of a segment.
    Attachment,
}

/// Methods of storages that sign addresses.
const SIGNING: &[&str] = &["S3", "GCS", "B2", "AZURE"];

impl State {
    /// The objects of a kind.
    pub(in crate::iconik) fn table(&self, kind: Kind) -> &Table {
        match kind {
            Kind::File => &self.media.files,
            Kind::Proxy => &self.media.proxies,
            Kind::Keyframe => &self.media.keyframes,
            Kind::Attachment => &self.media.attachments,
        }
    }

    /// The objects of a kind, to be changed.
    pub(in crate::iconik) fn table_mut(&mut self, kind: Kind) -> &mut Table {
        match kind {
            Kind::File => &mut self.media.files,
            Kind::Proxy => &mut self.media.proxies,
            Kind::Keyframe => &mut self.media.keyframes,
            Kind::Attachment => &mut self.media.attachments,
        }
    }

    /// Key of an object in the bucket of its storage.
    pub fn key_of(&self, kind: Kind, object: &Object) -> String {
        let id = text(object, "id");
        let within = match kind {
            Kind::File => join(text(object, "directory_path"), filled(object, "name").unwrap_or(id)),
            Kind::Proxy => format!("proxies/{id}/{}", text(object, "filename")),
            Kind::Keyframe => format!("keyframes/{id}/{}", text(object, "filename")),
            Kind::Attachment => format!("attachments/{id}/{}", text(object, "filename")),
        };
        let storage = self.media.storages.get(text(object, "storage_id"));
        let path = storage.and_then(|storage| storage.get("settings")?.get("path")?.as_str());
        join(path.unwrap_or_default(), &within)
    }

    /// The bytes of a file, proxy, keyframe or attachment.
    pub fn stored(&self, kind: Kind, id: &str) -> Option<&Stored> {
        let object = self.table(kind).get(id)?;
        self.media.buckets.get(text(object, "storage_id"), &self.key_of(kind, object))
    }

    /// Puts the bytes of a file, proxy, keyframe or attachment, as its gateway would. For a file that grows, again and again.
    pub fn put_content(&mut self, kind: Kind, id: &str, content: Blob) {
        let Some(object) = self.table(kind).get(id) else { return };
        let (storage, key) = (text(object, "storage_id").to_owned(), self.key_of(kind, object));
        let (size, content_type) = (content.size, content_type(&key));
        self.media.buckets.put(&storage, &key, content, content_type, self.now);
        if let Ok(object) = self.table_mut(kind).found_mut(id) {
            object.insert("size".to_owned(), size.into());
        }
    }

    /// Whether the storage of an object signs addresses.
    pub(in crate::iconik) fn signs(&self, object: &Object) -> bool {
        let storage = self.media.storages.get(text(object, "storage_id"));
        storage.is_some_and(|storage| SIGNING.contains(&text(storage, "method")))
    }

    /// An address to download from, or `None` when there can be none.
    pub(in crate::iconik) fn download_address(
        &self,
        kind: Kind,
        object: &Object,
        host: &str,
        disposition: Option<&str>,
        cached: bool,
    ) -> Option<String> {
        let usable = is(object, "status", "CLOSED")
            || (self.settings.media.addresses_of_unfinished && !is(object, "status", "ARCHIVED"));
        if !usable || !self.signs(object) {
            return None;
        }
        let mut unsigned = Unsigned::new("GET", text(object, "storage_id"), &self.key_of(kind, object));
        if let Some(disposition) = disposition {
            let name = filled(object, "original_name").or_else(|| filled(object, "filename"));
            let name = name.unwrap_or_else(|| text(object, "name"));
            unsigned = unsigned.with("response-content-disposition", &disposed(disposition, name));
        }
        Some(self.sign(host, unsigned, if cached { Signing::Cached } else { Signing::Fresh }))
    }

    /// Where and how to upload, as members of the answer that creates the object.
    pub(in crate::iconik) fn upload_members(&mut self, kind: Kind, object: &Object, host: &str) -> Object {
        let storage = text(object, "storage_id").to_owned();
        let key = self.key_of(kind, object);
        let method = self.media.storages.get(&storage).map(|storage| text(storage, "method").to_owned());
        let unsigned = |method: &str| Unsigned::new(method, &storage, &key);
        let members = match method.as_deref() {
            Some("S3") => json!({
                "upload_url": self.sign(host, unsigned("PUT"), Signing::Fresh),
                "multipart_upload_url": self.sign(host, unsigned("POST").with("uploads", ""), Signing::Fresh),
                "upload_method": "PUT",
            }),
            Some("GCS") => json!({
                "upload_url": self.sign(host, unsigned("POST").with_header("x-goog-resumable", "start"), Signing::Fresh),
                "multipart_upload_url": self.sign(host, unsigned("POST").with("uploads", ""), Signing::Fresh),
                "upload_method": "POST",
                "upload_headers": {"x-goog-resumable": "start"},
            }),
            Some("AZURE") => json!({
                "upload_url": self.sign(host, unsigned("PUT"), Signing::Fresh),
                "upload_method": "PUT", "upload_headers": {"x-ms-blob-type": "BlockBlob"},
            }),
            Some("B2") => {
                let token = self.token_for(&storage, &key);
                json!({
                    "upload_url": format!("{}/b2api/v2/b2_upload_file", self.bucket_place(host, &storage)),
                    "upload_method": "POST", "upload_filename": key,
                    "upload_credentials": {"authorizationToken": token},
                })
            }
            _ => Value::Null,
        };
        super::map(members)
    }
}

/// Joins a folder and a name.
pub(super) fn join(folder: &str, name: &str) -> String {
    match folder.trim_matches('/') {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// A content disposition; the name in both spellings when it needs the second.
fn disposed(disposition: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_graphic() && letter != '"' || letter == ' ' { letter } else { '_' })
        .collect();
    match plain == name {
        true => format!("{disposition}; filename=\"{name}\""),
        false => {
            let full = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
            format!("{disposition}; filename=\"{plain}\"; filename*=UTF-8''{full}")
        }
    }
}

/// The content type by the end of a name.
pub(super) fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().map(str::to_lowercase).as_deref() {
        Some("mov") => "video/quicktime",
        Some("mp4") => "video/mp4",
        Some("mxf") => "application/mxf",
        Some("wav") => "audio/wav",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        Some("xml" | "fcpxml") => "application/xml",
        Some("csv") => "text/csv",
        Some("srt" | "edl" | "txt") => "text/plain",
        Some("vtt") => "text/vtt",
        _ => "application/octet-stream",
    }
}
