//! Consonance, the publishing management by the vendor General Products: GraphQL as integrations read and write it, and the
//! ageing REST interface v4.
//!
//! [`Simulator`] holds a [`State`], a clock, faults and a journal, and serves them at `/graphql` and
//! `/api/v4/products.json`, with the storage its signed addresses lead to below `/_storage/`, an administrator's page under
//! `/_simulator/` and admin calls beside it.

mod answer;
mod graphql;
mod persistence;
mod rest;
pub mod seed;
pub mod settings;
pub mod state;
mod upload;
mod web;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

pub use persistence::Store;
pub use settings::Settings;
pub use state::State;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;

struct Inner {
    state: Mutex<State>,
    first_settings: Settings,
    /// The schema, and the switches it was built for.
    schema: Mutex<Option<(Settings, graphql::Schema)>>,
    clock: Clock,
    faults: Faults,
    journal: Journal,
}

/// An account of Consonance. Clones are the same one.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

impl Simulator {
    /// With the seeded publisher.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::with(seed::publisher(settings, clock.now()), clock)
    }

    /// With this state.
    pub fn with(state: State, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            first_settings: state.settings.clone(),
            state: Mutex::new(state),
            schema: Mutex::new(None),
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

    /// The storage alone, for a port of its own; `upload_origin` names it then.
    pub fn storage_router(&self) -> Router {
        Router::new()
            .fallback(answer::storage)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(self.clone())
    }

    /// Reads or changes the state between calls. Its time is set to the clock's first.
    pub fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.lock())
    }

    /// Starts over: the seeded publisher, the first settings, no faults, an empty journal.
    pub fn reset(&self) {
        *self.lock() = seed::publisher(self.0.first_settings.clone(), self.0.clock.now());
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
        state.now = self.0.clock.now();
        state
    }

    /// The schema for the switches as they are now.
    fn schema(&self) -> Result<graphql::Schema, String> {
        let settings = self.with_state(|state| state.settings.clone());
        let mut built = self.0.schema.lock().unwrap_or_else(PoisonError::into_inner);
        match &*built {
            Some((of, schema)) if *of == settings => Ok(schema.clone()),
            _ => {
                let schema = graphql::build(&settings)?;
                *built = Some((settings, schema.clone()));
                Ok(schema)
            }
        }
    }
}
