//! Something iconik makes anew with every call and shows in an index that lags: a job, an entry of the history, a comment.
//! It is made once per item, by whichever attempt; or once altogether, by whichever item.

use std::{future::Future, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use shared::{
    error::{Error, FailureClass, Result, Retry},
    flow::{Policy, Run},
    iconik::Client,
};

/// After the name: the checkpoint that tells that it may have been made.
const BEGUN: &str = ".begun";
/// A note of something that may have been made, before who makes it; and of something that was.
const BEGUN_BY: &str = "begun ";
const MADE: &str = "made";

/// Makes something unless an earlier attempt did. What was made is remembered under `name`; between the intent and that
/// memory nobody knows, so then it is looked for until the index has had its time.
///
/// # Errors
/// `UnknownOutcome` when no answer came and it cannot be found; a later attempt looks again before it makes anything.
pub async fn made_once<T, F, M>(
    client: &Client,
    run: &Run,
    name: &str,
    find: impl Fn() -> F + Send + Sync,
    make: impl FnOnce() -> M + Send,
) -> Result<T>
where
    T: Serialize + DeserializeOwned + Send + Sync,
    F: Future<Output = Result<Option<T>>> + Send,
    M: Future<Output = Result<T>> + Send,
{
    if let Some(made) = run.recorded::<T>(name) {
        return Ok(made);
    }
    let intent = format!("{name}{BEGUN}");
    let begun = run.recorded::<bool>(&intent) == Some(true);
    let earlier = if begun { patiently(client, run, &find).await? } else { None };
    let made = match earlier {
        Some(made) => made,
        None => {
            if !begun {
                run.checkpoint(&intent, &true).await?;
            }
            match make().await {
                Err(error) if error.class() == FailureClass::UnknownOutcome => {
                    after_lost_answer(client, run, error, &find).await?
                }
                outcome => outcome?,
            }
        }
    };
    run.checkpoint(name, &made).await?;
    Ok(made)
}

/// Finds what an earlier attempt may have made and did not come to note; it is noted then. Makes nothing.
///
/// # Errors
/// As any call.
pub async fn find_begun<T, F>(
    client: &Client,
    run: &Run,
    name: &str,
    find: impl Fn() -> F + Send + Sync,
) -> Result<()>
where
    T: Serialize + DeserializeOwned + Send + Sync,
    F: Future<Output = Result<Option<T>>> + Send,
{
    let begun = run.recorded::<bool>(&format!("{name}{BEGUN}")) == Some(true);
    if !begun || run.recorded::<T>(name).is_some() {
        return Ok(());
    }
    match patiently(client, run, &find).await? {
        Some(made) => run.checkpoint(name, &made).await,
        None => Ok(()),
    }
}

/// Makes something that several items may come to make, unless one of them did, whatever their clocks say: who begins says
/// so in a note of the flow's before, and who finds that looks until the index has had its time. `place` is the note, one for
/// each thing. False when somebody else has begun meanwhile: try again.
///
/// # Errors
/// As [`made_once`]; `ledger.lease-over`.
pub async fn made_by_any<T, F, M>(
    client: &Client,
    run: &Run,
    (flow, place): (&str, &str),
    effect: &'static str,
    find: impl Fn() -> F + Send + Sync,
    make: impl Fn() -> M + Send + Sync,
) -> Result<bool>
where
    T: Serialize + DeserializeOwned + Send + Sync,
    F: Future<Output = Result<Option<T>>> + Send,
    M: Future<Output = Result<T>> + Send,
{
    let ledger = run.ledger();
    let before = ledger.note(flow, place).await?;
    if before.as_deref() == Some(MADE) {
        return Ok(true);
    }
    if before.is_none() || patiently(client, run, &find).await?.is_none() {
        let intent = format!("{BEGUN_BY}{}", run.context().new_id());
        if !ledger.replace_note(flow, place, before.as_deref(), &intent).await? {
            return Ok(false);
        }
        match run.effect(effect, Policy::CheckThenRepeat, &find, &make).await {
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                after_lost_answer(client, run, error, &find).await?
            }
            outcome => outcome?,
        };
    }
    ledger.set_note(flow, place, MADE).await?;
    Ok(true)
}

/// What was made after all, though the answer was lost with this error.
///
/// # Errors
/// That error, when it cannot be found. It may still come, whatever stopped the look: no other one is made before that.
pub(crate) async fn after_lost_answer<T, F>(
    client: &Client,
    run: &Run,
    error: Error,
    find: &(impl Fn() -> F + Send + Sync),
) -> Result<T>
where
    F: Future<Output = Result<Option<T>>> + Send,
{
    match patiently(client, run, find).await {
        Ok(found) => found.ok_or(error),
        Err(trouble) => match trouble.retry_advice() {
            Retry::After(pause) => Err(error.not_before(pause)),
            Retry::Later | Retry::Never => Err(error),
        },
    }
}

/// Forgets what was made under a name, so that it can be made anew.
///
/// # Errors
/// When the item is not ours any more, or the ledger cannot be reached.
pub async fn forget(run: &Run, name: &str) -> Result<()> {
    run.checkpoint(&format!("{name}{BEGUN}"), &false).await?;
    run.checkpoint(name, &()).await
}

/// Looks again and again until something is found or the index has had its time.
pub(crate) async fn patiently<T, F>(
    client: &Client,
    run: &Run,
    find: &(impl Fn() -> F + Send + Sync),
) -> Result<Option<T>>
where
    F: Future<Output = Result<Option<T>>> + Send,
{
    let patience = i64::try_from(client.settings().index_patience_seconds).unwrap_or(i64::MAX);
    let until = client.now_milliseconds().saturating_add(patience.saturating_mul(1000));
    let mut pause = Duration::from_millis(500);
    loop {
        if let Some(found) = find().await? {
            return Ok(Some(found));
        }
        if client.now_milliseconds() >= until {
            return Ok(None);
        }
        run.context().sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(4));
    }
}
