//! Finding and reading nodes.

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Client,
    call::{Call, segment},
    children::ChildFilter,
    error::{Effect, MODULE_MISSING, NOT_ACCESSIBLE, NOT_FOUND, misconfigured, unexpected},
    node::{Node, NodeId, NodeProperties},
    wire::{self, Entry, OneOrMany, Results},
};
use crate::error::{FailureClass, Result};

/// Types of volumes, for [`Client::get_volume`].
pub mod volume {
    /// Where everything lives; its id is normally 2000.
    pub const ENTERPRISE: i64 = 141;
    /// Where categories live.
    pub const CATEGORIES: i64 = 133;
    /// Where classifications live.
    pub const CLASSIFICATIONS: i64 = 198;
    /// Where records management keeps its plan.
    pub const RECORDS: i64 = 550;
    /// Where business workspaces without a place of their own live.
    pub const WORKSPACES: i64 = 862;
    /// Where document and workspace templates live.
    pub const TEMPLATES: i64 = 20541;
}

/// One step on the way from the root to a node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ancestor {
    /// Its id.
    #[serde(deserialize_with = "ancestor_id")]
    pub id: NodeId,
    /// Its name.
    pub name: String,
}

fn ancestor_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<NodeId, D::Error> {
    wire::integer(deserializer).map(NodeId)
}

#[derive(Deserialize)]
struct Ancestors {
    ancestors: Vec<Ancestor>,
}

#[derive(Deserialize)]
struct Taken {
    #[serde(deserialize_with = "wire::integer")]
    id: i64,
}

/// Where an answer keeps the facts of its one node: releases differ in the wrapping.
fn facts_in(answer: &Value) -> Option<&Value> {
    [
        "/results/data/properties",
        "/results/properties",
        "/results/data",
        "/results",
        "/data/properties",
        "/data",
        "",
    ]
    .into_iter()
    .filter_map(|place| answer.pointer(place))
    .find(|facts| facts.get("id").is_some())
}

impl Client {
    /// A node's own facts.
    ///
    /// # Errors
    /// `content-server.not-accessible` when it is missing or hidden.
    pub async fn get_node(&self, node: NodeId) -> Result<Node> {
        let call = Call::get("read a node", format!("/v2/nodes/{node}")).query("fields", "properties");
        self.read_node(&call).await
    }

    /// The nodes of a list that exist and may be seen; the server leaves out the rest without a word.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_nodes(&self, nodes: &[NodeId]) -> Result<Vec<Node>> {
        let mut found = Vec::with_capacity(nodes.len());
        for chunk in nodes.chunks(self.settings.ids_per_call.max(1)) {
            let call = Call::post("read nodes", "/v2/nodes/list").reading();
            let call =
                chunk.iter().fold(call, |call, node| call.field("ids", node)).field("fields", "properties");
            let answer: Results<OneOrMany<Entry<NodeProperties>>> = self.ask(&call).await?;
            found.extend(
                answer.results.0.into_iter().map(|entry| entry.data.properties.into_node(&self.zone)),
            );
        }
        Ok(found)
    }

    /// The root of a volume, by its type (see [`volume`]).
    ///
    /// # Errors
    /// `Forbidden` when the server has no such volume.
    pub async fn get_volume(&self, volume: i64) -> Result<Node> {
        let call = Call::get("read a volume", format!("/v2/volumes/{volume}"));
        self.read_node(&call).await.map_err(|error| match error.class() {
            // "Subtype … is not a root subtype" comes as 500; nothing that waiting would cure.
            FailureClass::Transient if error.code() == super::error::REFUSED_BY_SERVER => {
                error.with_class(FailureClass::Forbidden)
            }
            _ => error,
        })
    }

    /// The node with a nickname.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_nickname(&self, nickname: &str) -> Result<Option<Node>> {
        let path = format!("/v2/nicknames/{}/nodes", segment(nickname));
        match self.read_node(&Call::get("find a nickname", path)).await {
            Ok(node) => Ok(Some(node)),
            Err(error) if error.code() == NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The child with a name: the one spelt exactly so or, where names ignore case, the one the server would call the
    /// same.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_child(&self, parent: NodeId, name: &str) -> Result<Option<Node>> {
        // The filter is a substring on one server and a prefix on another, so pages are read until the name itself
        // comes.
        let mut children =
            self.list_children(parent, ChildFilter { name: Some(name.to_owned()), kinds: Vec::new() });
        let mut similar = None;
        while let Some(page) = children.next_page().await? {
            for child in page {
                if child.name == name {
                    return Ok(Some(child));
                }
                if similar.is_none() && self.is_same_name(&child.name, name) {
                    similar = Some(child);
                }
            }
        }
        Ok(similar)
    }

    /// What has taken a name, once the server has said that it is taken. A name filter may tell apart what the server
    /// takes for one name: upper from lower case, one form of an accented letter from the other. So where the filter
    /// shows nothing, the server is asked itself.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_namesake(&self, parent: NodeId, name: &str) -> Result<Option<Node>> {
        if let Some(child) = self.find_child(parent, name).await? {
            return Ok(Some(child));
        }
        let call = Call::post("check a name", "/v1/validation/nodes/names")
            .reading()
            .body(&json!({ "parent_id": parent, "names": [name] }));
        let taken: Results<OneOrMany<Taken>> = match self.ask(&call).await {
            Ok(taken) => taken,
            Err(error) if error.code() == MODULE_MISSING => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(Taken { id }) = taken.results.0.first() else { return Ok(None) };
        match self.get_node(NodeId(*id)).await {
            Ok(node) => Ok(Some(node)),
            // It cannot be seen, or is gone by now.
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is there under a name that we may have sent before: a server may keep an accented letter in another form
    /// than it was sent in, and find it in that form only.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_sent(&self, parent: NodeId, name: &str) -> Result<Option<Node>> {
        if ComposingNormalizerBorrowed::new_nfc().is_normalized(name) {
            return self.find_child(parent, name).await;
        }
        self.find_namesake(parent, name).await
    }

    /// The way from the root down to a node, itself included.
    ///
    /// # Errors
    /// As any call.
    pub async fn list_ancestors(&self, node: NodeId) -> Result<Vec<Ancestor>> {
        let call = Call::get("read the ancestors", format!("/v1/nodes/{node}/ancestors"));
        Ok(self.ask::<Ancestors>(&call).await?.ancestors)
    }

    pub(super) async fn read_node(&self, call: &Call) -> Result<Node> {
        let answer = self.json(call).await?;
        self.node_in(&answer).ok_or_else(|| unexpected(call.operation(), Effect::Read, "no node in it"))
    }

    /// The node a call made. Some releases answer with its id alone.
    pub(super) async fn made_node(&self, call: &Call) -> Result<Node> {
        let answer = self.json(call).await?;
        if let Some(node) = self.node_in(&answer).filter(|node| !node.name.is_empty()) {
            return Ok(node);
        }
        let id = facts_in(&answer).and_then(|facts| facts.get("id")).and_then(wire::as_integer);
        let id = id.ok_or_else(|| unexpected(call.operation(), Effect::Once, "no id of the new node"))?;
        // It is there, so a failure to read it must not look like a failure to make it.
        self.get_node(NodeId(id)).await.map_err(|error| error.with_class(FailureClass::UnknownOutcome))
    }

    fn node_in(&self, answer: &Value) -> Option<Node> {
        NodeProperties::deserialize(facts_in(answer)?).ok().map(|properties| properties.into_node(&self.zone))
    }

    /// Whether the server takes two names for the same.
    pub(super) fn is_same_name(&self, one: &str, other: &str) -> bool {
        one == other || (self.settings.names_ignore_case && one.to_lowercase() == other.to_lowercase())
    }

    /// A shortcut's target, and everything else as it is.
    pub(super) async fn follow(&self, node: Node) -> Result<Node> {
        match node.original {
            Some(original) if node.kind == super::node::kind::SHORTCUT => self.get_node(original).await,
            _ => Ok(node),
        }
    }

    /// A container, or the reason why a path ends here.
    pub(super) fn container(operation: &'static str, node: Node) -> Result<Node> {
        if node.container {
            return Ok(node);
        }
        let message = format!("{:?} ({}) is in the way: it cannot hold anything", node.name, node.id);
        Err(misconfigured(operation, "content-server.path-blocked", message)
            .remedy("rename that item, or send the documents to another folder"))
    }
}
