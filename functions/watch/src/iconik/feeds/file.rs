//! The feed file as it is written. The comments here are the descriptions editors show (the JSON Schema is made from
//! them), so they speak to the person who writes feeds.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::{Duration, Located};

/// Change feeds: what of iconik is looked for, and which flows are told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedsFile {
    /// The beginning of the addresses that iconik's webhooks and custom actions call here: that of `receive-iconik`. Each
    /// round looks whether those that lead there still tell. Without it, every webhook and custom action of the tenant
    /// counts as ours. Nothing is switched on again: that is for a person to do.
    pub receiver: Option<Located<String>>,
    /// How many webhooks have to lead there. Without it: 1, and none without a `receiver`.
    pub webhooks: Option<u64>,
    /// The feeds. Each remembers by itself what it has told.
    #[serde(default)]
    pub feed: Vec<FeedSpec>,
}

/// One feed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    /// Its name: lower-case letters, digits and `-`. A feed with another name begins anew.
    pub name: Located<String>,
    /// The flows that are told, by name.
    pub flows: Located<Vec<String>>,
    /// Whether flows among them need not be deployed: one without a queue is left out, and the log says so at the start.
    /// Without it: false, and a flow without a queue is a mistake. A name that is no flow's always is one.
    #[serde(default)]
    pub if_deployed: bool,
    /// What is looked for: `assets`, `collections`, `segments`. Of a segment, such as a comment, its asset is told. Without
    /// it: `["assets"]`.
    pub objects: Option<Located<Vec<String>>>,
    /// What must hold, in iconik's query language, such as `metadata.Campaign:*`. What stops to match is still told of when
    /// it is deleted.
    pub query: Option<Located<String>>,
    /// The id of the metadata view whose values count as a change. Without it, none of the metadata does.
    pub view: Option<Located<String>>,
    /// The parts of an object whose values count as a change, as paths into the document of iconik's index: `title`,
    /// `approval.status`, `versions.id`. Without it: title, status, category, archive state, whether it is online, versions,
    /// approval, metadata, and the text and state of a comment.
    pub watch: Option<Located<Vec<String>>>,
    /// How far each search goes back behind the last one. At least as long as iconik's index lags. Without it: `"1 hour"`.
    pub overlap: Option<Duration>,
    /// Whether the recycle bin is looked into for what was deleted. Without it: true.
    pub deleted: Option<bool>,
    /// How far the clocks of Waybill and of iconik may be apart. Without it: `"2 minutes"`.
    pub clock_allowance: Option<Duration>,
    /// How often everything is looked at, for what the index showed too late, and for values that changed without the date.
    /// Without it: `"1 day"`.
    pub full_look: Option<Duration>,
    /// What happens with what is there when the feed begins. Without it: `"announce"`.
    #[serde(default)]
    pub existing: crate::feeds::Existing,
}
