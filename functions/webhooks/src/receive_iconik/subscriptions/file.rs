//! The subscription file as it is written. The comments here are the descriptions editors show (the JSON Schema is made
//! from them), so they speak to the person who writes it.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::mapping::{Duration, Located};

/// What iconik may tell, and which flows want to know.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionsFile {
    /// The header in which iconik sends the secret, as it stands in the webhook's or the action's headers. Without it:
    /// `"x-waybill-secret"`.
    pub header: Option<Located<String>>,
    /// The ids of the users as whom Waybill works in iconik. What they cause by webhook is acknowledged, and nobody is told.
    pub own_users: Option<Located<Vec<String>>>,
    /// The id of the iconik tenant (`system_domain_id`). With it, what comes from another one is refused.
    pub tenant: Option<Located<String>>,
    /// The most bytes of a body. Without it: 262144.
    pub largest_body: Option<Located<u64>>,
    /// How long a delivery is remembered, so that the same one is told once. Without it: `"1 day"`.
    pub remember: Option<Located<Duration>>,
    /// What webhooks tell.
    #[serde(default)]
    pub webhook: Vec<WebhookSpec>,
    /// What custom actions ask for; automations ask through them.
    #[serde(default)]
    pub action: Vec<ActionSpec>,
}

/// What webhooks tell. An event that fits several is told once to each flow.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSpec {
    /// Its name: lower-case letters, digits and `-`.
    pub name: Located<String>,
    /// The flows that are told, by name.
    pub flows: Located<Vec<String>>,
    /// Whether flows among them need not be deployed: one without a queue is left out, and the log says so at the start.
    /// Without it: false, and a flow without a queue is a mistake. A name that is no flow's always is one.
    #[serde(default)]
    pub if_deployed: bool,
    /// What the webhook is about, in iconik's words: `assets`, `collections`. Without it: both.
    pub event_types: Option<Located<Vec<String>>>,
    /// The parts of an object that are meant, in iconik's words: `entity`, `metadata`, `contents`, `shares`, `acls`, or any
    /// other that your iconik sends.
    pub realms: Located<Vec<String>>,
    /// What happened, in iconik's words. Without it: `create`, `update`, `delete`, `purge`, `restore` and `download`.
    pub operations: Option<Located<Vec<String>>>,
    /// Which of the objects that an event names are told: `assets`, `collections`. Without it: `["assets"]`.
    pub objects: Option<Located<Vec<String>>>,
}

/// What a custom action asks for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionSpec {
    /// Its name: lower-case letters, digits and `-`. The flow is told it as what is asked for.
    pub name: Located<String>,
    /// The id of the action in iconik.
    pub id: Located<String>,
    /// The flows that are told, by name.
    pub flows: Located<Vec<String>>,
    /// Whether flows among them need not be deployed: one without a queue is left out, and the log says so at the start.
    /// Without it: false, and a flow without a queue is a mistake. A name that is no flow's always is one.
    #[serde(default)]
    pub if_deployed: bool,
    /// The fields of the action's form that the flow is told, by their names in iconik. Values go into its message as they were
    /// filled in, 4 KiB at most, so name no field whose values are not for a queue. Without it: none.
    pub form: Option<Located<Vec<String>>>,
    /// Whether what Waybill's own users cause is left out here too. Without it: false, because it is not documented as whom
    /// an automation runs, and an approval must not be lost.
    #[serde(default)]
    pub ignore_own_users: bool,
}
