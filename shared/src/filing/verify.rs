//! Bytes in = bytes out, per item: what the target holds is compared with what was read.

use super::{Filer, Filing, file::Verify, passage::Placed};
use crate::{
    content_server::{NodeId, Version},
    error::Result,
    transfer::Digests,
};

impl Filer {
    /// Compares size and hash. What does not agree is taken out of the target again.
    pub(super) async fn verify(&self, filing: &Filing<'_>, placed: Placed) -> Result<Digests> {
        let (passage, content) = (self.passage(filing.run), filing.content);
        let source = passage.source_digests(content).await?;
        let held = match filing.verify {
            Verify::Size => {
                let version = self.content_server.get_version(placed.node, placed.version).await?;
                if version.file_size == Some(source.bytes) {
                    return Ok(source);
                }
                let size = version.file_size.map_or_else(|| "unknown".into(), |size| size.to_string());
                format!("{size} bytes")
            }
            Verify::ReadBack => {
                let length = content.source.length();
                let held = passage.version_digests(placed.node, placed.version, length).await?;
                if held.sha256 == source.sha256 && held.bytes == source.bytes {
                    return Ok(source);
                }
                format!("{} bytes with another SHA-256", held.bytes)
            }
        };
        Err(passage.reject(placed, &source, &held).await?)
    }

    /// Whether the target's newest version has the very content that is to be filed.
    pub(super) async fn is_same(&self, filing: &Filing<'_>, node: NodeId, latest: &Version) -> Result<bool> {
        let (passage, length) = (self.passage(filing.run), filing.content.source.length());
        if latest.file_size.is_some_and(|size| size != length) {
            return Ok(false);
        }
        let source = passage.source_digests(filing.content).await?;
        let held = passage.version_digests(node, latest.number, length).await?;
        Ok(held.sha256 == source.sha256)
    }
}
