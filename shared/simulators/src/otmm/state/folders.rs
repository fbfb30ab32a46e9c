//! Folders and what is in them.

use serde_json::Value;

use super::metadata::{as_text, entries};
use super::{Asset, CHANGE, Failed, Outcome, Refusal, State};

impl State {
    /// A folder that is not deleted.
    pub fn folder(&self, id: &str) -> Outcome<&Asset> {
        let found = self.assets.get(id).filter(|asset| asset.is_folder() && asset.deleted.is_none());
        found.ok_or_else(|| Refusal::NotFound(format!("The folder {id} does not exist")))
    }

    /// Folders that are in no folder.
    pub fn roots(&self) -> Vec<&Asset> {
        let is_root =
            |asset: &&Asset| asset.is_folder() && asset.parents.is_empty() && asset.deleted.is_none();
        let mut found: Vec<&Asset> = self.assets.values().filter(is_root).collect();
        found.sort_by_key(|asset| asset.number);
        found
    }

    /// What is in a folder: of each asset the latest version.
    pub fn children(&self, folder: &str, with_deleted: bool) -> Vec<&Asset> {
        let is_inside = |asset: &&Asset| {
            asset.latest
                && !asset.hidden
                && (with_deleted || asset.deleted.is_none())
                && asset.parents.iter().any(|parent| parent == folder)
        };
        let mut found: Vec<&Asset> = self.assets.values().filter(is_inside).collect();
        found.sort_by_key(|asset| asset.number);
        found
    }

    /// Security policies as a request names them.
    pub(super) fn read_policies(&self, list: Option<&Value>) -> Outcome<Vec<i64>> {
        let mut found = Vec::new();
        for policy in entries(list) {
            let named = policy.get("id").and_then(as_text).unwrap_or_else(|| policy.to_string());
            let id = named.parse::<i64>().ok();
            match id.filter(|id| self.policies.iter().any(|policy| policy.id == *id)) {
                Some(id) => found.push(id),
                None => return Err(Refusal::Business(format!("There is no security policy {named}"))),
            }
        }
        Ok(found)
    }

    /// Makes a folder.
    pub(in crate::otmm) fn create_folder(
        &mut self,
        user: &str,
        parent: &str,
        asked: &Value,
    ) -> Outcome<String> {
        self.needs(user, CHANGE)?;
        self.folder(parent)?;
        let text =
            |name: &str| asked.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let name = text("name").ok_or_else(|| Refusal::Business("The folder has no name".to_owned()))?;
        let kind = text("container_type_id");
        let kind = kind.ok_or_else(|| Refusal::Business("The folder has no container_type_id".to_owned()))?;
        if kind != super::FOLDER_TYPE {
            return Err(Refusal::Business(format!("There is no folder type {kind}")));
        }
        let model = text("metadata_model_id").unwrap_or(super::FOLDER_MODEL).to_owned();
        let elements = asked.get("metadata").and_then(|metadata| metadata.get("metadata_element_list"));
        let changes = self.read_changes(&model, elements)?;
        let policies = self.read_policies(asked.get("security_policy_list"))?;
        let draft = self.draft(name, &model, user);
        let mut folder =
            Asset { folder_type: Some(kind.to_owned()), parents: vec![parent.to_owned()], policies, ..draft };
        self.apply(&mut folder, changes)?;
        // The name of the request is the folder's, whatever its fields say.
        name.clone_into(&mut folder.name);
        Ok(self.add(folder))
    }

    /// Puts assets into a folder, beside where they are.
    pub(in crate::otmm) fn add_children(
        &mut self,
        user: &str,
        folder: &str,
        ids: Vec<String>,
    ) -> Outcome<(Vec<String>, Vec<Failed>)> {
        self.folder(folder)?;
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        let may = self.needs(user, CHANGE).is_ok();
        for id in ids {
            let reason = match self.asset(&id) {
                _ if !may => Some("USER_GROUP_CANNOT_CREATE_CONTAINER"),
                Err(_) => Some("NOT_EXIST"),
                Ok(asset) if asset.parents.iter().any(|parent| parent == folder) => Some("EXISTING_ELEMENT"),
                Ok(asset) if asset.is_folder() && !asset.parents.is_empty() => Some("SINGLE_PARENT"),
                Ok(asset) if asset.is_folder() && self.is_below(folder, &id) => {
                    Some("CONTAINER_TYPE_NOT_ALLOWED")
                }
                Ok(_) => None,
            };
            match reason {
                Some(reason) => failed.push(Failed { id, reason: reason.to_owned() }),
                None => {
                    if let Some(asset) = self.assets.get_mut(&id) {
                        asset.parents.push(folder.to_owned());
                    }
                    self.touch(&id, user);
                    done.push(id);
                }
            }
        }
        Ok((done, failed))
    }

    /// Whether a folder is another, or somewhere in it.
    pub(super) fn is_below(&self, folder: &str, above: &str) -> bool {
        let (mut waiting, mut seen) = (vec![folder.to_owned()], Vec::new());
        while let Some(id) = waiting.pop() {
            if id == above {
                return true;
            }
            if let Some(asset) = self.assets.get(&id).filter(|_| !seen.contains(&id)) {
                waiting.extend(asset.parents.iter().cloned());
            }
            seen.push(id);
        }
        false
    }
}
