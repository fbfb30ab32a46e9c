//! What a change feed asks: the facts of many nodes in one call, and which workspaces there are.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Client,
    call::Call,
    categories::{CategoryValues, values_in},
    children::Turn,
    node::{Node, NodeId, NodeProperties},
    wire::{self, Entry, Listing, OneOrMany, Results},
};
use crate::error::Result;

/// A node as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeState {
    /// Its own facts.
    pub node: Node,
    /// Its newest version, when it has any.
    pub version: Option<i64>,
    /// Its categories, when they were asked for.
    pub categories: Vec<CategoryValues>,
}

#[derive(Deserialize)]
struct Sections {
    properties: NodeProperties,
    #[serde(default)]
    versions: Option<OneOrMany<VersionNumber>>,
    #[serde(default)]
    categories: Value,
}

#[derive(Deserialize)]
struct VersionNumber {
    #[serde(deserialize_with = "wire::integer")]
    version_number: i64,
}

impl Client {
    /// The nodes of a list that exist and may be seen, as they are now; the server leaves out the rest without a word.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_states(&self, nodes: &[NodeId], categories: bool) -> Result<Vec<NodeState>> {
        let mut found = Vec::with_capacity(nodes.len());
        for chunk in nodes.chunks(self.settings.ids_per_call.max(1)) {
            let call = Call::post("read the states of nodes", "/v2/nodes/list").reading();
            let call = chunk.iter().fold(call, |call, node| call.field("ids", node));
            let call = call.field("fields", "properties").field("fields", "versions.element(0)");
            let call = if categories { call.field("fields", "categories") } else { call };
            let answer: Results<OneOrMany<wire::Data<Sections>>> = self.ask(&call).await?;
            found.extend(answer.results.0.into_iter().map(|entry| {
                let Sections { properties, versions, categories } = entry.data;
                let versions = versions.map(|versions| versions.0).unwrap_or_default();
                NodeState {
                    node: properties.into_node(&self.zone),
                    version: versions.iter().map(|version| version.version_number).max(),
                    categories: values_in(&categories),
                }
            }));
        }
        Ok(found)
    }

    /// The workspaces of a type that may be seen, by their number.
    ///
    /// # Errors
    /// As any call; an endless listing is cut at the configured number of pages.
    pub async fn list_workspaces(&self, workspace_type: i64) -> Result<Vec<NodeId>> {
        const OPERATION: &str = "list workspaces";
        let mut turn = Turn::with_limit(self, self.settings.page_size.min(500));
        let mut found = Vec::new();
        while let Some(page) = turn.page(OPERATION)? {
            // Without `expanded_view` only recently accessed workspaces come.
            let call = Call::get(OPERATION, "/v2/businessworkspaces")
                .query("where_workspace_type_id", workspace_type)
                .query("expanded_view", true)
                .query("page", page)
                .query("limit", turn.limit)
                .query("fields", "properties{id}")
                .query("action", "properties-");
            let answer: Listing<Entry<NodeProperties>> = self.ask(&call).await?;
            turn.took(answer.results.0.len(), answer.paging());
            let nodes = answer.results.0.into_iter().map(|entry| entry.data.properties.into_node(&self.zone));
            found.extend(nodes.map(|node| node.id).filter(|id| turn.is_new(id.0)));
        }
        found.sort_unstable();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::content_server::testing::{Canned, answer};

    #[tokio::test]
    async fn one_call_tells_the_version_and_the_categories_of_many_nodes() {
        let properties = json!({"id": 7, "name": "a", "type": 144, "modify_date": "2031-05-06T07:08:09Z"});
        let document = json!({"properties": properties, "versions": {"version_number": 3},
            "categories": [{"4104_2": "x"}]});
        let folder = json!({"properties": {"id": 8, "name": "b", "type": 0}});
        let server = Canned::new([answer(200, json!({"results": [{"data": document}, {"data": folder}]}))]);
        let ids = [NodeId(7), NodeId(8), NodeId(9)];
        let states = server.client().list_states(&ids, true).await.unwrap();
        let versions: Vec<_> = states.iter().map(|state| (state.node.id.0, state.version)).collect();
        assert_eq!(versions, [(7, Some(3)), (8, None)]);
        assert_eq!(states[0].categories[0].get("4104_2"), Some(&"x".into()));
        assert!(states[1].categories.is_empty());
        let form = server.asked()[0].form();
        assert_eq!(form.iter().filter(|(key, _)| key == "fields").count(), 3);
    }
}
