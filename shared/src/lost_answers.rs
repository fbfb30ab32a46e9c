//! Whether the answer to a change was lost while something was done: the change may then take effect later, even when the same
//! was sent again and carried out, over whatever was changed in between.

use std::{cell::Cell, future::Future, time::Duration};

use tokio::time::Instant;

tokio::task_local! {
    static LAST: Cell<Option<Instant>>;
}

/// Does work whose lost answers count here.
pub(crate) async fn during<F: Future>(work: F) -> F::Output {
    LAST.scope(Cell::new(None), work).await
}

/// Notes that the answer to a change was lost.
pub(crate) fn note() {
    // Outside such a scope, as at start, nobody asks.
    let _ = LAST.try_with(|last| last.set(Some(Instant::now())));
}

/// How long ago the last such change was sent.
pub(crate) fn since() -> Option<Duration> {
    LAST.try_with(Cell::get).ok().flatten().map(|last| last.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_counts_in_the_work_it_belongs_to() {
        note();
        assert_eq!(since(), None, "nobody asks outside any work");
        during(async {
            assert_eq!(since(), None);
            note();
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert!(since() >= Some(Duration::from_secs(30)));
            during(async { assert_eq!(since(), None, "another item's work") }).await;
        })
        .await;
    }
}
