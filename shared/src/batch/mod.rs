//! From queue to outcome: the one place that decides what becomes of a message.
//!
//! | result of an item | message | record | log |
//! |---|---|---|---|
//! | delivered, skipped | acknowledged | completed, with its audit event | info |
//! | `Invalid`, `Forbidden` | acknowledged | put aside by the flow, completed as quarantined | warn |
//! | `Gone` | acknowledged | completed as skipped | info |
//! | part of a message is not an event | its other items first; then copied to the dead-letter queue, acknowledged | none | error |
//! | `Bug`, a panic, too many crashes | copied to the dead-letter queue with its reason, acknowledged | then completed as failed | error |
//! | seen before, failed included | acknowledged | untouched | info |
//! | failed, and a person redrives its message | as for a new item | reopened once for that message | |
//! | not an event | copied to the dead-letter queue with its reason, acknowledged | none | error |
//! | anything else | left on the queue, invisible for a growing, jittered time | released, checkpoints kept | warn |
//! | the process is to end | left on the queue as above; what was not begun likewise | released, checkpoints kept | warn |
//! | breaker of the target open | left on the queue until it may be tried | untouched | info |

mod continuation;
mod item;
pub(crate) mod metrics;
mod queue;
mod stop;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{FutureExt, StreamExt};

use crate::{
    environment::Environment,
    error::{Error, Result, System},
    flow::{AnyFlow, Entry, Reason},
    ledger::{Breaker, BreakerState},
};
pub use metrics::Tally;

/// Attempts at one item that may end without a word before it is taken for poison.
const CRASHES_ALLOWED: i64 = 5;

/// Works through batches of messages for one flow. Made once per process.
pub struct Runner {
    name: &'static str,
    flow: Arc<dyn AnyFlow>,
    environment: Environment,
    breakers: Vec<Breaker>,
    stop: stop::Stop,
}

/// The bounds of one invocation.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    /// When it is ended from outside, in milliseconds since the epoch.
    pub deadline: i64,
}

/// The body of the message that work began with, where this is the body of one by which it goes on; else the body itself.
pub fn original_body(body: &str) -> String {
    continuation::unwrap(body).0
}

/// What becomes of a message.
#[derive(Debug)]
enum Verdict {
    Acknowledge,
    /// Leave it on the queue and do not show it again before this much time has passed.
    Leave(Duration),
    /// To the dead-letter queue with a reason, at once.
    Park(Reason),
    /// Go on with it in another invocation.
    Continue,
}

impl Runner {
    /// Connects a flow.
    ///
    /// # Errors
    /// When its configuration or rules are wrong: the function must not start.
    pub async fn connect(entry: &Entry, environment: Environment) -> Result<Self> {
        let flow = entry.connect(&environment).await?;
        if environment.settings.dry_run {
            tracing::warn!(
                flow = entry.name,
                "dry run: nothing is done, and every message that arrives is used up"
            );
        }
        let breakers = entry
            .systems
            .iter()
            .filter(|system| !matches!(system, System::S3))
            .map(|system| Breaker::new(environment.ledger.clone(), *system))
            .collect();
        Ok(Self { name: entry.name, flow, environment, breakers, stop: stop::Stop::default() })
    }

    /// The flow's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Ends work that is under way, gives what has not ended back to the queue, and begins nothing any more. Returns when
    /// no batch is under way.
    pub async fn stop(&self) {
        self.stop.now().await;
    }

    /// Works through one batch; names the messages that stay on the queue. Metrics go out as one line at its end.
    pub async fn run(&self, event: SqsEvent, invocation: Invocation) -> SqsBatchResponse {
        let (response, tally) = self.run_counted(event, invocation).await;
        metrics::print(&tally.render(
            self.name,
            &self.environment.settings.environment,
            &self.environment.context,
        ));
        response
    }

    /// As [`Runner::run`], giving the tally to the caller instead of the log.
    pub async fn run_counted(&self, event: SqsEvent, invocation: Invocation) -> (SqsBatchResponse, Tally) {
        let _under_way = self.stop.begin();
        let tally = Tally::default();
        let gate = match self.gate().await {
            Ok(gate) => gate,
            Err(error) => {
                // Without the ledger nothing may be done; every message stays.
                tracing::error!(flow = self.name, error = ?error, "the ledger cannot be reached");
                Gate::Closed(self.environment.context.now_milliseconds() + 30_000)
            }
        };
        let width = match gate {
            Gate::One => 1,
            Gate::Open | Gate::Closed(_) => self.environment.settings.target_concurrency.max(1),
        };
        let failures = futures_util::stream::iter(event.records.into_iter().enumerate())
            .map(|(index, message)| {
                let tally = &tally;
                let gate = match gate {
                    // While a target is probed, one message goes ahead and the others wait for how it went.
                    Gate::One if index > 0 => None,
                    gate => Some(gate),
                };
                async move { self.message(message, gate, invocation, tally).await }
            })
            .buffer_unordered(width)
            .filter_map(std::future::ready)
            .collect::<Vec<_>>()
            .await;
        // As it is at the end: a probe that failed, or the failure that opened it, counts; a probe that succeeded does not.
        let open = matches!(gate, Gate::Closed(_)) || self.breakers.iter().any(Breaker::is_open);
        tally.breaker_open(open);
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures
            .into_iter()
            .map(|id| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                failure
            })
            .collect();
        (response, tally)
    }

    async fn gate(&self) -> Result<Gate> {
        let mut gate = Gate::Open;
        for breaker in &self.breakers {
            match breaker.state().await? {
                BreakerState::Closed => {}
                BreakerState::Open(until) => return Ok(Gate::Closed(until)),
                BreakerState::Probe => gate = Gate::One,
            }
        }
        Ok(gate)
    }

    /// Returns the message's id when it stays on the queue.
    async fn message(
        &self,
        message: SqsMessage,
        gate: Option<Gate>,
        invocation: Invocation,
        tally: &Tally,
    ) -> Option<String> {
        let id = message.message_id.clone().unwrap_or_default();
        let gate = match gate {
            Some(gate) => gate,
            None => self
                .gate()
                .await
                .unwrap_or(Gate::Closed(self.environment.context.now_milliseconds() + 30_000)),
        };
        let verdict = match gate {
            Gate::Closed(until) => {
                let wait = until - self.environment.context.now_milliseconds();
                Verdict::Leave(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
            }
            Gate::Open | Gate::One if self.stop.is_told() => Verdict::Leave(self.backoff(&message)),
            Gate::Open | Gate::One => {
                let work = AssertUnwindSafe(self.work(&message, invocation, tally)).catch_unwind();
                work.await.unwrap_or_else(|_panic| panicked())
            }
        };
        for breaker in &self.breakers {
            if let Err(error) = breaker.give_probe_back().await {
                tracing::warn!(error = ?error, "the probe is free again after its pause");
            }
        }
        match self.settle(&message, verdict, tally).await {
            Ok(stays) => stays.then_some(id),
            Err(error) => {
                tracing::error!(flow = self.name, message_id = id, error = ?error, "the message stays on the queue");
                Some(id)
            }
        }
    }

    async fn work(&self, message: &SqsMessage, invocation: Invocation, tally: &Tally) -> Verdict {
        let (body, _) = continuation::unwrap(message.body.as_deref().unwrap_or_default());
        let parsed = match self.flow.parse(&body) {
            Ok(parsed) => parsed,
            Err(error) => return Verdict::Park(Reason::from(&error)),
        };
        let mut verdict = refusal(&parsed.refused).map_or(Verdict::Acknowledge, Verdict::Park);
        for event in &parsed.events {
            let work = item::deliver(self, event, message, invocation, tally);
            let next = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_panic| panicked());
            verdict = worse(verdict, next);
        }
        verdict
    }

    /// Carries a verdict out. Returns whether the message stays on the queue.
    async fn settle(&self, message: &SqsMessage, verdict: Verdict, tally: &Tally) -> Result<bool> {
        match verdict {
            Verdict::Acknowledge => Ok(false),
            Verdict::Leave(pause) => {
                tally.given_back();
                self.leave(message, pause).await;
                Ok(true)
            }
            Verdict::Park(reason) => {
                self.park(message, &reason, tally).await?;
                Ok(false)
            }
            Verdict::Continue => {
                self.send_continuation(message).await?;
                tally.continued();
                Ok(false)
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Gate {
    Open,
    One,
    Closed(i64),
}

fn panicked() -> Verdict {
    Verdict::Park(Reason::from(&Error::bug("handle", "the flow panicked")))
}

/// One reason for all parts of a message that cannot be understood.
fn refusal(refused: &[Reason]) -> Option<Reason> {
    let mut reason = refused.first()?.clone();
    if refused.len() > 1 {
        reason.message =
            format!("{} parts of the message are refused; the first: {}", refused.len(), reason.message);
    }
    Some(reason)
}

/// The verdict on a message of several items: whatever still needs the message wins, so that it is parked only when
/// everything else in it has ended.
fn worse(one: Verdict, other: Verdict) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Acknowledge => 0,
        Verdict::Park(_) => 1,
        Verdict::Continue => 2,
        Verdict::Leave(_) => 3,
    };
    if rank(&other) > rank(&one) { other } else { one }
}
