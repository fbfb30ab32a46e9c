//! Large objects: sent, hashed and read back over as many invocations as it takes.
//!
//! A pause travels as an error with the code [`PAUSED`], so that it leaves every step it happens in, and every lock, on
//! the ordinary way out; only then it becomes [`shared::flow::Outcome::Continue`].

use shared::{
    content_server::{LargeUpload, NO_RANGES, NodeId, Upload},
    error::{Error, FailureClass, Result, System},
    transfer::{Digests, Progress, RangedSource, Ranges, hash_resumable},
};

use super::{IngestUploads, deliver::Job};
use crate::parts;

/// The code of a pause.
pub(super) const PAUSED: &str = "transfer.paused";
/// The checkpoints of what is hashed.
const SOURCE_HASH: &str = "source-hash";
const TARGET_HASH: &str = "target-hash";

impl IngestUploads {
    /// Whether an object may take more than one invocation.
    pub(super) fn is_large(&self, job: &Job<'_>) -> bool {
        job.collected.object.size >= self.content_server.settings().large_upload.from_size
    }

    /// The upload of a large object with all its parts; nothing when the object goes up in one call.
    pub(super) async fn sent_in_parts(&self, job: &Job<'_>, upload: &Upload) -> Result<Option<LargeUpload>> {
        let object = &job.collected.object;
        if !self.content_server.takes_in_parts(object.size).await? {
            return Ok(None);
        }
        let content = parts::Content {
            source: RangedSource::from_object(object, &self.s3),
            file_name: upload.file_name.clone(),
            content_type: upload.content_type.clone(),
            crc64_nvme: object.checksum_crc64_nvme.clone(),
            sha256: object.checksum_sha256.clone(),
        };
        done(Box::pin(parts::send(&self.content_server, &content, job.run)).await?).map(Some)
    }

    /// What the refusal to make a document or version of an upload in parts means: that, or another beginning.
    pub(super) async fn after_refusal(&self, job: &Job<'_>, refusal: Error) -> Error {
        match parts::after_refusal(&self.content_server, job.run, refusal).await {
            Ok(()) => paused(),
            Err(error) => error,
        }
    }

    /// The digests of a large source: from its upload, otherwise from a pass of their own.
    pub(super) async fn large_source_digests(&self, job: &Job<'_>) -> Result<Digests> {
        let source = RangedSource::from_object(&job.collected.object, &self.s3);
        match parts::digests(job.run, &source) {
            Some(digests) => Ok(digests),
            None => done(hash_resumable(&source, Ranges::FromAnywhere, job.run, SOURCE_HASH).await?),
        }
    }

    /// The digests of a large version in the target. Where the server gives no ranges, this has to fit one invocation.
    pub(super) async fn large_target_digests(
        &self,
        job: &Job<'_>,
        node: NodeId,
        version: i64,
    ) -> Result<Digests> {
        let size = self.content_server.get_version(node, version).await?.file_size;
        let source = self.version_source(node, version, size.unwrap_or(job.collected.object.size));
        if self.content_server.settings().range_downloads {
            match hash_resumable(&source, Ranges::FromAnywhere, job.run, TARGET_HASH).await {
                Err(error) if error.code() == NO_RANGES => {
                    tracing::warn!("the server gives no ranges: the document is read in one go");
                }
                outcome => return done(outcome?),
            }
        }
        done(hash_resumable(&source, Ranges::FromTheBeginning, job.run, TARGET_HASH).await?)
    }

    /// Forgets what was sent and hashed, before it is done anew.
    pub(super) async fn forget_transfers(&self, job: &Job<'_>) -> Result<()> {
        for name in [SOURCE_HASH, TARGET_HASH] {
            if job.run.recorded::<serde_json::Map<String, serde_json::Value>>(name).is_some() {
                job.run.checkpoint(name, &()).await?;
            }
        }
        parts::forget(job.run).await
    }

    fn version_source(&self, node: NodeId, version: i64, size: u64) -> RangedSource {
        let client = self.content_server.clone();
        RangedSource::new(&format!("node {node} version {version}"), size, move |offset, length| {
            let client = client.clone();
            async move {
                let download = match offset {
                    0 => client.download(node, Some(version)).await?,
                    _ => client.download_range(node, version, offset, length).await?,
                };
                Ok(download.body)
            }
        })
    }
}

fn done<T>(progress: Progress<T>) -> Result<T> {
    match progress {
        Progress::Done(done) => Ok(done),
        Progress::Paused => Err(paused()),
    }
}

fn paused() -> Error {
    let message = "the transfer goes on in the next invocation";
    Error::new(FailureClass::Transient, System::Waybill, "deliver", PAUSED, message)
}
