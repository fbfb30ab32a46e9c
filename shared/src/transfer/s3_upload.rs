//! Any source into S3: in one call when it is small, otherwise part by part, over as many invocations as it takes.
//!
//! Nothing is kept but the frames on their way and the state of the hash, whatever the length. Parts go one after the
//! other, because SHA-256 must see the bytes in order; reading and writing overlap within a part.

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, StorageClass},
};
use aws_smithy_types::body::SdkBody;
use bytes::BytesMut;
use http_body_util::BodyExt;

use super::{
    digest::{Digests, Hasher, crc_combine, crc_value},
    multipart::{
        Condition, Multipart, Part, Parts, Record, Recorded, part_length, parts_crc, parts_fit, slow_call,
        until_stop,
    },
    s3_object::{S3Object, unquoted},
    target::{Progress, find_same, is_final, part_size, tagging, target_error},
    witness::{Witness, body_error, exactly},
};
use crate::{
    error::{Error, FailureClass, Result, System},
    flow::Run,
    http::Body,
};

/// Attempts at one part within one invocation.
const ATTEMPTS: u32 = 3;
/// The longest pause between two of them, doubled each time.
const PAUSE: Duration = Duration::from_millis(500);

type Opening = Pin<Box<dyn Future<Output = Result<Body>> + Send>>;

/// A content of known length that can be read from anywhere, and is the same each time.
#[derive(Clone)]
pub struct RangedSource {
    mark: Arc<str>,
    length: u64,
    open: Arc<dyn Fn(u64, u64) -> Opening + Send + Sync>,
}

impl RangedSource {
    /// A content of `length` bytes; `open` reads so many bytes (second) from an offset (first). `mark` tells it from
    /// every other content it could be replaced by (a version id, say): an upload is continued only under its mark.
    pub fn new<F, Fut>(mark: &str, length: u64, open: F) -> Self
    where
        F: Fn(u64, u64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Body>> + Send + 'static,
    {
        Self {
            mark: mark.into(),
            length,
            open: Arc::new(move |offset, length| Box::pin(open(offset, length))),
        }
    }

    /// An object in S3 (another account or Region, say; within one, [`copy`](super::copy) moves no bytes).
    pub fn from_object(object: &S3Object, s3: &Client) -> Self {
        let (object, s3) = (object.clone(), s3.clone());
        Self::new(&object.mark(), object.size, move |offset, length| {
            let (object, s3) = (object.clone(), s3.clone());
            async move { object.open(&s3, Some(offset..offset + length)).await }
        })
    }

    /// What tells it from every other content it could be replaced by.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads `length` bytes from `offset`. The body fails unless it is exactly that long.
    ///
    /// # Errors
    /// What the source says.
    pub async fn open(&self, offset: u64, length: u64) -> Result<Body> {
        Ok(exactly((self.open)(offset, length).await?, length))
    }
}

impl fmt::Debug for RangedSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RangedSource").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Where an upload goes.
#[derive(Debug, Clone, Default)]
pub struct UploadTarget {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// Content type.
    pub content_type: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// User metadata, without `x-amz-meta-`.
    pub user_metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The storage class; without it the bucket's standard one.
    pub storage_class: Option<StorageClass>,
    /// Refuse when there is another content under the key already.
    pub only_if_absent: bool,
    /// Refuse unless the object under the key has this ETag, without quotes.
    pub only_over: Option<String>,
    /// Send a whole object once only: when its answer is lost, say so (`UnknownOutcome`) instead of sending it again.
    /// For keys that others take away: a request that was thought lost may still arrive.
    pub once: bool,
}

impl UploadTarget {
    /// A target without more than its name.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), ..Self::default() }
    }

    fn condition(&self) -> Condition<'_> {
        match &self.only_over {
            _ if self.only_if_absent => Condition::Absent,
            Some(etag) => Condition::Over(etag),
            None => Condition::None,
        }
    }

    fn multipart<'upload>(&'upload self, s3: &'upload Client) -> Multipart<'upload> {
        Multipart { s3, bucket: &self.bucket, key: &self.key }
    }
}

/// The sizes at which uploads are cut.
#[derive(Debug, Clone, Copy)]
pub struct UploadSizes {
    /// The largest content uploaded in one call, held in memory for it.
    pub single: u64,
    /// The least size of a part, but for the last one. S3 asks for 5 MiB and allows 5 GiB.
    pub part: u64,
    /// How many bytes may pass until progress is recorded.
    pub record_every: u64,
}

impl Default for UploadSizes {
    fn default() -> Self {
        Self { single: 8 << 20, part: 16 << 20, record_every: 256 << 20 }
    }
}

/// What an upload made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Its version mark, without quotes.
    pub etag: String,
    /// Its version, in a bucket that keeps them.
    pub version_id: Option<String>,
    /// What was read and is there.
    pub digests: Digests,
}

/// Uploads a content. It is there whole and with the hash that was read, or not at all.
///
/// Progress is recorded with `run` under `name`; called again with the same name by a later attempt, it goes on where
/// the last one was, with the same state of the hash. Two attempts on one item never share an upload they both write.
///
/// # Errors
/// `Conflict`: `target.exists` when there must be nothing and there is another content. What the source says. After an
/// error that no repetition can cure, no unfinished upload is left.
pub async fn upload(
    s3: &Client,
    source: &RangedSource,
    to: &UploadTarget,
    sizes: UploadSizes,
    run: &Run,
    name: &str,
) -> Result<Progress<Uploaded>> {
    if source.length() <= sizes.single {
        return upload_whole(s3, source, to).await.map(Progress::Done);
    }
    let outcome = upload_parts(s3, source, to, sizes, Record { run, name }).await;
    match &outcome {
        Ok(Progress::Done(_)) => to.multipart(s3).tidy(Record { run, name }).await,
        Err(error) if is_final(error) => abandon(s3, to, run, name).await?,
        _ => {}
    }
    outcome
}

/// Ends an upload that will not be continued: for items that are put aside.
///
/// # Errors
/// When S3 cannot be asked for unfinished uploads.
pub async fn abandon(s3: &Client, to: &UploadTarget, run: &Run, name: &str) -> Result<()> {
    to.multipart(s3).abandon(Record { run, name }).await
}

async fn upload_whole(s3: &Client, source: &RangedSource, to: &UploadTarget) -> Result<Uploaded> {
    let mut body = source.open(0, source.length()).await?;
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(body_error)?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    let digests = Digests::of(&bytes);
    let outcome = s3
        .put_object()
        .bucket(&to.bucket)
        .key(&to.key)
        .checksum_sha256(digests.sha256_base64()?)
        .set_content_type(to.content_type.clone())
        .set_content_disposition(to.content_disposition.clone())
        .set_metadata(Some(to.user_metadata.clone().into_iter().collect()))
        .set_tagging((!to.tags.is_empty()).then(|| tagging(&to.tags)))
        .set_storage_class(to.storage_class.clone())
        .set_if_none_match(to.only_if_absent.then(|| "*".to_owned()))
        .set_if_match(to.only_over.as_ref().map(|etag| format!("\"{etag}\"")))
        .body(ByteStream::from(bytes.freeze()))
        .customize()
        .config_override(attempts(to.once))
        .send()
        .await
        .map_err(|error| target_error("upload", error));
    match outcome {
        Ok(output) => Ok(Uploaded {
            etag: unquoted(output.e_tag().unwrap_or_default()).to_owned(),
            version_id: output.version_id,
            digests,
        }),
        Err(error) if error.code() == "target.exists" => found_instead(s3, to, digests, error).await,
        Err(error) if to.once && matches!(error.code(), "aws.no-answer" | "aws.timeout" | "aws.answer") => {
            Err(error.with_class(FailureClass::UnknownOutcome))
        }
        Err(error) => Err(error),
    }
}

fn attempts(once: bool) -> aws_sdk_s3::config::Builder {
    let config = aws_sdk_s3::config::Builder::new();
    if once { config.retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()) } else { config }
}

/// After a refusal: the object may be our own, whose answer was lost.
async fn found_instead(s3: &Client, to: &UploadTarget, digests: Digests, error: Error) -> Result<Uploaded> {
    match find_same(s3, &to.bucket, &to.key, &digests).await? {
        Some(found) => Ok(Uploaded { etag: found.etag, version_id: found.version_id, digests }),
        None => Err(error),
    }
}

/// An upload under way in this invocation.
struct Work {
    recorded: Recorded,
    hasher: Hasher,
    parts: Parts,
    unrecorded: u64,
}

impl Work {
    async fn record(&mut self, record: Record<'_>) -> Result<()> {
        if self.unrecorded > 0 {
            self.recorded.hasher = Some(self.hasher.state());
            record.write(&self.recorded).await?;
            self.unrecorded = 0;
        }
        Ok(())
    }
}

async fn upload_parts(
    s3: &Client,
    source: &RangedSource,
    to: &UploadTarget,
    sizes: UploadSizes,
    record: Record<'_>,
) -> Result<Progress<Uploaded>> {
    let length = source.length();
    let mut work = match resume(s3, source, to, record).await? {
        Resumed::Work(work) => *work,
        Resumed::Done(uploaded) => return Ok(Progress::Done(uploaded)),
        Resumed::Nothing => begin(s3, source, to, sizes, record).await?,
    };
    let all = length.div_ceil(work.recorded.part);
    while work.recorded.done < all {
        if record.run.must_stop() {
            work.record(record).await?;
            return Ok(Progress::Paused);
        }
        let Some(sent) = until_stop(record.run, send_part(s3, source, to, &work, record.run)).await else {
            work.record(record).await?;
            return Ok(Progress::Paused);
        };
        let (part, hasher) = match sent {
            Ok(sent) => sent,
            Err(error) => {
                // What is there is worth keeping, but the reason of the failure is what counts.
                let _ = work.record(record).await;
                return Err(error);
            }
        };
        work.recorded.done += 1;
        work.unrecorded += part.bytes;
        work.hasher = hasher;
        work.parts.insert(work.recorded.done, part);
        // The last one is always recorded: whoever comes after a lost completion must know that all was there. It is
        // also what stops a worker whose claim has ended.
        if work.unrecorded >= sizes.record_every || work.recorded.done == all {
            work.record(record).await?;
        }
    }
    finish(s3, to, length, work).await.map(Progress::Done)
}

async fn finish(s3: &Client, to: &UploadTarget, length: u64, work: Work) -> Result<Uploaded> {
    let digests = work.hasher.finish();
    if digests.bytes != length {
        return Err(Error::bug("complete upload", "the hash has not seen every byte"));
    }
    // Parts beyond the last belong to nothing.
    let parts = work.parts.into_iter().filter(|(number, _)| *number <= work.recorded.done).collect();
    let crc = Some(digests.crc64_nvme.as_str());
    let outcome = to.multipart(s3).complete(&work.recorded.upload, &parts, length, crc, to.condition()).await;
    match outcome {
        Ok(written) if written.checksum_crc64_nvme.as_ref().is_some_and(|crc| *crc != digests.crc64_nvme) => {
            Err(differs("the object S3 made has another checksum than what was read"))
        }
        Ok(written) => Ok(Uploaded { etag: written.etag, version_id: written.version_id, digests }),
        Err(error) if matches!(error.code(), "target.exists" | "target.upload-gone") => {
            to.multipart(s3).abort(&work.recorded.upload).await;
            found_instead(s3, to, digests, error).await
        }
        Err(error) => Err(error),
    }
}

async fn begin(
    s3: &Client,
    source: &RangedSource,
    to: &UploadTarget,
    sizes: UploadSizes,
    record: Record<'_>,
) -> Result<Work> {
    let create = s3
        .create_multipart_upload()
        .set_content_type(to.content_type.clone())
        .set_content_disposition(to.content_disposition.clone())
        .set_metadata(Some(to.user_metadata.clone().into_iter().collect()))
        .set_tagging((!to.tags.is_empty()).then(|| tagging(&to.tags)))
        .set_storage_class(to.storage_class.clone());
    let hasher = Hasher::new();
    let fresh = Recorded {
        source: source.mark.to_string(),
        upload: String::new(),
        part: part_size(source.length(), sizes.part),
        done: 0,
        hasher: Some(hasher.state()),
        crc64_nvme: None,
    };
    let recorded = to.multipart(s3).begin(create, fresh, Some(record)).await?;
    Ok(Work { recorded, hasher, parts: Parts::new(), unrecorded: 0 })
}

enum Resumed {
    Nothing,
    Work(Box<Work>),
    Done(Uploaded),
}

/// What an earlier attempt recorded, if S3 still has it and agrees.
async fn resume(
    s3: &Client,
    source: &RangedSource,
    to: &UploadTarget,
    record: Record<'_>,
) -> Result<Resumed> {
    let length = source.length();
    let Some(recorded) = record.read() else { return Ok(Resumed::Nothing) };
    if recorded.source != *source.mark {
        to.multipart(s3).abort(&recorded.upload).await;
        return Ok(Resumed::Nothing);
    }
    let Some(hasher) = recorded.hasher.as_ref().and_then(|state| Hasher::resume(state).ok()) else {
        return Ok(Resumed::Nothing);
    };
    let multipart = to.multipart(s3);
    let Some(parts) = multipart.parts(&recorded.upload).await? else {
        if hasher.bytes() < length {
            return Ok(Resumed::Nothing);
        }
        let digests = hasher.finish();
        return Ok(match find_same(s3, &to.bucket, &to.key, &digests).await? {
            Some(found) => {
                Resumed::Done(Uploaded { etag: found.etag, version_id: found.version_id, digests })
            }
            None => Resumed::Nothing,
        });
    };
    let seen = (recorded.done * recorded.part).min(length);
    let agree = hasher.bytes() == seen
        && parts_fit(&parts, recorded.done, recorded.part, length)
        && parts_crc(&parts, recorded.done).is_none_or(|crc| crc == hasher.crc64());
    if !agree {
        multipart.abort(&recorded.upload).await;
        return Ok(Resumed::Nothing);
    }
    Ok(Resumed::Work(Box::new(Work { recorded, hasher, parts, unrecorded: 0 })))
}

/// Sends the next part, a few times if need be, and gives the hasher after it.
async fn send_part(
    s3: &Client,
    source: &RangedSource,
    to: &UploadTarget,
    work: &Work,
    run: &Run,
) -> Result<(Part, Hasher)> {
    let mut attempt = 1;
    loop {
        let outcome = send_part_once(s3, source, to, work).await;
        match outcome {
            Err(error)
                if attempt < ATTEMPTS
                    && matches!(error.class(), FailureClass::Transient | FailureClass::Throttled) =>
            {
                run.context().sleep(run.context().jitter(PAUSE * 2_u32.pow(attempt))).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn send_part_once(
    s3: &Client,
    source: &RangedSource,
    to: &UploadTarget,
    work: &Work,
) -> Result<(Part, Hasher)> {
    let number = work.recorded.done + 1;
    let length = part_length(number, work.recorded.part, source.length());
    let witness = Witness::new();
    let body = source.open((number - 1) * work.recorded.part, length).await?;
    let body = witness.watch_on(body, work.hasher.clone());
    let sent = s3
        .upload_part()
        .bucket(&to.bucket)
        .key(&to.key)
        .upload_id(&work.recorded.upload)
        .set_part_number(i32::try_from(number).ok())
        // Sent behind the body, so the body is read once.
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
        .body(ByteStream::new(SdkBody::from_body_1_x(body)))
        .customize()
        .config_override(slow_call())
        .send()
        .await;
    let output = sent.map_err(|error| {
        let error = target_error("upload part", error);
        witness.failure().unwrap_or(error)
    })?;
    let hasher = witness.hasher().ok_or_else(|| differs("S3 answered before it had taken the whole part"))?;
    let crc = output.checksum_crc64_nvme();
    if let Some(crc) = crc.and_then(crc_value)
        && crc_combine(work.hasher.crc64(), crc, length) != hasher.crc64()
    {
        return Err(differs("S3 has another checksum of a part than what was read"));
    }
    let part =
        Part { etag: output.e_tag().map(str::to_owned), crc64_nvme: crc.map(str::to_owned), bytes: length };
    Ok((part, hasher))
}

fn differs(message: &'static str) -> Error {
    Error::new(FailureClass::Transient, System::S3, "upload", "target.differs", message)
}
