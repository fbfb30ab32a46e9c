//! Bytes in = bytes out, per item: what the target holds is compared with what was read.

use shared::{
    content_server::{NodeId, Version},
    error::Result,
    transfer::Digests,
};

use super::{IngestUploads, deliver::Job};
use crate::{intake_rules::Verify, uploads::passage::Placed};

impl IngestUploads {
    /// Compares size and hash. What does not agree is taken out of the target again.
    pub(super) async fn verify(&self, job: &Job<'_>, placed: Placed) -> Result<Digests> {
        let (passage, object) = (self.passage(job.run), &job.collected.object);
        let source = passage.object_digests(object, &job.witness).await?;
        let held = match job.plan.limits.verify {
            Verify::Size => {
                let version = self.content_server.get_version(placed.node, placed.version).await?;
                if version.file_size == Some(source.bytes) {
                    return Ok(source);
                }
                let size = version.file_size.map_or_else(|| "unknown".into(), |size| size.to_string());
                format!("{size} bytes")
            }
            Verify::ReadBack => {
                let held = passage.version_digests(placed.node, placed.version, object.size).await?;
                if held.sha256 == source.sha256 && held.bytes == source.bytes {
                    return Ok(source);
                }
                format!("{} bytes with another SHA-256", held.bytes)
            }
        };
        Err(passage.reject(placed, &source, &held).await?)
    }

    /// Whether the target's newest version has the very content of the upload.
    pub(super) async fn is_same(&self, job: &Job<'_>, node: NodeId, latest: &Version) -> Result<bool> {
        let (passage, object) = (self.passage(job.run), &job.collected.object);
        if latest.file_size.is_some_and(|size| size != object.size) {
            return Ok(false);
        }
        let source = passage.object_digests(object, &job.witness).await?;
        let held = passage.version_digests(node, latest.number, object.size).await?;
        Ok(held.sha256 == source.sha256)
    }
}
