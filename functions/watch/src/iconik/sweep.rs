//! What changed since the last time, by searching; now and then everything; and what is in the recycle bin.
//!
//! The window begins before the watermark: by the overlap, for what the index shows late, and by the clocks' allowance. It
//! is read in the order of dates, so that what is modified meanwhile moves behind what is still to be read, and nothing is
//! passed over. The watermark never passes the beginning of the window's reading, nor a page that a flow was not told of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{
    error::{Error, Result},
    function::Function,
};

use super::{WatchIconik, feeds::Feed, found::Candidate};
use crate::feeds::Existing;

/// What one round did for a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Objects that were looked at.
    pub(super) found: u64,
    /// Messages that were sent.
    pub(super) told: u64,
}

/// A reading that one round did not finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    /// When it began, by our clock.
    begun: Timestamp,
    /// The date to go on from; everything when there is none.
    from: Option<Timestamp>,
}

/// What came of reading.
struct Pass {
    /// The last date that was met.
    reached: Option<Timestamp>,
    /// The time was over before the end.
    stopped: bool,
}

/// How looks at everything go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Looks {
    /// The one under way.
    reading: Option<Reading>,
    /// When the last one began that was finished.
    last: Option<Timestamp>,
}

impl WatchIconik {
    /// Reads what is due of a feed. What is left when the time is over, the next round reads.
    pub(super) async fn sweep(&self, feed: &Feed, end: i64, counts: &mut Counts) -> Result<()> {
        if !self.window(feed, end, counts).await? || !self.look(feed, end, counts).await? {
            return Ok(());
        }
        self.bin(feed, end, counts).await
    }

    /// Reads the window, or goes on with one that was not finished. Without a watermark there is no window: the first look
    /// at everything sets it. False when the time was over before its end.
    async fn window(&self, feed: &Feed, end: i64, counts: &mut Counts) -> Result<bool> {
        let ledger = &self.environment.ledger;
        let Some(mark) = ledger.watermark(Self::NAME, &feed.name).await? else { return Ok(true) };
        let mark: Timestamp = mark.parse().map_err(|error| {
            Error::bug("read watermark", "the feed's watermark is not a date").source(error)
        })?;
        let note = format!("{}/window", feed.name);
        let unfinished = self.noted::<Option<Reading>>(&note).await?.flatten();
        let was_unfinished = unfinished.is_some();
        let reading = unfinished.unwrap_or_else(|| {
            let back = feed.overlap.saturating_add(feed.clock_allowance);
            let since = mark.checked_sub(back).unwrap_or(Timestamp::MIN);
            Reading { begun: self.environment.context.now(), from: Some(since) }
        });
        let pass = self.pass(feed, "date_modified", reading.from, end, false, counts).await?;
        if pass.stopped {
            self.note(&note, &Some(Reading { from: pass.reached, ..reading })).await?;
            return Ok(false);
        }
        self.seen_up_to(feed, reading.begun).await?;
        if was_unfinished {
            self.note(&note, &None::<Reading>).await?;
        }
        Ok(true)
    }

    /// Begins a look at everything when one is due, or goes on with the one under way. False when the time was over before
    /// its end.
    async fn look(&self, feed: &Feed, end: i64, counts: &mut Counts) -> Result<bool> {
        let note = format!("{}/look", feed.name);
        let now = self.environment.context.now();
        let looks: Looks = self.noted(&note).await?.unwrap_or_default();
        let is_due = looks.last.is_none_or(|last| now.duration_since(last) >= feed.full_look);
        let reading = match looks.reading {
            Some(reading) => reading,
            None if !is_due => return Ok(true),
            None => Reading { begun: now, from: None },
        };
        let silent = looks.last.is_none() && feed.existing == Existing::Remember;
        let pass = self.pass(feed, "date_created", reading.from, end, silent, counts).await?;
        if pass.stopped {
            let reading = Some(Reading { from: pass.reached, ..reading });
            self.note(&note, &Looks { reading, last: looks.last }).await?;
            return Ok(false);
        }
        self.seen_up_to(feed, reading.begun).await?;
        self.note(&note, &Looks { reading: None, last: Some(reading.begun) }).await?;
        Ok(true)
    }

    /// Reads the objects from a date on, and tells what is new about them.
    async fn pass(
        &self,
        feed: &Feed,
        date: &str,
        from: Option<Timestamp>,
        end: i64,
        silent: bool,
        counts: &mut Counts,
    ) -> Result<Pass> {
        let (mut failure, mut reached) = (None, from);
        let mut pages = self.search(feed, date, from);
        while let Some(page) = pages.next_page().await? {
            counts.found += page.len() as u64;
            reached = page.iter().filter_map(|hit| hit.moment(date)).max().or(reached);
            let candidates = page.into_iter().map(|hit| hit.candidate(feed)).collect::<Result<Vec<_>>>()?;
            let settled = self.settle(feed, candidates, silent).await?;
            counts.told += settled.told;
            // The others go on being told; the watermark waits for the one that could not be.
            failure = failure.or(settled.failure);
            if self.is_over(end) {
                tracing::info!(feed = feed.name, "there is more than one round can tell; the next goes on");
                return failure.map_or(Ok(Pass { reached, stopped: true }), Err);
            }
        }
        failure.map_or(Ok(Pass { reached, stopped: false }), Err)
    }

    /// What was deleted. The bin keeps it for a while only, so it is looked into in every round.
    async fn bin(&self, feed: &Feed, end: i64, counts: &mut Counts) -> Result<()> {
        if !feed.deleted {
            return Ok(());
        }
        let mut failure = None;
        for object_type in feed.objects.iter().filter(|kind| **kind != "segments") {
            let mut pages = self.iconik.list_deleted(object_type);
            while let Some(page) = pages.next_page().await? {
                let deleted = page.into_iter().map(|one| Candidate::deleted(object_type, one.id)).collect();
                let settled = self.settle(feed, deleted, false).await?;
                counts.told += settled.told;
                failure = failure.or(settled.failure);
                if self.is_over(end) {
                    break;
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Notes up to when everything that changed is known to have been told: both by our clock and by iconik's, which may
    /// be behind it.
    async fn seen_up_to(&self, feed: &Feed, begun: Timestamp) -> Result<()> {
        let mark = begun.checked_sub(feed.clock_allowance).unwrap_or(Timestamp::MIN);
        let ledger = &self.environment.ledger;
        ledger.advance_watermark(Self::NAME, &feed.name, &mark_text(mark)).await.map(drop)
    }

    /// What was noted for this round, when there was something.
    async fn noted<T: DeserializeOwned>(&self, note: &str) -> Result<Option<T>> {
        let Some(text) = self.environment.ledger.note(Self::NAME, note).await? else { return Ok(None) };
        serde_json::from_str(&text)
            .map_err(|error| Error::bug("read note", "a note of the feed cannot be read").source(error))
    }

    async fn note<T: Serialize>(&self, note: &str, what: &T) -> Result<()> {
        let text = serde_json::to_string(what)
            .map_err(|error| Error::bug("make note", "a note cannot be written").source(error))?;
        self.environment.ledger.set_note(Self::NAME, note, &text).await
    }
}

/// Watermarks are compared as text, so they all have the same form.
fn mark_text(mark: Timestamp) -> String {
    mark.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
