//! Reading assets.

use serde_json::{Value, json};

use super::{
    Client,
    asset::Asset,
    call::Call,
    error::unexpected,
    ids::{AssetId, CollectionId},
    pages::Pages,
    send::absent_as_none,
    wire,
};
use crate::error::Result;

/// How much is told of an asset. What is not asked for is not there, which is not the same as being empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Load {
    /// What it is and in which state: no metadata, policies, paths or links.
    #[default]
    State,
    /// The same with its metadata.
    Metadata,
    /// Its metadata with what it inherits.
    InheritedMetadata,
    /// Its system metadata.
    System,
    /// Everything.
    Full,
    /// What is chosen.
    Chosen(ContentLoad),
}

/// What is chosen to be told of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the interface has a switch for each")]
pub struct ContentLoad {
    /// Its metadata.
    pub metadata: bool,
    /// The metadata it inherits.
    pub inherited_metadata: bool,
    /// Its master.
    pub content: bool,
    /// Its renditions.
    pub renditions: bool,
    /// Its policies.
    pub policies: bool,
    /// Where it is.
    pub paths: bool,
    /// What it leads to.
    pub links: bool,
    /// How much is in a folder.
    pub child_counts: bool,
}

impl ContentLoad {
    /// What is needed to archive an asset.
    pub const ARCHIVE: Self = Self {
        metadata: true,
        inherited_metadata: true,
        content: true,
        renditions: false,
        policies: true,
        paths: true,
        links: true,
        child_counts: false,
    };
}

impl Load {
    /// Puts it into the query of a call.
    pub(super) fn query(self, call: Call) -> Call {
        self.pairs().into_iter().fold(call, |call, (key, value)| call.query(key, value))
    }

    /// Puts it into the form of a call.
    pub(super) fn form(self, call: Call) -> Call {
        self.pairs().into_iter().fold(call, |call, (key, value)| call.field(key, value))
    }

    fn pairs(self) -> Vec<(&'static str, String)> {
        let word = |word: &str| vec![("load_type", word.to_owned())];
        match self {
            Self::State => Vec::new(),
            Self::Metadata => word("metadata"),
            Self::InheritedMetadata => word("inherited_metadata"),
            Self::System => word("system"),
            Self::Full => word("full"),
            Self::Chosen(chosen) => {
                let mut pairs = word("custom");
                pairs.push(("level_of_detail", "full".to_owned()));
                pairs.push(("data_load_request", chosen.json().to_string()));
                pairs
            }
        }
    }
}

impl ContentLoad {
    fn json(self) -> Value {
        let mut request = json!({
            "load_metadata": self.metadata,
            "load_inherited_metadata": self.inherited_metadata,
            "load_multilingual_field_values": self.metadata,
            "load_asset_content_info": self.content,
            "load_thumbnail_info": self.renditions,
            "load_preview_info": self.renditions,
            "load_pdf_preview_info": self.renditions,
            "load_security_policies": self.policies,
            "load_path": self.paths,
            "load_destination_links": self.links,
        });
        if self.child_counts {
            wire::put(&mut request, "child_count_load_type", "both");
        }
        json!({ "data_load_request": request })
    }
}

impl Client {
    /// An asset, or a folder seen as one.
    ///
    /// # Errors
    /// [`super::NOT_FOUND`] (`Gone`), as any call.
    pub async fn get_asset(&self, id: &AssetId, load: Load) -> Result<Asset> {
        let call = load.query(Call::get("get asset", &["assets", id.as_str()]));
        let json = self.ask_for(&call, "/asset_resource/asset").await?;
        Asset::read(&json)
            .ok_or_else(|| unexpected(call.operation(), call.effect(), "an asset without an id"))
    }

    /// An asset; nothing when it is not there.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_asset(&self, id: &AssetId, load: Load) -> Result<Option<Asset>> {
        absent_as_none(self.get_asset(id, load).await)
    }

    /// What came last.
    pub fn recent_assets(&self, load: Load) -> Pages<'_> {
        Pages::new(self, load.query(Call::get("list recent assets", &["assets", "recent"])))
    }

    /// What is in a collection.
    pub fn collection_assets(&self, id: &CollectionId, load: Load) -> Pages<'_> {
        Pages::new(self, load.query(Call::get("list collection", &["collections", id.as_str(), "assets"])))
    }

    /// These assets, in one list. Those that are not there are left out.
    pub fn assets_by_id(&self, ids: &[AssetId], load: Load) -> Pages<'_> {
        let call = Call::get("get assets", &["assets"]).query("selection_context", selection(ids));
        Pages::new(self, load.query(call))
    }
}

/// Assets named one by one, for calls about many.
pub(super) fn selection(ids: &[AssetId]) -> Value {
    json!({"selection_context_param": {"selection_context": {
        "type": "com.artesia.asset.selection.AssetIdsSelectionContext",
        "asset_ids": ids,
        "include_descendants": "NONE",
    }}})
}
