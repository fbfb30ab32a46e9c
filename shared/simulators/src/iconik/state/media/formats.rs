//! Formats, their components, and file sets.

use serde_json::{Value, json};

use super::{Object, Outcome, Refusal, State, filled, is, map, needed, one_of, text};

const COMPONENT_TYPES: &[&str] =
    &["VIDEO", "AUDIO", "IMAGE", "TEXT", "OTHER", "NON_MEDIA", "EXIF", "IPTC", "XMP", "GENERAL", "MANIFEST"];
/// What only iconik sets.
const READ_ONLY: &[&str] =
    &["id", "asset_id", "user_id", "date_created", "date_modified", "file_count", "storage_methods"];

impl State {
    /// Makes a format of an asset's version.
    pub fn create_format(&mut self, user: &str, asset: &str, given: Object) -> Outcome<String> {
        self.asset_of_media(asset)?;
        needed(&given, "name")?;
        let version = self.version_for(asset, &given)?;
        let components = given.get("components").and_then(Value::as_array).cloned().unwrap_or_default();
        let (id, now) = (self.new_id(), self.time());
        let mut format = map(json!({
            "id": id, "name": null, "asset_id": asset, "version_id": version, "user_id": user, "status": "ACTIVE",
            "is_online": false, "archive_status": "NOT_ARCHIVED", "storage_methods": [], "metadata": [],
            "components": [], "warnings": [], "external_references": [], "deleted_by_user": null,
            "date_deleted": null, "date_created": now, "date_modified": now,
        }));
        extend(&mut format, given, &["components", "version_id", "status", "date_deleted", "is_online"]);
        self.media.formats.insert(&id, format);
        for component in components {
            self.add_component(asset, &id, map(component))?;
        }
        let format = self.media.formats.found(&id)?.clone();
        self.media_event(user, "formats", "create", &format);
        self.note(user, asset, "ADD_FORMAT", text(&format, "name"));
        Ok(id)
    }

    /// A format of an asset by its id, or by its name in the newest version that has it.
    pub fn format_of(&self, asset: &str, format: &str) -> Outcome<&Object> {
        self.asset_of_media(asset)?;
        let mut of_asset = self.media.formats.objects().filter(|found| is(found, "asset_id", asset));
        let by_id = self.media.formats.get(format).filter(|found| is(found, "asset_id", asset));
        let by_name = || {
            let newest = self.current_version_of(asset).unwrap_or_default();
            let named: Vec<&Object> = of_asset
                .by_ref()
                .filter(|found| is(found, "name", format) && is(found, "status", "ACTIVE"))
                .collect();
            named.iter().find(|found| is(found, "version_id", &newest)).or(named.last()).copied()
        };
        by_id.or_else(by_name).ok_or_else(|| Refusal::unknown("Format", format))
    }

    /// Changes what is given.
    pub fn edit_format(&mut self, user: &str, asset: &str, format: &str, given: Object) -> Outcome<()> {
        let id = text(self.format_of(asset, format)?, "id").to_owned();
        one_of(&given, "archive_status", &["NOT_ARCHIVED", "ARCHIVING", "FAILED_TO_ARCHIVE", "ARCHIVED"])?;
        one_of(&given, "status", &["ACTIVE", "DELETED"])?;
        let now = self.time();
        let format = self.media.formats.found_mut(&id)?;
        extend(format, given, &["components", "is_online"]);
        format.insert("date_modified".to_owned(), now);
        let format = format.clone();
        self.media_event(user, "formats", "update", &format);
        Ok(())
    }

    /// Adds a component to a format. Gives the component.
    pub fn add_component(&mut self, asset: &str, format: &str, given: Object) -> Outcome<Value> {
        needed(&given, "name")?;
        needed(&given, "type")?;
        one_of(&given, "type", COMPONENT_TYPES)?;
        let id = text(self.format_of(asset, format)?, "id").to_owned();
        let metadata = given.get("metadata").filter(|metadata| metadata.is_object()).cloned();
        let component = json!({
            "id": self.new_id(), "name": given.get("name"), "type": given.get("type"),
            "metadata": metadata.unwrap_or_else(|| json!({})),
        });
        let format = self.media.formats.found_mut(&id)?;
        if let Some(components) = format.get_mut("components").and_then(Value::as_array_mut) {
            components.push(component.clone());
        }
        Ok(component)
    }

    /// Makes a file set of a format.
    pub fn create_file_set(&mut self, user: &str, asset: &str, given: Object) -> Outcome<String> {
        self.asset_of_media(asset)?;
        needed(&given, "name")?;
        let wanted = needed(&given, "format_id")?;
        let format = self.media.formats.get(wanted).filter(|format| is(format, "asset_id", asset));
        let format =
            format.ok_or_else(|| Refusal::field("format_id", "Not a format of this asset."))?.clone();
        one_of(&given, "type", &["REGULAR", "MANY_FILES"])?;
        let storage = match filled(&given, "storage_id") {
            Some(storage) => self.writable_storage(storage)?,
            None => self.storage_for("FILES", None)?,
        };
        let (storage, method) = (text(storage, "id").to_owned(), text(storage, "method").to_owned());
        let known: Vec<&str> = component_ids(&format);
        let named = given.get("component_ids").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(unknown) = named.iter().filter_map(Value::as_str).find(|named| !known.contains(named)) {
            return Err(Refusal::field(
                "component_ids",
                format!("{unknown} is not a component of the format."),
            ));
        }
        let (id, now) = (self.new_id(), self.time());
        let mut file_set = map(json!({
            "id": id, "name": null, "format_id": null, "base_dir": "", "component_ids": named, "asset_id": asset,
            "version_id": format.get("version_id"), "storage_id": storage, "original_storage_id": null,
            "archive_file_set_id": null, "is_archive": false, "status": "ACTIVE", "type": "REGULAR",
            "deleted_by_user": null, "date_deleted": null, "date_created": now, "date_modified": now,
        }));
        extend(
            &mut file_set,
            given,
            &["component_ids", "version_id", "status", "date_deleted", "storage_id"],
        );
        self.media.file_sets.insert(&id, file_set.clone());
        self.add_storage_method(text(&format, "id"), &method);
        self.media_event(user, "file_sets", "create", &file_set);
        Ok(id)
    }

    /// A file set of an asset.
    pub fn file_set_of(&self, asset: &str, file_set: &str) -> Outcome<&Object> {
        self.asset_of_media(asset)?;
        let found = self.media.file_sets.get(file_set).filter(|found| is(found, "asset_id", asset));
        found.ok_or_else(|| Refusal::unknown("File set", file_set))
    }

    /// Changes what is given.
    pub fn edit_file_set(&mut self, user: &str, asset: &str, file_set: &str, given: Object) -> Outcome<()> {
        self.file_set_of(asset, file_set)?;
        one_of(&given, "status", &["ACTIVE", "ARCHIVED", "DELETED"])?;
        one_of(&given, "type", &["REGULAR", "MANY_FILES"])?;
        let now = self.time();
        let found = self.media.file_sets.found_mut(file_set)?;
        extend(found, given, &["format_id", "storage_id"]);
        found.insert("date_modified".to_owned(), now);
        let found = found.clone();
        self.media_event(user, "file_sets", "update", &found);
        Ok(())
    }

    /// Whether a format has a file set, outside the archive, whose files are all there.
    fn has_complete_set(&self, format: &str) -> bool {
        self.media.file_sets.objects().any(|file_set| {
            let mut files = self.files_of_set(text(file_set, "id")).peekable();
            is(file_set, "format_id", format)
                && is(file_set, "status", "ACTIVE")
                && file_set.get("is_archive") != Some(&Value::Bool(true))
                && files.peek().is_some()
                && files.all(|file| is(file, "status", "CLOSED"))
        })
    }

    /// Whether an asset, or one of its versions, has a format that is online.
    fn any_online(&self, asset: &str, version: Option<&str>) -> bool {
        self.media.formats.objects().any(|found| {
            is(found, "asset_id", asset)
                && found.get("is_online") == Some(&Value::Bool(true))
                && version.is_none_or(|version| is(found, "version_id", version))
        })
    }

    fn add_storage_method(&mut self, format: &str, method: &str) {
        let Ok(format) = self.media.formats.found_mut(format) else { return };
        if let Some(methods) = format.get_mut("storage_methods").and_then(Value::as_array_mut)
            && !methods.iter().any(|known| known == method)
        {
            methods.push(method.into());
        }
    }

    /// Works out anew which parts of an asset are online: what has a file set whose files are all there.
    pub(super) fn refresh_online(&mut self, format: &str) {
        let Some(found) = self.media.formats.get(format) else { return };
        let (asset, version) = (text(found, "asset_id").to_owned(), text(found, "version_id").to_owned());
        let is_online = is(found, "status", "ACTIVE") && self.has_complete_set(format);
        if let Ok(found) = self.media.formats.found_mut(format) {
            found.insert("is_online".to_owned(), is_online.into());
        }
        let (of_version, of_asset) = (self.any_online(&asset, Some(&version)), self.any_online(&asset, None));
        self.mark_version(&asset, &version, &map(json!({"is_online": of_version})));
        self.mark_asset(&asset, map(json!({"is_online": of_asset})));
    }
}

fn component_ids(format: &Object) -> Vec<&str> {
    let components = format.get("components").and_then(Value::as_array);
    components.into_iter().flatten().filter_map(|component| component.get("id")?.as_str()).collect()
}

/// Takes over what may be set; nothing that is null.
pub(super) fn extend(object: &mut Object, given: Object, but: &[&str]) {
    let may = |name: &str| !READ_ONLY.contains(&name) && !but.contains(&name);
    object.extend(given.into_iter().filter(|(name, value)| may(name) && !value.is_null()));
}
