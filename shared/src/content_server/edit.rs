//! Making, changing and removing nodes.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Client,
    call::Call,
    categories::CategoryValues,
    node::{External, Node, NodeId, kind},
    wire,
};
use crate::error::{FailureClass, Result};

/// A folder to be made.
#[derive(Debug, Clone, Default)]
pub struct NewFolder {
    /// Its description.
    pub description: String,
    /// Categories it has from the beginning.
    pub categories: Vec<CategoryValues>,
    /// What the outside system says about it.
    pub external: External,
}

/// What to change about a node. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct NodeChange {
    /// A new name.
    pub name: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// A new container.
    pub parent: Option<NodeId>,
    /// Check it out for a user, or (`Some(None)`) release it.
    pub reserved_by: Option<Option<i64>>,
    /// Only when nobody has changed the node since this token was read.
    pub token: Option<MetadataToken>,
}

/// Stands for the state of a node's properties at the moment it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataToken(pub(super) String);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stated {
    state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    properties: StateProperties,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StateProperties {
    #[serde(deserialize_with = "wire::text_or_none")]
    metadata_token: Option<String>,
}

impl Client {
    /// Makes a folder.
    ///
    /// # Errors
    /// [`super::COLLISION`] when a sibling has the name; `UnknownOutcome` when no answer came.
    pub async fn create_folder(&self, parent: NodeId, name: &str, folder: &NewFolder) -> Result<Node> {
        let mut body = node_fields(kind::FOLDER, parent, name, &folder.description, &folder.external);
        if let Some(roles) = roles(&folder.categories, self.settings.dates_with_time) {
            body.insert("roles".to_owned(), roles);
        }
        self.made_node(&Call::post("create a folder", "/v2/nodes").body(&Value::Object(body))).await
    }

    /// Makes a shortcut to a node.
    ///
    /// # Errors
    /// As [`Client::create_folder`].
    pub async fn create_shortcut(&self, parent: NodeId, name: &str, original: NodeId) -> Result<Node> {
        let mut body = node_fields(kind::SHORTCUT, parent, name, "", &External::default());
        body.insert("original_id".to_owned(), original.0.into());
        self.made_node(&Call::post("create a shortcut", "/v2/nodes").body(&Value::Object(body))).await
    }

    /// Copies a node with everything in it.
    ///
    /// # Errors
    /// As [`Client::create_folder`].
    pub async fn copy_node(&self, original: NodeId, parent: NodeId, name: &str) -> Result<Node> {
        let body = json!({ "original_id": original, "parent_id": parent, "name": name });
        let call = Call::post("copy a node", "/v2/nodes").body(&body).within(self.settings.slow());
        self.made_node(&call).await
    }

    /// Renames, moves, checks out or releases a node.
    ///
    /// # Errors
    /// [`super::EDIT_CONFLICT`] when the token is out of date: read again, decide again.
    pub async fn update_node(&self, node: NodeId, change: &NodeChange) -> Result<()> {
        let mut body = Map::new();
        if let Some(name) = &change.name {
            body.insert("name".to_owned(), name.as_str().into());
        }
        if let Some(description) = &change.description {
            body.insert("description".to_owned(), description.as_str().into());
        }
        if let Some(parent) = change.parent {
            body.insert("parent_id".to_owned(), parent.0.into());
        }
        if let Some(user) = change.reserved_by {
            body.insert("reserved_user_id".to_owned(), user.map_or(Value::Null, Value::from));
        }
        if body.is_empty() {
            return Ok(());
        }
        let mut call = Call::put("update a node", format!("/v2/nodes/{node}"));
        if let Some(MetadataToken(token)) = &change.token {
            body.insert("metadata_token".to_owned(), token.as_str().into());
            // A token is spent with the change, so the second of two equal calls fails.
            call = call.once();
        }
        self.tell(&call.body(&Value::Object(body))).await
    }

    /// The token for a conditional [`Client::update_node`]; nothing where the server keeps none.
    ///
    /// # Errors
    /// As any call.
    pub async fn get_metadata_token(&self, node: NodeId) -> Result<Option<MetadataToken>> {
        let call = Call::get("read a node's state", format!("/v2/nodes/{node}"))
            .query("fields", "properties{id}")
            .flag("state");
        let answer: wire::Results<Stated> = self.ask(&call).await?;
        Ok(answer.results.state.properties.metadata_token.map(MetadataToken))
    }

    /// Removes a node; where the recycle bin is on, into it. That it was gone already is no failure.
    ///
    /// # Errors
    /// `Forbidden` when a hold, a record state or a missing right forbids it.
    pub async fn delete_node(&self, node: NodeId) -> Result<()> {
        match self.tell(&Call::delete("delete a node", format!("/v2/nodes/{node}"))).await {
            // The same sentence stands for "gone" and for "hidden", and neither leaves anything to remove.
            Err(error) if error.code() == super::NOT_ACCESSIBLE => Ok(()),
            Err(error) if error.class() == FailureClass::Gone => Ok(()),
            outcome => outcome,
        }
    }
}

/// The fields every creating call shares.
pub(super) fn node_fields(
    kind: i64,
    parent: NodeId,
    name: &str,
    description: &str,
    external: &External,
) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("type".to_owned(), kind.into());
    body.insert("parent_id".to_owned(), parent.0.into());
    body.insert("name".to_owned(), name.into());
    if !description.is_empty() {
        body.insert("description".to_owned(), description.into());
    }
    body.extend(external.fields().into_iter().map(|(key, value)| (key.to_owned(), value.into())));
    body
}

/// Categories as a creating call takes them: all keys flat, and `{category}_1` for one that takes its defaults.
pub(super) fn roles(categories: &[CategoryValues], dates_with_time: bool) -> Option<Value> {
    if categories.is_empty() {
        return None;
    }
    let mut flat = Map::new();
    for category in categories {
        if category.is_empty() {
            flat.insert(format!("{}_1", category.category()), json!({}));
        }
        flat.extend(category.wire(dates_with_time));
    }
    Some(json!({ "categories": flat }))
}
