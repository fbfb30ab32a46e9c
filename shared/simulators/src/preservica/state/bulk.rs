//! The bulk location: a bucket that large packages and trees are put into with credentials for a while.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::State;
use crate::aws::s3::{Cause, S3};
use crate::content::Blob;

/// Credentials that were given out.
#[derive(Clone, Debug)]
pub(in crate::preservica) struct BulkKey {
    pub(in crate::preservica) key: String,
    pub(in crate::preservica) secret: String,
    pub(in crate::preservica) session: String,
    pub(in crate::preservica) ends: Timestamp,
}

/// What a call to the bulk location shows is good, has ended, or was never given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::preservica) enum Shown {
    Good,
    Ended,
    Unknown,
}

impl State {
    /// The bucket.
    pub fn bulk_bucket(&self) -> String {
        format!("com.preservica.{}.bulk", self.tenant.to_lowercase())
    }

    /// Where it is kept from now on.
    pub(in crate::preservica) fn set_bulk(&mut self, storage: S3) {
        storage.create_bucket(&self.bulk_bucket(), false);
        let _ = storage.take_notifications();
        self.bulk = Some(storage);
    }

    /// New credentials.
    pub(in crate::preservica) fn give_bulk_key(&mut self) -> BulkKey {
        let key = BulkKey {
            key: self.new_reference(),
            secret: self.new_reference(),
            session: self.new_reference(),
            ends: self.after(self.settings.uploads.credential_seconds),
        };
        self.bulk_keys.push(key.clone());
        key
    }

    /// Whether these were given out, and are good still.
    pub(in crate::preservica) fn shown(&self, key: &str, session: &str) -> Shown {
        match self.bulk_keys.iter().find(|known| known.key == key && known.session == session) {
            Some(known) if known.ends > self.now => Shown::Good,
            Some(_) => Shown::Ended,
            None => Shown::Unknown,
        }
    }

    /// What is below a folder of the bulk location, by its whole name.
    pub(super) fn bulk_objects(&self, directory: &str) -> BTreeMap<String, Blob> {
        let prefix = format!("{}/", directory.trim_matches('/'));
        let stored = self.bulk.as_ref().map(|bulk| bulk.versions(&self.bulk_bucket())).unwrap_or_default();
        let below =
            stored.into_iter().filter(|object| !object.delete_marker && object.key.starts_with(&prefix));
        below.map(|object| (object.key, Blob::of(object.data))).collect()
    }

    /// Packages that were put there, and say that they are ready, are taken in.
    pub(in crate::preservica) fn watch_bulk(&mut self) {
        let Some(bulk) = self.bulk.clone() else { return };
        let bucket = self.bulk_bucket();
        for told in bulk.take_notifications() {
            let is_new = matches!(told.cause, Cause::Put | Cause::Copy | Cause::Multipart);
            if !is_new || told.bucket != bucket || told.key.contains('/') {
                continue;
            }
            let stored = bulk.versions(&bucket).into_iter().rfind(|object| object.key == told.key);
            let Some(object) = stored else { continue };
            if object.metadata.get("status").map(String::as_str) != Some("ready") {
                continue;
            }
            let name = object.metadata.get("name").unwrap_or(&object.key).clone();
            let user = object.metadata.get("createdby").cloned().unwrap_or_default();
            let destination = object.metadata.get("collectionreference").cloned();
            self.receive_package(&user, &name, destination, Blob::of(object.data));
        }
    }
}
