//! Assets.

use serde_json::{Value, json};

use super::{Event, Object, Outcome, Refusal, State};

/// What only iconik sets.
const READ_ONLY: &[&str] = &[
    "id",
    "date_modified",
    "date_imported",
    "date_viewed",
    "favoured",
    "in_collections",
    "versions",
    "created_by_user",
    "updated_by_user",
    "deleted_by_user",
    "created_by_user_info",
    "updated_by_user_info",
    "deleted_by_user_info",
];

impl State {
    /// Makes an asset with its first version.
    pub fn create_asset(&mut self, user: &str, given: Object) -> Outcome<String> {
        if given.get("title").and_then(Value::as_str).is_none() {
            return Err(Refusal::field("title", "Missing data for required field."));
        }
        let (id, version) = (self.new_id(), self.new_id());
        let now = self.time();
        let version = json!({
            "id": version, "version_number": 1, "status": "ACTIVE", "analyze_status": "N/A", "archive_status": "NOT_ARCHIVED",
            "face_recognition_status": "N/A", "transcribe_status": "N/A", "transcribed_languages": [], "is_online": false,
            "has_unconfirmed_persons": false, "person_ids": [], "created_by_user": user, "date_created": now,
        });
        let asset = json!({
            "id": id, "type": "ASSET", "status": "ACTIVE", "is_blocked": false, "is_online": false,
            "archive_status": "NOT_ARCHIVED", "analyze_status": "N/A", "face_recognition_status": "N/A",
            "has_unconfirmed_persons": false, "person_ids": [], "favoured": false, "in_collections": [],
            "versions": [version], "created_by_user": user, "updated_by_user": user, "date_created": now,
            "date_modified": now,
        });
        let mut asset = asset.as_object().cloned().unwrap_or_default();
        // A widely used client always sends the three dates; that of a deletion deletes nothing.
        let ignored =
            |name: &str| READ_ONLY.contains(&name) || name == "date_deleted" || name == "collection_id";
        asset.extend(given.into_iter().filter(|(name, _)| !ignored(name)));
        self.assets.insert(&id, asset.clone());
        self.asset_event("create", &id, user, asset);
        Ok(id)
    }

    /// Changes what is given.
    pub fn edit_asset(&mut self, user: &str, id: &str, given: Object) -> Outcome<()> {
        let now = self.time();
        let asset = self.assets.found_mut(id)?;
        asset.extend(given.into_iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str())));
        asset.insert("date_modified".to_owned(), now);
        asset.insert("updated_by_user".to_owned(), user.into());
        let asset = asset.clone();
        self.asset_event("update", id, user, asset);
        Ok(())
    }

    fn asset_event(&mut self, operation: &'static str, id: &str, user: &str, asset: Object) {
        self.emit(Event {
            event_type: "assets",
            realm: "entity",
            operation,
            object_id: id.to_owned(),
            user_id: user.to_owned(),
            data: Value::Object(asset),
        });
    }
}
