//! What the ledger remembers of sign-offs.
//!
//! | what | where |
//! |---|---|
//! | the versions of an asset that were signed off: workflow, round, review | the note of the asset, written under its lock |
//! | which item starts the workflow of a round | a note, written by the first one |
//! | the workflows, what iconik was told of each, how it ended | the list `workflows`, by number |

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{
    content_server::ProcessId,
    error::{Error, Result},
    flow::{Flow, Run},
    iconik::{AssetId, VersionId},
    ledger::{Key, Sighting},
};

use super::StartSignoff;

const WORKFLOWS: &str = "workflows";
/// Workflows of one step of a round.
const MOST: usize = 500;
/// Versions of one asset that are remembered.
const VERSIONS: usize = 200;

/// Which version and round a workflow is: how one whose start was not confirmed is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn of(asset: &AssetId, version: &VersionId, round: u32) -> Self {
        let digest = Key::of(&["signoff", asset.as_str(), version.as_str()]).digest().to_owned();
        Self(format!("{}-{round}", digest.chars().take(12).collect::<String>()))
    }

    /// A title with the mark behind it.
    pub(super) fn on(&self, title: &str) -> String {
        format!("{title} [{}]", self.0)
    }

    /// Whether a title carries it, whatever the asset was called when the workflow was started.
    pub(super) fn is_on(&self, title: &str) -> bool {
        title.ends_with(&format!(" [{}]", self.0))
    }

    /// The mark that a title carries, of whichever version.
    pub(super) fn in_title(title: &str) -> Option<Self> {
        let mark = title.strip_suffix(']')?.rsplit_once(" [")?.1;
        let (digest, round) = mark.split_once('-')?;
        let is_mark = digest.len() == 12 && digest.bytes().all(|letter| letter.is_ascii_hexdigit());
        (is_mark && round.parse::<u32>().is_ok()).then(|| Self(mark.to_owned()))
    }

    fn note(&self) -> String {
        format!("start-{}", self.0)
    }
}

/// The sign-offs of an asset's versions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Known(BTreeMap<String, Signoff>);

/// The newest sign-off of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signoff {
    /// The version's number.
    pub(super) number: i64,
    /// How many workflows the version has had.
    pub(super) round: u32,
    /// The newest of them.
    pub(super) process: ProcessId,
    /// When its review was asked for, in milliseconds since the epoch.
    pub(super) requested: Option<i64>,
    /// Its review was seen not to be approved since the workflow ended: the next approval is another review.
    #[serde(default)]
    pub(super) reopened: bool,
}

impl Known {
    pub(super) fn get(&self, version: &VersionId) -> Option<&Signoff> {
        self.0.get(version.as_str())
    }

    pub(super) fn get_mut(&mut self, version: &VersionId) -> Option<&mut Signoff> {
        self.0.get_mut(version.as_str())
    }

    /// Every version that was signed off, or is being.
    pub(super) fn all(&self) -> impl Iterator<Item = (VersionId, &Signoff)> {
        self.0.iter().map(|(version, signoff)| (VersionId::new(version.as_str()), signoff))
    }

    fn put(&mut self, version: &VersionId, signoff: Signoff) {
        self.0.insert(version.as_str().to_owned(), signoff);
        while self.0.len() > VERSIONS {
            let oldest = self.0.iter().min_by_key(|(_, signoff)| signoff.number);
            let Some(oldest) = oldest.map(|(version, _)| version.clone()) else { break };
            self.0.remove(&oldest);
        }
    }
}

/// Who starts the workflow of a round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Starting {
    /// The item that does.
    pub(super) item: String,
    /// Since when, in milliseconds since the epoch.
    pub(super) since: i64,
    /// When the review it starts for was asked for, in milliseconds since the epoch. There may be a newer one by the time the
    /// workflow is found.
    #[serde(default)]
    pub(super) requested: Option<i64>,
}

/// A workflow this flow has started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Workflow {
    pub(super) asset: AssetId,
    pub(super) version: VersionId,
    /// The version's number.
    pub(super) number: i64,
    pub(super) rule: String,
    pub(super) round: u32,
    /// The steps that iconik was told of.
    #[serde(default)]
    pub(super) told: BTreeSet<String>,
    /// A short hash of how the workflow stood when iconik was told last.
    #[serde(default)]
    pub(super) seen: String,
    /// Why it is ended before its time, once that is decided.
    #[serde(default)]
    pub(super) withdrawn: Option<Lapse>,
    /// How it ended, once everything that follows from it is done.
    #[serde(default)]
    pub(super) closed: Option<Ending>,
}

/// Why a sign-off is not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Lapse {
    /// The review of the version is not approved any more.
    ReviewReopened,
    /// The version was deleted.
    VersionDeleted,
    /// The asset is in the recycle bin.
    AssetDeleted,
    /// The asset is not there any more.
    AssetGone,
    /// A newer version was approved.
    Superseded,
}

/// How a workflow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ending {
    /// Every deciding step approved.
    Approved,
    /// One did not.
    Rejected,
    /// This flow ended it.
    Withdrawn,
    /// Somebody else ended it before its last step.
    Stopped,
    /// It was deleted, or is no longer kept.
    Gone,
}

impl Ending {
    /// In one word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::Gone => "gone",
        }
    }
}

impl StartSignoff {
    pub(super) async fn known(&self, asset: &AssetId) -> Result<Known> {
        let text = self.environment.ledger.note(Self::NAME, &note_of(asset)).await?;
        text.map_or_else(|| Ok(Known::default()), |text| read(&text))
    }

    pub(super) async fn remember_asset(&self, asset: &AssetId, known: &Known, run: &Run) -> Result<()> {
        run.ledger().set_note(Self::NAME, &note_of(asset), &text(known)?).await
    }

    /// What is remembered of a workflow; nothing when this flow has not started it, or it ended long ago.
    pub(super) async fn workflow(&self, process: ProcessId) -> Result<Option<Workflow>> {
        let found = self.environment.ledger.sightings(Self::NAME, WORKFLOWS, &[process.0]).await?;
        found.first().map(|sighting| read(&sighting.facts)).transpose()
    }

    pub(super) async fn remember_workflow(
        &self,
        process: ProcessId,
        workflow: &Workflow,
        run: &Run,
    ) -> Result<()> {
        let sighting = Sighting { id: process.0, facts: text(workflow)? };
        run.ledger().remember(Self::NAME, WORKFLOWS, &sighting, workflow.closed.is_some()).await
    }

    /// First what the rounds go by, then what the next hint goes by: a crash in between is made good by the next one.
    pub(super) async fn record(
        &self,
        process: ProcessId,
        workflow: &Workflow,
        requested: Option<i64>,
        run: &Run,
    ) -> Result<()> {
        if self.workflow(process).await?.is_none() {
            self.remember_workflow(process, workflow, run).await?;
        }
        let mut known = self.known(&workflow.asset).await?;
        let (number, round) = (workflow.number, workflow.round);
        if known.get(&workflow.version).is_some_and(|there| there.round >= round) {
            return Ok(());
        }
        known.put(&workflow.version, Signoff { number, round, process, requested, reopened: false });
        self.remember_asset(&workflow.asset, &known, run).await
    }

    /// Workflows behind a number, in order; none only at the end.
    pub(super) async fn workflows_behind(&self, after: i64, run: &Run) -> Result<Vec<(ProcessId, Workflow)>> {
        let found = run.ledger().sightings_between(Self::NAME, WORKFLOWS, after, i64::MAX, MOST).await?;
        found.into_iter().map(|one| Ok((ProcessId(one.id), read(&one.facts)?))).collect()
    }

    /// Who starts the workflow of a round, if somebody does.
    pub(super) async fn starting(&self, mark: &Mark) -> Result<Option<Starting>> {
        let text = self.environment.ledger.note(Self::NAME, &mark.note()).await?.unwrap_or_default();
        if text.is_empty() { Ok(None) } else { read(&text).map(Some) }
    }

    /// Makes this item the one that starts the workflow of a round, unless another one is; says which one it is. The lock
    /// of the asset keeps others away for as long as clocks agree; this holds whatever clocks say.
    pub(super) async fn begin_start(
        &self,
        mark: &Mark,
        item: &Key,
        requested: Option<i64>,
        run: &Run,
    ) -> Result<Starting> {
        let (item, since) = (item.short().to_owned(), run.context().now_milliseconds());
        let ours = Starting { item, since, requested };
        let first = run.ledger().first_note(Self::NAME, &mark.note(), &text(&ours)?).await?;
        read(&first)
    }

    /// Lets another item start the workflow of a round.
    pub(super) async fn give_up_start(&self, mark: &Mark, run: &Run) -> Result<()> {
        run.ledger().set_note(Self::NAME, &mark.note(), "").await
    }
}

fn note_of(asset: &AssetId) -> String {
    format!("asset-{asset}")
}

fn text<T: Serialize>(facts: &T) -> Result<String> {
    serde_json::to_string(facts).map_err(|error| Error::bug("remember", "facts are not JSON").source(error))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::bug("read what is remembered", "facts of another release").source(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_version_and_round_whatever_the_title() {
        let asset = AssetId::new("0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02");
        let mark = Mark::of(&asset, &VersionId::new("1"), 2);
        assert!(mark.is_on(&mark.on("Sign-off of a film")) && mark.is_on(&mark.on("Another [title]")));
        for other in [Mark::of(&asset, &VersionId::new("1"), 1), Mark::of(&asset, &VersionId::new("2"), 2)] {
            assert!(!mark.is_on(&other.on("Sign-off of a film")));
        }
        assert!(!mark.is_on("Sign-off of a film"));
        assert_eq!(Mark::in_title(&mark.on("Another [title]")), Some(mark));
        assert_eq!(Mark::in_title("Sign-off of a film [draft-1]"), None);
    }

    #[test]
    fn of_very_many_versions_the_newest_are_remembered() {
        let mut known = Known::default();
        for number in 0..300_i64 {
            let signoff =
                Signoff { number, round: 1, process: ProcessId(number), requested: None, reopened: false };
            known.put(&VersionId::new(number.to_string()), signoff);
        }
        assert_eq!(known.all().count(), VERSIONS);
        assert!(known.get(&VersionId::new("299")).is_some() && known.get(&VersionId::new("99")).is_none());
    }
}
