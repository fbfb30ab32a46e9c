//! The folders on the way to what is replicated: the replica knows each, so that it can be built again with them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use shared::{
    content_server::NodeId,
    error::Result,
    flow::{Item, Run},
    transfer::Progress,
};

use super::{
    ReplicateContent, Set,
    read::Found,
    record::Presence,
    replica::{Kept, OVERTAKEN},
    replicate::Told,
};

/// Folders that are remembered at most.
const REMEMBERED: usize = 10_000;

/// Folders the replicas were seen to know, with name and container. A process forgets them with its end.
#[derive(Debug, Default)]
pub(super) struct Folders(Mutex<BTreeMap<(String, i64), (String, i64)>>);

impl Folders {
    fn knows(&self, set: &Set, folder: i64, name: &str, parent: i64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (set.rule.name.clone(), folder);
        known.get(&key).is_some_and(|(known, within)| known == name && *within == parent)
    }

    fn remember(&self, set: &Set, folder: i64, name: &str, parent: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert((set.rule.name.clone(), folder), (name.to_owned(), parent));
    }
}

impl ReplicateContent {
    /// Sees to it that the replica knows the folders above a thing, by the names and in the places they have now.
    pub(super) async fn keep_folders(
        &self,
        set: &Set,
        found: &Found,
        told: &Told,
        item: &Item,
        run: &Run,
    ) -> Result<()> {
        let container = self.places.id(&self.content_server, &set.rule.within).await?;
        let mut parent = container.0;
        for folder in found.folders_below(container).unwrap_or_default() {
            let (id, name) = (folder.id.0, folder.name.as_str());
            if !self.folders.knows(set, id, name, parent) {
                self.keep_folder(set, (id, name, parent), told, item, run).await?;
                self.folders.remember(set, id, name, parent);
            }
            parent = id;
        }
        Ok(())
    }

    async fn keep_folder(
        &self,
        set: &Set,
        (id, name, parent): (i64, &str, i64),
        told: &Told,
        item: &Item,
        run: &Run,
    ) -> Result<()> {
        let is_known = |kept: &Kept| {
            let record = &kept.record;
            record.presence == Presence::Present && record.name == name && record.parent == parent
        };
        let before = set.replica.record(id).await?;
        if before.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        // What was moved or deleted a moment ago will be told of.
        let Some(found) = self.find(NodeId(id)).await? else { return Ok(()) };
        let Progress::Done(state) = self.state(set, &found, None, run).await? else { return Ok(()) };
        match self.write(set, state, before.as_ref(), told, item, run).await {
            // Somebody on the way to another document of this folder.
            Err(error) if error.code() == OVERTAKEN => {
                let there = set.replica.record(id).await?;
                if there.as_ref().is_some_and(is_known) { Ok(()) } else { Err(error) }
            }
            outcome => outcome.map(drop),
        }
    }
}
