//! Who may do what.

use super::node::Rights;
use super::{MemberId, Node, NodeId, Outcome, Permission, Refusal, State};

impl State {
    /// The rights a member has on an item, through itself, its groups and its roles.
    pub fn effective_rights(&self, actor: MemberId, node: &Node) -> Rights {
        if self.is_administrator(actor) {
            return Permission::ALL.into_iter().collect();
        }
        let identities = self.identities(actor);
        let mut rights = Rights::new();
        let permissions = &node.permissions;
        for grant in [&permissions.owner, &permissions.group].into_iter().flatten() {
            if identities.contains(&grant.right_id) {
                rights.extend(&grant.rights);
            }
        }
        rights.extend(permissions.public.iter().flatten());
        for (member, granted) in &permissions.custom {
            if identities.contains(member) {
                rights.extend(granted);
            }
        }
        rights
    }

    /// Whether the member has this right on the item.
    pub fn may(&self, actor: MemberId, node: &Node, right: Permission) -> bool {
        self.is_administrator(actor) || self.effective_rights(actor, node).contains(&right)
    }

    /// The item, if it exists and the member sees it. For reads.
    pub fn visible(&self, actor: MemberId, id: NodeId) -> Outcome<&Node> {
        let node = self.nodes.get(&id).ok_or(Refusal::NotAccessible)?;
        if self.may(actor, node, Permission::See) { Ok(node) } else { Err(Refusal::NotAccessible) }
    }

    /// The item, if it exists, the member sees it and has the right. For writes: `verb` names what is attempted.
    pub fn with_right(
        &self,
        actor: MemberId,
        id: NodeId,
        right: Permission,
        verb: &'static str,
    ) -> Outcome<&Node> {
        let node = self.visible(actor, id).map_err(|_| Refusal::NoNode(id))?;
        if self.may(actor, node, right) { Ok(node) } else { Err(Refusal::InvalidAction(verb)) }
    }

    /// Refuses when somebody else reserved the item.
    pub(crate) fn not_reserved_by_another(&self, actor: MemberId, node: &Node) -> Outcome<()> {
        match &node.reserved {
            Some(reservation) if reservation.user != actor => Err(Refusal::Reserved {
                by: self.login_of(reservation.user),
                status: self.settings.reserved_status,
            }),
            _ => Ok(()),
        }
    }
}
