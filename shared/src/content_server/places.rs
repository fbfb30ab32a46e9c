//! What rules name by path, containers and categories, looked up now and then; and whether a document is in them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{Client, NodeId, NodePath};
use crate::error::Result;

/// How long an id is remembered, in milliseconds: what a rule names may be deleted and made anew under another id.
const REMEMBERED: i64 = 5 * 60 * 1000;

/// Ids of the places that rules name, and when each was looked up.
#[derive(Debug, Default)]
pub struct Places(Mutex<BTreeMap<String, (i64, NodeId)>>);

impl Places {
    /// The id of a place.
    ///
    /// # Errors
    /// When the place is not there; as any call.
    pub async fn id(&self, content_server: &Client, path: &NodePath) -> Result<NodeId> {
        let name = path.to_string();
        let now = content_server.now_milliseconds();
        if let Some((at, known)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name)
            && now - at < REMEMBERED
        {
            return Ok(*known);
        }
        let found = content_server.resolve_path(path).await?.id;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (now, found));
        Ok(found)
    }

    /// Whether a node is a container, or somewhere below it.
    ///
    /// # Errors
    /// When the place is not there; as any call.
    pub async fn is_within(&self, content_server: &Client, node: NodeId, path: &NodePath) -> Result<bool> {
        let container = self.id(content_server, path).await?;
        let way = content_server.list_ancestors(node).await?;
        Ok(way.iter().any(|ancestor| ancestor.id == container))
    }

    /// Whether a node has a category.
    ///
    /// # Errors
    /// When the place is not there; as any call.
    pub async fn has_category(&self, content_server: &Client, node: NodeId, path: &NodePath) -> Result<bool> {
        let category = self.id(content_server, path).await?;
        let there = content_server.get_categories(node).await?;
        Ok(there.iter().any(|values| values.category() == category))
    }
}
