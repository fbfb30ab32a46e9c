//! Buckets, their lists and settings.

use super::answer::{Answer, iso_date, quoted};
use super::error::{Error, Result};
use super::notification::form_encoded;
use super::objects::{self, modified};
use super::request::Request;
use super::restore;
use super::state::{Bucket, State, Version, Versioning};
use super::xml::{Element, Writer};

pub(super) fn create(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let name = &request.bucket;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    if !(3..=63).contains(&name.len()) || !name.bytes().all(allowed) {
        return Err(Error::new(400, "InvalidBucketName", "The specified bucket is not valid.")
            .with("BucketName", name));
    }
    if state.buckets.contains_key(name) {
        return Err(Error::new(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
        .with("BucketName", name));
    }
    let object_lock = request.header("x-amz-bucket-object-lock-enabled") == Some("true");
    // Object lock brings versioning with it.
    let versioning = if object_lock { Versioning::Enabled } else { Versioning::Never };
    state.buckets.insert(name.clone(), Bucket { versioning, object_lock, created: now, ..Bucket::default() });
    Ok(Answer::ok().header("location", format!("/{name}")))
}

pub(super) fn delete(state: &mut State, request: &Request) -> Result<Answer> {
    let bucket = state.bucket(&request.bucket)?;
    if !bucket.objects.is_empty() {
        return Err(Error::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty"));
    }
    state.buckets.remove(&request.bucket);
    Ok(Answer::no_content())
}

pub(super) fn list_all(state: &State) -> Answer {
    Answer::xml("ListAllMyBucketsResult", |xml| {
        xml.element("Buckets", |xml| {
            for (name, bucket) in &state.buckets {
                xml.element("Bucket", |xml| {
                    xml.text("Name", name);
                    xml.text("CreationDate", &iso_date(bucket.created));
                });
            }
        });
    })
}

pub(super) fn put_versioning(state: &mut State, request: &Request) -> Result<Answer> {
    let document = Element::parse(&request.body, "VersioningConfiguration")?;
    let wanted = match document.text_of("Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(Error::malformed_xml()),
    };
    let bucket = state.bucket(&request.bucket)?;
    if bucket.object_lock && wanted == Versioning::Suspended {
        return Err(Error::new(
            409,
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        ));
    }
    bucket.versioning = wanted;
    Ok(Answer::ok())
}

pub(super) fn get_versioning(state: &mut State, request: &Request) -> Result<Answer> {
    let status = match state.bucket(&request.bucket)?.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    };
    Ok(Answer::xml("VersioningConfiguration", |xml| {
        if let Some(status) = status {
            xml.text("Status", status);
        }
    }))
}

pub(super) fn get_object_lock(state: &mut State, request: &Request) -> Result<Answer> {
    if !state.bucket(&request.bucket)?.object_lock {
        return Err(Error::new(
            404,
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ));
    }
    Ok(Answer::xml("ObjectLockConfiguration", |xml| xml.text("ObjectLockEnabled", "Enabled")))
}

/// What both lists share: where to look, where to start, how keys are written.
struct Window<'request> {
    prefix: &'request str,
    delimiter: &'request str,
    most: usize,
    encoded: bool,
}

impl<'request> Window<'request> {
    fn read(request: &'request Request) -> Result<Self> {
        Ok(Self {
            prefix: request.query("prefix").unwrap_or_default(),
            delimiter: request.query("delimiter").unwrap_or_default(),
            most: request.number("max-keys", 1000)?.min(1000),
            encoded: request.query("encoding-type") == Some("url"),
        })
    }

    /// The folder a key is rolled up into.
    fn folder(&self, key: &str) -> Option<String> {
        let rest = key.strip_prefix(self.prefix)?;
        let end = rest.find(self.delimiter).filter(|_| !self.delimiter.is_empty())?;
        Some(format!("{}{}", self.prefix, rest.get(..end + self.delimiter.len())?))
    }

    fn written(&self, key: &str) -> String {
        if self.encoded { form_encoded(key) } else { key.to_owned() }
    }

    fn head(&self, xml: &mut Writer, name: &str) {
        xml.text("Name", name);
        xml.text("Prefix", &self.written(self.prefix));
        if !self.delimiter.is_empty() {
            xml.text("Delimiter", &self.written(self.delimiter));
        }
        xml.text("MaxKeys", &self.most.to_string());
        if self.encoded {
            xml.text("EncodingType", "url");
        }
    }

    fn folders(&self, xml: &mut Writer, folders: &[String]) {
        for folder in folders {
            xml.element("CommonPrefixes", |xml| xml.text("Prefix", &self.written(folder)));
        }
    }
}

pub(super) fn list(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let window = Window::read(request)?;
    let token = request.query("continuation-token");
    let start = match token {
        Some(token) => {
            hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
                Error::invalid_argument(
                    "continuation-token",
                    token,
                    "The continuation token provided is incorrect",
                )
            })?
        }
        None => request.query("start-after").unwrap_or_default().to_owned(),
    };
    let bucket = state.bucket(&request.bucket)?;
    let mut found: Vec<(&String, &Version)> = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    let mut next = None;
    let mut last = String::new();
    for key in bucket.objects.keys().filter(|key| key.starts_with(window.prefix) && **key > start) {
        let Some(version) = bucket.current(key) else { continue };
        let folder = window.folder(key);
        if folder
            .as_ref()
            .is_some_and(|folder| folders.last() == Some(folder) || start.starts_with(folder.as_str()))
        {
            last.clone_from(key);
            continue;
        }
        if found.len() + folders.len() >= window.most {
            next = Some(hex::encode(&last));
            break;
        }
        last.clone_from(key);
        match folder {
            Some(folder) => folders.push(folder),
            None => found.push((key, version)),
        }
    }
    let restorations = request.header("x-amz-optional-object-attributes") == Some("RestoreStatus");
    Ok(Answer::xml("ListBucketResult", |xml| {
        window.head(xml, &request.bucket);
        xml.text("KeyCount", &(found.len() + folders.len()).to_string());
        xml.text("IsTruncated", if next.is_some() { "true" } else { "false" });
        if let Some(token) = token {
            xml.text("ContinuationToken", token);
        }
        if let Some(next) = &next {
            xml.text("NextContinuationToken", next);
        }
        if let Some(after) = request.query("start-after") {
            xml.text("StartAfter", &window.written(after));
        }
        for (key, version) in &found {
            xml.element("Contents", |xml| {
                xml.text("Key", &window.written(key));
                entry(xml, version);
                if restorations {
                    restore::status(xml, version, now);
                }
            });
        }
        window.folders(xml, &folders);
    }))
}

fn entry(xml: &mut Writer, version: &Version) {
    xml.text("LastModified", &modified(version));
    if version.marker {
        return;
    }
    xml.text("ETag", &quoted(&version.etag));
    if let Some(checksum) = &version.checksum {
        xml.text("ChecksumAlgorithm", checksum.algorithm.name());
        xml.text("ChecksumType", checksum.kind());
    }
    xml.text("Size", &version.data.len().to_string());
    xml.text("StorageClass", version.description.storage_class());
}

pub(super) fn list_versions(state: &mut State, request: &Request) -> Result<Answer> {
    let window = Window::read(request)?;
    let (key_marker, id_marker) = (request.query("key-marker"), request.query("version-id-marker"));
    let bucket = state.bucket(&request.bucket)?;
    let mut shown: Vec<(&String, &Version, bool)> = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    let mut truncated = false;
    'keys: for (key, versions) in bucket.objects.iter().filter(|(key, _)| key.starts_with(window.prefix)) {
        if key_marker.is_some_and(|marker| key.as_str() < marker || (key == marker && id_marker.is_none())) {
            continue;
        }
        if let Some(folder) = window.folder(key) {
            if folders.last() != Some(&folder) {
                folders.push(folder);
            }
            continue;
        }
        let mut waiting = key_marker == Some(key.as_str());
        for (age, version) in versions.iter().rev().enumerate() {
            if waiting {
                waiting = id_marker != Some(version.id.as_str());
                continue;
            }
            if shown.len() + folders.len() >= window.most {
                truncated = true;
                break 'keys;
            }
            shown.push((key, version, age == 0));
        }
    }
    Ok(Answer::xml("ListVersionsResult", |xml| {
        window.head(xml, &request.bucket);
        xml.text("KeyMarker", &window.written(key_marker.unwrap_or_default()));
        xml.text("VersionIdMarker", id_marker.unwrap_or_default());
        xml.text("IsTruncated", if truncated { "true" } else { "false" });
        if let Some((key, version, _)) = shown.last().filter(|_| truncated) {
            xml.text("NextKeyMarker", &window.written(key));
            xml.text("NextVersionIdMarker", &version.id);
        }
        for (key, version, latest) in &shown {
            xml.element(if version.marker { "DeleteMarker" } else { "Version" }, |xml| {
                xml.text("Key", &window.written(key));
                xml.text("VersionId", &version.id);
                xml.text("IsLatest", if *latest { "true" } else { "false" });
                entry(xml, version);
            });
        }
        window.folders(xml, &folders);
    }))
}

pub(super) fn delete_objects(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let document = Element::parse(&request.body, "Delete")?;
    let quiet = document.text_of("Quiet") == Some("true");
    let bypass = request.header("x-amz-bypass-governance-retention") == Some("true");
    state.bucket(&request.bucket)?;
    let mut results = Vec::new();
    for object in document.all("Object") {
        let (key, id) = (object.required("Key")?, object.text_of("VersionId"));
        let done = objects::delete_one(state, &request.bucket, key, id, bypass, now);
        results.push((key.to_owned(), id.map(str::to_owned), done.err()));
    }
    if results.is_empty() || results.len() > 1000 {
        return Err(Error::malformed_xml());
    }
    Ok(Answer::xml("DeleteResult", |xml| {
        for (key, id, error) in &results {
            match error {
                None if quiet => {}
                None => xml.element("Deleted", |xml| {
                    xml.text("Key", key);
                    if let Some(id) = id {
                        xml.text("VersionId", id);
                    }
                }),
                Some(error) => xml.element("Error", |xml| {
                    xml.text("Key", key);
                    xml.text("Code", error.code());
                    xml.text("Message", error.message());
                }),
            }
        }
    }))
}
