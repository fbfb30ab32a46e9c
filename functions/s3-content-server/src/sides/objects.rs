//! The objects of buckets.

use aws_sdk_s3::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    aws::classify,
    error::{Error, Result, System},
    reconcile::{Listed, Page},
};

use super::{read_cursor, write_cursor};

const OPERATION: &str = "list objects";

/// The keys of a bucket that begin alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// Which of the prefixes.
    place: usize,
    /// The last key that was listed.
    key: Option<String>,
    /// Its version.
    version: Option<String>,
}

/// The objects under prefixes, one page of one prefix at a time. Each fact: `bucket`, `key`, `size`.
pub(crate) async fn list_objects(s3: &Client, places: &[Prefix], cursor: Option<&str>) -> Result<Page> {
    let at: Cursor = read_cursor(cursor)?;
    let Some(place) = places.get(at.place) else { return Ok(Page::default()) };
    let list = s3.list_objects_v2().bucket(&place.bucket).prefix(&place.prefix).set_start_after(at.key);
    let output = list.send().await.map_err(refused)?;
    let mut items = Vec::new();
    let mut last = None;
    for object in output.contents() {
        let Some(key) = object.key() else { continue };
        last = Some(key.to_owned());
        items.push(Listed {
            key: format!("s3://{}/{key}", place.bucket),
            facts: json!({"bucket": place.bucket, "key": key, "size": object.size()}),
        });
    }
    let next = match (output.is_truncated() == Some(true), last) {
        (true, Some(key)) => Cursor { place: at.place, key: Some(key), version: None },
        _ => Cursor { place: at.place + 1, ..Cursor::default() },
    };
    let next = if next.place < places.len() { Some(write_cursor(&next)?) } else { None };
    Ok(Page { items, next })
}

/// One version of one object, as a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedVersion {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Nothing in a bucket that keeps no versions.
    pub(crate) version: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) size: u64,
    /// Whether it is the one that is read without naming a version.
    pub(crate) latest: bool,
}

/// Every version of every object of buckets, one page of one bucket at a time; delete markers are none. Each fact is a
/// [`ListedVersion`].
pub(crate) async fn list_versions(s3: &Client, buckets: &[String], cursor: Option<&str>) -> Result<Page> {
    let at: Cursor = read_cursor(cursor)?;
    let Some(bucket) = buckets.get(at.place) else { return Ok(Page::default()) };
    let list = s3.list_object_versions().bucket(bucket).set_key_marker(at.key);
    let output = list.set_version_id_marker(at.version).send().await.map_err(refused)?;
    let mut items = Vec::new();
    for version in output.versions() {
        let Some(key) = version.key() else { continue };
        let id = version.version_id().filter(|id| *id != "null");
        let listed = ListedVersion {
            bucket: bucket.clone(),
            key: key.to_owned(),
            version: id.map(str::to_owned),
            etag: version.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
            size: version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            latest: version.is_latest() == Some(true),
        };
        items.push(Listed {
            key: format!(
                "s3://{bucket}/{key}{}",
                id.map(|id| format!("?versionId={id}")).unwrap_or_default()
            ),
            facts: serde_json::to_value(&listed)
                .map_err(|error| Error::bug(OPERATION, "a version is not JSON").source(error))?,
        });
    }
    let next = match (output.is_truncated() == Some(true), output.next_key_marker) {
        (true, Some(key)) => {
            Cursor { place: at.place, key: Some(key), version: output.next_version_id_marker }
        }
        _ => Cursor { place: at.place + 1, ..Cursor::default() },
    };
    let next = if next.place < buckets.len() { Some(write_cursor(&next)?) } else { None };
    Ok(Page { items, next })
}

fn refused<E>(error: aws_sdk_s3::error::SdkError<E, aws_sdk_s3::config::http::HttpResponse>) -> Error
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    classify(System::S3, OPERATION, error).remedy("let this function list the bucket, and its versions")
}
