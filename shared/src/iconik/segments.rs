//! Comments, markers and other stretches of an asset.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Client,
    call::Call,
    error::NOT_FOUND,
    ids::{AssetId, SegmentId, UserId, VersionId},
    page::{Pages, Style},
    users::Person,
    wire::{self, words},
};
use crate::error::{FailureClass, Result};

words! {
    /// What kind of segment it is.
    SegmentKind {
        /// Something said in a review.
        Comment = "COMMENT",
        /// A mark.
        Marker = "MARKER",
        /// A finding of quality control.
        QualityControl = "QC",
        /// Anything.
        Generic = "GENERIC",
        /// A tag.
        Tag = "TAG",
        /// Spoken words.
        Transcription = "TRANSCRIPTION",
        /// A scene.
        Scene = "SCENE",
        /// Somebody in the picture.
        Person = "PERSON",
        /// A shot.
        Shot = "SHOT",
        /// Spoken words, by sense.
        SemanticTranscription = "SEMANTIC_TRANSCRIPTION",
    }
}

words! {
    /// Whether a segment was deleted.
    SegmentStatus {
        /// It was not.
        Active = "ACTIVE",
        /// It was, and is kept.
        Deleted = "DELETED",
    }
}

/// A segment. Its text is what people wrote: not for logs.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// Its kind.
    #[serde(default, rename = "segment_type")]
    pub kind: SegmentKind,
    /// Whether it was deleted.
    #[serde(default)]
    pub status: SegmentStatus,
    /// The asset.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
    /// The version.
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// What it says.
    #[serde(default, rename = "segment_text", deserialize_with = "wire::text")]
    pub text: String,
    /// Whether the comment was dealt with.
    #[serde(default, rename = "segment_checked", deserialize_with = "wire::truth")]
    pub is_resolved: bool,
    /// The comment it answers.
    #[serde(default)]
    pub parent_id: Option<SegmentId>,
    /// Where it begins, in milliseconds; a comment may have no time.
    #[serde(default, rename = "time_start_milliseconds", deserialize_with = "wire::integer_or_none")]
    pub starts: Option<i64>,
    /// Where it ends.
    #[serde(default, rename = "time_end_milliseconds", deserialize_with = "wire::integer_or_none")]
    pub ends: Option<i64>,
    /// What an outside system calls it.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub external_id: Option<String>,
    /// Hidden from people outside who see the asset through a share.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_internal: bool,
    /// Whether there is a drawing with it.
    #[serde(default, deserialize_with = "wire::truth")]
    pub has_drawing: bool,
    /// Who wrote it.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// Who wrote it, by name.
    #[serde(default)]
    pub user_info: Option<Person>,
    /// Who wrote it, when somebody outside did.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub share_user_email: Option<String>,
    /// When it was written.
    #[serde(default, rename = "date_created", deserialize_with = "wire::moment_or_none")]
    pub created: Option<Timestamp>,
    /// When it was changed last.
    #[serde(default, rename = "date_modified", deserialize_with = "wire::moment_or_none")]
    pub modified: Option<Timestamp>,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Segment")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("external_id", &self.external_id)
            .finish_non_exhaustive()
    }
}

/// Which segments to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentFilter {
    /// Only of this kind.
    pub kind: Option<SegmentKind>,
    /// Only of this version; of the current one when absent.
    pub version: Option<VersionId>,
    /// Of every version.
    pub all_versions: bool,
}

/// A segment to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSegment {
    /// Its kind.
    pub kind: SegmentKind,
    /// What it says.
    pub text: String,
    /// The version; the current one when absent.
    pub version: Option<VersionId>,
    /// The comment it answers.
    pub parent: Option<SegmentId>,
    /// What we call it: how one whose creation was not confirmed is found again, and how our own are told from others.
    pub external_id: String,
    /// From where to where, in milliseconds.
    pub time: Option<(i64, i64)>,
    /// Hidden from people outside. Tenants before 2026 do not know this.
    pub is_internal: bool,
}

impl NewSegment {
    /// A comment on the whole of the current version.
    pub fn comment(text: impl Into<String>, external_id: impl Into<String>) -> Self {
        Self {
            kind: SegmentKind::Comment,
            text: text.into(),
            version: None,
            parent: None,
            external_id: external_id.into(),
            time: None,
            is_internal: false,
        }
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "segment_type": self.kind, "segment_text": self.text, "external_id": self.external_id,
        });
        if let Some(members) = body.as_object_mut() {
            let version = self.version.as_ref().map(VersionId::as_str);
            let parent = self.parent.as_ref().map(SegmentId::as_str);
            for (key, value) in [("version_id", version), ("parent_id", parent)] {
                members.extend(value.map(|value| (key.to_owned(), value.into())));
            }
            if let Some((starts, ends)) = self.time {
                members.insert("time_start_milliseconds".to_owned(), starts.into());
                members.insert("time_end_milliseconds".to_owned(), ends.into());
            }
            if self.is_internal {
                members.insert("is_internal".to_owned(), true.into());
            }
        }
        body
    }
}

/// What is to be changed of a segment; nothing else is sent.
#[derive(Clone, Default, PartialEq)]
pub struct SegmentChange(Map<String, Value>);

impl SegmentChange {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it says.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.insert("segment_text".to_owned(), text.into());
        self
    }

    /// Whether the comment was dealt with.
    #[must_use]
    pub fn resolved(mut self, resolved: bool) -> Self {
        self.0.insert("segment_checked".to_owned(), resolved.into());
        self
    }
}

fn path(asset: &AssetId) -> [&str; 5] {
    ["assets", "v1", "assets", asset.as_str(), "segments"]
}

fn one<'a>(asset: &'a AssetId, segment: &'a SegmentId) -> [&'a str; 6] {
    let [service, version, kind, asset, segments] = path(asset);
    [service, version, kind, asset, segments, segment.as_str()]
}

impl Client {
    /// The segments of an asset, with who wrote them. The list comes from the index and may be behind.
    pub fn list_segments(&self, asset: &AssetId, filter: &SegmentFilter) -> Pages<'_, Segment> {
        let call = Call::get("list segments", &path(asset))
            .query("include_users", true)
            .query_if("segment_type", filter.kind.as_ref())
            .query_if("version_id", filter.version.as_ref())
            .query_if("include_all_versions", filter.all_versions.then_some(true));
        Pages::new(self, call, Style::Number)
    }

    /// A segment, if it is there.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_segment(&self, asset: &AssetId, segment: &SegmentId) -> Result<Option<Segment>> {
        self.look(&Call::get("get segment", &one(asset, segment))).await
    }

    /// Makes a segment.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for its external id before trying again.
    pub async fn create_segment(&self, asset: &AssetId, new: &NewSegment) -> Result<Segment> {
        self.ask(&Call::post("create segment", &path(asset)).body(new.body())).await
    }

    /// The segment with an external id, made when there is none. When the answer to its making is lost, it is looked for
    /// until the index has had time to show it.
    ///
    /// # Errors
    /// `UnknownOutcome` when it could not be found out whether it was made.
    pub async fn ensure_segment(&self, asset: &AssetId, new: &NewSegment) -> Result<Segment> {
        let find = async || {
            let filter = SegmentFilter { kind: Some(new.kind.clone()), version: None, all_versions: true };
            let is_it = |segment: &Segment| {
                segment.external_id.as_ref() == Some(&new.external_id)
                    && segment.status != SegmentStatus::Deleted
            };
            match self.list_segments(asset, &filter).find(is_it).await {
                // An asset that is gone says so when the segment is made.
                Err(error) if error.code() == NOT_FOUND => Ok(None),
                found => found,
            }
        };
        if let Some(found) = find().await? {
            return Ok(found);
        }
        match self.create_segment(asset, new).await {
            Err(failure) if failure.class() == FailureClass::UnknownOutcome => {
                self.patiently(find).await?.ok_or(failure)
            }
            outcome => outcome,
        }
    }

    /// Changes a segment: only what is given.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`].
    pub async fn update_segment(
        &self,
        asset: &AssetId,
        segment: &SegmentId,
        change: &SegmentChange,
    ) -> Result<Segment> {
        let body = Value::Object(change.0.clone());
        self.ask(&Call::patch("update segment", &one(asset, segment)).body(body)).await
    }

    /// Deletes a segment. By default it is kept as deleted.
    ///
    /// # Errors
    /// As any call; one that is gone already is no failure.
    pub async fn delete_segment(&self, asset: &AssetId, segment: &SegmentId) -> Result<()> {
        let call = Call::delete("delete segment", &one(asset, segment));
        self.remove(&call.query("soft_delete", self.settings.soft_delete_segments)).await
    }
}
