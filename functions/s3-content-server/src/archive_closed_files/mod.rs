//! Writes a `BagIt` bag per closed case (or official record) to the archive tier, locks it as the record's retention
//! says, mirrors holds, and brings bags out of their archive class on request.
//!
//! Trigger: the change feed, a request `retrieve` or `mirror-holds`, or S3 saying that an archived object has been
//! restored. Safe to repeat: a bag is built under a working prefix, validated by reading it back, and only then copied
//! into its place, locked from its first moment on; the place follows from the case and from which documents in which
//! versions it holds, so a second delivery finds the first one's bag. Nothing here deletes an object or shortens a
//! lock, and content is reduced only under a permit ([`content_server::Reduction`]).

mod archive;
mod available;
mod case;
mod category;
mod described;
mod holds;
mod inspect;
mod layout;
mod lock;
mod pack;
mod place;
mod plan;
mod progress;
mod reading;
mod reduce;
mod retention;
mod retrieve;
mod seal;
mod sides;
mod store;
mod zipped;

pub(crate) use sides::connect as connect_sides;

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use serde_json::json;
use shared::{
    aws::classify,
    content_server::{self, NodeId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    ledger::{Key, Lock},
    links::Links,
    node_change::{Change, NodeChange},
    reason_file,
    s3_notification::{self, Notification, ObjectEvent},
};

use crate::{
    archive_rules::{ArchiveRule, ArchiveRules, SAMPLE},
    places::Places,
};

/// The flow.
pub struct ArchiveClosedFiles {
    content_server: content_server::Client,
    environment: Environment,
    s3: aws_sdk_s3::Client,
    rules: ArchiveRules,
    places: Places,
    links: Links,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveEvent {
    /// A case or document changed, or somebody asks for something.
    Change(NodeChange),
    /// S3 has restored an archived object.
    Restored {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// Version and the event's own time or sequencer.
        identity: [String; 2],
    },
}

impl Flow for ArchiveClosedFiles {
    const NAME: &'static str = "archive-closed-files";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer];
    type Event = ArchiveEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let flow = Self::open(environment).await?;
        flow.check_links()?;
        flow.check_buckets().await?;
        Ok(flow)
    }

    fn parse(&self, body: &str) -> Result<Parsed<ArchiveEvent>> {
        match s3_notification::parse(body) {
            Ok(Notification::Objects(Parsed { events, refused })) => {
                Ok(Parsed { events: events.into_iter().filter_map(restored).collect(), refused })
            }
            Ok(Notification::Test) => Ok(Parsed::default()),
            Err(_) => NodeChange::parse(body).map(|change| vec![ArchiveEvent::Change(change)].into()),
        }
    }

    fn item(&self, event: &ArchiveEvent) -> Item {
        let (key, asset, text) = match event {
            ArchiveEvent::Change(change) => {
                let node = change.node.to_string();
                (change.key(), Key::of(&["content-server", &node]), format!("node {node}"))
            }
            ArchiveEvent::Restored { bucket, key, identity: [version, moment] } => (
                Key::of(&["restored", bucket, key, version, moment]),
                Key::of(&["s3", bucket, key]),
                "a restored object".to_owned(),
            ),
        };
        Item {
            payload_hash: key.digest().to_owned(),
            key,
            asset: asset.digest().to_owned(),
            asset_text: text,
        }
    }

    async fn handle(&self, event: &ArchiveEvent, run: &Run) -> Result<Outcome> {
        self.environment.renew_credential(&self.content_server).await?;
        let change = match event {
            ArchiveEvent::Change(change) => change,
            ArchiveEvent::Restored { bucket, key, .. } => {
                let item = self.item(event).key.short().to_owned();
                return Box::pin(self.restored(bucket, key, &item, run)).await;
            }
        };
        run.note("node", change.node.to_string());
        let node = NodeId(change.node);
        match (change.change, change.request.as_deref()) {
            (Change::Removed, _) => skipped("change.removed", "it is not there any more"),
            (_, None | Some("archive" | "mirror-holds")) => {
                Box::pin(self.changed(node, change.key().short(), run)).await
            }
            (_, Some("retrieve")) => Box::pin(self.retrieve(node, change.key().short(), run)).await,
            (_, Some(_)) => skipped("request.not-ours", "the request is for another flow"),
        }
    }

    /// Writes the reason where people look. The case stays as it is.
    async fn put_aside(&self, event: &ArchiveEvent, reason: &Reason, run: &Run) -> Result<serde_json::Value> {
        let source = match event {
            ArchiveEvent::Change(change) => (change.node.to_string(), json!({ "node": change.node })),
            ArchiveEvent::Restored { bucket, key, .. } => {
                ("restored".to_owned(), json!({ "bucket": bucket, "key": key }))
            }
        };
        let item = self.item(event);
        reason_file::write(
            &self.environment,
            Self::NAME,
            &item,
            ("content-server", &source.0, source.1),
            reason,
            run,
        )
        .await
    }
}

impl ArchiveClosedFiles {
    /// The flow under its rules, whatever buckets and links are like.
    async fn open(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = ArchiveRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        Ok(Self {
            content_server: environment.content_server().await?,
            environment: environment.clone(),
            s3: environment.s3.clone(),
            rules,
            places: Places::default(),
            links: Links::new(environment.ledger.clone()),
        })
    }

    /// The bucket of a rule.
    fn bucket<'a>(&'a self, rule: &'a ArchiveRule) -> &'a str {
        rule.bucket.as_deref().unwrap_or(&self.environment.settings.content_bucket)
    }

    /// A bucket without Object Lock would take a bag and keep nothing of what was promised for it.
    async fn check_buckets(&self) -> Result<()> {
        let mut buckets: Vec<&str> = self.rules.rules.iter().map(|rule| self.bucket(rule)).collect();
        buckets.sort_unstable();
        buckets.dedup();
        for bucket in buckets {
            if bucket.is_empty() {
                return Err(Error::configuration(
                    "rules.no-bucket",
                    "a rule names no bucket, and neither does the function",
                )
                .remedy("set WAYBILL_CONTENT_BUCKET, or `bucket` in the rule"));
            }
            let answer = self.s3.get_object_lock_configuration().bucket(bucket).send().await;
            if let Err(error) = answer {
                let unlocked = error.code() == Some("ObjectLockConfigurationNotFoundError");
                let error = classify(System::S3, "look at Object Lock", error);
                return Err(if unlocked { without_lock(bucket).source(error) } else { error });
            }
        }
        Ok(())
    }

    /// One worker at a time deals with a case.
    async fn lock(&self, case: NodeId, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, &format!("case-{case}"), run.lease_until()).await?;
        lock.ok_or_else(|| again("archive.busy", "another message about this case is being dealt with"))
    }

    async fn unlock(&self, lock: &Lock, run: &Run) {
        run.leave(lock).await;
    }
}

fn without_lock(bucket: &str) -> Error {
    Error::configuration("archive.bucket-without-lock", format!("the bucket {bucket} has no Object Lock"))
        .remedy(
            "make a bucket with Object Lock (it can be switched on later as well) and name it in the rule",
        )
}

/// A restored object.
fn restored(event: ObjectEvent) -> Option<ArchiveEvent> {
    if event.name.replace(':', "") != "ObjectRestoreCompleted" {
        return None;
    }
    let moment = event.sequencer.as_ref().map(|sequencer| sequencer.as_str().to_owned()).or(event.time);
    Some(ArchiveEvent::Restored {
        bucket: event.bucket,
        key: event.key.to_string(),
        identity: [event.version_id.unwrap_or_default(), moment.unwrap_or_default()],
    })
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "archive", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
