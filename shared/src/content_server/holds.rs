//! Legal holds. All writes of this process go one by one: they were seen to break when several pass a reverse proxy at
//! once.

use serde::Deserialize;
use serde_json::json;

use super::{
    Client,
    call::Call,
    node::NodeId,
    records::is_undecided,
    wire::{self, Data, OneOrMany},
};
use crate::error::{FailureClass, Result};

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hold {
    /// Its id.
    #[serde(rename = "HoldID", deserialize_with = "wire::integer")]
    pub id: i64,
    /// Its name.
    #[serde(rename = "HoldName", deserialize_with = "wire::text")]
    pub name: String,
    /// Whether it is in force.
    #[serde(rename = "ActiveHold", default, deserialize_with = "wire::truth")]
    pub active: bool,
}

/// A hold on a node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodeHold {
    /// The hold's id.
    #[serde(rename = "hold_id", deserialize_with = "wire::integer")]
    pub id: i64,
    /// The hold's name.
    #[serde(rename = "hold_name", default, deserialize_with = "wire::text")]
    pub name: String,
    /// Whether it is in force. What the server does not say counts as in force.
    #[serde(default = "yes", deserialize_with = "unless_said_otherwise")]
    pub active: bool,
}

fn yes() -> bool {
    true
}

fn unless_said_otherwise<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(wire::as_truth(&serde_json::Value::deserialize(deserializer)?).unwrap_or(true))
}

#[derive(Deserialize)]
struct AllHolds {
    results: HoldResults,
}

#[derive(Deserialize)]
struct HoldResults {
    data: HoldList,
    #[serde(default)]
    paging: Option<wire::Paging>,
}

#[derive(Deserialize)]
struct HoldList {
    holds: OneOrMany<Hold>,
}

impl Client {
    /// All holds.
    ///
    /// # Errors
    /// [`super::MODULE_MISSING`] where there is no records management.
    pub async fn list_holds(&self) -> Result<Vec<Hold>> {
        const OPERATION: &str = "list holds";
        let mut turn = super::children::Turn::new(self);
        let mut holds = Vec::new();
        while let Some(page) = turn.page(OPERATION)? {
            let call = Call::get(OPERATION, "/v2/holds").query("page", page).query("limit", turn.limit);
            let answer: AllHolds = self.ask(&call).await?;
            turn.took(answer.results.data.holds.0.len(), answer.results.paging.as_ref());
            holds.extend(answer.results.data.holds.0.into_iter().filter(|hold| turn.is_new(hold.id)));
        }
        Ok(holds)
    }

    /// The hold with a name.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_hold(&self, name: &str) -> Result<Option<Hold>> {
        Ok(self.list_holds().await?.into_iter().find(|hold| hold.name == name))
    }

    /// The holds on a node, in force or not.
    ///
    /// # Errors
    /// [`super::MODULE_MISSING`] where there is no records management.
    pub async fn list_node_holds(&self, node: NodeId) -> Result<Vec<NodeHold>> {
        let answer: Data<OneOrMany<NodeHold>> =
            self.ask(&Call::get("list a node's holds", format!("/v1/nodes/{node}/holds"))).await?;
        Ok(answer.data.0)
    }

    /// Whether any hold is in force on a node. Where there is no records management there is none.
    ///
    /// # Errors
    /// As any call: "not known" is never taken for "no".
    pub async fn is_held(&self, node: NodeId) -> Result<bool> {
        match self.list_node_holds(node).await {
            Ok(holds) => Ok(holds.iter().any(|hold| hold.active)),
            Err(error) if error.code() == super::MODULE_MISSING => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sees to it that a hold is on a node. Gives back whether it was missing.
    ///
    /// # Errors
    /// `Forbidden` when this user may not do that.
    pub async fn apply_hold(&self, node: NodeId, hold: i64) -> Result<bool> {
        let _one_by_one = self.holds.lock().await;
        if self.has_hold(node, hold).await? {
            return Ok(false);
        }
        let call =
            Call::post("apply a hold", format!("/v1/nodes/{node}/holds")).body(&json!({ "hold_id": hold }));
        self.settle(self.tell(&call).await, node, hold, true).await
    }

    /// Takes a hold off a node, on the decision of whoever answers for it. Gives back whether it was there.
    ///
    /// # Errors
    /// `Forbidden` when this user may not do that.
    pub async fn remove_hold(&self, node: NodeId, hold: i64) -> Result<bool> {
        let _one_by_one = self.holds.lock().await;
        if !self.has_hold(node, hold).await? {
            return Ok(false);
        }
        let call = Call::delete("remove a hold", format!("/v1/nodes/{node}/holds/{hold}")).once();
        self.settle(self.tell(&call).await, node, hold, false).await
    }

    /// Looks again after a write whose outcome is not known: the module answers some writes with nothing.
    async fn settle(&self, outcome: Result<()>, node: NodeId, hold: i64, wanted: bool) -> Result<bool> {
        match outcome {
            Ok(()) => Ok(true),
            Err(error) if is_undecided(error.class(), error.code()) => {
                if self.has_hold(node, hold).await? == wanted {
                    Ok(true)
                } else {
                    Err(error.with_class(FailureClass::Transient))
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn has_hold(&self, node: NodeId, hold: i64) -> Result<bool> {
        Ok(self.list_node_holds(node).await?.iter().any(|present| present.id == hold))
    }
}
