//! What iconik sends by itself: webhooks, custom actions, automations, and the queue of what is on its way.

mod actions;
mod automations;
mod conditions;
mod custom_actions;
mod deliveries;
mod occurrences;
mod query;
mod runs;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::{Event, State, Table};

pub use custom_actions::Called;
pub use deliveries::{Delivery, Sender};
pub use occurrences::Subject;
pub use runs::Run;

/// What iconik sends by itself.
#[derive(Clone, Debug)]
pub struct Notifications {
    /// Webhooks.
    pub webhooks: Table,
    /// Custom actions.
    pub custom_actions: Table,
    /// Automations.
    pub automations: Table,
    /// What automations did, oldest first.
    pub runs: Vec<Run>,
    /// Deliveries that wait, in the order they were made.
    pub waiting: VecDeque<Delivery>,
    /// Deliveries that will never leave, by the switch `deliveries.lose_every`.
    pub lost: Vec<Delivery>,
    /// Deliveries that were tried, with the status that came back or why none did.
    pub tried: VecDeque<(Delivery, Result<u16, String>)>,
    made: u64,
    /// Ids of the tokens that custom actions were called with.
    issued: BTreeSet<String>,
    coming: VecDeque<runs::Coming>,
    /// Triggers that have happened: by automation and object.
    happened: BTreeMap<(String, String), BTreeSet<usize>>,
    /// What was seen of assets, to tell what changed.
    seen: BTreeMap<String, occurrences::Seen>,
    /// When time-based triggers were looked at.
    looked: Option<Timestamp>,
}

impl Notifications {
    pub(super) fn new() -> Self {
        Self {
            webhooks: Table::new("Webhook"),
            custom_actions: Table::new("Custom action"),
            automations: Table::new("Automation"),
            runs: Vec::new(),
            waiting: VecDeque::new(),
            lost: Vec::new(),
            tried: VecDeque::new(),
            made: 0,
            issued: BTreeSet::new(),
            coming: VecDeque::new(),
            happened: BTreeMap::new(),
            seen: BTreeMap::new(),
            looked: None,
        }
    }
}

impl State {
    /// Tells webhooks and automations of what happened.
    pub(super) fn notify(&mut self, event: &Event) {
        self.tell_webhooks(event);
        self.set_off_automations(event);
    }

    /// What became due: time-based triggers, automations, webhooks that failed for too long.
    pub(super) fn settle_notifications(&mut self) {
        self.look_at_the_time();
        self.run_automations();
        self.disable_failing_webhooks();
    }
}
