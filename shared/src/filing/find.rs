//! What stands where a plan would put a document, without making anything: for those who only compare.

use super::{
    Existing, Filer, FilingPlan, MOST_NAMESAKES, Mark, numbered,
    passage::Placed,
    plan::{Target, WorkspaceTarget},
    server_root,
};
use crate::{
    content_server::{
        BusinessObject, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, NodePath as ServerPath, PATH_MISSING,
        Root as ServerRoot, Version, kind,
    },
    error::{Error, Result},
};

/// What stands in a document's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlace {
    /// What carries the mark.
    Ours(Placed),
    /// A later content of the same asset, in whose place an earlier one is not filed any more.
    Later,
    /// Neither of them.
    Other,
}

impl Filer {
    /// The container a document goes into, if it is there. Nothing is made.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_container(&self, target: &Target) -> Result<Option<NodeId>> {
        let (root, names) = match target {
            Target::Folder { path, .. } => (server_root(path.root), &path.names),
            Target::Workspace(workspace) => match self.find_workspace(workspace).await? {
                Some(node) => (ServerRoot::Node(node), &workspace.folder),
                None => return Ok(None),
            },
        };
        let rules = &self.content_server.settings().names;
        let segments = names.iter().map(|name| rules.escape(name)).collect();
        match self.content_server.resolve_path(&ServerPath { root, segments }).await {
            Ok(node) => Ok(Some(node.id)),
            Err(error) if is_not_there(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What stands where a plan would put the content with this mark.
    ///
    /// # Errors
    /// As any call.
    pub async fn in_place(&self, plan: &FilingPlan, mark: &Mark) -> Result<InPlace> {
        let client = &self.content_server;
        let Some(container) = self.find_container(&plan.target).await? else { return Ok(InPlace::Other) };
        let wanted = client.settings().names.escape(&plan.document.name);
        let mut name = wanted.clone();
        for number in 2..=MOST_NAMESAKES {
            let Some(node) = client.find_child(container, &name).await? else { break };
            if node.kind == kind::DOCUMENT {
                let versions = client.list_versions(node.id).await?;
                if let Some(version) = versions.iter().find(|version| carries(mark, &node, version)) {
                    let new_document = version.number == 1;
                    let placed = Placed { node: node.id, version: version.number, new_document };
                    return Ok(InPlace::Ours(placed));
                }
                let newest = versions.last().and_then(|version| version.external_identity.as_ref());
                let newest = newest.or(node.external.identity.as_ref());
                if newest.is_some_and(|identity| mark.is_older_than(identity)) {
                    return Ok(InPlace::Later);
                }
            }
            if plan.existing != Existing::KeepBoth {
                break;
            }
            name = numbered(&wanted, number);
        }
        Ok(InPlace::Other)
    }

    async fn find_workspace(&self, wanted: &WorkspaceTarget) -> Result<Option<NodeId>> {
        let client = &self.content_server;
        if let Some(object) = &wanted.business_object {
            let object = BusinessObject {
                system: object.system.clone(),
                kind: object.object_type.clone(),
                id: object.id.clone(),
            };
            return Ok(client.find_workspace_of(&object).await?.map(|found| found.id));
        }
        let kind = client.get_workspace_type(&wanted.workspace_type).await?;
        let rules = &client.settings().names;
        let name = wanted.name.as_deref().map(|name| rules.escape(name)).unwrap_or_default();
        Ok(client.find_workspace(kind.id, &name).await?.map(|found| found.id))
    }
}

/// Whether a version carries a mark: its own, or that of the document it began.
pub fn carries(mark: &Mark, node: &Node, version: &Version) -> bool {
    let is_it = |identity: &String| mark.is(identity);
    let began = version.number == 1 && node.external.identity.as_ref().is_some_and(is_it);
    began
        || version.external_identity.as_ref().is_some_and(is_it)
        || version.description.split_whitespace().any(|word| mark.is(word))
}

fn is_not_there(error: &Error) -> bool {
    matches!(error.code(), PATH_MISSING | NOT_ACCESSIBLE | NOT_FOUND)
}
