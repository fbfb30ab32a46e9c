//! Whether something may be archived or destroyed. One place decides, and is asked last.
//!
//! The answer is a permit for one call, and only a permit archives or destroys: there is no way to ask early and act late
//! on several. Holds are looked at last of all, as the interfaces have no conditional delete.

use serde::{Deserialize, Serialize};
use shared::{content_server::NodeId, error::Result};

use super::{RequestDisposition, case::Case, review::Decision};
use crate::disposition_rules::Rule;

/// What a call that archives or destroys rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grounds<'a> {
    pub(super) case: &'a Case,
    pub(super) rule: &'a Rule,
    pub(super) decision: &'a Decision,
    /// The asset is in the recycle bin by our own hand, so that its status cannot be read any more.
    pub(super) is_deleted: bool,
}

/// What may be done now, once.
#[derive(Debug)]
pub(super) struct Permit(());

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Refused {
    /// A hold is in force.
    Held {
        /// What carries it.
        on: NodeId,
    },
    /// The decision does not stand any more.
    Reconsidered,
    /// The status is another one by now.
    Withdrawn,
}

impl RequestDisposition {
    /// Whether one call may archive or destroy at this moment. Ask immediately before it.
    ///
    /// # Errors
    /// As any call: "not known" is never taken for "may".
    pub(super) async fn may(&self, grounds: &Grounds<'_>) -> Result<std::result::Result<Permit, Refused>> {
        let Grounds { case, rule, decision, is_deleted } = *grounds;
        if !is_deleted {
            match self.asset(&case.asset).await? {
                Ok(asset) if asset.status == case.status => {}
                _ => return Ok(Err(Refused::Withdrawn)),
            }
        }
        match self.decision(rule, case).await {
            Ok(Some(now)) if now.outcome == decision.outcome && now.word == decision.word => {}
            Ok(_) => return Ok(Err(Refused::Reconsidered)),
            Err(error) if error.code() == "disposition.no-decision" => {
                return Ok(Err(Refused::Reconsidered));
            }
            Err(error) => return Err(error),
        }
        match self.hold_over(&case.nodes).await? {
            Some(on) => Ok(Err(Refused::Held { on })),
            None => Ok(Ok(Permit(()))),
        }
    }
}
