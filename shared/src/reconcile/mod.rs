//! Whether both sides of a flow agree. What is listed on one side is looked up on the other, item by item, with what
//! the ledger says of it; [`judge`] makes of it a finding or none, and a [`Comparison`] carries a whole run through, over
//! as many invocations as it takes, to reports for people and machines.
//!
//! Nothing is sorted and nothing is held: a listing goes on behind a cursor, an item is read on both sides at the same
//! moment, and what looks like a difference is looked at a second time before it is told.

mod comparison;
mod cursor;
mod judge;
mod part;
mod repair;
mod report;
#[cfg(test)]
mod tests;
mod walk;

use std::{collections::BTreeMap, future::Future, pin::Pin};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::{
    comparison::{Comparison, Options, Phase, Place, State},
    cursor::{read_cursor, write_cursor},
    judge::{Verdict, judge},
    report::{Report, schema},
    walk::Walk,
};
use crate::{
    environment::Environment,
    error::{Result, System},
    ledger::{Ending, Known},
};

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Where things come from.
    Source,
    /// Where they are to be.
    Target,
}

/// One thing a side has, by what it is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it is called; unique on its side.
    pub key: String,
    /// What the listing told besides, for the look that follows.
    pub facts: serde_json::Value,
}

/// A piece of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What is there.
    pub items: Vec<Listed>,
    /// Where the listing goes on; nothing at its end.
    pub next: Option<String>,
}

/// What is known of a thing on one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Bytes.
    pub size: Option<u64>,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: Option<String>,
    /// CRC64-NVME of the content, as S3 writes it.
    pub crc64_nvme: Option<String>,
    /// Which version it is.
    pub version: Option<String>,
    /// A digest over the metadata that the flow carries across.
    pub metadata: Option<String>,
    /// What the flow maps, field by field: the [`fingerprint`] of each value. Of the target's fields those count that
    /// the source has too.
    pub mapped: Option<BTreeMap<String, String>>,
    /// The state it is in, where the flow mirrors one: a hold, a retention, an approval.
    pub state: Option<String>,
}

/// What stands for a value that is compared: equal for equal values, empty for none, and it tells nothing of the value.
pub fn fingerprint(value: &str) -> String {
    if value.is_empty() { String::new() } else { hex::encode(Sha256::digest(value)) }
}

/// What a side showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    There(Facts),
    /// It is not there. Said only when the side itself said so.
    Absent,
    /// It could not be read, by this reason.
    Unreadable(String),
}

/// What the ledger says of the item that carries a thing across.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Account {
    /// It was not asked: the item's identity does not follow from the thing.
    #[default]
    NotAsked,
    /// Nothing.
    Nothing,
    /// It was claimed at this moment and has not ended.
    UnderWay(Timestamp),
    /// It has ended, with the code of its reason where it has one.
    Ended(Ending, Option<String>),
}

impl Account {
    /// What the ledger's record says.
    pub fn of(known: Option<&Known>) -> Self {
        match known {
            None => Self::Nothing,
            Some(known) => match known.ending {
                None => Self::UnderWay(known.claimed),
                Some(ending) => Self::Ended(ending, known.reason_code().map(str::to_owned)),
            },
        }
    }
}

/// What can be done about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The flow gets the event it never got.
    Redeliver,
    /// The flow looks at the thing again and does what its rules say.
    LookAgain,
    /// A person decides.
    Person,
}

/// A message that lets the flow put something right by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// What it makes the flow do.
    pub action: Action,
    /// The body for the flow's queue. Two of the same finding and day are equal.
    pub message: String,
}

/// One thing, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What identifies it in reports.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The asset whose audit chain tells about it.
    pub asset: String,
    /// The source.
    pub source: Seen,
    /// The target.
    pub target: Seen,
    /// The ledger.
    pub account: Account,
    /// When either side last changed it, as far as it is known.
    pub changed: Option<Timestamp>,
    /// Why a difference here is as it should be.
    pub accounted: Option<String>,
    /// Lets the flow deliver what is missing; nothing where that is not safe.
    pub if_missing: Option<Again>,
    /// Lets the flow correct what differs; nothing where that is not safe.
    pub if_different: Option<Again>,
    /// Lets the flow bring values into line that it maps; nothing where that may undo what a person has corrected.
    pub if_metadata: Option<Again>,
    /// Lets the flow note that the source has it no more; nothing where that is not safe. Never to delete anything.
    pub if_extra: Option<Again>,
    /// What a reader should know besides.
    pub note: Option<String>,
}

impl Pair {
    /// A thing nothing is known of yet.
    pub fn new(key: impl Into<String>, name: impl Into<String>, asset: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            asset: asset.into(),
            source: Seen::Absent,
            target: Seen::Absent,
            account: Account::NotAsked,
            changed: None,
            accounted: None,
            if_missing: None,
            if_different: None,
            if_metadata: None,
            if_extra: None,
            note: None,
        }
    }
}

/// How a flow's sides and its differences are called in reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Words {
    /// The source: `objects of the bucket intake`.
    pub source: String,
    /// The target.
    pub target: String,
    /// What a person does about something missing that cannot be delivered by a message.
    pub missing: String,
    /// What a person does about something different.
    pub different: String,
    /// What a person does about something extra.
    pub extra: String,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether contents are read and hashed where no side states a hash.
    pub deep: bool,
}

/// A future that owns its way.
pub type Eventual<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The two sides of a flow.
pub trait Sides: Send + Sync {
    /// What to call them.
    fn words(&self) -> Words;

    /// What a side has, behind a cursor.
    fn list(&self, side: Side, cursor: Option<String>) -> Eventual<'_, Result<Page>>;

    /// A listed thing as it is on both sides now; several when it has parts that are compared one by one. An error
    /// whose class says that trying again may help ends the step, any other makes the thing unverifiable.
    fn look<'a>(&'a self, side: Side, listed: &'a Listed, look: Look) -> Eventual<'a, Result<Vec<Pair>>>;
}

/// Where a flow's sides are, as far as the flow's own configuration does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The buckets to list.
    pub buckets: Vec<String>,
    /// The collections of iconik, by id, whose contents at any depth are listed; everything when there are none.
    pub collections: Vec<String>,
}

/// Makes the sides of a flow.
pub type ConnectSides = for<'a> fn(&'a Environment, &'a Scope) -> Eventual<'a, Result<Box<dyn Sides>>>;

/// The sides of a flow without their types, for lists.
#[derive(Clone, Copy)]
pub struct SidesEntry {
    /// The flow.
    pub flow: &'static str,
    /// The systems that both sides are in: while one of them is out of order, no run goes on.
    pub systems: &'static [System],
    /// Makes them.
    pub connect: ConnectSides,
}

/// What is wrong with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The source has it, the target does not.
    Missing,
    /// Both have it, not alike.
    Different,
    /// Both have it, alike but for values that the flow maps.
    Metadata,
    /// The target has it, the source does not.
    Extra,
    /// It could not be compared.
    Unverifiable,
}

impl Kind {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] =
        [Self::Missing, Self::Different, Self::Metadata, Self::Extra, Self::Unverifiable];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Metadata => "metadata",
            Self::Extra => "extra",
            Self::Unverifiable => "unverifiable",
        }
    }
}

/// One fact in which the sides differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// `size`, `sha256`, `crc64-nvme`, `version`, `metadata`, `state`, or the name of a field that the flow maps.
    pub what: String,
    /// What the source says; of a field only whether it has a value.
    pub source: String,
    /// What the target says, likewise.
    pub target: String,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repair {
    /// Who does it, and how.
    pub action: Action,
    /// Whether `--repair` does it by itself.
    pub safe: bool,
    /// In words.
    pub what: String,
    /// Whether this run put it onto the flow's queue.
    #[serde(default)]
    pub queued: bool,
}

/// A difference between the two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// The thing.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The asset whose audit chain tells about it.
    pub asset: String,
    /// The facts that differ.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// Why it counts as a difference, in words.
    pub explanation: String,
    /// What to do about it.
    pub repair: Repair,
    /// When it was seen.
    pub found: String,
}

/// What became of everything that was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Things of the source that were compared.
    pub source: u64,
    /// Things of the target that were looked up in the source.
    pub target: u64,
    /// Both sides have it with one hash.
    pub equal: u64,
    /// Both sides have it, alike in what can be compared; no hash is among it.
    pub alike: u64,
    /// It is on one side only, or differs, with a reason that is in order: put aside, skipped, held.
    pub accounted: u64,
    /// It is on its way.
    pub in_flight: u64,
    /// See [`Kind::Missing`].
    pub missing: u64,
    /// See [`Kind::Different`].
    pub different: u64,
    /// See [`Kind::Metadata`].
    pub metadata: u64,
    /// See [`Kind::Extra`].
    pub extra: u64,
    /// See [`Kind::Unverifiable`].
    pub unverifiable: u64,
    /// Repairs that a message does.
    pub repairable: u64,
    /// Repairs this run put onto the flow's queue.
    pub queued: u64,
}

impl Counts {
    /// Counts what became of a thing.
    pub fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Nothing => {}
            Verdict::Equal { proven: true } => self.equal += 1,
            Verdict::Equal { proven: false } => self.alike += 1,
            Verdict::Accounted => self.accounted += 1,
            Verdict::InFlight => self.in_flight += 1,
            Verdict::Found(finding, _) => {
                match finding.kind {
                    Kind::Missing => self.missing += 1,
                    Kind::Different => self.different += 1,
                    Kind::Metadata => self.metadata += 1,
                    Kind::Extra => self.extra += 1,
                    Kind::Unverifiable => self.unverifiable += 1,
                }
                self.repairable += u64::from(finding.repair.safe);
            }
        }
    }

    /// How many findings of a kind there are.
    pub fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Missing => self.missing,
            Kind::Different => self.different,
            Kind::Metadata => self.metadata,
            Kind::Extra => self.extra,
            Kind::Unverifiable => self.unverifiable,
        }
    }

    /// Whether both sides agree.
    pub fn agree(&self) -> bool {
        Kind::ALL.into_iter().all(|kind| self.of(kind) == 0)
    }
}
