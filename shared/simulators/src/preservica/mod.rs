//! Preservica: its REST interfaces as integrations use them.
//!
//! [`Simulator`] holds a [`State`], a clock, faults and a journal, and serves them under `/api/…`, with an administrator's
//! page under `/_simulator/` and admin calls beside it.

mod answer;
mod bulk;
mod call;
mod container;
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

use std::sync::Arc;

use axum::Router;

pub use reply::{Outcome, Refusal};
pub use settings::Settings;
pub use state::State;

use crate::aws::s3::S3;
use crate::clock::Clock;
use crate::frame::System;

/// A Preservica. Clones are the same one.
pub type Simulator = crate::Simulator<State, Settings>;

static SYSTEM: System<State, Settings> = System {
    name: "Preservica",
    view: include_str!("web/view.js"),
    seed: archive,
    settings: |state| &mut state.settings,
    latency: |state| state.settings.latency_milliseconds,
    advance: State::advance,
    end_sessions: |state| state.tokens.clear(),
    everything: web::everything,
    children: web::children,
    object: web::object,
    beside: |_, _, _| None,
    refuse: reply::refuse,
};

impl Simulator {
    /// With the seeded archive.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::seeded(&SYSTEM, settings, clock)
    }

    /// With this state.
    pub fn with(mut state: State, clock: Clock) -> Self {
        state.set_bulk(storage(&clock));
        Self::framed(&SYSTEM, state, clock)
    }

    /// As a router: for [`serve`](crate::serve::serve), or to be called in-process.
    pub fn router(&self) -> Router {
        self.routed(answer::answer)
    }
}

/// The seed, with a bulk location.
fn archive(settings: Settings, clock: &Clock) -> State {
    let mut state = seed::archive(settings, clock.now());
    state.set_bulk(storage(clock));
    state
}

/// An empty storage that lives in a clock's time.
fn storage(clock: &Clock) -> S3 {
    let clock = clock.clone();
    S3::new(Arc::new(move || clock.now().as_millisecond()))
}
