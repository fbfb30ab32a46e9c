//! Records Management: record details, holds, schedules.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MemberId, Node, NodeId, Outcome, Permission, Refusal, State, kind};

/// Record details of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Class of the records plan.
    pub class: NodeId,
    /// File number, from the class.
    pub file_number: String,
    /// Record series identifier.
    pub rsi: String,
    /// Status code, such as `ACTIVE`.
    pub status: String,
    /// When the status was set, as sent.
    pub status_date: Option<String>,
    /// Record date, as sent.
    pub record_date: Option<String>,
    /// Official record.
    pub official: bool,
    /// Essential (vital) code.
    pub essential: String,
    /// Storage code.
    pub storage: String,
    /// Subject.
    pub subject: String,
    /// Confidential.
    pub confidential: bool,
    /// Finalized: nothing changes any more.
    pub finalized: bool,
    /// Counts edits; its text is the `rm_metadataToken`.
    pub token: u64,
}

/// A hold on an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBy {
    /// The hold.
    pub hold: i64,
    /// By whom it was applied.
    pub by: MemberId,
    /// When.
    pub at: Timestamp,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Number.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Type, such as `LEGAL`.
    pub kind: String,
    /// Comment.
    pub comment: String,
    /// Number in another system.
    pub alternate_id: String,
    /// Since when, as sent.
    pub date_applied: String,
    /// Until when, as sent.
    pub date_to_remove: Option<String>,
    /// Parent hold.
    pub parent: Option<i64>,
    /// Still holds.
    pub active: bool,
}

/// A record series identifier (retention schedule).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsSchedule {
    /// Number.
    pub id: i64,
    /// Short name.
    pub name: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Status code.
    pub status: String,
    /// Controlled by disposition searches.
    pub disposition: bool,
    /// Stages: what happens after how long.
    pub stages: Vec<Stage>,
}

/// A stage of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Name, such as `Active`.
    pub name: String,
    /// 1 calculated, 2 calendar, 3 event, 4 fixed, 5 permanent.
    pub event_type: i64,
    /// Years after the date.
    pub years: i64,
    /// What happens then.
    pub action: i64,
}

/// Changes to record details; what is `None` stays.
#[derive(Debug, Default)]
pub struct RecordChanges {
    /// Official record.
    pub official: Option<bool>,
    /// Record series identifier.
    pub rsi: Option<String>,
    /// Status code.
    pub status: Option<String>,
    /// When the status was set.
    pub status_date: Option<String>,
    /// Essential code.
    pub essential: Option<String>,
    /// Storage code.
    pub storage: Option<String>,
    /// Record date.
    pub record_date: Option<String>,
    /// Subject.
    pub subject: Option<String>,
    /// The token the caller read.
    pub token: Option<String>,
}

impl State {
    /// Token of the record details of an item.
    pub fn record_token(node: &Node) -> String {
        node.record.as_ref().map_or(0, |record| record.token).to_string()
    }

    fn record_editable(&self, actor: MemberId, id: NodeId, token: Option<&str>) -> Outcome<()> {
        let node = self.with_right(actor, id, Permission::EditAttributes, "rmclassify")?;
        if token.is_some_and(|token| token != Self::record_token(node)) {
            return Err(Refusal::said(400, "Could not update metadata (edit conflict)."));
        }
        match &node.record {
            Some(record) if record.finalized => Err(Refusal::RecordState {
                reason: "the record is finalized".to_owned(),
                status: self.settings.record_rules.status,
            }),
            _ => Ok(()),
        }
    }

    /// Files an item under a class of the records plan.
    pub fn classify_record(
        &mut self,
        actor: MemberId,
        id: NodeId,
        class: NodeId,
        changes: RecordChanges,
    ) -> Outcome<()> {
        self.record_editable(actor, id, changes.token.as_deref())?;
        let class_node = self.nodes.get(&class).filter(|node| node.kind == kind::RECORDS_CLASS);
        let class_node = class_node.ok_or_else(|| Refusal::said(400, "Invalid RM classification."))?;
        let rsi = class_node.system_attributes.get("rsi").and_then(|rsi| rsi.as_str()).unwrap_or_default();
        let (rsi, file_number) = (rsi.to_owned(), format!("{}-{id}", class_node.name));
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(&id) {
            let token = node.record.as_ref().map_or(0, |record| record.token);
            node.record = Some(Record {
                class,
                file_number,
                rsi,
                status: "ACTIVE".to_owned(),
                status_date: Some(now.strftime("%Y-%m-%d").to_string()),
                token,
                ..Record::default()
            });
        }
        self.audit(id, 350, actor);
        self.edit_record(actor, id, RecordChanges { token: None, ..changes })
    }

    /// Changes record details.
    pub fn edit_record(&mut self, actor: MemberId, id: NodeId, changes: RecordChanges) -> Outcome<()> {
        self.record_editable(actor, id, changes.token.as_deref())?;
        if let Some(rsi) = &changes.rsi
            && !rsi.is_empty()
            && !self.schedules.values().any(|schedule| schedule.name == *rsi)
        {
            return Err(Refusal::said(400, format!("Invalid RSI '{rsi}'.")));
        }
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        let record = node
            .record
            .as_mut()
            .ok_or_else(|| Refusal::said(400, "The item does not have an RM classification."))?;
        record.official = changes.official.unwrap_or(record.official);
        let replace =
            |old: &mut String, new: Option<String>| *old = new.unwrap_or_else(|| std::mem::take(old));
        replace(&mut record.rsi, changes.rsi);
        replace(&mut record.status, changes.status);
        replace(&mut record.essential, changes.essential);
        replace(&mut record.storage, changes.storage);
        replace(&mut record.subject, changes.subject);
        record.status_date = changes.status_date.or(record.status_date.take());
        record.record_date = changes.record_date.or(record.record_date.take());
        record.token += 1;
        self.audit(id, 351, actor);
        self.touch(id);
        Ok(())
    }

    /// Takes the class off an item.
    pub fn unclassify_record(
        &mut self,
        actor: MemberId,
        id: NodeId,
        class: NodeId,
        token: Option<&str>,
    ) -> Outcome<()> {
        self.record_editable(actor, id, token)?;
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        match &node.record {
            Some(record) if record.class == class => node.record = None,
            _ => return Err(Refusal::said(400, "The item does not have this RM classification.")),
        }
        self.touch(id);
        Ok(())
    }

    /// Marks confidential or finalizes.
    pub fn mark_record(
        &mut self,
        actor: MemberId,
        id: NodeId,
        mark: impl FnOnce(&mut Record),
    ) -> Outcome<()> {
        self.record_editable(actor, id, None)?;
        let record = self.nodes.get_mut(&id).and_then(|node| node.record.as_mut());
        let record =
            record.ok_or_else(|| Refusal::said(400, "The item does not have an RM classification."))?;
        mark(record);
        record.token += 1;
        self.audit(id, 351, actor);
        self.touch(id);
        Ok(())
    }

    /// Creates a hold.
    pub fn create_hold(&mut self, hold: Hold) -> Outcome<i64> {
        if self.hold_named(&hold.name).is_some() {
            return Err(Refusal::said(400, "Could not insert into the Hold Disposition table"));
        }
        let id = if hold.id == 0 { self.fresh_id() } else { hold.id };
        self.holds.insert(id, Hold { id, ..hold });
        self.changes += 1;
        Ok(id)
    }

    /// The hold with this name.
    pub fn hold_named(&self, name: &str) -> Option<&Hold> {
        self.holds.values().find(|hold| hold.name.eq_ignore_ascii_case(name))
    }

    /// Puts an item under a hold. A second time changes nothing.
    pub fn apply_hold(&mut self, actor: MemberId, id: NodeId, hold: i64) -> Outcome<()> {
        self.visible(actor, id)?;
        if !self.holds.contains_key(&hold) {
            return Err(Refusal::said(400, "Invalid hold."));
        }
        let at = self.now;
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        if !node.holds.iter().any(|held| held.hold == hold) {
            node.holds.push(HeldBy { hold, by: actor, at });
            self.audit(id, 352, actor);
        }
        self.touch(id);
        Ok(())
    }

    /// Releases an item from a hold.
    pub fn remove_hold(&mut self, actor: MemberId, id: NodeId, hold: i64) -> Outcome<()> {
        self.visible(actor, id)?;
        let node = self.nodes.get_mut(&id).ok_or(Refusal::NoNode(id))?;
        let before = node.holds.len();
        node.holds.retain(|held| held.hold != hold);
        if node.holds.len() == before {
            return Err(Refusal::said(400, "Object does not have this Hold"));
        }
        self.audit(id, 353, actor);
        self.touch(id);
        Ok(())
    }

    /// The first active hold on an item or on a container above it.
    pub fn holding(&self, node: &Node) -> Option<&Hold> {
        self.ancestors(node.id)
            .into_iter()
            .rev()
            .filter_map(|id| self.nodes.get(&id))
            .flat_map(|node| &node.holds)
            .filter_map(|held| self.holds.get(&held.hold))
            .find(|hold| hold.active)
    }

    fn blocked(&self, node: &Node, by_hold: bool, by_official: bool) -> Outcome<()> {
        let status = self.settings.record_rules.status;
        if by_hold && let Some(hold) = self.holding(node) {
            return Err(Refusal::RecordState {
                reason: format!("the item is on hold '{}'", hold.name),
                status,
            });
        }
        let official = node.record.as_ref().is_some_and(|record| record.official || record.finalized);
        if by_official && official {
            return Err(Refusal::RecordState { reason: "the item is an official record".to_owned(), status });
        }
        Ok(())
    }

    pub(crate) fn not_blocked_for_delete(&self, node: &Node) -> Outcome<()> {
        let rules = &self.settings.record_rules;
        self.blocked(node, rules.hold_blocks_delete, rules.official_blocks_delete)
    }

    pub(crate) fn not_blocked_for_version(&self, node: &Node) -> Outcome<()> {
        let rules = &self.settings.record_rules;
        self.blocked(node, rules.hold_blocks_version, rules.official_blocks_version)
    }

    pub(crate) fn not_held_for_edit(&self, node: &Node) -> Outcome<()> {
        self.blocked(node, self.settings.record_rules.hold_blocks_edit, false)
    }
}
