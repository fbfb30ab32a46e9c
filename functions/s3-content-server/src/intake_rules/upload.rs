//! What is known about an uploaded object, as the record that rules read.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use mail_parser::parsers::MessageStream;
use serde_json::{Map, Value as Json, json};
use shared::mapping::{KeyPattern, Members, Record, Scope};

use super::file::Sidecar;

/// The end of a sidecar's key.
pub const SIDECAR_SUFFIX: &str = ".metadata.json";

/// An uploaded object with its metadata.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The media type it was uploaded with.
    pub content_type: Option<String>,
    /// The entity tag, without quotes.
    pub etag: Option<String>,
    /// The version, in a versioned bucket.
    pub version_id: Option<String>,
    /// When it was uploaded.
    pub last_modified: Option<Timestamp>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its user metadata, `x-amz-meta-*` without the prefix.
    pub user: BTreeMap<String, String>,
    /// The contents of its sidecar, when there is one and the rules want it.
    pub sidecar: Option<Json>,
    /// The present moment.
    pub now: Timestamp,
}

impl Upload {
    /// The record that rules read.
    pub fn record(&self) -> Record {
        let name = self.key.rsplit('/').next().unwrap_or_default();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, Some(extension.to_lowercase())),
            _ => (name, None),
        };
        let now = self.now.to_zoned(TimeZone::UTC);
        let user: Map<String, Json> =
            self.user.iter().map(|(key, value)| (key.to_lowercase(), Json::from(decoded(value)))).collect();
        let record = Record::new()
            .with("tag", json!(self.tags))
            .with("user", user)
            .with(
                "object",
                json!({
                    "bucket": self.bucket,
                    "key": self.key,
                    "name": name,
                    "stem": stem,
                    "extension": extension,
                    "size": self.size,
                    "content_type": self.content_type,
                    "etag": self.etag,
                    "version_id": self.version_id,
                    "last_modified": self.last_modified.map(|moment| moment.to_string()),
                }),
            )
            .with("now", json!({ "date": now.date().to_string(), "time": self.now.to_string() }));
        match &self.sidecar {
            Some(sidecar) => record.with("sidecar", sidecar.clone()),
            None => record,
        }
    }
}

/// The text of a metadata value. S3 gives what is not plain ASCII as "encoded words" (RFC 2047), such as
/// `=?UTF-8?Q?Z=C3=BCrich?=`.
fn decoded(value: &str) -> String {
    if !(value.contains("=?") && value.contains("?=")) {
        return value.to_owned();
    }
    let line = format!("{value}\n");
    let text = MessageStream::new(line.as_bytes()).parse_unstructured();
    text.as_text().map_or_else(|| value.to_owned(), str::to_owned)
}

/// What the rules of a file may read.
pub(super) fn scope(patterns: &[KeyPattern], sidecar: Sidecar) -> Scope {
    let mut captures: Vec<String> = patterns.iter().flat_map(KeyPattern::names).map(str::to_owned).collect();
    // A capture that only some of the patterns have would be missing for the others.
    captures.retain(|name| patterns.iter().all(|pattern| pattern.names().contains(&name.as_str())));
    captures.sort();
    captures.dedup();
    let object = [
        "bucket",
        "key",
        "name",
        "stem",
        "extension",
        "size",
        "content_type",
        "etag",
        "version_id",
        "last_modified",
    ];
    let sidecar = match sidecar {
        Sidecar::Ignored => Members::Closed(
            "reads the sidecar, but the rule does not".to_owned(),
            "set `sidecar = \"optional\"` or `\"required\"` on the rule".to_owned(),
        ),
        Sidecar::Optional | Sidecar::Required => Members::Any,
    };
    Scope::new()
        .with("capture", Members::Only(captures))
        .with("tag", Members::Any)
        .with("user", Members::AnyLowerCase)
        .with("sidecar", sidecar)
        .with("object", Members::Only(object.map(str::to_owned).to_vec()))
        .with("now", Members::Only(vec!["date".to_owned(), "time".to_owned()]))
}
