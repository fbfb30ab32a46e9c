//! Storages.

use serde_json::{Value, json};

use super::{Kind, Object, Outcome, Refusal, State, is, map, needed, one_of, text};

const METHODS: &[&str] = &["FILE", "HTTP", "FTP", "SFTP", "S3", "B2", "GCS", "PORTAL", "CUSTOM", "AZURE"];
const PURPOSES: &[&str] = &["FILES", "PROXIES", "KEYFRAMES", "EXPORTS", "ARCHIVE", "FACES"];

impl State {
    /// Makes a storage.
    pub fn create_storage(&mut self, given: Object) -> Outcome<String> {
        needed(&given, "name")?;
        needed(&given, "method")?;
        needed(&given, "purpose")?;
        one_of(&given, "method", METHODS)?;
        one_of(&given, "purpose", PURPOSES)?;
        one_of(&given, "status", &["ACTIVE", "INACTIVE", "FAILING"])?;
        let id = match given.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => self.new_id(),
        };
        let mut storage = map(json!({
            "id": id, "name": null, "method": null, "purpose": null, "settings": {}, "status": "ACTIVE",
            "status_message": null, "default": false, "description": null, "last_scanned": null,
            "scanner_status": "UNKNOWN", "version": null, "isg_version": null,
        }));
        storage.extend(given);
        self.media.storages.insert(&id, storage);
        Ok(id)
    }

    /// The storage for a purpose: the default one, or the first; of this method, if one is named.
    pub fn storage_for(&self, purpose: &str, method: Option<&str>) -> Outcome<&Object> {
        let fits = |storage: &&Object| {
            is(storage, "purpose", purpose)
                && is(storage, "status", "ACTIVE")
                && method.is_none_or(|method| is(storage, "method", method))
        };
        let default = self
            .media
            .storages
            .objects()
            .filter(fits)
            .find(|found| found.get("default") == Some(&true.into()));
        let found = default.or_else(|| self.media.storages.objects().find(fits));
        found.ok_or_else(|| Refusal::NotFound(format!("There is no storage for the purpose {purpose}")))
    }

    /// A storage that takes new files.
    pub(super) fn writable_storage(&self, id: &str) -> Outcome<&Object> {
        let storage = self.media.storages.found(id)?;
        let writes = storage.get("settings").and_then(|settings| settings.get("write"));
        if writes == Some(&Value::Bool(false)) {
            return Err(Refusal::field(
                "storage_id",
                format!("Storage {} is read only.", text(storage, "name")),
            ));
        }
        if !is(storage, "status", "ACTIVE") {
            return Err(Refusal::field(
                "storage_id",
                format!("Storage {} is not active.", text(storage, "name")),
            ));
        }
        Ok(storage)
    }

    /// Whether the bytes on a storage go when their file set goes.
    pub(super) fn storage_deletes(&self, id: &str) -> bool {
        let settings = self.media.storages.get(id).and_then(|storage| storage.get("settings"));
        settings.and_then(|settings| settings.get("delete")) != Some(&Value::Bool(false))
    }

    /// Looks what is on a storage: files whose bytes are gone are missing, and found again when they are back.
    pub fn scan(&mut self, storage: &str) -> Outcome<()> {
        self.media.storages.found(storage)?;
        let files = self.media.files.objects().filter(|file| is(file, "storage_id", storage));
        let changed: Vec<(String, &str)> = files
            .filter_map(|file| {
                let id = text(file, "id");
                match (text(file, "status"), self.stored(Kind::File, id).is_some()) {
                    ("CLOSED" | "REDISCOVERED", false) => Some((id.to_owned(), "MISSING")),
                    ("MISSING", true) => Some((id.to_owned(), "REDISCOVERED")),
                    _ => None,
                }
            })
            .collect();
        for (id, status) in changed {
            let file = self.media.files.found_mut(&id)?;
            file.insert("status".to_owned(), status.into());
            let format = text(file, "format_id").to_owned();
            self.refresh_online(&format);
        }
        Ok(())
    }
}
