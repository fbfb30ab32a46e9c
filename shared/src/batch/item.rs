//! One item of one message, from its claim to its ending.

use std::{panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::event::sqs::SqsMessage;
use futures_util::FutureExt;
use serde_json::json;
use tracing::Instrument;

use super::{CRASHES_ALLOWED, Invocation, Runner, Tally, Verdict, continuation, queue::Redrive};
use crate::{
    audit::{self, AuditEvent, EventType},
    error::{Error, FailureClass, Result, Retry, System},
    flow::{AnyEvent, Item, Outcome, Reason, Run, allow_repeat},
    http::Answered,
    ledger::{Begin, Completion, Ending, Key},
    lost_answers,
};

/// Milliseconds between the invocation's deadline and the end of the claim: clocks of two workers may differ by less.
const GRACE: i64 = 30_000;

/// The longest an item that ends undelivered may take to throw away what it began.
const ABANDON_WITHIN: Duration = Duration::from_secs(5);

/// The checkpoint that counts invocations one item did not fit into, and how many there may be.
const DEADLINES: &str = "deadlines";
const DEADLINES_ALLOWED: u32 = 6;

pub(super) async fn deliver(
    runner: &Runner,
    event: &AnyEvent,
    message: &SqsMessage,
    invocation: Invocation,
    tally: &Tally,
) -> Verdict {
    let item = event.item();
    let span = tracing::info_span!(
        "item",
        flow = runner.name,
        item = item.key.digest(),
        asset = item.asset_text,
        // Known once the item is claimed.
        fence = tracing::field::Empty,
        // That of what sent the message; the invocation's own is in its span.
        trace = message.attributes.get("AWSTraceHeader").map(String::as_str),
    );
    let verdict = async {
        match begin_and_run(runner, event, &item.key, message, invocation, tally).await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::warn!(error = ?error, "the item stays on the queue");
                Verdict::Leave(runner.backoff(message))
            }
        }
    };
    verdict.instrument(span).await
}

async fn begin_and_run(
    runner: &Runner,
    event: &AnyEvent,
    key: &Key,
    message: &SqsMessage,
    invocation: Invocation,
    tally: &Tally,
) -> Result<Verdict> {
    let item = event.item();
    let environment = &runner.environment;
    let lease_until = invocation.deadline + GRACE;
    let attempt = match begin(runner, item, message, lease_until).await? {
        Begin::Ours(attempt) => attempt,
        Begin::InProgress { until } => {
            let wait = u64::try_from(until - environment.context.now_milliseconds()).unwrap_or(0);
            let jitter = environment.context.jitter(Duration::from_secs(3));
            return Ok(Verdict::Leave(Duration::from_millis(wait) + Duration::from_secs(1) + jitter));
        }
        Begin::Completed { ending, .. } => {
            tracing::info!(ending = ending.name(), "seen before");
            tally.repeated();
            return Ok(Verdict::Acknowledge);
        }
        Begin::OtherPayload => {
            return key_reuse(runner, event, key, message, invocation, tally).await;
        }
    };
    // An item's work that goes on in a further invocation is one run.
    if continuation::hops(message) == 0 {
        tally.begun(attempt.fence);
    }
    tracing::Span::current().record("fence", attempt.fence);
    let left = invocation.deadline - environment.context.now_milliseconds();
    // A margin longer than the invocation would leave no time at all.
    let margin = i64::try_from(environment.settings.margin().as_millis()).unwrap_or(0).min(left / 4).max(0);
    let crashes = attempt.crashes;
    let run = Run::new(
        environment.ledger.clone(),
        attempt,
        item.asset.clone(),
        invocation.deadline - 2 * margin,
        environment.settings.dry_run,
    )
    .since(happened(event, message));
    if crashes >= CRASHES_ALLOWED {
        let error = Error::bug("handle", format!("{crashes} attempts at this item ended without a word"))
            .with_code("attempts.crashed");
        return fail(runner, item, message, &run, &error, tally).await;
    }
    let answered = Answered::default();
    let began = environment.context.now_milliseconds();
    let outcome = work(runner, event, &run, &answered, invocation.deadline - margin).await;
    tally.worked(environment.context.now_milliseconds() - began, run.retries());
    tally.called(&answered.latencies());
    tally.measured(run.measured());
    for breaker in &runner.breakers {
        breaker.report(&outcome, &answered).await;
    }
    conclude(runner, event, message, &run, outcome, tally).await
}

/// Does the item's work until it ends, its time is over, or the process is to end.
async fn work(
    runner: &Runner,
    event: &AnyEvent,
    run: &Run,
    answered: &Answered,
    until: i64,
) -> Result<Outcome> {
    // Work stops before the claim ends: a call still under way is dropped with it and cannot take effect later.
    let time = until - runner.environment.context.now_milliseconds();
    let time = Duration::from_millis(u64::try_from(time).unwrap_or(0));
    let work = AssertUnwindSafe(lost_answers::during(answered.during(runner.flow.handle(event, run))))
        .catch_unwind();
    tokio::select! {
        biased;
        () = runner.stop.told() => {
            let message = "the process is ended from outside";
            Err(Error::new(FailureClass::Transient, System::Waybill, "handle", "shutdown", message))
        }
        ended = tokio::time::timeout(time, work) => match ended {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => Err(Error::bug("handle", "the flow panicked").with_code("panic")),
            Err(_) => Err(out_of_time(run).await),
        },
    }
}

/// When what an item is about happened; where the event does not say, when its message was sent.
fn happened(event: &AnyEvent, message: &SqsMessage) -> Option<i64> {
    event.happened().or_else(|| continuation::sent(message))
}

/// Claims the item; one that failed only for a message that a person put back.
async fn begin(runner: &Runner, item: &Item, message: &SqsMessage, lease_until: i64) -> Result<Begin> {
    let ledger = &runner.environment.ledger;
    let begin = ledger.begin(runner.name, &item.key, &item.payload_hash, lease_until).await?;
    match (&begin, Redrive::of(runner.name, message)) {
        (Begin::Completed { ending: Ending::Failed, .. }, Some(redrive)) => {
            tracing::info!(message_id = redrive.message, repeat = redrive.repeat, "redriven");
            let prepare = |checkpoints: &mut _| {
                if redrive.repeat {
                    allow_repeat(checkpoints);
                }
            };
            let (key, payload) = (&item.key, &item.payload_hash);
            ledger.reopen(runner.name, key, payload, lease_until, redrive.message, prepare).await
        }
        _ => Ok(begin),
    }
}

/// Work that never fits an invocation must not be begun for ever.
async fn out_of_time(run: &Run) -> Error {
    let times = run.recorded::<u32>(DEADLINES).unwrap_or(0) + 1;
    let message = format!("the work did not end before the invocation's deadline, {times} times");
    if times >= DEADLINES_ALLOWED {
        return Error::bug("handle", message)
            .with_code("deadline")
            .remedy("raise the function's time-out, or settle for `verify = \"size\"`, then redrive");
    }
    if let Err(error) = run.checkpoint(DEADLINES, &times).await {
        tracing::warn!(error = ?error, "this time is not counted");
    }
    Error::new(FailureClass::Transient, System::Waybill, "handle", "deadline", message)
}

async fn conclude(
    runner: &Runner,
    event: &AnyEvent,
    message: &SqsMessage,
    run: &Run,
    outcome: Result<Outcome>,
    tally: &Tally,
) -> Result<Verdict> {
    let item = event.item();
    match outcome {
        Ok(Outcome::Continue) => {
            release(runner, run, "continued").await;
            Ok(Verdict::Continue)
        }
        Ok(Outcome::Delivered(delivery)) => {
            tally.bytes(delivery.bytes);
            let mut event = audit_event(runner, item, EventType::Ingestion, audit::Outcome::Success);
            event.message_digest = delivery.digest;
            event.detail = delivery.detail;
            end(runner, run, Ending::Delivered, delivery.result, event, tally).await
        }
        Ok(Outcome::Skipped(reason)) => skip(runner, item, run, &reason, tally).await,
        Err(error) if error.code().starts_with("ledger.") => {
            // Fenced, or the claim is over: whoever holds it now decides; nothing may be written.
            Err(error)
        }
        Err(error) => match class_of(&error) {
            FailureClass::Invalid | FailureClass::Forbidden => {
                quarantine(runner, event, message, run, &error, tally).await
            }
            // Only a source can be gone without harm; what a target says is gone, somebody has to look at.
            FailureClass::Gone if error.system() == System::S3 => {
                skip(runner, item, run, &Reason::from(&error), tally).await
            }
            FailureClass::Gone => quarantine(runner, event, message, run, &error, tally).await,
            FailureClass::Bug => fail(runner, item, message, run, &error, tally).await,
            _ => {
                tracing::warn!(error = ?error, class = ?error.class(), code = error.code(), "to be tried again");
                tally.retried();
                release(runner, run, error.code()).await;
                let pause = match error.retry_advice() {
                    Retry::After(pause) => pause.max(runner.backoff(message)),
                    Retry::Later | Retry::Never => runner.backoff(message),
                };
                Ok(Verdict::Leave(pause))
            }
        },
    }
}

/// What a failure means for the item. A ledger, queue, bus or secret that refuses says nothing about the item: it waits.
fn class_of(error: &Error) -> FailureClass {
    match error.system() {
        System::Ledger | System::Sqs | System::EventBridge | System::Secrets => FailureClass::Transient,
        _ => error.class(),
    }
}

/// A key that arrives with another payload is put aside under a record of its own.
async fn key_reuse(
    runner: &Runner,
    event: &AnyEvent,
    key: &Key,
    message: &SqsMessage,
    invocation: Invocation,
    tally: &Tally,
) -> Result<Verdict> {
    let item = event.item();
    let reused = Key::of(&["key-reuse", key.digest(), &item.payload_hash]);
    let lease_until = invocation.deadline + GRACE;
    let ledger = &runner.environment.ledger;
    match ledger.begin(runner.name, &reused, &item.payload_hash, lease_until).await? {
        Begin::Ours(attempt) => {
            let run = Run::new(
                ledger.clone(),
                attempt,
                item.asset.clone(),
                invocation.deadline,
                runner.environment.settings.dry_run,
            )
            .since(happened(event, message));
            let error = Error::invalid("item.key-reused", "this item was received before with other content")
                .remedy("find out why the source uses one identity for two things");
            quarantine(runner, event, message, &run, &error, tally).await
        }
        Begin::InProgress { .. } => Ok(Verdict::Leave(runner.backoff(message))),
        Begin::Completed { .. } | Begin::OtherPayload => Ok(Verdict::Acknowledge),
    }
}

async fn quarantine(
    runner: &Runner,
    event: &AnyEvent,
    message: &SqsMessage,
    run: &Run,
    error: &Error,
    tally: &Tally,
) -> Result<Verdict> {
    let reason = Reason::from(error);
    if run.is_dry() {
        return dry(runner, run, Ending::Quarantined, &reason).await;
    }
    tracing::warn!(error = ?error, code = error.code(), "put aside");
    tally.quarantined(error.class() == FailureClass::Forbidden);
    let (envelope, _) = continuation::unwrap(message.body.as_deref().unwrap_or_default());
    run.keep_envelope(envelope);
    let put_aside = AssertUnwindSafe(runner.flow.put_aside(event, &reason, run)).catch_unwind().await;
    let put_aside = put_aside
        .unwrap_or_else(|_panic| Err(Error::bug("put aside", "the flow panicked").with_code("panic")));
    let place = match put_aside {
        Ok(place) => place,
        Err(error)
            if matches!(
                error.class(),
                FailureClass::Forbidden | FailureClass::Invalid | FailureClass::Bug
            ) =>
        {
            return fail(runner, event.item(), message, run, &error, tally).await;
        }
        Err(error) => {
            tracing::warn!(error = ?error, "the item could not be put aside yet");
            release(runner, run, error.code()).await;
            return Ok(Verdict::Leave(runner.backoff(message)));
        }
    };
    let mut audit = audit_event(runner, event.item(), EventType::Quarantine, audit::Outcome::Fail);
    audit.detail.insert("reason".into(), reason.code.clone());
    let result = json!({"reason": reason, "place": place});
    end(runner, run, Ending::Quarantined, result, audit, tally).await
}

/// A dry run tells how an item would end, and leaves everything as it was but the message, which is used up.
async fn dry(runner: &Runner, run: &Run, ending: Ending, reason: &Reason) -> Result<Verdict> {
    tracing::info!(ending = ending.name(), code = reason.code, notes = ?run.notes(), "dry run: nothing was done");
    release(runner, run, "dry run").await;
    Ok(Verdict::Acknowledge)
}

async fn skip(runner: &Runner, item: &Item, run: &Run, reason: &Reason, tally: &Tally) -> Result<Verdict> {
    if run.is_dry() {
        return dry(runner, run, Ending::Skipped, reason).await;
    }
    let mut event = audit_event(runner, item, EventType::Accession, audit::Outcome::Warning);
    event.detail.insert("reason".into(), reason.code.clone());
    end(runner, run, Ending::Skipped, json!({"reason": reason}), event, tally).await
}

/// First the copy in the dead-letter queue, then the ending: what the ledger calls failed can be found there, wherever
/// the process dies in between. A worker that lost its claim leaves both to the one who holds it.
async fn fail(
    runner: &Runner,
    item: &Item,
    message: &SqsMessage,
    run: &Run,
    error: &Error,
    tally: &Tally,
) -> Result<Verdict> {
    let reason = Reason::from(error);
    if run.is_dry() {
        return dry(runner, run, Ending::Failed, &reason).await;
    }
    run.check_lease("park")?;
    if let Err(trouble) = runner.park(message, &reason, tally).await {
        tracing::error!(error = ?trouble, code = error.code(), "the item cannot be parked yet");
        release(runner, run, trouble.code()).await;
        return Ok(Verdict::Leave(runner.backoff(message)));
    }
    let mut event = audit_event(runner, item, EventType::Transfer, audit::Outcome::Fail);
    event.detail.insert("reason".into(), reason.code.clone());
    tracing::error!(error = ?error, code = error.code(), "failed");
    end(runner, run, Ending::Failed, json!({"reason": reason}), event, tally).await
}

async fn end(
    runner: &Runner,
    run: &Run,
    ending: Ending,
    result: serde_json::Value,
    event: AuditEvent,
    tally: &Tally,
) -> Result<Verdict> {
    if ending != Ending::Delivered
        && tokio::time::timeout(ABANDON_WITHIN, runner.flow.abandon(run)).await.is_err()
    {
        tracing::warn!("what the item began in the target could not be thrown away in time");
    }
    let mut event = event;
    event.detail.extend(run.notes());
    let completion = Completion { ending, result, event };
    let sealed = run.ledger().complete(&run.attempt(), &completion, run.known_chain_end()).await?;
    let since = run.happened();
    // Clocks of two machines differ.
    let lag = since.map(|since| (run.context().now_milliseconds() - since).max(0));
    tally.ended(ending, lag);
    tracing::info!(ending = ending.name(), sequence = sealed.sequence, hash = sealed.hash, "ended");
    Ok(Verdict::Acknowledge)
}

async fn release(runner: &Runner, run: &Run, reason: &str) {
    if let Err(error) = runner.environment.ledger.release(&run.attempt(), reason).await {
        tracing::warn!(error = ?error, "the claim stays until its lease ends");
    }
}

fn audit_event(runner: &Runner, item: &Item, event_type: EventType, outcome: audit::Outcome) -> AuditEvent {
    AuditEvent {
        asset: item.asset.clone(),
        event_type,
        event_date_time: runner.environment.context.now().to_string(),
        outcome,
        agent: format!("waybill {} {}", runner.name, env!("CARGO_PKG_VERSION")),
        item: item.key.digest().to_owned(),
        message_digest: None,
        detail: std::collections::BTreeMap::default(),
    }
}
