//! Archiving and restoring of formats.

use serde_json::{Value, json};

use super::{Kind, Object, Outcome, Refusal, State, filled, is, map, text};
use crate::iconik::state::Work;

impl State {
    /// Schedules the archiving of a format. Gives the job.
    pub fn archive_format(
        &mut self,
        user: &str,
        asset: &str,
        format: &str,
        given: &Object,
    ) -> Outcome<String> {
        let found = self.format_of(asset, format)?;
        let (id, name) = (text(found, "id").to_owned(), text(found, "name").to_owned());
        if is(found, "archive_status", "ARCHIVED") {
            return Err(Refusal::field("format_id", "The format is archived already."));
        }
        let source = self.source_of(&id, filled(given, "original_file_set_id"))?;
        if self.files_of_set(&source).any(|file| !is(file, "status", "CLOSED")) {
            return Err(Refusal::field("format_id", "The format has files that are not closed."));
        }
        let destination = match filled(given, "destination_storage_id") {
            Some(storage) => text(self.writable_storage(storage)?, "id").to_owned(),
            None => text(self.storage_for("ARCHIVE", None)?, "id").to_owned(),
        };
        let delete_original = given.get("delete_original").and_then(Value::as_bool).unwrap_or(false);
        let folder = filled(given, "destination_directory_path").unwrap_or_default().to_owned();
        self.mark_archive(&id, "ARCHIVING");
        let work = Work::Archive { format: id, source, destination, folder, delete_original };
        Ok(self.start_work(user, "ARCHIVE", &format!("Archive {name}"), Some(("assets", asset)), work))
    }

    /// Schedules the restoring of a format from the archive. Gives the job.
    pub fn restore_archived(
        &mut self,
        user: &str,
        asset: &str,
        format: &str,
        given: &Object,
    ) -> Outcome<String> {
        let found = self.format_of(asset, format)?;
        let (id, name) = (text(found, "id").to_owned(), text(found, "name").to_owned());
        if !is(found, "archive_status", "ARCHIVED") {
            return Err(Refusal::field("format_id", "The format is not archived."));
        }
        if let Some(storage) = filled(given, "destination_storage_id") {
            self.writable_storage(storage)?;
        }
        let destination = filled(given, "destination_storage_id").map(str::to_owned);
        let work = Work::Restore { format: id, destination };
        Ok(self.start_work(user, "RESTORE", &format!("Restore {name}"), Some(("assets", asset)), work))
    }

    /// The file set to read from: the one named, or the first that is not an archive.
    pub(super) fn source_of(&self, format: &str, wanted: Option<&str>) -> Outcome<String> {
        let fits = |file_set: &&Object| {
            is(file_set, "format_id", format)
                && is(file_set, "status", "ACTIVE")
                && file_set.get("is_archive") != Some(&Value::Bool(true))
                && wanted.is_none_or(|wanted| is(file_set, "id", wanted))
        };
        let found = self.media.file_sets.objects().find(fits);
        let found =
            found.ok_or_else(|| Refusal::NotFound("The format has no file set to read from".to_owned()))?;
        Ok(text(found, "id").to_owned())
    }

    pub(in crate::iconik) fn do_archive(
        &mut self,
        user: &str,
        (format, source, destination): (&str, &str, &str),
        folder: &str,
        delete_original: bool,
    ) -> Outcome<()> {
        let archive = self.copy_file_set(user, source, destination, folder)?;
        let members = json!({"is_archive": true, "original_storage_id": self.media.file_sets.found(source)?.get("storage_id")});
        self.media.file_sets.found_mut(&archive)?.extend(map(members));
        let original = self.media.file_sets.found_mut(source)?;
        original.insert("archive_file_set_id".to_owned(), archive.into());
        if delete_original {
            original.insert("status".to_owned(), "ARCHIVED".into());
            let files: Vec<Object> = self.files_of_set(source).cloned().collect();
            for file in files {
                let key = self.key_of(Kind::File, &file);
                self.media.buckets.remove(text(&file, "storage_id"), &key);
            }
            let of_source = |file: &Object| is(file, "file_set_id", source);
            self.mark_files(of_source, "status", "ARCHIVED");
            self.mark_files(of_source, "file_set_status", "ARCHIVED");
        }
        self.mark_archive(format, "ARCHIVED");
        self.refresh_online(format);
        Ok(())
    }

    pub(in crate::iconik) fn do_restore(
        &mut self,
        user: &str,
        format: &str,
        destination: Option<&str>,
    ) -> Outcome<()> {
        let sets = self.sets_of(format);
        let is_archive = |id: &&String| {
            let found = self.media.file_sets.get(id);
            found.is_some_and(|found| found.get("is_archive") == Some(&Value::Bool(true)))
        };
        let archive = sets.iter().find(is_archive).cloned();
        let archive = archive.ok_or_else(|| Refusal::NotFound("The format has no archive".to_owned()))?;
        let archived = sets.iter().find(|id| {
            let found = self.media.file_sets.get(id);
            found.is_some_and(|found| {
                is(found, "archive_file_set_id", &archive) && is(found, "status", "ARCHIVED")
            })
        });
        match (archived.cloned(), destination) {
            (Some(original), None) => self.refill(&original, &archive)?,
            (_, Some(storage)) => drop(self.copy_file_set(user, &archive, storage, "")?),
            (None, None) => {}
        }
        self.mark_archive(format, "NOT_ARCHIVED");
        let (asset, now) = (text(self.media.formats.found(format)?, "asset_id").to_owned(), self.time());
        self.mark_asset(&asset, map(json!({"last_archive_restore_date": now})));
        self.refresh_online(format);
        Ok(())
    }

    /// Copies the bytes of an archive back to where they came from.
    fn refill(&mut self, original: &str, archive: &str) -> Outcome<()> {
        let from: Vec<Object> = self.files_of_set(archive).cloned().collect();
        let to: Vec<Object> = self.files_of_set(original).cloned().collect();
        for file in &to {
            let same = from.iter().find(|found| text(found, "original_name") == text(file, "original_name"));
            let content = same
                .and_then(|found| self.stored(Kind::File, text(found, "id")))
                .map(|stored| stored.content.clone());
            if let Some(content) = content {
                self.put_content(Kind::File, text(file, "id"), content);
            }
        }
        self.media.file_sets.found_mut(original)?.insert("status".to_owned(), "ACTIVE".into());
        let of_original = |file: &Object| is(file, "file_set_id", original);
        self.mark_files(of_original, "status", "CLOSED");
        self.mark_files(of_original, "file_set_status", "ACTIVE");
        Ok(())
    }

    /// Sets the archive state of a format, its version and its asset.
    pub(in crate::iconik) fn mark_archive(&mut self, format: &str, status: &str) {
        let Ok(found) = self.media.formats.found_mut(format) else { return };
        found.insert("archive_status".to_owned(), status.into());
        let (asset, version) = (text(found, "asset_id").to_owned(), text(found, "version_id").to_owned());
        let members = map(json!({"archive_status": status}));
        self.mark_version(&asset, &version, &members);
        self.mark_asset(&asset, members);
    }
}
