//! Audit that an outsider can check: one append-only chain of events per asset, each holding the hash of the one
//! before. Event types and outcomes are terms of the PREMIS 3 vocabularies.
//!
//! An event's hash is the SHA-256 of its canonical JSON (RFC 8785), which includes its sequence number and the
//! previous hash. [`verify`] needs nothing but an export: one canonical event per line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Terms of the PREMIS event type vocabulary that Waybill writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventType {
    /// An object was taken into a repository.
    #[serde(rename = "ingestion")]
    Ingestion,
    /// It was looked at and not taken.
    #[serde(rename = "accession")]
    Accession,
    /// It was put aside because it could not be accepted.
    #[serde(rename = "quarantine")]
    Quarantine,
    /// It was checked against what was expected of it.
    #[serde(rename = "validation")]
    Validation,
    /// It could not be delivered at all.
    #[serde(rename = "transfer")]
    Transfer,
    /// A copy was made available to somebody outside the repository.
    #[serde(rename = "dissemination")]
    Dissemination,
    /// It was decided who may have it, and until when: a link was issued or revoked.
    #[serde(rename = "policy assignment")]
    PolicyAssignment,
}

/// Terms of the PREMIS event outcome vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It worked.
    Success,
    /// It did not.
    Fail,
    /// It worked, with something to note.
    Warning,
}

/// What happened to an asset, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// The asset the chain belongs to: its identity in the system it came from, hashed when long.
    pub asset: String,
    /// What happened.
    pub event_type: EventType,
    /// When, as RFC 3339 in UTC.
    pub event_date_time: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Who did it: the flow, with its release.
    pub agent: String,
    /// The item it happened for.
    pub item: String,
    /// SHA-256 of the content, in lower-case hexadecimal, when content was involved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_digest: Option<String>,
    /// Further facts: ids in the other system, versions, reasons.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
}

/// An event in its place in a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedEvent {
    /// Its place, from 1.
    pub sequence: u64,
    /// The hash of the event before it; empty for the first.
    pub previous_hash: String,
    /// Its own hash.
    pub hash: String,
    /// The event.
    pub event: AuditEvent,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Canonical {
    sequence: u64,
    previous_hash: String,
    #[serde(flatten)]
    event: AuditEvent,
}

impl AuditEvent {
    /// Puts the event in its place.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn seal(&self, sequence: u64, previous_hash: &str) -> Result<SealedEvent> {
        let mut sealed = SealedEvent {
            sequence,
            previous_hash: previous_hash.to_owned(),
            hash: String::new(),
            event: self.clone(),
        };
        sealed.hash = digest(&sealed.canonical()?);
        Ok(sealed)
    }
}

impl SealedEvent {
    /// Its canonical JSON: what is hashed, stored and exported.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn canonical(&self) -> Result<String> {
        let canonical = Canonical {
            sequence: self.sequence,
            previous_hash: self.previous_hash.clone(),
            event: self.event.clone(),
        };
        serde_json_canonicalizer::to_string(&canonical)
            .map_err(|error| Error::bug("audit", "an audit event cannot be written as JSON").source(error))
    }

    /// Reads an event back from its canonical JSON and its stored hash.
    ///
    /// # Errors
    /// When it is not an event.
    pub fn parse(canonical: &str, hash: &str) -> Result<Self> {
        let parsed: Canonical = serde_json::from_str(canonical)
            .map_err(|error| Error::bug("audit", "an audit event cannot be read").source(error))?;
        Ok(Self {
            sequence: parsed.sequence,
            previous_hash: parsed.previous_hash,
            hash: hash.to_owned(),
            event: parsed.event,
        })
    }
}

/// Something wrong with an exported chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Tampering {
    /// A line is not an event.
    #[error("line {line} is not an audit event: {problem}")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// What the parser said.
        problem: String,
    },
    /// A line is an event, but not in its canonical form: it was rewritten.
    #[error("line {line} is not in canonical form: it was rewritten")]
    Rewritten {
        /// The line, from 1.
        line: usize,
    },
    /// An event is missing, doubled or out of its place.
    #[error("line {line}: expected event {expected} of the chain, found {found}")]
    Sequence {
        /// The line, from 1.
        line: usize,
        /// The sequence number that was due.
        expected: u64,
        /// The one that stood there.
        found: u64,
    },
    /// An event does not follow from the one before it: one of the two was changed.
    #[error("line {line}: the event does not follow from the one before it")]
    Broken {
        /// The line, from 1.
        line: usize,
    },
    /// An event of another asset.
    #[error("line {line} belongs to another asset")]
    OtherAsset {
        /// The line, from 1.
        line: usize,
    },
    /// The last event's hash is not the one that was noted elsewhere: the end was changed or cut off.
    #[error("the chain does not end with the hash that was noted")]
    End,
}

impl Tampering {
    /// Stable and machine-readable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "audit.unreadable",
            Self::Rewritten { .. } => "audit.rewritten",
            Self::Sequence { .. } => "audit.sequence",
            Self::Broken { .. } => "audit.broken",
            Self::OtherAsset { .. } => "audit.other-asset",
            Self::End => "audit.end",
        }
    }

    /// The first line that is not as it was written, from 1; nothing when only the end is.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Unreadable { line, .. }
            | Self::Rewritten { line }
            | Self::Sequence { line, .. }
            | Self::Broken { line }
            | Self::OtherAsset { line } => Some(*line),
            Self::End => None,
        }
    }
}

/// A chain that holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The asset all of it is about; nothing when there is no event.
    pub asset: Option<String>,
    /// How many events there are.
    pub events: u64,
    /// The last event's hash; empty when there is no event.
    pub end: String,
}

/// Checks an exported chain, one canonical event per line, offline. `noted_end` is the last hash as noted elsewhere
/// (a receipt, a report); without it a chain cut at its end cannot be told from a whole one. Returns the last hash.
///
/// # Errors
/// The first tampering found.
pub fn verify(export: &str, noted_end: Option<&str>) -> Result<String, Tampering> {
    inspect(export, noted_end).map(|verified| verified.end)
}

/// As [`verify`], and tells what the chain is.
///
/// # Errors
/// The first tampering found.
pub fn inspect(export: &str, noted_end: Option<&str>) -> Result<Verified, Tampering> {
    let mut previous_hash = String::new();
    let mut asset: Option<String> = None;
    let mut events = 0;
    // Not `lines`: that would not see a carriage return.
    let lines = export.strip_suffix('\n').unwrap_or(export).split('\n');
    for (index, text) in lines.enumerate().filter(|_| !export.is_empty()) {
        let line = index + 1;
        let parsed: Canonical = serde_json::from_str(text)
            .map_err(|error| Tampering::Unreadable { line, problem: error.to_string() })?;
        let canonical = serde_json_canonicalizer::to_string(&parsed)
            .map_err(|error| Tampering::Unreadable { line, problem: error.to_string() })?;
        if canonical != text {
            return Err(Tampering::Rewritten { line });
        }
        let expected = line as u64;
        if parsed.sequence != expected {
            return Err(Tampering::Sequence { line, expected, found: parsed.sequence });
        }
        if parsed.previous_hash != previous_hash {
            return Err(Tampering::Broken { line });
        }
        match &asset {
            Some(asset) if *asset != parsed.event.asset => return Err(Tampering::OtherAsset { line }),
            _ => asset = Some(parsed.event.asset),
        }
        previous_hash = digest(text);
        events = expected;
    }
    match noted_end {
        Some(noted) if noted != previous_hash => Err(Tampering::End),
        _ => Ok(Verified { asset, events, end: previous_hash }),
    }
}

fn digest(canonical: &str) -> String {
    hex::encode(Sha256::digest(canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: u64) -> (Vec<String>, String) {
        let mut lines = Vec::new();
        let mut hash = String::new();
        for sequence in 1..=length {
            let event = AuditEvent {
                asset: "a1".into(),
                event_type: EventType::Ingestion,
                event_date_time: format!("2031-05-06T07:08:{sequence:02}Z"),
                outcome: Outcome::Success,
                agent: "waybill ingest-uploads 0.1.0".into(),
                item: format!("item {sequence}"),
                message_digest: Some("ab".repeat(32)),
                detail: BTreeMap::from([("node".to_owned(), "7001".to_owned())]),
            };
            let sealed = event.seal(sequence, &hash).unwrap();
            hash.clone_from(&sealed.hash);
            lines.push(sealed.canonical().unwrap());
        }
        (lines, hash)
    }

    #[test]
    fn an_untouched_chain_verifies_and_gives_its_end() {
        let (lines, end) = chain(5);
        assert_eq!(verify(&lines.join("\n"), Some(&end)), Ok(end));
    }

    #[test]
    fn every_flipped_byte_is_found() {
        let (lines, end) = chain(3);
        let whole = lines.join("\n");
        for index in 0..whole.len() {
            let mut bytes = whole.clone().into_bytes();
            bytes[index] ^= 1;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(verify(&text, Some(&end)).is_err(), "a flipped byte {index} went unnoticed");
            }
        }
    }

    #[test]
    fn removed_swapped_inserted_and_cut_events_are_found() {
        let (lines, end) = chain(5);
        let without = |skip: usize| {
            let kept: Vec<_> = lines
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != skip)
                .map(|(_, line)| line.clone())
                .collect();
            kept.join("\n")
        };
        for skip in 0..5 {
            assert!(verify(&without(skip), Some(&end)).is_err(), "removed event {skip}");
        }
        for at in 0..4 {
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            assert!(verify(&swapped.join("\n"), Some(&end)).is_err(), "swapped {at}");
            let mut doubled = lines.clone();
            doubled.insert(at, lines[at].clone());
            assert!(verify(&doubled.join("\n"), Some(&end)).is_err(), "doubled {at}");
        }
        assert_eq!(verify(&lines[..4].join("\n"), Some(&end)), Err(Tampering::End));
    }

    #[test]
    fn the_first_line_that_is_wrong_is_told_with_the_reason() {
        let (lines, end) = chain(4);
        let told = |lines: &[String]| {
            let tampering = inspect(&(lines.join("\n") + "\n"), Some(&end)).unwrap_err();
            (tampering.code(), tampering.line())
        };
        let mut changed = lines.clone();
        changed[1] = changed[1].replace("item 2", "item 9");
        assert_eq!(told(&changed), ("audit.broken", Some(3)), "the event after it does not follow");
        let removed = [lines[0].clone(), lines[2].clone(), lines[3].clone()];
        assert_eq!(told(&removed), ("audit.sequence", Some(2)));
        let mut returned = lines.clone();
        returned[2].push('\r');
        assert_eq!(told(&returned), ("audit.rewritten", Some(3)));
        let mut cut = lines.clone();
        cut[3].truncate(20);
        assert_eq!(told(&cut), ("audit.unreadable", Some(4)));
        let (other, _) = chain(5);
        let foreign = [&lines[..], &[other[4].replace("\"a1\"", "\"a2\"")]].concat();
        assert_eq!(told(&foreign), ("audit.other-asset", Some(5)));
        assert_eq!(told(&lines[..3]), ("audit.end", None));
        let whole = inspect(&(lines.join("\n") + "\n"), Some(&end)).unwrap();
        assert_eq!((whole.asset.as_deref(), whole.events), (Some("a1"), 4));
    }
}
