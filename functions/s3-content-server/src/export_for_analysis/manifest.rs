//! What a run writes for those who read the data set: one line for each document version, and the marker at its end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use shared::{
    content_server::Version,
    error::{Error, Result},
    ledger::Key,
    mapping::{Mapped, Record, Value, Violations},
};

use super::{Mode, gate::Seen, remembered::Kept};
use crate::export_rules::DataSet;

/// The `schema` of a marker.
pub(super) const SCHEMA: &str = "waybill.data-set.v1";

/// A line of a data set's `manifest.jsonl`: one version of one document, or a document that is withdrawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What identifies it: data set, run, document and version.
    pub item: String,
    /// What the run did with it.
    pub state: State,
    /// The document's number in Content Server.
    pub id: i64,
    /// The number of its version; nothing for a document that is withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Why it is withdrawn, one of the reason codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What there is to know about a version that may be used.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
}

/// What the run did with a document version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was copied in this run.
    Exported,
    /// An earlier run copied it; its object is still there and was checked.
    Referenced,
    /// It was in the data set and must not be used any more: remove what was made from it.
    Withdrawn,
}

/// A version that may be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The document's name.
    pub name: String,
    /// The names of the containers it is in, from the volume down.
    pub path: Vec<String>,
    /// When the document was changed last, by Content Server's clock.
    pub modified: Option<String>,
    /// The name of the version's file.
    pub file_name: String,
    /// Its media type, as Content Server has it.
    pub media_type: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// CRC64-NVME of the content, as S3 writes it.
    pub crc64_nvme: String,
    /// The bucket.
    pub bucket: String,
    /// The key of the object that holds the content.
    pub key: String,
    /// Its version, in a bucket that keeps them.
    pub object_version: Option<String>,
    /// What the rules say of it, by the names they give.
    pub metadata: BTreeMap<String, Json>,
}

/// A data set's `_SUCCESS`: written last, it says that everything the manifest names is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Marker {
    /// `waybill.data-set.v1`.
    pub schema: String,
    /// The data set.
    pub data_set: String,
    /// The run.
    pub run: String,
    /// `full`: every document there is; `incremental`: what changed since an earlier run, and perhaps a little more;
    /// `selected`: what a saved query finds.
    pub mode: Mode,
    /// When the run began.
    pub begun: String,
    /// Since when an incremental run looked for changes.
    pub since: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// The manifest.
    pub manifest: ManifestObject,
    /// How many versions and documents of each state the manifest has.
    pub documents: Counts,
    /// Documents that were found and are not in the data set, by reason code. Nothing else is said of them.
    pub excluded: BTreeMap<String, u64>,
    /// Bytes of the versions that were copied in this run.
    pub bytes: u64,
}

/// Where a manifest is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestObject {
    /// Its key.
    pub key: String,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Lines.
    pub lines: u64,
}

/// How many of each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Copied in this run.
    pub exported: u64,
    /// Copied by an earlier one.
    pub referenced: u64,
    /// Not to be used any more.
    pub withdrawn: u64,
}

impl Counts {
    pub(super) fn count(&mut self, state: State) {
        match state {
            State::Exported => self.exported += 1,
            State::Referenced => self.referenced += 1,
            State::Withdrawn => self.withdrawn += 1,
        }
    }
}

impl Line {
    /// A version that may be used.
    pub(super) fn of(
        (data_set, run): (&str, &str),
        seen: &Seen,
        version: &Version,
        kept: &Kept,
        metadata: BTreeMap<String, Json>,
    ) -> Self {
        let stored = &kept.stored;
        Self {
            item: item(data_set, run, seen.node.id.0, Some(version.number)),
            state: if kept.run == run { State::Exported } else { State::Referenced },
            id: seen.node.id.0,
            version: Some(version.number),
            reason: None,
            content: Some(Content {
                name: seen.node.name.clone(),
                path: seen.path.clone(),
                modified: seen.node.modified.map(|modified| modified.to_string()),
                file_name: version.file_name.clone(),
                media_type: version.mime_type.clone(),
                size: stored.size,
                sha256: stored.sha256.clone(),
                crc64_nvme: stored.crc64_nvme.clone(),
                bucket: stored.bucket.clone(),
                key: stored.key.clone(),
                object_version: stored.version_id.clone(),
                metadata,
            }),
        }
    }

    /// A document that must not be used any more.
    pub(super) fn withdrawn((data_set, run): (&str, &str), node: i64, why: &str) -> Self {
        Self {
            item: item(data_set, run, node, None),
            state: State::Withdrawn,
            id: node,
            version: None,
            reason: Some(why.to_owned()),
            content: None,
        }
    }

    /// The line as it is written, with its end.
    pub(super) fn text(&self) -> Result<String> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::bug("write manifest", "a line is not JSON").source(error))?;
        Ok(text + "\n")
    }
}

fn item(data_set: &str, run: &str, node: i64, version: Option<i64>) -> String {
    let version = version.map(|version| version.to_string()).unwrap_or_default();
    Key::of(&[data_set, run, &node.to_string(), &version]).digest().to_owned()
}

/// What the rules say of a version; nothing when something of it does not fit them.
pub(super) fn metadata(
    data_set: &DataSet,
    seen: &Seen,
    version: &Version,
) -> Result<BTreeMap<String, Json>, Violations> {
    let node = &seen.node;
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let mut categories = Map::new();
    for category in &seen.categories {
        let mut values = Map::new();
        for attribute in &category.values {
            // Rows of a set become a list.
            match values.get_mut(&attribute.name) {
                Some(Json::Array(rows)) if attribute.row.is_some() => rows.push(attribute.value.clone()),
                _ if attribute.row.is_some() => {
                    values.insert(attribute.name.clone(), json!([attribute.value]));
                }
                _ => {
                    values.insert(attribute.name.clone(), attribute.value.clone());
                }
            }
        }
        categories.insert(category.name.clone(), values.into());
    }
    let record = Record::new()
        .with("category", categories)
        .with(
            "node",
            json!({
                "id": node.id, "name": node.name, "description": node.description, "path": seen.path.join("/"),
                "created": moment(node.created), "modified": moment(node.modified),
            }),
        )
        .with(
            "version",
            json!({
                "number": version.number, "label": version.label, "file_name": version.file_name,
                "media_type": version.mime_type, "size": version.file_size, "created": moment(version.created),
            }),
        );
    let mut violations = Violations::new();
    let Mapped { fields, .. } = data_set.fields.apply(&record, "", &mut violations);
    violations.finish(fields.into_iter().map(|field| (field.to, plain(&field.value))).collect())
}

/// A mapped value as JSON has it. Decimals stay text, to stay exact.
fn plain(value: &Value) -> Json {
    match value {
        Value::Integer(number) => (*number).into(),
        Value::Boolean(truth) => (*truth).into(),
        Value::List(values) => values.iter().map(plain).collect(),
        value => value.to_string().into(),
    }
}

/// The JSON Schema of a manifest's lines, for whoever reads them.
pub fn manifest_schema() -> String {
    schema(schemars::schema_for!(Line), "Waybill: line of a data set's manifest.jsonl")
}

/// The JSON Schema of markers, for whoever reads them.
pub fn marker_schema() -> String {
    schema(schemars::schema_for!(Marker), "Waybill: marker of a data set, _SUCCESS")
}

fn schema(mut schema: schemars::Schema, title: &str) -> String {
    schema.insert("title".to_owned(), title.into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_withdrawn_says_nothing_but_which_document_and_why() {
        let line = Line::withdrawn(("claims", "r1"), 4711, "excluded.rights");
        let text = line.text().unwrap();
        let members: Json = serde_json::from_str(&text).unwrap();
        let names: Vec<&str> = members.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["item", "state", "id", "reason"]);
        assert!(text.ends_with("}\n"));
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
    }

    #[test]
    fn a_line_is_told_apart_by_data_set_run_document_and_version() {
        let items = [
            item("claims", "r1", 4711, Some(1)),
            item("claims", "r1", 4711, Some(2)),
            item("claims", "r1", 4712, Some(1)),
            item("claims", "r2", 4711, Some(1)),
            item("other", "r1", 4711, Some(1)),
            item("claims", "r1", 4711, None),
        ];
        let different: std::collections::BTreeSet<&String> = items.iter().collect();
        assert_eq!(different.len(), items.len());
    }

    /// The published schemas are those of the code; `UPDATE_SCHEMA=1` writes them.
    #[test]
    fn the_published_schemas_are_those_in_force() {
        for (name, schema) in [("export-manifest", manifest_schema()), ("export-marker", marker_schema())] {
            let file = format!("{}/rules/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("UPDATE_SCHEMA").is_some() {
                std::fs::write(&file, &schema).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&file).unwrap(), schema, "{name}");
        }
    }
}
