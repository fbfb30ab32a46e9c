//! Plain classifications, which have nothing to do with records.

use serde::Deserialize;
use serde_json::json;

use super::{
    Client,
    call::Call,
    node::NodeId,
    wire::{self, Data, OneOrMany},
};
use crate::error::Result;

#[derive(Deserialize)]
struct Classification {
    #[serde(deserialize_with = "wire::integer")]
    id: i64,
}

impl Client {
    /// The classifications of a node.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_classifications(&self, node: NodeId) -> Result<Vec<NodeId>> {
        let call = Call::get("list classifications", format!("/v1/nodes/{node}/classifications"));
        let answer: Data<OneOrMany<Classification>> = self.ask(&call).await?;
        Ok(answer.data.0.into_iter().map(|classification| NodeId(classification.id)).collect())
    }

    /// Sees to it that a node has these classifications, and keeps those it has. Gives back whether any was missing.
    ///
    /// # Errors
    /// `Forbidden` when one of them cannot be used.
    pub async fn add_classifications(&self, node: NodeId, classes: &[NodeId]) -> Result<bool> {
        let mut union = self.list_classifications(node).await?;
        let before = union.len();
        for class in classes {
            if !union.contains(class) {
                union.push(*class);
            }
        }
        if union.len() == before {
            return Ok(false);
        }
        // The call replaces the whole list.
        let body = json!({ "class_id": union, "apply_to_sub_items": false, "inherit_flag": false });
        let call = Call::post("set classifications", format!("/v1/nodes/{node}/classifications"));
        self.tell(&call.repeatable().body(&body)).await?;
        Ok(true)
    }
}
