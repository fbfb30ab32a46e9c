//! Deleting, and the way back.

use super::{MemberId, NodeId, Outcome, Permission, Refusal, State};

impl State {
    /// Deletes an item with everything inside: into the recycle bin when that is on.
    pub fn delete(&mut self, actor: MemberId, id: NodeId) -> Outcome<()> {
        let node = self.visible(actor, id).map_err(|_| Refusal::NoNode(id))?;
        if node.parent_id == -1 || !self.may(actor, node, Permission::Delete) {
            return Err(Refusal::InvalidAction("delete"));
        }
        self.not_reserved_by_another(actor, node)?;
        let (parent, name) = (node.parent_id, node.name.clone());
        let all = self.subtree(id);
        for below in &all {
            if let Ok(node) = self.node(*below) {
                self.not_blocked_for_delete(node)?;
            }
        }
        let mut gone = Vec::new();
        for below in all {
            self.children.remove(&below);
            gone.extend(self.nodes.remove(&below));
            self.touch(below);
        }
        self.unlink(parent, &name, id);
        self.touch(parent);
        self.audit(id, 2, actor);
        if self.settings.recycle_bin {
            self.recycle_bin.insert(id, gone);
        }
        Ok(())
    }

    /// Deletes for good what is in the recycle bin.
    pub fn purge(&mut self, actor: MemberId, id: NodeId) -> Outcome<()> {
        self.in_recycle_bin(actor, id)?;
        self.recycle_bin.remove(&id);
        self.changes += 1;
        Ok(())
    }

    /// Brings back what is in the recycle bin.
    pub fn restore(&mut self, actor: MemberId, id: NodeId) -> Outcome<()> {
        let top = self.in_recycle_bin(actor, id)?;
        let (parent, name) = top;
        if !self.nodes.contains_key(&parent) {
            return Err(Refusal::said(500, "The original location no longer exists."));
        }
        self.accept_name(parent, &name, None)?;
        for node in self.recycle_bin.remove(&id).unwrap_or_default() {
            self.insert(node);
        }
        self.audit(id, 300, actor);
        Ok(())
    }

    /// Parent and name of an item in the recycle bin the member may handle: its own, or all for administrators.
    fn in_recycle_bin(&self, actor: MemberId, id: NodeId) -> Outcome<(NodeId, String)> {
        let top = self.recycle_bin.get(&id).and_then(|nodes| nodes.first()).ok_or(Refusal::NoNode(id))?;
        if self.may(actor, top, Permission::Delete) {
            Ok((top.parent_id, top.name.clone()))
        } else {
            Err(Refusal::InvalidAction("purge"))
        }
    }
}
