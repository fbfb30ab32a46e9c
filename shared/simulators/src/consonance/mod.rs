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

use axum::Router;

pub use persistence::Store;
pub use settings::Settings;
pub use state::State;

use crate::clock::Clock;
use crate::frame::System;

/// An account of Consonance. Clones are the same one.
pub type Simulator = crate::Simulator<State, Settings>;

static SYSTEM: System<State, Settings> = System {
    name: "Consonance",
    view: include_str!("web/view.js"),
    seed: |settings, clock| seed::publisher(settings, clock.now()),
    settings: |state| &mut state.settings,
    latency: |state| state.settings.latency_milliseconds,
    advance: |state, now| state.now = now,
    end_sessions: State::end_sessions,
    everything: web::everything,
    children: web::children,
    object: web::object,
    beside: web::beside,
    refuse: answer::refuse,
};

impl Simulator {
    /// With the seeded publisher.
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

    /// The storage alone, for a port of its own; `upload_origin` names it then.
    pub fn storage_router(&self) -> Router {
        self.routed_beside(answer::refuse, answer::bring)
    }
}
