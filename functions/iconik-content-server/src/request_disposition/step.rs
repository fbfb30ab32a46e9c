//! What the flow tells itself: that something is due for one status of one asset.
//!
//! A hint of iconik, a change in Content Server and a round only find out what is due. What is done about it is an item of
//! its own, whose key is the asset, the revision of its status and the turn: so many hints as there may be, it is done once.

use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, Result},
    iconik_change::IconikChange,
    ledger::Key,
};

/// What the flow asks itself for.
pub const STEP: &str = "disposition-step";

/// The news with which a disposition begins.
pub(super) const REQUESTED: &str = "requested";
/// The news that the status is another one by now.
pub(super) const WITHDRAWN: &str = "withdrawn";
/// The news that iconik has archived what it was asked to.
pub(super) const ARCHIVED: &str = "archived";
/// The news that no hold is in the way any more.
pub(super) const RELEASED: &str = "released";

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The asset.
    pub asset: String,
    /// Which of its statuses: how often it had changed when this one was seen.
    pub revision: u64,
    /// How many steps there were before.
    pub turn: u64,
    /// Why it is due: what tells it from a step of the same turn that ended in vain.
    pub news: String,
}

/// The step in the occasion of the message.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Occasion {
    revision: u64,
    turn: u64,
    news: String,
}

impl Step {
    /// The item's number.
    pub fn item(&self) -> String {
        self.key().digest().to_owned()
    }

    /// What is done once.
    pub(super) fn key(&self) -> Key {
        let (revision, turn) = (self.revision.to_string(), self.turn.to_string());
        Key::of(&["disposition", &self.asset, &revision, &turn, &self.news])
    }

    /// The step as a message of the flow to itself.
    pub(super) fn change(&self) -> Result<IconikChange> {
        let occasion = Occasion { revision: self.revision, turn: self.turn, news: self.news.clone() };
        let occasion = serde_json::to_string(&occasion)
            .map_err(|error| Error::bug("send step", "a step cannot be written as JSON").source(error))?;
        Ok(IconikChange::about("assets", &self.asset, Some(STEP), occasion))
    }

    /// The step that a message tells of; nothing when it is a hint.
    pub(super) fn of(change: &IconikChange) -> Option<Self> {
        if change.request.as_deref() != Some(STEP) {
            return None;
        }
        let Occasion { revision, turn, news } = serde_json::from_str(&change.occasion).ok()?;
        Some(Self { asset: change.object_id.clone(), revision, turn, news })
    }
}
