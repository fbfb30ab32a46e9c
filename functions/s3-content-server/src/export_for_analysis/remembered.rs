//! What a data set remembers of its documents: which versions it has been given, and that it was told of a withdrawal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, FailureClass, Result},
    flow::Flow,
    ledger::Sighting,
    transfer::S3Object,
};

use super::ExportForAnalysis;
use crate::{export_rules::DataSet, version_copy::StoredVersion};

/// Remembered or found documents that are read at once.
const STEP: usize = 100;

/// What is remembered of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    /// The versions the data set has, by number.
    pub(super) versions: BTreeMap<i64, Kept>,
    /// The run that told of it first; empty when none did.
    pub(super) first: String,
    /// The run that told that it is withdrawn.
    pub(super) withdrawn: Option<String>,
}

/// A version the data set has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The run that exported it.
    pub(super) run: String,
    /// When the version was added, by Content Server.
    pub(super) created: Option<String>,
    pub(super) stored: StoredVersion,
}

impl Facts {
    /// Whether there is nothing more to say of a document that is not found any more.
    pub(super) fn is_settled(&self, run: &str) -> bool {
        self.versions.is_empty() && self.withdrawn.as_deref() != Some(run)
    }

    /// Whether a run before this one told of the document.
    pub(super) fn is_known_before(&self, run: &str) -> bool {
        !self.first.is_empty() && self.first != run
    }
}

/// The documents of a run in order: those found and, in a full run, those that are only remembered.
pub(super) struct Walk<'a> {
    flow: &'a ExportForAnalysis,
    data_set: &'a DataSet,
    found: &'a [i64],
    full: bool,
    known: BTreeMap<i64, Facts>,
    /// Up to here everything remembered is known.
    until: i64,
}

/// The next document.
pub(super) struct Next {
    pub(super) node: i64,
    pub(super) is_found: bool,
    pub(super) facts: Option<Facts>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        flow: &'a ExportForAnalysis,
        data_set: &'a DataSet,
        (found, full): (&'a [i64], bool),
        after: i64,
    ) -> Self {
        Self { flow, data_set, found, full, known: BTreeMap::new(), until: after }
    }

    /// The first document behind a number.
    pub(super) async fn next(&mut self, after: i64) -> Result<Option<Next>> {
        self.known = self.known.split_off(&(after + 1));
        let ahead = self.found.get(self.found.partition_point(|node| *node <= after)..).unwrap_or_default();
        let found = ahead.first().copied();
        if self.full {
            while self.until < found.unwrap_or(i64::MAX) && self.known.is_empty() {
                self.read_ahead().await?;
            }
        } else if let Some(found) = found.filter(|found| *found > self.until) {
            let batch = ahead.get(..STEP.min(ahead.len())).unwrap_or_default();
            self.until = batch.last().copied().unwrap_or(found);
            let ledger = &self.flow.environment.ledger;
            let read = ledger.sightings(ExportForAnalysis::NAME, &self.data_set.name, batch).await?;
            self.take(read)?;
        }
        let remembered = self.known.keys().next().copied().filter(|_| self.full);
        let Some(node) = found.into_iter().chain(remembered).min() else { return Ok(None) };
        Ok(Some(Next { node, is_found: found == Some(node), facts: self.known.remove(&node) }))
    }

    async fn read_ahead(&mut self) -> Result<()> {
        let ledger = &self.flow.environment.ledger;
        let list = &self.data_set.name;
        let read =
            ledger.sightings_between(ExportForAnalysis::NAME, list, self.until, i64::MAX, STEP).await?;
        self.until = match read.last() {
            Some(last) if read.len() >= STEP => last.id,
            _ => i64::MAX,
        };
        self.take(read)
    }

    fn take(&mut self, read: Vec<Sighting>) -> Result<()> {
        for sighting in read {
            self.known.insert(sighting.id, facts(&sighting)?);
        }
        Ok(())
    }
}

impl ExportForAnalysis {
    /// What a data set remembers of one document.
    pub(super) async fn recall(&self, data_set: &DataSet, node: i64) -> Result<Option<Facts>> {
        let read = self.environment.ledger.sightings(Self::NAME, &data_set.name, &[node]).await?;
        read.first().map(facts).transpose()
    }

    pub(super) async fn remember(&self, data_set: &DataSet, node: i64, facts: &Facts) -> Result<()> {
        let facts = serde_json::to_string(facts)
            .map_err(|error| Error::bug("remember", "what is remembered cannot be written").source(error))?;
        let sighting = Sighting { id: node, facts };
        self.environment.ledger.remember(Self::NAME, &data_set.name, &sighting, false).await
    }

    /// Whether an object that was exported before is still what it was.
    pub(super) async fn is_still_there(&self, stored: &StoredVersion) -> Result<bool> {
        let head =
            S3Object::head(&self.s3, &stored.bucket, &stored.key, stored.version_id.as_deref(), None).await;
        match head {
            Ok(object) => {
                let crc = object.checksum_crc64_nvme.as_deref().is_none_or(|crc| crc == stored.crc64_nvme);
                let sha256 = object.checksum_sha256.as_deref().is_none_or(|sha256| sha256 == stored.sha256);
                let vouched = object.checksum_crc64_nvme.is_some() || object.checksum_sha256.is_some();
                Ok(vouched && crc && sha256 && object.size == stored.size)
            }
            Err(error) if error.class() == FailureClass::Gone => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn facts(sighting: &Sighting) -> Result<Facts> {
    serde_json::from_str(&sighting.facts).map_err(|error| {
        Error::bug("recall", "what is remembered of a document cannot be read").source(error)
    })
}
