//! Bytes in = bytes out, per item: what the target holds is compared with what was read.

use shared::{
    content_server::{NodeId, Version},
    error::{Error, FailureClass, Result, System},
    transfer::{Digests, hash_body},
};

use super::{
    IngestUploads,
    deliver::{Job, Placed},
};
use crate::intake_rules::Verify;

/// Verifications of one item that may fail before it is put aside.
const MISMATCHES_ALLOWED: u32 = 3;

impl IngestUploads {
    /// Compares size and hash. What does not agree is taken out of the target again, so that nobody finds a damaged
    /// document.
    pub(super) async fn verify(&self, job: &Job<'_>, placed: Placed) -> Result<Digests> {
        let source = self.source_digests(job).await?;
        let object = &job.collected.object;
        if let Some(expected) = &object.checksum_crc64_nvme
            && *expected != source.crc64_nvme
        {
            self.forget_transfers(job).await?;
            // The upload itself cannot have carried these bytes: its witness knows the checksum. Read again later.
            return Err(Error::new(
                FailureClass::Transient,
                System::S3,
                "verify",
                "source.corrupt",
                "the bytes read from S3 do not have the checksum S3 keeps for them",
            ));
        }
        let target = match job.plan.limits.verify {
            Verify::Size => {
                let version = self.content_server.get_version(placed.node, placed.version).await?;
                if version.file_size == Some(source.bytes) {
                    return Ok(source);
                }
                format!(
                    "{} bytes",
                    version.file_size.map_or_else(|| "unknown".into(), |size| size.to_string())
                )
            }
            Verify::ReadBack => {
                let held = self.target_digests(job, placed.node, placed.version).await?;
                if held.sha256 == source.sha256 && held.bytes == source.bytes {
                    return Ok(source);
                }
                format!("{} bytes with another SHA-256", held.bytes)
            }
        };
        self.forget_transfers(job).await?;
        self.take_back(job, placed).await?;
        Err(self.mismatch(job, &source, &target).await?)
    }

    /// Whether the target's newest version has the very content of the upload.
    pub(super) async fn is_same(&self, job: &Job<'_>, node: NodeId, latest: &Version) -> Result<bool> {
        if latest.file_size.is_some_and(|size| size != job.collected.object.size) {
            return Ok(false);
        }
        let source = self.source_digests(job).await?;
        let held = self.target_digests(job, node, latest.number).await?;
        Ok(held.sha256 == source.sha256)
    }

    /// The source's digests: from the upload when this run made it, otherwise from a pass of their own.
    async fn source_digests(&self, job: &Job<'_>) -> Result<Digests> {
        if let Some(seen) = job.witness.digests() {
            return Ok(seen);
        }
        if self.is_large(job) {
            return self.large_source_digests(job).await;
        }
        let object = &job.collected.object;
        hash_body(object.replayable(&self.s3, &job.witness).open().await?, Some(object.size)).await
    }

    async fn target_digests(&self, job: &Job<'_>, node: NodeId, version: i64) -> Result<Digests> {
        if self.is_large(job) {
            return self.large_target_digests(job, node, version).await;
        }
        let download = self.content_server.download(node, Some(version)).await?;
        hash_body(download.body, download.length).await
    }

    /// Removes what this item put into the target, when it turned out damaged.
    async fn take_back(&self, job: &Job<'_>, placed: Placed) -> Result<()> {
        tracing::warn!(node = placed.node.0, version = placed.version, rule = job.plan.rule, "taken back");
        // Somebody may have added a version meanwhile: then only ours goes.
        let alone = self.content_server.latest_version(placed.node).await?.number == placed.version;
        if placed.new_document && alone {
            self.content_server.delete_node(placed.node).await
        } else {
            match self.content_server.delete_version(placed.node, placed.version).await {
                // An earlier attempt took it back, and its answer was lost.
                Err(error) if error.class() == FailureClass::Gone => Ok(()),
                outcome => outcome,
            }
        }
    }

    async fn mismatch(&self, job: &Job<'_>, source: &Digests, target: &str) -> Result<Error> {
        let times = job.run.recorded::<u32>("mismatches").unwrap_or(0) + 1;
        job.run.checkpoint("mismatches", &times).await?;
        let class = if times >= MISMATCHES_ALLOWED { FailureClass::Invalid } else { FailureClass::Transient };
        Ok(Error::new(
            class,
            // Not the target's fault as a whole: its breaker is not told.
            System::Waybill,
            "verify",
            "verify.mismatch",
            format!("{} bytes were read, the target held {target}; it was taken back", source.bytes),
        )
        .remedy("look for a proxy between the two that changes or cuts bodies"))
    }
}
