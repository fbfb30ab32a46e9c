//! Jobs: the progress that people see, of iconik's own work and of integrations.

use serde_json::{Value, json};

use super::media::{filled, is, map, text};
use super::{Event, Object, Outcome, Refusal, State};

const TYPES: &[&str] = &[
    "ACL",
    "ANALYZE",
    "ARCHIVE",
    "AUTOMATION",
    "CHANGE_PERSON",
    "COLLECTION_CUSTOM_ORDER",
    "CONFIRM_PERSON",
    "CONVERT_SAVED_SEARCH_TO_COLLECTION",
    "CONVERT_SEARCH_TO_COLLECTION",
    "COPY",
    "CUSTOM",
    "DELETE",
    "DELETE_JOBS",
    "DELETE_PERSON",
    "EDIT_JOBS",
    "EXPORT",
    "FACE_RECOGNITION",
    "KEYFRAMES",
    "MARK_MISSING",
    "MEDIAINFO",
    "METADATA",
    "METADATA_FILLING",
    "MOVE",
    "PUBLISH",
    "PUBLISH_SCHEDULED",
    "REINDEX",
    "REQUEST_APPROVAL",
    "REQUEST_COLLECTION_MAP",
    "RESTORE",
    "RESTORE_FROM_GLACIER",
    "REVIEW_REQUEST",
    "SCAN",
    "SET_APPROVAL",
    "STORAGE_GATEWAY_FILE_INGEST",
    "TRANSCODE",
    "TRANSCRIPTION",
    "TRANSFER",
];
const STATES: &[&str] = &[
    "READY",
    "STARTED",
    "WAITING",
    "PAUSED",
    "FINISHED",
    "FINISHED_WITH_WARNING",
    "FAILED",
    "ABORT_PENDING",
    "ABORTED",
    "SKIPPED",
    "PENDING_USER",
    "DISCARDED",
];
const ENDED: &[&str] = &["FINISHED", "FINISHED_WITH_WARNING", "FAILED", "ABORTED", "SKIPPED", "DISCARDED"];
const STEP_STATES: &[&str] = &["WAITING", "IN_PROGRESS", "DONE", "FAILED", "SKIPPED"];
const ACTIONS: &[&str] = &["PAUSE", "RESUME", "ABORT", "RESTART"];
/// What only iconik sets.
const READ_ONLY: &[&str] = &[
    "id",
    "progress",
    "priority",
    "created_by",
    "children_progress",
    "steps",
    "date_created",
    "date_modified",
];

/// A button of a job that somebody pressed, for which the job names an address to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// The job.
    pub job: String,
    /// `ABORT`, `PAUSE`, …
    pub action: String,
    /// The address.
    pub url: String,
}

impl State {
    /// Makes a job. Gives its id.
    pub fn create_job(&mut self, user: &str, given: Object) -> Outcome<String> {
        let missing: Vec<(String, String)> = ["status", "title", "type"]
            .into_iter()
            .filter(|name| filled(&given, name).is_none())
            .map(|name| (name.to_owned(), "Missing data for required field.".to_owned()))
            .collect();
        if !missing.is_empty() {
            return Err(Refusal::Invalid(missing));
        }
        check(&given)?;
        let (id, now) = (self.new_id(), self.time());
        let mut job = map(json!({
            "id": id, "type": null, "status": null, "title": null, "object_type": null, "object_id": null,
            "custom_type": null, "parent_id": null, "has_children": false, "progress": 0, "progress_total": null,
            "progress_processed": null, "message": null, "error_message": null, "metadata": {}, "job_context": {},
            "related_objects": [], "action_context": null, "started_at": null, "completed_at": null, "priority": 5,
            "created_by": user, "children_progress": null, "steps": [], "date_created": now, "date_modified": now,
        }));
        let steps = given.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
        let parent = filled(&given, "parent_id").map(str::to_owned);
        job.extend(given.into_iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str())));
        let steps: Vec<Value> = steps.into_iter().map(|step| self.new_step(map(step))).collect();
        job.insert("steps".to_owned(), steps.into());
        settle(&mut job, &now);
        self.jobs.insert(&id, job);
        if let Some(parent) = parent.and_then(|parent| self.jobs.found_mut(&parent).ok()) {
            parent.insert("has_children".to_owned(), true.into());
        }
        self.job_event(user, "create", &id);
        Ok(id)
    }

    /// Shows work that was done at once. Gives the job.
    pub(in crate::iconik) fn work_done(&mut self, user: &str, kind: &str, title: &str) -> String {
        self.finished_job(user, kind, title, &[])
    }

    /// The same for work on objects: type and id of each.
    pub(in crate::iconik) fn finished_job(
        &mut self,
        user: &str,
        kind: &str,
        title: &str,
        objects: &[(&str, &str)],
    ) -> String {
        let (object_type, object_id) = objects.first().copied().unzip();
        let mut job = map(json!({
            "type": kind, "status": "FINISHED", "title": title, "object_type": object_type, "object_id": object_id,
            "progress_total": 1, "progress_processed": 1,
        }));
        let related: Vec<Value> =
            objects.iter().map(|(kind, id)| json!({"object_type": kind, "object_id": id})).collect();
        if !related.is_empty() {
            job.insert("related_objects".to_owned(), related.into());
        }
        // The type is one of iconik's own.
        self.create_job(user, job).unwrap_or_default()
    }

    fn new_step(&mut self, given: Object) -> Value {
        let mut step = map(json!({
            "id": self.new_id(), "label": "", "status": "WAITING", "message": null, "error_message": null,
            "date_updated": self.time(),
        }));
        step.extend(given.into_iter().filter(|(name, value)| name != "id" && !value.is_null()));
        step.into()
    }

    /// Changes what is given. `merge_metadata` adds to the metadata instead of replacing them.
    pub fn edit_job(
        &mut self,
        user: &str,
        job: &str,
        mut given: Object,
        merge_metadata: bool,
    ) -> Outcome<()> {
        check(&given)?;
        let now = self.time();
        let (takes_back, is_final) =
            (self.settings.jobs.progress_takes_abort_back, self.settings.jobs.ended_is_final);
        let found = self.jobs.found_mut(job)?;
        let was = text(found, "status").to_owned();
        if ENDED.contains(&was.as_str()) && is_final {
            return Err(Refusal::Conflict(format!("The job is {was}")));
        }
        let is_progress = matches!(filled(&given, "status"), Some("STARTED" | "READY" | "WAITING"));
        if was == "ABORT_PENDING" && is_progress && !takes_back {
            given.remove("status");
        }
        if let (true, Some(Value::Object(added))) = (merge_metadata, given.get("metadata")) {
            let mut metadata = map(found.get("metadata").cloned().unwrap_or_default());
            metadata.extend(added.clone());
            given.insert("metadata".to_owned(), metadata.into());
        }
        found.extend(given.into_iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str())));
        found.insert("date_modified".to_owned(), now.clone());
        settle(found, &now);
        self.job_event(user, "update", job);
        Ok(())
    }

    /// Changes steps, each with its id; a step without one is added.
    pub fn edit_steps(&mut self, user: &str, job: &str, steps: Vec<Object>) -> Outcome<()> {
        self.jobs.found(job)?;
        for given in steps {
            if let Some(status) = filled(&given, "status").filter(|status| !STEP_STATES.contains(status)) {
                return Err(Refusal::field("status", format!("{status} is not a status of a step.")));
            }
            let id = filled(&given, "id").map(str::to_owned);
            let now = self.time();
            let added = if id.is_none() { Some(self.new_step(given.clone())) } else { None };
            let found = self.jobs.found_mut(job)?;
            let Some(known) = found.get_mut("steps").and_then(Value::as_array_mut) else { continue };
            match (id, added) {
                (Some(id), _) => {
                    let step =
                        known.iter_mut().filter_map(Value::as_object_mut).find(|step| is(step, "id", &id));
                    let step = step.ok_or_else(|| Refusal::unknown("Job step", &id))?;
                    step.extend(given);
                    step.insert("date_updated".to_owned(), now.clone());
                }
                (None, added) => known.extend(added),
            }
            found.insert("date_modified".to_owned(), now);
        }
        self.job_event(user, "update", job);
        Ok(())
    }

    /// Somebody presses a button of jobs. A job of an integration waits for its worker to abort it.
    pub fn press(&mut self, user: &str, jobs: &[String], action: &str) -> Outcome<()> {
        if !ACTIONS.contains(&action) {
            return Err(Refusal::field("action", format!("Must be one of: {}.", ACTIONS.join(", "))));
        }
        for job in jobs {
            let found = self.jobs.found(job)?;
            let (was, is_custom) = (text(found, "status").to_owned(), is(found, "type", "CUSTOM"));
            let has_ended = ENDED.contains(&was.as_str());
            let becomes = match action {
                "ABORT" if has_ended => continue,
                "ABORT" if is_custom && was != "READY" => "ABORT_PENDING",
                "ABORT" => "ABORTED",
                "PAUSE" if has_ended => continue,
                "PAUSE" => "PAUSED",
                "RESUME" if was == "PAUSED" => "STARTED",
                "RESTART" if has_ended => "READY",
                _ => continue,
            };
            let url =
                found.get("action_context").and_then(|context| context.get(action)?.get("url")?.as_str());
            let pressed =
                url.map(|url| Pressed { job: job.clone(), action: action.to_owned(), url: url.to_owned() });
            let now = self.time();
            let found = self.jobs.found_mut(job)?;
            found.insert("status".to_owned(), becomes.into());
            found.insert("date_modified".to_owned(), now.clone());
            settle(found, &now);
            self.pressed.extend(pressed);
            self.job_event(user, "update", job);
        }
        Ok(())
    }

    /// Sets the priority of jobs.
    pub fn prioritise(&mut self, jobs: &[String], priority: u64) -> Outcome<()> {
        if !(1..=10).contains(&priority) {
            return Err(Refusal::field("priority", "Must be between 1 and 10."));
        }
        for job in jobs {
            self.jobs.found_mut(job)?.insert("priority".to_owned(), priority.into());
        }
        Ok(())
    }

    /// Takes a job away, with its children when told so.
    pub fn delete_job(&mut self, user: &str, job: &str, recursive: bool) -> Outcome<()> {
        self.jobs.found(job)?;
        self.job_event(user, "delete", job);
        self.jobs.remove(job);
        if recursive {
            let children: Vec<String> = self
                .jobs
                .objects()
                .filter(|found| is(found, "parent_id", job))
                .map(|found| text(found, "id").to_owned())
                .collect();
            for child in children {
                self.delete_job(user, &child, true)?;
            }
        }
        Ok(())
    }

    pub(super) fn job_event(&mut self, user: &str, operation: &'static str, job: &str) {
        let Some(data) = self.jobs.get(job).cloned() else { return };
        self.emit(Event {
            event_type: "jobs",
            realm: "entity",
            operation,
            object_id: job.to_owned(),
            user_id: user.to_owned(),
            data: data.into(),
        });
    }
}

fn check(given: &Object) -> Outcome<()> {
    for (name, allowed) in
        [("type", TYPES), ("status", STATES), ("object_type", &["assets", "collections", "segments"])]
    {
        if let Some(wrong) = filled(given, name).filter(|value| !allowed.contains(value)) {
            return Err(Refusal::field(name, format!("{wrong} must be one of: {}.", allowed.join(", "))));
        }
    }
    for name in ["progress_total", "progress_processed"] {
        if given.get(name).is_some_and(|value| !value.is_null() && value.as_u64().is_none()) {
            return Err(Refusal::field(name, "Not a valid integer."));
        }
    }
    if given.get("related_objects").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        return Err(Refusal::field("related_objects", "Shorter than minimum length 1."));
    }
    Ok(())
}

/// Works out percent and times.
fn settle(job: &mut Object, now: &Value) {
    let number = |name: &str| job.get(name).and_then(Value::as_u64);
    let percent = match (number("progress_processed"), number("progress_total")) {
        (Some(processed), Some(total)) if total > 0 => (processed.saturating_mul(100) / total).min(100),
        _ if is(job, "status", "FINISHED") => 100,
        _ => 0,
    };
    job.insert("progress".to_owned(), percent.into());
    let is_null = |name: &str| job.get(name).is_none_or(Value::is_null);
    let ended = ENDED.contains(&text(job, "status"));
    let (starts, ends) =
        (is(job, "status", "STARTED") && is_null("started_at"), ended && is_null("completed_at"));
    if starts {
        job.insert("started_at".to_owned(), now.clone());
    }
    match (ends, ended) {
        (true, _) => drop(job.insert("completed_at".to_owned(), now.clone())),
        (_, false) => drop(job.insert("completed_at".to_owned(), Value::Null)),
        _ => {}
    }
}
