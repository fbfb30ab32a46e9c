//! Copies the content of documents to S3, version by version, and by policy leaves a pointer in Content Server;
//! brings it back when somebody asks.
//!
//! Trigger: the change feed, a request `recall`, S3 saying that an archived copy has been restored, or a schedule's sweep
//! of what was left for later. Safe to repeat: a copy is vouched for by its description, a pointer and a recalled version
//! carry a mark by which they are found, a recall is noted before it acts, so that an offload from before it cannot undo
//! it, and content is reduced only under a permit that is asked for immediately before ([`content_server::Reduction`]).

mod external_content;
mod later;
mod offload;
pub(crate) mod pointer;
mod recall;
mod selection;
mod sides;

use std::time::Duration;

use serde_json::json;
use shared::{
    content_server::{self, NodeId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    ledger::{Key, Lock},
    node_change::{Change, NodeChange},
    reason_file,
    s3_notification::{self, Notification, ObjectEvent},
};

use crate::{
    offload_rules::{OffloadRules, SAMPLE},
    places::Places,
};

pub(crate) use self::sides::connect as connect_sides;

/// How long a version whose answer was lost may take to appear, before it is added again.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct OffloadContent {
    content_server: content_server::Client,
    environment: Environment,
    s3: aws_sdk_s3::Client,
    rules: OffloadRules,
    places: Places,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OffloadEvent {
    /// A document changed, or somebody asks for its content.
    Change(NodeChange),
    /// S3 has restored an archived copy.
    Restored {
        /// The document the copy is of.
        node: i64,
        /// Bucket, key, version and the event's own time or sequencer.
        identity: [String; 4],
    },
    /// The hour has come to look again at what was left for later.
    Sweep {
        /// The schedule's event.
        id: String,
    },
}

impl OffloadEvent {
    /// The document; none for a sweep.
    fn node(&self) -> Option<NodeId> {
        match self {
            Self::Change(change) => Some(NodeId(change.node)),
            Self::Restored { node, .. } => Some(NodeId(*node)),
            Self::Sweep { .. } => None,
        }
    }
}

impl Flow for OffloadContent {
    const NAME: &'static str = "offload-content";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer];
    type Event = OffloadEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = OffloadRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        let nowhere = rules.rules.iter().find(|rule| rule.bucket.is_none());
        if let Some(rule) = nowhere.filter(|_| environment.settings.content_bucket.is_empty()) {
            let message = format!("the rule {} names no bucket, and neither does the function", rule.name);
            return Err(Error::configuration("rules.no-bucket", message)
                .remedy("set WAYBILL_CONTENT_BUCKET, or `bucket` in the rule"));
        }
        Ok(Self {
            content_server: environment.content_server().await?,
            environment: environment.clone(),
            s3: environment.s3.clone(),
            rules,
            places: Places::default(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<OffloadEvent>> {
        if let Some(id) = scheduled(body) {
            return Ok(vec![OffloadEvent::Sweep { id }].into());
        }
        match s3_notification::parse(body) {
            Ok(Notification::Objects(Parsed { events, refused })) => {
                Ok(Parsed { events: events.into_iter().filter_map(restored).collect(), refused })
            }
            Ok(Notification::Test) => Ok(Parsed::default()),
            Err(_) => NodeChange::parse(body).map(|change| vec![OffloadEvent::Change(change)].into()),
        }
    }

    fn item(&self, event: &OffloadEvent) -> Item {
        let key = match event {
            OffloadEvent::Change(change) => change.key(),
            OffloadEvent::Restored { identity: [bucket, key, version, moment], .. } => {
                Key::of(&["restored", bucket, key, version, moment])
            }
            OffloadEvent::Sweep { id } => Key::of(&["sweep", id]),
        };
        let (asset, asset_text) = match event.node() {
            Some(node) => (Key::of(&["content-server", &node.to_string()]), format!("node {node}")),
            None => (Key::of(&[Self::NAME, "sweep"]), "sweep".to_owned()),
        };
        Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
    }

    async fn handle(&self, event: &OffloadEvent, run: &Run) -> Result<Outcome> {
        let Some(node) = event.node() else { return self.sweep(run).await };
        run.note("node", node.to_string());
        let is_asked_for = matches!(event, OffloadEvent::Change(change) if change.request.is_some());
        let recalls = match event {
            OffloadEvent::Change(change) => match (change.change, change.request.as_deref()) {
                (Change::Removed, _) => {
                    return skipped("change.removed", "the document is not there any more");
                }
                (_, None | Some("offload")) => false,
                (_, Some("recall")) => true,
                (_, Some(_)) => return skipped("request.not-ours", "the request is for another flow"),
            },
            OffloadEvent::Restored { .. } | OffloadEvent::Sweep { .. } => true,
        };
        self.environment.renew_credential(&self.content_server).await?;
        let lock = self.lock(node, run).await?;
        let outcome =
            if recalls { self.recall(node, run).await } else { self.offload(node, is_asked_for, run).await };
        // A slow server may add the version yet. Nobody adds another one before it had the time to.
        run.leave_after(&lock, outcome, SETTLING).await
    }

    /// Writes the reason where people look. The document stays as it is.
    async fn put_aside(&self, event: &OffloadEvent, reason: &Reason, run: &Run) -> Result<serde_json::Value> {
        let item = self.item(event);
        let name = event.node().map_or_else(|| "sweep".to_owned(), |node| node.to_string());
        let source = ("content-server", name.as_str(), json!({ "node": event.node() }));
        reason_file::write(&self.environment, Self::NAME, &item, source, reason, run).await
    }
}

impl OffloadContent {
    /// One worker at a time changes a document.
    async fn lock(&self, node: NodeId, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, &format!("node-{node}"), run.lease_until()).await?;
        lock.ok_or_else(|| again("offload.busy", "another change of this document is being dealt with"))
    }
}

/// A restored copy, by the place of it: `…/<node>/<version>/<name>`.
fn restored(event: ObjectEvent) -> Option<OffloadEvent> {
    if event.name.replace(':', "") != "ObjectRestoreCompleted" {
        return None;
    }
    let node = event.key.as_str().rsplit('/').nth(2)?.parse().ok()?;
    let moment = event.sequencer.as_ref().map(|sequencer| sequencer.as_str().to_owned()).or(event.time);
    Some(OffloadEvent::Restored {
        node,
        identity: [
            event.bucket,
            event.key.to_string(),
            event.version_id.unwrap_or_default(),
            moment.unwrap_or_default(),
        ],
    })
}

/// The id of a schedule's event.
fn scheduled(body: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(body).ok()?;
    (event.get("detail-type")?.as_str()? == "Scheduled Event").then_some(())?;
    event.get("id")?.as_str().map(str::to_owned)
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "offload", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(name: &str, key: &str) -> Vec<OffloadEvent> {
        let body = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
            "eventTime": "2031-05-06T07:08:09.000Z",
            "s3": {"bucket": {"name": "content"}, "object": {"key": key, "versionId": "v7"}}}]});
        match s3_notification::parse(&body.to_string()).unwrap() {
            Notification::Objects(parsed) => parsed.events.into_iter().filter_map(restored).collect(),
            Notification::Test => panic!("a test event"),
        }
    }

    #[test]
    fn a_restored_copy_names_its_document_and_other_events_of_the_bucket_are_nothing_to_us() {
        let found = events("ObjectRestore:Completed", "kept/of/4711/3/Plan+of+1887.tif");
        let [OffloadEvent::Restored { node, identity }] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(*node, 4711);
        assert_eq!(identity[1..], ["kept/of/4711/3/Plan of 1887.tif", "v7", "2031-05-06T07:08:09.000Z"]);
        assert_eq!(events("ObjectRestore:Post", "kept/4711/3/a.tif"), []);
        assert_eq!(events("ObjectCreated:Put", "kept/4711/3/a.tif"), []);
        assert_eq!(events("ObjectRestore:Completed", "somewhere/else.tif"), []);
    }
}
