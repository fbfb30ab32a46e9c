//! What is in a replica and in Content Server, in one form, so that they can be compared: read here from the documented
//! JSON and from the simulator's state, with none of the flow's own code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};
use simulators::content_server::{
    State,
    state::{AttributeKind, Node},
};
use tests::storm::{Broken, CONTENT, World};

/// The beginning of every key.
pub const PREFIX: &str = "plans/";

/// The objects of the replica.
pub struct Replica(BTreeMap<String, Vec<u8>>);

/// What a document or folder is like, whoever says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub name: String,
    pub description: String,
    pub parent: i64,
    /// Number, file name, size and SHA-256 of each version.
    pub versions: Vec<(i64, String, u64, String)>,
    /// Values by category, attribute and row.
    pub values: BTreeMap<(i64, String, u64), String>,
    /// Rights by member; those of everybody under 0.
    pub rights: BTreeMap<i64, BTreeSet<String>>,
    pub classifications: BTreeSet<i64>,
    pub records: BTreeSet<i64>,
}

impl Facts {
    /// The parts that a restored thing has in common with its original.
    pub fn restorable(&self) -> Self {
        let versions =
            self.versions.iter().map(|(_, name, size, sha256)| (0, name.clone(), *size, sha256.clone()));
        Self {
            name: String::new(),
            parent: 0,
            versions: versions.collect(),
            records: BTreeSet::new(),
            ..self.clone()
        }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Replica {
    pub fn of(world: &World) -> Self {
        let objects = world.aws.s3().versions(CONTENT).into_iter();
        Self(objects.map(|object| (object.key, object.data.to_vec())).collect())
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn json(&self, key: &str) -> Option<Value> {
        serde_json::from_slice(self.0.get(key)?).ok()
    }

    /// The record of a node.
    pub fn record(&self, node: i64) -> Option<Value> {
        self.json(&format!("{PREFIX}{node}/record.json"))
    }

    /// The newest revision of a node; an error when it is not what the record says.
    pub fn revision(&self, node: i64) -> Result<Option<Value>, Broken> {
        let Some(record) = self.record(node) else { return Ok(None) };
        let key = record["revision"]["key"].as_str().unwrap_or_default();
        let bytes = self.0.get(key).ok_or_else(|| Broken(format!("{key} is not there")))?;
        if record["revision"]["sha256"] != sha256(bytes) {
            return Err(Broken(format!("{key} is not what its record says")));
        }
        Ok(serde_json::from_slice(bytes).ok())
    }

    /// What the newest revision of a node says; an error when a content is not what it says.
    pub fn facts(&self, node: i64) -> Result<Option<Facts>, Broken> {
        let Some(revision) = self.revision(node)? else { return Ok(None) };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut versions = Vec::new();
        for one in list(&revision["versions"]) {
            let (version, content) = (&one["version"], &one["content"]);
            let key = text(&content["key"]);
            let found = self.0.get(&key).map(|bytes| sha256(bytes)).unwrap_or_default();
            if content["sha256"] != found {
                return Err(Broken(format!("{key} is not what the revision says")));
            }
            versions.push((
                version["number"].as_i64().unwrap_or_default(),
                text(&version["fileName"]),
                content["size"].as_u64().unwrap_or_default(),
                found,
            ));
        }
        let described = &revision["node"];
        let mut values = BTreeMap::new();
        for category in list(&described["categories"]) {
            for value in list(&category["values"]) {
                let row = value["row"].as_u64().unwrap_or_default();
                let place = (category["id"].as_i64().unwrap_or_default(), text(&value["name"]), row);
                values.insert(place, plain(&value["value"]));
            }
        }
        let mut rights = BTreeMap::new();
        for grant in list(&described["permissions"]) {
            let holder = match grant["holder"].as_str() {
                Some("public") => 0,
                Some(member) if member.parse::<i64>().is_ok() => member.parse().unwrap_or_default(),
                _ => continue,
            };
            rights.insert(holder, list(&grant["rights"]).iter().map(text).collect());
        }
        let ids = |value: &Value| list(value).iter().filter_map(Value::as_i64).collect();
        let classes =
            list(&described["records"]).iter().filter_map(|record| record["class"].as_i64()).collect();
        Ok(Some(Facts {
            name: text(&described["name"]),
            description: text(&described["description"]),
            parent: revision["parent"].as_i64().unwrap_or_default(),
            versions,
            values,
            rights: filled(rights),
            classifications: ids(&described["classifications"]),
            records: classes,
        }))
    }

    /// SHA-256 of every content that anything vouches for.
    pub fn contents(&self) -> BTreeSet<String> {
        let is_content = |key: &&String| !key.ends_with(".json") && !key.ends_with(".jsonl");
        self.0.iter().filter(|(key, _)| is_content(key)).map(|(_, bytes)| sha256(bytes)).collect()
    }
}

/// What Content Server has.
pub fn facts_of(state: &State, node: &Node) -> Facts {
    let mut values = BTreeMap::new();
    for (category, assigned) in &node.categories {
        let definition = state.categories.get(category).expect("a category");
        for (key, value) in assigned.values.iter().filter(|(_, value)| !plain(value).is_empty()) {
            let numbers: Vec<i64> = key.split('_').filter_map(|part| part.parse().ok()).collect();
            let attribute = |id: i64| definition.attribute(id).expect("an attribute");
            let (name, row) = match numbers.as_slice() {
                [set, row, member] => {
                    let AttributeKind::Set { members, .. } = &attribute(*set).kind else { continue };
                    let member = members.iter().find(|one| one.id == *member).expect("a member of the set");
                    (
                        format!("{}:{}", attribute(*set).name, member.name),
                        u64::try_from(*row).unwrap_or_default(),
                    )
                }
                [id] => (attribute(*id).name.clone(), 0),
                _ => continue,
            };
            values.insert((*category, name, row), plain(value));
        }
    }
    let word = |right: &simulators::content_server::state::Permission| {
        serde_json::to_value(right).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let mut rights: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for (member, granted) in &node.permissions.custom {
        rights.insert(*member, granted.iter().map(word).collect());
    }
    rights.insert(0, node.permissions.public.iter().flatten().map(word).collect());
    Facts {
        name: node.name.clone(),
        description: node.description.clone(),
        parent: node.parent_id,
        versions: node
            .versions
            .iter()
            .map(|version| {
                let content = &version.content;
                (version.number, version.file_name.clone(), content.size, content.sha256.clone())
            })
            .collect(),
        values,
        rights: filled(rights),
        classifications: node.classifications.iter().copied().collect(),
        records: node.record.iter().map(|record| record.class).collect(),
    }
}

fn filled(rights: BTreeMap<i64, BTreeSet<String>>) -> BTreeMap<i64, BTreeSet<String>> {
    rights.into_iter().filter(|(_, rights)| !rights.is_empty()).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            values.iter().map(plain).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("|")
        }
        other => other.to_string(),
    }
}
