//! How assets belong together.

use serde::Deserialize;
use serde_json::json;

use super::{
    Client,
    asset::Asset,
    call::Call,
    ids::AssetId,
    page::{Pages, Style},
    wire,
};
use crate::error::Result;

/// A kind of relation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RelationType {
    /// Its name, which is its id.
    pub name: String,
    /// How the one side sees it.
    #[serde(default, deserialize_with = "wire::text")]
    pub source_label: String,
    /// How the other does.
    #[serde(default, deserialize_with = "wire::text")]
    pub destination_label: String,
    /// Whether the sides differ.
    #[serde(default, deserialize_with = "wire::truth")]
    pub is_directional: bool,
}

/// One relation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Relation {
    /// Its kind.
    #[serde(default, deserialize_with = "wire::text")]
    pub relation_type: String,
    /// From which asset.
    #[serde(default)]
    pub related_from_asset_id: Option<AssetId>,
    /// To which.
    #[serde(default)]
    pub related_to_asset_id: Option<AssetId>,
    /// What it is about.
    #[serde(default, deserialize_with = "wire::text_or_none")]
    pub description: Option<String>,
}

/// An asset that is related, and how.
#[derive(Debug, Clone, Deserialize)]
pub struct Related {
    /// The asset.
    #[serde(flatten)]
    pub asset: Asset,
    /// Its relations.
    #[serde(default, deserialize_with = "wire::list")]
    pub relations: Vec<Relation>,
}

impl Client {
    /// Makes a kind of relation unless it is there.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_relation_type(&self, wanted: &RelationType) -> Result<RelationType> {
        let path = ["assets", "v1", "assets", "relation_types"];
        let [service, version, assets, types] = path;
        let find = Call::get("get relation type", &[service, version, assets, types, &wanted.name]);
        if let Some(found) = self.look(&find).await? {
            return Ok(found);
        }
        let create = Call::post("create relation type", &path).repeatable().body(json!({
            "name": wanted.name, "source_label": wanted.source_label,
            "destination_label": wanted.destination_label, "is_directional": wanted.is_directional,
        }));
        match self.ask(&create).await {
            // Somebody else was quicker, or an earlier attempt of ours was.
            Err(error) if error.code() == super::error::CONFLICT => self.ask(&find).await,
            outcome => outcome,
        }
    }

    /// Relates one asset to another. A relation that is there stays, and is no failure.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`] when one of them is missing.
    pub async fn ensure_relation(
        &self,
        from: &AssetId,
        relation: &str,
        to: &AssetId,
        description: Option<&str>,
    ) -> Result<()> {
        let path = ["assets", "v1", "assets", from.as_str(), "relations"];
        let mut body = json!({"related_to_asset_id": to, "relation_type": relation});
        if let Some((members, text)) = body.as_object_mut().zip(description) {
            members.insert("description".to_owned(), text.into());
        }
        self.tell(&Call::post("create relation", &path).repeatable().body(body)).await
    }

    /// Takes a relation away; one that is gone is no failure.
    ///
    /// # Errors
    /// As any call.
    pub async fn delete_relation(&self, from: &AssetId, relation: &str, to: &AssetId) -> Result<()> {
        let path = ["assets", "v1", "assets", from.as_str(), "relations", relation, to.as_str()];
        self.remove(&Call::delete("delete relation", &path)).await
    }

    /// The assets that are related to one, in one way.
    pub fn list_related(&self, asset: &AssetId, relation: &str) -> Pages<'_, Related> {
        let path = ["assets", "v1", "assets", asset.as_str(), "relations", relation];
        Pages::new(self, Call::get("list relations", &path), Style::Number)
    }
}
