//! One multipart upload, and how it survives the invocation that began it.
//!
//! S3 itself is the ledger of parts: it names each part with its length and checksum. What is recorded beside the item
//! is of constant size (the upload's id, how far it is, the state of the hash), because a record that named ten
//! thousand parts would not fit into one. The checksums of the parts S3 holds, combined, must be the checksum of what
//! was hashed so far; otherwise the upload is begun anew.

use std::{collections::BTreeMap, future::Future, time::Duration};

use aws_sdk_s3::{
    Client,
    operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder,
    types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart},
};
use aws_smithy_types::timeout::TimeoutConfig;
use serde::{Deserialize, Serialize};

use super::{
    digest::{HasherState, crc_combine, crc_value},
    s3_object::unquoted,
    target::{Written, target_error},
};
use crate::{
    aws::classify,
    error::{Error, FailureClass, Result, System},
    flow::Run,
};

/// The longest one call may take that moves gigabytes, here or inside S3.
const SLOW_CALL: Duration = Duration::from_secs(840);
/// How far the clock of S3 may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_secs(300);
/// How often a call that moves data is watched for the end of the invocation.
const GLANCE: Duration = Duration::from_secs(1);

/// What is written down of a long transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recorded {
    /// Which content it is of: parts of two contents never meet in one object.
    pub(super) source: String,
    pub(super) upload: String,
    /// The size of every part but the last.
    pub(super) part: u64,
    /// Parts that are there and hashed, from the first.
    pub(super) done: u64,
    /// The state of the hash after them; nothing for a copy, which is never read.
    pub(super) hasher: Option<HasherState>,
    /// The checksum of a copy whose parts are all there.
    pub(super) crc64_nvme: Option<String>,
}

/// Where a long transfer is written down: beside the item, under a name.
#[derive(Clone, Copy)]
pub(super) struct Record<'run> {
    pub(super) run: &'run Run,
    pub(super) name: &'run str,
}

impl Record<'_> {
    pub(super) fn read(&self) -> Option<Recorded> {
        self.run.recorded(self.name)
    }

    pub(super) async fn write(&self, recorded: &Recorded) -> Result<()> {
        self.run.checkpoint(self.name, recorded).await
    }

    fn begun(&self) -> String {
        format!("{}.begun", self.name)
    }
}

/// Lets something go on until the invocation must stop. What is under way then is dropped.
pub(super) async fn until_stop<T>(run: &Run, work: impl Future<Output = T>) -> Option<T> {
    until_stop_if(run, || true, work).await
}

/// The same, but only once `may_stop` holds: an invocation that has done nothing yet must not hand everything on to
/// the next one, for ever.
pub async fn until_stop_if<T>(
    run: &Run,
    may_stop: impl Fn() -> bool,
    work: impl Future<Output = T>,
) -> Option<T> {
    let stop = async {
        while !(run.must_stop() && may_stop()) {
            run.context().sleep(GLANCE).await;
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = stop => None,
    }
}

/// Settings of a call that moves gigabytes.
pub(super) fn slow_call() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(SLOW_CALL)
            .build(),
    )
}

/// On what condition an upload becomes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition<'etag> {
    /// On none.
    None,
    /// There must be nothing under the key.
    Absent,
    /// There must be the object with this ETag.
    Over(&'etag str),
}

impl<'etag> Condition<'etag> {
    fn over(self) -> Option<&'etag str> {
        match self {
            Self::Over(etag) => Some(etag),
            Self::None | Self::Absent => None,
        }
    }
}

/// A part S3 holds.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) etag: Option<String>,
    pub(super) crc64_nvme: Option<String>,
    pub(super) bytes: u64,
}

/// The parts of an upload by their numbers, from 1.
pub(super) type Parts = BTreeMap<u64, Part>;

/// A multipart upload under way.
#[derive(Clone, Copy)]
pub(super) struct Multipart<'upload> {
    pub(super) s3: &'upload Client,
    pub(super) bucket: &'upload str,
    pub(super) key: &'upload str,
}

impl Multipart<'_> {
    /// Begins an upload and gives its id. What an earlier attempt began without having written down is ended first.
    pub(super) async fn begin(
        &self,
        create: CreateMultipartUploadFluentBuilder,
        fresh: Recorded,
        record: Option<Record<'_>>,
    ) -> Result<Recorded> {
        if let Some(record) = record {
            match record.run.recorded::<i64>(&record.begun()) {
                Some(at) => self.sweep(at).await?,
                None => {
                    record.run.checkpoint(&record.begun(), &record.run.context().now_milliseconds()).await?
                }
            }
        }
        let output = create
            .bucket(self.bucket)
            .key(self.key)
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .checksum_type(ChecksumType::FullObject)
            .send()
            .await
            .map_err(|error| target_error("begin upload", error))?;
        let upload = output.upload_id.ok_or_else(|| {
            Error::new(
                FailureClass::Transient,
                System::S3,
                "begin upload",
                "aws.answer",
                "the answer has no upload id",
            )
        })?;
        let recorded = Recorded { upload, ..fresh };
        if let Some(record) = record
            && let Err(error) = record.write(&recorded).await
        {
            // Nobody else knows of it.
            self.abort(&recorded.upload).await;
            return Err(error);
        }
        Ok(recorded)
    }

    /// Ends uploads to this very key begun since a moment.
    async fn sweep(&self, since: i64) -> Result<()> {
        let since = since.saturating_sub(i64::try_from(CLOCK_SKEW.as_millis()).unwrap_or(0));
        let output = self
            .s3
            .list_multipart_uploads()
            .bucket(self.bucket)
            .prefix(self.key)
            .send()
            .await
            .map_err(|error| target_error("find unfinished uploads", error))?;
        // The key itself sorts before every longer key, so it is on the first page.
        for upload in output.uploads() {
            let begun = upload.initiated().and_then(|at| at.to_millis().ok()).unwrap_or(i64::MAX);
            if upload.key() == Some(self.key)
                && begun >= since
                && let Some(id) = upload.upload_id()
            {
                self.abort(id).await;
            }
        }
        Ok(())
    }

    /// The parts S3 holds; nothing when there is no such upload any more.
    pub(super) async fn parts(&self, upload: &str) -> Result<Option<Parts>> {
        let mut parts = Parts::new();
        let mut marker = None;
        loop {
            let outcome = self
                .s3
                .list_parts()
                .bucket(self.bucket)
                .key(self.key)
                .upload_id(upload)
                .set_part_number_marker(marker)
                .send()
                .await
                .map_err(|error| target_error("list parts", error));
            let output = match outcome {
                Ok(output) => output,
                Err(error) if error.code() == "target.upload-gone" => return Ok(None),
                Err(error) => return Err(error),
            };
            for part in output.parts() {
                let number = part.part_number().and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
                let bytes = part.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                let crc64_nvme = part.checksum_crc64_nvme().map(str::to_owned);
                parts.insert(number, Part { etag: part.e_tag().map(str::to_owned), crc64_nvme, bytes });
            }
            marker = output.next_part_number_marker;
            if output.is_truncated != Some(true) || marker.is_none() {
                return Ok(Some(parts));
            }
        }
    }

    /// Makes the object of its parts. S3 refuses unless length and checksum are these.
    pub(super) async fn complete(
        &self,
        upload: &str,
        parts: &Parts,
        length: u64,
        crc64_nvme: Option<&str>,
        condition: Condition<'_>,
    ) -> Result<Written> {
        let named = parts.iter().map(|(number, part)| {
            CompletedPart::builder()
                .set_part_number(i32::try_from(*number).ok())
                .set_e_tag(part.etag.clone())
                .set_checksum_crc64_nvme(part.crc64_nvme.clone())
                .build()
        });
        let named = CompletedMultipartUpload::builder().set_parts(Some(named.collect())).build();
        let output = self
            .s3
            .complete_multipart_upload()
            .bucket(self.bucket)
            .key(self.key)
            .upload_id(upload)
            .multipart_upload(named)
            .checksum_type(ChecksumType::FullObject)
            .set_checksum_crc64_nvme(crc64_nvme.map(str::to_owned))
            .set_mpu_object_size(i64::try_from(length).ok())
            .set_if_none_match((condition == Condition::Absent).then(|| "*".to_owned()))
            .set_if_match(condition.over().map(|etag| format!("\"{etag}\"")))
            .customize()
            .config_override(slow_call())
            .send()
            .await
            .map_err(|error| target_error("complete upload", error))?;
        Ok(Written {
            etag: unquoted(output.e_tag().unwrap_or_default()).to_owned(),
            checksum_crc64_nvme: output.checksum_crc64_nvme().map(str::to_owned),
            version_id: output.version_id,
        })
    }

    /// Ends an upload without an object. When S3 cannot be reached, the bucket's lifecycle rule does it later.
    pub(super) async fn abort(&self, upload: &str) {
        let outcome =
            self.s3.abort_multipart_upload().bucket(self.bucket).key(self.key).upload_id(upload).send().await;
        if let Err(error) = outcome {
            let error = classify(System::S3, "abort upload", error);
            if error.class() != FailureClass::Gone {
                tracing::warn!(%error, "an unfinished upload is left to the bucket's lifecycle rule");
            }
        }
    }

    /// Ends what a lost answer to the beginning left behind, once the object is there.
    pub(super) async fn tidy(&self, record: Record<'_>) {
        if let Some(at) = record.run.recorded::<i64>(&record.begun())
            && let Err(error) = self.sweep(at).await
        {
            tracing::warn!(%error, "unfinished uploads, if any, are left to the bucket's lifecycle rule");
        }
    }

    /// Ends whatever is recorded or was begun under a record.
    pub(super) async fn abandon(&self, record: Record<'_>) -> Result<()> {
        if let Some(recorded) = record.read() {
            self.abort(&recorded.upload).await;
        }
        match record.run.recorded::<i64>(&record.begun()) {
            Some(at) => self.sweep(at).await,
            None => Ok(()),
        }
    }
}

/// The length of a part.
pub(super) fn part_length(number: u64, size: u64, length: u64) -> u64 {
    let start = (number - 1) * size;
    length.saturating_sub(start).min(size)
}

/// Whether the parts S3 holds are the first `done` ones of a content.
pub(super) fn parts_fit(parts: &Parts, done: u64, size: u64, length: u64) -> bool {
    let fits =
        |number| parts.get(&number).is_some_and(|part| part.bytes == part_length(number, size, length));
    (1..=done).all(fits)
}

/// The checksum of the first `done` parts in a row. Nothing when S3 does not state the checksum of each: then the
/// proof is left to the completion, which states the whole.
pub(super) fn parts_crc(parts: &Parts, done: u64) -> Option<u64> {
    (1..=done).try_fold(0, |before, number| {
        let part = parts.get(&number)?;
        Some(crc_combine(before, crc_value(part.crc64_nvme.as_deref()?)?, part.bytes))
    })
}
