//! Permissions and the classification of a document. Users, groups and classes are
//! found by name once per process.

use super::{
    Filer,
    permissions::{self, MemberName, PermissionPlan},
    plan::Reference,
};
use crate::{
    content_server::{
        Grant, Holder, MemberKind, NOT_ACCESSIBLE, NodeId, NodePath, PermissionTemplate, Right, Root, volume,
    },
    error::{Error, Result},
};

impl Filer {
    /// Gives a document its rights: do this last of all, as they may not include our own. Says whether the document can
    /// still be seen; it was seen a moment ago, so when it is not, the last of the new rights, the owner's, have taken it
    /// out of our sight, and they are in force.
    ///
    /// # Errors
    /// When a member is not there, or the rights cannot be given.
    pub async fn restrict(&self, node: NodeId, template: &PermissionTemplate) -> Result<bool> {
        match self.content_server.apply_permissions(node, template).await {
            Err(error) if error.code() == NOT_ACCESSIBLE => {
                tracing::warn!(node = node.0, "the new rights leave none to the service user");
                Ok(false)
            }
            outcome => outcome.map(|_| true),
        }
    }

    /// A permission list with its members found.
    ///
    /// # Errors
    /// When a member is not there.
    pub async fn permission_template(&self, plan: &PermissionPlan) -> Result<PermissionTemplate> {
        let fixed = [
            (Holder::Public, &plan.public),
            (Holder::Group, &plan.owner_group),
            (Holder::Owner, &plan.owner),
        ];
        let mut grants = Vec::new();
        for assigned in &plan.assigned {
            let member = match &assigned.member {
                MemberName::Group(name) => self.member(MemberKind::Group, name).await?,
                MemberName::User(name) => self.member(MemberKind::User, name).await?,
            };
            grants.push(grant(Holder::Member(member), &assigned.rights));
        }
        // Whoever made the document sees it as its owner, as long as the owner's rights are not taken.
        grants.extend(fixed.into_iter().filter_map(|(holder, rights)| Some(grant(holder, rights.as_ref()?))));
        Ok(PermissionTemplate { grants, only_these_members: false })
    }

    /// The records management class a rule names.
    pub(super) async fn record_class(&self, class: &Reference) -> Result<NodeId> {
        let names = match class {
            Reference::Id(id) => return Ok(NodeId(i64::try_from(*id).unwrap_or(i64::MAX))),
            Reference::Path(names) => names,
        };
        let name = format!("class {}", names.join("/"));
        if let Some(known) = self.places.get(&name) {
            return Ok(known);
        }
        let path = NodePath { root: Root::Volume(volume::RECORDS), segments: names.clone() };
        let found = self.content_server.resolve_path(&path).await?.id;
        self.places.put(name, found);
        Ok(found)
    }

    /// A member the rules name: that it is missing is a fault of the configuration.
    async fn member(&self, kind: MemberKind, name: &str) -> Result<i64> {
        let place = format!("member {kind:?} {name}");
        if let Some(known) = self.places.get(&place) {
            return Ok(known.0);
        }
        let found = self.content_server.resolve_member(kind, name).await?.id;
        self.places.put(place, NodeId(found));
        Ok(found)
    }

    /// A user the metadata names: that it is missing is a fault of the input.
    pub(super) async fn user(&self, field: &str, login: &str) -> Result<i64> {
        let place = format!("member {:?} {login}", MemberKind::User);
        if let Some(known) = self.places.get(&place) {
            return Ok(known.0);
        }
        let found = self.content_server.find_member(MemberKind::User, login).await?.ok_or_else(|| {
            Error::invalid("value.unknown-user", "no user of this login name is known in the target")
                .field(field)
                .remedy("correct the name in the metadata, or create the user")
        })?;
        self.places.put(place, NodeId(found.id));
        Ok(found.id)
    }
}

fn grant(holder: Holder, rights: &[permissions::Right]) -> Grant {
    Grant { holder, rights: rights.iter().map(|right| right_of(*right)).collect() }
}

fn right_of(right: permissions::Right) -> Right {
    match right {
        permissions::Right::See => Right::See,
        permissions::Right::SeeContents => Right::SeeContents,
        permissions::Right::Modify => Right::Modify,
        permissions::Right::EditAttributes => Right::EditAttributes,
        permissions::Right::AddItems => Right::AddItems,
        permissions::Right::Reserve => Right::Reserve,
        permissions::Right::AddMajorVersion => Right::AddMajorVersion,
        permissions::Right::DeleteVersions => Right::DeleteVersions,
        permissions::Right::Delete => Right::Delete,
        permissions::Right::EditPermissions => Right::EditPermissions,
    }
}
