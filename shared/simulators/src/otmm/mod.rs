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

use axum::Router;

pub use reply::{Outcome, Refusal};
pub use settings::Settings;
pub use state::State;

use crate::clock::Clock;
use crate::frame::System;

/// An OTMM. Clones are the same one.
pub type Simulator = crate::Simulator<State, Settings>;

static SYSTEM: System<State, Settings> = System {
    name: "OTMM",
    view: include_str!("web/view.js"),
    seed: |settings, clock| seed::repository(settings, clock.now()),
    settings: |state| &mut state.settings,
    latency: |state| state.settings.latency_milliseconds,
    advance: State::advance,
    end_sessions: State::end_sessions,
    everything: web::everything,
    children: web::children,
    object: web::object,
    beside: web::beside,
    refuse: reply::refuse,
};

impl Simulator {
    /// With the seeded repository.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::seeded(&SYSTEM, settings, clock)
    }

    /// With this state.
    pub fn with(state: State, clock: Clock) -> Self {
        Self::framed(&SYSTEM, state, clock)
    }

    /// As a router: for [`serve`](crate::serve::serve), or to be called in-process.
    pub fn router(&self) -> Router {
        self.routed(answer::answer)
    }
}
