//! What changed since the last time, by searching.
//!
//! The window begins before the last watermark: by the overlap, for what the index shows late, and by the clocks'
//! allowance. The watermark is a date of Content Server's own. It never passes what was to be seen when the window was
//! begun: whatever changes while its pages are read is later than that, and so belongs to the next one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, Result},
    function::Function,
};

use super::{Time, WatchContentServer, notice::Notice, page::Hit};
use crate::feeds::Feed;

/// How far the reading of a search has come, and which dates it met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    /// Where the window begins; nothing when everything is looked at.
    pub(super) since: Option<Timestamp>,
    /// The last node that is done with.
    pub(super) after: i64,
    /// When it began, by our clock.
    pub(super) begun: Timestamp,
    /// The newest date on its first page, once that was read: something that was there when it began.
    first_page: Option<Timestamp>,
    /// The newest date of all.
    newest: Option<Timestamp>,
    /// Whether the first page was read.
    started: bool,
}

impl Reading {
    pub(super) fn new(since: Option<Timestamp>, begun: Timestamp) -> Self {
        Self { since, after: 0, begun, first_page: None, newest: None, started: false }
    }

    /// Notes the dates of a page.
    pub(super) fn met(&mut self, page: &[Hit]) {
        let newest = page.iter().filter_map(|hit| hit.modified).max();
        if !self.started {
            self.started = true;
            self.first_page = newest;
        }
        self.newest = self.newest.max(newest);
    }

    /// Where the watermark may go once all pages are done with.
    pub(super) fn watermark(&self, allowance: SignedDuration) -> Option<Timestamp> {
        // Either bound lies before anything that changed after the beginning: a date that was already given, or our
        // clock less what it may be ahead.
        let by_clock = self.begun.checked_sub(allowance).unwrap_or(Timestamp::MIN);
        let bound = self.first_page.map_or(by_clock, |date| date.max(by_clock));
        match (self.newest, self.since) {
            (Some(newest), _) => Some(newest.min(bound)),
            // Nothing was found by looking at everything.
            (None, None) => Some(by_clock),
            (None, Some(_)) => None,
        }
    }
}

impl WatchContentServer {
    /// Reads the window, or goes on with one that was not finished. Without a watermark there is no window: the first
    /// full look sets it. Gives back when the window began that is finished now.
    pub(super) async fn window(&self, feed: &Feed, time: &Time<'_>) -> Result<Option<Timestamp>> {
        let ledger = &self.environment.ledger;
        let Some(mark) = ledger.watermark(Self::NAME, &feed.name).await? else { return Ok(None) };
        let mark: Timestamp = mark.parse().map_err(|error| {
            Error::bug("read watermark", "the feed's watermark is not a date").source(error)
        })?;
        let note = format!("{}/window", feed.name);
        let unfinished = self.unfinished::<Reading>(&note).await?;
        let was_unfinished = unfinished.is_some();
        let back = feed.overlap.saturating_add(feed.clock_allowance);
        let since = mark.checked_sub(back).unwrap_or(Timestamp::MIN);
        let mut reading =
            unfinished.unwrap_or_else(|| Reading::new(Some(since), self.environment.context.now()));
        let unordered = self.unfinished::<bool>(&format!("{}/unordered", feed.name)).await?.unwrap_or(false);
        let mut failure = None;
        loop {
            let page = self.page(feed, reading.since, reading.after, unordered).await?;
            let Some(last) = page.last() else { break };
            reading.met(&page);
            let nodes: Vec<i64> = page.iter().map(|hit| hit.node).collect();
            let remembered = self.recall(&feed.name, &nodes).await?;
            let notice = Notice::of_search(feed, false, None);
            let settled = self.settle(&notice, &nodes, &remembered).await?;
            // The others go on being told; the watermark waits for the one that could not be.
            failure = failure.or(settled.failure);
            reading.after = last.node;
            if time.is_over() {
                if failure.is_none() {
                    self.set_unfinished(&note, Some(&reading)).await?;
                }
                return failure.map_or(Ok(None), Err);
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        if let Some(mark) = reading.watermark(feed.clock_allowance) {
            ledger.advance_watermark(Self::NAME, &feed.name, &mark_text(mark)).await?;
        }
        if was_unfinished {
            self.set_unfinished::<Reading>(&note, None).await?;
        }
        Ok(Some(reading.begun))
    }

    /// What was noted for this round, when there was something.
    pub(super) async fn unfinished<T: for<'de> Deserialize<'de>>(&self, note: &str) -> Result<Option<T>> {
        let Some(text) = self.environment.ledger.note(Self::NAME, note).await? else { return Ok(None) };
        serde_json::from_str(&text)
            .map_err(|error| Error::bug("read note", "a note of the feed cannot be read").source(error))
    }

    /// Notes something for the next round, or that there is nothing.
    pub(super) async fn set_unfinished<T: Serialize>(&self, note: &str, what: Option<&T>) -> Result<()> {
        let text = serde_json::to_string(&what)
            .map_err(|error| Error::bug("make note", "a note cannot be written").source(error))?;
        self.environment.ledger.set_note(Self::NAME, note, &text).await
    }
}

/// Watermarks are compared as text, so they all have the same form.
pub(super) fn mark_text(mark: Timestamp) -> String {
    mark.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn hit(node: i64, second: i64) -> Hit {
        Hit { node, modified: Some(at(second)) }
    }

    fn mark(begun: i64, pages: &[&[Hit]]) -> Option<Timestamp> {
        let mut reading = Reading::new(Some(at(0)), at(begun));
        pages.iter().for_each(|page| reading.met(page));
        reading.watermark(SignedDuration::from_secs(60))
    }

    #[test]
    fn the_watermark_is_the_servers_own_date() {
        assert_eq!(mark(100, &[&[hit(1, 30), hit(2, 20)]]), Some(at(30)));
        // Its clock is an hour ahead of ours, or behind.
        assert_eq!(mark(100, &[&[hit(1, 3700)]]), Some(at(3700)));
        assert_eq!(mark(3700, &[&[hit(1, 100)]]), Some(at(100)));
    }

    #[test]
    fn it_does_not_pass_what_changed_while_the_pages_were_read() {
        // The second page shows an edit made after the first was read: another one may lie behind us.
        assert_eq!(mark(100, &[&[hit(1, 30)], &[hit(2, 130)]]), Some(at(40)));
        assert_eq!(mark(100, &[&[hit(1, 90)], &[hit(2, 130)]]), Some(at(90)));
    }

    #[test]
    fn an_empty_window_leaves_it_where_it_is() {
        assert_eq!(mark(100, &[]), None);
        assert_eq!(Reading::new(None, at(100)).watermark(SignedDuration::from_secs(60)), Some(at(40)));
    }
}
