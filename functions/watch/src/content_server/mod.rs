//! Finds out what changed in Content Server, which has no way to say so itself, and tells the flows.
//!
//! Each round searches the window since the last one, overlapping it; now and then everything is looked at. Safe to
//! repeat: what a feed saw of a node is remembered only after every interested flow has its message, and the watermark
//! moves only after that; a message sent twice has the same id. Beside the schedule there is a door for pushes.

mod figures;
mod look;
mod notice;
mod page;
mod push;
mod send;
mod walk;
mod window;

use bytes::Bytes;
use http::{Request, Response};
use shared::{
    batch::Invocation,
    content_server,
    environment::Environment,
    error::{Error, Result, System},
    flow_queues::FlowQueues,
    function::Function,
    http::Answered,
    ledger::{Breaker, BreakerState},
    mapping::Diagnostics,
};

use crate::feeds::{Feed, SAMPLE, Scope, is_told};

/// The function: what it reads, what it remembers, whom it tells.
pub struct WatchContentServer {
    content_server: content_server::Client,
    environment: Environment,
    feeds: Vec<Feed>,
    queues: FlowQueues,
    door: push::Door,
    breaker: Breaker,
    counts: figures::Counts,
}

impl Function for WatchContentServer {
    const NAME: &'static str = "watch-content-server";
    const SYSTEMS: &'static [System] = &[System::ContentServer];

    async fn connect(environment: &Environment) -> Result<Self> {
        let given = environment.rules().await?;
        let (text, name) = given.unwrap_or_else(|| (SAMPLE.to_owned(), "the packaged feeds".to_owned()));
        let queues = FlowQueues::of(environment)?;
        let mut feeds = Feed::parse_all(&text, &name, |flow| queues.has(flow)).map_err(refused)?;
        feeds.retain(|feed| is_told(&feed.name, &feed.flows, &feed.left_out));
        let door = push::Door::open(environment).await?;
        let content_server = environment.content_server().await?;
        let breaker = Breaker::new(environment.ledger.clone(), System::ContentServer);
        let (environment, counts) = (environment.clone(), figures::Counts::default());
        Ok(Self { content_server, environment, feeds, queues, door, breaker, counts })
    }

    async fn round(&self, invocation: Invocation) -> Result<()> {
        if let BreakerState::Open(until) = self.breaker.state().await? {
            self.print_breaker_open();
            tracing::info!(until, "content server is out of order; the next round looks again");
            return Ok(());
        }
        self.environment.renew_credential(&self.content_server).await?;
        let margin = i64::try_from(self.environment.settings.margin().as_millis()).unwrap_or(i64::MAX);
        let time = Time { watch: self, end: invocation.deadline.saturating_sub(margin) };
        let mut failed = None;
        for feed in &self.feeds {
            if time.is_over() {
                tracing::info!(feed = feed.name, "no time is left for this feed; the next round goes on");
                break;
            }
            let answered = Answered::default();
            let read = answered.during(self.read(feed, &time, invocation.deadline)).await;
            self.breaker.report(&read, &answered).await;
            self.print_figures(feed, &read).await;
            // One feed's trouble is not another's.
            if let Err(error) = read {
                tracing::error!(feed = feed.name, code = error.code(), error = ?error, "the feed was not read");
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn answer(&self, request: Request<Bytes>, _: Invocation) -> Response<Bytes> {
        self.take_push(&request).await
    }
}

/// How much of the invocation is left.
struct Time<'a> {
    watch: &'a WatchContentServer,
    end: i64,
}

impl Time<'_> {
    fn is_over(&self) -> bool {
        self.watch.environment.context.now_milliseconds() >= self.end
    }
}

impl WatchContentServer {
    /// One feed's part of a round. Only one invocation reads a feed at a time.
    async fn read(&self, feed: &Feed, time: &Time<'_>, deadline: i64) -> Result<()> {
        let ledger = &self.environment.ledger;
        let name = format!("feed-{}", feed.name);
        let Some(lock) = ledger.lock(Self::NAME, &name, deadline).await? else {
            tracing::info!(feed = feed.name, "another invocation reads this feed");
            return Ok(());
        };
        let read = match &feed.scope {
            Scope::Search { .. } => match self.window(feed, time).await {
                Ok(seen) => self.look(feed, time).await.map(|()| seen),
                Err(error) => Err(error),
            },
            Scope::Workspaces { kind } => self.walk(feed, kind, time).await,
        };
        let read = match read {
            Ok(Some(begun)) => self.seen_up_to(feed, begun).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // A lock that cannot be given back ends by itself.
        if let Err(error) = ledger.unlock(&lock).await {
            tracing::warn!(feed = feed.name, error = ?error, "the feed stays locked for a while");
        }
        read
    }
}

fn refused(diagnostics: Diagnostics) -> Error {
    Error::configuration("feeds.invalid", diagnostics.to_string())
        .remedy("correct the lines named above; functions/watch/README.md explains every word")
}
