//! Buckets, objects and their versions.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::checksum::{Algorithm, Checksum};
use super::error::{Error, Result};
use super::notification::Notification;

/// Retention of a version.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Retention {
    pub(super) mode: String,
    pub(super) until: i64,
}

/// What a write says about an object besides its content.
#[derive(Clone, Debug, Default)]
pub(super) struct Description {
    /// `Content-Type` and the other headers S3 hands back as they came.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) retention: Option<Retention>,
    pub(super) legal_hold: bool,
    /// Of an archived object, once somebody asked for it.
    pub(super) restoration: Option<Restoration>,
}

/// How far the restoration of an archived object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restoration {
    /// Asked for, to be readable for so many days.
    Ongoing { days: i64 },
    /// Readable until a moment, in milliseconds since 1970.
    Until(i64),
}

impl Description {
    pub(super) fn storage_class(&self) -> &str {
        self.headers.get("x-amz-storage-class").map_or("STANDARD", String::as_str)
    }

    pub(super) fn is_archived(&self) -> bool {
        matches!(self.storage_class(), "GLACIER" | "DEEP_ARCHIVE")
    }

    /// Whether its content can be read at a moment.
    pub(super) fn is_readable(&self, now: i64) -> bool {
        !self.is_archived() || matches!(self.restoration, Some(Restoration::Until(until)) if now < until)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) marker: bool,
    pub(super) data: Bytes,
    pub(super) etag: String,
    pub(super) modified: i64,
    pub(super) description: Description,
    pub(super) checksum: Option<Checksum>,
    /// Sizes of the parts of a multipart object.
    pub(super) parts: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) data: Bytes,
    pub(super) etag: String,
    pub(super) checksum: Checksum,
    pub(super) modified: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) description: Description,
    pub(super) algorithm: Algorithm,
    /// The client chose the algorithm: then each part of a composite one must be vouched for on completion.
    pub(super) chosen: bool,
    pub(super) composite: bool,
    pub(super) parts: BTreeMap<u32, Part>,
    pub(super) initiated: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    pub(super) versioning: Versioning,
    pub(super) object_lock: bool,
    pub(super) created: i64,
    /// Versions of each key, the current one last.
    pub(super) objects: BTreeMap<String, Vec<Version>>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) buckets: BTreeMap<String, Bucket>,
    /// Ids of versions, uploads and requests come from here.
    pub(super) count: u64,
    pub(super) sequencer: u64,
    pub(super) notifications: Vec<Notification>,
    pub(super) cut_next_get: Option<usize>,
    pub(super) least_part: usize,
}

pub(super) const NULL: &str = "null";

impl State {
    pub(super) fn bucket(&mut self, name: &str) -> Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(|| {
            Error::new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", name)
        })
    }

    pub(super) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

impl Bucket {
    /// The current version, unless it is a delete marker.
    pub(super) fn current(&self, key: &str) -> Option<&Version> {
        self.objects.get(key)?.last().filter(|version| !version.marker)
    }

    /// The version a request means: the current one, or the one it names.
    pub(super) fn find(&self, key: &str, id: Option<&str>) -> Result<&Version> {
        let versions = self.objects.get(key).map(Vec::as_slice).unwrap_or_default();
        let Some(id) = id else {
            return match versions.last() {
                Some(version) if !version.marker => Ok(version),
                Some(marker) => Err(Error::no_such_key(key)
                    .header("x-amz-delete-marker", "true")
                    .header("x-amz-version-id", &marker.id)),
                None => Err(Error::no_such_key(key)),
            };
        };
        let found =
            versions.iter().find(|version| version.id == id).ok_or_else(|| missing_version(key, id))?;
        if found.marker {
            return Err(Error::new(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )
            .header("x-amz-delete-marker", "true")
            .header("x-amz-version-id", id)
            .header("allow", "DELETE"));
        }
        Ok(found)
    }

    pub(super) fn find_mut(&mut self, key: &str, id: Option<&str>) -> Result<&mut Version> {
        let id = self.find(key, id)?.id.clone();
        let versions = self.objects.get_mut(key).into_iter().flatten();
        versions.rev().find(|version| version.id == id).ok_or_else(|| Error::no_such_key(key))
    }

    /// Adds a version (or delete marker) the way the bucket's versioning demands. `number` makes its id.
    pub(super) fn add(&mut self, key: &str, mut version: Version, number: u64) {
        let enabled = self.versioning == Versioning::Enabled;
        version.id = if enabled { version_id(number) } else { NULL.to_owned() };
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !enabled {
            versions.retain(|earlier| earlier.id != NULL);
        }
        versions.push(version);
    }

    /// The version id to tell the client: none in a bucket that never had versions.
    pub(super) fn shown_id<'version>(&self, version: &'version Version) -> Option<&'version str> {
        (self.versioning != Versioning::Never).then_some(version.id.as_str())
    }
}

/// Version ids are opaque text of 32 letters; these sort in the order they were given.
fn version_id(number: u64) -> String {
    format!("v{number:031x}")
}

pub(super) fn missing_version(key: &str, id: &str) -> Error {
    if id == NULL
        || (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte)))
    {
        return Error::no_such_version(key, id);
    }
    Error::invalid_argument("versionId", id, "Invalid version id specified")
}
