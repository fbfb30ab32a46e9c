//! Something iconik makes anew with every call and shows in an index that lags: a job, an entry of the history, a comment.
//! It is made once per item, by whichever attempt.

use std::{future::Future, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use shared::{
    error::{FailureClass, Result, Retry},
    flow::Run,
    iconik::Client,
};

/// After the name: the checkpoint that tells that it may have been made.
const BEGUN: &str = ".begun";

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
                    match patiently(client, run, &find).await {
                        Ok(found) => found.ok_or(error)?,
                        // It may still come, whatever stopped the look: no other one is made before that.
                        Err(trouble) => match trouble.retry_advice() {
                            Retry::After(pause) => return Err(error.not_before(pause)),
                            Retry::Later | Retry::Never => return Err(error),
                        },
                    }
                }
                outcome => outcome?,
            }
        }
    };
    run.checkpoint(name, &made).await?;
    Ok(made)
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
