//! Preservica: its REST interfaces as integrations use them.
//!
//! [`Simulator`] holds a [`State`], a clock, faults and a journal, and serves them under `/api/…`, with an administrator's
//! page under `/_simulator/` and admin calls beside it.

mod answer;
mod bulk;
mod call;
mod reply;
mod routes;
pub mod seed;
mod send;
pub mod settings;
pub mod state;
mod web;
pub mod xml;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

pub use reply::{Outcome, Refusal};
pub use settings::Settings;
pub use state::State;

use crate::aws::s3::S3;
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

/// A Preservica. Clones are the same one.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

impl Simulator {
    /// With the seeded archive.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::with(seed::archive(settings, clock.now()), clock)
    }

    /// With this state.
    pub fn with(mut state: State, clock: Clock) -> Self {
        state.set_bulk(storage(&clock));
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

    /// Starts over: the seeded archive, the first settings, no faults, an empty journal.
    pub fn reset(&self) {
        let mut state = seed::archive(self.0.first_settings.clone(), self.0.clock.now());
        state.set_bulk(storage(&self.0.clock));
        *self.lock() = state;
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

/// An empty storage that lives in a clock's time.
fn storage(clock: &Clock) -> S3 {
    let clock = clock.clone();
    S3::new(Arc::new(move || clock.now().as_millisecond()))
}
