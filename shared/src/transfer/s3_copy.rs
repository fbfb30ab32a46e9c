//! S3 to S3, without a byte through this process.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder,
    primitives::DateTime,
    types::{
        MetadataDirective, ObjectLockLegalHoldStatus, ObjectLockRetentionMode, StorageClass, TaggingDirective,
    },
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    digest::crc_text,
    multipart::{
        Condition, Multipart, Part, Parts, Record, Recorded, part_length, parts_crc, parts_fit, slow_call,
        until_stop,
    },
    s3_object::{S3Object, source_error, unquoted},
    target::{Progress, is_final, part_size, tagging, target_error},
};
use crate::{
    error::{Error, FailureClass, Result, System},
    flow::Run,
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
    /// The storage class; without it the bucket's standard one. It is never taken over.
    pub storage_class: Option<StorageClass>,
    /// How the copy is locked from its first moment on.
    pub lock: ObjectLock,
    /// Refuse when there is an object under the key already.
    pub only_if_absent: bool,
}

/// How an object is kept from being deleted, in a bucket with Object Lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectLock {
    /// Until when, and whether anybody may shorten that.
    pub retention: Option<(ObjectLockRetentionMode, Timestamp)>,
    /// Whatever the date, until somebody lifts it.
    pub legal_hold: bool,
}

impl ObjectLock {
    fn mode(&self) -> Option<ObjectLockRetentionMode> {
        self.retention.as_ref().map(|(mode, _)| mode.clone())
    }

    fn until(&self) -> Option<DateTime> {
        self.retention.as_ref().map(|(_, until)| DateTime::from_secs(until.as_second()))
    }

    fn hold(&self) -> Option<ObjectLockLegalHoldStatus> {
        self.legal_hold.then_some(ObjectLockLegalHoldStatus::On)
    }
}

impl CopyTarget {
    /// A target that takes everything over from the source.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), ..Self::default() }
    }

    fn multipart<'copy>(&'copy self, s3: &'copy Client) -> Multipart<'copy> {
        Multipart { s3, bucket: &self.bucket, key: &self.key }
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
    let mut recorded = begin(s3, from, to, sizes, None).await?;
    let outcome = copy_parts(s3, from, to, sizes, &mut recorded, Parts::new(), None).await;
    let error = match outcome {
        Ok(Progress::Done(copied)) => return Ok(copied),
        Ok(Progress::Paused) => Error::bug("copy", "a copy without a record paused"),
        Err(error) => error,
    };
    to.multipart(s3).abort(&recorded.upload).await;
    Err(error)
}

/// As [`copy`], for objects so large that one invocation may not be enough: progress is recorded with `run` under
/// `name`, and the same call continues it in a later one.
///
/// # Errors
/// As [`copy`]. After an error that a repetition can cure, the unfinished upload stays for the next attempt.
pub async fn copy_resumable(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    sizes: CopySizes,
    run: &Run,
    name: &str,
) -> Result<Progress<Copied>> {
    if from.size <= sizes.single {
        return copy_whole(s3, from, to).await.map(Progress::Done);
    }
    let record = Record { run, name };
    let outcome = copy_recorded(s3, from, to, sizes, record).await;
    match &outcome {
        Ok(Progress::Done(_)) => to.multipart(s3).tidy(record).await,
        Err(error) if is_final(error) => to.multipart(s3).abandon(record).await?,
        _ => {}
    }
    outcome
}

async fn copy_recorded(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    sizes: CopySizes,
    record: Record<'_>,
) -> Result<Progress<Copied>> {
    let (mut recorded, parts) = match resume(s3, from, to, record).await? {
        Resumed::Parts(recorded, parts) => (recorded, parts),
        Resumed::Done(copied) => return Ok(Progress::Done(copied)),
        Resumed::Nothing => (begin(s3, from, to, sizes, Some(record)).await?, Parts::new()),
    };
    copy_parts(s3, from, to, sizes, &mut recorded, parts, Some(record)).await
}

async fn copy_whole(s3: &Client, from: &S3Object, to: &CopyTarget) -> Result<Copied> {
    let mut request = s3
        .copy_object()
        .copy_source(copy_source(from))
        .copy_source_if_match(from.quoted_etag())
        .bucket(&to.bucket)
        .key(&to.key)
        .set_storage_class(to.storage_class.clone())
        .set_object_lock_mode(to.lock.mode().map(|mode| mode.as_str().into()))
        .set_object_lock_retain_until_date(to.lock.until())
        .set_object_lock_legal_hold_status(to.lock.hold())
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
    let request = request.customize().config_override(slow_call());
    let output = match request.send().await.map_err(|error| copy_error(to, error)) {
        Ok(output) => output,
        Err(error) if error.code() == "target.exists" => {
            return find_copy(s3, from, to, None).await?.ok_or(error);
        }
        Err(error) => return Err(error),
    };
    let result = output.copy_object_result.as_ref();
    same_crc(from, result.and_then(|result| result.checksum_crc64_nvme()))?;
    Ok(Copied {
        etag: unquoted(result.and_then(|result| result.e_tag()).unwrap_or_default()).to_owned(),
        version_id: output.version_id,
    })
}

async fn begin(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    sizes: CopySizes,
    record: Option<Record<'_>>,
) -> Result<Recorded> {
    let tags = match &to.tags {
        Some(tags) => tags.clone(),
        None => from.tags(s3).await?,
    };
    let create = create(s3, from, to, &tags);
    let fresh = Recorded {
        source: from.mark(),
        upload: String::new(),
        part: part_size(from.size, sizes.part),
        done: 0,
        hasher: None,
        crc64_nvme: None,
    };
    to.multipart(s3).begin(create, fresh, record).await
}

fn create(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    tags: &BTreeMap<String, String>,
) -> CreateMultipartUploadFluentBuilder {
    s3.create_multipart_upload()
        .set_metadata(Some(metadata(from, to).into_iter().collect()))
        .set_content_type(content_type(from, to))
        .set_cache_control(from.content_headers.cache_control.clone())
        .set_content_disposition(from.content_headers.disposition.clone())
        .set_content_encoding(from.content_headers.encoding.clone())
        .set_content_language(from.content_headers.language.clone())
        .set_tagging((!tags.is_empty()).then(|| tagging(tags)))
        .set_storage_class(to.storage_class.clone())
        .set_object_lock_mode(to.lock.mode().map(|mode| mode.as_str().into()))
        .set_object_lock_retain_until_date(to.lock.until())
        .set_object_lock_legal_hold_status(to.lock.hold())
}

enum Resumed {
    Nothing,
    Parts(Recorded, Parts),
    Done(Copied),
}

/// What an earlier attempt left, if it is of this very object. Parts need no record: S3 lists them.
async fn resume(s3: &Client, from: &S3Object, to: &CopyTarget, record: Record<'_>) -> Result<Resumed> {
    let Some(recorded) = record.read() else { return Ok(Resumed::Nothing) };
    if recorded.source != from.mark() {
        // The parts are of another object.
        to.multipart(s3).abort(&recorded.upload).await;
        return Ok(Resumed::Nothing);
    }
    let Some(mut parts) = to.multipart(s3).parts(&recorded.upload).await? else {
        let crc = recorded.crc64_nvme.as_deref();
        let made = if recorded.done > 0 { find_copy(s3, from, to, crc).await? } else { None };
        return Ok(made.map_or(Resumed::Nothing, Resumed::Done));
    };
    parts.retain(|number, part| part.bytes == part_length(*number, recorded.part, from.size));
    Ok(Resumed::Parts(recorded, parts))
}

/// What is under the key when it is a copy of the source by a checksum both state, or has the given one: an earlier attempt of ours whose
/// answer was lost.
async fn find_copy(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    crc64_nvme: Option<&str>,
) -> Result<Option<Copied>> {
    let found = match S3Object::head(s3, &to.bucket, &to.key, None, None).await {
        Ok(found) => found,
        Err(error) if error.class() == FailureClass::Gone => return Ok(None),
        Err(error) => return Err(error),
    };
    let equal = |one: Option<&str>, other: Option<&str>| one.is_some() && one == other;
    let crc64_nvme = crc64_nvme.or(from.checksum_crc64_nvme.as_deref());
    let same = equal(found.checksum_sha256.as_deref(), from.checksum_sha256.as_deref())
        || equal(found.checksum_crc64_nvme.as_deref(), crc64_nvme);
    Ok((same && found.size == from.size).then_some(Copied { etag: found.etag, version_id: found.version_id }))
}

async fn copy_parts(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    sizes: CopySizes,
    recorded: &mut Recorded,
    mut parts: Parts,
    record: Option<Record<'_>>,
) -> Result<Progress<Copied>> {
    let all = from.size.div_ceil(recorded.part);
    let missing: Vec<u64> = (1..=all).filter(|number| !parts.contains_key(number)).collect();
    let copying = {
        let recorded = &*recorded;
        let mut copying = stream::iter(missing)
            .map(|number| copy_part(s3, from, to, recorded, number))
            .buffer_unordered(sizes.parallel.max(1));
        let parts = &mut parts;
        async move {
            while let Some(part) = copying.next().await {
                let (number, part) = part?;
                parts.insert(number, part);
            }
            Ok::<(), Error>(())
        }
    };
    match record {
        Some(record) => match until_stop(record.run, copying).await {
            Some(copied) => copied?,
            None => return Ok(Progress::Paused),
        },
        None => copying.await?,
    }
    if !parts_fit(&parts, all, recorded.part, from.size) {
        return Err(differs("S3 lists other parts than were copied"));
    }
    recorded.done = all;
    recorded.crc64_nvme = from.checksum_crc64_nvme.clone().or_else(|| parts_crc(&parts, all).map(crc_text));
    if let Some(record) = record {
        // Stops a worker whose claim has ended before it makes the object.
        record.write(recorded).await?;
    }
    let crc = recorded.crc64_nvme.as_deref();
    let multipart = to.multipart(s3);
    let condition = if to.only_if_absent { Condition::Absent } else { Condition::None };
    let written = multipart.complete(&recorded.upload, &parts, from.size, crc, condition).await;
    let written = match written {
        Ok(written) => written,
        Err(error) if matches!(error.code(), "target.exists" | "target.upload-gone") => {
            multipart.abort(&recorded.upload).await;
            return find_copy(s3, from, to, crc).await?.map(Progress::Done).ok_or(error);
        }
        Err(error) => return Err(error),
    };
    same_crc(from, written.checksum_crc64_nvme.as_deref())?;
    Ok(Progress::Done(Copied { etag: written.etag, version_id: written.version_id }))
}

async fn copy_part(
    s3: &Client,
    from: &S3Object,
    to: &CopyTarget,
    recorded: &Recorded,
    number: u64,
) -> Result<(u64, Part)> {
    let start = (number - 1) * recorded.part;
    let bytes = part_length(number, recorded.part, from.size);
    let output = s3
        .upload_part_copy()
        .copy_source(copy_source(from))
        .copy_source_if_match(from.quoted_etag())
        .copy_source_range(format!("bytes={start}-{}", start + bytes - 1))
        .bucket(&to.bucket)
        .key(&to.key)
        .upload_id(&recorded.upload)
        .set_part_number(i32::try_from(number).ok())
        .customize()
        .config_override(slow_call())
        .send()
        .await
        .map_err(|error| copy_error(to, error))?;
    let (etag, crc64_nvme) =
        output.copy_part_result.map(|result| (result.e_tag, result.checksum_crc64_nvme)).unwrap_or_default();
    Ok((number, Part { etag, crc64_nvme, bytes }))
}

/// A copy whose checksum differs from what the source states is not a copy.
fn same_crc(from: &S3Object, found: Option<&str>) -> Result<()> {
    match (from.checksum_crc64_nvme.as_deref(), found) {
        // A hyphen marks a checksum over the checksums of parts.
        (Some(stated), Some(found)) if stated != found && !found.contains('-') => {
            Err(differs("the copy has another CRC64-NVME than its source"))
        }
        _ => Ok(()),
    }
}

fn differs(message: &'static str) -> Error {
    Error::new(FailureClass::Transient, System::S3, "copy", "target.differs", message)
}

fn metadata(from: &S3Object, to: &CopyTarget) -> BTreeMap<String, String> {
    to.user_metadata.clone().unwrap_or_else(|| from.user_metadata.clone())
}

fn content_type(from: &S3Object, to: &CopyTarget) -> Option<String> {
    to.content_type.clone().or_else(|| from.content_type.clone())
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
