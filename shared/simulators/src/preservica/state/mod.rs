//! The rules of Preservica without HTTP.

mod actions;
mod bulk;
mod changes;
mod containers;
mod csv_edits;
mod deliveries;
mod entity;
mod events;
mod export;
mod fixity;
mod holds;
mod ingest;
mod links;
mod monitors;
mod package;
mod retention;
mod search;
mod sessions;
mod uploads;
mod workflows;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub use actions::{Progress, Status};
pub(super) use bulk::Shown;
pub(super) use containers::Contained;
pub use deliveries::{Delivery, Subscription, challenge_response, sign};
pub use entity::{Bitstream, Entity, Fragment, Generation, Identifier, Kind, Representation};
pub use events::{Action, Event};
pub(super) use export::{Generations, Said, Wanted};
pub use fixity::{Algorithm, digest};
pub use holds::{Hold, HoldAssignment};
pub(in crate::preservica) use ingest::{format_of, too_large};
pub use links::Link;
pub use monitors::{Message, Monitor};
pub(super) use retention::FIELDS;
pub use retention::{Assignment, Policy};
pub(super) use search::Query;
pub(super) use sessions::Login;
pub use sessions::{ADMINISTRATOR, CONFIGURATION_MANAGER, MANAGER, READER, Token, User};
pub(super) use uploads::Fault;
pub(super) use workflows::CONTEXTS;
pub use workflows::Instance;

use self::actions::Work;
use self::bulk::BulkKey;
use self::containers::Container;
pub(super) use self::search::Document;
use self::uploads::Upload;
use super::reply::{Outcome, Refusal};
use super::settings::Settings;
use crate::aws::s3::S3;
use crate::content::Blob;

/// A tenant.
pub struct State {
    /// The switches.
    pub settings: Settings,
    /// The time, set from the clock before each call.
    pub now: Timestamp,
    /// The tenant's name.
    pub tenant: String,
    /// Who may log in.
    pub users: Vec<User>,
    /// Access tokens that were given out.
    pub tokens: Vec<Token>,
    /// Folders, assets and content objects by reference; deleted ones stay.
    pub entities: BTreeMap<String, Entity>,
    /// What leads from one entity to another.
    pub links: Vec<Link>,
    /// Tables of metadata that were sent, as they came.
    pub csv_edits: Vec<String>,
    /// What was done, oldest first.
    pub events: Vec<Event>,
    /// What became of what takes time, by token.
    pub progress: BTreeMap<String, Progress>,
    /// What people see of processes.
    pub monitors: Vec<Monitor>,
    /// Retention policies by reference.
    pub policies: BTreeMap<String, Policy>,
    /// Legal holds by reference.
    pub holds: BTreeMap<String, Hold>,
    /// Who is told of what happens.
    pub subscriptions: Vec<Subscription>,
    /// Security tags.
    pub tags: Vec<String>,
    /// Unfinished uploads by id.
    pub uploads: BTreeMap<String, Upload>,
    /// Workflows that were started.
    pub instances: Vec<Instance>,
    /// Where the bulk location is kept.
    pub(super) bulk: Option<S3>,
    bulk_keys: Vec<BulkKey>,
    container: Container,
    /// What was exported, by token.
    exports: BTreeMap<String, Blob>,
    waiting: Vec<Delivery>,
    works: Vec<Work>,
    /// When each worker has done what it has.
    workers: Vec<Timestamp>,
    /// What search knows.
    index: BTreeMap<String, Document>,
    to_index: Vec<(Timestamp, String)>,
    ids: StdRng,
    made: u64,
}

impl State {
    /// An empty tenant.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        Self {
            settings,
            now,
            tenant: "DEMO".to_owned(),
            users: Vec::new(),
            tokens: Vec::new(),
            entities: BTreeMap::new(),
            links: Vec::new(),
            csv_edits: Vec::new(),
            events: Vec::new(),
            progress: BTreeMap::new(),
            monitors: Vec::new(),
            policies: BTreeMap::new(),
            holds: BTreeMap::new(),
            subscriptions: Vec::new(),
            tags: Vec::new(),
            uploads: BTreeMap::new(),
            instances: Vec::new(),
            bulk: None,
            bulk_keys: Vec::new(),
            container: Container::default(),
            exports: BTreeMap::new(),
            waiting: Vec::new(),
            works: Vec::new(),
            workers: Vec::new(),
            index: BTreeMap::new(),
            to_index: Vec::new(),
            ids: StdRng::seed_from_u64(1),
            made: 0,
        }
    }

    /// A new reference.
    pub fn new_reference(&mut self) -> String {
        let (high, low): (u64, u64) = (self.ids.random(), self.ids.random());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    /// A new short id, as identifiers and assignments have.
    pub(super) fn new_api_id(&mut self) -> String {
        let id: u64 = self.ids.random();
        format!("{:016x}", id)
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

    /// An entity that was not deleted.
    pub fn living(&self, kind: Kind, reference: &str) -> Outcome<&Entity> {
        let found = self.entities.get(reference).filter(|entity| entity.kind == kind && !entity.deleted);
        found.ok_or_else(|| Refusal::NotFound(format!("No {} with reference {reference}", kind.path())))
    }

    /// The same to be changed.
    pub fn living_mut(&mut self, kind: Kind, reference: &str) -> Outcome<&mut Entity> {
        self.living(kind, reference)?;
        let found = self.entities.get_mut(reference);
        found.ok_or_else(|| Refusal::NotFound(format!("No {} with reference {reference}", kind.path())))
    }

    /// The entity with a title.
    pub fn titled(&self, title: &str) -> Option<&Entity> {
        self.entities.values().find(|entity| entity.title == title && !entity.deleted)
    }

    /// Those that have an identifier.
    pub fn identified(&self, kind: &str, value: &str) -> Vec<&Entity> {
        let minds = self.settings.identifier_types_mind_case;
        let same = |known: &str| if minds { known == kind } else { known.eq_ignore_ascii_case(kind) };
        let has = |entity: &&Entity| entity.identifiers.iter().any(|id| same(&id.kind) && id.value == value);
        let mut found: Vec<&Entity> =
            self.entities.values().filter(|entity| !entity.deleted).filter(has).collect();
        found.sort_by_key(|entity| entity.number);
        found
    }

    /// Those in a folder or asset; in none for `None`.
    pub fn children(&self, parent: Option<&str>) -> Vec<&Entity> {
        let mut found: Vec<&Entity> = self
            .entities
            .values()
            .filter(|entity| !entity.deleted && entity.parent.as_deref() == parent)
            .collect();
        match self.settings.paging.children_by_title {
            true => found.sort_by(|one, other| (&one.title, one.number).cmp(&(&other.title, other.number))),
            false => found.sort_by_key(|entity| entity.number),
        }
        found
    }

    /// An entity and everything below it.
    pub(super) fn with_descendants(&self, reference: &str) -> Vec<String> {
        let mut found = vec![reference.to_owned()];
        let mut at = 0;
        while let Some(parent) = found.get(at).cloned() {
            found.extend(self.children(Some(&parent)).into_iter().map(|child| child.reference.clone()));
            at += 1;
        }
        found
    }

    /// An entity changed now.
    pub(super) fn touch(&mut self, reference: &str) {
        let (now, number) = (self.now, self.next());
        let due = self.after(self.settings.index_lag_seconds);
        if let Some(entity) = self.entities.get_mut(reference) {
            entity.changed = now;
            entity.change = number;
            self.to_index.push((due, reference.to_owned()));
        }
    }

    /// Lets the time pass, and does what is due in the order it is due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        loop {
            let work = self.works.iter().map(|work| work.due).min();
            let index = self.to_index.iter().map(|(due, _)| *due).min();
            let Some(next) = [work, index].into_iter().flatten().min().filter(|due| *due <= now) else {
                break;
            };
            self.now = next.max(self.now);
            self.do_index();
            self.do_works();
        }
        self.now = now;
    }
}
