//! Who works in a workspace, what it is related to, and which business object it stands for.

use serde::Deserialize;

use super::{
    Client,
    call::Call,
    children::Turn,
    node::{Node, NodeId, NodeProperties},
    wire::{self, Data, Entry, Listing, OneOrMany, Properties, Results},
    workspaces::BusinessObject,
};
use crate::error::Result;

/// How another workspace is related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is below this one.
    Child,
    /// It is above this one.
    Parent,
}

impl Relation {
    fn word(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Parent => "parent",
        }
    }
}

/// A role of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkspaceRole {
    /// Its id, which is that of a member.
    #[serde(deserialize_with = "wire::integer")]
    pub id: i64,
    /// Its name.
    #[serde(deserialize_with = "wire::text")]
    pub name: String,
    /// Whether its members lead the workspace.
    #[serde(default, deserialize_with = "wire::truth")]
    pub leader: bool,
}

/// Somebody in a role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RoleMember {
    /// The member's id.
    #[serde(deserialize_with = "wire::integer")]
    pub id: i64,
    /// The member's name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: String,
}

/// An entry whose facts stand in it, under `data`, or under `data.properties`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Nested<T> {
    Deep(Data<Properties<T>>),
    Middle(Data<T>),
    Bare(T),
}

impl<T> Nested<T> {
    fn inner(self) -> T {
        match self {
            Self::Deep(entry) => entry.data.properties,
            Self::Middle(entry) => entry.data,
            Self::Bare(facts) => facts,
        }
    }
}

impl Client {
    /// Relates one workspace to another. That they are related already is for the caller to look up: the server gives
    /// no word for it.
    ///
    /// # Errors
    /// As any call.
    pub async fn create_workspace_relation(
        &self,
        workspace: NodeId,
        other: NodeId,
        relation: Relation,
    ) -> Result<()> {
        let path = format!("/v2/businessworkspaces/{workspace}/relateditems");
        let call = Call::post("relate workspaces", path)
            .repeatable()
            .field("rel_bw_id", other)
            .field("rel_type", relation.word());
        self.write_workspace(&call).await.map(drop)
    }

    /// Takes a relation away.
    ///
    /// # Errors
    /// As any call.
    pub async fn delete_workspace_relation(
        &self,
        workspace: NodeId,
        other: NodeId,
        relation: Relation,
    ) -> Result<()> {
        let path = format!("/v2/businessworkspaces/{workspace}/relateditems/{other}");
        self.tell(&Call::delete("unrelate workspaces", path).query("rel_type", relation.word())).await
    }

    /// The workspaces related to one.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_related_workspaces(&self, workspace: NodeId, relation: Relation) -> Result<Vec<Node>> {
        const OPERATION: &str = "list related workspaces";
        let mut turn = Turn::new(self);
        let mut found = Vec::new();
        while let Some(page) = turn.page(OPERATION)? {
            let call = Call::get(OPERATION, format!("/v2/businessworkspaces/{workspace}/relateditems"))
                .query("where_rel_types", format_args!("{{'{}'}}", relation.word()))
                .query("page", page)
                .query("limit", turn.limit)
                .query("fields", "properties")
                .query("action", "properties-");
            let answer: Listing<Entry<NodeProperties>> = self.ask(&call).await?;
            turn.took(answer.results.0.len(), answer.paging());
            let nodes = answer.results.0.into_iter().map(|entry| entry.data.properties.into_node(&self.zone));
            found.extend(nodes.filter(|node| turn.is_new(node.id.0)));
        }
        Ok(found)
    }

    /// The roles of a workspace.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_workspace_roles(&self, workspace: NodeId) -> Result<Vec<WorkspaceRole>> {
        let path = format!("/v2/businessworkspaces/{workspace}/roles");
        let answer: Results<OneOrMany<Nested<WorkspaceRole>>> =
            self.ask(&Call::get("list workspace roles", path)).await?;
        Ok(answer.results.0.into_iter().map(Nested::inner).collect())
    }

    /// Who is in a role.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_role_members(&self, workspace: NodeId, role: i64) -> Result<Vec<RoleMember>> {
        let path = format!("/v2/businessworkspaces/{workspace}/roles/{role}/members");
        let answer: Results<OneOrMany<Nested<RoleMember>>> =
            self.ask(&Call::get("list role members", path)).await?;
        Ok(answer.results.0.into_iter().map(Nested::inner).collect())
    }

    /// Sees to it that somebody is in a role.
    ///
    /// # Errors
    /// As any call.
    pub async fn ensure_role_member(&self, workspace: NodeId, role: i64, member: i64) -> Result<()> {
        let present = self.list_role_members(workspace, role).await?;
        if present.iter().any(|present| present.id == member) {
            return Ok(());
        }
        let path = format!("/v2/businessworkspaces/{workspace}/roles/{role}/members");
        let call = Call::post("add a role member", path).repeatable().field("id", member);
        self.write_workspace(&call).await.map(drop)
    }

    /// Says which business object a workspace stands for.
    ///
    /// # Errors
    /// As any call.
    pub async fn set_workspace_reference(&self, workspace: NodeId, object: &BusinessObject) -> Result<()> {
        let path = format!("/v2/businessworkspaces/{workspace}/workspacereferences");
        let call = Call::put("set a workspace reference", path)
            .field("ext_system_id", &object.system)
            .field("bo_type", &object.kind)
            .field("bo_id", &object.id);
        self.write_workspace(&call).await.map(drop)
    }

    /// Takes the business object off a workspace.
    ///
    /// # Errors
    /// As any call.
    pub async fn delete_workspace_reference(&self, workspace: NodeId, object: &BusinessObject) -> Result<()> {
        let path = format!("/v2/businessworkspaces/{workspace}/workspacereferences");
        let call = Call::delete("delete a workspace reference", path)
            .field("ext_system_id", &object.system)
            .field("bo_type", &object.kind)
            .field("bo_id", &object.id);
        self.write_workspace(&call).await.map(drop)
    }
}
