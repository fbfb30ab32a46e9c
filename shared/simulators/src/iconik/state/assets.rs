//! Assets.

use serde_json::Value;

use super::fields::{self, Kind};
use super::{Event, Object, Outcome, Refusal, State};
use crate::iconik::settings::{Put, StatusWrites, VersionOrder};

/// Fields that say in which state an asset is.
const STATES: &[&str] = &["status", "archive_status", "is_online"];
/// What stays when everything that can be written is replaced.
const KEPT: &[&str] =
    &["id", "versions", "in_collections", "created_by_user", "date_created", "date_imported", "date_viewed"];

/// Whether an edit names everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::iconik) enum Edit {
    /// PATCH.
    Part,
    /// PUT.
    Whole,
}

impl State {
    /// Makes an asset with its first version.
    pub fn create_asset(&mut self, user: &str, given: Object) -> Outcome<String> {
        let mut given = fields::writable(Kind::Asset, given, self.settings.edits.unknown_fields)?;
        if !given.contains_key("title") {
            return Err(Refusal::field("title", "Missing data for required field."));
        }
        self.check_external_id(&given, None)?;
        // A widely used client always sends the date of a deletion, which deletes nothing.
        given.retain(|name, _| name != "date_deleted" && name != "collection_id");
        fields::keep_dates(&mut given);
        let (id, version) = (self.new_id(), self.new_id());
        let now = self.time();
        let version = fields::new_version(&version, 1, user, now.clone());
        let mut asset = fields::new_asset();
        let own = serde_json::json!({
            "id": id, "in_collections": [], "versions": [version], "created_by_user": user, "updated_by_user": user,
            "deleted_by_user": null, "date_created": now, "date_modified": now, "date_imported": now,
            "date_viewed": null, "date_deleted": null,
        });
        asset.extend(fields::object(own));
        asset.extend(given);
        self.assets.insert(&id, asset);
        self.asset_event("create", &id, user);
        Ok(id)
    }

    fn check_external_id(&self, given: &Object, own: Option<&str>) -> Outcome<()> {
        let Some(wanted) = given.get("external_id").and_then(Value::as_str).filter(|id| !id.is_empty())
        else {
            return Ok(());
        };
        let has = |asset: &&Object| {
            let is_own = asset.get("id").and_then(Value::as_str) == own;
            asset.get("external_id").and_then(Value::as_str) == Some(wanted) && !is_own
        };
        if !self.settings.edits.external_ids_repeat && self.assets.objects().any(|asset| has(&asset)) {
            return Err(Refusal::Conflict(format!("An asset with the external id {wanted} exists")));
        }
        Ok(())
    }

    /// Changes an asset.
    pub(in crate::iconik) fn edit_asset(
        &mut self,
        user: &str,
        id: &str,
        given: Object,
        edit: Edit,
    ) -> Outcome<()> {
        self.readable(&self.assets, "assets", id)?;
        let mut given = fields::writable(Kind::Asset, given, self.settings.edits.unknown_fields)?;
        self.check_external_id(&given, Some(id))?;
        given.shift_remove("collection_id");
        fields::keep_dates(&mut given);
        let status = given.get("status").and_then(Value::as_str).map(str::to_owned);
        match self.settings.edits.status_writes {
            StatusWrites::Stored => {}
            StatusWrites::Dropped => given.retain(|name, _| !STATES.contains(&name.as_str())),
            StatusWrites::Act => drop(given.shift_remove("status")),
        }
        let now = self.time();
        let replaces = edit == Edit::Whole && self.settings.edits.put == Put::Replaces;
        let asset = self.assets.found_mut(id)?;
        if replaces {
            if !given.contains_key("title") {
                return Err(Refusal::field("title", "Missing data for required field."));
            }
            asset.retain(|name, _| KEPT.contains(&name.as_str()) || STATES.contains(&name.as_str()));
            let mut whole = fields::new_asset();
            whole.extend(std::mem::take(asset));
            *asset = whole;
        }
        asset.extend(given);
        asset.insert("date_modified".to_owned(), now);
        asset.insert("updated_by_user".to_owned(), user.into());
        self.asset_event("update", id, user);
        match (self.settings.edits.status_writes, status.as_deref()) {
            (StatusWrites::Act, Some("DELETED")) => self.delete(user, "assets", id),
            (StatusWrites::Act, Some("ACTIVE")) if self.is_deleted("assets", id) => {
                self.restore(user, "assets", id)
            }
            _ => Ok(()),
        }
    }

    /// Notes that a user has looked at an asset.
    pub(in crate::iconik) fn view_asset(&mut self, id: &str) -> Outcome<()> {
        let now = self.time();
        self.assets.found_mut(id)?.insert("date_viewed".to_owned(), now);
        Ok(())
    }

    /// An asset as a user sees it in a list.
    pub(in crate::iconik) fn asset_shown(&self, user: &str, asset: &Object) -> Object {
        let mut shown = asset.clone();
        let id = asset.get("id").and_then(Value::as_str).unwrap_or_default();
        shown.insert("favoured".to_owned(), self.is_favourite(user, "assets", id).into());
        if self.settings.edits.version_order == VersionOrder::NewestFirst
            && let Some(versions) = shown.get_mut("versions").and_then(Value::as_array_mut)
        {
            versions.reverse();
        }
        shown
    }

    /// Adds who made, changed and deleted an object.
    pub(in crate::iconik) fn with_users(&self, object: &mut Object) {
        for name in ["created_by_user", "updated_by_user", "deleted_by_user"] {
            let Some(user) = object.get(name).and_then(Value::as_str).map(str::to_owned) else { continue };
            object.insert(format!("{name}_info"), self.user_info(&user));
        }
        let versions = object.get_mut("versions").and_then(Value::as_array_mut);
        for version in versions.into_iter().flatten().filter_map(Value::as_object_mut) {
            self.with_users(version);
        }
    }

    /// Whether a user marked an object as a favourite.
    pub fn is_favourite(&self, user: &str, kind: &str, id: &str) -> bool {
        self.favourites.iter().any(|(by, of, which)| by == user && of == kind && which == id)
    }

    pub(super) fn asset_event(&mut self, operation: &'static str, id: &str, user: &str) {
        let Some(asset) = self.assets.get(id).cloned() else { return };
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
