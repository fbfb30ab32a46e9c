//! Ending in good order: the process is about to go, perhaps in the middle of a batch.

use tokio::sync::watch as signal;

/// Whether the process is to end, and whether batches are under way.
#[derive(Debug, Default)]
pub(super) struct Stop {
    told: signal::Sender<bool>,
    under_way: signal::Sender<usize>,
}

/// A batch that is under way until this is dropped.
pub(super) struct UnderWay<'stop>(&'stop Stop);

impl Stop {
    /// A batch begins.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.under_way.send_modify(|batches| *batches += 1);
        UnderWay(self)
    }

    /// Whether nothing may be begun any more.
    pub(super) fn is_told(&self) -> bool {
        *self.told.borrow()
    }

    /// Waits until nothing may go on any more.
    pub(super) async fn told(&self) {
        // It only fails without a sender, which is here.
        let _ = self.told.subscribe().wait_for(|told| *told).await;
    }

    /// Lets nothing go on, and waits until no batch is under way.
    pub(super) async fn now(&self) {
        self.told.send_replace(true);
        let _ = self.under_way.subscribe().wait_for(|batches| *batches == 0).await;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|batches| *batches = batches.saturating_sub(1));
    }
}
