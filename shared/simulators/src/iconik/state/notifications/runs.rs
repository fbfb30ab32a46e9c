//! Runs of automations: when they are due, what they did.

use jiff::{SignedDuration, Timestamp};
use md5::{Digest as _, Md5};
use serde_json::Value;

use super::super::{Object, Outcome, Refusal, State};
use super::conditions;
use super::occurrences::{Occurrence, Subject, covers};
use crate::iconik::dates;
use crate::iconik::settings::ActsFor;

/// Runs at one time at most: two automations that set each other off must not hold up everything else.
const AT_ONCE: usize = 100;
/// Time-based triggers are looked at this often.
const EVERY: SignedDuration = SignedDuration::from_secs(60);

/// A run that is to come.
#[derive(Clone, Debug)]
pub(super) struct Coming {
    pub(super) automation: String,
    pub(super) user: String,
    pub(super) subject: Subject,
    pub(super) due: Timestamp,
}

/// What an automation did.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The automation.
    pub automation_id: String,
    /// What for.
    pub subject: Subject,
    /// When.
    pub date_executed: Value,
    /// Why it failed; it succeeded without.
    pub error: Option<String>,
}

impl State {
    /// Runs what is due.
    pub(super) fn run_automations(&mut self) {
        for _ in 0..AT_ONCE {
            let coming = &mut self.notifications.coming;
            let Some(at) = coming.iter().position(|coming| coming.due <= self.now) else { return };
            let Some(coming) = coming.remove(at) else { return };
            self.run_automation(&coming);
        }
    }

    fn run_automation(&mut self, coming: &Coming) {
        let Some(automation) = &self.notifications.automations.get(&coming.automation).cloned() else {
            return;
        };
        let is_done = self.settings.automations.once_per_version
            && self.last_run(&coming.automation, &coming.subject).is_some_and(|run| run.error.is_none());
        if automation["status"] != "ACTIVE" || is_done || !self.meets_conditions(automation, &coming.subject)
        {
            return;
        }
        let user = match self.settings.automations.acts_for {
            ActsFor::Creator => automation["created_by"].as_str().unwrap_or_default().to_owned(),
            ActsFor::Cause => coming.user.clone(),
        };
        let caused_by = std::mem::take(&mut self.request_id);
        let count = self.notifications.runs.len().to_be_bytes();
        self.request_id = hex::encode(Md5::digest([b"automation".as_slice(), &count].concat()));
        let actions = automation["actions"].as_array().cloned().unwrap_or_default();
        let done = actions.iter().try_for_each(|action| self.perform(&user, action, &coming.subject));
        self.request_id = caused_by;
        self.notifications.runs.push(Run {
            automation_id: coming.automation.clone(),
            subject: coming.subject.clone(),
            date_executed: self.time(),
            error: done.err(),
        });
    }

    /// What an automation last did for an object and version.
    pub fn last_run(&self, automation: &str, subject: &Subject) -> Option<&Run> {
        self.notifications
            .runs
            .iter()
            .rev()
            .find(|run| run.automation_id == automation && run.subject == *subject)
    }

    /// Runs an automation for what is there already. Gives for how many objects that is.
    pub fn run_for_existing(&mut self, user: &str, id: &str) -> Outcome<usize> {
        let subjects = self.existing(id)?;
        for subject in &subjects {
            self.start_run(id.to_owned(), user, subject);
        }
        Ok(subjects.len())
    }

    /// The objects that an automation would run for.
    pub(in crate::iconik) fn existing(&self, id: &str) -> Outcome<Vec<Subject>> {
        let automation = self.notifications.automations.found(id)?;
        let triggers = automation["triggers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_there = |object: &&Object| object.get("status").and_then(Value::as_str) != Some("DELETED");
        let id = |object: &Object| object.get("id").and_then(Value::as_str).map(str::to_owned);
        let assets = self.assets.objects().filter(is_there).filter_map(id).map(|id| ("assets", id));
        let collections =
            self.collections.objects().filter(is_there).filter_map(id).map(|id| ("collections", id));
        let subjects = assets.chain(collections).map(|(kind, id)| Subject {
            version_id: if kind == "assets" { self.current_version_of(&id) } else { None },
            object_type: kind.to_owned(),
            object_id: id,
        });
        let fits = |subject: &Subject| {
            triggers.iter().all(|trigger| self.is_so_already(trigger, subject))
                && self.meets_conditions(automation, subject)
        };
        Ok(subjects.filter(fits).collect())
    }

    /// Whether what a trigger waits for is so already.
    fn is_so_already(&self, trigger: &Value, subject: &Subject) -> bool {
        let object = self.object_of(subject);
        let flag = |name: &str| object.and_then(|it| it.get(name)) == Some(&Value::Bool(true));
        let text =
            |name: &str| object.and_then(|it| it.get(name)).and_then(Value::as_str).unwrap_or_default();
        let holds = |occurrence: Occurrence| {
            let within = |inner: &str, outer: &str| inner == outer;
            occurrence.sets_off(trigger, subject, &within)
        };
        let parameters = &trigger["parameters"];
        match trigger["type"].as_str().unwrap_or_default() {
            "METADATA_UPDATE" => {
                let kind = parameters["event_type"].as_str().unwrap_or("ASSETS");
                kind.eq_ignore_ascii_case(&subject.object_type)
                    && covers(&self.metadata_of(subject), &parameters["metadata_values"])
            }
            "REVIEW_STATUS_CHANGED" => {
                let key = self.approval_key(
                    &subject.object_type,
                    &subject.object_id,
                    subject.version_id.as_deref(),
                );
                let status = key.and_then(|key| self.approval(&key).map(|approval| approval.status.clone()));
                status.is_ok_and(|status| holds(Occurrence::ReviewStatus(status)))
            }
            "OBJECT_ADDED_TO_COLLECTION" => {
                let places = object.and_then(|it| it.get("in_collections")).and_then(Value::as_array);
                let mut places = places.into_iter().flatten().filter_map(Value::as_str);
                places.any(|place| holds(Occurrence::Added(place.to_owned())))
            }
            "ASSET_ONLINE" => flag("is_online"),
            "ARCHIVE" => text("archive_status") == "ARCHIVED",
            "CREATED_AT_TRANSITION" => holds(Occurrence::Created(self.days_since(text("date_created")))),
            "MODIFIED_AT_TRANSITION" => holds(Occurrence::Modified(self.days_since(text("date_modified")))),
            _ => false,
        }
    }

    fn object_of(&self, subject: &Subject) -> Option<&Object> {
        match subject.object_type.as_str() {
            "assets" => self.assets.get(&subject.object_id),
            _ => self.collections.get(&subject.object_id),
        }
    }

    /// Values of an object as a write has them.
    pub(super) fn metadata_of(&self, subject: &Subject) -> Value {
        self.entries_of((&subject.object_type, &subject.object_id))
    }

    fn days_since(&self, time: &str) -> i64 {
        dates::read(time).map_or(-1, |time| self.now.duration_since(time).as_hours() / 24)
    }

    fn meets_conditions(&self, automation: &Object, subject: &Subject) -> bool {
        let Some(object) = self.object_of(subject) else { return false };
        let mut document = object.clone();
        let metadata = self.metadata_of(subject);
        let fields = metadata.as_object().into_iter().flatten();
        let flat = fields.map(|(name, field)| {
            let values = field["field_values"].as_array().into_iter().flatten();
            (name.clone(), values.map(|value| value["value"].clone()).collect::<Value>())
        });
        document.insert("metadata".to_owned(), Value::Object(flat.collect()));
        let key = self.approval_key(&subject.object_type, &subject.object_id, subject.version_id.as_deref());
        let approval = key.and_then(|key| self.approval_view("", &key)).unwrap_or_default();
        document.insert("approval".to_owned(), approval);
        conditions::hold(&automation["conditions"], &Value::Object(document))
    }

    /// Looks whether time alone has set something off. It does so once for each object and version.
    pub(super) fn look_at_the_time(&mut self) {
        let is_early = |looked: Timestamp| self.now.duration_since(looked).abs() < EVERY;
        if self.notifications.looked.is_some_and(is_early) {
            return;
        }
        self.notifications.looked = Some(self.now);
        let by_time = |trigger: &Value| {
            matches!(trigger["type"].as_str(), Some("CREATED_AT_TRANSITION" | "MODIFIED_AT_TRANSITION"))
        };
        let automations = self.notifications.automations.objects().filter(|automation| {
            automation["triggers"].as_array().is_some_and(|triggers| triggers.iter().any(by_time))
        });
        let ids: Vec<String> = automations.filter_map(|it| it["id"].as_str().map(str::to_owned)).collect();
        for id in ids {
            for subject in self.existing(&id).unwrap_or_default() {
                let is_coming = |coming: &Coming| coming.automation == id && coming.subject == subject;
                if self.last_run(&id, &subject).is_none() && !self.notifications.coming.iter().any(is_coming)
                {
                    self.start_run(id.clone(), "", &subject);
                }
            }
        }
    }

    /// Forgets what an automation did for an object and version.
    pub(in crate::iconik) fn forget_run(&mut self, automation: &str, subject: &Subject) -> Outcome<()> {
        if self.last_run(automation, subject).is_none() {
            return Err(Refusal::NotFound(format!(
                "Automation {automation} did not run for {}",
                subject.object_id
            )));
        }
        self.notifications.runs.retain(|run| !(run.automation_id == automation && run.subject == *subject));
        Ok(())
    }
}
