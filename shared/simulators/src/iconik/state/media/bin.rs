//! What becomes of file sets and formats that are deleted: first the bin, then nothing.

use serde_json::{Value, json};

use super::{Kind, Object, Outcome, Refusal, State, is, map, text};

impl State {
    /// Deletes a file set: into the bin, or at once. Its bytes go when it is purged, unless they are to be kept.
    pub fn delete_file_set(
        &mut self,
        user: &str,
        asset: &str,
        file_set: &str,
        keep_source: bool,
        immediately: bool,
    ) -> Outcome<Object> {
        let was = self.file_set_of(asset, file_set)?;
        let format = text(was, "format_id").to_owned();
        self.mark_deleted(user, file_set, false);
        let found = self.media.file_sets.found_mut(file_set)?;
        found.insert("keep_source".to_owned(), keep_source.into());
        let found = found.clone();
        self.mark_files(|file| is(file, "file_set_id", file_set), "file_set_status", "DELETED");
        self.refresh_online(&format);
        self.media_event(user, "file_sets", "delete", &found);
        self.note(user, asset, "DELETE_FILESET", text(&found, "name"));
        if immediately {
            self.purge_file_set(user, file_set)?;
        }
        Ok(found)
    }

    /// Takes a file set out of the bin for good.
    pub fn purge_file_set(&mut self, user: &str, file_set: &str) -> Outcome<()> {
        let found = self.media.file_sets.found(file_set)?.clone();
        if !is(&found, "status", "DELETED") {
            return Err(Refusal::field("status", "Only a deleted file set can be purged."));
        }
        let keeps = found.get("keep_source") == Some(&Value::Bool(true))
            || !self.storage_deletes(text(&found, "storage_id"));
        let files: Vec<Object> = self.files_of_set(file_set).cloned().collect();
        for file in files {
            if !keeps {
                let key = self.key_of(Kind::File, &file);
                self.media.buckets.remove(text(&file, "storage_id"), &key);
            }
            self.media.files.remove(text(&file, "id"));
        }
        self.media.file_sets.remove(file_set);
        self.media_event(user, "file_sets", "purge", &found);
        Ok(())
    }

    /// Brings a file set back from the bin.
    pub fn restore_file_set(&mut self, user: &str, file_set: &str) -> Outcome<Object> {
        let found = self.media.file_sets.found_mut(file_set)?;
        if !is(found, "status", "DELETED") {
            return Err(Refusal::field("status", "The file set is not deleted."));
        }
        found.extend(map(json!({"status": "ACTIVE", "date_deleted": null, "deleted_by_user": null})));
        found.remove("keep_source");
        let found = found.clone();
        self.mark_files(|file| is(file, "file_set_id", file_set), "file_set_status", "ACTIVE");
        self.refresh_online(text(&found, "format_id"));
        self.media_event(user, "file_sets", "restore", &found);
        self.note(user, text(&found, "asset_id"), "RESTORE_FILESET", text(&found, "name"));
        Ok(found)
    }

    /// Deletes a format with its file sets: into the bin, or at once.
    pub fn delete_format(
        &mut self,
        user: &str,
        asset: &str,
        format: &str,
        immediately: bool,
    ) -> Outcome<Object> {
        let id = text(self.format_of(asset, format)?, "id").to_owned();
        self.mark_deleted(user, &id, true);
        let found = self.media.formats.found(&id)?.clone();
        self.mark_files(|file| is(file, "format_id", &id), "format_status", "DELETED");
        self.refresh_online(&id);
        self.media_event(user, "formats", "delete", &found);
        self.note(user, asset, "DELETE_FORMAT", text(&found, "name"));
        if immediately {
            self.purge_format(user, &id)?;
        }
        Ok(found)
    }

    /// Takes a format out of the bin for good, with its file sets.
    pub fn purge_format(&mut self, user: &str, format: &str) -> Outcome<()> {
        let found = self.media.formats.found(format)?.clone();
        if !is(&found, "status", "DELETED") {
            return Err(Refusal::field("status", "Only a deleted format can be purged."));
        }
        for file_set in self.sets_of(format) {
            self.mark_deleted(user, &file_set, false);
            self.purge_file_set(user, &file_set)?;
        }
        self.media.formats.remove(format);
        self.media_event(user, "formats", "purge", &found);
        Ok(())
    }

    /// Brings a format back from the bin.
    pub fn restore_format(&mut self, user: &str, format: &str) -> Outcome<Object> {
        let found = self.media.formats.found_mut(format)?;
        if !is(found, "status", "DELETED") {
            return Err(Refusal::field("status", "The format is not deleted."));
        }
        found.extend(map(json!({"status": "ACTIVE", "date_deleted": null, "deleted_by_user": null})));
        self.mark_files(|file| is(file, "format_id", format), "format_status", "ACTIVE");
        self.refresh_online(format);
        let found = self.media.formats.found(format)?.clone();
        self.media_event(user, "formats", "restore", &found);
        self.note(user, text(&found, "asset_id"), "RESTORE_FORMAT", text(&found, "name"));
        Ok(found)
    }

    /// The file sets of a format.
    pub(super) fn sets_of(&self, format: &str) -> Vec<String> {
        let of_format = self.media.file_sets.objects().filter(|found| is(found, "format_id", format));
        of_format.map(|found| text(found, "id").to_owned()).collect()
    }

    /// Takes all media of an asset away, with their bytes where the storage lets them go: the asset is purged.
    pub(in crate::iconik) fn purge_media(&mut self, user: &str, asset: &str) {
        let ids = |table: &super::Table| -> Vec<String> {
            let of_asset = table.objects().filter(|found| is(found, "asset_id", asset));
            of_asset.map(|found| text(found, "id").to_owned()).collect()
        };
        let (formats, subtitles) = (ids(&self.media.formats), ids(&self.media.subtitles));
        for format in formats {
            self.mark_deleted(user, &format, true);
            // It is there and it is deleted.
            let _ = self.purge_format(user, &format);
        }
        for kind in [Kind::Proxy, Kind::Keyframe, Kind::Attachment] {
            for id in ids(self.table(kind)) {
                self.remove_derived(user, kind, &id);
            }
        }
        for subtitle in subtitles {
            self.media.subtitles.remove(&subtitle);
        }
    }

    /// Marks a format, or a file set, as deleted.
    fn mark_deleted(&mut self, user: &str, id: &str, is_format: bool) {
        let now = self.time();
        let table = if is_format { &mut self.media.formats } else { &mut self.media.file_sets };
        if let Ok(found) = table.found_mut(id) {
            found.extend(map(json!({"status": "DELETED", "date_deleted": now, "deleted_by_user": user})));
        }
    }

    pub(super) fn mark_files(&mut self, which: impl Fn(&Object) -> bool, name: &str, value: &str) {
        let ids: Vec<String> = self
            .media
            .files
            .objects()
            .filter(|file| which(file))
            .map(|file| text(file, "id").to_owned())
            .collect();
        for id in ids {
            if let Ok(file) = self.media.files.found_mut(&id) {
                file.insert(name.to_owned(), value.into());
            }
        }
    }
}
