//! Segments: comments with their answers, markers, transcripts, tags.

use serde_json::{Value, json};

use super::super::{Event, Object, Outcome, Refusal, State};
use super::object;

const TYPES: &[&str] = &[
    "COMMENT",
    "MARKER",
    "QC",
    "GENERIC",
    "TAG",
    "TRANSCRIPTION",
    "SCENE",
    "PERSON",
    "SHOT",
    "SEMANTIC_TRANSCRIPTION",
];

/// What a caller may not write.
const READ_ONLY: &[&str] = &[
    "id",
    "asset_id",
    "path",
    "top_level",
    "has_drawing",
    "has_attachments",
    "share_user_email",
    "user_info",
    "user_first_name",
    "user_last_name",
    "user_photo",
    "date_created",
    "date_modified",
];

/// Which segments of an asset.
#[derive(Clone, Debug, Default)]
pub(in crate::iconik) struct Wanted {
    /// Keys that must have these values.
    pub(in crate::iconik) equal: Vec<(&'static str, String)>,
    /// Ids, if not all.
    pub(in crate::iconik) ids: Vec<String>,
    /// Words in the text.
    pub(in crate::iconik) query: Option<String>,
    /// Segments that begin at this time or later.
    pub(in crate::iconik) from: Option<u64>,
    /// Segments that end at this time or earlier.
    pub(in crate::iconik) to: Option<u64>,
    /// All versions, not only the latest.
    pub(in crate::iconik) all_versions: bool,
}

impl State {
    /// Says something of an asset. A `user_id` in it is the author.
    pub fn add_segment(
        &mut self,
        user: &str,
        asset: &str,
        share_user: Option<&str>,
        given: &Object,
    ) -> Outcome<String> {
        self.assets.found(asset)?;
        let parent = self.check_segment(asset, given, true)?;
        let parent_path = parent.and_then(|parent| parent.get("path")?.as_str().map(str::to_owned));
        let version = match given.get("version_id").and_then(Value::as_str) {
            Some(version) => Some(version.to_owned()),
            None => self.current_version_of(asset),
        };
        let id = self.new_id();
        let path = match &parent_path {
            Some(above) => format!("{above}/{id}"),
            None => id.clone(),
        };
        let mut segment = object(json!({
            "id": id, "asset_id": asset, "version_id": version, "segment_type": null, "segment_text": null,
            "segment_checked": false, "segment_color": null, "segment_track": null, "status": "ACTIVE",
            "parent_id": null, "path": path, "top_level": parent_path.is_none(), "time_start_milliseconds": null,
            "time_end_milliseconds": null, "external_id": null, "metadata": {}, "metadata_view_id": null,
            "drawing": null, "has_drawing": false, "has_attachments": false, "is_internal": false,
            "share_id": null, "share_session_id": null, "share_user_email": share_user, "project_id": null,
            "subclip_id": null, "keyframe_id": null, "person_id": null, "transcription": null,
            "transcription_id": null, "user_id": user, "date_created": self.time(), "date_modified": self.time(),
        }));
        let keeps_author = self.settings.segments.author_can_be_given;
        segment.extend(writable(given).filter(|(name, value)| {
            name != "version_id" && !(name == "user_id" && (!keeps_author || value.is_null()))
        }));
        segment
            .insert("has_drawing".to_owned(), segment.get("drawing").is_some_and(|it| !it.is_null()).into());
        self.put_segment(&id, segment, user, "create");
        Ok(id)
    }

    /// Changes what is given.
    pub fn edit_segment(&mut self, user: &str, asset: &str, id: &str, given: &Object) -> Outcome<()> {
        self.segment(asset, id)?;
        self.check_segment(asset, given, false)?;
        let now = self.time();
        let mut segment = self.review.segments.found(id)?.clone();
        segment.extend(writable(given).filter(|(name, _)| name != "user_id"));
        segment
            .insert("has_drawing".to_owned(), segment.get("drawing").is_some_and(|it| !it.is_null()).into());
        segment.insert("date_modified".to_owned(), now);
        self.put_segment(id, segment, user, "update");
        Ok(())
    }

    /// Takes a segment away, for good or into the state DELETED.
    pub fn delete_segment(&mut self, user: &str, asset: &str, id: &str, soft: bool) -> Outcome<()> {
        self.segment(asset, id)?;
        let mut gone = vec![id.to_owned()];
        if self.settings.segments.delete_takes_replies {
            let path =
                |segment: &Object| segment.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
            let below = format!("{}/", self.review.segments.get(id).map(path).unwrap_or_default());
            let replies = self.review.segments.objects().filter(|segment| path(segment).starts_with(&below));
            gone.extend(replies.filter_map(|segment| segment.get("id")?.as_str().map(str::to_owned)));
        }
        for id in gone {
            self.delete_one_segment(user, &id, soft)?;
        }
        Ok(())
    }

    fn delete_one_segment(&mut self, user: &str, id: &str, soft: bool) -> Outcome<()> {
        let mut segment = self.review.segments.found(id)?.clone();
        segment.insert("status".to_owned(), "DELETED".into());
        segment.insert("date_modified".to_owned(), self.time());
        if soft {
            self.put_segment(id, segment, user, "delete");
            return Ok(());
        }
        self.review.segments.remove(id);
        self.tell_of_segment(segment, user, "delete");
        Ok(())
    }

    /// A segment of this asset, or 404.
    pub(in crate::iconik) fn segment(&self, asset: &str, id: &str) -> Outcome<&Object> {
        self.assets.found(asset)?;
        let segment = self.review.segments.found(id)?;
        match segment.get("asset_id").and_then(Value::as_str) == Some(asset) {
            true => Ok(segment),
            false => Err(Refusal::unknown("Segment", id)),
        }
    }

    /// The job that a bulk call on the segments of an asset answers.
    pub(in crate::iconik) fn segments_job(&mut self, user: &str, asset: &str) -> String {
        self.finished_job(user, "CUSTOM", "Edit segments", &[("assets", asset)])
    }

    /// The segments of an asset as the index has them.
    pub(in crate::iconik) fn listed_segments(&self, asset: &str, wanted: &Wanted) -> Vec<Object> {
        let latest = self.current_version_of(asset);
        let listed = self.review.segments.listed(self.horizon()).into_iter();
        let of_asset = listed.filter(|segment| segment["asset_id"] == asset);
        let shows_deleted = self.settings.segments.list_shows_deleted;
        let found = of_asset.filter(|segment| {
            let names = |key: &str| wanted.equal.iter().any(|(name, _)| *name == key);
            let is_version = wanted.all_versions
                || names("version_id")
                || segment["version_id"].as_str() == latest.as_deref();
            let is_status = shows_deleted || names("status") || segment["status"] != "DELETED";
            is_version && is_status && wanted.matches(segment)
        });
        let mut found: Vec<Object> = found.cloned().collect();
        // Timed ones in the order of the film, then the others as they were said.
        found.sort_by_key(|segment| segment["time_start_milliseconds"].as_u64().unwrap_or(u64::MAX));
        found
    }

    /// Whether these members may be written; the parent, if there is one.
    fn check_segment(&self, asset: &str, given: &Object, is_new: bool) -> Outcome<Option<&Object>> {
        let text = |name: &str| given.get(name).and_then(Value::as_str);
        match (text("segment_type"), is_new) {
            (None, true) => return Err(Refusal::field("segment_type", "Missing data for required field.")),
            (Some(kind), _) if !TYPES.contains(&kind) => {
                return Err(Refusal::field("segment_type", format!("Must be one of: {}.", TYPES.join(", "))));
            }
            _ => {}
        }
        if let Some(version) = text("version_id")
            && self.version(asset, version).is_err()
        {
            return Err(Refusal::field("version_id", format!("Asset {asset} has no version {version}")));
        }
        let time = |name: &str| given.get(name).and_then(Value::as_u64);
        if let (Some(start), Some(end)) = (time("time_start_milliseconds"), time("time_end_milliseconds"))
            && end < start
        {
            return Err(Refusal::field(
                "time_end_milliseconds",
                "Must not be before time_start_milliseconds.",
            ));
        }
        let Some(parent) = text("parent_id").filter(|parent| !parent.is_empty()) else { return Ok(None) };
        let found = self.segment(asset, parent);
        let unknown = |_| Refusal::field("parent_id", format!("Segment {parent} was not found"));
        found.map(Some).map_err(unknown)
    }

    fn put_segment(&mut self, id: &str, segment: Object, user: &str, operation: &'static str) {
        self.review.segments.insert(id, segment.clone());
        self.tell_of_segment(segment, user, operation);
    }

    fn tell_of_segment(&mut self, segment: Object, user: &str, operation: &'static str) {
        let key = if self.settings.webhooks.part_is_object { "id" } else { "asset_id" };
        let object_id = segment.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.emit(Event {
            event_type: "assets",
            realm: "segments",
            operation,
            object_id,
            user_id: user.to_owned(),
            data: Value::Object(segment),
        });
    }
}

fn writable(given: &Object) -> impl Iterator<Item = (String, Value)> + use<'_> {
    let writable = given.iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str()));
    writable.map(|(name, value)| (name.clone(), value.clone()))
}

impl Wanted {
    fn matches(&self, segment: &Object) -> bool {
        let text = |key: &str| segment.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| segment.get(key).and_then(Value::as_u64);
        let words = self.query.as_deref().unwrap_or_default().to_lowercase();
        let said = text("segment_text").to_lowercase();
        self.equal.iter().all(|(key, value)| match number(key) {
            Some(number) => number.to_string() == *value,
            None => text(key) == value,
        }) && (self.ids.is_empty() || self.ids.iter().any(|id| id == text("id")))
            && words.split_whitespace().all(|word| said.contains(word))
            && self
                .from
                .is_none_or(|from| number("time_start_milliseconds").is_some_and(|start| start >= from))
            && self.to.is_none_or(|to| number("time_end_milliseconds").is_some_and(|end| end <= to))
    }
}
