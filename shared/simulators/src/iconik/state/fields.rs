//! What assets and collections are made of, and which of it a caller may write.

use serde_json::{Value, json};

use super::{Object, Outcome, Refusal};
use crate::iconik::dates;
use crate::iconik::settings::UnknownFields;

/// What a field takes.
enum Takes {
    /// Nothing: only iconik sets it.
    Nothing,
    /// A text that has to be there.
    Needed,
    /// A text, or nothing.
    Text,
    /// One of these.
    OneOf(&'static [&'static str]),
    Bool,
    Number,
    Texts,
    Date,
}

use Takes::{Bool, Date, Needed, Nothing, Number, OneOf, Text, Texts};

const ARCHIVE: &[&str] = &["NOT_ARCHIVED", "ARCHIVING", "FAILED_TO_ARCHIVE", "ARCHIVED"];
const PROGRESS: &[&str] = &["N/A", "REQUESTED", "IN_PROGRESS", "FAILED", "DONE"];

const ASSET: &[(&str, Takes)] = &[
    ("title", Needed),
    (
        "type",
        OneOf(&["ASSET", "SEQUENCE", "NLE_PROJECT", "PLACEHOLDER", "CUSTOM", "LINK", "SUBCLIP", "POST"]),
    ),
    ("status", OneOf(&["ACTIVE", "DELETED"])),
    ("category", Text),
    ("external_id", Text),
    ("external_link", Text),
    ("site_name", Text),
    ("warning", Text),
    ("is_blocked", Bool),
    ("is_online", Bool),
    ("archive_status", OneOf(ARCHIVE)),
    ("analyze_status", OneOf(PROGRESS)),
    ("face_recognition_status", OneOf(PROGRESS)),
    ("has_unconfirmed_persons", Bool),
    ("person_ids", Texts),
    ("custom_keyframe", Text),
    ("custom_poster", Text),
    ("original_asset_id", Text),
    ("original_version_id", Text),
    ("original_segment_id", Text),
    ("time_start_milliseconds", Number),
    ("time_end_milliseconds", Number),
    ("clip_id", Number),
    ("limit_download_to_groups", Texts),
    ("last_archive_restore_date", Date),
    ("date_created", Date),
    ("date_deleted", Date),
    // Takes effect only when an asset is made.
    ("collection_id", Text),
    ("id", Nothing),
    ("versions", Nothing),
    ("in_collections", Nothing),
    ("favoured", Nothing),
    ("date_modified", Nothing),
    ("date_imported", Nothing),
    ("date_viewed", Nothing),
    ("created_by_user", Nothing),
    ("updated_by_user", Nothing),
    ("deleted_by_user", Nothing),
    ("created_by_user_info", Nothing),
    ("updated_by_user_info", Nothing),
    ("deleted_by_user_info", Nothing),
];

const COLLECTION: &[(&str, Takes)] = &[
    ("title", Needed),
    ("parent_id", Text),
    ("category", Text),
    ("external_id", Text),
    ("storage_id", Text),
    ("project_id", Text),
    ("custom_keyframe", Text),
    ("custom_poster", Text),
    ("keyframe_asset_ids", Texts),
    ("status", OneOf(&["ACTIVE", "HIDDEN", "DELETED"])),
    ("custom_order_status", OneOf(&["DISABLED", "ENABLING", "ENABLED"])),
    ("date_created", Date),
    ("date_deleted", Date),
    ("id", Nothing),
    ("object_type", Nothing),
    ("is_root", Nothing),
    ("parents", Nothing),
    ("in_collections", Nothing),
    ("keyframes", Nothing),
    ("metadata", Nothing),
    ("permissions", Nothing),
    ("position", Nothing),
    ("favoured", Nothing),
    ("date_modified", Nothing),
    ("created_by_user", Nothing),
    ("created_by_user_info", Nothing),
    ("deleted_by_user", Nothing),
];

const VERSION: &[(&str, Takes)] = &[
    ("status", OneOf(&["ACTIVE", "IN_PROGRESS", "FAILED", "DELETING", "DELETED"])),
    ("archive_status", OneOf(ARCHIVE)),
    ("analyze_status", OneOf(PROGRESS)),
    ("face_recognition_status", OneOf(PROGRESS)),
    ("transcribe_status", OneOf(PROGRESS)),
    ("transcribed_languages", Texts),
    ("is_online", Bool),
    ("has_unconfirmed_persons", Bool),
    ("person_ids", Texts),
    ("id", Nothing),
    ("version_number", Nothing),
    ("created_by_user", Nothing),
    ("created_by_user_info", Nothing),
    ("date_created", Nothing),
];

/// What is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Asset,
    Collection,
    Version,
}

/// What a caller may write of what was sent; or what is wrong with it.
pub(super) fn writable(kind: Kind, given: Object, unknown: UnknownFields) -> Outcome<Object> {
    let fields = match kind {
        Kind::Asset => ASSET,
        Kind::Collection => COLLECTION,
        Kind::Version => VERSION,
    };
    let mut wrong = Vec::new();
    let mut written = Object::new();
    for (name, value) in given {
        match fields.iter().find(|(known, _)| *known == name) {
            None if unknown == UnknownFields::Refused => wrong.push((name, "Unknown field.".to_owned())),
            None | Some((_, Nothing)) => {}
            Some((_, takes)) => match fault(takes, &value) {
                Some(why) => wrong.push((name, why)),
                None => drop(written.insert(name, value)),
            },
        }
    }
    if wrong.is_empty() { Ok(written) } else { Err(Refusal::Invalid(wrong)) }
}

/// What is wrong with a value.
fn fault(takes: &Takes, value: &Value) -> Option<String> {
    let not = |what: &str| Some(format!("Not a valid {what}."));
    match (takes, value) {
        (Needed, Value::Null) => Some("Field may not be null.".to_owned()),
        (Needed, Value::String(text)) if text.is_empty() => Some("Shorter than minimum length 1.".to_owned()),
        (OneOf(_) | Bool | Texts, Value::Null) => Some("Field may not be null.".to_owned()),
        (_, Value::Null) | (Nothing, _) => None,
        (Needed | Text, value) if !value.is_string() => not("string"),
        (Needed | Text, _) => None,
        (Bool, value) if !value.is_boolean() => not("boolean"),
        (Number, value) if !value.is_i64() => not("integer"),
        (Bool | Number, _) => None,
        (Texts, Value::Array(list)) if list.iter().all(Value::is_string) => None,
        (Texts, _) => not("list"),
        (OneOf(allowed), value) => match value.as_str().is_some_and(|text| allowed.contains(&text)) {
            true => None,
            false => Some(format!("Must be one of: {}.", allowed.join(", "))),
        },
        (Date, value) => match value.as_str().and_then(dates::read) {
            Some(_) => None,
            None => not("datetime"),
        },
    }
}

/// Writes times as they are kept.
pub(super) fn keep_dates(object: &mut Object) {
    for (name, value) in object.iter_mut() {
        let is_date = name.starts_with("date_") || name.ends_with("_date");
        let time = value.as_str().filter(|_| is_date).and_then(dates::read);
        if let Some(time) = time {
            *value = dates::kept(time).into();
        }
    }
}

/// An asset to which nothing was given.
pub(super) fn new_asset() -> Object {
    object(json!({
        "type": "ASSET", "status": "ACTIVE", "category": null, "external_id": null, "external_link": null,
        "site_name": null, "warning": null, "is_blocked": false, "is_online": false, "archive_status": "NOT_ARCHIVED",
        "analyze_status": "N/A", "face_recognition_status": "N/A", "has_unconfirmed_persons": false, "person_ids": [],
        "custom_keyframe": null, "custom_poster": null, "original_asset_id": null, "original_version_id": null,
        "original_segment_id": null, "time_start_milliseconds": null, "time_end_milliseconds": null, "clip_id": null,
        "limit_download_to_groups": null, "last_archive_restore_date": null,
    }))
}

/// A collection to which nothing was given. What a widely used client cannot read as null has a value.
pub(super) fn new_collection() -> Object {
    object(json!({
        "object_type": "collections", "status": "ACTIVE", "parent_id": null, "category": null, "external_id": null,
        "storage_id": null, "project_id": null, "custom_keyframe": null, "custom_poster": null, "keyframe_asset_ids": [],
        "custom_order_status": "DISABLED", "keyframes": [], "metadata": {}, "permissions": [], "position": 0,
        "date_deleted": null, "deleted_by_user": null,
    }))
}

/// A version.
pub(super) fn new_version(id: &str, number: i64, user: &str, now: Value) -> Object {
    object(json!({
        "id": id, "version_number": number, "status": "ACTIVE", "analyze_status": "N/A",
        "archive_status": "NOT_ARCHIVED", "face_recognition_status": "N/A", "transcribe_status": "N/A",
        "transcribed_languages": [], "is_online": false, "has_unconfirmed_persons": false, "person_ids": [],
        "created_by_user": user, "date_created": now,
    }))
}

/// The object of a literal.
pub(super) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
