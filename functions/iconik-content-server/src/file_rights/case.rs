//! What the ledger remembers of an asset's rights.
//!
//! | what | where |
//! |---|---|
//! | the revisions of an asset's rights | the log `rights-<asset>`: its place is the revision |
//! | what was filed, how it stands, what iconik is still to be told | the note `case-<asset>`, written under the asset's lock |
//! | the next last day of each asset | the list `cases`, by the number of the final's document |
//! | which item starts a task | a note, written by the first one |

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    content_server::NodeId,
    error::{Error, Result},
    flow::{Flow, Run},
    iconik::AssetId,
    ledger::{Ledger, Sighting},
};

use super::{FileRights, again, rights::Expiry};

const CASES: &str = "cases";
/// Assets that are read at once in a round.
const AT_ONCE: usize = 100;
/// How often the log is read again because somebody else wrote to it.
const ATTEMPTS: u32 = 8;

/// The rights of one asset, as they were filed last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) version: String,
    pub(super) number: i64,
    pub(super) revision: u64,
    pub(super) rule: String,
    /// The documents of the final media.
    pub(super) nodes: Vec<NodeId>,
    pub(super) statement: Option<NodeId>,
    /// Every last day.
    pub(super) expiries: Vec<Expiry>,
    /// What had lapsed when access was narrowed last, by key; nothing while rights last.
    pub(super) lapsed: Vec<String>,
    /// What the rule read and what was filed, for what is said and done when the asset cannot be asked any more.
    pub(super) record: Value,
    /// What iconik is still to be told.
    #[serde(default)]
    pub(super) untold: Vec<Untold>,
}

/// A sentence for the history of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Untold {
    pub(super) text: String,
    /// Whether it may have been told.
    pub(super) begun: bool,
}

impl Case {
    /// The next last day that nobody has done anything about.
    fn due(&self) -> Option<Date> {
        let open = self.expiries.iter().filter(|expiry| !self.lapsed.contains(&expiry.key()));
        open.map(|expiry| expiry.until).min()
    }
}

/// A case, as it was read or written last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    text: Option<String>,
    pub(super) case: Option<Case>,
}

/// When an asset's rights are to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Due {
    pub(super) asset: String,
    pub(super) on: Option<Date>,
}

impl FileRights {
    /// The revision of what is known of the rights now: one more than before when it is not what was seen last.
    pub(super) async fn revision(&self, asset: &AssetId, digest: &str, run: &Run) -> Result<u64> {
        let (ledger, log) = (run.ledger(), log(asset));
        for _ in 0..ATTEMPTS {
            let end = ledger.log_end(Self::NAME, &log).await?;
            let place = match end {
                Some((place, last)) if last == digest => return Ok(place),
                end => end.map_or(0, |(place, _)| place),
            };
            if ledger.append_log(Self::NAME, &log, place, digest).await? {
                return Ok(place + 1);
            }
        }
        Err(again("rights.busy", "the rights of this asset are being noted by others"))
    }

    pub(super) async fn case(&self, asset: &AssetId, ledger: &Ledger) -> Result<Kept> {
        let text = ledger.note(Self::NAME, &note(asset)).await?;
        let case = text.as_deref().map(read).transpose()?;
        Ok(Kept { text, case })
    }

    /// Keeps a case. Nobody else may have kept another one meanwhile.
    pub(super) async fn keep(&self, asset: &AssetId, kept: &mut Kept, case: Case, run: &Run) -> Result<()> {
        let (ledger, now) = (run.ledger(), text(&case)?);
        if !ledger.replace_note(Self::NAME, &note(asset), kept.text.as_deref(), &now).await? {
            return Err(again("rights.busy", "somebody else has filed this asset's rights meanwhile"));
        }
        if let Some(node) = case.nodes.first() {
            let due = Due { asset: asset.as_str().to_owned(), on: case.due() };
            let sighting = Sighting { id: node.0, facts: text(&due)? };
            ledger.remember(Self::NAME, CASES, &sighting, false).await?;
        }
        *kept = Kept { text: Some(now), case: Some(case) };
        Ok(())
    }
}

/// When assets are to be looked at whose documents have a number behind this one, with these numbers.
pub(super) async fn due_behind(ledger: &Ledger, behind: i64) -> Result<Vec<(i64, Due)>> {
    let found = ledger.sightings_between(FileRights::NAME, CASES, behind, i64::MAX, AT_ONCE).await?;
    found.into_iter().map(|sighting| Ok((sighting.id, read(&sighting.facts)?))).collect()
}

/// The revision of an asset's rights that was seen last, and what tells it from every other.
pub(super) async fn last_revision(ledger: &Ledger, asset: &AssetId) -> Result<Option<(u64, String)>> {
    ledger.log_end(FileRights::NAME, &log(asset)).await
}

fn log(asset: &AssetId) -> String {
    format!("rights-{asset}")
}

fn note(asset: &AssetId) -> String {
    format!("case-{asset}")
}

fn text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::bug("keep rights", "they cannot be written as JSON").source(error))
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::bug("read rights", "the ledger holds something of another release").source(error)
    })
}
