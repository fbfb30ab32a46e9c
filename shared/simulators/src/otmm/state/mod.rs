//! The rules of OTMM without HTTP.

mod asset;
mod edits;
mod expression;
mod folders;
mod imports;
mod jobs;
mod locks;
mod metadata;
mod model;
mod search;
mod selection;
mod sessions;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub(super) use asset::written;
pub use asset::{Asset, Content, Holder, Link, Lock, SystemField, content_type};
pub use imports::File;
pub(super) use imports::{Master, Source};
pub use jobs::{Job, JobKind, Phase};
pub(super) use locks::{Action, Failed};
pub(super) use metadata::{as_text, entries};
pub(super) use model::Place;
pub use model::{
    Domain, DomainValue, EXPIRATION, Element, FOLDER_MODEL, FOLDER_TYPE, Field, Group, Kind, Model, Policy,
    Template, USER_ROOT,
};
pub(super) use search::Query;
pub use sessions::{CHANGE, DELETE_ASSET, DELETE_FOLDER, DOWNLOAD, EXPORT, Session, User};

use super::reply::{Outcome, Refusal};
use super::settings::Settings;

/// A collection: what somebody has put together.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Collection {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Ids of its assets.
    pub assets: Vec<String>,
}

/// A repository.
pub struct State {
    /// The switches.
    pub settings: Settings,
    /// The time, set from the clock before each call.
    pub now: Timestamp,
    /// Who may log in.
    pub users: Vec<User>,
    /// Sessions by number.
    pub sessions: BTreeMap<u64, Session>,
    /// Id and secret of the client that fetches tokens.
    pub client: (String, String),
    /// Metadata models.
    pub models: Vec<Model>,
    /// Lookup domains.
    pub domains: Vec<Domain>,
    /// Security policies.
    pub policies: Vec<Policy>,
    /// Import templates.
    pub templates: Vec<Template>,
    /// Fields that every asset has, by the id they have at this site.
    pub system_fields: BTreeMap<String, SystemField>,
    /// Assets of every version, and folders, by id.
    pub assets: BTreeMap<String, Asset>,
    /// Collections.
    pub collections: Vec<Collection>,
    /// Jobs by number.
    pub jobs: BTreeMap<u64, Job>,
    tokens: Vec<sessions::Token>,
    tickets: Vec<sessions::Token>,
    /// What search knows.
    index: BTreeMap<String, Asset>,
    to_index: Vec<(Timestamp, String)>,
    purges: Vec<(Timestamp, String)>,
    ids: StdRng,
    made: u64,
}

impl State {
    /// An empty repository.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        Self {
            settings,
            now,
            users: Vec::new(),
            sessions: BTreeMap::new(),
            client: (String::new(), String::new()),
            models: Vec::new(),
            domains: Vec::new(),
            policies: Vec::new(),
            templates: Vec::new(),
            system_fields: BTreeMap::new(),
            assets: BTreeMap::new(),
            collections: Vec::new(),
            jobs: BTreeMap::new(),
            tokens: Vec::new(),
            tickets: Vec::new(),
            index: BTreeMap::new(),
            to_index: Vec::new(),
            purges: Vec::new(),
            ids: StdRng::seed_from_u64(1),
            made: 0,
        }
    }

    /// A new id of 40 hexadecimal digits.
    pub fn new_id(&mut self) -> String {
        let (one, two, three): (u64, u64, u32) = (self.ids.random(), self.ids.random(), self.ids.random());
        format!("{one:016x}{two:016x}{three:08x}")
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// So many seconds from now.
    pub(super) fn after(&self, seconds: i64) -> Timestamp {
        self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(self.now)
    }

    /// An asset or folder that can be seen.
    pub fn asset(&self, id: &str) -> Outcome<&Asset> {
        let readable = self.settings.deletion.readable;
        let found =
            self.assets.get(id).filter(|asset| !asset.hidden && (readable || asset.deleted.is_none()));
        found.ok_or_else(|| Refusal::NotFound(format!("The asset {id} does not exist")))
    }

    /// The same to be changed.
    pub fn asset_mut(&mut self, id: &str) -> Outcome<&mut Asset> {
        self.asset(id)?;
        self.assets.get_mut(id).ok_or_else(|| Refusal::NotFound(format!("The asset {id} does not exist")))
    }

    /// The latest version of the asset, or the folder, with a name.
    pub fn titled(&self, name: &str) -> Option<&Asset> {
        self.assets.values().find(|asset| asset.name == name && asset.latest && asset.deleted.is_none())
    }

    /// All versions of an asset, oldest first.
    pub fn versions(&self, original: &str) -> Vec<&Asset> {
        let mut found: Vec<&Asset> =
            self.assets.values().filter(|asset| asset.original_id == original && !asset.hidden).collect();
        found.sort_by_key(|asset| asset.version);
        found
    }

    /// The model with an id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The lookup domain with an id.
    pub fn domain(&self, id: &str) -> Option<&Domain> {
        self.domains.iter().find(|domain| domain.id == id)
    }

    /// An asset changed now, by somebody.
    pub(super) fn touch(&mut self, id: &str, user: &str) {
        let now = self.now;
        if let Some(asset) = self.assets.get_mut(id) {
            asset.updated = now;
            asset.updated_by = user.to_owned();
        }
        self.reindex(id);
    }

    /// The index will hear of it.
    pub(super) fn reindex(&mut self, id: &str) {
        let due = self.after(self.settings.search.lag_seconds);
        self.to_index.push((due, id.to_owned()));
    }

    /// The index hears of everything at once.
    pub fn index_all(&mut self) {
        self.to_index.clear();
        self.index = self.assets.iter().map(|(id, asset)| (id.clone(), asset.clone())).collect();
    }

    /// Lets the time pass, and does what is due in the order it is due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        loop {
            let index = self.to_index.iter().map(|(due, _)| *due).min();
            let purge = self.purges.iter().map(|(due, _)| *due).min();
            let job = self.jobs.values().filter_map(|job| job.due).min();
            let due = [index, purge, job].into_iter().flatten().min().filter(|due| *due <= now);
            let Some(due) = due else { break };
            self.now = due.max(self.now);
            self.do_purges();
            self.do_jobs();
            self.do_index();
        }
        self.now = now;
        self.end_old_locks();
    }

    fn do_index(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.to_index).into_iter().partition(|(due, _)| *due <= now);
        self.to_index = later;
        for (_, id) in due {
            match self.assets.get(&id) {
                Some(asset) => drop(self.index.insert(id, asset.clone())),
                None => drop(self.index.remove(&id)),
            }
        }
    }

    fn do_purges(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.purges).into_iter().partition(|(due, _)| *due <= now);
        self.purges = later;
        for (_, id) in due {
            let since = self.assets.get(&id).and_then(|asset| asset.deleted);
            let seconds = self.settings.deletion.purge_seconds.unwrap_or(i64::MAX);
            // It may have come back, and been deleted again later.
            if since.is_some_and(|since| now.duration_since(since).as_secs() >= seconds) {
                self.remove(&id);
            }
        }
    }

    /// Removes an asset for ever.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(gone) = self.assets.remove(id) else { return };
        self.reindex(id);
        if gone.latest
            && let Some(before) = self
                .assets
                .values_mut()
                .filter(|asset| asset.original_id == gone.original_id)
                .max_by_key(|asset| asset.version)
        {
            before.latest = true;
        }
    }
}
