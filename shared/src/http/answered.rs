use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;

use crate::{error::System, metrics::Sample};

tokio::task_local! {
    static ANSWERED: Answered;
}

/// Which systems gave a definite answer while something was done, whatever became of it: a refusal shows that a system
/// is alive as well as a success does; and how long calls took. Every [`super::Client`] tells the one in whose scope it
/// is called.
#[derive(Debug, Clone, Default)]
pub struct Answered(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    systems: Vec<System>,
    latencies: Sample,
}

impl Answered {
    /// Does work whose answers count here.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        ANSWERED.scope(self.clone(), work).await
    }

    /// Whether a system answered.
    pub fn by(&self, system: System) -> bool {
        self.told().systems.contains(&system)
    }

    /// Milliseconds from a request to the head of its answer, or to the end of waiting for one: of every call, or of as
    /// many, evenly spread, as metrics can hold.
    pub fn latencies(&self) -> Vec<i64> {
        self.told().latencies.values().to_vec()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an answer, when it is one that a system in order gives.
    pub(super) fn note(system: System, status: StatusCode) {
        if status.is_server_error() || matches!(status.as_u16(), 401 | 408 | 429) {
            return;
        }
        // Outside such a scope, as at start, nobody asks.
        let _ = ANSWERED.try_with(|answered| {
            let systems = &mut answered.told().systems;
            if !systems.contains(&system) {
                systems.push(system);
            }
        });
    }

    /// Notes how long a call took.
    pub(super) fn took(time: Duration) {
        let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let _ = ANSWERED.try_with(|answered| answered.told().latencies.add(milliseconds));
    }
}
