//! What the ledger remembers of statuses and their dispositions.
//!
//! | what | where |
//! |---|---|
//! | the statuses an asset had, as they were seen | the log `status-<asset>`: its place is the revision |
//! | how far the disposition of an asset has come | the note `case-<asset>`, written under the asset's lock |
//! | the dispositions that are under way | the list `cases`, by the number of the document |
//! | the document of a workflow | the reference `request-disposition workflow` |

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{NodeId, ProcessId},
    error::{Error, Result},
    flow::Run,
    iconik::{FormatId, JobId},
    ledger::{Ledger, Sighting},
};

use super::{FLOW, again};
use crate::disposition_rules::Outcome;

const CASES: &str = "cases";
const WORKFLOW: &str = "request-disposition workflow";
const CONTENT_SERVER: &str = "content-server";
/// Dispositions that are read at once in a round.
const AT_ONCE: usize = 100;
/// How often the log of an asset's status is read again because somebody else wrote to it.
const ATTEMPTS: u32 = 8;

/// The disposition of one status of one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) asset: String,
    pub(super) revision: u64,
    /// The status for which it was asked.
    pub(super) status: String,
    /// The step that was done last.
    pub(super) turn: u64,
    pub(super) rule: String,
    /// The documents it is about, the first being the one that stands for all.
    pub(super) nodes: Vec<NodeId>,
    /// Documents of it that an earlier step has destroyed before something came in between. They have a certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) removed: Vec<NodeId>,
    pub(super) phase: Phase,
    /// A hold kept the last step from being done.
    pub(super) held: bool,
}

/// How far a disposition has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// It is to be asked for.
    Due,
    /// It is being decided: in a workflow, or in a category.
    InReview { process: Option<ProcessId> },
    /// It was decided to archive it, and iconik is at it since then, in milliseconds since 1970.
    Archiving { since: i64, formats: Vec<Moving> },
    /// It is over.
    Closed { outcome: Option<Outcome> },
}

/// A format that iconik was asked to move into its archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moving {
    pub(super) format: FormatId,
    pub(super) name: String,
    /// The job that does it, where iconik has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<JobId>,
}

impl Case {
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }
}

/// A case as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    text: Option<String>,
    pub(super) case: Option<Case>,
}

/// An entry in the log of an asset's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Status {
    pub(super) status: String,
}

/// The status an asset has now, and its revision: one more than before when it is another one than was seen last.
pub(super) async fn revision_of(ledger: &Ledger, asset: &str, status: &str) -> Result<u64> {
    let log = format!("status-{asset}");
    let entry = text(&Status { status: status.to_owned() })?;
    for _ in 0..ATTEMPTS {
        let end = ledger.log_end(FLOW, &log).await?;
        match &end {
            Some((place, last)) if *last == entry => return Ok(*place),
            // An asset that never had a status has none to be revised.
            None if status.is_empty() => return Ok(0),
            _ => {}
        }
        let place = end.map_or(0, |(place, _)| place);
        if ledger.append_log(FLOW, &log, place, &entry).await? {
            return Ok(place + 1);
        }
    }
    Err(again("disposition.busy", "the status of this asset is being noted by others"))
}

/// The status of an asset that was seen last, and its revision; nothing when none was seen.
pub(super) async fn status_of(ledger: &Ledger, asset: &str) -> Result<Option<(u64, String)>> {
    let Some((revision, entry)) = ledger.log_end(FLOW, &format!("status-{asset}")).await? else {
        return Ok(None);
    };
    let seen: Status = serde_json::from_str(&entry).map_err(|error| {
        Error::bug("read status", "the ledger holds a status that cannot be read").source(error)
    })?;
    Ok(Some((revision, seen.status)))
}

/// Whether a workflow is one that was started to ask for a decision.
pub(super) async fn is_review(ledger: &Ledger, process: ProcessId) -> Result<bool> {
    Ok(ledger.find_reference(WORKFLOW, &process.0.to_string(), CONTENT_SERVER).await?.is_some())
}

pub(super) async fn case_of(ledger: &Ledger, asset: &str) -> Result<Kept> {
    let text = ledger.note(FLOW, &note(asset)).await?;
    let case = text.as_deref().map(read).transpose()?;
    Ok(Kept { text, case })
}

/// Whether an asset is gone because Content Server decided that it is to be destroyed.
///
/// # Errors
/// When the table cannot be reached or holds something else.
pub(crate) async fn is_destroyed(ledger: &Ledger, asset: &str) -> Result<bool> {
    let case = case_of(ledger, asset).await?.case;
    Ok(case.is_some_and(|case| case.phase == Phase::Closed { outcome: Some(Outcome::Destroy) }))
}

/// Keeps a case, and sees to it that the rounds know of it.
pub(super) async fn keep(run: &Run, before: &Kept, case: &Case) -> Result<()> {
    let ledger = run.ledger();
    let now = text(case)?;
    if !ledger.replace_note(FLOW, &note(&case.asset), before.text.as_deref(), &now).await? {
        return Err(again("disposition.busy", "another step of this asset is being done"));
    }
    let Some(node) = case.nodes.first() else { return Ok(()) };
    let earlier = before.case.as_ref().and_then(|earlier| earlier.nodes.first());
    if let Some(earlier) = earlier.filter(|earlier| *earlier != node) {
        let sighting = Sighting { id: earlier.0, facts: case.asset.clone() };
        ledger.remember(FLOW, CASES, &sighting, true).await?;
    }
    if let Phase::InReview { process: Some(process) } = &case.phase {
        let (process, node) = (process.0.to_string(), node.to_string());
        ledger.put_reference(WORKFLOW, &process, CONTENT_SERVER, &node).await?;
    }
    let sighting = Sighting { id: node.0, facts: case.asset.clone() };
    ledger.remember(FLOW, CASES, &sighting, case.is_closed()).await
}

/// The asset of a document whose disposition was asked for, by the document's number or that of its workflow.
pub(super) async fn asset_of(ledger: &Ledger, number: i64) -> Result<Option<String>> {
    let document = ledger.find_reference(WORKFLOW, &number.to_string(), CONTENT_SERVER).await?;
    let node = document.and_then(|node| node.parse().ok()).unwrap_or(number);
    if node < 0 {
        return Ok(None);
    }
    Ok(ledger.sightings(FLOW, CASES, &[node]).await?.into_iter().next().map(|sighting| sighting.facts))
}

/// The assets of the dispositions behind a number, and the number of the last.
pub(super) async fn cases_behind(ledger: &Ledger, behind: i64) -> Result<Vec<(i64, String)>> {
    let found = ledger.sightings_between(FLOW, CASES, behind, i64::MAX, AT_ONCE).await?;
    Ok(found.into_iter().map(|sighting| (sighting.id, sighting.facts)).collect())
}

fn note(asset: &str) -> String {
    format!("case-{asset}")
}

fn text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::bug("keep disposition", "it cannot be written as JSON").source(error))
}

fn read(text: &str) -> Result<Case> {
    serde_json::from_str(text).map_err(|error| {
        Error::bug("read disposition", "the ledger holds one that cannot be read").source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_versions_kept_can_be_read() {
        let kept = r#"{"asset":"a-1","revision":2,"status":"obsolete","turn":1,"rule":"all","nodes":[7001],
            "phase":{"in-review":{"process":8001}},"held":false}"#;
        let case = read(kept).unwrap();
        assert_eq!((case.nodes, case.removed), (vec![NodeId(7001)], vec![]));
        assert_eq!(case.phase, Phase::InReview { process: Some(ProcessId(8001)) });
        let archived =
            kept.replace(r#"{"in-review":{"process":8001}}"#, r#"{"closed":{"outcome":"archive"}}"#);
        assert!(read(&archived).unwrap().is_closed());
    }

    #[test]
    fn what_is_being_archived_is_kept_with_its_jobs() {
        let moving = |job: Option<&str>| Moving {
            format: FormatId::new("f-1"),
            name: "ORIGINAL".into(),
            job: job.map(JobId::new),
        };
        let case = Case {
            asset: "a-1".into(),
            revision: 1,
            status: "obsolete".into(),
            turn: 1,
            rule: "all".into(),
            nodes: vec![NodeId(7001), NodeId(7002)],
            removed: vec![NodeId(7003)],
            phase: Phase::Archiving { since: 5, formats: vec![moving(Some("j-1")), moving(None)] },
            held: false,
        };
        assert_eq!(read(&text(&case).unwrap()).unwrap(), case);
        assert!(!case.is_closed());
    }
}
