//! Who may do what with a node.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Client,
    call::Call,
    children::Turn,
    node::NodeId,
    wire::{self, Data, Listing, Results},
};
use crate::error::Result;

/// One thing that may be done with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Know that it is there.
    See,
    /// Read what is in it.
    SeeContents,
    /// Change it.
    Modify,
    /// Change its attributes.
    EditAttributes,
    /// Put something into it.
    AddItems,
    /// Check it out.
    Reserve,
    /// Add a major version.
    AddMajorVersion,
    /// Remove versions.
    DeleteVersions,
    /// Remove it.
    Delete,
    /// Change who may do what.
    EditPermissions,
}

/// Who has rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The owner.
    Owner,
    /// The owner's group.
    Group,
    /// Everybody.
    Public,
    /// A user or group, by id.
    Member(i64),
}

/// What a holder may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub holder: Holder,
    /// What.
    pub rights: BTreeSet<Right>,
}

/// The rights a new node is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermissionTemplate {
    /// Who gets what. Holders not named keep what they have.
    pub grants: Vec<Grant>,
    /// Take the rights from users and groups that are not named. Owner, group and public are changed only when named.
    pub only_these_members: bool,
}

#[derive(Deserialize)]
struct Listed {
    permissions: ListedRights,
}

#[derive(Deserialize)]
struct ListedRights {
    #[serde(rename = "type", default, deserialize_with = "wire::text")]
    kind: String,
    #[serde(default, deserialize_with = "wire::integer_or_none")]
    right_id: Option<i64>,
    #[serde(default)]
    permissions: Option<Vec<serde_json::Value>>,
}

impl Client {
    /// Who may do what with a node.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_permissions(&self, node: NodeId) -> Result<Vec<Grant>> {
        const OPERATION: &str = "list permissions";
        let mut turn = Turn::new(self);
        let mut grants: Vec<Grant> = Vec::new();
        while let Some(page) = turn.page(OPERATION)? {
            let call = Call::get(OPERATION, format!("/v2/nodes/{node}/permissions"))
                .query("page", page)
                .query("limit", turn.limit);
            let answer: Listing<Data<Listed>> = self.ask(&call).await?;
            turn.took(answer.results.0.len(), answer.paging());
            for listed in answer.results.0.into_iter().map(|entry| entry.data.permissions) {
                let Some(grant) = listed.into_grant() else { continue };
                let id = match grant.holder {
                    Holder::Owner => -1,
                    Holder::Group => -2,
                    Holder::Public => -3,
                    Holder::Member(id) => id,
                };
                if turn.is_new(id) {
                    grants.push(grant);
                }
            }
        }
        Ok(grants)
    }

    /// What a user may do with a node, all its groups and roles taken together.
    ///
    /// # Errors
    /// As any call.
    pub async fn effective_rights(&self, node: NodeId, member: i64) -> Result<BTreeSet<Right>> {
        let path = format!("/v2/nodes/{node}/permissions/effective/{member}");
        let answer: Results<Data<Listed>> = self.ask(&Call::get("read effective rights", path)).await?;
        Ok(rights(answer.results.data.permissions.permissions))
    }

    /// Whether a node's permissions are those of a template: nothing would have to be changed. Only reads.
    ///
    /// # Errors
    /// As any call.
    pub async fn has_permissions(&self, node: NodeId, template: &PermissionTemplate) -> Result<bool> {
        let present = self.list_permissions(node).await?;
        let is_given = |grant: &Grant| {
            let now = present.iter().find(|present| present.holder == grant.holder);
            // Who may do nothing need not be listed.
            now.map_or(grant.rights.is_empty(), |now| amounts_to(&grant.rights, &now.rights))
        };
        let is_surplus = |present: &&Grant| {
            matches!(present.holder, Holder::Member(_))
                && template.grants.iter().all(|grant| grant.holder != present.holder)
        };
        let surplus = present.iter().find(is_surplus).filter(|_| template.only_these_members);
        Ok(template.grants.iter().all(is_given) && surplus.is_none())
    }

    /// Gives a node the rights of a template, changing only what differs. Gives back how many holders were changed.
    ///
    /// # Errors
    /// `Forbidden` when this user may not change the rights.
    pub async fn apply_permissions(&self, node: NodeId, template: &PermissionTemplate) -> Result<usize> {
        let present = self.list_permissions(node).await?;
        let mut changed = 0;
        for grant in &template.grants {
            let now = present.iter().find(|present| present.holder == grant.holder);
            if now.is_some_and(|now| amounts_to(&grant.rights, &now.rights)) {
                continue;
            }
            self.set_permission(node, grant, now.is_some()).await?;
            changed += 1;
        }
        // Rights are taken last, so that nobody is shut out in between.
        for surplus in present.iter().filter(|_| template.only_these_members) {
            let Holder::Member(member) = surplus.holder else { continue };
            if template.grants.iter().all(|grant| grant.holder != surplus.holder) {
                self.delete_permission(node, member).await?;
                changed += 1;
            }
        }
        Ok(changed)
    }

    async fn set_permission(&self, node: NodeId, grant: &Grant, present: bool) -> Result<()> {
        const OPERATION: &str = "set a permission";
        let mut body = json!({ "permissions": grant.rights, "apply_to": 0 });
        let base = format!("/v2/nodes/{node}/permissions");
        let call = match grant.holder {
            Holder::Owner => Call::put(OPERATION, format!("{base}/owner")),
            Holder::Group => Call::put(OPERATION, format!("{base}/group")),
            Holder::Public => Call::put(OPERATION, format!("{base}/public")),
            Holder::Member(member) if present => Call::put(OPERATION, format!("{base}/custom/{member}")),
            Holder::Member(member) => {
                if let Some(fields) = body.as_object_mut() {
                    fields.insert("right_id".to_owned(), member.into());
                }
                Call::post(OPERATION, format!("{base}/custom")).repeatable()
            }
        };
        self.tell(&call.body(&body)).await
    }

    /// Takes all rights of a user or group.
    ///
    /// # Errors
    /// `Forbidden` when this user may not change the rights.
    pub async fn delete_permission(&self, node: NodeId, member: i64) -> Result<()> {
        let path = format!("/v2/nodes/{node}/permissions/custom/{member}");
        self.tell(&Call::delete("delete a permission", path).body(&json!({ "apply_to": 0 }))).await
    }
}

impl ListedRights {
    fn into_grant(self) -> Option<Grant> {
        let holder = match self.kind.as_str() {
            "owner" => Holder::Owner,
            "group" => Holder::Group,
            "public" => Holder::Public,
            _ => Holder::Member(self.right_id?),
        };
        Some(Grant { holder, rights: rights(self.permissions) })
    }
}

/// A right of a newer release that has no name here is no reason to fail.
fn rights(named: Option<Vec<serde_json::Value>>) -> BTreeSet<Right> {
    named.unwrap_or_default().into_iter().filter_map(|right| Right::deserialize(right).ok()).collect()
}

impl Right {
    /// What servers were seen to add, because the right makes no sense without it.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::See => &[],
            Self::SeeContents => &[Self::See],
            Self::Modify | Self::EditPermissions => &[Self::See, Self::SeeContents],
            Self::EditAttributes
            | Self::AddItems
            | Self::Reserve
            | Self::AddMajorVersion
            | Self::DeleteVersions => &[Self::See, Self::SeeContents, Self::Modify],
            Self::Delete => {
                &[Self::See, Self::SeeContents, Self::Modify, Self::EditAttributes, Self::DeleteVersions]
            }
        }
    }
}

/// Whether what is there is what was asked for, with no more than what rights bring with them.
fn amounts_to(wanted: &BTreeSet<Right>, present: &BTreeSet<Right>) -> bool {
    let brought = |right: &Right| wanted.iter().any(|wanted| wanted.needs().contains(right));
    wanted.is_subset(present) && present.difference(wanted).all(brought)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{Canned, answer},
        *,
    };

    #[tokio::test(start_paused = true)]
    async fn a_template_changes_only_what_differs_and_takes_rights_last() {
        let listed = |kind: &str, id: i64, rights: &[&str]| json!({"data": {"permissions": {"type": kind, "right_id": id, "permissions": rights}}});
        let present = json!({"results": [
            listed("owner", 1000, &["see", "see_contents", "modify"]),
            listed("public", -1, &["see", "see_contents"]),
            listed("custom", 11, &["see", "see_contents"]),
            listed("custom", 12, &["see"]),
        ]});
        let done = || answer(200, json!({"links": {}, "results": {}}));
        let canned = Canned::new([answer(200, present), done(), done(), done()]);
        let grant = |holder, rights: &[Right]| Grant { holder, rights: rights.iter().copied().collect() };
        let template = PermissionTemplate {
            grants: vec![
                grant(Holder::Public, &[]),
                grant(Holder::Member(11), &[Right::SeeContents]),
                grant(Holder::Member(13), &[Right::See, Right::Modify]),
            ],
            only_these_members: true,
        };
        let changed = canned.client().apply_permissions(NodeId(7), &template).await.unwrap();
        assert_eq!(changed, 3);
        let expected = [
            "GET /v2/nodes/7/permissions?page=1&limit=100",
            "PUT /v2/nodes/7/permissions/public",
            "POST /v2/nodes/7/permissions/custom",
            "DELETE /v2/nodes/7/permissions/custom/12",
        ];
        assert_eq!(canned.lines(), expected);
        assert_eq!(
            canned.asked()[2].json(),
            json!({"permissions": ["see", "modify"], "apply_to": 0, "right_id": 13})
        );
    }
}
