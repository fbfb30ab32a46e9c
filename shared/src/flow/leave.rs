//! How a flow gives a lock back.

use std::time::Duration;

use super::{EFFECT_UNDECIDED, Run};
use crate::{
    error::{Error, FailureClass, Result},
    ledger::Lock,
    lost_answers,
};

impl Run {
    /// Gives a lock back after its work. When that fails it is free once its moment has come.
    pub async fn leave(&self, lock: &Lock) {
        if let Err(error) = self.ledger().unlock(lock).await {
            tracing::warn!(error = ?error, "the lock stays until its time has come");
        }
    }

    /// The same, with what came of the work. A request whose answer was lost may take effect until a slow server had the
    /// time for it, also when it was sent again and carried out: what somebody else writes in between would be undone. So the
    /// lock is kept, and what is not done not tried again, for this long.
    ///
    /// # Errors
    /// What the work ended with.
    pub async fn leave_after<T>(&self, lock: &Lock, outcome: Result<T>, settling: Duration) -> Result<T> {
        let class = outcome.as_ref().err().map(Error::class);
        let is_lost = class == Some(FailureClass::UnknownOutcome);
        let is_undecided = outcome.as_ref().err().is_some_and(|error| error.code() == EFFECT_UNDECIDED);
        let left = if is_lost || is_undecided {
            Some(settling)
        } else {
            lost_answers::since().and_then(|gone| settling.checked_sub(gone)).filter(|left| !left.is_zero())
        };
        let Some(left) = left else {
            self.leave(lock).await;
            return outcome;
        };
        if let Err(error) = self.ledger().hold(lock, left).await {
            tracing::warn!(error = ?error, "the lock stays until its time has come");
        }
        let waits = is_lost || class == Some(FailureClass::Transient);
        outcome.map_err(|error| if waits { error.not_before(left) } else { error })
    }
}
