//! Finds what iconik's webhooks missed: those that were lost, came while nobody answered, or were switched off.
//!
//! Each round searches what was modified since the last one, overlapping it, and looks into the recycle bin; now and then
//! everything is looked at. Safe to repeat: what a feed saw of an object is remembered only after every interested flow has
//! its message, the watermark moves only after that, and a message sent twice has the same id. It asks whether the webhooks
//! and custom actions that lead here still tell, and only asks: what iconik switched off, a person has to look at.

pub mod feeds;
mod figures;
mod found;
mod notice;
mod sweep;
mod webhooks;

use shared::{
    batch::Invocation,
    environment::Environment,
    error::{Error, Result, System},
    flow_queues::FlowQueues,
    function::Function,
    http::Answered,
    iconik,
    ledger::{Breaker, BreakerState},
};

use self::feeds::{Feed, Feeds, SAMPLE};
use crate::feeds::is_told;

/// The function: what it reads, what it remembers, whom it tells.
pub struct WatchIconik {
    iconik: iconik::Client,
    environment: Environment,
    feeds: Feeds,
    queues: FlowQueues,
    breaker: Breaker,
}

impl Function for WatchIconik {
    const NAME: &'static str = "watch-iconik";
    const SYSTEMS: &'static [System] = &[System::Iconik];

    async fn connect(environment: &Environment) -> Result<Self> {
        let given = environment.rules().await?;
        let (text, name) = given.unwrap_or_else(|| (SAMPLE.to_owned(), "the packaged feeds".to_owned()));
        let queues = FlowQueues::of(environment)?;
        let read = Feeds::parse(&text, &name, |flow| queues.has(flow));
        let mut feeds = read.map_err(|diagnostics| {
            Error::configuration("feeds.invalid", diagnostics.to_string())
                .remedy("correct the lines named above; functions/watch/README.md explains every word")
        })?;
        feeds.feeds.retain(|feed| is_told(&feed.name, &feed.flows, &feed.left_out));
        let iconik = environment.iconik().await?;
        let breaker = Breaker::new(environment.ledger.clone(), System::Iconik);
        Ok(Self { iconik, environment: environment.clone(), feeds, queues, breaker })
    }

    async fn round(&self, invocation: Invocation) -> Result<()> {
        if let BreakerState::Open(until) = self.breaker.state().await? {
            self.print_breaker_open();
            tracing::info!(until, "iconik is out of order; the next round looks again");
            return Ok(());
        }
        self.environment.renew_iconik_credential(&self.iconik).await?;
        let margin = i64::try_from(self.environment.settings.margin().as_millis()).unwrap_or(i64::MAX);
        let end = invocation.deadline.saturating_sub(margin);
        // One part's trouble is not another's.
        let mut failed = self.check_webhooks().await.err();
        for feed in &self.feeds.feeds {
            if self.is_over(end) {
                tracing::info!(feed = feed.name, "no time is left for this feed; the next round goes on");
                break;
            }
            let (answered, mut counts) = (Answered::default(), sweep::Counts::default());
            let read = answered.during(self.read(feed, end, invocation.deadline, &mut counts)).await;
            self.breaker.report(&read, &answered).await;
            self.print_figures(feed, counts, read.is_err()).await;
            if let Err(error) = read {
                tracing::error!(feed = feed.name, code = error.code(), error = ?error, "the feed was not read");
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl WatchIconik {
    fn is_over(&self, end: i64) -> bool {
        self.environment.context.now_milliseconds() >= end
    }

    /// One feed's part of a round. Only one invocation reads a feed at a time.
    async fn read(&self, feed: &Feed, end: i64, deadline: i64, counts: &mut sweep::Counts) -> Result<()> {
        let ledger = &self.environment.ledger;
        let name = format!("feed-{}", feed.name);
        let Some(lock) = ledger.lock(Self::NAME, &name, deadline).await? else {
            tracing::info!(feed = feed.name, "another invocation reads this feed");
            return Ok(());
        };
        let read = self.sweep(feed, end, counts).await;
        // A lock that cannot be given back ends by itself.
        if let Err(error) = ledger.unlock(&lock).await {
            tracing::warn!(feed = feed.name, error = ?error, "the feed stays locked for a while");
        }
        read
    }
}
