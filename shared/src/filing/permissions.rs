//! Permission templates: who may do what with a document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mapping::{Diagnostics, Located};

/// A permission list. What it does not mention stays as the folder gives it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionTemplateSpec {
    /// What the owner may do. An empty list takes every right away.
    pub owner: Option<Vec<Right>>,
    /// What the owner's group may do.
    pub owner_group: Option<Vec<Right>>,
    /// What everybody may do.
    pub public: Option<Vec<Right>>,
    /// What certain groups and users may do.
    #[serde(default)]
    pub assigned: Vec<AssignedSpec>,
}

/// What a group or a user may do.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignedSpec {
    /// The name of the group.
    pub group: Option<Located<String>>,
    /// The login name of the user, instead of `group`.
    pub user: Option<Located<String>>,
    /// What it may do.
    pub rights: Located<Vec<Right>>,
}

/// A right on a node, as Content Server names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See that it exists.
    See,
    /// Read its contents.
    SeeContents,
    /// Change its name and description.
    Modify,
    /// Change its category attributes.
    EditAttributes,
    /// Put items into it.
    AddItems,
    /// Reserve it for editing.
    Reserve,
    /// Add a major version.
    AddMajorVersion,
    /// Delete versions.
    DeleteVersions,
    /// Delete it.
    Delete,
    /// Change its permissions.
    EditPermissions,
}

impl Right {
    /// The name Content Server uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::SeeContents => "see_contents",
            Self::Modify => "modify",
            Self::EditAttributes => "edit_attributes",
            Self::AddItems => "add_items",
            Self::Reserve => "reserve",
            Self::AddMajorVersion => "add_major_version",
            Self::DeleteVersions => "delete_versions",
            Self::Delete => "delete",
            Self::EditPermissions => "edit_permissions",
        }
    }
}

/// A permission list to apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermissionPlan {
    /// The name of the template.
    pub template: String,
    /// The owner's rights, when the template sets them.
    pub owner: Option<Vec<Right>>,
    /// The rights of the owner's group, when the template sets them.
    pub owner_group: Option<Vec<Right>>,
    /// Everybody's rights, when the template sets them.
    pub public: Option<Vec<Right>>,
    /// The rights of groups and users.
    pub assigned: Vec<Assigned>,
}

/// The rights of a group or a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assigned {
    /// Who.
    pub member: MemberName,
    /// What they may do.
    pub rights: Vec<Right>,
}

/// A group or a user by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberName {
    /// A group.
    Group(String),
    /// A user, by login name.
    User(String),
}

impl std::fmt::Display for MemberName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Group(name) => write!(formatter, "group {name}"),
            Self::User(name) => write!(formatter, "user {name}"),
        }
    }
}

/// Compiles a permission template.
pub fn compile(name: &str, spec: &PermissionTemplateSpec, diagnostics: &mut Diagnostics) -> PermissionPlan {
    let mut assigned: Vec<Assigned> = Vec::new();
    for entry in &spec.assigned {
        let member = match (&entry.group, &entry.user) {
            (Some(group), None) => MemberName::Group(group.value().clone()),
            (None, Some(user)) => MemberName::User(user.value().clone()),
            _ => {
                diagnostics.report(
                    entry.rights.span(),
                    "unclear-member",
                    "expected either `group` or `user` beside `rights`",
                    "keep exactly one of the two; write two entries for two members",
                );
                continue;
            }
        };
        if entry.rights.value().is_empty() {
            diagnostics.report(
                entry.rights.span(),
                "no-rights",
                format!("{member} is given no rights"),
                "list the rights, or remove the entry",
            );
        }
        if assigned.iter().any(|other| other.member == member) {
            diagnostics.report(
                entry.rights.span(),
                "duplicate-member",
                format!("{member} is listed twice in the permission template `{name}`"),
                "put all its rights into one entry",
            );
        }
        assigned.push(Assigned { member, rights: entry.rights.value().clone() });
    }
    PermissionPlan {
        template: name.to_owned(),
        owner: spec.owner.clone(),
        owner_group: spec.owner_group.clone(),
        public: spec.public.clone(),
        assigned,
    }
}
