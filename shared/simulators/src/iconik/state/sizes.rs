//! How much of the storages assets take.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Object, State};

/// What assets take, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Their files.
    pub files: u64,
    /// Their web previews.
    pub proxies: u64,
    /// Their files, by storage.
    pub storages: BTreeMap<String, u64>,
}

impl State {
    /// What these assets take together; other objects in the list take nothing.
    pub fn sizes_of(&self, objects: &[(String, String)]) -> Sizes {
        let text = |object: &Object, name: &str| {
            object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let size = |object: &Object| object.get("size").and_then(Value::as_u64).unwrap_or_default();
        let counts = |object: &&Object| {
            let asset = text(object, "asset_id");
            text(object, "status") != "DELETED"
                && objects.iter().any(|(kind, id)| kind == "assets" && *id == asset)
        };
        let mut sizes = Sizes::default();
        for file in self.media.files.objects().filter(counts) {
            sizes.files += size(file);
            *sizes.storages.entry(text(file, "storage_id")).or_default() += size(file);
        }
        sizes.proxies = self.media.proxies.objects().filter(counts).map(size).sum();
        sizes
    }
}
