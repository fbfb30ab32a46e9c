//! Users, groups and workspace roles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ADMIN, MemberId, NodeId, State};

/// A user, group or role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Number.
    pub id: MemberId,
    /// 0 user, 1 group, 17 service user, 848 workspace role.
    pub kind: i64,
    /// Login or group name.
    pub name: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Business e-mail address.
    pub email: String,
    /// Base group of a user.
    pub group: Option<MemberId>,
    /// Members of a group or role.
    pub members: BTreeSet<MemberId>,
    /// Password of a user that may log in.
    pub password: Option<String>,
    /// May do everything.
    pub administrator: bool,
    /// Workspace of a role.
    pub node: Option<NodeId>,
    /// Deleted.
    pub deleted: bool,
}

impl Member {
    /// A user who cannot log in and has no rights beyond a base group's.
    pub fn user(id: MemberId, name: &str, group: MemberId) -> Self {
        Self {
            id,
            kind: 0,
            name: name.to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            group: Some(group),
            members: BTreeSet::new(),
            password: None,
            administrator: false,
            node: None,
            deleted: false,
        }
    }

    /// A group with these members.
    pub fn group(id: MemberId, name: &str, members: &[MemberId]) -> Self {
        Self { kind: 1, group: None, members: members.iter().copied().collect(), ..Self::user(id, name, 0) }
    }
}

impl State {
    /// The member with this login or group name.
    pub fn member_by_name(&self, name: &str) -> Option<&Member> {
        self.members.values().find(|member| !member.deleted && member.name.eq_ignore_ascii_case(name))
    }

    /// Whether this member may do everything.
    pub fn is_administrator(&self, id: MemberId) -> bool {
        id == ADMIN || self.members.get(&id).is_some_and(|member| member.administrator)
    }

    /// The member itself and every group and role it belongs to, directly or through other groups.
    pub fn identities(&self, id: MemberId) -> BTreeSet<MemberId> {
        let mut found = BTreeSet::from([id]);
        found.extend(self.members.get(&id).and_then(|member| member.group));
        loop {
            let more: Vec<MemberId> = self
                .members
                .values()
                .filter(|group| !found.contains(&group.id) && !group.members.is_disjoint(&found))
                .map(|group| group.id)
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    /// Login name of a member, or its number when there is no such member.
    pub fn login_of(&self, id: MemberId) -> String {
        self.members.get(&id).map_or_else(|| id.to_string(), |member| member.name.clone())
    }
}
