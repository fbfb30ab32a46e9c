//! Small files and lists in S3.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use shared::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    transfer::Digests,
};

use super::{ArchiveClosedFiles, again};

/// One object of a listing.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) size: u64,
    /// An archive class, in which it cannot be read.
    archived: bool,
    /// Until when S3 has brought it out and it can be read, in seconds.
    restored: Option<i64>,
}

impl Listed {
    /// Whether it cannot be read, as far as the listing tells.
    pub(super) fn is_away(&self) -> bool {
        self.archived && self.restored.is_none()
    }

    /// Until when it can be read; nothing for what can be read at any time, or not at all.
    pub(super) fn readable_until(&self) -> Option<Timestamp> {
        self.restored.and_then(|until| Timestamp::from_second(until).ok())
    }
}

impl ArchiveClosedFiles {
    /// Writes a file; gives its digests.
    pub(super) async fn put(&self, bucket: &str, key: &str, text: Vec<u8>) -> Result<Digests> {
        let digests = Digests::of(&text);
        let kind = if key.ends_with(".json") { "application/json" } else { "text/plain; charset=utf-8" };
        self.s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type(kind)
            .checksum_sha256(digests.sha256_base64()?)
            .body(text.into())
            .send()
            .await
            .map_err(|error| {
                classify(System::S3, "write a file of the bag", error)
                    .remedy("let this function put objects into the bucket")
            })?;
        Ok(digests)
    }

    /// Writes something as JSON.
    pub(super) async fn put_json<T: Serialize>(&self, bucket: &str, key: &str, value: &T) -> Result<Digests> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| Error::bug("write JSON", "a file of the bag is not JSON").source(error))?;
        text.push(b'\n');
        self.put(bucket, key, text).await
    }

    /// Reads a whole file; nothing when it is not there.
    pub(super) async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let answer = self.s3.get_object().bucket(bucket).key(key).send().await;
        let output = match answer.map_err(|error| classify(System::S3, "read a file of the bag", error)) {
            Ok(output) => output,
            Err(error) if error.class() == FailureClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = output.body.collect().await.map_err(|error| {
            again("archive.read-cut", "a file of the bag broke off while it was read").source(error)
        })?;
        Ok(Some(bytes.into_bytes().to_vec()))
    }

    /// Reads what an earlier step wrote as JSON.
    pub(super) async fn get_json<T: DeserializeOwned>(&self, bucket: &str, key: &str) -> Result<Option<T>> {
        let Some(bytes) = self.get(bucket, key).await? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            again("archive.list-damaged", "a list of this flow could not be read").source(error)
        })
    }

    /// Every object under a prefix, by the rest of its key.
    pub(super) async fn list(&self, bucket: &str, prefix: &str) -> Result<BTreeMap<String, Listed>> {
        let (mut found, mut token) = (BTreeMap::new(), None);
        let now = self.environment.context.now().as_second();
        loop {
            let page = self
                .s3
                .list_objects_v2()
                .bucket(bucket)
                .prefix(prefix)
                .optional_object_attributes(aws_sdk_s3::types::OptionalObjectAttributes::RestoreStatus)
                .set_continuation_token(token)
                .send()
                .await
                .map_err(|error| classify(System::S3, "list a bag", error))?;
            for object in page.contents() {
                let Some(path) = object.key().and_then(|key| key.strip_prefix(prefix)) else { continue };
                let class = object.storage_class().map(aws_sdk_s3::types::ObjectStorageClass::as_str);
                let listed = Listed {
                    size: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                    archived: matches!(class, Some("GLACIER" | "DEEP_ARCHIVE")),
                    restored: object
                        .restore_status()
                        .filter(|status| status.is_restore_in_progress() != Some(true))
                        .and_then(|status| status.restore_expiry_date())
                        .map(aws_sdk_s3::primitives::DateTime::secs)
                        .filter(|until| *until > now),
                };
                found.insert(path.to_owned(), listed);
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}
