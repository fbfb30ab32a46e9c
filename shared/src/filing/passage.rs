//! The way of bytes into Content Server: sent (large ones in parts), read back, compared, and taken out again when they do
//! not agree. Large ones take as many invocations as they need.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Content, Filer, Told, parts};
use crate::{
    content_server::{Client, LargeUpload, NO_RANGES, NodeId},
    error::{Error, FailureClass, Result, Retry, System},
    flow::Run,
    transfer::{Digests, RangedSource, Ranges, hash_body, hash_resumable},
};

/// Verifications of one item that may fail before it is put aside.
const MISMATCHES_ALLOWED: u32 = 3;
/// The checkpoints of what is hashed.
const SOURCE_HASH: &str = "source-hash";
const TARGET_HASH: &str = "target-hash";

/// A document or version that was placed, by this attempt or an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The document.
    pub node: NodeId,
    /// The number of the version.
    pub version: i64,
    /// Whether the document is new, rather than a version of one that was there.
    pub new_document: bool,
}

/// The way of contents into Content Server, in one delivery of their item.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// The flow, under whose name documents are locked while versions are added.
    pub flow: &'static str,
    /// The target.
    pub content_server: &'a Client,
    /// The item.
    pub run: &'a Run,
}

impl Filer {
    /// The way of contents of an item.
    pub fn passage<'a>(&'a self, run: &'a Run) -> Passage<'a> {
        Passage { flow: self.flow, content_server: &self.content_server, run }
    }
}

impl Passage<'_> {
    /// Whether so many bytes may take more than one invocation.
    pub fn is_large(&self, size: u64) -> bool {
        size >= self.content_server.settings().large_upload.from_size
    }

    /// The upload of a large content with all its parts; nothing when it goes up in one call.
    ///
    /// # Errors
    /// [`parts::PAUSED`]; what source and target say.
    pub async fn sent_in_parts(
        &self,
        content: &Content,
        told: Option<Told<'_>>,
    ) -> Result<Option<LargeUpload>> {
        let length = content.source.length();
        if !self.is_large(length) || !self.content_server.takes_in_parts(length).await? {
            return Ok(None);
        }
        parts::done(Box::pin(parts::send(self.content_server, content, self.run, told)).await?).map(Some)
    }

    /// What the refusal to make a document or version of an upload in parts means: that, or another beginning.
    pub async fn after_refusal(&self, refusal: Error) -> Error {
        match parts::after_refusal(self.content_server, self.run, refusal).await {
            Ok(()) => parts::paused(),
            Err(error) => error,
        }
    }

    /// The digests of a content: from its upload when this run made it, otherwise from a pass of their own; compared
    /// with what its source states.
    ///
    /// # Errors
    /// `source.corrupt` when the source states others.
    pub async fn source_digests(&self, content: &Content) -> Result<Digests> {
        let source = &content.source;
        let digests = match content.witness.digests() {
            Some(seen) => seen,
            None if self.is_large(source.length()) => match parts::digests(self.run, source) {
                Some(digests) => digests,
                None => {
                    parts::done(hash_resumable(source, Ranges::FromAnywhere, self.run, SOURCE_HASH).await?)?
                }
            },
            None => hash_body(content.whole.open().await?, Some(source.length())).await?,
        };
        let differs =
            |known: &Option<String>, found: &String| known.as_ref().is_some_and(|known| known != found);
        if differs(&content.crc64_nvme, &digests.crc64_nvme) || differs(&content.sha256, &digests.sha256) {
            self.forget().await?;
            // The upload itself cannot have carried these bytes: its witness knows the checksum. Read again later.
            return Err(Error::new(
                FailureClass::Transient,
                System::S3,
                "read source",
                "source.corrupt",
                "the bytes that were read do not have the checksum their source states",
            ));
        }
        Ok(digests)
    }

    /// The digests of a version in Content Server, whose size is about `size`. Where the server gives no ranges, that of
    /// a large one has to fit one invocation.
    ///
    /// # Errors
    /// [`parts::PAUSED`]; what the target says.
    pub async fn version_digests(&self, node: NodeId, version: i64, size: u64) -> Result<Digests> {
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
            match hash_resumable(&source, Ranges::FromAnywhere, self.run, TARGET_HASH).await {
                Err(error) if error.code() == NO_RANGES => {
                    tracing::warn!("the server gives no ranges: the document is read in one go");
                }
                outcome => return parts::done(outcome?),
            }
        }
        parts::done(hash_resumable(&source, Ranges::FromTheBeginning, self.run, TARGET_HASH).await?)
    }

    /// Forgets what was sent and hashed, before it is done anew.
    async fn forget(&self) -> Result<()> {
        for name in [SOURCE_HASH, TARGET_HASH] {
            if self.run.recorded::<serde_json::Map<String, serde_json::Value>>(name).is_some() {
                self.run.checkpoint(name, &()).await?;
            }
        }
        parts::forget(self.run).await
    }

    /// What does not agree with its source is taken out again, so that nobody finds a damaged document. Says what is to
    /// become of the item; `held` is what the target held.
    ///
    /// # Errors
    /// When it cannot be taken out.
    pub async fn reject(&self, placed: Placed, source: &Digests, held: &str) -> Result<Error> {
        self.forget().await?;
        self.take_back(placed).await?;
        let times = self.run.recorded::<u32>("mismatches").unwrap_or(0) + 1;
        self.run.checkpoint("mismatches", &times).await?;
        let class = if times >= MISMATCHES_ALLOWED { FailureClass::Invalid } else { FailureClass::Transient };
        // Not the target's fault as a whole: its breaker is not told.
        Ok(Error::new(
            class,
            System::Waybill,
            "verify",
            "verify.mismatch",
            format!("{} bytes were read, the target held {held}; it was taken back", source.bytes),
        )
        .remedy("look for a proxy between the two that changes or cuts bodies"))
    }

    /// Alone: nobody adds a version to a document that is about to go.
    async fn take_back(&self, placed: Placed) -> Result<()> {
        let ledger = self.run.ledger();
        let lock = ledger.lock(self.flow, &format!("node-{}", placed.node), self.run.lease_until()).await?;
        let Some(lock) = lock else {
            return Err(Error::new(
                FailureClass::Transient,
                System::Waybill,
                "verify",
                "target.busy",
                "a version of the document that is to be taken back is being added",
            )
            .retry(Retry::After(Duration::from_secs(5))));
        };
        let outcome = self.take_back_alone(placed).await;
        self.run.leave(&lock).await;
        outcome
    }

    async fn take_back_alone(&self, placed: Placed) -> Result<()> {
        tracing::warn!(node = placed.node.0, version = placed.version, "taken back");
        // Somebody may have added a version meanwhile: then only ours goes.
        let alone = self.content_server.latest_version(placed.node).await?.number == placed.version;
        // Asked last. Content Server may refuse the deletion too, or may not.
        let node = self.content_server.get_node(placed.node).await?;
        if let Some(holder) = self.content_server.hold_over(&node).await? {
            let (node, version) = (placed.node, placed.version);
            return Err(Error::new(
                FailureClass::Invalid,
                System::Waybill,
                "verify",
                "verify.held",
                format!("version {version} of node {node} has other bytes, and node {holder} is on hold: it was left"),
            )
            .remedy("let the records manager decide about it, then upload the object again"));
        }
        if placed.new_document && alone {
            return self.content_server.delete_node(placed.node).await;
        }
        match self.content_server.delete_version(placed.node, placed.version).await {
            // An earlier attempt took it back, and its answer was lost.
            Err(error) if error.class() == FailureClass::Gone => Ok(()),
            outcome => outcome,
        }
    }
}
