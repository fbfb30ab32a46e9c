//! Switches of what iconik sends by itself: webhooks, custom actions, automations.

use serde::{Deserialize, Serialize};

/// What the body of a webhook says of a change to metadata, an approval or a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// The part that changed, with its values.
    Values,
    /// Only which part it was.
    Ids,
}

/// Of webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// The realm of changes to approvals; without it they are not told of.
    pub approval_realm: Option<String>,
    /// The realm of changes to comments and other segments; without it they are not told of.
    pub segment_realm: Option<String>,
    /// What is told of a change to metadata, an approval or a segment.
    pub detail: Detail,
    /// Whether the object of a change to a part is that part (as captured for shares), or the asset.
    pub part_is_object: bool,
    /// Whether a webhook that fails is switched off five hours later though nothing was sent meanwhile.
    pub disabled_by_clock: bool,
    /// Whether a delivery that succeeds ends failing.
    pub success_heals: bool,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            approval_realm: Some("approvals".to_owned()),
            segment_realm: Some("segments".to_owned()),
            detail: Detail::Values,
            part_is_object: true,
            disabled_by_clock: true,
            success_heals: true,
        }
    }
}

/// In which order deliveries that wait are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As things happened.
    Kept,
    /// The latest first.
    Reversed,
    /// Any, the same one each time.
    Shuffled,
}

/// Of the way from iconik to whom it calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deliveries {
    /// Every n-th delivery never leaves; none when 0.
    pub lose_every: u64,
    /// Every n-th delivery leaves twice; none when 0.
    pub duplicate_every: u64,
    /// Every n-th delivery waits for `delay_seconds`; none when 0.
    pub delay_every: u64,
    /// How long that is.
    pub delay_seconds: i64,
    /// The order.
    pub order: Order,
    /// How often one delivery is tried.
    pub attempts: u32,
    /// The pause between two tries.
    pub retry_seconds: i64,
    /// Whether any 2xx is a success; else only 200.
    pub any_2xx_succeeds: bool,
    /// How long an answer is waited for.
    pub timeout_seconds: u64,
    /// How many are on their way at once.
    pub at_once: usize,
    /// Whether only addresses of this machine are called.
    pub only_loopback: bool,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            lose_every: 0,
            duplicate_every: 0,
            delay_every: 0,
            delay_seconds: 60,
            order: Order::Kept,
            attempts: 1,
            retry_seconds: 60,
            any_2xx_succeeds: true,
            timeout_seconds: 30,
            at_once: 1,
            only_loopback: true,
        }
    }
}

/// Of custom actions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomActions {
    /// How long the token in the body of a call acts for the user.
    pub token_seconds: i64,
}

impl Default for CustomActions {
    fn default() -> Self {
        Self { token_seconds: 3600 }
    }
}

/// Whom an automation acts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActsFor {
    /// Who made the automation.
    Creator,
    /// Who did what set it off.
    Cause,
}

/// Of automations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Automations {
    /// How long after its last trigger one runs.
    pub delay_seconds: i64,
    /// Whom one acts for.
    pub acts_for: ActsFor,
    /// Whether one that succeeded for a version does not run for it again.
    pub once_per_version: bool,
}

impl Default for Automations {
    fn default() -> Self {
        Self { delay_seconds: 0, acts_for: ActsFor::Creator, once_per_version: false }
    }
}
