//! What was done to items.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MemberId, NodeId, State};

/// One audited event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The item.
    pub node: NodeId,
    /// Number of the event kind.
    pub event_type: i64,
    /// Name of the event kind.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub user: MemberId,
    /// Whom it was about.
    pub target_user: Option<MemberId>,
}

/// Event kinds by name and number. 9, 10, 15, 92 and 264 are the vendor's; the rest follow its style.
pub const EVENTS: &[(i64, &str)] = &[
    (1, "Create"),
    (2, "Delete"),
    (4, "Move"),
    (6, "Rename"),
    (7, "Reserve"),
    (8, "Unreserve"),
    (9, "Permission Changed"),
    (10, "Attribute Value Changed"),
    (13, "Version Added"),
    (14, "Version Deleted"),
    (15, "Generation Created"),
    (20, "Fetch"),
    (92, "Created by Copy"),
    (264, "Classification Applied"),
    (300, "Restored"),
    (350, "RM Classification Applied"),
    (351, "Record Details Changed"),
    (352, "Hold Applied"),
    (353, "Hold Removed"),
    (360, "Workflow Initiated"),
];

impl State {
    /// Notes an event.
    pub(crate) fn audit(&mut self, node: NodeId, event_type: i64, user: MemberId) {
        let name = EVENTS.iter().find(|(id, _)| *id == event_type).map_or("Other", |(_, name)| name);
        self.audit.push(AuditEvent {
            node,
            event_type,
            name: name.to_owned(),
            at: self.now,
            user,
            target_user: None,
        });
    }

    /// Events of an item, oldest first.
    pub fn audit_of(&self, node: NodeId) -> Vec<&AuditEvent> {
        self.audit.iter().filter(|event| event.node == node).collect()
    }
}
