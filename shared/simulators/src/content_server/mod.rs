//! Content Server (Extended ECM) by the vendor `OpenText`: its REST interface as integrations use it.
//!
//! [`Simulator`] holds a [`State`] (the repository and its rules), a clock, faults and a journal, and serves them
//! under `/otcs/cs.exe/api/…` and the other base paths of [`Settings`], with a directory service under `/otdsws`,
//! an administrator's page under `/_simulator/` and admin calls beside it. What the seed contains is in [`seed`].

mod answer;
mod at_once;
mod form;
mod persistence;
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
use axum::body::Body;
use axum::middleware::{self, Next};
use http::Request;

pub use persistence::Store;
pub use settings::Settings;
pub use state::State;

pub use crate::content::{Blob, Spool};

use crate::clock::Clock;
use crate::frame::System;

/// A Content Server. Clones are the same server.
pub type Simulator = crate::Simulator<State, Settings>;

static SYSTEM: System<State, Settings> = System {
    name: "Content Server",
    view: include_str!("web/view.js"),
    seed: |settings, clock| seed::repository(settings, clock.now()),
    settings: |state| &mut state.settings,
    latency: |state| state.settings.latency_milliseconds,
    advance: |state, now| state.now = now,
    end_sessions: State::end_all_sessions,
    everything: web::summary::everything,
    children: web::children,
    object: web::object,
    beside: web::beside,
    refuse: answer::error_response,
};

impl Simulator {
    /// A server with the seeded repository.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::seeded(&SYSTEM, settings, clock)
    }

    /// A server with this repository.
    pub fn with(state: State, clock: Clock) -> Self {
        Self::framed(&SYSTEM, state, clock)
    }

    /// As a router: for [`serve`](crate::serve::serve), or to be called in-process.
    pub fn router(&self) -> Router {
        let simulator = self.clone();
        let counted =
            move |request: Request<Body>, next: Next| at_once::counted(simulator.clone(), request, next);
        self.routed(answer::answer).layer(middleware::from_fn(counted))
    }
}
