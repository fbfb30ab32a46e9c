//! Where a document goes: folders found or made, business workspaces found or made.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use shared::{
    content_server::{
        BusinessObject, External, NewFolder, NewWorkspace, NodeId, NodePath as ServerPath,
        Root as ServerRoot, WorkspaceType, volume,
    },
    error::{Error, FailureClass, Result, System},
};

use super::IngestUploads;
use crate::intake_rules::plan::{NodePath, Reference, Root, Target, WorkspaceTarget};

/// Places found so far by this process. A place that turns out to be gone is forgotten and looked for again.
#[derive(Default)]
pub(super) struct Places(Mutex<HashMap<String, NodeId>>);

impl Places {
    pub(super) fn get(&self, name: &str) -> Option<NodeId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    pub(super) fn put(&self, name: String, node: NodeId) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A function that lives long and files into a folder per item must not remember them all.
        if places.len() >= 1000 {
            places.clear();
        }
        places.insert(name, node);
    }

    pub(super) fn forget(&self, node: NodeId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, found| *found != node);
    }
}

impl IngestUploads {
    /// The container the document goes into.
    pub(super) async fn container(&self, target: &Target) -> Result<NodeId> {
        let name = serde_json::to_string(target)
            .map_err(|error| Error::bug("find target", "a target cannot be named").source(error))?;
        if let Some(known) = self.places.get(&name) {
            return Ok(known);
        }
        let node = match target {
            Target::Folder { path, create } => self.folder(path, *create).await?,
            Target::Workspace(workspace) => {
                let node = self.workspace(workspace).await?;
                self.folder_below(node, &workspace.folder, true).await?
            }
        };
        self.places.put(name, node);
        Ok(node)
    }

    async fn folder(&self, path: &NodePath, create: bool) -> Result<NodeId> {
        let root = ServerPath { root: server_root(path.root), segments: Vec::new() };
        let root = self.content_server.resolve_path(&root).await?.id;
        self.folder_below(root, &path.names, create).await
    }

    async fn folder_below(&self, root: NodeId, names: &[String], create: bool) -> Result<NodeId> {
        let rules = &self.content_server.settings().names;
        let names: Vec<String> = names.iter().map(|name| rules.escape(name)).collect();
        if create {
            let ensured = self.content_server.ensure_folder_path(root, &names, &NewFolder::default()).await?;
            return Ok(ensured.folder.id);
        }
        let path = ServerPath { root: ServerRoot::Node(root), segments: names };
        let folder = self.content_server.resolve_path(&path).await;
        Ok(folder
            .map_err(|error| error.remedy("create the folder, or set `create = true` in the rule's target"))?
            .id)
    }

    async fn workspace(&self, wanted: &WorkspaceTarget) -> Result<NodeId> {
        let object = wanted.business_object.as_ref().map(|object| BusinessObject {
            system: object.system.clone(),
            kind: object.object_type.clone(),
            id: object.id.clone(),
        });
        if let Some(object) = &object
            && let Some(found) = self.content_server.find_workspace_of(object).await?
        {
            return Ok(found.id);
        }
        let kind = self.content_server.get_workspace_type(&wanted.workspace_type).await?;
        let rules = &self.content_server.settings().names;
        let name = wanted.name.as_deref().map(|name| rules.escape(name)).unwrap_or_default();
        if !wanted.create {
            let found = match object {
                None => self.content_server.find_workspace(kind.id, &name).await?,
                Some(_) => None,
            };
            return found.map(|workspace| workspace.id).ok_or_else(|| missing_workspace(wanted));
        }
        let parent = match &wanted.location {
            Some(location) => Some(self.folder(location, false).await?),
            None => None,
        };
        let new = NewWorkspace {
            workspace_type: kind.id,
            template: template(wanted, &kind)?,
            name,
            description: String::new(),
            parent,
            business_object: object,
            categories: Vec::new(),
            external: External::default(),
        };
        Ok(self.content_server.ensure_workspace(&new).await?.0)
    }
}

fn template(wanted: &WorkspaceTarget, kind: &WorkspaceType) -> Result<i64> {
    let found = match &wanted.template {
        Some(Reference::Id(id)) => {
            kind.templates.iter().find(|template| u64::try_from(template.id) == Ok(*id))
        }
        Some(Reference::Path(names)) => {
            kind.templates.iter().find(|template| names.last() == Some(&template.name))
        }
        None => kind.templates.first(),
    };
    found.map(|template| template.id).ok_or_else(|| {
        refuse("target.template-missing", format!("the workspace type {} has no such template", kind.name))
            .remedy("correct `template` in the rule's target, or add the template to the type")
    })
}

fn missing_workspace(wanted: &WorkspaceTarget) -> Error {
    refuse(
        "target.workspace-missing",
        format!(
            "there is no {} workspace for this object, and the rule does not create one",
            wanted.workspace_type
        ),
    )
    .remedy("create the workspace, or set `create = true` in the rule's target")
}

fn refuse(code: &'static str, message: String) -> Error {
    Error::new(FailureClass::Forbidden, System::ContentServer, "find target", code, message)
}

fn server_root(root: Root) -> ServerRoot {
    match root {
        Root::Enterprise => ServerRoot::Volume(volume::ENTERPRISE),
        Root::Node(id) => ServerRoot::Node(NodeId(i64::try_from(id).unwrap_or(i64::MAX))),
    }
}
