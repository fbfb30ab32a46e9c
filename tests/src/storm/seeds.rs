//! What systems hold before a story begins. It is the same for all schedules of a story, and made once: to seed an iconik
//! anew took two fifths of a schedule.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use simulators::{content_server, iconik};

/// Seeded states by the switches and the time they were made with.
struct Seeds<Settings, State>(Mutex<Vec<(Settings, Timestamp, Arc<State>)>>);

static CONTENT_SERVER: Seeds<content_server::Settings, content_server::State> = Seeds(Mutex::new(Vec::new()));
static ICONIK: Seeds<iconik::Settings, iconik::State> = Seeds(Mutex::new(Vec::new()));

impl<Settings: Clone + PartialEq, State: Clone> Seeds<Settings, State> {
    fn copy(
        &self,
        settings: Settings,
        now: Timestamp,
        seed: impl FnOnce(Settings, Timestamp) -> State,
    ) -> State {
        let seeded = {
            let mut made = self.0.lock().expect("no seed panics");
            match made.iter().find(|(with, at, _)| *with == settings && *at == now) {
                Some((_, _, state)) => Arc::clone(state),
                None => {
                    let state = Arc::new(seed(settings.clone(), now));
                    made.push((settings, now, Arc::clone(&state)));
                    state
                }
            }
        };
        State::clone(&seeded)
    }
}

/// The seeded repository of a Content Server.
pub(super) fn repository(settings: content_server::Settings, now: Timestamp) -> content_server::State {
    CONTENT_SERVER.copy(settings, now, content_server::seed::repository)
}

/// The seeded production of an iconik.
pub(super) fn production(settings: iconik::Settings, now: Timestamp) -> iconik::State {
    ICONIK.copy(settings, now, iconik::seed::production)
}
