//! What a round did, as figures for CloudWatch.

use jiff::Timestamp;
use shared::{
    function::Function,
    metrics::{self, Figure},
};

use super::{WatchIconik, feeds::Feed, sweep::Counts};

impl WatchIconik {
    /// Prints what became of one feed in this round.
    pub(super) async fn print_figures(&self, feed: &Feed, counts: Counts, failed: bool) {
        let mut figures = vec![
            Figure::count("Found", counts.found),
            Figure::count("Told", counts.told),
            Figure::count("Failed", u64::from(failed)),
            Figure::count("BreakerOpen", 0),
        ];
        if let Some(lag) = self.lag(feed).await {
            figures.push(Figure { name: "Lag", unit: "Seconds", value: lag.into() });
        }
        let environment = ("Environment", self.environment.settings.environment.as_str());
        let labels = [environment, ("Flow", Self::NAME), ("Feed", feed.name.as_str())];
        let sets: [&[&str]; 2] = [&["Environment", "Flow"], &["Environment", "Flow", "Feed"]];
        metrics::print(&metrics::line(&self.environment.context, &sets, &labels, &figures));
    }

    /// How many webhooks that lead here do not tell, or are missing.
    pub(super) fn print_silent_webhooks(&self, silent: u64) {
        self.print(&[Figure::count("WebhooksSilent", silent)]);
    }

    /// How many custom actions that lead here fail.
    pub(super) fn print_failing_actions(&self, failing: u64) {
        self.print(&[Figure::count("ActionsFailing", failing)]);
    }

    /// iconik is out of order, and no feed was read.
    pub(super) fn print_breaker_open(&self) {
        self.print(&[Figure::count("BreakerOpen", 1)]);
    }

    fn print(&self, figures: &[Figure]) {
        let labels = [("Environment", self.environment.settings.environment.as_str()), ("Flow", Self::NAME)];
        metrics::print(&metrics::line(
            &self.environment.context,
            &[&["Environment", "Flow"]],
            &labels,
            figures,
        ));
    }

    /// For how many seconds a change may still be untold: since the feed was read to its end.
    async fn lag(&self, feed: &Feed) -> Option<i64> {
        match self.environment.ledger.watermark(Self::NAME, &feed.name).await {
            Ok(mark) => {
                let mark: Timestamp = mark?.parse().ok()?;
                let since = self.environment.context.now().duration_since(mark);
                Some(since.saturating_sub(feed.clock_allowance).as_secs().max(0))
            }
            Err(error) => {
                tracing::warn!(feed = feed.name, error = ?error, "the feed's lag is not known");
                None
            }
        }
    }
}
