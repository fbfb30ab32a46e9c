//! The chain of an asset's review in the ledger: a log in which an entry follows only the one that was read before it.

use shared::{
    audit::{AuditEvent, SealedEvent},
    error::{Error, Result},
    ledger::Ledger,
};

use super::NAME;

/// The most bytes of an entry; an item of the table has 400 KB.
const LARGEST: usize = 384 * 1024;

/// The entries of an asset.
pub(super) struct Chain {
    name: String,
    pub(super) entries: Vec<SealedEvent>,
}

impl Chain {
    /// Reads it.
    pub(super) async fn read(ledger: &Ledger, asset: &str) -> Result<Self> {
        let name = format!("review-{asset}");
        let mut entries = Vec::new();
        for line in ledger.log_entries(NAME, &name).await? {
            let read = SealedEvent::parse(&line, "")?;
            // The hash is that of the line; who rewrote one is found out when the chain is verified.
            let hash = read.event.seal(read.sequence, &read.previous_hash)?.hash;
            entries.push(SealedEvent { hash, ..read });
        }
        Ok(Self { name, entries })
    }

    /// Its lines, one an entry, as they are verified.
    pub(super) fn lines(&self) -> Result<Vec<String>> {
        self.entries.iter().map(SealedEvent::canonical).collect()
    }

    /// The hash of its end.
    pub(super) fn end(&self) -> &str {
        self.entries.last().map(|last| last.hash.as_str()).unwrap_or_default()
    }

    /// Appends an event behind the end that was read. False when another worker was there meanwhile: read it again.
    pub(super) async fn append(&mut self, ledger: &Ledger, event: &AuditEvent) -> Result<bool> {
        let sequence = self.entries.last().map_or(0, |last| last.sequence);
        let sealed = event.seal(sequence + 1, self.end())?;
        let line = sealed.canonical()?;
        if line.len() > LARGEST {
            return Err(Error::bug("append", "an entry is larger than an item of the table"));
        }
        let is_there = ledger.append_log(NAME, &self.name, sequence, &line).await?;
        if is_there {
            self.entries.push(sealed);
        }
        Ok(is_there)
    }
}
