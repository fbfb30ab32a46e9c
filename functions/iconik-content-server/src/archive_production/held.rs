//! Packages that wait: what for, by name; when they are looked at again; and when a person is told.
//!
//! A package that waits is noted with a time. A schedule puts a message on the queue, and every package whose time has come
//! is looked at again; so is one when something in its production changes, or somebody asks.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    error::{Error, Result},
    flow::{Delivery, Flow, Outcome, Reason, Run},
    flow_queues::{FlowQueues, Message},
    iconik::CollectionId,
    iconik_change::IconikChange,
    ledger::{Key, Ledger, Sighting},
};

use super::{ArchiveProduction, pack::Packing, select::Problem, skipped, summary, work::Work};
use crate::progress::End;

/// The beginning of the occasion of a message that looks again.
pub(super) const AGAIN: &str = "look-again";
/// Packages that wait.
const HELD: &str = "held";
/// Packages read at a time.
const PAGE: usize = 50;
/// Names in a reason, and in the message of a job.
const NAMED: usize = 100;
const SHOWN: usize = 8;

/// What Amazon EventBridge sends by a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Round {
    id: String,
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
}

impl Round {
    /// Reads a message body; nothing when it is something else.
    pub(super) fn parse(body: &str) -> Option<Self> {
        let round: Self = serde_json::from_str(body).ok()?;
        (round.source == "aws.events" && round.detail_type == "Scheduled Event").then_some(round)
    }

    pub(super) fn key(&self) -> Key {
        Key::of(&["round", &self.id])
    }
}

/// A package that waits.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    collection: String,
    closing: u64,
    since: Timestamp,
    due: Timestamp,
    /// A person was told.
    told: bool,
}

impl ArchiveProduction {
    /// The package waits for files. They are named in the reason, in the job and in the history of the item; after a while
    /// the item is put aside with them, which raises an alarm.
    pub(super) async fn hold(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        problems: &[Problem],
    ) -> Result<Outcome> {
        let (production, run) = (packing.production, packing.run);
        let now = run.context().now();
        let waiting = self.waiting(&production.collection.id, run.ledger()).await?;
        let waiting = waiting.filter(|waiting| waiting.closing == production.closing.number);
        let since = waiting.as_ref().map_or(now, |waiting| waiting.since);
        let overdue = now.duration_since(since) >= production.rule.report_after;
        // A person who asks gets an answer each time, the schedule tells once.
        let tell = overdue && !(production.quiet && waiting.is_some_and(|waiting| waiting.told));
        let noted = Waiting {
            collection: production.collection.id.as_str().to_owned(),
            closing: production.closing.number,
            since,
            due: now.checked_add(production.rule.look_again).unwrap_or(Timestamp::MAX),
            told: overdue,
        };
        let lines: Vec<String> =
            problems.iter().map(|problem| summary::plain(&problem.to_string())).collect();
        let list = self.put_list(work, &lines).await?;
        self.begin_anew(work, 0, run).await?;
        self.note_waiting(&noted, run).await?;
        self.tell_held(production).await?;
        run.note("waitsFor", problems.len().to_string());
        run.note("list", list.clone());
        let again = noted.due.strftime("%Y-%m-%d %H:%M UTC");
        let shown = format!("waits for {}: {}", count(problems.len()), some(&lines, SHOWN));
        packing.end(&End::Failed(format!("{shown}. Looked at again at {again}"))).await?;
        let message = format!("the package waits for {}: {}", count(problems.len()), some(&lines, NAMED));
        if tell {
            return Err(Error::invalid("package.incomplete", message).remedy(format!(
                "finish, bring or remove what is named (all of it in {list}), then ask for the production again"
            )));
        }
        let reason = Reason {
            remedy: Some(format!("it is looked at again at {again}; all names are in {list}")),
            ..Reason::new("package.held", message)
        };
        Ok(Outcome::Skipped(reason))
    }

    /// The package waits no more.
    pub(super) async fn stop_waiting(&self, collection: &CollectionId, run: &Run) -> Result<()> {
        if run.is_dry() {
            return Ok(());
        }
        match self.sighting(collection, run.ledger()).await? {
            Some(sighting) => run.ledger().forget(Self::NAME, HELD, &sighting).await,
            None => Ok(()),
        }
    }

    /// Which closing of a collection has a package that waits.
    pub(super) async fn waits(&self, collection: &CollectionId, ledger: &Ledger) -> Result<Option<u64>> {
        Ok(self.waiting(collection, ledger).await?.map(|waiting| waiting.closing))
    }

    async fn waiting(&self, collection: &CollectionId, ledger: &Ledger) -> Result<Option<Waiting>> {
        self.sighting(collection, ledger).await?.map(|found| understood(&found.facts)).transpose()
    }

    async fn sighting(&self, collection: &CollectionId, ledger: &Ledger) -> Result<Option<Sighting>> {
        let id = number(collection.as_str());
        let found = ledger.sightings_between(Self::NAME, HELD, id - 1, id, 1).await?;
        Ok(found.into_iter().next())
    }

    async fn note_waiting(&self, waiting: &Waiting, run: &Run) -> Result<()> {
        let facts = serde_json::to_string(waiting)
            .map_err(|error| Error::bug("note package", "a note cannot be written").source(error))?;
        let sighting = Sighting { id: number(&waiting.collection), facts };
        run.ledger().remember(Self::NAME, HELD, &sighting, false).await
    }

    /// Sends the flow a message for every package whose time has come. However often that is repeated, it is the same one.
    pub(super) async fn round(&self, _round: &Round, run: &Run) -> Result<Outcome> {
        let now = run.context().now();
        let (mut after, mut sent) = (-1, 0_u64);
        loop {
            if run.must_stop() {
                return Ok(Outcome::Continue);
            }
            let page = run.ledger().sightings_between(Self::NAME, HELD, after, i64::MAX, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for sighting in &page {
                let waiting: Waiting = understood(&sighting.facts)?;
                if waiting.due > now {
                    continue;
                }
                if !run.is_dry() {
                    self.send(&waiting, run).await?;
                    // Should the message come to nothing, it is looked at again all the same.
                    let due = now.checked_add(SignedDuration::from_hours(6)).unwrap_or(Timestamp::MAX);
                    self.note_waiting(&Waiting { due, ..waiting }, run).await?;
                }
                sent += 1;
            }
        }
        if run.is_dry() {
            return skipped("dry-run", &format!("{sent} packages would be looked at again"));
        }
        if sent == 0 {
            return skipped("round.nothing", "no package that waits is due");
        }
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "lookedAgain": sent }),
            detail: [("packages".to_owned(), sent.to_string())].into(),
            ..Delivery::default()
        }))
    }

    async fn send(&self, waiting: &Waiting, run: &Run) -> Result<()> {
        let change =
            IconikChange::about("collections", &waiting.collection, None, format!("{AGAIN} {}", waiting.due));
        let body = change.envelope(Self::NAME, Self::NAME, run.context())?;
        let message = Message { flow: Self::NAME.to_owned(), body };
        let sent = FlowQueues::of_own(&self.environment, Self::NAME).send(&[message]).await;
        sent.failure.map_or(Ok(()), Err)
    }
}

fn understood<T: for<'de> Deserialize<'de>>(facts: &str) -> Result<T> {
    serde_json::from_str(facts)
        .map_err(|error| Error::bug("read note", "a note of a package cannot be read").source(error))
}

/// The number of a collection in lists of the ledger: 60 bits of the hash of its id.
fn number(collection: &str) -> i64 {
    let key = Key::of(&["collections", collection]);
    key.digest().get(..15).and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

fn count(problems: usize) -> String {
    if problems == 1 { "one thing".to_owned() } else { format!("{problems} things") }
}

/// The first of some lines, and how many more there are.
fn some(lines: &[String], most: usize) -> String {
    let first = lines.iter().take(most).map(String::as_str).collect::<Vec<_>>().join("; ");
    match lines.len().saturating_sub(most) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_what_eventbridge_sends_by_a_schedule_and_nothing_else() {
        let sent = r#"{"version":"0","id":"89d1a02d-5ec7-412e-82f5-13505f849b41","detail-type":"Scheduled Event",
            "source":"aws.events","account":"123456789012","time":"2031-05-06T07:00:00Z","region":"us-east-1",
            "resources":["arn:aws:events:us-east-1:123456789012:rule/again"],"detail":{}}"#;
        assert_eq!(Round::parse(sent).unwrap().id, "89d1a02d-5ec7-412e-82f5-13505f849b41");
        assert_eq!(Round::parse(&sent.replace("aws.events", "aws.s3")), None);
        assert_eq!(Round::parse(r#"{"specversion":"1.0"}"#), None);
    }

    #[test]
    fn a_long_list_is_told_in_short() {
        let lines: Vec<String> = (1..=5).map(|number| format!("file {number}")).collect();
        assert_eq!(some(&lines, 9), "file 1; file 2; file 3; file 4; file 5");
        assert_eq!(some(&lines, 2), "file 1; file 2; and 3 more");
    }
}
