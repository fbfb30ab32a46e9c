//! Business workspaces: types, references to business objects, relations, roles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::node::Rights;
use super::{Member, MemberId, Node, NodeId, Outcome, Permission, Refusal, State, kind};

/// A kind of workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkspaceType {
    /// Number.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Node of its configuration.
    pub config_node: NodeId,
    /// Templates: workspaces that are copied.
    pub templates: Vec<NodeId>,
    /// Where new workspaces go when the caller names no place.
    pub location: NodeId,
    /// Pattern of generated names with `[category id_attribute id]` and `[bo_id]` placeholders.
    pub name_pattern: Option<String>,
    /// External systems and business object types it stands for.
    pub business_object_types: Vec<(String, String)>,
}

/// A business object in another system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BusinessObject {
    /// System.
    pub system: String,
    /// Type.
    pub kind: String,
    /// Key.
    pub id: String,
}

impl BusinessObject {
    /// A business object.
    pub fn new(system: &str, kind: &str, id: &str) -> Self {
        Self { system: system.to_owned(), kind: kind.to_owned(), id: id.to_owned() }
    }
}

/// What makes an item a workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Workspace {
    /// Type.
    pub type_id: i64,
    /// Template it was made from.
    pub template: NodeId,
    /// Business objects it stands for.
    pub references: Vec<BusinessObject>,
    /// Workspaces below it.
    pub related_children: BTreeSet<NodeId>,
    /// Roles, each a member of kind 848.
    pub roles: Vec<Role>,
}

/// A role of a workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    /// Its member number.
    pub member: MemberId,
    /// Leads the team.
    pub leader: bool,
}

/// A workspace to create.
#[derive(Debug, Default)]
pub struct NewWorkspace {
    /// Template.
    pub template: NodeId,
    /// Type, when not implied by the template.
    pub type_id: Option<i64>,
    /// Name; may be generated.
    pub name: String,
    /// Description.
    pub description: String,
    /// Place, when not the type's.
    pub parent_id: Option<NodeId>,
    /// Business object.
    pub reference: Option<BusinessObject>,
    /// Category values.
    pub categories: Vec<(NodeId, serde_json::Map<String, serde_json::Value>)>,
    /// What a migration says about its origin.
    pub external: super::External,
}

fn no_workspace() -> Refusal {
    Refusal::said(404, "The business workspace could not be found.")
}

impl State {
    /// A workspace the member sees.
    pub fn workspace(&self, actor: MemberId, id: NodeId) -> Outcome<(&Node, &Workspace)> {
        let node = self.visible(actor, id).map_err(|_| no_workspace())?;
        node.workspace.as_ref().map(|workspace| (node, workspace)).ok_or_else(no_workspace)
    }

    /// All workspaces that are not templates.
    pub fn workspaces(&self) -> impl Iterator<Item = (&Node, &Workspace)> {
        let templates: BTreeSet<NodeId> =
            self.workspace_types.values().flat_map(|kind| kind.templates.iter().copied()).collect();
        self.nodes
            .values()
            .filter(move |node| !templates.contains(&node.id))
            .filter_map(|node| node.workspace.as_ref().map(|workspace| (node, workspace)))
    }

    /// The workspace that stands for a business object.
    pub fn workspace_of(&self, object: &BusinessObject) -> Option<&Node> {
        self.workspaces().find(|(_, workspace)| workspace.references.contains(object)).map(|(node, _)| node)
    }

    /// Creates a workspace from a template.
    pub fn create_workspace(&mut self, actor: MemberId, new: NewWorkspace) -> Outcome<NodeId> {
        let kind = self
            .workspace_types
            .values()
            .find(|kind| match new.type_id {
                Some(id) => kind.id == id && kind.templates.contains(&new.template),
                None => kind.templates.contains(&new.template),
            })
            .cloned()
            .ok_or_else(|| {
                Refusal::said(400, "The template does not belong to the business workspace type.")
            })?;
        if let Some(object) = &new.reference
            && self.workspace_of(object).is_some()
        {
            return Err(Refusal::said(400, "A business workspace for this business object already exists."));
        }
        let parent = new.parent_id.unwrap_or(kind.location);
        let template = self.node(new.template)?.clone();
        let name = match &kind.name_pattern {
            Some(pattern) => generate_name(pattern, &new),
            None => new.name.clone(),
        };
        // Values are checked before anything is copied, so that a refusal leaves nothing behind.
        let mut categories = template.categories.clone();
        for (category, values) in &new.categories {
            self.set_values(*category, categories.entry(*category).or_default(), values)?;
        }
        self.visible(actor, parent)?;
        let id = self.copy(actor, template.id, parent, Some(&name), 2)?;
        let mut roles = Vec::new();
        for role in template.workspace.iter().flat_map(|workspace| &workspace.roles) {
            roles.push(self.copy_role(role, id));
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.description = new.description;
            node.external = new.external;
            node.categories.extend(categories);
            node.workspace = Some(Workspace {
                type_id: kind.id,
                template: template.id,
                references: new.reference.into_iter().collect(),
                related_children: BTreeSet::new(),
                roles: roles.iter().map(|(role, _)| role.clone()).collect(),
            });
        }
        // The team's rights hold on the workspace and on everything that came with the template.
        for below in self.subtree(id) {
            if let Some(node) = self.nodes.get_mut(&below) {
                for (role, rights) in &roles {
                    node.permissions.custom.insert(role.member, rights.clone());
                }
            }
            self.touch(below);
        }
        Ok(id)
    }

    fn copy_role(&mut self, role: &Role, workspace: NodeId) -> (Role, Rights) {
        let id = self.fresh_id();
        if let Some(original) = self.members.get(&role.member).cloned() {
            self.members.insert(id, Member { id, node: Some(workspace), ..original });
        }
        let rights: Rights = if role.leader {
            Permission::ALL.into_iter().collect()
        } else {
            let team = [Permission::AddItems, Permission::EditAttributes, Permission::Reserve];
            team.into_iter().flat_map(|right| right.needs().iter().copied().chain([right])).collect()
        };
        (Role { member: id, leader: role.leader }, rights)
    }

    /// Sets (`Some`) or removes the reference of a workspace to a business object.
    pub fn set_reference(
        &mut self,
        actor: MemberId,
        id: NodeId,
        object: &BusinessObject,
        present: bool,
    ) -> Outcome<()> {
        self.workspace(actor, id)?;
        self.with_right(actor, id, Permission::Modify, "workspacereferences")?;
        if present && self.workspace_of(object).is_some_and(|node| node.id != id) {
            return Err(Refusal::said(400, "A business workspace for this business object already exists."));
        }
        if let Some(workspace) = self.nodes.get_mut(&id).and_then(|node| node.workspace.as_mut()) {
            workspace.references.retain(|known| known != object);
            if present {
                workspace.references.push(object.clone());
            }
        }
        self.touch(id);
        Ok(())
    }

    /// Relates two workspaces; `child` says that `other` is below `id`.
    pub fn relate(
        &mut self,
        actor: MemberId,
        id: NodeId,
        other: NodeId,
        child: bool,
        on: bool,
    ) -> Outcome<()> {
        self.workspace(actor, id)?;
        self.workspace(actor, other)?;
        let (above, below) = if child { (id, other) } else { (other, id) };
        self.with_right(actor, id, Permission::Modify, "relateditems")?;
        let workspace = self.nodes.get_mut(&above).and_then(|node| node.workspace.as_mut());
        let workspace = workspace.ok_or_else(no_workspace)?;
        let changed = if on {
            workspace.related_children.insert(below)
        } else {
            workspace.related_children.remove(&below)
        };
        if !changed {
            let text = if on { "The relation already exists." } else { "The relation does not exist." };
            return Err(Refusal::said(400, text));
        }
        self.touch(above);
        Ok(())
    }

    /// Workspaces related to this one, each with whether it is below.
    pub fn related(&self, id: NodeId) -> Vec<(NodeId, bool)> {
        let below = self.nodes.get(&id).and_then(|node| node.workspace.as_ref());
        let mut found: Vec<(NodeId, bool)> = below
            .into_iter()
            .flat_map(|workspace| &workspace.related_children)
            .map(|id| (*id, true))
            .collect();
        found.extend(
            self.workspaces()
                .filter(|(_, workspace)| workspace.related_children.contains(&id))
                .map(|(node, _)| (node.id, false)),
        );
        found
    }

    /// Adds a member to a role, or removes it.
    pub fn set_role_member(
        &mut self,
        actor: MemberId,
        workspace: NodeId,
        role: MemberId,
        member: MemberId,
        present: bool,
    ) -> Outcome<()> {
        let (_, details) = self.workspace(actor, workspace)?;
        if !details.roles.iter().any(|known| known.member == role) || !self.members.contains_key(&member) {
            return Err(Refusal::said(404, "The role or member could not be found."));
        }
        self.with_right(actor, workspace, Permission::EditPermissions, "roles")?;
        if let Some(role) = self.members.get_mut(&role) {
            let changed = if present { role.members.insert(member) } else { role.members.remove(&member) };
            if !changed {
                return Err(Refusal::said(400, "The member is already as asked."));
            }
        }
        self.touch(workspace);
        Ok(())
    }

    /// The workspace an item is in, or is.
    pub fn workspace_containing(&self, id: NodeId) -> Option<&Node> {
        let path = self.ancestors(id);
        path.into_iter()
            .rev()
            .filter_map(|id| self.nodes.get(&id))
            .find(|node| node.kind == kind::WORKSPACE && node.workspace.is_some())
    }
}

fn generate_name(pattern: &str, new: &NewWorkspace) -> String {
    let mut name = pattern.replace("[name]", &new.name);
    if let Some(object) = &new.reference {
        name = name.replace("[bo_id]", &object.id);
    }
    for (category, values) in &new.categories {
        for (key, value) in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            name = name.replace(&format!("[{category}_{key}]"), &text);
        }
    }
    name
}
