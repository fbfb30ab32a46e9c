//! What objects are told by their tags.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    Client,
    types::{Tag, Tagging},
};
use shared::{
    aws::classify,
    error::{Error, Result, System},
    transfer::S3Object,
};

/// Tags an object can have.
const MOST_TAGS: usize = 10;

/// Adds tags to an object version. False when it has no room for them; nothing is written when they are there.
pub(crate) async fn add(s3: &Client, object: &S3Object, added: &[(&str, &str)]) -> Result<bool> {
    let there = object.tags(s3).await?;
    let mut tags = there.clone();
    for (name, value) in added {
        tags.insert((*name).to_owned(), (*value).to_owned());
    }
    if tags.len() > MOST_TAGS {
        return Ok(false);
    }
    if tags != there {
        put(s3, object, tags).await?;
    }
    Ok(true)
}

/// Replaces an object version's tags.
async fn put(s3: &Client, object: &S3Object, tags: BTreeMap<String, String>) -> Result<()> {
    let broken = |error| Error::bug("tag source", "a tag is incomplete").source(error);
    let tags = tags
        .into_iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(broken))
        .collect::<Result<Vec<_>>>()?;
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().map_err(broken)?;
    s3.put_object_tagging()
        .bucket(&object.bucket)
        .key(&object.key)
        .set_version_id(object.version_id.clone())
        .tagging(tagging)
        .send()
        .await
        .map(drop)
        .map_err(|error| classify(System::S3, "tag source", error))
}
