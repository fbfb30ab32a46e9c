//! What is inside a container: by number, and by name for look-ups that must not grow with the container.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{NodeId, State};

/// The items of one container.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Siblings {
    ids: BTreeSet<NodeId>,
    /// By lower-case name. Attachments of a workflow may share a name; the first one is found then.
    names: BTreeMap<String, NodeId>,
}

impl State {
    /// Numbers of the items in a container.
    pub(crate) fn child_ids(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.children.get(&id).into_iter().flat_map(|siblings| &siblings.ids).copied()
    }

    /// How many items are in a container.
    pub(crate) fn child_count(&self, id: NodeId) -> usize {
        self.children.get(&id).map_or(0, |siblings| siblings.ids.len())
    }

    /// The number of the item of this name in a container; case does not matter.
    pub(crate) fn child_id(&self, parent: NodeId, name: &str) -> Option<NodeId> {
        self.children.get(&parent)?.names.get(&name.to_lowercase()).copied()
    }

    pub(crate) fn link(&mut self, parent: NodeId, name: &str, id: NodeId) {
        let siblings = self.children.entry(parent).or_default();
        siblings.ids.insert(id);
        siblings.names.entry(name.to_lowercase()).or_insert(id);
    }

    pub(crate) fn unlink(&mut self, parent: NodeId, name: &str, id: NodeId) {
        if let Some(siblings) = self.children.get_mut(&parent) {
            siblings.ids.remove(&id);
            let name = name.to_lowercase();
            if siblings.names.get(&name) == Some(&id) {
                siblings.names.remove(&name);
            }
        }
    }
}
