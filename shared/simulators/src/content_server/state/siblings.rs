//! What is inside a container: by number, and by name for look-ups that must not grow with the container.

use std::collections::{BTreeMap, BTreeSet};

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

use super::{NodeId, State};
use crate::content_server::settings::NameForms;

/// The items of one container.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Siblings {
    ids: BTreeSet<NodeId>,
    /// By lower-case composed name: several where two forms of a letter are two names, and among the attachments of a
    /// workflow, which may share one; the first is found then.
    names: BTreeMap<String, BTreeSet<NodeId>>,
}

/// A name with its letters in their composed form (NFC).
pub(crate) fn composed(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned()
}

fn folded(name: &str) -> String {
    composed(name).to_lowercase()
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
        let candidates = self.children.get(&parent)?.names.get(&folded(name))?;
        let has_it = |id: &NodeId| {
            self.nodes.get(id).is_some_and(|node| {
                self.settings.name_forms != NameForms::Apart
                    || node.name.to_lowercase() == name.to_lowercase()
            })
        };
        candidates.iter().copied().find(has_it)
    }

    pub(crate) fn link(&mut self, parent: NodeId, name: &str, id: NodeId) {
        let siblings = self.children.entry(parent).or_default();
        siblings.ids.insert(id);
        siblings.names.entry(folded(name)).or_default().insert(id);
    }

    pub(crate) fn unlink(&mut self, parent: NodeId, name: &str, id: NodeId) {
        if let Some(siblings) = self.children.get_mut(&parent) {
            siblings.ids.remove(&id);
            let name = folded(name);
            if let Some(candidates) = siblings.names.get_mut(&name) {
                candidates.remove(&id);
                if candidates.is_empty() {
                    siblings.names.remove(&name);
                }
            }
        }
    }
}
