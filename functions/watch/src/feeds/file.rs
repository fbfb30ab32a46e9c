//! The feed file as it is written. The comments here are the descriptions editors show (the JSON Schema is made from
//! them), so they speak to the person who writes feeds.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::{Duration, Located};

/// Change feeds: what of Content Server is watched, and which flows are told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedsFile {
    /// The feeds. Each remembers by itself what it has seen.
    #[serde(default)]
    pub feed: Vec<FeedSpec>,
}

/// One feed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    /// Its name: lower-case letters, digits and `-`. A feed with another name begins anew.
    pub name: Located<String>,
    /// The flows that are told, by name. A flow added later is told of everything at the next full look.
    pub flows: Located<Vec<String>>,
    /// Whether flows among them need not be deployed: one without a queue is left out, and the log says so at the start.
    /// Without it: false, and a flow without a queue is a mistake. A name that is no flow's always is one.
    #[serde(default)]
    pub if_deployed: bool,
    /// What is watched, by searching. Either this or `workspaces`.
    pub search: Option<Located<SearchSpec>>,
    /// What is watched, by listing business workspaces. Either this or `search`.
    pub workspaces: Option<Located<WorkspacesSpec>>,
    /// The types of nodes that are reported, by name or number. Without it: `["document"]`.
    pub types: Option<Located<Vec<TypeSpec>>>,
    /// The categories whose values count as a change.
    #[serde(default)]
    pub watch: Vec<WatchSpec>,
    /// How far each search goes back behind the last one. At least as long as the search index lags. Without it:
    /// `"15 minutes"`.
    pub overlap: Option<Duration>,
    /// How far the clocks of Waybill, of Content Server and of its search index may be apart. Without it: `"2 minutes"`.
    pub clock_allowance: Option<Duration>,
    /// How often everything is looked at, for what a search missed, values that changed without the date, and nodes
    /// that are gone. Without it: `"1 day"`.
    pub full_look: Option<Duration>,
    /// What happens with nodes that are there when the feed begins. Without it: `"announce"`.
    #[serde(default)]
    pub existing: Existing,
    /// How many nodes one full look may report as gone before it stops and asks: a service user that lost its rights
    /// must not look like a great deletion. Without it: 1000.
    pub most_removed: Option<u64>,
}

/// What is watched, by searching.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchSpec {
    /// Only below this container, by its node id. Without it: everywhere the service user may look.
    pub below: Option<u64>,
    /// What must hold, in Content Server's query language, such as `Attr_4104_2:"Approved"`. A node that stops to match
    /// is still watched, once it has been seen.
    pub query: Option<Located<String>>,
}

/// What is watched, by listing business workspaces.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspacesSpec {
    /// The name of the workspace type.
    #[serde(rename = "type")]
    pub kind: Located<String>,
}

/// A category whose values count as a change.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchSpec {
    /// The node id of the category.
    pub category: Located<u64>,
    /// The attributes that count, by their number in the category. Without it: all.
    #[serde(default)]
    pub attributes: Vec<u64>,
}

/// A type of node.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TypeSpec {
    /// Its number.
    Number(i64),
    /// One of the known names.
    Name(String),
}

/// What happens with nodes that are there when the feed begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// The flows are told of each of them.
    #[default]
    Announce,
    /// They are remembered, and only told of when they change.
    Remember,
}
