//! Jobs: what is begun with a call and done later. Neither the form of an answer nor its words are documented, so both are in
//! the settings.

use std::time::Duration;

use serde_json::Value;

use super::{
    Client,
    call::Call,
    error::{failure, unexpected},
    ids::{AssetId, JobId},
    settings::JobWords,
    wire,
};
use crate::error::{Error, FailureClass, Result};

const OPERATION: &str = "get job";
/// A job ended without having done what it was to do.
pub const JOB_FAILED: &str = "otmm.job-failed";
/// A job is in a state that the settings do not name.
pub const JOB_STATE_UNKNOWN: &str = "otmm.job-state-unknown";

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It is under way.
    Running,
    /// It ended well.
    Done,
    /// It ended well for some.
    Partly,
    /// It failed.
    Failed,
    /// A word that the settings do not name; empty when none came.
    Unknown(String),
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// How far it is.
    pub state: JobState,
    /// Why it failed, where that is told.
    pub message: Option<String>,
    /// The assets it made, where they are told.
    pub assets: Vec<AssetId>,
}

impl Job {
    /// The failure that a job ended with, if it did.
    pub fn failure(&self) -> Option<Error> {
        let told = self.message.as_deref().unwrap_or("no reason told");
        let (what, code, remedy) = match &self.state {
            JobState::Running | JobState::Done => return None,
            JobState::Failed => {
                (format!("the job {} failed: {told}", self.id), JOB_FAILED, "see the job in OTMM")
            }
            JobState::Partly => {
                (format!("the job {} did a part of it: {told}", self.id), JOB_FAILED, "see the job in OTMM")
            }
            JobState::Unknown(word) => (
                format!("the job {} is in the state {word:?}, which the settings do not name", self.id),
                JOB_STATE_UNKNOWN,
                "name the site's words in `jobs` of the settings",
            ),
        };
        Some(failure(FailureClass::Forbidden, "follow job", code, what).remedy(remedy))
    }
}

impl Client {
    /// A job.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_job(&self, id: &JobId) -> Result<Job> {
        let call = Call::get(OPERATION, &["jobs", id.as_str()]);
        let answer = self.ask(&call).await?;
        Ok(read(id, &answer, &self.settings.jobs))
    }

    /// Asks for a job until it is over, or patience is. Never waits longer; a job that is under way is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn follow_job(&self, id: &JobId, patience: Duration) -> Result<Job> {
        let began = self.now_milliseconds();
        let longest = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let pause = Duration::from_secs(self.settings.jobs.poll_seconds.max(1));
        let step = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        loop {
            let job = self.get_job(id).await?;
            let next = self.now_milliseconds().saturating_add(step);
            if job.state != JobState::Running || next.saturating_sub(began) > longest {
                return Ok(job);
            }
            self.http.context().sleep(pause).await;
        }
    }
}

/// The handle under which a job is asked for.
pub(super) fn handle(call: &Call, answer: &Value) -> Result<JobId> {
    let handle = answer.get("job_handle").unwrap_or(answer);
    let id = wire::text(handle, "job_id").or_else(|| wire::text(answer, "id"));
    id.map(JobId::new).ok_or_else(|| unexpected(call.operation(), call.effect(), "no job in it"))
}

fn read(id: &JobId, answer: &Value, words: &JobWords) -> Job {
    let word = wire::anywhere(answer, &words.state_members).into_iter().find_map(word_of).unwrap_or_default();
    let is = |list: &[String]| list.iter().any(|known| known.eq_ignore_ascii_case(&word));
    let state = match () {
        () if is(&words.running) => JobState::Running,
        () if is(&words.done) => JobState::Done,
        () if is(&words.partly) => JobState::Partly,
        () if is(&words.failed) => JobState::Failed,
        () => JobState::Unknown(word),
    };
    let message = wire::anywhere(answer, &words.message_members).into_iter().find_map(wire::as_text);
    let mut assets: Vec<AssetId> = Vec::new();
    for value in wire::anywhere(answer, &words.asset_members) {
        let texts = match value {
            Value::Array(list) => list.iter().filter_map(wire::as_text).collect(),
            value => wire::as_text(value).into_iter().collect::<Vec<_>>(),
        };
        for asset in texts.into_iter().map(AssetId::new) {
            if !assets.contains(&asset) {
                assets.push(asset);
            }
        }
    }
    Job { id: id.clone(), state, message, assets }
}

/// A state: a word, a number, or an object with its name.
fn word_of(value: &Value) -> Option<String> {
    match value {
        Value::Object(_) => ["name", "id", "value"].iter().find_map(|name| wire::text(value, name)),
        value => wire::as_text(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_is_recognised_in_answers_of_any_form_and_a_word_nobody_named_is_no_success() {
        let job = |answer: Value| read(&JobId::new("7"), &answer, &JobWords::default());
        for (answer, state) in [
            (json!({"job_resource": {"job": {"job_status": "Running"}}}), JobState::Running),
            (json!({"status": {"id": 3, "name": "COMPLETED"}}), JobState::Done),
            (
                json!({"job": {"state": "completed_with_errors", "steps": [{"state": "FAILED"}]}}),
                JobState::Partly,
            ),
            (json!({"job_status": "FAILED"}), JobState::Failed),
            (json!({"job_status": "QUIESCED"}), JobState::Unknown("QUIESCED".to_owned())),
            (json!({"job": {}}), JobState::Unknown(String::new())),
        ] {
            assert_eq!(job(answer.clone()).state, state, "{answer}");
        }
        let done =
            job(json!({"job": {"status": "DONE", "assets": [{"asset_id": "a1"}, {"asset_id": "a1"}]}}));
        assert_eq!((done.assets.clone(), done.failure().is_none()), (vec![AssetId::new("a1")], true));
        let failed = job(json!({"status": "FAILED", "message": "disk full"})).failure().unwrap();
        assert_eq!(failed.code(), JOB_FAILED);
        assert!(failed.message().contains("disk full"));
        let unknown = job(json!({"status": "QUIESCED"})).failure().unwrap();
        assert_eq!((unknown.code(), unknown.class()), (JOB_STATE_UNKNOWN, FailureClass::Forbidden));
    }
}
