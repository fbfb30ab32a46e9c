//! From what happened to the triggers of automations.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::review::ApprovalKey;
use super::super::{Event, Object, State};

/// What an automation runs for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `assets` or `collections`.
    pub object_type: String,
    /// Id of that.
    pub object_id: String,
    /// The version of an asset.
    pub version_id: Option<String>,
}

/// What a trigger may wait for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Occurrence {
    /// These values were written.
    Metadata(Value),
    /// The approval has this status now.
    ReviewStatus(String),
    /// An asset has content, the first it ever had or not.
    AssetOnline { is_first: bool },
    /// A version has.
    VersionOnline,
    /// An object came into this collection.
    Added(String),
    /// It was taken out of it.
    Removed(String),
    /// An asset was shared.
    Shared { allows_download: bool },
    /// It was archived.
    Archived,
    /// It was brought back.
    Restored,
    /// A copy lies on this storage.
    Transferred(String),
    /// Subtitles in this language were added.
    Subtitle { language: String, closed_captions: bool },
    /// It is this old, in days.
    Created(i64),
    /// It was last changed so many days ago.
    Modified(i64),
}

/// What was seen of an asset.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    is_online: bool,
    online_versions: BTreeSet<String>,
    is_archived: bool,
}

impl State {
    /// The approval of an object has another status. Only a change is told.
    pub(in crate::iconik) fn review_status_changed(
        &mut self,
        user: &str,
        key: &ApprovalKey,
        before: &str,
        after: &str,
    ) {
        if before == after {
            return;
        }
        let subject = Subject {
            object_type: key.object_type.clone(),
            object_id: key.object_id.clone(),
            version_id: key.version_id.clone(),
        };
        self.occurred(user, &subject, &Occurrence::ReviewStatus(after.to_owned()));
    }

    pub(super) fn set_off_automations(&mut self, event: &Event) {
        for (subject, occurrence) in self.occurrences(event) {
            self.occurred(&event.user_id, &subject, &occurrence);
        }
    }

    fn occurrences(&mut self, event: &Event) -> Vec<(Subject, Occurrence)> {
        let data = &event.data;
        let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
        let object = |object_type: &str, object_id: String| {
            let latest = if object_type == "assets" { self.current_version_of(&object_id) } else { None };
            Subject {
                version_id: text("version_id").or(latest),
                object_type: object_type.to_owned(),
                object_id,
            }
        };
        let part = |name: &str| text(name).unwrap_or_else(|| event.object_id.clone());
        let mut found = match (event.realm, event.operation) {
            ("metadata", "create" | "update") => {
                let subject = object(event.event_type, part("object_id"));
                // What webhooks are told need not have the values; automations know them anyway.
                let values = data.get("metadata_values").cloned();
                let values = values.unwrap_or_else(|| self.metadata_of(&subject));
                vec![(subject, Occurrence::Metadata(values))]
            }
            ("contents", operation @ ("create" | "delete")) => {
                let collection = part("collection_id");
                let kind = text("object_type").unwrap_or_else(|| "assets".to_owned());
                let occurrence = match operation {
                    "create" => Occurrence::Added(collection),
                    _ => Occurrence::Removed(collection),
                };
                vec![(object(&kind, part("object_id")), occurrence)]
            }
            ("shares", "create") => {
                let allows_download = data["allow_download"] == true;
                vec![(object(event.event_type, part("object_id")), Occurrence::Shared { allows_download })]
            }
            ("subtitles", "create") => {
                let language = text("language").unwrap_or_default();
                let closed_captions = data["closed_captions"] == true;
                vec![(object("assets", part("asset_id")), Occurrence::Subtitle { language, closed_captions })]
            }
            ("file_sets", "create") => {
                let storage = Occurrence::Transferred(text("storage_id").unwrap_or_default());
                vec![(object("assets", part("asset_id")), storage)]
            }
            _ => Vec::new(),
        };
        if event.event_type == "assets" {
            found.extend(self.changes_of(&part("asset_id")));
        }
        found
    }

    /// What is new about an asset since it was last looked at: content, archiving.
    fn changes_of(&mut self, id: &str) -> Vec<(Subject, Occurrence)> {
        let Some(asset) = self.assets.get(id) else { return Vec::new() };
        let now = Seen::of(asset);
        let version_id = self.current_version_of(id);
        let before = self.notifications.seen.insert(id.to_owned(), now.clone()).unwrap_or_default();
        let subject = Subject { object_type: "assets".to_owned(), object_id: id.to_owned(), version_id };
        let mut found = Vec::new();
        if now.is_online && !before.is_online {
            let is_first = before.online_versions.is_empty();
            found.push((subject.clone(), Occurrence::AssetOnline { is_first }));
        }
        for version in now.online_versions.difference(&before.online_versions) {
            let subject = Subject { version_id: Some(version.clone()), ..subject.clone() };
            found.push((subject, Occurrence::VersionOnline));
        }
        match (before.is_archived, now.is_archived) {
            (false, true) => found.push((subject, Occurrence::Archived)),
            (true, false) => found.push((subject, Occurrence::Restored)),
            _ => {}
        }
        found
    }

    /// Takes what there is as known: nothing of it sets anything off.
    pub(in crate::iconik) fn begin_notifications(&mut self) {
        self.settle();
        let seen = self
            .assets
            .objects()
            .filter_map(|asset| Some((asset.get("id")?.as_str()?.to_owned(), Seen::of(asset))));
        self.notifications.seen = seen.collect();
        self.notifications.waiting.clear();
        self.notifications.made = 0;
        self.notifications.coming.clear();
        self.notifications.happened.clear();
        self.notifications.runs.clear();
    }
}

impl Seen {
    fn of(asset: &Object) -> Self {
        let versions = asset.get("versions").and_then(Value::as_array).into_iter().flatten();
        let online = versions.filter(|version| version["is_online"] == true);
        Self {
            is_online: asset.get("is_online") == Some(&Value::Bool(true)),
            online_versions: online.filter_map(|version| version["id"].as_str().map(str::to_owned)).collect(),
            is_archived: asset.get("archive_status").and_then(Value::as_str) == Some("ARCHIVED"),
        }
    }
}

impl Occurrence {
    /// Whether this is what a trigger waits for. `within` says whether the first collection lies in the second.
    pub(super) fn sets_off(
        &self,
        trigger: &Value,
        subject: &Subject,
        within: &dyn Fn(&str, &str) -> bool,
    ) -> bool {
        let parameters = &trigger["parameters"];
        let listed = |name: &str, wanted: &str| match parameters[name].as_array() {
            Some(list) if !list.is_empty() => list.iter().any(|value| value == wanted),
            _ => true,
        };
        let of_collection = |collection: &str| {
            let wanted =
                parameters["collection_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let deep = parameters["include_subcollections"] == true;
            let kind = parameters["object_type"].as_str().unwrap_or("assets");
            kind.eq_ignore_ascii_case(&subject.object_type)
                && wanted
                    .into_iter()
                    .any(|wanted| wanted == collection || (deep && within(collection, wanted)))
        };
        let days = |name: &str| parameters[name].as_i64().unwrap_or(i64::MAX);
        match (trigger["type"].as_str().unwrap_or_default(), self) {
            ("METADATA_UPDATE", Self::Metadata(written)) => {
                let kind = parameters["event_type"].as_str().unwrap_or("ASSETS");
                kind.eq_ignore_ascii_case(&subject.object_type)
                    && covers(written, &parameters["metadata_values"])
            }
            ("REVIEW_STATUS_CHANGED", Self::ReviewStatus(status)) => listed("statuses", status),
            ("ASSET_ONLINE", Self::AssetOnline { is_first }) => {
                *is_first || parameters["only_first_version"] != true
            }
            ("VERSION_ONLINE", Self::VersionOnline) => true,
            ("OBJECT_ADDED_TO_COLLECTION", Self::Added(collection))
            | ("OBJECT_REMOVED_FROM_COLLECTION", Self::Removed(collection)) => of_collection(collection),
            ("ASSET_SHARE", Self::Shared { allows_download }) => {
                parameters["allow_download"].as_bool().is_none_or(|wanted| wanted == *allows_download)
            }
            ("ARCHIVE", Self::Archived) | ("RESTORE", Self::Restored) => true,
            ("TRANSFER_TO_STORAGE", Self::Transferred(storage)) => {
                parameters["storage_id"].as_str().is_none_or(|wanted| wanted == storage)
            }
            ("SUBTITLE_ADDED", Self::Subtitle { language, closed_captions }) => {
                parameters["language"].as_str().is_none_or(|wanted| wanted == language)
                    && parameters["closed_captions"].as_bool().is_none_or(|wanted| wanted == *closed_captions)
            }
            ("CREATED_AT_TRANSITION", Self::Created(age)) => *age >= days("days_since_created"),
            ("MODIFIED_AT_TRANSITION", Self::Modified(age)) => *age >= days("days_since_modified"),
            _ => false,
        }
    }
}

/// Whether what was written has each field that is waited for, with each value named for it.
pub(super) fn covers(written: &Value, wanted: &Value) -> bool {
    let values = |field: &Value| field["field_values"].as_array().cloned().unwrap_or_default();
    wanted.as_object().is_none_or(|wanted| {
        wanted.iter().all(|(name, field)| {
            let found = written.get(name);
            let has = |value: &Value| {
                found.is_some_and(|field| values(field).iter().any(|it| it["value"] == value["value"]))
            };
            found.is_some() && values(field).iter().all(has)
        })
    })
}
