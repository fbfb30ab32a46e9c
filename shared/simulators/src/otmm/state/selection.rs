//! Which assets a call is about.

use serde_json::Value;

use super::metadata::{as_text, entries};
use super::{Outcome, Refusal, State};

const BY_ID: &str = "com.artesia.asset.selection.AssetIdsSelectionContext";
const BY_FOLDER: &str = "com.artesia.asset.selection.FolderSelectionContext";

impl State {
    /// The ids that a selection context names, whether or not there are such assets.
    pub(in crate::otmm) fn select(&self, context: &Value) -> Outcome<Vec<String>> {
        let text = |name: &str| context.get(name).and_then(Value::as_str).unwrap_or_default();
        let flag = |name: &str| context.get(name).is_some_and(|flag| flag == true || flag == "true");
        let (with_deleted, with_folders) = (flag("include_deleted_assets"), text("child_type") != "ASSETS");
        let roots: Vec<String> = match text("type") {
            BY_ID => entries(context.get("asset_ids")).into_iter().filter_map(as_text).collect(),
            BY_FOLDER => {
                let folder = context.get("folder_id").and_then(as_text).unwrap_or_default();
                self.folder(&folder)?;
                self.children(&folder, with_deleted).into_iter().map(|child| child.id.clone()).collect()
            }
            other => {
                return Err(Refusal::Invalid(format!("There is no selection context of type '{other}'")));
            }
        };
        let named = if text("type") == BY_ID { roots.len() } else { 0 };
        let mut found = roots;
        let first = found.len();
        let (mut at, descends) = (0, text("include_descendants"));
        while at < found.len() && (descends == "ALL" || descends == "IMMEDIATE" && at < first) {
            let Some(id) = found.get(at).cloned() else { break };
            for child in self.children(&id, with_deleted) {
                if !found.contains(&child.id) {
                    found.push(child.id.clone());
                }
            }
            at += 1;
        }
        // What is named by its id is meant, whatever it is.
        let is_wanted =
            |id: &String| with_folders || !self.assets.get(id).is_some_and(super::Asset::is_folder);
        let mut at = 0;
        found.retain(|id| {
            at += 1;
            at <= named || is_wanted(id)
        });
        Ok(found)
    }
}
