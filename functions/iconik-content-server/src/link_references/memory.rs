//! What is shown of a node, and where: remembered before it is made, so that nobody has to search an index that lags.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::{
    content_server::NodeId,
    error::{Error, Result},
    flow::Flow,
    iconik::{AssetId, CollectionId},
};

use super::{BUSY, LinkReferences, again};
use crate::link_rules::ShownField;

/// What is shown of a node, by collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Memory {
    pub(super) shown: BTreeMap<CollectionId, Shown>,
}

/// What is shown of a node in one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    /// The link asset. One that was withdrawn is remembered too: it is taken out of the recycle bin when it is needed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) asset: Option<AssetId>,
    /// Since when, in milliseconds, a link asset is being made whose id is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<i64>,
    /// The version that people were told of last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<i64>,
    /// Whether it was withdrawn, and nothing of it is to be seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) withdrawn: bool,
    /// The view and field with the address; once it was withdrawn, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<FieldPlace>,
    /// The view and the fields of the asset that were filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<(String, Vec<String>)>,
    /// The relation type by which assets refer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) relation: Option<String>,
}

/// The field of a collection that holds the address of a node, and the address it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FieldPlace {
    pub(super) view: String,
    pub(super) field: String,
    pub(super) address: String,
}

impl FieldPlace {
    pub(super) fn of(shown: &ShownField, address: &str) -> Self {
        Self { view: shown.view.as_str().to_owned(), field: shown.field.clone(), address: address.to_owned() }
    }
}

impl Shown {
    /// Whether there may be a link asset that people see.
    pub(super) fn may_have_asset(&self) -> bool {
        !self.withdrawn && (self.asset.is_some() || self.begun.is_some())
    }
}

/// What is remembered, and how it is written in the ledger.
pub(super) struct Remembered {
    pub(super) memory: Memory,
    written: Option<String>,
}

impl Remembered {
    /// What is shown in a collection.
    pub(super) fn in_collection(&self, collection: &CollectionId) -> Shown {
        self.memory.shown.get(collection).cloned().unwrap_or_default()
    }
}

impl LinkReferences {
    fn note_of(node: NodeId) -> String {
        format!("shown node-{node}")
    }

    /// What is remembered of a node.
    pub(super) async fn remembered(&self, node: NodeId) -> Result<Remembered> {
        let written = self.environment.ledger.note(Self::NAME, &Self::note_of(node)).await?;
        let memory = match &written {
            None => Memory::default(),
            Some(text) => serde_json::from_str(text).map_err(|error| {
                Error::bug("read what is shown", "what the ledger remembers of a node cannot be read")
                    .source(error)
            })?,
        };
        Ok(Remembered { memory, written })
    }

    /// Remembers what is shown in a collection now. Nobody else may have written meanwhile.
    pub(super) async fn remember(
        &self,
        node: NodeId,
        remembered: &mut Remembered,
        collection: &CollectionId,
        shown: Shown,
    ) -> Result<()> {
        if remembered.in_collection(collection) == shown && shown != Shown::default() {
            return Ok(());
        }
        remembered.memory.shown.insert(collection.clone(), shown);
        let text = serde_json::to_string(&remembered.memory)
            .map_err(|error| Error::bug("remember", "what is shown is not JSON").source(error))?;
        let before = remembered.written.as_deref();
        let ledger = &self.environment.ledger;
        if !ledger.replace_note(Self::NAME, &Self::note_of(node), before, &text).await? {
            return Err(again(BUSY, "somebody else remembered something of the node meanwhile"));
        }
        remembered.written = Some(text);
        Ok(())
    }
}
