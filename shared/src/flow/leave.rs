//! How a flow gives a lock back.

use std::time::Duration;

use super::{EFFECT_UNDECIDED, Run};
use crate::{
    error::{FailureClass, Result},
    ledger::Lock,
};

impl Run {
    /// Gives a lock back after its work. When that fails it is free once its moment has come.
    pub async fn leave(&self, lock: &Lock) {
        if let Err(error) = self.ledger().unlock(lock).await {
            tracing::warn!(error = ?error, "the lock stays until its time has come");
        }
    }

    /// The same, with what came of the work. A request whose answer was lost may take effect until a slow server had the
    /// time for it: the lock is kept, and the work not tried again, for this long.
    ///
    /// # Errors
    /// What the work ended with.
    pub async fn leave_after<T>(&self, lock: &Lock, outcome: Result<T>, settling: Duration) -> Result<T> {
        let Err(error) = outcome else {
            self.leave(lock).await;
            return outcome;
        };
        let is_lost = error.class() == FailureClass::UnknownOutcome;
        if !is_lost && error.code() != EFFECT_UNDECIDED {
            self.leave(lock).await;
            return Err(error);
        }
        if let Err(error) = self.ledger().hold(lock, settling).await {
            tracing::warn!(error = ?error, "the lock stays until its time has come");
        }
        Err(if is_lost { error.not_before(settling) } else { error })
    }
}
