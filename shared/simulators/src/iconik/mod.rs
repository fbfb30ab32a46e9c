//! iconik by the vendor Backlight: its REST interface as integrations use it.
//!
//! [`Simulator`] holds a [`State`], a clock, faults and a journal, and serves them under `/API/<service>/v1/…`, with the
//! buckets its signed addresses lead to, an administrator's page under `/_simulator/` and admin calls beside it.

mod answer;
mod bucket;
mod call;
mod dates;
mod page;
mod reply;
mod routes;
pub mod seed;
mod send;
pub mod settings;
pub mod state;
mod web;

#[cfg(test)]
mod tests;

use axum::Router;

pub use settings::Settings;
pub use state::State;

use crate::clock::Clock;
use crate::frame::System;

/// An iconik. Clones are the same one.
pub type Simulator = crate::Simulator<State, Settings>;

static SYSTEM: System<State, Settings> = System {
    name: "iconik",
    view: include_str!("web/view.js"),
    seed: |settings, clock| seed::production(settings, clock.now()),
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
    /// With the seeded production.
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
