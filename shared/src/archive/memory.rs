//! What is remembered of an identifier, whichever delivery is about it. It is changed only by whoever read it last.

use serde::{Deserialize, Serialize};

use super::{Deposit, NAMESPACE, OVERTAKEN, later};
use crate::{
    error::{Error, Result},
    flow::Run,
    preservica::{ProgressToken, Reference, UploadLedger},
};

/// What is remembered, and as it was read.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    name: String,
    before: Option<String>,
    pub(super) told: Told,
}

/// The note itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Told {
    /// The asset: the one that was chosen, or the one that was found.
    pub(super) reference: Reference,
    /// What the package that is on its way, or the last one, is made of.
    pub(super) print: String,
    /// How far the package is.
    pub(super) upload: UploadLedger,
    /// Since when the package has arrived, in milliseconds since the epoch.
    pub(super) arrived: Option<i64>,
    /// What its ingest is asked for with.
    pub(super) token: Option<ProgressToken>,
    /// Packages whose ingest ended without an asset.
    pub(super) failures: u32,
    /// What the asset was made of when it was verified last.
    pub(super) archived: Option<String>,
    /// A file that is being replaced.
    pub(super) changing: Option<Changing>,
    /// Replacements since it was verified last.
    pub(super) replaced: u32,
}

/// A file that gets a new generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Changing {
    /// The checksum of its new bytes.
    pub(super) sha256: String,
    /// Since when, in milliseconds since the epoch.
    pub(super) since: i64,
    /// What it is asked for with; none while no answer has come.
    pub(super) token: Option<ProgressToken>,
}

impl Memory {
    pub(super) async fn read(run: &Run, name: &str) -> Result<Option<Self>> {
        let Some(text) = run.ledger().note(NAMESPACE, name).await?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let told = serde_json::from_str(&text).map_err(|error| {
            Error::bug("archive", "what is remembered of an archived asset cannot be read").source(error)
        })?;
        Ok(Some(Self { name: name.to_owned(), before: Some(text), told }))
    }

    /// Nothing was done about it yet.
    pub(super) fn new(name: &str, reference: Reference, deposit: &Deposit) -> Self {
        let told = Told {
            reference,
            print: deposit.print(),
            upload: UploadLedger::in_parts(),
            arrived: None,
            token: None,
            failures: 0,
            archived: None,
            changing: None,
            replaced: 0,
        };
        Self { name: name.to_owned(), before: None, told }
    }

    /// Whether an asset is one that a package of these files was sent for.
    pub(super) fn brought(&self, asset: &Reference, deposit: &Deposit) -> bool {
        let was_sent = self.told.arrived.is_some() || self.told.upload.may_have_arrived();
        self.told.reference == *asset && self.told.print == deposit.print() && was_sent
    }

    /// Another package is to go.
    pub(super) fn begin_anew(&mut self, deposit: &Deposit) {
        self.told.print = deposit.print();
        self.told.upload = UploadLedger::in_parts();
        (self.told.arrived, self.told.token) = (None, None);
    }

    /// The asset is as it is to be.
    pub(super) fn archived(&mut self, asset: &Reference, deposit: &Deposit) {
        self.begin_anew(deposit);
        self.told.reference = asset.clone();
        self.told.archived = Some(deposit.print());
        (self.told.failures, self.told.changing, self.told.replaced) = (0, None, 0);
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`OVERTAKEN`], when somebody else has kept another one since it was read. When the ledger cannot be reached.
    pub(super) async fn keep(&mut self, run: &Run) -> Result<()> {
        let text = serde_json::to_string(&self.told).map_err(|error| {
            Error::bug("archive", "what is to be remembered cannot be written as JSON").source(error)
        })?;
        if self.before.as_ref() == Some(&text) {
            return Ok(());
        }
        let kept = run.ledger().replace_note(NAMESPACE, &self.name, self.before.as_deref(), &text).await?;
        if !kept {
            return Err(later(OVERTAKEN, "another delivery of the same has gone on meanwhile"));
        }
        self.before = Some(text);
        Ok(())
    }
}
