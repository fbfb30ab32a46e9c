//! One version of one object in S3, as a source.

use std::{collections::BTreeMap, fmt, ops::Range};

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{get_object::GetObjectOutput, head_object::HeadObjectOutput},
    types::{ChecksumMode, ChecksumType},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jiff::Timestamp;

use super::witness::{Known, Witness, body_error, exactly};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    http::{self, Body, Replayable},
};

/// What S3 calls the version of an object in a bucket that does not keep versions. It names whatever is there now.
const NO_VERSION: &str = "null";
/// The code of what is refused because the object has to be restored from an archive class first.
const ARCHIVED: &str = "source.archived";

/// An object as it was when it was looked at. Everything read through it is of that very object, or fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Object {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// The version, in a bucket that keeps them.
    pub version_id: Option<String>,
    /// The version mark, without quotes. Never a hash.
    pub etag: String,
    /// Length in bytes.
    pub size: u64,
    /// The content type it was uploaded with.
    pub content_type: Option<String>,
    /// The other headers it was uploaded with.
    pub content_headers: ContentHeaders,
    /// When it was written.
    pub last_modified: Option<Timestamp>,
    /// Its storage class; S3 does not name the standard one.
    pub storage_class: Option<String>,
    /// What S3 says of its restoration from an archive class, when one was asked for.
    pub restoration: Option<String>,
    /// User metadata; names in lower case, without `x-amz-meta-`.
    pub user_metadata: BTreeMap<String, String>,
    /// SHA-256 of the whole object in hexadecimal, when S3 knows it. Never a composite.
    pub checksum_sha256: Option<String>,
    /// CRC64-NVME of the whole object as S3 writes it, when S3 knows it.
    pub checksum_crc64_nvme: Option<String>,
    /// Its bytes, when they came with the look at it.
    content: Content,
}

/// The bytes of a small object. Its `Debug` form shows how many, never which.
#[derive(Clone, Default, PartialEq, Eq)]
struct Content(Option<Bytes>);

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(bytes) => write!(formatter, "{} bytes", bytes.len()),
            None => formatter.write_str("not read"),
        }
    }
}

/// Headers that belong to a content besides its type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentHeaders {
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub disposition: Option<String>,
    /// `Content-Encoding`.
    pub encoding: Option<String>,
    /// `Content-Language`.
    pub language: Option<String>,
}

impl S3Object {
    /// Looks at an object.
    ///
    /// `version_id` pins it where the bucket keeps versions. Elsewhere `expected_etag` (from an event, with or without
    /// quotes) says which object is meant.
    ///
    /// # Errors
    /// `Gone`: `source.gone` when it is not there or is a delete marker, `source.replaced` when another object has
    /// taken its place.
    pub async fn head(
        s3: &Client,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        expected_etag: Option<&str>,
    ) -> Result<Self> {
        let head = s3
            .head_object()
            .bucket(bucket)
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|error| source_error("look at source", error))?;
        if head.delete_marker() == Some(true) {
            return Err(gone("look at source"));
        }
        let object = Self::from_head(bucket, key, head)?;
        object.meant(version_id, expected_etag)
    }

    /// Looks at an object and reads it in the same call, when it has at most `most` bytes. Whatever reads it later is
    /// given these bytes, which are those of the object that was looked at. Of a larger object only the head is taken.
    ///
    /// # Errors
    /// As [`S3Object::head`]. `Transient`, `source.cut`, unless exactly as many bytes came as the object has.
    pub async fn head_and_content(
        s3: &Client,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        expected_etag: Option<&str>,
        most: u64,
    ) -> Result<Self> {
        let output = s3
            .get_object()
            .bucket(bucket)
            .key(key)
            .set_version_id(version_id.map(str::to_owned))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|error| source_error("look at source", error));
        let mut output = match output {
            // What is in an archive can be looked at, though not read.
            Err(error) if error.code() == ARCHIVED => {
                return Self::head(s3, bucket, key, version_id, expected_etag).await;
            }
            output => output?,
        };
        let body = std::mem::take(&mut output.body).into_inner().map_err(Into::into).boxed();
        let mut object = Self::from_head(bucket, key, head_of(output))?.meant(version_id, expected_etag)?;
        if object.size <= most {
            object.content = Content(Some(collect(exactly(body, object.size)).await?));
        }
        Ok(object)
    }

    /// The object, when it is the one that was meant.
    fn meant(self, version_id: Option<&str>, expected_etag: Option<&str>) -> Result<Self> {
        let pinned = version_id.is_some_and(|version| version != NO_VERSION);
        if !pinned && expected_etag.is_some_and(|expected| unquoted(expected) != self.etag) {
            return Err(replaced("look at source"));
        }
        Ok(self)
    }

    fn from_head(bucket: &str, key: &str, head: HeadObjectOutput) -> Result<Self> {
        let incomplete = |what| {
            Error::new(
                FailureClass::Transient,
                System::S3,
                "look at source",
                "aws.answer",
                format!("the answer has no {what}"),
            )
        };
        let size = head.content_length().and_then(|length| u64::try_from(length).ok());
        let whole = |checksum: Option<&str>| {
            let composite = head.checksum_type().is_some_and(|kind| *kind != ChecksumType::FullObject);
            checksum.filter(|text| !composite && !text.contains('-')).map(str::to_owned)
        };
        let sha256 = whole(head.checksum_sha256()).and_then(|text| BASE64.decode(text).ok()).map(hex::encode);
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version_id: head.version_id().filter(|version| *version != NO_VERSION).map(str::to_owned),
            etag: unquoted(head.e_tag().ok_or_else(|| incomplete("ETag"))?).to_owned(),
            size: size.ok_or_else(|| incomplete("length"))?,
            content_type: head.content_type().map(str::to_owned),
            content_headers: ContentHeaders {
                cache_control: head.cache_control().map(str::to_owned),
                disposition: head.content_disposition().map(str::to_owned),
                encoding: head.content_encoding().map(str::to_owned),
                language: head.content_language().map(str::to_owned),
            },
            last_modified: head.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok()),
            storage_class: head.storage_class().map(|class| class.as_str().to_owned()),
            restoration: head.restore().map(str::to_owned),
            checksum_crc64_nvme: whole(head.checksum_crc64_nvme()),
            checksum_sha256: sha256,
            user_metadata: head.metadata.unwrap_or_default().into_iter().collect(),
            content: Content::default(),
        })
    }

    /// Reads it, or a part of it. The body fails unless it is exactly as long as it should be. Bytes that came with the
    /// look at it are not asked for again.
    ///
    /// # Errors
    /// `Gone`: `source.gone` or `source.replaced` when it is not the object that was looked at any more. The body
    /// fails with `Transient`, `source.cut`.
    pub async fn open(&self, s3: &Client, range: Option<Range<u64>>) -> Result<Body> {
        let length = match &range {
            Some(range) if range.is_empty() => return Ok(http::empty()),
            Some(range) => range.end - range.start,
            None => self.size,
        };
        if let Content(Some(bytes)) = &self.content {
            let whole = http::full(bytes.clone());
            return Ok(match range {
                Some(range) => exactly(part_of(whole, range), length),
                None => exactly(whole, length),
            });
        }
        // S3 counts the last byte in.
        let header = range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        let output = s3
            .get_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_version_id(self.version_id.clone())
            .if_match(self.quoted_etag())
            .set_range(header)
            .send()
            .await
            .map_err(|error| source_error("read source", error))?;
        let is_whole = output.content_range.is_none();
        let body = output.body.into_inner().map_err(Into::into).boxed();
        match range {
            Some(range) if is_whole => Ok(exactly(part_of(body, range), length)),
            _ => Ok(exactly(body, length)),
        }
    }

    /// The object as something to upload: every attempt reads it anew, seen by `witness`. When S3 knows a checksum of
    /// the whole object, a body with another one never reaches its end.
    pub fn replayable(&self, s3: &Client, witness: &Witness) -> Replayable {
        let known =
            Known { sha256: self.checksum_sha256.clone(), crc64_nvme: self.checksum_crc64_nvme.clone() };
        let witness = witness.knowing(known);
        let (object, s3) = (self.clone(), s3.clone());
        Replayable::new(self.size, move || {
            let (object, s3, witness) = (object.clone(), s3.clone(), witness.clone());
            async move { Ok(witness.watch(object.open(&s3, None).await?)) }
        })
    }

    /// Its first bytes, at most `count`: enough to tell what it is.
    ///
    /// # Errors
    /// As [`S3Object::open`].
    pub async fn peek(&self, s3: &Client, count: u64) -> Result<Bytes> {
        collect(self.open(s3, Some(0..count.min(self.size))).await?).await
    }

    /// Its tags.
    ///
    /// # Errors
    /// `Gone` when it is not there any more, `Forbidden` without the right to read tags.
    pub async fn tags(&self, s3: &Client) -> Result<BTreeMap<String, String>> {
        let output = s3
            .get_object_tagging()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_version_id(self.version_id.clone())
            .send()
            .await
            .map_err(|error| source_error("read tags", error))?;
        Ok(output.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    /// What tells it from every other object that was ever under its key.
    pub(super) fn mark(&self) -> String {
        format!("{} {} {}", self.version_id.as_deref().unwrap_or(NO_VERSION), self.etag, self.size)
    }

    /// The version mark as a condition takes it.
    pub(super) fn quoted_etag(&self) -> String {
        format!("\"{}\"", self.etag)
    }
}

/// What an answer with the object says of it: all that an answer without it does.
fn head_of(output: GetObjectOutput) -> HeadObjectOutput {
    HeadObjectOutput::builder()
        .set_delete_marker(output.delete_marker)
        .set_version_id(output.version_id)
        .set_e_tag(output.e_tag)
        .set_content_length(output.content_length)
        .set_content_type(output.content_type)
        .set_cache_control(output.cache_control)
        .set_content_disposition(output.content_disposition)
        .set_content_encoding(output.content_encoding)
        .set_content_language(output.content_language)
        .set_last_modified(output.last_modified)
        .set_storage_class(output.storage_class)
        .set_restore(output.restore)
        .set_checksum_type(output.checksum_type)
        .set_checksum_sha256(output.checksum_sha256)
        .set_checksum_crc64_nvme(output.checksum_crc64_nvme)
        .set_metadata(output.metadata)
        .build()
}

/// All bytes of a body that is known to be small.
async fn collect(mut body: Body) -> Result<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(body_error)?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}

/// The part of a body that was asked for. HTTP lets a server answer a range with the whole object, and stores other
/// than AWS do so for older versions.
fn part_of(body: Body, range: Range<u64>) -> Body {
    let parts = futures_util::stream::unfold((body, 0_u64), move |(mut body, mut at)| {
        let (start, end) = (range.start, range.end);
        async move {
            while at < end {
                let mut data = match body.frame().await? {
                    Ok(frame) => frame.into_data().unwrap_or_default(),
                    Err(error) => return Some((Err(error), (body, end))),
                };
                let position = |offset: u64, most: usize| usize::try_from(offset).unwrap_or(most).min(most);
                let (before, after) = (position(start.saturating_sub(at), data.len()), data.len());
                data.truncate(position(end - at, after));
                at += after as u64;
                let wanted = data.split_off(before.min(data.len()));
                if !wanted.is_empty() {
                    return Some((Ok(Frame::data(wanted)), (body, at)));
                }
            }
            None
        }
    });
    StreamBody::new(parts).boxed()
}

pub(super) fn unquoted(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

fn gone(operation: &'static str) -> Error {
    Error::new(FailureClass::Gone, System::S3, operation, "source.gone", "the object is not there any more")
}

fn replaced(operation: &'static str) -> Error {
    Error::new(
        FailureClass::Gone,
        System::S3,
        operation,
        "source.replaced",
        "another object has taken the place of the one that was meant",
    )
}

/// What a refusal to look at or read a source means.
pub(super) fn source_error<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let name = error.code().unwrap_or_default().to_owned();
    let service = matches!(error, SdkError::ServiceError(_));
    match (status, name.as_str()) {
        _ if !service => classify(System::S3, operation, error),
        (_, "NoSuchBucket") => classify(System::S3, operation, error)
            .with_class(FailureClass::Forbidden)
            .with_code("source.bucket-missing")
            .remedy("check the name of the bucket and its Region"),
        (_, "InvalidObjectState") => classify(System::S3, operation, error)
            .with_class(FailureClass::Invalid)
            .with_code(ARCHIVED)
            .remedy("restore the object from its archive tier, then redrive the item"),
        (Some(412), _) => replaced(operation).source(error),
        // 405 is the answer to a question about a delete marker by its version id.
        (Some(404 | 405), _) => gone(operation).source(error),
        (Some(403), _) => classify(System::S3, operation, error).with_code("source.forbidden").remedy(
            "grant s3:GetObject, s3:GetObjectVersion, s3:GetObjectTagging and s3:ListBucket on the bucket",
        ),
        _ => classify(System::S3, operation, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn part(pieces: &[&'static [u8]], range: Range<u64>) -> Vec<u8> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece)))).collect();
        let whole = StreamBody::new(futures_util::stream::iter(pieces)).boxed();
        part_of(whole, range).collect().await.unwrap().to_bytes().to_vec()
    }

    #[tokio::test]
    async fn a_part_is_cut_out_of_a_whole_wherever_its_pieces_end() {
        let pieces: [&[u8]; 3] = [b"abc", b"def", b"ghi"];
        for (range, expected) in [
            (0..2, "ab"),
            (0..9, "abcdefghi"),
            (2..4, "cd"),
            (3..6, "def"),
            (1..8, "bcdefgh"),
            (8..9, "i"),
            (8..20, "i"),
        ] {
            assert_eq!(part(&pieces, range).await, expected.as_bytes());
        }
    }
}
