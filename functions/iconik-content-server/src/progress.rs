//! Progress that people see in iconik: work appears as a job with percent and message, and ends in a truthful state.
//!
//! That a job cannot be changed on the way keeps no work from being done. Its end is another matter: until it says what
//! became of the work, the work has not ended. A person who presses the button that aborts it is obeyed.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use shared::{
    error::{Error, FailureClass, Result, System},
    flow::Run,
    iconik::{Client, JobChange, JobId, NOT_FOUND, NewJob, ObjectRef},
    ledger::Key,
};

use crate::made_once::{find_begun, forget, made_once};

/// The checkpoint that names the job.
const JOB: &str = "job";
/// The checkpoint that tells that the job has ended, as its work did.
const ENDED: &str = "job-ended";
/// How often a job is changed at most.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
/// The most characters of a message.
const LONGEST: usize = 500;

/// Somebody pressed the button that aborts the job.
pub const ABORTED: &str = "job.aborted";

/// A job of this item.
#[derive(Debug)]
pub struct Progress<'a> {
    client: &'a Client,
    run: &'a Run,
    job: JobId,
    total: u64,
    /// What is never shown as less.
    reached: u64,
    shown: Mutex<Option<i64>>,
}

/// What a job is shown for.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// What it works on.
    pub object: &'a ObjectRef,
    /// Its title.
    pub title: &'a str,
    /// How much there is to do, in any unit.
    pub total: u64,
}

/// How work has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All of it is done.
    Finished(String),
    /// It is done, and somebody should look.
    Warning(String),
    /// It is not done, and why.
    Failed(String),
    /// It was given up, as somebody wanted.
    Aborted(String),
}

impl<'a> Progress<'a> {
    /// Shows a job for this item, once, whichever attempt comes first. `key` is that of the item.
    ///
    /// # Errors
    /// When it could not be found out whether it is shown.
    pub async fn begin(client: &'a Client, run: &'a Run, key: &Key, work: Work<'_>) -> Result<Self> {
        let Work { object, title, total } = work;
        let new = NewJob {
            title: title.chars().take(LONGEST).collect(),
            object: object.clone(),
            total: total.max(1),
            key: key.digest().to_owned(),
            message: None,
        };
        if run.recorded::<bool>(ENDED) == Some(true) {
            // The item had failed, and a person put it back: that is other work.
            forget(run, JOB).await?;
            run.checkpoint(ENDED, &false).await?;
        }
        let find = || async { Ok(client.find_job(object, key.digest()).await?.map(|job| job.id)) };
        let make = || async { Ok(client.create_job(&new).await?.id) };
        let job = made_once(client, run, JOB, find, make).await?;
        Ok(Self { client, run, job, total: total.max(1), reached: 0, shown: Mutex::default() })
    }

    /// The same, where earlier attempts have come so far: people do not see it go back.
    #[must_use]
    pub fn reached(self, reached: u64) -> Self {
        Self { reached, ..self }
    }

    /// The job.
    pub fn job(&self) -> &JobId {
        &self.job
    }

    /// Shows how far the work is; when it was shown a moment ago, not again.
    ///
    /// # Errors
    /// [`ABORTED`], when somebody wants it to stop. That the job cannot be changed is no failure of the work.
    pub async fn show(&self, done: u64, message: &str) -> Result<()> {
        let now = self.client.now_milliseconds();
        let every = i64::try_from(SHOWN_EVERY.as_millis()).unwrap_or(i64::MAX);
        {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            if shown.is_some_and(|at| now - at < every) {
                return Ok(());
            }
            *shown = Some(now);
        }
        self.say(done, message).await
    }

    /// The same at once, however lately it was shown: that the work waits, say.
    ///
    /// # Errors
    /// As [`Progress::show`].
    pub async fn say(&self, done: u64, message: &str) -> Result<()> {
        // What is not ended is not shown as 100 percent.
        let done = done.max(self.reached).min(self.total.saturating_sub(1));
        let message: String = message.chars().take(LONGEST).collect();
        match self.client.update_job(&self.job, &JobChange::progress(done, Some(&message))).await {
            Ok(job) if job.is_abort_wanted() => Err(aborted()),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(error = ?error, job = %self.job, "the progress is not shown");
                Ok(())
            }
        }
    }

    /// Says how the work has ended.
    ///
    /// # Errors
    /// When that cannot be said: the item has to be tried again. A job that somebody has deleted needs no end.
    pub async fn end(&self, end: &End) -> Result<()> {
        end_job(self.client, self.run, &self.job, self.total, end).await
    }
}

/// Finds the job that an earlier attempt has shown and did not come to note, so that [`end_shown`] ends it. `key` is that of
/// the item.
///
/// # Errors
/// When it could not be found out whether it is shown.
pub async fn recall(client: &Client, run: &Run, object: &ObjectRef, key: &Key) -> Result<()> {
    let find = || async { Ok(client.find_job(object, key.digest()).await?.map(|job| job.id)) };
    find_begun(client, run, JOB, find).await
}

/// Ends the job that an attempt at this item has shown, if any did and it has not ended: for work that ends otherwise than
/// it was meant to.
///
/// # Errors
/// As [`Progress::end`].
pub async fn end_shown(client: &Client, run: &Run, end: &End) -> Result<()> {
    let Some(job) = run.recorded::<JobId>(JOB) else { return Ok(()) };
    if run.recorded::<bool>(ENDED) == Some(true) {
        return Ok(());
    }
    let total = match end {
        // How much it was is known to the job alone.
        End::Finished(_) | End::Warning(_) => match client.get_job(&job).await {
            Ok(shown) => shown.progress_total.and_then(|total| u64::try_from(total).ok()).unwrap_or(1),
            Err(error) if error.code() == NOT_FOUND => 1,
            Err(error) => return Err(error),
        },
        End::Failed(_) | End::Aborted(_) => 1,
    };
    end_job(client, run, &job, total, end).await
}

async fn end_job(client: &Client, run: &Run, job: &JobId, total: u64, end: &End) -> Result<()> {
    let cut = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let change = match end {
        End::Finished(message) => JobChange::finished(total, Some(&cut(message))),
        End::Warning(message) => JobChange::finished_with_warning(total, &cut(message)),
        End::Failed(message) => JobChange::failed(&cut(message)),
        End::Aborted(message) => JobChange::aborted(Some(&cut(message))),
    };
    match client.update_job(job, &change).await {
        Err(error) if error.code() == NOT_FOUND => Ok(()),
        // On some tenants a job that has ended is final: an earlier attempt ended it. Otherwise it is only busy.
        Err(error) if error.class() == FailureClass::Conflict => match client.get_job(job).await {
            Ok(job) if job.status.is_end() => Ok(()),
            _ => Err(error),
        },
        outcome => outcome.map(drop),
    }?;
    run.checkpoint(ENDED, &true).await
}

fn aborted() -> Error {
    let message = "somebody aborted the job in iconik";
    Error::new(FailureClass::Invalid, System::Waybill, "show progress", ABORTED, message)
        .remedy("ask for it again in iconik")
}
