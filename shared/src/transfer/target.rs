//! An object in S3 as a place to write to.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::{digest::Digests, s3_object::S3Object};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
};

/// Whether a transfer is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<T> {
    /// It is, and this is what it made.
    Done(T),
    /// The invocation must end; what was done is recorded, and the same call continues it in the next one.
    Paused,
}

/// What S3 said of an object it has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) etag: String,
    pub(super) version_id: Option<String>,
    pub(super) checksum_crc64_nvme: Option<String>,
}

/// The size of a part: at least `least`, and large enough that no more than 10,000 are needed.
pub(super) fn part_size(length: u64, least: u64) -> u64 {
    least.max(length.div_ceil(10_000)).max(1)
}

/// Tags as a header carries them.
pub(super) fn tagging(tags: &BTreeMap<String, String>) -> String {
    serde_urlencoded::to_string(tags).unwrap_or_default()
}

/// The object under a key when it has these digests: an earlier attempt of ours whose answer was lost.
pub(super) async fn find_same(
    s3: &Client,
    bucket: &str,
    key: &str,
    digests: &Digests,
) -> Result<Option<S3Object>> {
    let found = match S3Object::head(s3, bucket, key, None, None).await {
        Ok(found) => found,
        Err(error) if error.class() == FailureClass::Gone => return Ok(None),
        Err(error) => return Err(error),
    };
    let same = found.checksum_sha256.as_ref().is_some_and(|sha256| *sha256 == digests.sha256)
        || found.checksum_crc64_nvme.as_ref().is_some_and(|crc| *crc == digests.crc64_nvme);
    Ok((same && found.size == digests.bytes).then_some(found))
}

/// Whether trying again can never help, so that nothing unfinished is worth keeping. A lost claim is not final: the
/// upload belongs to whoever has it now.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(
        error.class(),
        FailureClass::Gone | FailureClass::Invalid | FailureClass::Forbidden | FailureClass::Bug
    ) || error.code() == "target.exists"
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
        for length in [5_u64 << 40, (5 << 40) - 1, 80_000_000_001] {
            let size = part_size(length, 8 << 20);
            assert!(length.div_ceil(size) <= 10_000, "{length}");
            assert!(size <= 5 << 30);
        }
    }
}
