//! Reads what Content Server has, as a state of a replica.

use shared::{
    content_server::{Ancestor, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Version, kind},
    error::Result,
    flow::Run,
    transfer::{Progress, UploadSizes},
};

use super::{
    ReplicateContent, Set, again,
    record::{FolderStep, Presence, ReplicaState, ReplicatedVersion},
};
use crate::version_copy::{NodeDescription, Shelf, VersionCopy, VersionDescription};

/// Something of Content Server and the way to it.
pub(super) struct Found {
    pub(super) node: Node,
    /// From the volume down to it, itself included.
    pub(super) way: Vec<Ancestor>,
}

impl Found {
    /// The folders between a container and it; nothing when it is not below the container.
    pub(super) fn folders_below(&self, container: NodeId) -> Option<&[Ancestor]> {
        let at = self.way.iter().position(|ancestor| ancestor.id == container)?;
        let end = self.way.len().saturating_sub(1).max(at + 1);
        self.way.get(at + 1..end)
    }
}

impl ReplicateContent {
    /// A node and where it is; nothing when it is not there or may not be seen.
    pub(super) async fn find(&self, node: NodeId) -> Result<Option<Found>> {
        let there = async {
            let node = self.content_server.get_node(node).await?;
            let way = self.content_server.list_ancestors(node.id).await?;
            Ok(Found { node, way })
        };
        match there.await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The first set that a thing belongs to.
    pub(super) async fn set_for(&self, found: &Found) -> Result<Option<usize>> {
        for (index, set) in self.sets.iter().enumerate() {
            let container = self.places.id(&self.content_server, &set.rule.within).await?;
            if found.folders_below(container).is_none() {
                continue;
            }
            if is_folder(&found.node) {
                return Ok(Some(index));
            }
            let wanted = set.rule.takes_type(found.node.mime_type.as_deref());
            let has = match &set.rule.with_category {
                Some(category) if wanted => {
                    self.places.has_category(&self.content_server, found.node.id, category).await?
                }
                _ => wanted,
            };
            if has {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// What a thing is like, with a verified copy of each of its versions. `Paused`: call again in the next invocation.
    pub(super) async fn state(
        &self,
        set: &Set,
        found: &Found,
        before: Option<&ReplicaState>,
        run: &Run,
    ) -> Result<Progress<ReplicaState>> {
        let container = self.places.id(&self.content_server, &set.rule.within).await?;
        let folders = found.folders_below(container).unwrap_or_default();
        let node = NodeDescription::read_at(&self.content_server, &found.node, &found.way).await?;
        let Progress::Done(versions) = self.versions(set, found, &node, before, run).await? else {
            return Ok(Progress::Paused);
        };
        // Copying takes time: what was read first may not be true any more.
        let now = self.content_server.get_node(found.node.id).await?;
        if now.modified != found.node.modified
            || now.name != found.node.name
            || now.parent != found.node.parent
        {
            return Err(again("replica.changed", "it was changed while it was read: it is read anew"));
        }
        Ok(Progress::Done(ReplicaState {
            presence: Presence::Present,
            node,
            parent: found.node.parent.0,
            folders: folders
                .iter()
                .map(|folder| FolderStep { id: folder.id.0, name: folder.name.clone() })
                .collect(),
            versions,
        }))
    }

    async fn versions(
        &self,
        set: &Set,
        found: &Found,
        described: &NodeDescription,
        before: Option<&ReplicaState>,
        run: &Run,
    ) -> Result<Progress<Vec<ReplicatedVersion>>> {
        if found.node.kind != kind::DOCUMENT {
            return Ok(Progress::Done(Vec::new()));
        }
        let shelf = Shelf {
            bucket: set.replica.bucket.clone(),
            prefix: set.replica.prefix.clone(),
            storage_class: set.rule.storage_class.clone(),
        };
        let copy = VersionCopy {
            content_server: &self.content_server,
            s3: &set.replica.s3,
            shelf: &shelf,
            reading: set.rule.reading,
            sizes: UploadSizes::default(),
        };
        let mut versions = Vec::new();
        for version in self.content_server.list_versions(found.node.id).await? {
            if let Some(known) = before.and_then(|before| known(before, &version)) {
                versions.push(known.clone());
                continue;
            }
            if run.must_stop() {
                return Ok(Progress::Paused);
            }
            match Box::pin(copy.copy(described, &version, run)).await? {
                Progress::Done(content) => {
                    versions.push(ReplicatedVersion { version: VersionDescription::of(&version), content });
                }
                Progress::Paused => return Ok(Progress::Paused),
            }
        }
        Ok(Progress::Done(versions))
    }
}

/// A version that an earlier revision vouches for.
fn known<'a>(before: &'a ReplicaState, version: &Version) -> Option<&'a ReplicatedVersion> {
    let described = VersionDescription::of(version);
    before.versions.iter().find(|known| {
        known.version == described && version.file_size.is_none_or(|size| size == known.content.size)
    })
}

/// Whether it holds documents.
pub(super) fn is_folder(node: &Node) -> bool {
    matches!(node.kind, kind::FOLDER | kind::WORKSPACE)
}

/// The server uses the same words for what is missing and for what may not be seen.
fn is_gone(error: &shared::error::Error) -> bool {
    matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND)
}
