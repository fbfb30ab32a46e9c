//! Versions of assets.

use serde_json::{Value, json};

use super::fields::{self, Kind};
use super::{Event, Object, Outcome, Refusal, State};
use crate::iconik::settings::VersionOrder;

impl State {
    /// The version that people see: the one with the highest number that is there.
    pub fn current_version_of(&self, asset: &str) -> Option<String> {
        let versions = self.assets.get(asset)?.get("versions")?.as_array()?;
        let is_there = |version: &&Value| version.get("status").and_then(Value::as_str) != Some("DELETED");
        let number = |version: &&Value| version.get("version_number").and_then(Value::as_i64);
        let newest = versions.iter().filter(is_there).max_by_key(number)?;
        newest.get("id").and_then(Value::as_str).map(str::to_owned)
    }

    /// Adds a version and gives its id.
    pub fn add_version(&mut self, user: &str, asset: &str, given: &Object) -> Outcome<String> {
        self.readable(&self.assets, "assets", asset)?;
        let source = given.get("source_version_id").and_then(Value::as_str);
        if let Some(source) = source {
            self.version(asset, source)?;
        }
        let source = source.map(str::to_owned).or_else(|| self.current_version_of(asset));
        let id = self.new_id();
        let now = self.time();
        let number =
            self.versions_mut(asset)?.iter().filter_map(|known| known["version_number"].as_i64()).max();
        let version = fields::new_version(&id, number.unwrap_or(0) + 1, user, now.clone());
        self.versions_mut(asset)?.push(Value::Object(version));
        if given.get("copy_metadata") == Some(&Value::Bool(false)) {
            self.start_values(asset, &id);
        }
        self.changed(user, asset, now)?;
        if let Some(source) = source {
            self.copy_segments(user, asset, &source, &id, given);
        }
        self.version_event("create", user, asset, &id);
        self.note(user, asset, "VERSION_CREATE", "");
        Ok(id)
    }

    /// Changes a version.
    pub(in crate::iconik) fn edit_version(
        &mut self,
        user: &str,
        asset: &str,
        version: &str,
        given: Object,
    ) -> Outcome<()> {
        self.version(asset, version)?;
        let given = fields::writable(Kind::Version, given, self.settings.edits.unknown_fields)?;
        let now = self.time();
        let known = self.versions_mut(asset)?.iter_mut().find(|known| known["id"] == version);
        if let Some(known) = known.and_then(Value::as_object_mut) {
            known.extend(given);
        }
        self.changed(user, asset, now)?;
        self.version_event("update", user, asset, version);
        self.note(user, asset, "VERSION_UPDATE", "");
        Ok(())
    }

    /// Makes a version the current one.
    pub(in crate::iconik) fn promote_version(
        &mut self,
        user: &str,
        asset: &str,
        version: &str,
    ) -> Outcome<()> {
        self.version(asset, version)?;
        let now = self.time();
        let versions = self.versions_mut(asset)?;
        let number = versions.iter().filter_map(|known| known["version_number"].as_i64()).max().unwrap_or(0);
        if let Some(at) = versions.iter().position(|known| known["id"] == version) {
            let mut promoted = versions.remove(at);
            if let Some(promoted) = promoted.as_object_mut() {
                promoted.insert("version_number".to_owned(), (number + 1).into());
            }
            versions.push(promoted);
        }
        self.changed(user, asset, now)?;
        self.version_event("update", user, asset, version);
        self.note(user, asset, "VERSION_PROMOTE", "");
        Ok(())
    }

    /// Deletes a version, for good or so that it still shows. The last one stays.
    pub(in crate::iconik) fn delete_version(
        &mut self,
        user: &str,
        asset: &str,
        version: &str,
        for_good: bool,
    ) -> Outcome<()> {
        self.version(asset, version)?;
        let now = self.time();
        let versions = self.versions_mut(asset)?;
        let others = versions.iter().filter(|known| known["id"] != version && known["status"] != "DELETED");
        if others.count() == 0 {
            return Err(Refusal::Other(400, "The only version of an asset cannot be deleted".to_owned()));
        }
        self.version_event("delete", user, asset, version);
        let versions = self.versions_mut(asset)?;
        match for_good {
            true => versions.retain(|known| known["id"] != version),
            false => {
                let gone = versions.iter_mut().filter(|known| known["id"] == version);
                for known in gone.filter_map(Value::as_object_mut) {
                    known.insert("status".to_owned(), "DELETED".into());
                }
            }
        }
        self.changed(user, asset, now)?;
        self.note(user, asset, "VERSION_DELETE", "");
        Ok(())
    }

    /// Deletes all versions but the current one.
    pub(in crate::iconik) fn delete_old_versions(&mut self, user: &str, asset: &str) -> Outcome<()> {
        self.readable(&self.assets, "assets", asset)?;
        let current = self.current_version_of(asset);
        let ids: Vec<String> = self
            .versions_mut(asset)?
            .iter()
            .filter_map(|known| known["id"].as_str())
            .map(str::to_owned)
            .collect();
        for id in ids.into_iter().filter(|id| Some(id) != current.as_ref()) {
            self.delete_version(user, asset, &id, true)?;
        }
        Ok(())
    }

    /// What calls of versions answer.
    pub(in crate::iconik) fn versions_shown(&self, asset: &str) -> Outcome<Value> {
        let mut versions = self.assets.found(asset)?.get("versions").cloned().unwrap_or_else(|| json!([]));
        if self.settings.edits.version_order == VersionOrder::NewestFirst
            && let Some(versions) = versions.as_array_mut()
        {
            versions.reverse();
        }
        Ok(json!({"asset_id": asset, "system_domain_id": self.system_domain_id, "versions": versions}))
    }

    /// A version of an asset, or 404.
    pub(in crate::iconik) fn version(&self, asset: &str, version: &str) -> Outcome<&Object> {
        let asset = self.readable(&self.assets, "assets", asset)?;
        let versions = asset.get("versions").and_then(Value::as_array).into_iter().flatten();
        let found = versions
            .filter_map(Value::as_object)
            .find(|known| known.get("id").and_then(Value::as_str) == Some(version));
        found.ok_or_else(|| Refusal::unknown("Version", version))
    }

    fn versions_mut(&mut self, asset: &str) -> Outcome<&mut Vec<Value>> {
        let versions = self.assets.found_mut(asset)?.get_mut("versions").and_then(Value::as_array_mut);
        versions.ok_or_else(|| Refusal::unknown("Asset", asset))
    }

    fn changed(&mut self, user: &str, asset: &str, now: Value) -> Outcome<()> {
        let asset = self.assets.found_mut(asset)?;
        asset.insert("date_modified".to_owned(), now);
        asset.insert("updated_by_user".to_owned(), user.into());
        Ok(())
    }

    fn version_event(&mut self, operation: &'static str, user: &str, asset: &str, version: &str) {
        let Ok(mut data) = self.version(asset, version).cloned() else { return };
        data.insert("asset_id".to_owned(), asset.into());
        self.emit(Event {
            event_type: "assets",
            realm: "versions",
            operation,
            object_id: version.to_owned(),
            user_id: user.to_owned(),
            data: Value::Object(data),
        });
    }
}
