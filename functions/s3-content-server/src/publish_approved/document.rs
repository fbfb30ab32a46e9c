//! The copy of one document.

use serde::{Deserialize, Serialize};
use shared::{
    content_server::Version,
    error::Result,
    transfer::{Digests, Progress, UploadSizes},
};

use super::{
    PublishApproved,
    approval::Noting,
    copies::{Copy, Place},
    settle::{Made, Work},
    standing::{Offer, Standing},
};
use crate::version_copy::{read_version, version_source};

/// What was read before anything was put anywhere.
#[derive(Debug, Serialize, Deserialize)]
struct Read {
    fingerprint: String,
    sha256: String,
    crc64_nvme: String,
    bytes: u64,
}

impl PublishApproved {
    /// Reads the approved version, looks whether it is still approved, and puts it in its place: read a second time, as
    /// Content Server keeps no checksum to compare with.
    pub(super) async fn copy_document(
        &self,
        work: &Work<'_>,
        offer: &Offer<'_>,
        version: &Version,
        over: &Place,
    ) -> Result<Made> {
        let node = work.unit.node();
        let fingerprint = offer.fingerprint();
        let source = version_source(&self.content_server, node, version).await?;
        let name = |what: &str| format!("{what}-{}", fingerprint.get(..12).unwrap_or_default());
        let (reading, copying) = (name("read"), name("copy"));
        let known = match self.known(work, &fingerprint) {
            Some(known) => known,
            None => {
                let sizes = UploadSizes::default();
                let read = read_version(&self.content_server, &source, sizes, work.run, &reading);
                let Progress::Done(digests) = Box::pin(read).await? else { return Ok(Made::Paused) };
                if source.length() > sizes.single {
                    work.run.checkpoint(READ, &Read::of(&fingerprint, &digests)).await?;
                }
                digests
            }
        };
        // Reading takes time: immediately before anything is published the question is asked again.
        match self.standing(work.unit, Noting::of(work.run)).await? {
            Standing::Offered(now) if now.fingerprint() == fingerprint && now.key == offer.key => {}
            _ => return Ok(Made::Changed),
        }
        let put = self.put(work, offer, (&source, Some(&known)), over, &copying);
        match Box::pin(put).await? {
            Progress::Done(copy) => Ok(Made::Copy(copy, source.length())),
            Progress::Paused => Ok(Made::Paused),
        }
    }

    /// What an earlier invocation has read of this very content.
    fn known(&self, work: &Work<'_>, fingerprint: &str) -> Option<Digests> {
        let read = work.run.recorded::<Read>(READ).filter(|read| read.fingerprint == fingerprint)?;
        Some(Digests { sha256: read.sha256, crc64_nvme: read.crc64_nvme, bytes: read.bytes })
    }
}

/// The checkpoint.
const READ: &str = "read";

impl Read {
    fn of(fingerprint: &str, digests: &Digests) -> Self {
        Self {
            fingerprint: fingerprint.to_owned(),
            sha256: digests.sha256.clone(),
            crc64_nvme: digests.crc64_nvme.clone(),
            bytes: digests.bytes,
        }
    }
}

impl Copy {
    /// `s3://bucket/key`.
    pub(super) fn uri(&self, bucket: &str) -> String {
        format!("s3://{bucket}/{}", self.key)
    }
}
