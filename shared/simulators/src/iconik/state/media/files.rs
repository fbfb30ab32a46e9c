//! Files: made, changed, closed.

use serde_json::{Value, json};

use super::formats::extend;
use super::{Kind, Object, Outcome, Refusal, State, filled, is, map, needed, one_of, text};

/// States of files, proxies, keyframes and attachments.
pub(super) const STATES: &[&str] =
    &["OPEN", "GROWING", "AWAITED", "CLOSED", "FAILED", "ARCHIVED", "MISSING", "REDISCOVERED", "DELETED"];
const TYPES: &[&str] = &["FILE", "DIRECTORY", "SYMLINK", "SEQUENCE"];
/// What only iconik sets, beside what it sets on all objects.
pub(super) const ANSWERED: &[&str] = &[
    "url",
    "upload_url",
    "multipart_upload_url",
    "upload_method",
    "upload_filename",
    "upload_credentials",
    "upload_headers",
    "storage_method",
    "system_domain_id",
    "format_status",
    "file_set_status",
];

impl State {
    /// Makes the entry of a file, to be uploaded next. Gives its id.
    pub fn create_file(&mut self, user: &str, asset: &str, given: Object) -> Outcome<String> {
        self.asset_of_media(asset)?;
        let original_name = needed(&given, "original_name")?.to_owned();
        let wanted = needed(&given, "file_set_id")?;
        let file_set = self.media.file_sets.get(wanted).filter(|found| is(found, "asset_id", asset));
        let file_set =
            file_set.ok_or_else(|| Refusal::field("file_set_id", "Not a file set of this asset."))?.clone();
        if is(&file_set, "status", "DELETED") {
            return Err(Refusal::field("file_set_id", "The file set is deleted."));
        }
        check(&given)?;
        let storage = self.writable_storage(text(&file_set, "storage_id"))?;
        let method = text(storage, "method").to_owned();
        let (id, now) = (self.new_id(), self.time());
        let name = filled(&given, "name").map_or_else(|| format!("{id}_{original_name}"), str::to_owned);
        let mut file = map(json!({
            "id": id, "original_name": original_name, "directory_path": "", "type": "FILE", "file_set_id": null,
            "format_id": file_set.get("format_id"), "storage_id": file_set.get("storage_id"), "storage_method": method,
            "asset_id": asset, "version_id": file_set.get("version_id"), "name": name, "size": 0, "checksum": null,
            "parent_id": null, "user_id": user, "status": "OPEN", "file_set_status": file_set.get("status"),
            "format_status": "ACTIVE", "file_date_created": null, "file_date_modified": null, "template": null,
            "template_engine": null, "system_domain_id": self.system_domain_id, "date_created": now, "date_modified": now,
        }));
        let ignored: Vec<&str> =
            ANSWERED.iter().copied().chain(["format_id", "storage_id", "version_id"]).collect();
        extend(&mut file, given, &ignored);
        self.media.files.insert(&id, file.clone());
        self.refresh_online(text(&file_set, "format_id"));
        self.media_event(user, "files", "create", &file);
        Ok(id)
    }

    /// A file of an asset.
    pub fn file_of(&self, asset: &str, file: &str) -> Outcome<&Object> {
        self.part_of(Kind::File, asset, file)
    }

    /// A file, proxy, keyframe or attachment of an asset.
    pub(in crate::iconik) fn part_of(&self, kind: Kind, asset: &str, id: &str) -> Outcome<&Object> {
        self.asset_of_media(asset)?;
        let found = self.table(kind).found(id)?;
        if is(found, "asset_id", asset) { Ok(found) } else { Err(Refusal::unknown("Object", id)) }
    }

    /// Changes what is given; closes a file whose content is there.
    pub fn edit_file(&mut self, user: &str, asset: &str, file: &str, given: Object) -> Outcome<()> {
        check(&given)?;
        let found = self.file_of(asset, file)?;
        let (was, format) = (text(found, "status").to_owned(), text(found, "format_id").to_owned());
        let becomes = filled(&given, "status").unwrap_or(&was).to_owned();
        self.check_move(Kind::File, file, &was, &becomes)?;
        let stored = self.stored(Kind::File, file).map(|stored| stored.content.size);
        let now = self.time();
        let found = self.media.files.found_mut(file)?;
        let ignored: Vec<&str> = ANSWERED
            .iter()
            .copied()
            .chain(["format_id", "storage_id", "version_id", "file_set_id"])
            .collect();
        extend(found, given, &ignored);
        if let (Some(size), Some(0) | None) = (stored, found.get("size").and_then(Value::as_u64)) {
            found.insert("size".to_owned(), size.into());
        }
        found.insert("date_modified".to_owned(), now);
        let found = found.clone();
        self.refresh_online(&format);
        self.media_event(user, "files", "update", &found);
        Ok(())
    }

    /// Whether an object may go from one state to another.
    pub(super) fn check_move(&self, kind: Kind, id: &str, was: &str, becomes: &str) -> Outcome<()> {
        if was == becomes {
            return Ok(());
        }
        let rules = &self.settings.media;
        if was == "CLOSED" && matches!(becomes, "OPEN" | "GROWING" | "AWAITED") && !rules.reopen {
            return Err(Refusal::field("status", "A closed file cannot be opened again."));
        }
        if becomes == "CLOSED" && !rules.close_without_content && self.stored(kind, id).is_none() {
            return Err(Refusal::field("status", "The file has no content on its storage."));
        }
        Ok(())
    }

    /// Takes the entry of a file away. Its bytes stay: only with a file set do they go.
    pub fn delete_file(&mut self, user: &str, asset: &str, file: &str) -> Outcome<()> {
        let format = text(self.file_of(asset, file)?, "format_id").to_owned();
        let gone = self.media.files.remove(file).unwrap_or_default();
        self.refresh_online(&format);
        self.media_event(user, "files", "delete", &gone);
        Ok(())
    }

    /// The files of a file set.
    pub fn files_of_set<'state>(&'state self, file_set: &'state str) -> impl Iterator<Item = &'state Object> {
        self.media.files.objects().filter(move |file| is(file, "file_set_id", file_set))
    }

    /// Whether lists show a file.
    pub(in crate::iconik) fn lists(&self, file: &Object) -> bool {
        let in_bin = is(file, "file_set_status", "DELETED") || is(file, "format_status", "DELETED");
        !is(file, "status", "DELETED") && (!in_bin || self.settings.media.lists_files_in_bin)
    }
}

/// Values that are wrong on any file.
pub(super) fn check(given: &Object) -> Outcome<()> {
    one_of(given, "status", STATES)?;
    one_of(given, "type", TYPES)?;
    match given.get("size") {
        None | Some(Value::Null) => Ok(()),
        Some(size) if size.as_u64().is_some() => Ok(()),
        Some(_) => Err(Refusal::field("size", "Not a valid integer.")),
    }
}
