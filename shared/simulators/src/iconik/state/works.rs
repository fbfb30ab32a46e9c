//! iconik's own work: scheduled by a call, done some time later, shown as a job.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::media::{Sidecar, is, map, text};
use super::{Object, Outcome, State};

/// What is to be done.
#[derive(Clone, Debug)]
pub(in crate::iconik) enum Work {
    /// A format goes to the archive.
    Archive { format: String, source: String, destination: String, folder: String, delete_original: bool },
    /// A format comes back from the archive.
    Restore { format: String, destination: Option<String> },
    /// A file set is copied to a storage.
    Transfer { source: String, storage: String, folder: String },
    /// A proxy, a keyframe and a poster are made of a file.
    Transcode { file: String },
    /// A keyframe and a poster are made of a proxy.
    Keyframes { asset: String, stem: String },
    /// A file is inspected.
    Inspect { file: String },
    /// Values are written through a view, for each object its own.
    Metadata { object_type: String, view: String, values: Vec<(String, Object)> },
    /// An asset is written to an export location.
    Export { asset: String, format: String, location: String, sidecar: Option<Sidecar> },
}

/// Work that waits for its time.
#[derive(Clone, Debug)]
pub(super) struct Scheduled {
    due: Timestamp,
    job: String,
    user: String,
    work: Work,
}

impl State {
    /// Schedules work and makes the job that shows it. Gives the job.
    pub(in crate::iconik) fn start_work(
        &mut self,
        user: &str,
        kind: &str,
        title: &str,
        object: Option<(&str, &str)>,
        work: Work,
    ) -> String {
        let (object_type, object_id) = object.unzip();
        let job = json!({
            "type": kind, "status": "STARTED", "title": title, "object_type": object_type, "object_id": object_id,
            "progress_total": 1, "progress_processed": 0,
        });
        // The type is one of iconik's own.
        let Ok(id) = self.create_job(user, map(job)) else { return String::new() };
        let seconds = i64::try_from(self.settings.jobs.duration_seconds).unwrap_or(i64::MAX);
        let due = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        if !self.settings.jobs.stuck_types.iter().any(|stuck| stuck == kind) {
            self.works.push(Scheduled { due, job: id.clone(), user: user.to_owned(), work });
        }
        id
    }

    /// Does the work whose time has come.
    pub(in crate::iconik) fn catch_up(&mut self) {
        let due = self.works.iter().filter(|scheduled| scheduled.due <= self.now);
        let paused = |job: &str| self.jobs.get(job).is_some_and(|job| is(job, "status", "PAUSED"));
        let ready: Vec<Scheduled> = due.filter(|scheduled| !paused(&scheduled.job)).cloned().collect();
        self.works.retain(|scheduled| !ready.iter().any(|done| done.job == scheduled.job));
        for Scheduled { job, user, work, .. } in ready {
            let Some(found) = self.jobs.get(&job) else { continue };
            if !is(found, "status", "STARTED") {
                self.undo(&work);
                continue;
            }
            let fails = self.settings.jobs.failing_types.iter().any(|failing| failing == text(found, "type"));
            let outcome =
                if fails { Err("The storage did not answer.".to_owned()) } else { self.work(&user, &work) };
            if outcome.is_ok() {
                self.note_work(&user, &job);
            }
            let end = match &outcome {
                Ok(()) => json!({"status": "FINISHED", "progress_processed": 1}),
                Err(why) => json!({"status": "FAILED", "error_message": why}),
            };
            if outcome.is_err() {
                self.undo(&work);
            }
            // A job that somebody deleted meanwhile shows nothing any more.
            let _ = self.edit_job(&user, &job, map(end), false);
        }
    }

    fn work(&mut self, user: &str, work: &Work) -> Result<(), String> {
        let done: Outcome<()> = match work {
            Work::Archive { format, source, destination, folder, delete_original } => {
                self.do_archive(user, (format, source, destination), folder, *delete_original)
            }
            Work::Restore { format, destination } => self.do_restore(user, format, destination.as_deref()),
            Work::Transfer { source, storage, folder } => {
                self.copy_file_set(user, source, storage, folder).map(drop)
            }
            Work::Transcode { file } => self.transcode(user, file),
            Work::Keyframes { asset, stem } => {
                self.make_keyframes(user, asset, stem, &serde_json::Value::Null)
            }
            Work::Inspect { file } => self.inspect(file),
            Work::Metadata { object_type, view, values } => values.iter().try_for_each(|(id, values)| {
                self.write_values(user, (object_type, id), view, values, false).map(drop)
            }),
            Work::Export { asset, format, location, sidecar } => {
                self.do_export(user, (asset, format, location), sidecar.as_ref())
            }
        };
        done.map_err(|refusal| format!("{refusal:?}"))
    }

    /// Work on an asset is in its history.
    fn note_work(&mut self, user: &str, job: &str) {
        let Some(job) = self.jobs.get(job).cloned() else { return };
        let operation = match text(&job, "type") {
            "ARCHIVE" => "ARCHIVE",
            "RESTORE" => "RESTORE_ARCHIVE",
            "TRANSFER" => "TRANSFER",
            "TRANSCODE" => "TRANSCODE",
            "EXPORT" => "EXPORT",
            _ => return,
        };
        self.note(user, text(&job, "object_id"), operation, text(&job, "title"));
    }

    /// What is left of work that was not done.
    fn undo(&mut self, work: &Work) {
        if let Work::Archive { format, .. } = work {
            self.mark_archive(format, "FAILED_TO_ARCHIVE");
        }
    }
}
