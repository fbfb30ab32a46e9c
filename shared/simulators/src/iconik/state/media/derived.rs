//! What is made of files: proxies, keyframes and posters, subtitles, technical metadata. Attachments of segments too.

use serde_json::{Value, json};

use super::files::{ANSWERED, STATES};
use super::formats::extend;
use super::{Kind, Object, Outcome, Refusal, State, filled, is, map, needed, one_of, text};
use crate::content::Blob;

/// The first bytes of an MP4 file.
const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
/// The first bytes of a JPEG file.
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";

impl State {
    /// Makes the entry of a proxy, keyframe or attachment, to be uploaded next. Gives its id.
    pub fn create_derived(&mut self, user: &str, kind: Kind, asset: &str, given: Object) -> Outcome<String> {
        self.asset_of_media(asset)?;
        one_of(&given, "status", STATES)?;
        let purpose = if kind == Kind::Proxy { "PROXIES" } else { "KEYFRAMES" };
        let storage = match filled(&given, "storage_id") {
            Some(storage) => self.writable_storage(storage)?,
            None => self.storage_for(purpose, filled(&given, "storage_method"))?,
        };
        let (storage, method) = (text(storage, "id").to_owned(), text(storage, "method").to_owned());
        let version = self.version_for(asset, &given)?;
        let (id, now) = (self.new_id(), self.time());
        let name = filled(&given, "name").or_else(|| filled(&given, "filename")).unwrap_or(&id).to_owned();
        let mut made = map(json!({
            "id": id, "asset_id": asset, "name": name, "filename": name, "format": null, "size": 0, "status": "OPEN",
            "storage_id": storage, "storage_method": method, "date_created": now, "date_modified": now,
        }));
        let more = match kind {
            Kind::Proxy => json!({
                "version_id": version, "codec": null, "bit_rate": null, "audio_bitrate": null, "frame_rate": null,
                "resolution": {"width": 0, "height": 0}, "rotation": 0, "start_time_code": null, "is_drop_frame": false,
                "is_public": false, "audio_channels": 0, "proxy_container_id": null,
            }),
            Kind::Keyframe => {
                needed(&given, "type")?;
                one_of(&given, "type", &["KEYFRAME", "KEYFRAME_MAP", "POSTER"])?;
                json!({
                    "version_id": version, "type": null, "resolution": {"width": 0, "height": 0}, "rotation": 0,
                    "time_code": null, "is_custom_keyframe": false, "is_public": false, "collection_id": null,
                })
            }
            Kind::Attachment | Kind::File => json!({"segment_id": null}),
        };
        made.extend(map(more));
        let ignored: Vec<&str> = ANSWERED.iter().copied().chain(["storage_id", "version_id"]).collect();
        extend(&mut made, given, &ignored);
        self.table_mut(kind).insert(&id, made.clone());
        self.media_event(user, realm(kind), "create", &made);
        Ok(id)
    }

    /// Changes what is given.
    pub fn edit_derived(
        &mut self,
        user: &str,
        kind: Kind,
        asset: &str,
        id: &str,
        given: Object,
    ) -> Outcome<()> {
        one_of(&given, "status", STATES)?;
        let was = text(self.part_of(kind, asset, id)?, "status").to_owned();
        self.check_move(kind, id, &was, filled(&given, "status").unwrap_or(&was))?;
        let stored = self.stored(kind, id).map(|stored| stored.content.size);
        let now = self.time();
        let found = self.table_mut(kind).found_mut(id)?;
        let ignored: Vec<&str> = ANSWERED.iter().copied().chain(["storage_id", "version_id"]).collect();
        extend(found, given, &ignored);
        if let Some(size) = stored {
            found.insert("size".to_owned(), size.into());
        }
        found.insert("date_modified".to_owned(), now);
        let found = found.clone();
        self.media_event(user, realm(kind), "update", &found);
        Ok(())
    }

    /// Takes a proxy, keyframe or attachment away, with its bytes.
    pub fn delete_derived(&mut self, user: &str, kind: Kind, asset: &str, id: &str) -> Outcome<()> {
        self.part_of(kind, asset, id)?;
        self.remove_derived(user, kind, id);
        Ok(())
    }

    pub(super) fn remove_derived(&mut self, user: &str, kind: Kind, id: &str) {
        let Some(found) = self.table(kind).get(id).cloned() else { return };
        let key = self.key_of(kind, &found);
        self.media.buckets.remove(text(&found, "storage_id"), &key);
        self.table_mut(kind).remove(id);
        self.media_event(user, realm(kind), "delete", &found);
    }

    /// What iconik's own transcoder makes of a closed file: a proxy, a keyframe, a poster.
    pub(in crate::iconik) fn transcode(&mut self, user: &str, file: &str) -> Outcome<()> {
        let file = self.media.files.found(file)?.clone();
        let asset = text(&file, "asset_id").to_owned();
        let stem =
            text(&file, "original_name").rsplit_once('.').map_or("preview", |(stem, _)| stem).to_owned();
        let version = file.get("version_id").cloned().unwrap_or_default();
        let proxy = json!({
            "name": format!("{stem}.mp4"), "filename": format!("{stem}.mp4"), "version_id": version, "format": "mp4",
            "codec": "h264", "bit_rate": 2_000_000, "audio_bitrate": 128_000, "frame_rate": "25",
            "resolution": {"width": 1280, "height": 720}, "audio_channels": 2,
        });
        let made = self.create_derived(user, Kind::Proxy, &asset, map(proxy))?;
        self.fill(user, Kind::Proxy, &asset, &made, MP4)?;
        self.make_keyframes(user, &asset, &stem, &version)
    }

    /// A keyframe and a poster.
    pub(in crate::iconik) fn make_keyframes(
        &mut self,
        user: &str,
        asset: &str,
        stem: &str,
        version: &Value,
    ) -> Outcome<()> {
        for kind in ["KEYFRAME", "POSTER"] {
            let name = format!("{stem}.{}.jpg", kind.to_lowercase());
            let keyframe = json!({
                "name": name, "filename": name, "type": kind, "version_id": version, "format": "jpg",
                "resolution": {"width": 640, "height": 360},
                "time_code": {"frames_number": 0, "is_drop_frame": false, "time_base": {"numerator": 1, "denominator": 25}},
            });
            let made = self.create_derived(user, Kind::Keyframe, asset, map(keyframe))?;
            self.fill(user, Kind::Keyframe, asset, &made, JPEG)?;
        }
        Ok(())
    }

    /// Content that begins like a file of its type and is nobody else's.
    fn fill(&mut self, user: &str, kind: Kind, asset: &str, id: &str, begin: &[u8]) -> Outcome<()> {
        let bytes = [begin, id.as_bytes()].concat();
        self.put_content(kind, id, Blob::of(bytes));
        self.edit_derived(user, kind, asset, id, map(json!({"status": "CLOSED"})))
    }

    /// What an inspection of a file finds out: a component of its format.
    pub(in crate::iconik) fn inspect(&mut self, file: &str) -> Outcome<()> {
        let found = self.media.files.found(file)?.clone();
        let (asset, format) = (text(&found, "asset_id").to_owned(), text(&found, "format_id").to_owned());
        let size = self.stored(Kind::File, file).map_or(0, |stored| stored.content.size);
        let name = text(&found, "original_name").to_owned();
        let metadata = json!({"File name": name, "File size": size.to_string()});
        self.add_component(
            &asset,
            &format,
            map(json!({"name": name, "type": "GENERAL", "metadata": metadata})),
        )?;
        Ok(())
    }

    /// Makes subtitles.
    pub fn create_subtitle(&mut self, user: &str, asset: &str, given: Object) -> Outcome<String> {
        self.asset_of_media(asset)?;
        needed(&given, "language")?;
        let format = needed(&given, "format_id")?;
        if given.get("closed_captions").and_then(Value::as_bool).is_none() {
            return Err(Refusal::field("closed_captions", "Missing data for required field."));
        }
        let version = self.format_of(asset, format)?.get("version_id").cloned();
        let (id, now) = (self.new_id(), self.time());
        let mut subtitle = map(json!({
            "id": id, "asset_id": asset, "version_id": version, "language": null, "closed_captions": false,
            "format_id": null, "content": null, "name": null, "date_created": now, "date_modified": now,
        }));
        extend(&mut subtitle, given, &["version_id"]);
        self.media.subtitles.insert(&id, subtitle.clone());
        self.media_event(user, "subtitles", "create", &subtitle);
        Ok(id)
    }

    /// Makes subtitles of an uploaded file.
    pub(in crate::iconik) fn subtitle_from(
        &mut self,
        user: &str,
        asset: &str,
        file: &str,
    ) -> Outcome<String> {
        let found = self.file_of(asset, file)?.clone();
        let stored = self.stored(Kind::File, file);
        let bytes = stored.and_then(|stored| stored.content.bytes().ok());
        let text_of = bytes.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        let content = text_of.filter(|text| text.contains("-->"));
        let content = content.ok_or_else(|| Refusal::field("file_id", "The file holds no subtitles."))?;
        let name = text(&found, "original_name");
        let language = name.rsplit('.').nth(1).filter(|part| part.len() == 2).unwrap_or("en");
        let given = json!({
            "language": language, "closed_captions": false, "format_id": found.get("format_id"),
            "content": content, "name": name,
        });
        self.create_subtitle(user, asset, map(given))
    }

    /// Subtitles of an asset by language.
    pub(in crate::iconik) fn subtitle_in(
        &self,
        asset: &str,
        language: &str,
        captions: bool,
    ) -> Outcome<&Object> {
        self.asset_of_media(asset)?;
        let mut of_asset = self.media.subtitles.objects().filter(|found| is(found, "asset_id", asset));
        let found = of_asset.find(|found| {
            is(found, "language", language) && found.get("closed_captions") == Some(&Value::Bool(captions))
        });
        found.ok_or_else(|| Refusal::unknown("Subtitle", language))
    }
}

/// What webhooks call the part.
fn realm(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "files",
        Kind::Proxy => "proxies",
        Kind::Keyframe => "keyframes",
        Kind::Attachment => "attachments",
    }
}

/// Subtitles as `WebVTT`.
pub(in crate::iconik) fn webvtt(content: &str) -> String {
    if content.trim_start().starts_with("WEBVTT") {
        return content.to_owned();
    }
    let line = |line: &str| if line.contains("-->") { line.replace(',', ".") } else { line.to_owned() };
    let lines: Vec<String> = content.lines().map(line).collect();
    format!("WEBVTT\n\n{}\n", lines.join("\n"))
}
