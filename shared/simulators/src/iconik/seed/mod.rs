//! What an iconik holds when it starts: a small production.
//!
//! - people: the service user of integrations, an administrator, a producer, an editor, a reviewer;
//! - applications: a personal one with tokens of all of them, an OAuth one;
//! - collections: `Productions / Harbour Lights / Footage, Edit, Finals, Stills, Documents`, `Newsroom / Evening news`,
//!   `Healthcare / Patient information`;
//! - assets of every type in them, two with several versions, one in the recycle bin;
//! - reviews: one of two rounds with comments, one that is open, one whose reviewers do not agree;
//! - storages of each provider and a file server, and on them the files of these assets ([`media`]);
//! - fields, views and categories for campaigns, news, healthcare, rights and Content Server, with values ([`metadata`]).

mod campaign;
pub mod media;
pub mod metadata;
mod people;
mod review;

use jiff::Timestamp;

use super::settings::Settings;
use super::state::State;

pub use people::{
    ADMIN, ADMIN_TOKEN, APP_ID, CLIENT_ID, CLIENT_SECRET, EDITOR, EDITOR_TOKEN, PASSWORD, PRODUCER,
    PRODUCER_TOKEN, REVIEWER, REVIEWER_TOKEN, SERVICE, TOKEN,
};

/// The seeded production.
pub fn production(settings: Settings, now: Timestamp) -> State {
    let mut state = State::new(settings, now);
    people::add(&mut state);
    // Nothing of this fails: it is written for the rules it meets.
    let _ = campaign::add(&mut state, now)
        .and_then(|()| media::storages(&mut state))
        .and_then(|()| metadata::add(&mut state))
        .and_then(|()| media::files(&mut state))
        .and_then(|()| metadata::describe(&mut state))
        .and_then(|()| review::add(&mut state, now));
    state.now = now;
    // What happened before the simulator started is told to nobody, and the index has it.
    state.events.clear();
    state.begin_notifications();
    state.index_all();
    state
}
