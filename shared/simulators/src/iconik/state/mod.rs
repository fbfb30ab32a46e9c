//! The rules of iconik without HTTP.

mod assets;
mod table;
mod users;

use jiff::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

use super::settings::Settings;

pub use super::reply::{Outcome, Refusal};
pub use table::Table;
pub use users::{Token, User};

/// An object as iconik shows it.
pub type Object = Map<String, Value>;

/// Something that happened and that webhooks may be told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `assets`, `collections`.
    pub event_type: &'static str,
    /// `entity`, `contents`, `metadata`, …
    pub realm: &'static str,
    /// `create`, `update`, `delete`, …
    pub operation: &'static str,
    /// The object it happened to.
    pub object_id: String,
    /// Who did it.
    pub user_id: String,
    /// A snapshot of the part that changed.
    pub data: Value,
}

/// Everything one iconik holds.
pub struct State {
    /// The switches.
    pub settings: Settings,
    /// The simulator's time.
    pub now: Timestamp,
    /// The tenant.
    pub system_domain_id: String,
    /// Users by id.
    pub users: Vec<User>,
    /// Application tokens.
    pub tokens: Vec<Token>,
    /// Assets.
    pub assets: Table,
    /// What happened, oldest first.
    pub events: Vec<Event>,
    ids: StdRng,
    made: u32,
    pace: users::Pace,
}

impl State {
    /// An empty tenant.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let mut state = Self {
            settings,
            now,
            system_domain_id: String::new(),
            users: Vec::new(),
            tokens: Vec::new(),
            assets: Table::new("Asset"),
            events: Vec::new(),
            ids: StdRng::seed_from_u64(1),
            made: 0,
            pace: users::Pace::default(),
        };
        state.system_domain_id = state.new_id();
        state
    }

    /// A new id: like the real ones a UUID of version 1, and here in the order of making.
    pub fn new_id(&mut self) -> String {
        use rand::RngExt as _;
        self.made += 1;
        let rest: u64 = self.ids.random();
        format!(
            "{:08x}-{:04x}-11f0-a{:03x}-{:012x}",
            self.made,
            rest >> 48,
            rest >> 36 & 0xfff,
            rest & 0xffff_ffff_ffff
        )
    }

    /// The time as most answers write it.
    pub fn time(&self) -> Value {
        Value::from(format!("{}+00:00", self.now.strftime("%Y-%m-%dT%H:%M:%S.%6f")))
    }

    /// Something happened.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }
}
