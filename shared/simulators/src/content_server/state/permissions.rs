//! Changing rights.

use super::node::{Grant, Rights};
use super::{MemberId, NodeId, Outcome, Permission, Refusal, State};
use crate::content_server::settings::Dependencies;

/// Whose rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The owner.
    Owner,
    /// The owner's group.
    Group,
    /// Everybody.
    Public,
    /// This member.
    Custom(MemberId),
}

impl State {
    /// Completes rights by those they need, or refuses, as the settings say.
    fn complete(&self, rights: Rights) -> Outcome<Rights> {
        let mut complete = rights.clone();
        for right in &rights {
            complete.extend(right.needs());
        }
        if complete != rights && self.settings.permission_dependencies == Dependencies::Reject {
            return Err(Refusal::said(400, "The permissions depend on others that are not granted."));
        }
        Ok(complete)
    }

    /// Sets (`Some`) or removes (`None`) the rights of a holder. `apply_to`: 0 the item, 1 what is inside,
    /// 2 both, 3 the item and its immediate children.
    pub fn set_rights(
        &mut self,
        actor: MemberId,
        id: NodeId,
        holder: Holder,
        rights: Option<Rights>,
        right_id: Option<MemberId>,
        apply_to: i64,
    ) -> Outcome<()> {
        let node = self.visible(actor, id).map_err(|_| Refusal::sorry(500))?;
        if !self.may(actor, node, Permission::EditPermissions) {
            return Err(Refusal::Insufficient);
        }
        if apply_to != 0 && !node.is_container() {
            return Err(Refusal::BadType("apply_to".to_owned()));
        }
        if let Holder::Custom(member) = holder
            && !self.members.contains_key(&member)
        {
            return Err(Refusal::BadType("right_id".to_owned()));
        }
        let rights = rights.map(|rights| self.complete(rights)).transpose()?;
        let targets = match apply_to {
            0 => vec![id],
            1 => self.subtree(id).split_off(1),
            2 => self.subtree(id),
            3 => [id].into_iter().chain(self.child_ids(id)).collect(),
            _ => return Err(Refusal::BadType("apply_to".to_owned())),
        };
        for target in targets {
            // Sub-items on which the caller may not change rights are passed over, as the server does.
            if self.node(target).is_ok_and(|node| self.may(actor, node, Permission::EditPermissions)) {
                self.set_rights_of_one(actor, target, holder, rights.clone(), right_id);
            }
        }
        Ok(())
    }

    fn set_rights_of_one(
        &mut self,
        actor: MemberId,
        id: NodeId,
        holder: Holder,
        rights: Option<Rights>,
        right_id: Option<MemberId>,
    ) {
        let base_group = self.members.get(&actor).and_then(|member| member.group);
        if let Some(node) = self.nodes.get_mut(&id) {
            let created_by = node.created_by;
            let permissions = &mut node.permissions;
            match holder {
                Holder::Public => permissions.public = rights,
                Holder::Custom(member) => {
                    match rights {
                        Some(rights) => permissions.custom.insert(member, rights),
                        None => permissions.custom.remove(&member),
                    };
                }
                Holder::Owner => {
                    let known = permissions.owner.as_ref().map_or(created_by, |grant| grant.right_id);
                    permissions.owner =
                        rights.map(|rights| Grant { right_id: right_id.unwrap_or(known), rights });
                }
                Holder::Group => {
                    let known = permissions.group.as_ref().map(|grant| grant.right_id).or(base_group);
                    permissions.group =
                        rights.zip(right_id.or(known)).map(|(rights, right_id)| Grant { right_id, rights });
                }
            }
        }
        self.audit(id, 9, actor);
        if self.settings.permission_edit_moves_modify_date { self.modify(id) } else { self.touch(id) }
    }
}
