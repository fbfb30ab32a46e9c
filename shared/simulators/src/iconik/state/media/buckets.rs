//! What storages hold: objects by storage and key, and uploads that are under way.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use md5::{Digest as _, Md5};

use crate::content::{Blob, Spool};

/// An object of a bucket.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The bytes.
    pub content: Blob,
    /// Entity tag, without quotes.
    pub etag: String,
    /// Content type.
    pub content_type: String,
    /// When it was written.
    pub modified: Timestamp,
}

/// Content as it was received, with the digests that storages speak of.
#[derive(Clone, Debug)]
pub(in crate::iconik) struct Received {
    pub(in crate::iconik) content: Blob,
    pub(in crate::iconik) md5: [u8; 16],
    /// SHA-1 in hexadecimal, where the storage wants one.
    pub(in crate::iconik) sha1: Option<String>,
}

impl Received {
    fn stored(self, content_type: &str, modified: Timestamp) -> Stored {
        Stored {
            content: self.content,
            etag: hex::encode(self.md5),
            content_type: content_type.to_owned(),
            modified,
        }
    }
}

/// How an upload proceeds.
#[derive(Debug)]
pub(in crate::iconik) enum UploadKind {
    /// Parts by number, joined at the end: S3, Google's XML interface.
    Multipart,
    /// Parts by number, joined by iconik: B2's large files.
    Large,
    /// One byte after the other: Google's resumable upload.
    Resumable(Spool),
}

/// An upload under way.
#[derive(Debug)]
pub(in crate::iconik) struct Upload {
    pub(in crate::iconik) storage: String,
    pub(in crate::iconik) key: String,
    pub(in crate::iconik) content_type: String,
    pub(in crate::iconik) kind: UploadKind,
    /// What was received, with when.
    pub(in crate::iconik) parts: BTreeMap<u32, (Received, Timestamp)>,
}

/// The buckets of all storages.
#[derive(Debug, Default)]
pub struct Buckets {
    objects: BTreeMap<(String, String), Stored>,
    pub(in crate::iconik) uploads: BTreeMap<String, Upload>,
}

/// What is being uploaded may be in a file, and stays with the original.
impl Clone for Buckets {
    fn clone(&self) -> Self {
        Self { objects: self.objects.clone(), uploads: BTreeMap::new() }
    }
}

impl Buckets {
    /// An object.
    pub fn get(&self, storage: &str, key: &str) -> Option<&Stored> {
        self.objects.get(&(storage.to_owned(), key.to_owned()))
    }

    /// The keys of a storage with their objects.
    pub fn of<'buckets>(
        &'buckets self,
        storage: &'buckets str,
    ) -> impl Iterator<Item = (&'buckets str, &'buckets Stored)> {
        self.objects
            .iter()
            .filter(move |((held_by, _), _)| held_by == storage)
            .map(|((_, key), stored)| (key.as_str(), stored))
    }

    /// Puts content, as somebody with rights on the bucket would.
    pub fn put(&mut self, storage: &str, key: &str, content: Blob, content_type: &str, modified: Timestamp) {
        // The tag of an object that was put in parts is no MD5 either.
        let etag = format!("{}-1", content.sha256.get(..32).unwrap_or_default());
        let stored = Stored { content, etag, content_type: content_type.to_owned(), modified };
        self.objects.insert((storage.to_owned(), key.to_owned()), stored);
    }

    /// Puts what was received in one piece. Gives its tag.
    pub(in crate::iconik) fn receive(
        &mut self,
        storage: &str,
        key: &str,
        received: Received,
        content_type: &str,
        modified: Timestamp,
    ) -> String {
        let stored = received.stored(content_type, modified);
        let etag = stored.etag.clone();
        self.objects.insert((storage.to_owned(), key.to_owned()), stored);
        etag
    }

    /// Takes an object away.
    pub fn remove(&mut self, storage: &str, key: &str) -> Option<Stored> {
        self.objects.remove(&(storage.to_owned(), key.to_owned()))
    }

    /// Joins objects or parts and puts the whole. Gives its tag.
    pub(in crate::iconik) fn join(
        &mut self,
        place: (&str, &str),
        parts: Vec<Received>,
        content_type: &str,
        modified: Timestamp,
        mut spool: Spool,
    ) -> io::Result<String> {
        let mut tags = Md5::new();
        let count = parts.len();
        for part in parts {
            tags.update(part.md5);
            spool.append(&part.content)?;
        }
        let etag = format!("{}-{count}", hex::encode(tags.finalize()));
        let stored = Stored {
            content: spool.finish(),
            etag: etag.clone(),
            content_type: content_type.to_owned(),
            modified,
        };
        self.objects.insert((place.0.to_owned(), place.1.to_owned()), stored);
        Ok(etag)
    }

    /// Begins an upload under this number.
    pub(in crate::iconik) fn begin(&mut self, id: &str, upload: Upload) {
        self.uploads.insert(id.to_owned(), upload);
    }

    /// An upload of this object.
    pub(in crate::iconik) fn upload(&mut self, id: &str, storage: &str, key: &str) -> Option<&mut Upload> {
        self.uploads.get_mut(id).filter(|upload| upload.storage == storage && upload.key == key)
    }
}
