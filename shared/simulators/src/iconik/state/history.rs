//! What was done to assets: entries that iconik writes, and those of integrations.

use serde_json::{Value, json};

use super::{Object, Outcome, Refusal, State, fields};

/// What an entry can be about.
const OPERATIONS: &[&str] = &[
    "CUSTOM",
    "EXPORT",
    "TRANSCODE",
    "ANALYZE",
    "METADATA",
    "APPROVE",
    "REJECT",
    "DOWNLOAD",
    "ARCHIVE",
    "RESTORE",
    "RESTORE_ARCHIVE",
    "RESTORE_FROM_GLACIER",
    "DELETE",
    "TRANSFER",
    "ADD_FORMAT",
    "DELETE_FORMAT",
    "RESTORE_FORMAT",
    "DELETE_FILE",
    "DELETE_FILESET",
    "RESTORE_FILESET",
    "MODIFY_FILESET",
    "VERSION_CREATE",
    "VERSION_DELETE",
    "VERSION_UPDATE",
    "VERSION_PROMOTE",
    "TRANSCRIPTION",
    "FACE_RECOGNITION",
    "UNLINK_SUBCLIP",
    "PUBLISH",
    "PUBLISH_SCHEDULED",
    "PUBLISH_SAVE_DRAFT",
];

/// What a caller may say of an entry.
const WRITABLE: &[&str] = &["operation_type", "operation_description", "job_id", "share_id", "share_user_id"];

impl State {
    /// Writes an entry that a caller sent.
    pub fn write_history(&mut self, user: &str, asset: &str, given: &Object) -> Outcome<String> {
        self.assets.found(asset)?;
        let operation = given.get("operation_type").and_then(Value::as_str);
        match operation {
            None => return Err(Refusal::field("operation_type", "Missing data for required field.")),
            Some(operation) if OPERATIONS.contains(&operation) => {}
            Some(_) => {
                let allowed = format!("Must be one of: {}.", OPERATIONS.join(", "));
                return Err(Refusal::field("operation_type", allowed));
            }
        }
        for name in WRITABLE {
            if given.get(*name).is_some_and(|value| !value.is_string() && !value.is_null()) {
                return Err(Refusal::field(name, "Not a valid string."));
            }
        }
        let id = self.new_id();
        let now = self.time();
        let mut entry = fields::object(json!({
            "id": id, "asset_id": asset, "version_id": self.current_version_of(asset), "user_id": user,
            "system_domain_id": self.system_domain_id, "operation_description": "", "job_id": null, "share_id": null,
            "share_user_id": null, "date_created": now, "date_modified": now,
        }));
        entry.extend(
            given
                .iter()
                .filter(|(name, _)| WRITABLE.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        self.history.insert(&id, entry);
        Ok(id)
    }

    /// Writes an entry of iconik's own.
    pub(in crate::iconik) fn note(&mut self, user: &str, asset: &str, operation: &str, description: &str) {
        let given = json!({"operation_type": operation, "operation_description": description});
        // Notes are about assets that are there.
        let _ = self.write_history(user, asset, &fields::object(given));
    }
}
