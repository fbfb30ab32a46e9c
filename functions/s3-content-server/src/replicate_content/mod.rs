//! Keeps a verified replica of content sets in a second bucket, which may be in another Region; restores from it, and
//! proves that what it restored is equal.
//!
//! Trigger: the change feed; requests `replicate`, `restore`, `drill`, `verify`; schedules, which send the latter two.
//! Safe to repeat: contents are vouched for by their descriptions, revisions lie under keys that follow from their bytes,
//! the record of a node is replaced only on the condition that it is the one that was read, and what is restored carries
//! a mark by which it is found. Nothing in Content Server is ever deleted, whatever happens: this flow has no such call.

mod compare;
mod folders;
mod read;
pub mod record;
mod replica;
mod replicate;
pub mod report;
mod request;
mod restore;
mod restore_document;
mod restored;
mod sample;
pub(crate) mod sides;
mod verify;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::{
    content_server::{self, NodeId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Measure, Outcome, Parsed, Reason, Run},
    ledger::{Key, Lock},
    node_change::{Change, NodeChange},
    reason_file,
};

pub use self::request::{Asked, KIND, ReplicaRequest};
use self::{
    folders::Folders,
    replica::{Replica, at_the_replica},
    replicate::Told,
    request::Envelope,
    restored::Members,
};
use crate::{
    places::Places,
    replica_rules::{ReplicaRule, ReplicaRules, SAMPLE},
};

/// How long a thing whose answer was lost may take to appear, before it is made again.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct ReplicateContent {
    content_server: content_server::Client,
    environment: Environment,
    sets: Vec<Set>,
    places: Places,
    folders: Folders,
    members: Members,
}

/// A content set and its replica.
struct Set {
    rule: ReplicaRule,
    replica: Replica,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaEvent {
    /// Something changed.
    Change {
        /// What.
        change: NodeChange,
        /// When the feed told of it.
        told: Option<Timestamp>,
    },
    /// Somebody, or a schedule, asks for something.
    Request(ReplicaRequest),
}

impl Flow for ReplicateContent {
    const NAME: &'static str = "replicate-content";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer];
    type Event = ReplicaEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = ReplicaRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        let nowhere = rules.rules.iter().find(|rule| rule.bucket.is_none());
        if let Some(rule) = nowhere.filter(|_| environment.settings.content_bucket.is_empty()) {
            let message = format!("the rule {} names no bucket, and neither does the function", rule.name);
            return Err(Error::configuration("rules.no-bucket", message)
                .remedy("set WAYBILL_CONTENT_BUCKET, or `bucket` in the rule"));
        }
        let sets = rules.rules.into_iter().map(|rule| Set::of(rule, environment)).collect();
        Ok(Self {
            content_server: environment.content_server().await?,
            environment: environment.clone(),
            sets,
            places: Places::default(),
            folders: Folders::default(),
            members: Members::default(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<ReplicaEvent>> {
        let Some(request) = ReplicaRequest::parse(body)? else {
            let told = Envelope::read(body).and_then(|envelope| envelope.time);
            let change = NodeChange::parse(body)?;
            return Ok(vec![ReplicaEvent::Change { change, told }].into());
        };
        let of_a_node = matches!(request.asked, Asked::Restore { node: Some(_), .. });
        if request.set.is_some() || of_a_node {
            return Ok(vec![ReplicaEvent::Request(request)].into());
        }
        // What names no set is for each of them.
        let each = self.sets.iter().map(|set| {
            ReplicaEvent::Request(ReplicaRequest { set: Some(set.rule.name.clone()), ..request.clone() })
        });
        Ok(each.collect::<Vec<_>>().into())
    }

    fn item(&self, event: &ReplicaEvent) -> Item {
        let (key, asset_text) = match event {
            ReplicaEvent::Change { change, .. } => (change.key(), format!("node {}", change.node)),
            ReplicaEvent::Request(request) => {
                let text = match (&request.asked, &request.set) {
                    (Asked::Restore { node: Some(node), .. }, _) => format!("node {node}"),
                    (_, set) => format!("replica {}", set.as_deref().unwrap_or_default()),
                };
                (request.key(), text)
            }
        };
        let asset = match asset_text.strip_prefix("node ") {
            Some(node) => Key::of(&["content-server", node]),
            None => Key::of(&[Self::NAME, &asset_text]),
        };
        Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
    }

    async fn handle(&self, event: &ReplicaEvent, run: &Run) -> Result<Outcome> {
        let item = self.item(event);
        let outcome = match event {
            ReplicaEvent::Change { change, told } => self.change(change, *told, &item, run).await,
            ReplicaEvent::Request(request) => self.request(request, &item, run).await,
        };
        outcome.map_err(at_the_replica).map_err(|error| match error.class() {
            FailureClass::UnknownOutcome => error.not_before(SETTLING),
            _ => error,
        })
    }

    /// Writes the reason where people look. Neither Content Server nor the replica is touched.
    async fn put_aside(&self, event: &ReplicaEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let item = self.item(event);
        let (name, source) = match event {
            ReplicaEvent::Change { change, .. } => (change.node.to_string(), json!({ "node": change.node })),
            ReplicaEvent::Request(request) => {
                let set = request.set.clone().unwrap_or_default();
                (format!("request-{set}"), json!({ "set": set, "request": request.id }))
            }
        };
        reason_file::write(
            &self.environment,
            Self::NAME,
            &item,
            ("content-server", &name, source),
            reason,
            run,
        )
        .await
    }
}

impl ReplicateContent {
    async fn change(
        &self,
        change: &NodeChange,
        told: Option<Timestamp>,
        item: &Item,
        run: &Run,
    ) -> Result<Outcome> {
        let node = NodeId(change.node);
        run.note("node", node.to_string());
        let recheck = match (change.change, change.request.as_deref()) {
            (Change::Requested, Some("restore")) => {
                let asked = Asked::Restore { node: Some(change.node), into: None, deleted: false };
                let id = format!("{} {}", item.key.digest(), change.occasion);
                return self.request(&ReplicaRequest { asked, set: None, id }, item, run).await;
            }
            (Change::Requested, Some("replicate")) => true,
            (Change::Requested, _) => {
                return skipped("request.not-ours", "the request is for another flow");
            }
            _ => false,
        };
        let told = Told { at: told.unwrap_or_else(|| run.context().now()), recheck };
        let lock = self.lock(&format!("node-{node}"), run).await?;
        let outcome = self.replicate(node, &told, item, run).await;
        self.unlock(&lock, false, run).await;
        if let Err(error) = &outcome
            && error.retry_advice() != Retry::Never
        {
            // It waits, and what is in the replica is older by as much.
            run.measure(Measure::ReplicaLag, seconds_since(told.at, run));
        }
        outcome
    }

    async fn request(&self, request: &ReplicaRequest, item: &Item, run: &Run) -> Result<Outcome> {
        let set = match (&request.set, &request.asked) {
            (Some(name), _) => self.sets.iter().find(|set| set.rule.name == *name).ok_or_else(|| {
                Error::invalid("request.unknown-set", format!("no rule is called {name}"))
                    .remedy("name a rule of the file in force, or correct the schedule")
            })?,
            (None, Asked::Restore { node: Some(node), .. }) => match self.set_of(*node).await? {
                Some(set) => set,
                None => return skipped("restore.unknown", "no replica knows this node"),
            },
            (None, _) => return Err(Error::bug("request", "a request without a set")),
        };
        run.note("set", &set.rule.name);
        let name = match &request.asked {
            Asked::Verify => format!("verify-{}", set.rule.name),
            _ => format!("restore-{}", item.key.short()),
        };
        let lock = self.lock(&name, run).await?;
        let outcome = match &request.asked {
            Asked::Verify => self.verify(set, item, run).await,
            Asked::Drill { .. } | Asked::Restore { .. } => self.bring_back(set, request, item, run).await,
        };
        // A slow server may make it yet. Nobody makes another one before it had the time to.
        let undecided = outcome.as_ref().is_err_and(|error| error.class() == FailureClass::UnknownOutcome);
        self.unlock(&lock, undecided, run).await;
        outcome
    }

    /// The set whose replica knows a node.
    async fn set_of(&self, node: i64) -> Result<Option<&Set>> {
        for set in &self.sets {
            if set.replica.record(node).await?.is_some() {
                return Ok(Some(set));
            }
        }
        Ok(None)
    }

    /// One worker at a time deals with a thing.
    async fn lock(&self, name: &str, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, name, run.lease_until()).await?;
        lock.ok_or_else(|| again("replica.busy", "another change of this thing is being dealt with"))
    }

    async fn unlock(&self, lock: &Lock, undecided: bool, run: &Run) {
        let left =
            if undecided { run.ledger().hold(lock, SETTLING).await } else { run.ledger().unlock(lock).await };
        if let Err(error) = left {
            tracing::warn!(error = ?error, "the lock stays until the claim ends");
        }
    }
}

impl Set {
    fn of(rule: ReplicaRule, environment: &Environment) -> Self {
        let settings = &environment.settings;
        let region = match &rule.bucket {
            Some(_) => rule.region.as_deref().unwrap_or_default(),
            None => &settings.content_region,
        };
        let replica = Replica {
            s3: environment.s3_in(region),
            bucket: rule.bucket.clone().unwrap_or_else(|| settings.content_bucket.clone()),
            prefix: rule.prefix.clone(),
        };
        Self { rule, replica }
    }
}

fn seconds_since(moment: Timestamp, run: &Run) -> f64 {
    run.context().now().duration_since(moment).as_secs_f64().max(0.0)
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "replicate", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
