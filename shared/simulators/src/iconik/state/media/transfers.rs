//! Copies of formats on other storages.

use serde_json::json;

use super::{Kind, Object, Outcome, Refusal, State, filled, is, map, text};
use crate::iconik::state::Work;

impl State {
    /// Schedules a transfer of a format to a storage. Gives the job.
    pub fn transfer_format(
        &mut self,
        user: &str,
        asset: &str,
        format: &str,
        storage: &str,
        folder: &str,
    ) -> Outcome<String> {
        let found = self.format_of(asset, format)?;
        let (id, name) = (text(found, "id").to_owned(), text(found, "name").to_owned());
        self.writable_storage(storage)?;
        let there = self.media.file_sets.objects().any(|file_set| {
            is(file_set, "format_id", &id)
                && is(file_set, "storage_id", storage)
                && is(file_set, "status", "ACTIVE")
        });
        if there {
            return Err(Refusal::Conflict("The format is on this storage already".to_owned()));
        }
        let source = self.source_of(&id, None)?;
        let work = Work::Transfer { source, storage: storage.to_owned(), folder: folder.to_owned() };
        Ok(self.start_work(user, "TRANSFER", &format!("Transfer {name}"), Some(("assets", asset)), work))
    }

    /// Copies a file set with its files and bytes to a storage. Gives the new file set.
    pub(in crate::iconik) fn copy_file_set(
        &mut self,
        user: &str,
        source: &str,
        storage: &str,
        folder: &str,
    ) -> Outcome<String> {
        let from = self.media.file_sets.found(source)?.clone();
        let asset = text(&from, "asset_id").to_owned();
        let given = json!({
            "name": from.get("name"), "format_id": from.get("format_id"), "storage_id": storage,
            "base_dir": folder, "component_ids": from.get("component_ids"), "type": from.get("type"),
        });
        let made = self.create_file_set(user, &asset, map(given))?;
        let files: Vec<Object> = self.files_of_set(source).cloned().collect();
        for file in files {
            let path = filled(&file, "directory_path").filter(|_| folder.is_empty()).unwrap_or(folder);
            let given = json!({
                "original_name": file.get("original_name"), "directory_path": path, "name": file.get("name"),
                "file_set_id": made, "type": file.get("type"), "checksum": file.get("checksum"),
            });
            let copy = self.create_file(user, &asset, map(given))?;
            let content = self.stored(Kind::File, text(&file, "id")).map(|stored| stored.content.clone());
            if let Some(content) = content {
                self.put_content(Kind::File, &copy, content);
            }
            self.edit_file(user, &asset, &copy, map(json!({"status": file.get("status")})))?;
        }
        Ok(made)
    }
}
