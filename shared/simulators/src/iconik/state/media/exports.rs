//! Exports of assets to configured places.

use serde_json::{Map, Value, json};

use super::{Kind, Object, Outcome, Refusal, State, filled, is, map, needed, one_of, text};
use crate::content::Blob;
use crate::iconik::state::Work;

/// Metadata written beside an export.
#[derive(Clone, Debug)]
pub(in crate::iconik) struct Sidecar {
    view: String,
    format: String,
}

impl State {
    /// Makes a place that exports go to.
    pub fn create_export_location(&mut self, given: Object) -> Outcome<String> {
        needed(&given, "name")?;
        let storage = needed(&given, "storage_id")?;
        self.media
            .storages
            .get(storage)
            .ok_or_else(|| Refusal::field("storage_id", "There is no such storage."))?;
        one_of(&given, "metadata_format", &["CSV", "JSON", "XML"])?;
        let id = self.new_id();
        let mut location = map(json!({
            "id": id, "name": null, "path": "", "storage_id": null, "description": null, "export_metadata": false,
            "export_original": true, "export_posters": false, "export_proxy": false, "export_to_asset_folder": false,
            "export_transcriptions": false, "include_original_extension": false, "metadata_format": null,
            "metadata_view": null, "system_domain_id": self.system_domain_id, "transcode_profile_ids": [],
        }));
        location.extend(given.into_iter().filter(|(name, _)| name != "id"));
        self.media.export_locations.insert(&id, location);
        Ok(id)
    }

    /// Schedules an export of an asset. Gives the job.
    pub fn export_asset(
        &mut self,
        user: &str,
        asset: &str,
        location: &str,
        given: &Object,
    ) -> Outcome<String> {
        let title = text(self.assets.found(asset)?, "title").to_owned();
        let place = self.media.export_locations.found(location)?;
        let value = |name: &str| given.get(name).filter(|value| !value.is_null()).or_else(|| place.get(name));
        let name = |name: &str| value(name).and_then(Value::as_str).map(str::to_owned);
        let wants_metadata = value("export_metadata").and_then(Value::as_bool).unwrap_or(false);
        let sidecar = match (wants_metadata, name("metadata_view"), name("metadata_format")) {
            (false, ..) => None,
            (true, Some(view), format) => {
                Some(Sidecar { view, format: format.unwrap_or_else(|| "JSON".to_owned()) })
            }
            (true, None, _) => {
                return Err(Refusal::field("metadata_view", "Missing data for required field."));
            }
        };
        let format =
            text(self.format_of(asset, filled(given, "format_id").unwrap_or("ORIGINAL"))?, "id").to_owned();
        let work = Work::Export { asset: asset.to_owned(), format, location: location.to_owned(), sidecar };
        Ok(self.start_work(user, "EXPORT", &format!("Export {title}"), Some(("assets", asset)), work))
    }

    pub(in crate::iconik) fn do_export(
        &mut self,
        user: &str,
        (asset, format, location): (&str, &str, &str),
        sidecar: Option<&Sidecar>,
    ) -> Outcome<()> {
        let place = self.media.export_locations.found(location)?.clone();
        let storage = text(&place, "storage_id").to_owned();
        let title = text(self.assets.found(asset)?, "title").to_owned();
        let folder = match place.get("export_to_asset_folder") {
            Some(Value::Bool(true)) => super::places::join(text(&place, "path"), &title),
            _ => text(&place, "path").to_owned(),
        };
        let source = self.source_of(format, None)?;
        let files: Vec<Object> = self.files_of_set(&source).cloned().collect();
        for file in files.iter().filter(|file| is(file, "status", "CLOSED")) {
            let name = text(file, "original_name");
            let content = self.stored(Kind::File, text(file, "id")).map(|stored| stored.content.clone());
            let content = content.ok_or_else(|| Refusal::NotFound(format!("{name} has no content")))?;
            let key = super::places::join(&folder, name);
            let kind = super::places::content_type(&key);
            self.media.buckets.put(&storage, &key, content, kind, self.now);
        }
        if let Some(Sidecar { view, format }) = sidecar {
            let values = self.read_values(("assets", asset), None, view).unwrap_or_default();
            let key = super::places::join(&folder, &format!("{title}.{}", format.to_lowercase()));
            let kind = super::places::content_type(&key);
            self.media.buckets.put(&storage, &key, Blob::of(written(&values, format)), kind, self.now);
        }
        let exported = map(json!({"id": asset, "export_location_id": location, "asset_id": asset}));
        self.media_event(user, "exports", "create", &exported);
        Ok(())
    }
}

/// Metadata in the format of a sidecar.
fn written(values: &Map<String, Value>, format: &str) -> String {
    let texts = |value: &Value| -> Vec<String> {
        let list = value.get("field_values").and_then(Value::as_array);
        let values = list.into_iter().flatten().filter_map(|one| one.get("value"));
        values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
    };
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    match format {
        "CSV" => {
            let names: Vec<String> = values.keys().map(|name| quoted(name)).collect();
            let row: Vec<String> = values.values().map(|value| quoted(&texts(value).join(","))).collect();
            format!("{}\r\n{}\r\n", names.join(","), row.join(","))
        }
        "XML" => {
            let escaped = |text: &str| quick_xml::escape::escape(text).into_owned();
            let fields: String = values
                .iter()
                .flat_map(|(name, value)| texts(value).into_iter().map(move |text| (name, text)))
                .map(|(name, text)| format!("<field name=\"{}\">{}</field>", escaped(name), escaped(&text)))
                .collect();
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><metadata>{fields}</metadata>")
        }
        _ => json!({"metadata_values": values}).to_string(),
    }
}
