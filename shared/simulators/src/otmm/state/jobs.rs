//! What takes time: imports, check-ins, renditions, exports.

use jiff::Timestamp;
use serde::Serialize;

use super::imports::{File, Plan};
use super::{Outcome, Refusal, State};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobKind {
    /// New assets.
    Import,
    /// New versions.
    CheckIn,
    /// A picture of an asset.
    Rendition,
    /// Copies of many assets.
    Export,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It waits for its files.
    Waiting,
    /// It runs.
    Running,
    /// It has ended well.
    Done,
    /// It has failed, for this reason.
    Failed(String),
}

/// A job.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// What it does.
    pub kind: JobKind,
    /// Id of the user it is done for.
    pub user: String,
    /// When it was made.
    pub made: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// When it gets on; never for `None`.
    #[serde(skip)]
    pub due: Option<Timestamp>,
    /// Files that came.
    pub files: Vec<File>,
    /// Assets it has made or is making.
    pub assets: Vec<String>,
    #[serde(skip)]
    pub(super) plan: Plan,
    /// Why it will fail.
    #[serde(skip)]
    pub(super) doom: Option<String>,
}

impl State {
    /// A job that waits for its files.
    pub(in crate::otmm) fn begin_job(&mut self, user: &str, kind: JobKind) -> u64 {
        let id = 4_700 + self.next();
        let job = Job {
            id,
            kind,
            user: user.to_owned(),
            made: self.now,
            phase: Phase::Waiting,
            due: Some(self.after(self.settings.imports.abandoned_seconds)),
            files: Vec::new(),
            assets: Vec::new(),
            plan: Plan::Nothing,
            doom: None,
        };
        self.jobs.insert(id, job);
        id
    }

    /// The job with a number, as a path has it.
    pub(in crate::otmm) fn job(&self, id: &str) -> Outcome<&Job> {
        let found = id.parse().ok().and_then(|id: u64| self.jobs.get(&id));
        found.ok_or_else(|| Refusal::NotFound(format!("The job {id} does not exist")))
    }

    /// A job that still waits for its files, and belongs to this user.
    pub(in crate::otmm) fn waiting_job(&self, user: &str, id: &str) -> Outcome<u64> {
        let job = self.job(id)?;
        match job.phase == Phase::Waiting && job.user == user {
            true => Ok(job.id),
            false => Err(Refusal::Business(format!("The job {id} does not wait for files of this user"))),
        }
    }

    /// The job runs from now on.
    pub(super) fn run(&mut self, id: u64, plan: Plan, doom: Option<String>) {
        let due = (!self.settings.jobs.never_end).then(|| self.after(self.settings.jobs.seconds));
        let fails = self.settings.jobs.fail_with.clone();
        if let Some(job) = self.jobs.get_mut(&id) {
            job.phase = Phase::Running;
            job.due = due;
            job.plan = plan;
            job.doom = doom.or(fails);
        }
    }

    /// Ends a job, well or for a reason; for tests.
    pub fn end_job(&mut self, id: u64, result: Result<(), String>) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.phase == Phase::Running) else { return };
        job.due = None;
        let (plan, user) = (std::mem::take(&mut job.plan), job.user.clone());
        match result {
            Ok(()) => {
                job.phase = Phase::Done;
                let made = self.finish(id, plan, &user);
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.assets.extend(made);
                }
            }
            Err(reason) => {
                job.phase = Phase::Failed(reason);
                job.assets.clear();
                self.undo(id, plan);
            }
        }
    }

    /// Does what is due.
    pub(super) fn do_jobs(&mut self) {
        let now = self.now;
        let due: Vec<u64> = self
            .jobs
            .values()
            .filter(|job| job.due.is_some_and(|due| due <= now))
            .map(|job| job.id)
            .collect();
        for id in due {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            job.due = None;
            match job.phase {
                // Nobody has started it in all this time: it is forgotten with its files.
                Phase::Waiting => drop(self.jobs.remove(&id)),
                _ => {
                    let result = job.doom.take().map_or(Ok(()), Err);
                    self.end_job(id, result);
                }
            }
        }
    }
}
