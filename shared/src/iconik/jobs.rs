//! Progress that people see.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Client,
    call::Call,
    ids::{JobId, ObjectRef},
    page::{Pages, Style},
    wire::{self, words},
};
use crate::error::{FailureClass, Result};

words! {
    /// What kind of job it is. Of some thirty words, those an integration starts or follows.
    JobKind {
        /// Ours.
        Custom = "CUSTOM",
        /// A transfer between storages.
        Transfer = "TRANSFER",
        /// An export.
        Export = "EXPORT",
        /// Into the archive.
        Archive = "ARCHIVE",
        /// Out of it.
        Restore = "RESTORE",
        /// A deletion.
        Delete = "DELETE",
        /// A change of many values.
        Metadata = "METADATA",
    }
}

words! {
    /// Where a job stands.
    JobStatus {
        /// About to begin.
        Ready = "READY",
        /// Under way.
        Started = "STARTED",
        /// Waiting for something.
        Waiting = "WAITING",
        /// Held.
        Paused = "PAUSED",
        /// Done.
        Finished = "FINISHED",
        /// Done, with something to look at.
        FinishedWithWarning = "FINISHED_WITH_WARNING",
        /// Not done.
        Failed = "FAILED",
        /// Somebody pressed the button; whoever works on it has to notice.
        AbortPending = "ABORT_PENDING",
        /// Given up.
        Aborted = "ABORTED",
        /// Not needed.
        Skipped = "SKIPPED",
    }
}

impl JobStatus {
    /// Whether nothing more happens to it.
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Finished | Self::FinishedWithWarning | Self::Failed | Self::Aborted | Self::Skipped
        )
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    #[serde(default, rename = "type")]
    pub kind: JobKind,
    /// Where it stands.
    #[serde(default)]
    pub status: JobStatus,
    /// Its title.
    #[serde(default, deserialize_with = "wire::text")]
    pub title: String,
    /// Percent, by the server's reckoning.
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    pub progress: Option<i64>,
    /// How much there is to do.
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    pub progress_total: Option<i64>,
    /// How much is done.
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    pub progress_processed: Option<i64>,
    /// What is going on.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub message: Option<String>,
    /// What went wrong.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub error_message: Option<String>,
    /// What it works on.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub object_id: Option<String>,
    /// Whatever its maker put there.
    #[serde(default)]
    pub job_context: Value,
    /// When it was made.
    #[serde(default, rename = "date_created", deserialize_with = "wire::moment_or_none")]
    pub created: Option<Timestamp>,
}

impl Job {
    /// Whether somebody wants it to stop. Say so with [`JobChange::aborted`] once it has.
    pub fn is_abort_wanted(&self) -> bool {
        matches!(self.status, JobStatus::AbortPending | JobStatus::Aborted)
    }
}

/// Under which key the context of a job holds what we call it.
const KEY: &str = "waybill_key";

/// A job of ours to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its title.
    pub title: String,
    /// What it works on.
    pub object: ObjectRef,
    /// How much there is to do.
    pub total: u64,
    /// What we call it: how a job whose creation was not confirmed is found again.
    pub key: String,
    /// What is going on.
    pub message: Option<String>,
}

/// What is to be changed of a job; nothing else is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobChange(Map<String, Value>);

impl JobChange {
    /// It goes on. The status is not sent: it would wipe out that somebody wants it to stop.
    pub fn progress(done: u64, message: Option<&str>) -> Self {
        Self::default().with("progress_processed", done).message(message)
    }

    /// It is done.
    pub fn finished(total: u64, message: Option<&str>) -> Self {
        Self::ended(&JobStatus::Finished).with("progress_processed", total).message(message)
    }

    /// It is done, and somebody should look.
    pub fn finished_with_warning(total: u64, message: &str) -> Self {
        let change = Self::ended(&JobStatus::FinishedWithWarning);
        change.with("progress_processed", total).message(Some(message))
    }

    /// It is not done, and why.
    pub fn failed(reason: &str) -> Self {
        Self::ended(&JobStatus::Failed).with("error_message", reason).message(Some(reason))
    }

    /// It has stopped, as somebody wanted.
    pub fn aborted(message: Option<&str>) -> Self {
        Self::ended(&JobStatus::Aborted).message(message)
    }

    fn ended(status: &JobStatus) -> Self {
        Self::default().with("status", status.as_str())
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn message(self, message: Option<&str>) -> Self {
        match message {
            Some(message) => self.with("message", message),
            None => self,
        }
    }
}

impl Client {
    /// Shows a job.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came.
    pub async fn create_job(&self, new: &NewJob) -> Result<Job> {
        let mut body = json!({
            "type": JobKind::Custom, "status": JobStatus::Started, "title": new.title,
            "object_type": new.object.kind(), "object_id": new.object.id(),
            "progress_total": new.total.max(1), "progress_processed": 0, "job_context": {KEY: new.key},
        });
        if let Some((members, message)) = body.as_object_mut().zip(new.message.as_deref()) {
            members.insert("message".to_owned(), message.into());
        }
        self.ask(&Call::post("create job", &["jobs", "v1", "jobs"]).body(body)).await
    }

    /// The job of ours with a key, shown when there is none. When the answer is lost, it is looked for until the index has
    /// had time to show it.
    ///
    /// # Errors
    /// `UnknownOutcome` when it could not be found out whether it is shown.
    pub async fn ensure_job(&self, new: &NewJob) -> Result<Job> {
        let find = async || self.find_job(&new.object, &new.key).await;
        if let Some(job) = find().await? {
            return Ok(job);
        }
        match self.create_job(new).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => {
                self.patiently(find).await?.ok_or(failure)
            }
            outcome => outcome,
        }
    }

    /// The job of ours on an object that has a key and has not ended. The list comes from the index and may be behind;
    /// what is found was read anew.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_job(&self, object: &ObjectRef, key: &str) -> Result<Option<Job>> {
        let mut pages = self.list_jobs(object);
        while let Some(page) = pages.next_page().await? {
            for job in page {
                let is_it = job.object_id.as_deref() == Some(object.id())
                    && job.job_context.get(KEY).and_then(Value::as_str) == Some(key);
                if !is_it {
                    continue;
                }
                let job: Option<Job> = self.look(&Call::get("get job", &path(&job.id))).await?;
                if let Some(job) = job.filter(|job| !job.status.is_end()) {
                    return Ok(Some(job));
                }
            }
        }
        Ok(None)
    }

    /// The jobs on an object, the newest first.
    pub fn list_jobs(&self, object: &ObjectRef) -> Pages<'_, Job> {
        let call = Call::get("list jobs", &["jobs", "v1", "jobs"])
            .query("object_id", object.id())
            .query("sort", "date_created,desc");
        Pages::new(self, call, Style::Number).of_everything()
    }

    /// A job.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn get_job(&self, job: &JobId) -> Result<Job> {
        self.ask(&Call::get("get job", &path(job))).await
    }

    /// Changes a job, and says how it stands: look whether somebody wants it to stop.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`] when somebody has deleted it.
    pub async fn update_job(&self, job: &JobId, change: &JobChange) -> Result<Job> {
        let body = Value::Object(change.0.clone());
        self.ask(&Call::patch("update job", &path(job)).body(body)).await
    }
}

fn path(job: &JobId) -> [&str; 4] {
    ["jobs", "v1", "jobs", job.as_str()]
}
