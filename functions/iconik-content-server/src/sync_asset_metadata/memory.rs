//! What the flow keeps in the ledger: of each pair what was agreed on, of each conflict both values, and what people decided.
//!
//! | what | where |
//! |---|---|
//! | a pair: its document, its [`PairState`], how new its sides were | note `pair <asset>`, replaced only by who read it |
//! | a conflict with both values, for good | note `conflict <id> <outcome>` |
//! | the pairs that ever had one, and which | sets `conflicts` and `conflicts of <asset>` |
//! | what a person decided | note `decision <id>` |

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, Result},
    ledger::Ledger,
};

use super::{
    content::Misfit,
    proof::Unproven,
    state::{Both, Cause, Conflict, Decision, PairState, Resolution, Side},
};

/// The flow's name, under which all of it is kept.
pub(super) const FLOW: &str = "sync-asset-metadata";

/// The set of the pairs that ever had a conflict.
const CONFLICTS: &str = "conflicts";

/// What is kept of a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The document.
    pub node: i64,
    /// Its fields.
    pub state: PairState,
    /// The newest change of each side that was seen. A reading from before it is out of date.
    #[serde(default)]
    pub newest: Both<Option<Timestamp>>,
    /// The version of the asset that was current. A new one may begin without values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was looked at last and found changed: what changed since did so after this.
    #[serde(default)]
    pub looked: Option<Timestamp>,
    /// Writes to iconik that may have taken the place of something nobody saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproven: Option<Unproven>,
}

/// A pair as it was read: only who read it may replace it.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// What is kept.
    pub pair: Pair,
    text: Option<String>,
}

impl Kept {
    /// Whether anything is kept yet.
    pub fn is_kept(&self) -> bool {
        self.text.is_some()
    }
}

/// A conflict as it is kept, with the asset it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The asset in iconik.
    pub asset: String,
    /// The document in Content Server.
    pub node: i64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The conflict.
    pub conflict: Conflict,
}

/// The flow's part of the ledger.
#[derive(Clone)]
pub struct Memory {
    ledger: Ledger,
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// In this ledger.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }

    /// What is kept of a pair; nothing yet for a new one.
    ///
    /// # Errors
    /// When the table cannot be reached or holds something else.
    pub async fn pair(&self, asset: &str) -> Result<Kept> {
        match self.ledger.note(FLOW, &pair_name(asset)).await? {
            Some(text) => Ok(Kept { pair: read(&text)?, text: Some(text) }),
            None => Ok(Kept::default()),
        }
    }

    /// The pairs that are kept, by asset and document, in the order of the assets: those behind one, at most so many.
    ///
    /// # Errors
    /// When the table cannot be reached or holds something else.
    pub async fn pairs_behind(&self, behind: Option<&str>, most: usize) -> Result<Vec<(String, i64)>> {
        let behind = behind.map(pair_name);
        let notes = self.ledger.notes_behind(FLOW, &pair_name(""), behind.as_deref(), most).await?;
        let pair = |(name, text): &(String, String)| {
            let asset = name.strip_prefix(&pair_name("")).unwrap_or(name);
            Ok((asset.to_owned(), read::<Pair>(text)?.node))
        };
        notes.iter().map(pair).collect()
    }

    /// Keeps a pair in place of what was read. False when somebody else did meanwhile.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn keep(&self, asset: &str, kept: &mut Kept, pair: Pair) -> Result<bool> {
        let text = written(&pair)?;
        if kept.text.as_deref() == Some(text.as_str()) {
            return Ok(true);
        }
        let done = self.ledger.replace_note(FLOW, &pair_name(asset), kept.text.as_deref(), &text).await?;
        if done {
            *kept = Kept { pair, text: Some(text) };
        }
        Ok(done)
    }

    /// Records conflicts, each once.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn record(&self, asset: &str, node: i64, conflicts: &[Conflict]) -> Result<()> {
        for conflict in conflicts {
            let name = conflict_name(&conflict.id, conflict.resolution);
            let at = self.ledger.context().now();
            let recorded = Recorded { asset: asset.to_owned(), node, at, conflict: conflict.clone() };
            self.ledger.first_note(FLOW, &format!("conflict {name}"), &written(&recorded)?).await?;
            self.ledger.add_member(FLOW, &pair_set(asset), &name, None).await?;
            self.ledger.add_member(FLOW, CONFLICTS, asset, None).await?;
        }
        Ok(())
    }

    /// What people decided of the conflicts of a pair that wait.
    ///
    /// # Errors
    /// When the table cannot be reached or holds something else.
    pub async fn decisions(&self, state: &PairState) -> Result<Vec<Decision>> {
        let mut decisions = Vec::new();
        for open in state.fields.values().filter_map(|field| field.open.as_ref()) {
            if let Some(text) = self.ledger.note(FLOW, &decision_name(&open.id)).await? {
                decisions.push(read(&text)?);
            }
        }
        Ok(decisions)
    }

    /// Keeps what a person decided of a conflict that waits, for the next time the pair is looked at.
    ///
    /// # Errors
    /// `conflict.unknown` when no such conflict waits; `conflict.cannot-be-taken` when the value that was chosen is not one
    /// that can be written to the other side.
    pub async fn decide(&self, decision: &Decision) -> Result<Recorded> {
        let all = self.waiting(None).await?;
        let waiting = all.into_iter().find(|recorded| recorded.conflict.id == decision.conflict);
        let recorded = waiting.ok_or_else(|| {
            Error::invalid("conflict.unknown", format!("no conflict {} waits", decision.conflict))
                .remedy("list the conflicts again: a side may have changed since, or somebody decided")
        })?;
        let content = recorded.conflict.sides.get(decision.take).content.as_ref();
        let refused = match recorded.conflict.resolution {
            Resolution::Waits { cause: Cause::Unfit { side, why } } if side == decision.take => Some(why),
            _ => None,
        };
        let why_not = match content {
            None => Some(format!("{} has no place for the field", decision.take.name())),
            // What was refused when it was written may be taken by now.
            Some(content) => {
                let why = content.misfit().or(refused.filter(|why| *why != Misfit::Refused));
                why.map(|why| format!("the value {}", why.text()))
            }
        };
        if let Some(why) = why_not {
            return Err(Error::invalid("conflict.cannot-be-taken", why)
                .remedy("correct the value on either side, or take the other side's"));
        }
        self.ledger.set_note(FLOW, &decision_name(&decision.conflict), &written(decision)?).await?;
        Ok(recorded)
    }

    /// The conflicts that wait for a person, of one asset or of all.
    ///
    /// # Errors
    /// When the table cannot be reached or holds something else.
    pub async fn waiting(&self, asset: Option<&str>) -> Result<Vec<Recorded>> {
        let assets = match asset {
            Some(asset) => vec![asset.to_owned()],
            None => self.ledger.members(FLOW, CONFLICTS).await?,
        };
        let mut waiting = Vec::new();
        for asset in assets {
            let pair = self.pair(&asset).await?.pair;
            for open in pair.state.fields.values().filter_map(|field| field.open.as_ref()) {
                waiting.extend(self.recorded(&conflict_name(&open.id, open.resolution)).await?);
            }
        }
        Ok(waiting)
    }

    /// Every conflict of an asset, the earliest first, however it ended.
    ///
    /// # Errors
    /// When the table cannot be reached or holds something else.
    pub async fn history(&self, asset: &str) -> Result<Vec<Recorded>> {
        let mut history = Vec::new();
        for name in self.ledger.members(FLOW, &pair_set(asset)).await? {
            history.extend(self.recorded(&name).await?);
        }
        history.sort_by_key(|recorded| recorded.at);
        Ok(history)
    }

    async fn recorded(&self, name: &str) -> Result<Option<Recorded>> {
        let text = self.ledger.note(FLOW, &format!("conflict {name}")).await?;
        text.map(|text| read(&text)).transpose()
    }
}

fn pair_name(asset: &str) -> String {
    format!("pair {asset}")
}

fn pair_set(asset: &str) -> String {
    format!("conflicts of {asset}")
}

fn decision_name(conflict: &str) -> String {
    format!("decision {conflict}")
}

/// A conflict that waits and is decided is recorded twice, once with each outcome.
fn conflict_name(id: &str, resolution: Resolution) -> String {
    match resolution {
        Resolution::Waits { .. } => format!("{id} waits"),
        Resolution::Took { side: Side::Iconik, .. } => format!("{id} took-iconik"),
        Resolution::Took { side: Side::ContentServer, .. } => format!("{id} took-content-server"),
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::bug("read pair", "the ledger holds something else of this pair").source(error)
    })
}

fn written<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::bug("keep pair", "this cannot be written as JSON").source(error))
}
