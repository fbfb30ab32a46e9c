use schemars::JsonSchema;
use serde::Deserialize;

use crate::otmm::ids::{FieldId, ModelId, OperatorId, PolicyId};

/// The site's ids. Each has to match exactly; blanks and dots within are part of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ids {
    /// The field with the id that all versions share.
    pub original_asset_id: FieldId,
    /// The field that tells the latest version.
    pub latest_version: FieldId,
    /// What it says of the latest version.
    pub latest_version_value: String,
    /// The field with the moment of the last change, by which changes are looked for. No public source names it; without it
    /// there is no looking for changes.
    pub updated: FieldId,
    /// A field of ours that is given a unique value at import, by which an asset is found again. Without it only its job
    /// leads to it.
    pub correlation: FieldId,
    /// The model of an asset that is made.
    pub asset_model: ModelId,
    /// The model of a folder that is made.
    pub folder_model: ModelId,
    /// The type of a folder that is made.
    pub folder_type: String,
    /// Policies of what is made, where the caller names none. They are the site's; without one the server decides.
    pub policies: Vec<PolicyId>,
    /// Operators of search conditions.
    pub operators: Operators,
    /// The search configuration that is asked.
    pub search_config: String,
    /// The scope of a keyword: 1 metadata, 2 content, 3 both on the sites that were seen.
    pub keyword_scope: String,
}

/// Operators of search conditions. One that is empty is not known, and what needs it is refused before anybody is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Operators {
    /// A text contains a word.
    pub text_contains: OperatorId,
    /// A text is exactly this. Not seen in public.
    pub text_is: OperatorId,
    /// A number is this.
    pub number_is: OperatorId,
    /// A moment is this or later. Not seen in public; without it changes are found by order alone.
    pub date_from: OperatorId,
}

impl Default for Operators {
    fn default() -> Self {
        Self {
            text_contains: OperatorId::new("ARTESIA.OPERATOR.CHAR.CONTAINS"),
            text_is: OperatorId::default(),
            number_is: OperatorId::new("ARTESIA.OPERATOR.NUMBER.IS"),
            date_from: OperatorId::default(),
        }
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            original_asset_id: FieldId::new("ARTESIA.FIELD.ORIGINAL ASSET ID"),
            latest_version: FieldId::new("ARTESIA.FIELD.IS LATEST VERSION"),
            latest_version_value: "Y".to_owned(),
            updated: FieldId::default(),
            correlation: FieldId::default(),
            asset_model: ModelId::new("ARTESIA.MODEL.DEFAULT"),
            folder_model: ModelId::new("ARTESIA.MODEL.BASIC FOLDER"),
            folder_type: "ARTESIA.BASIC.FOLDER".to_owned(),
            policies: Vec::new(),
            operators: Operators::default(),
            search_config: "3".to_owned(),
            keyword_scope: "3".to_owned(),
        }
    }
}

impl Ids {
    /// Every single id with its place in the settings.
    pub(super) fn all(&self) -> Vec<(&'static str, &str)> {
        let mut all = vec![
            ("ids.original_asset_id", self.original_asset_id.as_str()),
            ("ids.latest_version", self.latest_version.as_str()),
            ("ids.updated", self.updated.as_str()),
            ("ids.correlation", self.correlation.as_str()),
            ("ids.asset_model", self.asset_model.as_str()),
            ("ids.folder_model", self.folder_model.as_str()),
            ("ids.folder_type", &self.folder_type),
            ("ids.operators.text_contains", self.operators.text_contains.as_str()),
            ("ids.operators.text_is", self.operators.text_is.as_str()),
            ("ids.operators.number_is", self.operators.number_is.as_str()),
            ("ids.operators.date_from", self.operators.date_from.as_str()),
            ("ids.search_config", &self.search_config),
            ("ids.keyword_scope", &self.keyword_scope),
        ];
        all.extend(self.policies.iter().map(|policy| ("ids.policies", policy.as_str())));
        all
    }
}
