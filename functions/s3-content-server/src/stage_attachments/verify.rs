//! Bytes in = bytes out: what Content Server holds is read back and compared with what was uploaded.

use shared::{
    content_server::{NO_RANGES, NOT_ACCESSIBLE, NOT_FOUND, NodeId, kind},
    error::{Error, FailureClass, Result, System},
    flow::Run,
    transfer::{Digests, Progress, RangedSource, Ranges, S3Object, Witness, hash_body, hash_resumable},
};

use super::{
    StageAttachments,
    attach::Job,
    deposit::{Content, Deposit, Placed},
    paused,
};
use crate::parts;

/// Verifications of one item that may fail before it is put aside.
const MISMATCHES_ALLOWED: u32 = 3;
/// The checkpoints of what is hashed.
const SOURCE_HASH: &str = "source-hash";
const TARGET_HASH: &str = "target-hash";

impl StageAttachments {
    /// The digests of what was placed. What does not agree is taken out again, so that nobody decides about a damaged
    /// document.
    pub(super) async fn verified(
        &self,
        deposit: &Deposit<'_>,
        placed: Placed,
        witness: &Witness,
    ) -> Result<Digests> {
        let run = deposit.run;
        let source = match (deposit.content, witness.digests()) {
            (Content::Reference { bytes, .. }, _) => Digests::of(bytes),
            (Content::Object(_), Some(seen)) => seen,
            (Content::Object(object), None) => self.object_digests(object, run).await?,
        };
        let held = self.version_digests(placed.node, placed.version, deposit.content.length(), run).await?;
        if held.sha256 == source.sha256 && held.bytes == source.bytes {
            return Ok(source);
        }
        self.forget_hashes(run).await?;
        self.take_back(placed).await?;
        let times = run.recorded::<u32>("mismatches").unwrap_or(0) + 1;
        run.checkpoint("mismatches", &times).await?;
        let class = if times >= MISMATCHES_ALLOWED { FailureClass::Invalid } else { FailureClass::Transient };
        let message = format!(
            "{} bytes were read, Content Server held {} with another SHA-256; they were taken back",
            source.bytes, held.bytes
        );
        Err(Error::new(class, System::Waybill, "verify", "verify.mismatch", message)
            .remedy("look for a proxy between the two that changes or cuts bodies"))
    }

    async fn take_back(&self, placed: Placed) -> Result<()> {
        tracing::warn!(node = placed.node.0, version = placed.version, "taken back");
        // Somebody may have added a version meanwhile: then only ours goes.
        let alone = self.content_server.latest_version(placed.node).await?.number == placed.version;
        if placed.new_document && alone {
            return self.content_server.delete_node(placed.node).await;
        }
        match self.content_server.delete_version(placed.node, placed.version).await {
            // An earlier attempt took it back, and its answer was lost.
            Err(error) if error.class() == FailureClass::Gone => Ok(()),
            outcome => outcome,
        }
    }

    /// The document a shortcut shall point to, when its newest version has the content of the upload.
    pub(super) async fn same_original(&self, job: &Job<'_>) -> Result<(NodeId, i64, Digests)> {
        let Some(original) = job.staged.original.map(NodeId) else {
            return Err(Error::bug("find original", "a rule with an original has none"));
        };
        let refused = |code: &'static str, message: String, remedy: &str| {
            Err(Error::invalid(code, message).field("attachment.original").remedy(remedy))
        };
        let node = match self.content_server.get_node(original).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => {
                let message = format!("there is no document {original}, or the service user may not see it");
                return refused(
                    "attachment.original-missing",
                    message,
                    "file the document first, then upload again",
                );
            }
            Err(error) => return Err(error),
        };
        if node.kind != kind::DOCUMENT {
            let message = format!("node {original} is no document");
            return refused("attachment.original-missing", message, "name the number of a document");
        }
        let latest = self.content_server.latest_version(original).await?;
        let source = self.object_digests(job.object, job.run).await?;
        let size = latest.file_size.unwrap_or(job.object.size);
        let held = self.version_digests(original, latest.number, size, job.run).await?;
        if held.sha256 != source.sha256 {
            let message = format!("version {} of document {original} has another content", latest.number);
            return refused(
                "attachment.original-differs",
                message,
                "upload what is filed, or file what is uploaded",
            );
        }
        Ok((original, latest.number, source))
    }

    /// The digests of an object, over as many invocations as it takes; compared with what S3 knows of it.
    pub(super) async fn object_digests(&self, object: &S3Object, run: &Run) -> Result<Digests> {
        let source = RangedSource::from_object(object, &self.s3);
        let digests = match parts::digests(run, &source) {
            Some(digests) => digests,
            None if self.is_large(object.size) => {
                done(hash_resumable(&source, Ranges::FromAnywhere, run, SOURCE_HASH).await?)?
            }
            None => hash_body(object.open(&self.s3, None).await?, Some(object.size)).await?,
        };
        let differs =
            |known: &Option<String>, found: &String| known.as_ref().is_some_and(|known| known != found);
        if differs(&object.checksum_crc64_nvme, &digests.crc64_nvme)
            || differs(&object.checksum_sha256, &digests.sha256)
        {
            self.forget_hashes(run).await?;
            return Err(Error::new(
                FailureClass::Transient,
                System::S3,
                "read source",
                "source.corrupt",
                "the bytes that came do not have the checksum S3 keeps for them",
            ));
        }
        Ok(digests)
    }

    async fn version_digests(&self, node: NodeId, version: i64, size: u64, run: &Run) -> Result<Digests> {
        if !self.is_large(size) {
            let download = self.content_server.download(node, Some(version)).await?;
            return hash_body(download.body, download.length).await;
        }
        let size = self.content_server.get_version(node, version).await?.file_size.unwrap_or(size);
        let client = self.content_server.clone();
        let source =
            RangedSource::new(&format!("node {node} version {version}"), size, move |offset, length| {
                let client = client.clone();
                async move {
                    let download = match offset {
                        0 => client.download(node, Some(version)).await?,
                        _ => client.download_range(node, version, offset, length).await?,
                    };
                    Ok(download.body)
                }
            });
        if self.content_server.settings().range_downloads {
            match hash_resumable(&source, Ranges::FromAnywhere, run, TARGET_HASH).await {
                Err(error) if error.code() == NO_RANGES => {
                    tracing::warn!("the server gives no ranges: the document is read in one go");
                }
                outcome => return done(outcome?),
            }
        }
        done(hash_resumable(&source, Ranges::FromTheBeginning, run, TARGET_HASH).await?)
    }

    /// Forgets what was sent and hashed, before it is done anew.
    async fn forget_hashes(&self, run: &Run) -> Result<()> {
        for name in [SOURCE_HASH, TARGET_HASH] {
            if run.recorded::<serde_json::Map<String, serde_json::Value>>(name).is_some() {
                run.checkpoint(name, &()).await?;
            }
        }
        parts::forget(run).await
    }
}

fn done<T>(progress: Progress<T>) -> Result<T> {
    match progress {
        Progress::Done(done) => Ok(done),
        Progress::Paused => Err(paused()),
    }
}
