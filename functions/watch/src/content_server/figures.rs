//! What a round did, as figures for CloudWatch: one line per feed.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use shared::{
    error::Result,
    function::Function,
    metrics::{self, Figure},
};

use super::WatchContentServer;
use crate::feeds::Feed;

/// Counts of the feed that is read at the moment.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Nodes that were looked at.
    pub(super) found: AtomicU64,
    /// Messages that were sent.
    pub(super) told: AtomicU64,
    /// Nodes that were reported as gone.
    pub(super) removed: AtomicU64,
}

impl WatchContentServer {
    /// Prints what became of one feed in this round, and begins to count anew.
    pub(super) async fn print_figures(&self, feed: &Feed, read: &Result<()>) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        let mut figures = vec![
            Figure::count("Found", take(&self.counts.found)),
            Figure::count("Told", take(&self.counts.told)),
            Figure::count("Removed", take(&self.counts.removed)),
            Figure::count("Failed", u64::from(read.is_err())),
            Figure::count("BreakerOpen", 0),
        ];
        if let Some(lag) = self.lag(feed).await {
            figures.push(Figure { name: "Lag", unit: "Seconds", value: lag.into() });
        }
        let settings = &self.environment.settings;
        let labels = [
            ("Environment", settings.environment.as_str()),
            ("Flow", Self::NAME),
            ("Feed", feed.name.as_str()),
        ];
        let sets: [&[&str]; 2] = [&["Environment", "Flow"], &["Environment", "Flow", "Feed"]];
        metrics::print(&metrics::line(&self.environment.context, &sets, &labels, &figures));
    }

    /// Content Server is out of order, and no feed was read.
    pub(super) fn print_breaker_open(&self) {
        let labels = [("Environment", self.environment.settings.environment.as_str()), ("Flow", Self::NAME)];
        let figures = [Figure::count("BreakerOpen", 1)];
        let line = metrics::line(&self.environment.context, &[&["Environment", "Flow"]], &labels, &figures);
        metrics::print(&line);
    }

    /// Notes up to when everything that changed is known to have been told.
    pub(super) async fn seen_up_to(&self, feed: &Feed, begun: Timestamp) -> Result<()> {
        self.set_unfinished(&note(feed), Some(&begun)).await
    }

    /// How long ago that was, in seconds.
    async fn lag(&self, feed: &Feed) -> Option<i64> {
        match self.unfinished::<Timestamp>(&note(feed)).await {
            Ok(seen) => seen.map(|seen| self.environment.context.now().duration_since(seen).as_secs().max(0)),
            Err(error) => {
                tracing::warn!(feed = feed.name, error = ?error, "the feed's lag is not known");
                None
            }
        }
    }
}

fn note(feed: &Feed) -> String {
    format!("{}/seen", feed.name)
}
