//! S3 to S3, without a byte through this process.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder,
    types::{
        ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, MetadataDirective,
        TaggingDirective,
    },
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::s3_object::{S3Object, source_error, unquoted};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// What a `CopySource` may hold as it is; everything else is percent-encoded. `+` would be read as a space.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a copy goes and what differs from the source.
#[derive(Debug, Clone, Default)]
pub struct CopyTarget {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// User metadata instead of the source's.
    pub user_metadata: Option<BTreeMap<String, String>>,
    /// Content type instead of the source's.
    pub content_type: Option<String>,
    /// Tags instead of the source's.
    pub tags: Option<BTreeMap<String, String>>,
    /// Refuse when there is an object under the key already.
    pub only_if_absent: bool,
}

impl CopyTarget {
    /// A target that takes everything over from the source.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), ..Self::default() }
    }
}

/// The sizes at which copies are cut.
#[derive(Debug, Clone, Copy)]
pub struct CopySizes {
    /// The largest object copied in one call. S3 allows 5 GiB.
    pub single: u64,
    /// The least size of a part, but for the last one. S3 asks for 5 MiB and allows 5 GiB.
    pub part: u64,
    /// Parts under way at a time.
    pub parallel: usize,
}

impl Default for CopySizes {
    fn default() -> Self {
        Self { single: 5 << 30, part: 256 << 20, parallel: 4 }
    }
}

/// What a copy made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its version mark, without quotes.
    pub etag: String,
    /// Its version, in a bucket that keeps them.
    pub version_id: Option<String>,
}

/// Copies an object inside S3: in one call, or part by part when it is too large for that. It is the object that was
/// looked at, or nothing. Content type, the other headers, user metadata and tags go with it.
///
/// # Errors
/// `Gone`: `source.gone`, `source.replaced`. `Conflict`: `target.exists` when it must be absent. Whatever fails, no
/// unfinished upload is left behind unless S3 itself cannot be reached.
pub async fn copy(s3: &Client, from: &S3Object, to: &CopyTarget, sizes: CopySizes) -> Result<Copied> {
    if from.size <= sizes.single {
        return copy_whole(s3, from, to).await;
    }
    copy_parts(s3, from, to, sizes).await
}

async fn copy_whole(s3: &Client, from: &S3Object, to: &CopyTarget) -> Result<Copied> {
    let mut request = s3
        .copy_object()
        .copy_source(copy_source(from))
        .copy_source_if_match(from.quoted_etag())
        .bucket(&to.bucket)
        .key(&to.key)
        .set_if_none_match(to.only_if_absent.then(|| "*".to_owned()));
    if to.user_metadata.is_some() || to.content_type.is_some() {
        request = request
            .metadata_directive(MetadataDirective::Replace)
            .set_metadata(Some(metadata(from, to).into_iter().collect()))
            .set_content_type(content_type(from, to))
            .set_cache_control(from.content_headers.cache_control.clone())
            .set_content_disposition(from.content_headers.disposition.clone())
            .set_content_encoding(from.content_headers.encoding.clone())
            .set_content_language(from.content_headers.language.clone());
    }
    if let Some(tags) = &to.tags {
        request = request.tagging_directive(TaggingDirective::Replace).tagging(tagging(tags));
    }
    let output = request.send().await.map_err(|error| copy_error(to, error))?;
    let result = output.copy_object_result.as_ref();
    same_crc(from, result.and_then(|result| result.checksum_crc64_nvme()))?;
    Ok(Copied {
        etag: unquoted(result.and_then(|result| result.e_tag()).unwrap_or_default()).to_owned(),
        version_id: output.version_id,
    })
}

async fn copy_parts(s3: &Client, from: &S3Object, to: &CopyTarget, sizes: CopySizes) -> Result<Copied> {
    let tags = match &to.tags {
        Some(tags) => tags.clone(),
        None => from.tags(s3).await?,
    };
    let upload =
        create(s3, from, to, &tags).send().await.map_err(|error| target_error("begin copy", error))?;
    let upload = upload.upload_id.ok_or_else(|| Error::bug("begin copy", "an upload without an id"))?;
    let outcome = copy_all_parts(s3, from, to, sizes, &upload).await;
    let parts = match outcome {
        Ok(parts) => parts,
        Err(error) => {
            abort(s3, to, &upload).await;
            return Err(error);
        }
    };
    let output = s3
        .complete_multipart_upload()
        .bucket(&to.bucket)
        .key(&to.key)
        .upload_id(&upload)
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
        .checksum_type(ChecksumType::FullObject)
        .set_checksum_crc64_nvme(from.checksum_crc64_nvme.clone())
        .set_if_none_match(to.only_if_absent.then(|| "*".to_owned()))
        .send()
        .await;
    match output {
        Ok(output) => {
            same_crc(from, output.checksum_crc64_nvme())?;
            Ok(Copied {
                etag: unquoted(output.e_tag().unwrap_or_default()).to_owned(),
                version_id: output.version_id,
            })
        }
        Err(error) => {
            let error = target_error("complete copy", error);
            abort(s3, to, &upload).await;
            Err(error)
        }
    }
}

fn create(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    tags: &BTreeMap<String, String>,
) -> CreateMultipartUploadFluentBuilder {
    s3.create_multipart_upload()
        .bucket(&to.bucket)
        .key(&to.key)
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
        .checksum_type(ChecksumType::FullObject)
        .set_metadata(Some(metadata(from, to).into_iter().collect()))
        .set_content_type(content_type(from, to))
        .set_cache_control(from.content_headers.cache_control.clone())
        .set_content_disposition(from.content_headers.disposition.clone())
        .set_content_encoding(from.content_headers.encoding.clone())
        .set_content_language(from.content_headers.language.clone())
        .set_tagging((!tags.is_empty()).then(|| tagging(tags)))
}

async fn copy_all_parts(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    sizes: CopySizes,
    upload: &str,
) -> Result<Vec<CompletedPart>> {
    let size = part_size(from.size, sizes.part);
    stream::iter(1..=from.size.div_ceil(size))
        .map(|number| async move {
            let start = (number - 1) * size;
            let last = (start + size).min(from.size) - 1;
            let number = i32::try_from(number).map_err(|_| Error::bug("copy part", "too many parts"))?;
            let output = s3
                .upload_part_copy()
                .copy_source(copy_source(from))
                .copy_source_if_match(from.quoted_etag())
                .copy_source_range(format!("bytes={start}-{last}"))
                .bucket(&to.bucket)
                .key(&to.key)
                .upload_id(upload)
                .part_number(number)
                .send()
                .await
                .map_err(|error| copy_error(to, error))?;
            let result = output.copy_part_result;
            Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(result.as_ref().and_then(|result| result.e_tag.clone()))
                .set_checksum_crc64_nvme(result.and_then(|result| result.checksum_crc64_nvme))
                .build())
        })
        .buffered(sizes.parallel.max(1))
        .try_collect()
        .await
}

/// The size of a part: at least `least`, and large enough that no more than 10,000 are needed.
pub(super) fn part_size(length: u64, least: u64) -> u64 {
    least.max(length.div_ceil(10_000)).max(1)
}

async fn abort(s3: &Client, to: &CopyTarget, upload: &str) {
    let outcome = s3.abort_multipart_upload().bucket(&to.bucket).key(&to.key).upload_id(upload).send().await;
    if let Err(error) = outcome {
        let error = classify(System::S3, "abort copy", error);
        tracing::warn!(%error, "an unfinished upload is left to the bucket's lifecycle rule");
    }
}

/// A copy whose checksum differs from what the source states is not a copy.
fn same_crc(from: &S3Object, found: Option<&str>) -> Result<()> {
    match (from.checksum_crc64_nvme.as_deref(), found) {
        // A hyphen marks a checksum over the checksums of parts.
        (Some(stated), Some(found)) if stated != found && !found.contains('-') => Err(Error::new(
            FailureClass::Transient,
            System::S3,
            "copy",
            "target.differs",
            "the copy has another CRC64-NVME than its source",
        )),
        _ => Ok(()),
    }
}

fn metadata(from: &S3Object, to: &CopyTarget) -> BTreeMap<String, String> {
    to.user_metadata.clone().unwrap_or_else(|| from.user_metadata.clone())
}

fn content_type(from: &S3Object, to: &CopyTarget) -> Option<String> {
    to.content_type.clone().or_else(|| from.content_type.clone())
}

pub(super) fn tagging(tags: &BTreeMap<String, String>) -> String {
    serde_urlencoded::to_string(tags).unwrap_or_default()
}

fn copy_source(from: &S3Object) -> String {
    let key = utf8_percent_encode(&from.key, KEPT);
    match &from.version_id {
        Some(version) => format!("{}/{key}?versionId={}", from.bucket, utf8_percent_encode(version, KEPT)),
        None => format!("{}/{key}", from.bucket),
    }
}

/// What a refusal to copy means. The source and the target answer in one place, so the code decides whose it is.
fn copy_error<E>(to: &CopyTarget, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (status, error.code().unwrap_or_default()) {
        (_, "NoSuchBucket" | "NoSuchUpload" | "AccessDenied" | "ConditionalRequestConflict") => {
            target_error("copy", error)
        }
        (Some(412), _) if to.only_if_absent => {
            // Both conditions are refused alike. The reader that follows finds out about the source.
            target_error("copy", error)
        }
        _ => source_error("copy", error),
    }
}

/// What a refusal by the place something is written to means.
pub(super) fn target_error<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let name = error.code().unwrap_or_default().to_owned();
    let error = classify(System::S3, operation, error);
    match (status, name.as_str()) {
        (_, "NoSuchBucket") => error
            .with_class(FailureClass::Forbidden)
            .with_code("target.bucket-missing")
            .remedy("create the bucket or correct its name in the configuration"),
        (_, "NoSuchUpload") => error.with_class(FailureClass::Conflict).with_code("target.upload-gone"),
        (_, "ConditionalRequestConflict") => error.with_class(FailureClass::Conflict),
        (Some(412), _) => error.with_class(FailureClass::Conflict).with_code("target.exists"),
        (Some(403), _) => error
            .with_code("target.forbidden")
            .remedy("grant s3:PutObject, s3:PutObjectTagging and s3:AbortMultipartUpload on the bucket"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_large_enough_that_ten_thousand_hold_five_tebibytes() {
        assert_eq!(part_size(6 << 30, 256 << 20), 256 << 20);
        let largest = 5 << 40;
        assert!(largest / part_size(largest, 8 << 20) <= 10_000);
        assert!(part_size(largest, 8 << 20) <= 5 << 30);
    }
}
