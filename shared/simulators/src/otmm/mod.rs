//! OpenText Media Management (OTMM): its REST interface as integrations use it.
//!
//! [`Simulator`] holds a [`State`], a clock, faults and a journal, and serves them under `/otmmapi/v4` to `/otmmapi/v6`, with
//! the directory service that gives tickets under `/otdsws`, an administrator's page under `/_simulator/` and admin calls
//! beside it.

mod answer;
mod call;
mod render;
mod reply;
mod request;
mod routes;
pub mod seed;
pub mod settings;
pub mod state;
mod web;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

pub use reply::{Outcome, Refusal};
pub use settings::Settings;
pub use state::State;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;

struct Inner {
    state: Mutex<State>,
    first_settings: Settings,
    clock: Clock,
    faults: Faults,
    journal: Journal,
}

/// An OTMM. Clones are the same one.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

impl Simulator {
    /// With the seeded repository.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::with(seed::repository(settings, clock.now()), clock)
    }

    /// With this state.
    pub fn with(state: State, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            first_settings: state.settings.clone(),
            state: Mutex::new(state),
            clock,
            faults: Faults::default(),
            journal: Journal::default(),
        }))
    }

    /// As a router: for [`serve`](crate::serve::serve), or to be called in-process.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(answer::answer)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(self.clone())
    }

    /// Reads or changes the state between calls. Its time is set to the clock's first.
    pub fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.lock())
    }

    /// Starts over: the seeded repository, the first settings, no faults, an empty journal.
    pub fn reset(&self) {
        *self.lock() = seed::repository(self.0.first_settings.clone(), self.0.clock.now());
        self.0.faults.clear();
        self.0.journal.clear();
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The calls so far.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance(self.0.clock.now());
        state
    }
}
