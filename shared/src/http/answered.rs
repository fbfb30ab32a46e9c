use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;

use crate::error::System;

tokio::task_local! {
    static ANSWERED: Answered;
}

/// Which systems gave a definite answer while something was done, whatever became of it: a refusal shows that a system
/// is alive as well as a success does. Every [`super::Client`] tells the one in whose scope it is called.
#[derive(Debug, Clone, Default)]
pub struct Answered(Arc<Mutex<Vec<System>>>);

impl Answered {
    /// Does work whose answers count here.
    pub async fn during<F: Future>(&self, work: F) -> F::Output {
        ANSWERED.scope(self.clone(), work).await
    }

    /// Whether a system answered.
    pub fn by(&self, system: System) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&system)
    }

    /// Notes an answer, when it is one that a system in order gives.
    pub(super) fn note(system: System, status: StatusCode) {
        if status.is_server_error() || matches!(status.as_u16(), 401 | 408 | 429) {
            return;
        }
        // Outside such a scope, as at start, nobody asks.
        let _ = ANSWERED.try_with(|answered| {
            let mut systems = answered.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !systems.contains(&system) {
                systems.push(system);
            }
        });
    }
}
