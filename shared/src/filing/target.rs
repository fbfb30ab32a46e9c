//! Where a document goes: folders found or made, business workspaces found or made.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Filer,
    plan::{NodePath, Reference, Root, Target, WorkspaceTarget},
};
use crate::{
    content_server::{
        BusinessObject, External, NOT_ACCESSIBLE, NewFolder, NewWorkspace, NodeId, NodePath as ServerPath,
        Root as ServerRoot, WorkspaceType, volume,
    },
    error::{Error, FailureClass, Result, System},
    flow::{Policy, Run},
};

/// Ids found so far by this process: of folders, workspaces, categories, classes and members. Any of them may be deleted
/// and made again under another id; see [`Filer::look_anew`].
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    ids: HashMap<String, (u64, NodeId)>,
    /// Counts what was learned, to tell older from newer.
    learned: u64,
}

impl Places {
    pub(super) fn get(&self, name: &str) -> Option<NodeId> {
        self.lock().ids.get(name).map(|(_, node)| *node)
    }

    pub(super) fn put(&self, name: String, node: NodeId) {
        let mut known = self.lock();
        // A function that lives long and files into a folder per item must not remember them all.
        if known.ids.len() >= 1000 {
            known.ids.clear();
        }
        known.learned += 1;
        let at = known.learned;
        known.ids.insert(name, (at, node));
    }

    /// A moment to forget up to.
    pub(super) fn now(&self) -> u64 {
        self.lock().learned
    }

    /// Forgets what was learned up to a moment; says whether there was anything.
    fn forget_until(&self, moment: u64) -> bool {
        let mut known = self.lock();
        let before = known.ids.len();
        known.ids.retain(|_, (at, _)| *at > moment);
        known.ids.len() < before
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The checkpoint that says: the ids were looked up anew for this item.
const LOOKED_UP_ANEW: &str = "looked-up-anew";

impl Filer {
    /// A refusal may be due to an id that stands for nothing any more: one remembered from before, or that of a document
    /// which went away after it was found. Then all of them are forgotten and the item is tried once more; a second
    /// refusal is believed.
    ///
    /// `known` is what [`Filer::moment`] said before the attempt.
    pub async fn look_anew(&self, refusal: Error, known: u64, run: &Run) -> Error {
        let may_be_outdated = refusal.system() == System::ContentServer
            && matches!(
                refusal.class(),
                FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid
            );
        if !may_be_outdated || run.recorded::<bool>(LOOKED_UP_ANEW).is_some() {
            return refusal;
        }
        let is_away = refusal.class() == FailureClass::Gone || refusal.code() == NOT_ACCESSIBLE;
        if !self.places.forget_until(known) && !is_away {
            return refusal;
        }
        if let Err(error) = run.checkpoint(LOOKED_UP_ANEW, &true).await {
            return error;
        }
        Error::new(
            FailureClass::Transient,
            System::Waybill,
            "find target",
            "target.look-again",
            format!("the target refused, perhaps because of an outdated id ({})", refusal.code()),
        )
        .source(refusal)
    }

    /// A moment, to tell what was known by then from what was found later.
    pub fn moment(&self) -> u64 {
        self.places.now()
    }

    /// The container the document goes into, made where the rule says so.
    ///
    /// # Errors
    /// What is missing, by name.
    pub async fn container(&self, target: &Target, run: &Run) -> Result<NodeId> {
        let name = serde_json::to_string(target)
            .map_err(|error| Error::bug("find target", "a target cannot be named").source(error))?;
        if let Some(known) = self.places.get(&name) {
            return Ok(known);
        }
        let node = match target {
            Target::Folder { path, create } => self.folder(path, *create, run).await?,
            Target::Workspace(workspace) => {
                let node = self.workspace(workspace, run).await?;
                self.folder_below(node, &workspace.folder, true, run).await?
            }
        };
        self.places.put(name, node);
        Ok(node)
    }

    async fn folder(&self, path: &NodePath, create: bool, run: &Run) -> Result<NodeId> {
        let root = ServerPath { root: server_root(path.root), segments: Vec::new() };
        let root = self.content_server.resolve_path(&root).await?.id;
        self.folder_below(root, &path.names, create, run).await
    }

    async fn folder_below(&self, root: NodeId, names: &[String], create: bool, run: &Run) -> Result<NodeId> {
        let rules = &self.content_server.settings().names;
        let names: Vec<String> = names.iter().map(|name| rules.escape(name)).collect();
        if create {
            let ensure = || async {
                let new = NewFolder::default();
                Ok(self.content_server.ensure_folder_path(root, &names, &new).await?.folder.id)
            };
            return run.effect("ensure-folders", Policy::RepeatSafe, || async { Ok(None) }, ensure).await;
        }
        let path = ServerPath { root: ServerRoot::Node(root), segments: names };
        let folder = self.content_server.resolve_path(&path).await;
        Ok(folder
            .map_err(|error| error.remedy("create the folder, or set `create = true` in the rule's target"))?
            .id)
    }

    async fn workspace(&self, wanted: &WorkspaceTarget, run: &Run) -> Result<NodeId> {
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
            Some(location) => Some(self.folder(location, false, run).await?),
            None => None,
        };
        let new = NewWorkspace {
            workspace_type: kind.id,
            template: template(wanted.template.as_ref(), &kind)?,
            name,
            description: String::new(),
            parent,
            business_object: object,
            categories: Vec::new(),
            external: External::default(),
        };
        let there = || async {
            Ok(self.content_server.find_workspace_like(&new).await?.map(|workspace| workspace.id))
        };
        let ensure = || async { Ok(self.content_server.ensure_workspace(&new).await?.0) };
        run.effect("ensure-workspace", Policy::CheckThenRepeat, there, ensure).await
    }
}

/// The template of a type that a rule means.
///
/// # Errors
/// `target.template-missing`.
pub fn template(wanted: Option<&Reference>, kind: &WorkspaceType) -> Result<i64> {
    let found = match wanted {
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

/// Where a path of a rule begins, in the client's words.
pub fn server_root(root: Root) -> ServerRoot {
    match root {
        Root::Enterprise => ServerRoot::Volume(volume::ENTERPRISE),
        Root::Node(id) => ServerRoot::Node(NodeId(i64::try_from(id).unwrap_or(i64::MAX))),
    }
}
