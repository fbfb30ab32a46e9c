//! Folders and collections. An asset may be in many of them.

use serde_json::{Value, json};

use super::{
    Client,
    asset::{Asset, Policy, policies},
    assets::{Load, selection},
    call::Call,
    error::{Effect, failure, said, unexpected},
    ids::{AssetId, CollectionId, ModelId, PolicyId},
    metadata_change::MetadataChange,
    pages::Pages,
    states::reason,
    wire,
};
use crate::error::{FailureClass, Result};

/// A folder to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewFolder {
    /// Its name.
    pub name: String,
    /// Its type; that of the settings when absent.
    pub folder_type: Option<String>,
    /// The model of its metadata; that of the settings when absent.
    pub model: Option<ModelId>,
    /// Its metadata.
    pub metadata: MetadataChange,
    /// Its policies; those of the settings when empty.
    pub policies: Vec<PolicyId>,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// Its name.
    pub name: String,
}

/// What became of assets that were put into a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddOutcome {
    /// Those that are in it now, those among them that were before.
    pub added: Vec<AssetId>,
    /// Those that are not.
    pub refused: Vec<Refused>,
}

/// An asset that a folder does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The asset.
    pub id: AssetId,
    /// Why: `SINGLE_PARENT`, `NOT_EXIST`, `EXCEEDED_LIMIT`, `CONTAINER_TYPE_NOT_ALLOWED` and others.
    pub reason: String,
}

impl Client {
    /// A folder.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_folder(&self, id: &AssetId, load: Load) -> Result<Asset> {
        let call = load.query(Call::get("get folder", &["folders", id.as_str()]));
        let json = self.ask_for(&call, "/folder_resource/folder").await?;
        Asset::read(&json)
            .ok_or_else(|| unexpected(call.operation(), call.effect(), "a folder without an id"))
    }

    /// The folders at the top.
    ///
    /// # Errors
    /// As any call.
    pub async fn root_folders(&self) -> Result<Vec<Asset>> {
        let call = Call::get("list root folders", &["folders", "rootfolders"]);
        Pages::new(self, call).under("/folders_resource").all().await
    }

    /// The folders in which an asset is.
    ///
    /// # Errors
    /// As any call.
    pub async fn parents_of(&self, id: &AssetId) -> Result<Vec<Asset>> {
        let call = Call::get("list parents", &["assets", id.as_str(), "parents"]);
        Pages::new(self, call).under("/folders_resource").all().await
    }

    /// What is in a folder. What is deleted is left out.
    pub fn children_of(&self, id: &AssetId, load: Load) -> Pages<'_> {
        let filter = json!({"asset_filter_request_param": {"asset_filter_request": {
            "exclude_deleted_assets": true,
        }}});
        let call = Call::get("list children", &["folders", id.as_str(), "children"])
            .query("asset_filter_request", filter)
            .query("sort", "asc_NAME");
        Pages::new(self, load.query(call)).under("/folder_children")
    }

    /// The folder with a name in a folder; nothing when there is none.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_folder(&self, parent: &AssetId, name: &str) -> Result<Option<Asset>> {
        let children = self.children_of(parent, Load::State);
        children.find(|child| child.is_folder() && !child.is_gone() && child.name == name).await
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// `UnknownOutcome` when no answer came: look for it by its name before trying again.
    pub async fn create_folder(&self, parent: &AssetId, new: &NewFolder) -> Result<Asset> {
        let ids = &self.settings.ids;
        let policies = if new.policies.is_empty() { &ids.policies } else { &new.policies };
        let mut folder = json!({
            "name": new.name,
            "container_type_id": new.folder_type.as_ref().unwrap_or(&ids.folder_type),
            "metadata_model_id": new.model.as_ref().unwrap_or(&ids.folder_model),
            "metadata": {"metadata_element_list": new.metadata.of_new(&self.settings)?},
        });
        if !policies.is_empty() {
            wire::put(&mut folder, "security_policy_list", policy_list(policies));
        }
        let call = Call::post("create folder", &["folders", parent.as_str()])
            .json(&json!({"folder_resource": {"folder": folder}}));
        let json = self.ask_for(&call, "/folder_resource/folder").await?;
        Asset::read(&json)
            .ok_or_else(|| unexpected(call.operation(), call.effect(), "a folder without an id"))
    }

    /// The folder with a name in a folder, made where there is none. When the answer is lost it is looked for; two callers at
    /// the same moment may still make two, so keep others out.
    ///
    /// # Errors
    /// As [`Client::create_folder`].
    pub async fn ensure_folder(&self, parent: &AssetId, new: &NewFolder) -> Result<Asset> {
        if let Some(folder) = self.find_folder(parent, &new.name).await? {
            return Ok(folder);
        }
        match self.create_folder(parent, new).await {
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                self.find_folder(parent, &new.name).await?.ok_or(error)
            }
            outcome => outcome,
        }
    }

    /// Puts assets into a folder, beside where they are. Status 200 says nothing here: what became of each is in the outcome.
    ///
    /// # Errors
    /// As any call.
    pub async fn add_to_folder(&self, folder: &AssetId, assets: &[AssetId]) -> Result<AddOutcome> {
        const OPERATION: &str = "add to folder";
        let call = Call::put(OPERATION, &["folders", folder.as_str(), "children"])
            .field("type", "add")
            .field("selection_context", selection(assets));
        let answer = self.ask(&call).await?;
        let result = answer.pointer("/folder_operation_resource/folder_operation_result");
        let result = result.ok_or_else(|| unexpected(OPERATION, Effect::Repeatable, "no outcome in it"))?;
        Ok(add_outcome(assets, result, said(&answer)))
    }

    /// The site's security policies.
    ///
    /// # Errors
    /// As any call.
    pub async fn security_policies(&self) -> Result<Vec<Policy>> {
        let call = Call::get("list security policies", &["securitypolicies"]);
        Ok(policies(&self.ask_for(&call, "/security_policies_resource").await?))
    }

    /// The collections that the user sees.
    ///
    /// # Errors
    /// As any call.
    pub async fn collections(&self) -> Result<Vec<Collection>> {
        let call = Call::get("list collections", &["collections"]);
        let body = self.ask_for(&call, "/collection_resource").await?;
        let read = |json: &Value| {
            let id = CollectionId::new(wire::text(json, "id").or_else(|| wire::text(json, "asset_id"))?);
            Some(Collection { id, name: wire::text(json, "name").unwrap_or_default() })
        };
        Ok(wire::list(&body, "collection").iter().filter_map(read).collect())
    }
}

/// Policies as they are written: by number where they are numbers, as all that were seen are.
pub(super) fn policy_list(policies: &[PolicyId]) -> Value {
    let id = |policy: &PolicyId| match policy.as_str().parse::<i64>() {
        Ok(number) => json!({ "id": number }),
        Err(_) => json!({ "id": policy }),
    };
    policies.iter().map(id).collect()
}

fn add_outcome(assets: &[AssetId], result: &Value, sentence: Option<String>) -> AddOutcome {
    let failed = wire::list(result, "failed_children");
    let valid = wire::list(result, "valid_children");
    let names = |entry: &Value, id: &AssetId| entry.to_string().contains(&format!("\"{id}\""));
    let mut outcome = AddOutcome::default();
    // A failure that names no asset is that of all of which nothing else is said.
    let nameless = failed.iter().find(|entry| !assets.iter().any(|id| names(entry, id)));
    for id in assets {
        let entry = failed.iter().find(|entry| names(entry, id));
        let is_valid = valid.iter().any(|entry| names(entry, id));
        let why = match entry.or(nameless.filter(|_| !is_valid)) {
            Some(entry) => {
                reason(entry).or_else(|| sentence.clone()).unwrap_or_else(|| "no reason told".to_owned())
            }
            None if is_valid => {
                outcome.added.push(id.clone());
                continue;
            }
            None => "nothing was said of it".to_owned(),
        };
        match why.as_str() {
            "EXISTING_ELEMENT" => outcome.added.push(id.clone()),
            _ => outcome.refused.push(Refused { id: id.clone(), reason: why }),
        }
    }
    outcome
}

impl AddOutcome {
    /// Fails when an asset was not added.
    ///
    /// # Errors
    /// `Forbidden`, with the reasons.
    pub fn whole(self) -> Result<Vec<AssetId>> {
        if self.refused.is_empty() {
            return Ok(self.added);
        }
        let reasons: Vec<String> =
            self.refused.iter().map(|refused| format!("{}: {}", refused.id, refused.reason)).collect();
        let message = format!("the folder does not take {}", reasons.join(", "));
        Err(failure(FailureClass::Forbidden, "add to folder", "otmm.not-added", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_takes_some_says_which_and_one_that_has_it_already_is_content() {
        let assets = ["a1", "a2", "a3", "a4"].map(AssetId::new);
        let result = json!({"valid_children": ["a1"], "failed_children": [
            {"child": {"asset_id": "a2"}, "reasons": ["EXISTING_ELEMENT"]},
            {"child": {"asset_id": "a3"}, "reasons": ["SINGLE_PARENT"]},
        ]});
        let outcome = add_outcome(&assets, &result, None);
        assert_eq!(outcome.added, assets[..2]);
        let reasons: Vec<&str> = outcome.refused.iter().map(|refused| refused.reason.as_str()).collect();
        assert_eq!(reasons, ["SINGLE_PARENT", "nothing was said of it"]);
        let error = outcome.whole().unwrap_err();
        assert!(error.message().contains("a3: SINGLE_PARENT"), "{error}");
        let nameless = json!({"valid_children": [], "failed_children": [{"reasons": ["NOT_EXIST"]}]});
        assert_eq!(add_outcome(&assets[..1], &nameless, None).refused[0].reason, "NOT_EXIST");
    }
}
