//! The frame that the simulators of vendors' systems stand in, so that who knows one knows all: a state behind one lock, a
//! clock, faults, a journal, the way of each call through them, and the administrator's calls and page.
//!
//! What a system has of its own it says in a [`System`].

mod message;
mod passage;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use http::{Request, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use message::{base_of, html, json_response, nothing, read, segments, with_retry_after};

use crate::admin;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;

/// An error of the imitated system with this status and sentence.
pub(crate) type Refuse = fn(u16, &str) -> Response<Body>;

/// What an administrator's call answers that only one system has; `None` when there is no such call.
type Beside<State, Settings> = fn(&Simulator<State, Settings>, &str, &[&str]) -> Option<Response<Body>>;

/// What the frame has to know of an imitated system.
pub(crate) struct System<State: 'static, Settings: 'static> {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The part of the page that shows what it holds.
    pub(crate) view: &'static str,
    /// A seeded state.
    pub(crate) seed: fn(Settings, &Clock) -> State,
    /// Its switches.
    pub(crate) settings: fn(&mut State) -> &mut Settings,
    /// Milliseconds that each call takes at least.
    pub(crate) latency: fn(&mut State) -> u64,
    /// Lets the state's time become this.
    pub(crate) advance: fn(&mut State, Timestamp),
    /// Ends all sessions: nobody is known from then on without logging in anew.
    pub(crate) end_sessions: fn(&mut State),
    /// Everything but content and secrets, for tests in other languages.
    pub(crate) everything: fn(&State) -> Value,
    /// What is in an object, in short: `id`, `title`, and how many `children`; `top` is in none.
    pub(crate) children: fn(&State, &str) -> Option<Value>,
    /// One object with all that belongs to it.
    pub(crate) object: fn(&State, &str) -> Option<Value>,
    /// Calls of the administrator that only this system has, by method and parts of the path.
    pub(crate) beside: Beside<State, Settings>,
    /// Its errors.
    pub(crate) refuse: Refuse,
}

struct Inner<State: 'static, Settings: 'static> {
    system: &'static System<State, Settings>,
    state: Mutex<State>,
    first_settings: Mutex<Settings>,
    clock: Clock,
    faults: Faults,
    journal: Journal,
}

/// A simulated system. Clones are the same one.
pub struct Simulator<State: 'static, Settings: 'static>(Arc<Inner<State, Settings>>);

impl<State: 'static, Settings: 'static> Clone for Simulator<State, Settings> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<State: 'static, Settings: 'static> Simulator<State, Settings> {
    /// Reads or changes the state between calls. Its time is set to the clock's first.
    pub fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.lock())
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

    pub(crate) fn system(&self) -> &'static System<State, Settings> {
        self.0.system
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        (self.0.system.advance)(&mut state, self.0.clock.now());
        state
    }
}

impl<State: 'static, Settings: 'static + Clone> Simulator<State, Settings> {
    /// The system with its seed.
    pub(crate) fn seeded(system: &'static System<State, Settings>, settings: Settings, clock: Clock) -> Self {
        Self::framed(system, (system.seed)(settings, &clock), clock)
    }

    /// The system with this state.
    pub(crate) fn framed(system: &'static System<State, Settings>, mut state: State, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            system,
            first_settings: Mutex::new((system.settings)(&mut state).clone()),
            state: Mutex::new(state),
            clock,
            faults: Faults::default(),
            journal: Journal::default(),
        }))
    }

    /// Starts over: the seed, the first settings, no faults, an empty journal. The clock stays as it is.
    pub fn reset(&self) {
        let first = self.0.first_settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        *self.lock() = (self.0.system.seed)(first, &self.0.clock);
        self.0.faults.clear();
        self.0.journal.clear();
    }

    /// Changes switches now and among the first ones: what is only known once it is served, and has to outlive a reset.
    pub fn begin_with(&self, change: impl Fn(&mut Settings)) {
        change(&mut self.0.first_settings.lock().unwrap_or_else(PoisonError::into_inner));
        change((self.0.system.settings)(&mut self.lock()));
    }
}

impl<State: 'static, Settings: 'static> Simulator<State, Settings>
where
    State: Send + 'static,
    Settings: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// The interface and the administrator's calls as a router. `act` does a call, and gets the number of its journal entry.
    pub(crate) fn routed<Act, Done>(&self, act: Act) -> Router
    where
        Act: Fn(Self, Request<Body>, u64) -> Done + Clone + Send + Sync + 'static,
        Done: Future<Output = Response<Body>> + Send + 'static,
    {
        let simulator = self.clone();
        let answer = move |request: Request<Body>| {
            let (simulator, act) = (simulator.clone(), act.clone());
            async move {
                if request.uri().path().starts_with(admin::PLACE) {
                    return admin::answer(&simulator, request).await;
                }
                simulator.pass(request, simulator.system().refuse, act).await
            }
        };
        // The imitated system says itself how much it takes.
        Router::new().fallback(answer).layer(DefaultBodyLimit::disable())
    }

    /// What stands beside the interface on a port of its own, with errors of its own: it has the same faults and journal, and no
    /// administrator.
    pub(crate) fn routed_beside<Act, Done>(&self, refuse: Refuse, act: Act) -> Router
    where
        Act: Fn(Self, Request<Body>, u64) -> Done + Clone + Send + Sync + 'static,
        Done: Future<Output = Response<Body>> + Send + 'static,
    {
        let simulator = self.clone();
        let answer = move |request: Request<Body>| {
            let (simulator, act) = (simulator.clone(), act.clone());
            async move { simulator.pass(request, refuse, act).await }
        };
        Router::new().fallback(answer).layer(DefaultBodyLimit::disable())
    }
}
