//! Creating, finding, changing, moving and copying items.

use super::node::{External, Grant, Reservation};
use super::siblings::composed;
use super::{
    MemberId, NewVersion, Node, NodeId, Outcome, Permission, Permissions, Refusal, State, Version, kind,
};
use crate::content_server::settings::NameForms;

/// Longest name.
pub const NAME_LENGTH: usize = 248;

/// An item to create.
#[derive(Debug, Default)]
pub struct NewNode {
    /// Type, see [`kind`].
    pub kind: i64,
    /// Container.
    pub parent_id: NodeId,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// What a migration says about its origin.
    pub external: External,
    /// Target of a shortcut or generation.
    pub original_id: NodeId,
    /// Address of a URL item.
    pub url: Option<String>,
    /// First version of a document.
    pub version: Option<NewVersion>,
    /// Major and minor versions.
    pub advanced_versioning: bool,
    /// Categories and their attribute keys (`2`, `3_1_4`) with values; checked like any other edit.
    pub categories: Vec<(NodeId, serde_json::Map<String, serde_json::Value>)>,
    /// Plain classifications.
    pub classifications: Vec<NodeId>,
}

/// Changes to an item; what is `None` stays.
#[derive(Debug, Default)]
pub struct Changes {
    /// New name.
    pub name: Option<String>,
    /// New description.
    pub description: Option<String>,
    /// New container.
    pub parent_id: Option<NodeId>,
    /// Reserve for this member, or release.
    pub reserved_user_id: Option<Option<MemberId>>,
    /// Switch between standard and advanced versioning.
    pub advanced_versioning: Option<bool>,
    /// What a migration says about its origin.
    pub external: Option<External>,
    /// The token the caller read; stale ones are refused.
    pub metadata_token: Option<String>,
}

impl State {
    /// The item with this number.
    pub fn node(&self, id: NodeId) -> Outcome<&Node> {
        self.nodes.get(&id).ok_or(Refusal::NoNode(id))
    }

    /// Items in a container, by name.
    pub fn children(&self, id: NodeId) -> Vec<&Node> {
        let mut found: Vec<&Node> = self.child_ids(id).filter_map(|child| self.nodes.get(&child)).collect();
        found.sort_by_cached_key(|node| (node.name.to_lowercase(), node.id));
        found
    }

    /// The item of this name in a container; case does not matter.
    pub fn child(&self, parent: NodeId, name: &str) -> Option<&Node> {
        self.child_id(parent, name).and_then(|id| self.nodes.get(&id))
    }

    /// The item at a path of names below the Enterprise volume: `Claims/Incoming/photo.jpg`.
    pub fn at(&self, path: &str) -> Option<&Node> {
        let enterprise = self.nodes.values().find(|node| node.kind == kind::ENTERPRISE)?;
        path.split('/')
            .filter(|part| !part.is_empty())
            .try_fold(enterprise, |node, part| self.child(node.id, part))
    }

    /// Names from the volume down to the item.
    pub fn path_of(&self, id: NodeId) -> String {
        let names: Vec<&str> = self
            .ancestors(id)
            .into_iter()
            .filter_map(|id| self.nodes.get(&id).map(|node| node.name.as_str()))
            .collect();
        names.join("/")
    }

    /// Numbers from the volume down to the item itself.
    pub fn ancestors(&self, id: NodeId) -> Vec<NodeId> {
        let mut path = Vec::new();
        let mut at = Some(id);
        while let Some(node) = at.and_then(|id| self.nodes.get(&id)) {
            path.push(node.id);
            at = Some(node.parent_id);
        }
        path.reverse();
        path
    }

    /// The item and everything inside, the item first.
    pub(crate) fn subtree(&self, id: NodeId) -> Vec<NodeId> {
        let mut all = vec![id];
        let mut next = 0;
        while let Some(&at) = all.get(next) {
            all.extend(self.child_ids(at));
            next += 1;
        }
        all
    }

    /// The name as it will be stored, if it may be used in this container.
    pub fn accept_name(&self, parent: NodeId, name: &str, except: Option<NodeId>) -> Outcome<String> {
        let name = name.trim();
        if name.is_empty() {
            return Err(Refusal::Missing("name"));
        }
        if name.chars().count() > NAME_LENGTH {
            return Err(Refusal::said(400, format!("The item name cannot exceed {NAME_LENGTH} characters.")));
        }
        if let Some(bad) = name.chars().find(|c| self.settings.forbidden_name_characters.contains(*c)) {
            return Err(Refusal::said(400, format!("The item name cannot contain '{bad}'.")));
        }
        match self.child(parent, name) {
            Some(node) if Some(node.id) != except => Err(Refusal::Collision(name.to_owned())),
            _ if self.settings.name_forms == NameForms::Composed => Ok(composed(name)),
            _ => Ok(name.to_owned()),
        }
    }

    /// Puts a finished item into its container.
    pub(crate) fn insert(&mut self, node: Node) {
        let id = node.id;
        self.link(node.parent_id, &node.name, id);
        self.nodes.insert(id, node);
        self.touch(id);
    }

    /// An item as it starts, with the rights a new item in `parent` gets.
    pub(crate) fn blank(&self, id: NodeId, actor: MemberId, parent: NodeId, name: String, kind: i64) -> Node {
        let container = self.nodes.get(&parent);
        let mut permissions = container.map(|node| node.permissions.clone()).unwrap_or_default();
        permissions.owner = Some(Grant { right_id: actor, rights: Permission::ALL.into_iter().collect() });
        Node {
            id,
            parent_id: parent,
            volume_id: container.map_or(id, |node| node.volume_id),
            name,
            description: String::new(),
            kind,
            created: self.now,
            created_by: actor,
            modified: self.now,
            modified_by: actor,
            external: External::default(),
            original_id: 0,
            url: None,
            versions: Vec::new(),
            next_version: 1,
            advanced_versioning: false,
            categories: container
                .map(|node| {
                    let passed_on = node.categories.iter().filter(|(_, assigned)| assigned.inherited);
                    passed_on.map(|(id, assigned)| (*id, assigned.clone())).collect()
                })
                .unwrap_or_default(),
            permissions,
            reserved: None,
            nickname: None,
            classifications: Vec::new(),
            record: None,
            holds: Vec::new(),
            system_attributes: serde_json::Map::new(),
            workspace: None,
            token: 0,
            hidden: false,
        }
    }

    /// Creates an item.
    pub fn create(&mut self, actor: MemberId, new: NewNode) -> Outcome<NodeId> {
        let parent = self.visible(actor, new.parent_id)?;
        if !parent.is_container() || !self.may(actor, parent, Permission::AddItems) {
            return Err(Refusal::InvalidAction("create"));
        }
        let name = self.accept_name(new.parent_id, &new.name, None)?;
        if new.kind == kind::DOCUMENT && new.version.is_none() {
            return Err(Refusal::Missing("file"));
        }
        if matches!(new.kind, kind::SHORTCUT | kind::GENERATION) {
            self.visible(actor, new.original_id)?;
        }
        if new.kind == kind::URL && new.url.as_deref().unwrap_or_default().is_empty() {
            return Err(Refusal::Missing("url"));
        }
        let id = self.next_id;
        let mut node = self.blank(id, actor, new.parent_id, name, new.kind);
        node.description = new.description;
        node.external = new.external;
        node.original_id = new.original_id;
        node.url = new.url;
        node.advanced_versioning = new.advanced_versioning;
        node.classifications = new.classifications;
        for (category, values) in &new.categories {
            let assigned = node.categories.entry(*category).or_default();
            self.set_values(*category, assigned, values)?;
        }
        self.next_id += 1;
        self.insert(node);
        self.audit(id, 1, actor);
        if let Some(version) = new.version {
            self.push_version(actor, id, version);
        }
        Ok(id)
    }

    /// Refuses a stale `metadata_token`.
    pub(crate) fn check_token(node: &Node, token: Option<&str>) -> Outcome<()> {
        match token {
            Some(token) if token != node.token.to_string() => Err(Refusal::EditConflict),
            _ => Ok(()),
        }
    }

    /// Renames, describes, moves, reserves an item.
    pub fn update(&mut self, actor: MemberId, id: NodeId, changes: Changes) -> Outcome<()> {
        let node = self.visible(actor, id).map_err(|_| Refusal::NoNode(id))?;
        Self::check_token(node, changes.metadata_token.as_deref())?;
        if let Some(reserve_for) = changes.reserved_user_id {
            self.reserve(actor, id, reserve_for)?;
        }
        let edits = changes.name.is_some() || changes.description.is_some() || changes.parent_id.is_some();
        if !edits && changes.advanced_versioning.is_none() && changes.external.is_none() {
            return Ok(());
        }
        let node = self.with_right(actor, id, Permission::Modify, "update")?;
        self.not_reserved_by_another(actor, node)?;
        self.not_held_for_edit(node)?;
        let old_parent = node.parent_id;
        let parent = changes.parent_id.unwrap_or(old_parent);
        if parent != old_parent {
            self.may_move(actor, id, parent)?;
        }
        let node = self.node(id)?;
        let name = changes.name.clone().unwrap_or_else(|| node.name.clone());
        let name = self.accept_name(parent, &name, Some(id))?;
        let old_name = self.node(id)?.name.clone();
        let renamed = name != old_name;
        self.unlink(old_parent, &old_name, id);
        self.link(parent, &name, id);
        if parent != old_parent {
            self.relocate(id, parent);
            self.audit(id, 4, actor);
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.name = name;
            node.description = changes.description.unwrap_or_else(|| node.description.clone());
            node.advanced_versioning = changes.advanced_versioning.unwrap_or(node.advanced_versioning);
            node.external = changes.external.unwrap_or_else(|| node.external.clone());
        }
        if renamed {
            self.audit(id, 6, actor);
        }
        self.modify(id);
        Ok(())
    }

    fn may_move(&self, actor: MemberId, id: NodeId, parent: NodeId) -> Outcome<()> {
        let destination = self.with_right(actor, parent, Permission::AddItems, "create")?;
        if !destination.is_container() || self.ancestors(parent).contains(&id) {
            return Err(Refusal::InvalidAction("move"));
        }
        self.with_right(actor, id, Permission::Delete, "move").map(|_| ())
    }

    fn relocate(&mut self, id: NodeId, to: NodeId) {
        let (volume, permissions) =
            self.nodes.get(&to).map(|node| (node.volume_id, node.permissions.clone())).unwrap_or_default();
        let takes = self.settings.move_takes_destination_permissions;
        for below in self.subtree(id) {
            if let Some(node) = self.nodes.get_mut(&below) {
                node.volume_id = volume;
                if takes {
                    node.permissions =
                        Permissions { owner: node.permissions.owner.clone(), ..permissions.clone() };
                }
            }
            // Search knows the place of everything inside.
            self.unindexed.push_back((self.now, below));
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.parent_id = to;
        }
    }

    fn reserve(&mut self, actor: MemberId, id: NodeId, reserve_for: Option<MemberId>) -> Outcome<()> {
        let node = self.with_right(actor, id, Permission::Reserve, "reserve")?;
        if !self.is_administrator(actor) {
            self.not_reserved_by_another(actor, node)?;
        }
        if reserve_for.is_some() {
            self.not_reserved_by_another(reserve_for.unwrap_or(actor), node)?;
        }
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(&id) {
            node.reserved = reserve_for.map(|user| Reservation { user, at: now });
        }
        self.audit(id, if reserve_for.is_some() { 7 } else { 8 }, actor);
        self.touch(id);
        Ok(())
    }

    /// Copies an item, with everything inside, into a container.
    pub fn copy(
        &mut self,
        actor: MemberId,
        original: NodeId,
        parent: NodeId,
        name: Option<&str>,
        inheritance: i64,
    ) -> Outcome<NodeId> {
        let source = self.visible(actor, original)?.clone();
        self.with_right(actor, parent, Permission::AddItems, "create")?;
        if self.ancestors(parent).contains(&original) {
            return Err(Refusal::InvalidAction("copy"));
        }
        let name = self.accept_name(parent, name.unwrap_or(&source.name), None)?;
        let id = self.copy_one(actor, &source, parent, name, inheritance);
        let mut queue: Vec<(NodeId, NodeId)> = self.child_ids(original).map(|child| (child, id)).collect();
        while let Some((child, into)) = queue.pop() {
            let Ok(node) = self.visible(actor, child) else { continue };
            let node = node.clone();
            let copied = self.copy_one(actor, &node, into, node.name.clone(), 0);
            queue.extend(self.child_ids(child).map(|grandchild| (grandchild, copied)));
        }
        Ok(id)
    }

    /// 0 keeps the original's categories, 1 takes the destination's, 2 both.
    fn copy_one(
        &mut self,
        actor: MemberId,
        source: &Node,
        parent: NodeId,
        name: String,
        categories: i64,
    ) -> NodeId {
        let id = self.fresh_id();
        let mut node = self.blank(id, actor, parent, name, source.kind);
        if categories == 0 {
            node.categories.clear();
        }
        if categories != 1 {
            node.categories.extend(source.categories.clone());
        }
        node.description.clone_from(&source.description);
        node.external = source.external.clone();
        node.original_id = if source.kind == kind::DOCUMENT { 0 } else { source.original_id };
        node.url.clone_from(&source.url);
        node.advanced_versioning = source.advanced_versioning;
        node.classifications.clone_from(&source.classifications);
        // A copy starts again at version 1 with the newest content.
        if let Some(latest) = source.latest() {
            let version_id = self.fresh_id();

            node.versions = vec![Version {
                number: 1,
                version_id,
                advanced: node.advanced_versioning,
                major: 0,
                minor: 1,
                created: self.now,
                modified: self.now,
                owner: actor,
                locked_by: None,
                ..latest.clone()
            }];
            node.next_version = 2;
        }
        self.insert(node);
        self.audit(id, 92, actor);
        id
    }

    /// Gives an item a nickname.
    pub fn set_nickname(&mut self, actor: MemberId, id: NodeId, nickname: &str) -> Outcome<()> {
        const FORBIDDEN: &str = "!%()-{}[]\";'<>?,./\\# ";
        self.with_right(actor, id, Permission::Modify, "nickname")?;
        let is_number = nickname.parse::<i64>().is_ok_and(|number| number != id);
        if nickname.is_empty() || nickname.chars().count() > NAME_LENGTH || is_number {
            return Err(Refusal::said(500, "The nickname is not valid."));
        }
        if nickname.contains(|c| FORBIDDEN.contains(c)) {
            return Err(Refusal::said(500, "The nickname contains characters that are not allowed."));
        }
        if self.by_nickname(nickname).is_some_and(|node| node.id != id) {
            return Err(Refusal::said(500, format!("The nickname '{nickname}' is already in use.")));
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.nickname = Some(nickname.to_owned());
        }
        self.touch(id);
        Ok(())
    }

    /// The item with this nickname.
    pub fn by_nickname(&self, nickname: &str) -> Option<&Node> {
        let same = |known: &String| known.eq_ignore_ascii_case(nickname);
        self.nodes.values().find(|node| node.nickname.as_ref().is_some_and(same))
    }

    /// The volume of this type.
    pub fn volume(&self, kind: i64) -> Option<&Node> {
        self.nodes.values().find(|node| node.kind == kind && node.parent_id == -1)
    }
}
