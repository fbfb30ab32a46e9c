//! The breaker of a target: shared by every worker, so that an outage is met by one probe at a time.

use std::{sync::Mutex, time::Duration};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use super::{
    Ledger,
    attributes::{get_number, keys, number},
};
use crate::{
    aws::classify,
    error::{FailureClass, Result, System},
    http::Answered,
};

/// Failures in a row, seen by one worker, that open the breaker.
const OPENS_AFTER: u32 = 5;
/// How long it stays open at first; each failed probe doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest it stays open between two probes.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// How long a worker trusts what it last read.
const TRUST: Duration = Duration::from_secs(5);

/// What a worker may do towards a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Work.
    Closed,
    /// Leave it alone until this moment, in milliseconds since the epoch.
    Open(i64),
    /// Try one item, alone, and report how it went.
    Probe,
}

/// One worker's view of a target's breaker.
#[derive(Debug)]
pub struct Breaker {
    ledger: Ledger,
    target: System,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    failures: u32,
    read_at: Option<i64>,
    opened: bool,
    openings: i64,
    /// What `open_until` was set to when this worker took the probe.
    probing: Option<i64>,
}

impl Breaker {
    /// The breaker of a target.
    pub fn new(ledger: Ledger, target: System) -> Self {
        Self { ledger, target, seen: Mutex::default() }
    }

    /// The target it guards.
    pub fn target(&self) -> System {
        self.target
    }

    /// Whether it was open when this worker last heard of it.
    pub fn is_open(&self) -> bool {
        self.seen().opened
    }

    /// Whether work may go on. Reads the shared state at most every few seconds; while the breaker is open and its
    /// pause is over, exactly one worker is told to probe.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn state(&self) -> Result<BreakerState> {
        let now = self.ledger.context.now_milliseconds();
        {
            let seen = self.seen();
            let fresh = seen.read_at.is_some_and(|at| now - at < milliseconds(TRUST));
            if fresh && !seen.opened {
                return Ok(BreakerState::Closed);
            }
        }
        let output = self
            .ledger
            .dynamodb
            .get_item()
            .table_name(&self.ledger.table)
            .set_key(Some(keys(&self.pk(), "state")))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| classify(System::Ledger, "read breaker", error))?;
        let open_until = output.item.as_ref().and_then(|item| get_number(item, "open_until")).unwrap_or(0);
        {
            let mut seen = self.seen();
            seen.read_at = Some(now);
            let was_opened = std::mem::replace(&mut seen.opened, open_until > 0);
            seen.probing = None;
            if was_opened && open_until == 0 {
                // Somebody else closed it: failures count anew.
                seen.failures = 0;
            }
            seen.openings = output.item.as_ref().and_then(|item| get_number(item, "openings")).unwrap_or(0);
        }
        match open_until {
            0 => Ok(BreakerState::Closed),
            until if until > now => Ok(BreakerState::Open(until)),
            until => self.claim_probe(until, now).await,
        }
    }

    async fn claim_probe(&self, open_until: i64, now: i64) -> Result<BreakerState> {
        let next = now + milliseconds(FIRST_PAUSE);
        let outcome = self
            .ledger
            .dynamodb
            .update_item()
            .table_name(&self.ledger.table)
            .set_key(Some(keys(&self.pk(), "state")))
            .update_expression("SET open_until = :next")
            .condition_expression("open_until = :seen")
            .expression_attribute_values(":next", number(next))
            .expression_attribute_values(":seen", number(open_until))
            .send()
            .await;
        match outcome {
            Ok(_) => {
                self.seen().probing = Some(next);
                Ok(BreakerState::Probe)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(BreakerState::Open(next)),
                _ => Err(classify(System::Ledger, "claim probe", error)),
            },
        }
    }

    /// Ends a probe that was taken and never reached the target, so that the next item may probe at once. Nothing is
    /// written when there is none.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn give_probe_back(&self) -> Result<()> {
        let Some(claimed) = self.seen().probing.take() else { return Ok(()) };
        let outcome = self
            .ledger
            .dynamodb
            .update_item()
            .table_name(&self.ledger.table)
            .set_key(Some(keys(&self.pk(), "state")))
            .update_expression("SET open_until = :now")
            .condition_expression("open_until = :claimed")
            .expression_attribute_values(":now", number(self.ledger.context.now_milliseconds()))
            .expression_attribute_values(":claimed", number(claimed))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(classify(System::Ledger, "give probe back", error)),
            },
        }
    }

    /// Whether a failure is one that another item would meet too.
    pub fn counts(class: FailureClass) -> bool {
        matches!(
            class,
            FailureClass::Transient
                | FailureClass::Throttled
                | FailureClass::Auth
                | FailureClass::UnknownOutcome
        )
    }

    /// Tells how work ended: a failure of the target that another item would meet too counts against it; a target that
    /// answered is alive, however the work ended; work that never asked it says nothing. What cannot be told is logged.
    pub async fn report<T>(&self, outcome: &Result<T>, answered: &Answered) {
        let report = match outcome {
            Err(error) if error.system() == self.target && Self::counts(error.class()) => {
                self.failed(error.class()).await.map(drop)
            }
            _ if answered.by(self.target) => self.succeeded().await,
            _ => Ok(()),
        };
        if let Err(error) = report {
            tracing::warn!(error = ?error, "the breaker could not be told");
        }
    }

    /// The target answered, and be it with a refusal of what it was asked.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn succeeded(&self) -> Result<()> {
        let was_open = {
            let mut seen = self.seen();
            seen.failures = 0;
            seen.probing = None;
            std::mem::take(&mut seen.opened)
        };
        if was_open {
            self.ledger
                .dynamodb
                .delete_item()
                .table_name(&self.ledger.table)
                .set_key(Some(keys(&self.pk(), "state")))
                .send()
                .await
                .map_err(|error| classify(System::Ledger, "close breaker", error))?;
            tracing::info!(target_system = self.target.name(), "breaker closed");
        }
        Ok(())
    }

    /// The target failed in a way that another item would meet too. Returns whether the breaker is open now.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn failed(&self, class: FailureClass) -> Result<bool> {
        if !Self::counts(class) {
            return Ok(false);
        }
        let (probing, openings, opens) = {
            let mut seen = self.seen();
            seen.failures += 1;
            // A refused credential is refused for every item.
            let opens = seen.failures >= OPENS_AFTER || class == FailureClass::Auth;
            (seen.probing.take().is_some(), seen.openings, opens)
        };
        if !probing && !opens {
            return Ok(false);
        }
        let doublings = if probing { u32::try_from(openings.clamp(0, 6)).unwrap_or(0) } else { 0 };
        let pause = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
        if self.open(probing, pause).await? {
            tracing::warn!(
                target_system = self.target.name(),
                class = ?class,
                pause_seconds = pause.as_secs(),
                "breaker open"
            );
        }
        let mut seen = self.seen();
        seen.opened = true;
        seen.read_at = None;
        Ok(true)
    }

    /// Opens the breaker, or keeps it open after a failed probe. Whoever comes second to an opening changes nothing.
    async fn open(&self, after_probe: bool, pause: Duration) -> Result<bool> {
        let until = self.ledger.context.now_milliseconds() + milliseconds(pause);
        let update = self
            .ledger
            .dynamodb
            .update_item()
            .table_name(&self.ledger.table)
            .set_key(Some(keys(&self.pk(), "state")))
            .update_expression("SET open_until = :until ADD openings :one")
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":one", number(1));
        let update =
            if after_probe { update } else { update.condition_expression("attribute_not_exists(pk)") };
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(classify(System::Ledger, "open breaker", error)),
            },
        }
    }

    fn pk(&self) -> String {
        format!("breaker#{}", self.target.name())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
