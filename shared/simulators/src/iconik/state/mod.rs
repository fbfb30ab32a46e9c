//! The rules of iconik without HTTP.

mod applications;
mod assets;
mod bin;
mod collections;
mod contents;
mod fields;
mod history;
mod jobs;
pub mod media;
pub mod metadata;
mod notifications;
mod relations;
mod review;
mod search;
mod sizes;
mod system;
mod table;
mod users;
mod versions;
mod works;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use serde_json::{Map, Value};

use super::dates;
use super::settings::Settings;

pub use super::reply::{Outcome, Refusal};
pub use applications::{Application, ApplicationKind, Grant, Token};
pub(super) use assets::Edit;
pub use bin::Deleted;
pub(super) use collections::ParentMode;
pub(super) use contents::places;
pub use jobs::Pressed;
pub use media::Media;
pub use metadata::Metadata;
pub use notifications::{Called, Delivery, Notifications, Run, Sender, Subject};
pub use review::{Approval, ApprovalKey, Asked, Review, Share, Verdict};
pub(super) use review::{Wanted, text_of};
pub(super) use search::{Search, searched};
pub use sizes::Sizes;
pub use table::Table;
pub use users::User;
pub(in crate::iconik) use works::Work;

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

/// Everything one iconik holds. A copy holds the same, but for uploads that are under way.
#[derive(Clone)]
pub struct State {
    /// The switches.
    pub settings: Settings,
    /// The simulator's time.
    pub now: Timestamp,
    /// Id of the running call, 32 hexadecimal digits: several events can come from one call.
    pub request_id: String,
    /// The tenant.
    pub system_domain_id: String,
    /// What the tenant's administrator has set, such as `delete_grace_period`.
    pub system: Object,
    /// Users by id.
    pub users: Vec<User>,
    /// Applications.
    pub applications: Vec<Application>,
    /// Id of the web application, which people log in to.
    pub web_application: String,
    /// Tokens of applications and logins.
    pub tokens: Vec<Token>,
    /// Codes of the authorization endpoint that were not yet exchanged.
    pub(super) grants: BTreeMap<String, Grant>,
    /// Assets.
    pub assets: Table,
    /// Collections.
    pub collections: Table,
    /// What search finds: assets and collections with all that belongs to them.
    documents: Table,
    /// Ids of what changed since its document was made.
    outdated: BTreeSet<String>,
    /// What was done to assets.
    pub history: Table,
    /// Relation types by name.
    pub relation_types: Table,
    /// Relations by `from/type/to`.
    pub relations: Table,
    /// Searches that people saved.
    pub saved_searches: Table,
    /// Jobs.
    pub jobs: Table,
    /// What people say of assets.
    pub review: Review,
    /// What iconik sends by itself.
    pub notifications: Notifications,
    /// What is in the recycle bin, by kind (`assets`, `collections`) and id.
    pub bin: BTreeMap<(String, String), Deleted>,
    /// What users marked as favourites: user, object type, id.
    pub favourites: Vec<(String, String, String)>,
    /// Storages, files and what is made of them.
    pub media: Media,
    /// Fields, views and values.
    pub metadata: Metadata,
    /// Buttons of jobs that were pressed and whose addresses are to be called, oldest first.
    pub pressed: Vec<Pressed>,
    works: Vec<works::Scheduled>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
    /// The rest of the lists that are being scrolled.
    pub(super) scrolls: BTreeMap<String, Vec<Value>>,
    ids: Xoshiro256PlusPlus,
    made: u32,
    pace: BTreeMap<String, users::Pace>,
}

impl State {
    /// An empty tenant.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let mut state = Self {
            settings,
            now,
            request_id: String::new(),
            system_domain_id: String::new(),
            system: system::defaults(),
            users: Vec::new(),
            applications: Vec::new(),
            web_application: String::new(),
            tokens: Vec::new(),
            grants: BTreeMap::new(),
            assets: Table::new("Asset"),
            collections: Table::new("Collection"),
            documents: Table::new("Document"),
            outdated: BTreeSet::new(),
            history: Table::new("History entry"),
            relation_types: Table::new("Relation type"),
            relations: Table::new("Relation"),
            saved_searches: Table::new("Saved search"),
            jobs: Table::new("Job"),
            review: Review::new(),
            notifications: Notifications::new(),
            bin: BTreeMap::new(),
            favourites: Vec::new(),
            media: Media::new(),
            metadata: Metadata::new(),
            pressed: Vec::new(),
            works: Vec::new(),
            events: Vec::new(),
            scrolls: BTreeMap::new(),
            ids: Xoshiro256PlusPlus::seed_from_u64(1),
            made: 0,
            pace: BTreeMap::new(),
        };
        state.system_domain_id = state.new_id();
        state.web_application = state.new_id();
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

    /// A new secret, such as a token: 64 hexadecimal digits.
    pub fn new_secret(&mut self) -> String {
        use rand::RngExt as _;
        (0..4).map(|_| format!("{:016x}", self.ids.random::<u64>())).collect()
    }

    /// The time, as objects keep it. Answers respell it by the switches.
    pub fn time(&self) -> Value {
        dates::kept(self.now).into()
    }

    /// The id of an asset or collection with this title.
    pub fn titled(&self, title: &str) -> Option<String> {
        let mut all = self.assets.objects().chain(self.collections.objects());
        let found = all.find(|object| object.get("title").and_then(Value::as_str) == Some(title))?;
        found.get("id").and_then(Value::as_str).map(str::to_owned)
    }

    /// Something happened.
    pub fn emit(&mut self, event: Event) {
        self.outdate(&event);
        self.notify(&event);
        self.events.push(event);
    }

    /// Does what is due.
    pub(super) fn settle(&mut self) {
        self.settle_review();
        self.settle_notifications();
    }

    /// Lets the time pass: the index hears of what was done until now, and what is due is done.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let lag = self.settings.index.lag_seconds.max(self.settings.index.region_lag_seconds);
        let horizon = before(self.now, lag);
        let told = self.now;
        self.remake_documents();
        for table in self.indexed() {
            table.tell(told, horizon);
        }
        self.now = now;
        self.empty_bin();
        self.catch_up();
        self.settle();
    }

    /// The index has everything as it is now.
    pub fn index_all(&mut self) {
        let now = self.now;
        self.remake_documents();
        for table in self.indexed() {
            table.tell(now, None);
        }
    }

    /// The index has one object as it is now.
    pub(super) fn reindex(&mut self, kind: &str, id: &str) {
        match kind {
            "assets" => self.assets.tell_one(id),
            _ => self.collections.tell_one(id),
        }
        self.outdated.insert(id.to_owned());
        self.remake_documents();
        self.documents.tell_one(id);
    }

    /// The tables whose lists are served from the index.
    fn indexed(&mut self) -> Vec<&mut Table> {
        vec![
            &mut self.assets,
            &mut self.collections,
            &mut self.documents,
            &mut self.history,
            &mut self.jobs,
            &mut self.review.segments,
        ]
    }

    /// The time up to which the index has seen everything; none when it sees all at once.
    pub(super) fn horizon(&self) -> Option<Timestamp> {
        before(self.now, self.settings.index.lag_seconds)
    }

    /// The same for single objects, read in another region.
    pub(super) fn region_horizon(&self) -> Option<Timestamp> {
        before(self.now, self.settings.index.region_lag_seconds)
    }
}

fn before(now: Timestamp, seconds: i64) -> Option<Timestamp> {
    (seconds > 0).then(|| now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(now))
}
