//! The bulk location where it is a container of Azure: blobs that are put whole or in blocks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Shown, State};
use crate::content::{Blob, Spool};

/// A blob.
#[derive(Clone, Debug)]
pub(in crate::preservica) struct Contained {
    pub(in crate::preservica) content: Blob,
    /// What is said of it, by name in small letters.
    pub(in crate::preservica) metadata: BTreeMap<String, String>,
    /// Since when.
    pub(in crate::preservica) at: Timestamp,
    pub(in crate::preservica) tag: String,
}

/// What is in the container, and blocks that are no blob yet.
#[derive(Debug, Default)]
pub(super) struct Container {
    blobs: BTreeMap<String, Contained>,
    blocks: BTreeMap<(String, String), Blob>,
}

impl State {
    /// The container's name.
    pub fn bulk_container(&self) -> String {
        format!("preservica-{}-bulk", self.tenant.to_lowercase())
    }

    /// The account that it belongs to: the first part of the host's name.
    pub fn bulk_account(&self) -> String {
        format!("preservica{}", self.tenant.to_lowercase())
    }

    /// Whether a shared access signature was given out, and is good still.
    pub(in crate::preservica) fn shown_signature(&self, signature: &str) -> Shown {
        match self.bulk_keys.iter().find(|known| known.session == signature) {
            Some(known) if known.ends > self.now => Shown::Good,
            Some(_) => Shown::Ended,
            None => Shown::Unknown,
        }
    }

    /// A blob.
    pub(in crate::preservica) fn contained(&self, name: &str) -> Option<&Contained> {
        self.container.blobs.get(name)
    }

    /// A block of a blob to come.
    pub(in crate::preservica) fn keep_block(&mut self, name: &str, block: &str, content: Blob) {
        self.container.blocks.insert((name.to_owned(), block.to_owned()), content);
    }

    /// The blocks of a blob, put together. `None` when one was never put.
    pub(in crate::preservica) fn join_blocks(&mut self, name: &str, blocks: &[String]) -> Option<Blob> {
        let mut spool = Spool::new(self.settings.memory_threshold_bytes, false);
        for block in blocks {
            let content = self.container.blocks.get(&(name.to_owned(), block.clone()))?;
            spool.append(content).ok()?;
        }
        self.container.blocks.retain(|(of, _), _| of != name);
        Some(spool.finish())
    }

    /// Keeps a blob. A package that says that it is ready is taken in.
    pub(in crate::preservica) fn contain(
        &mut self,
        name: &str,
        content: Blob,
        metadata: BTreeMap<String, String>,
    ) -> Contained {
        let kept = Contained {
            content: content.clone(),
            metadata,
            at: self.now,
            tag: format!("\"0x{:016X}\"", self.next()),
        };
        self.container.blobs.insert(name.to_owned(), kept.clone());
        let said = |what: &str| kept.metadata.get(what).cloned();
        if said("status").as_deref() == Some("ready") {
            let called = said("name").unwrap_or_else(|| name.to_owned());
            let user = said("createdby").unwrap_or_default();
            self.receive_package(&user, &called, said("collectionreference"), content);
        }
        kept
    }
}
