//! Everything is looked at now and then: for what the index showed too late, for values that changed without the date,
//! and for nodes that are gone. Found and remembered nodes are read side by side in the order of their numbers, so
//! memory stays bounded; where it has come is noted after each step, so it takes as many rounds as it needs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{error::Result, function::Function};

use super::{
    Time, WatchContentServer,
    notice::Notice,
    page::Hit,
    window::{Reading, mark_text},
};
use crate::feeds::{Existing, Feed};

/// Remembered nodes one step takes up at most.
const STEP: usize = 250;

/// How full looks go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Looks {
    /// The one under way.
    reading: Option<Reading>,
    /// How many nodes it has reported as gone.
    #[serde(default)]
    removed: u64,
    /// When the last one began that was finished.
    last: Option<Timestamp>,
}

impl WatchContentServer {
    /// Begins a full look when one is due, or goes on with the one under way.
    pub(super) async fn look(&self, feed: &Feed, time: &Time<'_>) -> Result<()> {
        let note = format!("{}/look", feed.name);
        let now = self.environment.context.now();
        let mut looks: Looks = self.unfinished(&note).await?.unwrap_or_default();
        let is_due = looks.last.is_none_or(|last| now.duration_since(last) >= feed.full_look);
        let order = format!("{}/unordered", feed.name);
        let mut reading = match looks.reading.take() {
            Some(reading) => reading,
            None if !is_due => return Ok(()),
            None => {
                let unordered = self.is_unordered(feed).await?;
                if unordered {
                    tracing::warn!(
                        feed = feed.name,
                        "the search is not in order: every page is read each time"
                    );
                }
                self.set_unfinished(&order, Some(&unordered)).await?;
                looks.removed = 0;
                Reading::new(None, now)
            }
        };
        let unordered = self.unfinished(&order).await?.unwrap_or(false);
        let silent = looks.last.is_none() && feed.existing == Existing::Remember;
        while !time.is_over() {
            let page = self.page(feed, None, reading.after, unordered).await?;
            reading.met(&page);
            let up_to = page.last().map_or(i64::MAX, |last| last.node);
            while reading.after < up_to && !time.is_over() {
                reading.after = self.step(feed, silent, &page, &reading, up_to, &mut looks.removed).await?;
                looks.reading = Some(reading.clone());
                self.set_unfinished(&note, Some(&looks)).await?;
            }
            if reading.after == i64::MAX {
                return self.finish(feed, &note, &reading).await;
            }
        }
        Ok(())
    }

    /// Deals with the found and the remembered nodes of the next stretch of numbers; returns where it ends.
    async fn step(
        &self,
        feed: &Feed,
        silent: bool,
        page: &[Hit],
        reading: &Reading,
        up_to: i64,
        removed: &mut u64,
    ) -> Result<i64> {
        let after = reading.after;
        let remembered = self.recall_between(&feed.name, after, up_to, STEP).await?;
        let reach = match remembered.last_key_value() {
            Some((last, _)) if remembered.len() >= STEP => *last,
            _ => up_to,
        };
        let found = page.iter().map(|hit| hit.node).filter(|node| (after + 1..=reach).contains(node));
        let known = remembered.iter().filter(|(_, known)| !known.gone || !known.is_told(feed));
        let mut nodes: Vec<i64> = found.chain(known.map(|(node, _)| *node)).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let notice = Notice::of_search(feed, silent, Some(feed.most_removed.saturating_sub(*removed)));
        let settled = self.settle(&notice, &nodes, &remembered).await?;
        if let Some(error) = settled.failure {
            return Err(error);
        }
        *removed += settled.removed;
        Ok(reach)
    }

    async fn finish(&self, feed: &Feed, note: &str, reading: &Reading) -> Result<()> {
        // From here on there is a window. The first look's watermark is the only one a look sets.
        let ledger = &self.environment.ledger;
        if ledger.watermark(Self::NAME, &feed.name).await?.is_none()
            && let Some(mark) = reading.watermark(feed.clock_allowance)
        {
            ledger.advance_watermark(Self::NAME, &feed.name, &mark_text(mark)).await?;
        }
        let done = Looks { reading: None, removed: 0, last: Some(reading.begun) };
        self.set_unfinished(note, Some(&done)).await?;
        tracing::info!(feed = feed.name, "everything was looked at");
        Ok(())
    }
}
