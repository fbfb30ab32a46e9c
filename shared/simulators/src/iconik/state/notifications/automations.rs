//! Automations: definitions, and which triggers have happened.

use serde_json::{Value, json};

use super::super::review::object;
use super::super::{Object, Outcome, Refusal, State};
use super::occurrences::{Occurrence, Subject};
use super::runs::Coming;

const TRIGGERS: &[&str] = &[
    "METADATA_UPDATE",
    "REVIEW_STATUS_CHANGED",
    "ASSET_ONLINE",
    "VERSION_ONLINE",
    "OBJECT_ADDED_TO_COLLECTION",
    "OBJECT_REMOVED_FROM_COLLECTION",
    "ASSET_SHARE",
    "ARCHIVE",
    "RESTORE",
    "TRANSFER_TO_STORAGE",
    "CREATED_AT_TRANSITION",
    "MODIFIED_AT_TRANSITION",
    "SUBTITLE_ADDED",
];
const ACTIONS: &[&str] = &[
    "CUSTOM_ACTION",
    "METADATA_UPDATE",
    "REQUEST_REVIEW",
    "RESTRICT_ASSET",
    "REMOVE_ASSET_RESTRICTION",
    "ADD_TO_COLLECTION",
    "ARCHIVE",
    "RESTORE",
    "EXPORT",
    "TRANSFER",
    "TRANSCODE",
    "ANALYZE",
    "TRANSCRIBE",
    "CREATE_SHARE",
    "UPDATE_ACL",
    "DELETE_ASSET",
    "DELETE_FILE_SET",
    "REQUEST_ORIGINAL",
    "EXTRACT_FACES",
    "AI_METADATA_FILLING",
    "CREATE_PUBLICATION_JOB",
];
/// What a caller may write.
const WRITABLE: &[&str] = &["name", "description", "triggers", "actions", "conditions", "status"];

impl State {
    /// Makes an automation.
    pub fn create_automation(&mut self, user: &str, given: &Object) -> Outcome<String> {
        let missing = ["name", "triggers", "actions"]
            .into_iter()
            .filter(|name| given.get(*name).is_none_or(Value::is_null));
        let missing: Vec<_> =
            missing.map(|name| (name.to_owned(), "Missing data for required field.".to_owned())).collect();
        if !missing.is_empty() {
            return Err(Refusal::Invalid(missing));
        }
        check(given)?;
        let id = self.new_id();
        let mut automation = object(json!({
            "id": id, "name": null, "description": null, "triggers": [], "actions": [], "conditions": [],
            "status": "ACTIVE", "created_by": user, "modified_by": user, "date_created": self.time(),
            "date_modified": self.time(), "system_domain_id": self.system_domain_id,
        }));
        automation.extend(writable(given));
        self.notifications.automations.insert(&id, automation);
        Ok(id)
    }

    /// Changes what is given.
    pub fn edit_automation(&mut self, user: &str, id: &str, given: &Object) -> Outcome<()> {
        self.notifications.automations.found(id)?;
        check(given)?;
        let now = self.time();
        let automation = self.notifications.automations.found_mut(id)?;
        automation.extend(writable(given));
        automation.insert("modified_by".to_owned(), user.into());
        automation.insert("date_modified".to_owned(), now);
        // With other triggers, what happened so far counts for nothing.
        if given.contains_key("triggers") {
            self.notifications.happened.retain(|(automation, _), _| automation != id);
        }
        Ok(())
    }

    /// Takes an automation away.
    pub fn delete_automation(&mut self, id: &str) -> Outcome<()> {
        self.notifications.automations.found(id)?;
        self.notifications.automations.remove(id);
        self.notifications.happened.retain(|(automation, _), _| automation != id);
        Ok(())
    }

    /// Something happened to an object. An automation runs when each of its triggers has, in whatever order.
    pub(super) fn occurred(&mut self, user: &str, subject: &Subject, occurrence: &Occurrence) {
        let within = |inner: &str, outer: &str| self.ancestors_of(inner).iter().any(|above| above == outer);
        let mut hits = Vec::new();
        for automation in self.notifications.automations.objects().filter(|it| it["status"] == "ACTIVE") {
            let triggers = automation["triggers"].as_array().map(Vec::as_slice).unwrap_or_default();
            let hit = triggers.iter().enumerate().filter(|(_, it)| occurrence.sets_off(it, subject, &within));
            let hit: Vec<usize> = hit.map(|(at, _)| at).collect();
            if let (Some(id), false) = (automation["id"].as_str(), hit.is_empty()) {
                hits.push((id.to_owned(), triggers.len(), hit));
            }
        }
        for (id, triggers, hit) in hits {
            let key = (id.clone(), subject.object_id.clone());
            let happened = self.notifications.happened.entry(key.clone()).or_default();
            happened.extend(hit);
            if happened.len() == triggers {
                self.notifications.happened.remove(&key);
                self.start_run(id, user, subject);
            }
        }
    }

    /// Puts a run into the queue.
    pub(super) fn start_run(&mut self, automation: String, user: &str, subject: &Subject) {
        let due = self.after(self.settings.automations.delay_seconds);
        let coming = Coming { automation, user: user.to_owned(), subject: subject.clone(), due };
        self.notifications.coming.push_back(coming);
    }
}

fn writable(given: &Object) -> impl Iterator<Item = (String, Value)> + use<'_> {
    let known = given.iter().filter(|(name, _)| WRITABLE.contains(&name.as_str()));
    known.map(|(name, value)| match (name.as_str(), value) {
        ("conditions", Value::Null) => (name.clone(), json!([])),
        ("status", Value::Null) => (name.clone(), "ACTIVE".into()),
        _ => (name.clone(), value.clone()),
    })
}

fn check(given: &Object) -> Outcome<()> {
    for (name, known) in [("triggers", TRIGGERS), ("actions", ACTIONS)] {
        let Some(given) = given.get(name) else { continue };
        let list = given.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| Refusal::field(name, "Shorter than minimum length 1."))?;
        for entry in list {
            let kind = entry["type"].as_str().unwrap_or_default();
            if !known.contains(&kind) {
                return Err(Refusal::field(name, format!("'{kind}' is not one of: {}.", known.join(", "))));
            }
        }
    }
    let actions = given.get("actions").and_then(Value::as_array).into_iter().flatten();
    for action in actions.filter(|action| action["type"] == "CUSTOM_ACTION") {
        if action.pointer("/parameters/action_id").and_then(Value::as_str).is_none() {
            return Err(Refusal::field("actions", "parameters.action_id: Missing data for required field."));
        }
    }
    match given.get("status").and_then(Value::as_str) {
        None | Some("ACTIVE" | "INACTIVE") => Ok(()),
        Some(_) => Err(Refusal::field("status", "Must be one of: ACTIVE, INACTIVE.")),
    }
}
