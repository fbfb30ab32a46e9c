//! `CopyObject`, and the source that part copies share with it.

use percent_encoding::percent_decode_str;

use super::answer::{Answer, checksum_elements, iso_date, quoted};
use super::checksum::{self, Algorithm, Checksum};
use super::conditions::{check_read, check_write};
use super::error::{Error, Result};
use super::locks;
use super::notification::Cause;
use super::objects::description;
use super::request::Request;
use super::state::{Description, Restoration, State, Version};

/// The version `x-amz-copy-source` names, and the version id to report.
pub(super) fn source(state: &mut State, request: &Request) -> Result<(Version, Option<String>)> {
    let text = request.header("x-amz-copy-source").unwrap_or_default();
    let invalid = || {
        Error::invalid_argument(
            "x-amz-copy-source",
            text,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    };
    let (path, id) = match text.split_once("?versionId=") {
        Some((path, id)) => (path, Some(id)),
        None => (text, None),
    };
    let path = percent_decode_str(path).decode_utf8().map_err(|_| invalid())?;
    let (bucket, key) = path.trim_start_matches('/').split_once('/').ok_or_else(invalid)?;
    let bucket = state.bucket(bucket)?;
    let version = bucket.find(key, id)?.clone();
    check_read(request, "x-amz-copy-source-", &version)?;
    let restored = matches!(version.description.restoration, Some(Restoration::Until(_)));
    if version.description.is_archived() && !restored {
        return Err(Error::new(
            403,
            "InvalidObjectState",
            "Operation is not valid for the source object's storage class",
        ));
    }
    let shown = bucket.shown_id(&version).map(str::to_owned);
    Ok((version, shown))
}

fn copied(request: &Request, source: &Description) -> Result<Description> {
    let given = description(request)?;
    let directive = |name: &str| request.header(name).unwrap_or("COPY") == "REPLACE";
    let mut result = if directive("x-amz-metadata-directive") {
        given.clone()
    } else {
        Description { headers: source.headers.clone(), metadata: source.metadata.clone(), ..given.clone() }
    };
    result.tags = if directive("x-amz-tagging-directive") { given.tags } else { source.tags.clone() };
    // The class of the copy is never inherited.
    result.headers.remove("x-amz-storage-class");
    if let Some(class) = request.header("x-amz-storage-class") {
        result.headers.insert("x-amz-storage-class".to_owned(), class.to_owned());
    }
    Ok(result)
}

pub(super) fn object(state: &mut State, request: &Request, now: i64) -> Result<Answer> {
    let (source, source_id) = source(state, request)?;
    let text =
        percent_decode_str(request.header("x-amz-copy-source").unwrap_or_default()).decode_utf8_lossy();
    let itself = text.trim_start_matches('/') == format!("{}/{}", request.bucket, request.key);
    let changed = request.header("x-amz-metadata-directive") == Some("REPLACE")
        || request.header("x-amz-storage-class").is_some()
        || request.header("x-amz-server-side-encryption").is_some();
    if itself && !changed {
        return Err(Error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let wanted = request.header("x-amz-checksum-algorithm").map(Algorithm::named).transpose()?;
    let algorithm = wanted.or(source.checksum.as_ref().map(|checksum| checksum.algorithm));
    let description = copied(request, &source.description)?;
    let number = state.next();
    let bucket = state.bucket(&request.bucket)?;
    locks::check_allowed(bucket, &description)?;
    check_write(request, bucket)?;
    let version = Version {
        id: String::new(),
        marker: false,
        etag: checksum::etag(&source.data),
        modified: now,
        description,
        checksum: Some(Checksum::of(algorithm.unwrap_or(Algorithm::Crc64Nvme), &source.data)),
        parts: Vec::new(),
        data: source.data,
    };
    bucket.add(&request.key, version, number);
    let version = bucket.find(&request.key, None)?;
    let answer = Answer::xml("CopyObjectResult", |xml| {
        xml.text("ETag", &quoted(&version.etag));
        xml.text("LastModified", &iso_date(now));
        checksum_elements(xml, version.checksum.as_ref());
    });
    let answer = answer
        .optional("x-amz-version-id", bucket.shown_id(version))
        .optional("x-amz-copy-source-version-id", source_id);
    state.notify(&request.bucket, &request.key, Cause::Copy, now);
    Ok(answer.header("x-amz-server-side-encryption", "AES256"))
}
