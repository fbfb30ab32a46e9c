//! Brings uploads into the attachments of a workflow, and what the workflow decides back to S3.
//!
//! In: an upload becomes an attachment (the document, a shortcut to it, or a reference) of the running workflow of its
//! case; when there is none, the rule's workflow is started, once. Out: when a workflow has ended, its approved output is
//! written to S3 and its inputs are tagged with the decision. Pushes and rounds are hints: the decision is read from the
//! workflow itself, at the beginning and once more at the end. Safe to repeat: an attachment carries a mark, a workflow's
//! title its case and round, and an output its manifest and a marker that is written last.

mod attach;
mod case;
mod complete;
mod deposit;
mod look;
mod package;
mod upload;
mod workflow;

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use shared::{
    content_server::{self, ProcessId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    filing::{self, parts},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    ledger::{Key, Lock},
    node_change::NodeChange,
    s3_notification::{self, Notification, ObjectEvent},
};

use crate::{
    places::Places,
    sides::uploads::TakesUploads,
    staging_rules::{Attachment, SAMPLE, StagingRules},
    uploads::{self, passage::Passage, put_aside},
};

/// What is asked for when a workflow has ended.
pub const COMPLETED: &str = "workflow-completed";
/// What `EventBridge` calls the message of a schedule, which starts a round over the known workflows.
pub const SCHEDULED: &str = "Scheduled Event";
/// How long something whose answer was lost may take to appear, before it is done again.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct StageAttachments {
    content_server: content_server::Client,
    environment: Environment,
    s3: aws_sdk_s3::Client,
    rules: StagingRules,
    places: Places,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageEvent {
    /// An object was uploaded.
    Uploaded(ObjectEvent),
    /// A workflow has ended, somebody says.
    Completed(NodeChange),
    /// It is time to look at the workflows that are known.
    Look(Timestamp),
}

/// The message of a schedule. Its time tells one round from another.
#[derive(Deserialize)]
struct ScheduledMessage {
    #[serde(rename = "detail-type")]
    kind: String,
    time: Timestamp,
}

impl Flow for StageAttachments {
    const NAME: &'static str = "stage-attachments";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer];
    type Event = StageEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = StagingRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        let nowhere = rules.rules.iter().find(|rule| rule.output.bucket.is_none());
        if let Some(rule) = nowhere.filter(|_| environment.settings.content_bucket.is_empty()) {
            let message = format!("the rule {} names no bucket, and neither does the function", rule.name);
            return Err(Error::configuration("rules.no-bucket", message)
                .remedy("set WAYBILL_CONTENT_BUCKET, or `bucket` in the rule's output"));
        }
        Ok(Self {
            content_server: environment.content_server().await?,
            environment: environment.clone(),
            s3: environment.s3.clone(),
            rules,
            places: Places::default(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<StageEvent>> {
        parse(body)
    }

    fn item(&self, event: &StageEvent) -> Item {
        match event {
            StageEvent::Uploaded(upload) => uploads::item(upload),
            StageEvent::Completed(change) => completion_item(change),
            StageEvent::Look(time) => {
                let key = Key::of(&["look", &time.to_string()]);
                Item {
                    payload_hash: key.digest().to_owned(),
                    key,
                    asset: Key::of(&[Self::NAME, "looks"]).digest().to_owned(),
                    asset_text: "the known workflows".to_owned(),
                }
            }
        }
    }

    fn happened(&self, event: &StageEvent) -> Option<i64> {
        match event {
            StageEvent::Uploaded(upload) => upload.happened(),
            StageEvent::Look(time) => Some(time.as_millisecond()),
            StageEvent::Completed(_) => None,
        }
    }

    async fn handle(&self, event: &StageEvent, run: &Run) -> Result<Outcome> {
        let outcome = match event {
            StageEvent::Uploaded(upload) => Box::pin(self.stage(upload, run)).await,
            StageEvent::Completed(change) => Box::pin(self.complete(change, run)).await,
            StageEvent::Look(_) => self.look(run).await,
        };
        match outcome {
            Err(pause) if pause.code() == parts::PAUSED => Ok(Outcome::Continue),
            outcome => outcome,
        }
    }

    async fn put_aside(&self, event: &StageEvent, reason: &Reason, run: &Run) -> Result<serde_json::Value> {
        let (name, source) = match event {
            StageEvent::Uploaded(upload) => {
                return put_aside::quarantine(&self.environment, Self::NAME, upload, reason, run).await;
            }
            StageEvent::Completed(change) => {
                (format!("workflow-{}", change.node), serde_json::json!({ "workflow": change.node }))
            }
            StageEvent::Look(time) => ("look".to_owned(), serde_json::json!({ "time": time })),
        };
        let item = self.item(event);
        shared::reason_file::write(
            &self.environment,
            Self::NAME,
            &item,
            ("content-server", &name, source),
            reason,
            run,
        )
        .await
    }

    async fn abandon(&self, run: &Run) {
        parts::abandon(&self.content_server, run).await;
    }
}

impl TakesUploads for StageAttachments {
    const MADE: &'static str = "attachments and their documents in Content Server";

    fn item_of(&self, upload: &ObjectEvent) -> Item {
        uploads::item(upload)
    }

    fn is_ours(&self, upload: &ObjectEvent) -> bool {
        let is_taken = self.rules.rules.iter().any(|rule| rule.takes(upload.key.as_str()));
        is_taken && self.not_for_us(upload).is_none()
    }

    fn is_reference(&self, rule: &str) -> bool {
        self.rules.rule(rule).is_some_and(|rule| matches!(rule.attachment, Attachment::Reference))
    }

    fn target(&self) -> &content_server::Client {
        &self.content_server
    }
}

impl StageAttachments {
    /// The way of contents in a delivery.
    fn passage<'a>(&'a self, run: &'a Run) -> Passage<'a> {
        let target = filing::Passage { flow: Self::NAME, content_server: &self.content_server, run };
        Passage { target, s3: &self.s3 }
    }

    /// Does something alone: one worker at a time per name. After a lost answer the lock stays for a while, so that
    /// nobody does it again before a slow server had the time to finish.
    async fn alone<T>(
        &self,
        name: &str,
        run: &Run,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let lock: Option<Lock> = run.ledger().lock(Self::NAME, name, run.lease_until()).await?;
        let Some(lock) = lock else {
            return Err(again(
                "stage.busy",
                "something else of this workflow or document is being dealt with",
            ));
        };
        let outcome = work.await;
        run.leave_after(&lock, outcome, SETTLING).await
    }
}

/// Reads a message body: a change or request, a round, or what S3 says.
fn parse(body: &str) -> Result<Parsed<StageEvent>> {
    if let Ok(scheduled) = serde_json::from_str::<ScheduledMessage>(body)
        && scheduled.kind == SCHEDULED
    {
        return Ok(vec![StageEvent::Look(scheduled.time)].into());
    }
    if let Ok(change) = NodeChange::parse(body) {
        return Ok(vec![StageEvent::Completed(change)].into());
    }
    match s3_notification::parse(body)? {
        Notification::Objects(Parsed { events, refused }) => {
            Ok(Parsed { events: events.into_iter().map(StageEvent::Uploaded).collect(), refused })
        }
        Notification::Test => Ok(Parsed::default()),
    }
}

/// The item of a completion is the workflow, and which completion of it.
fn completion_item(change: &NodeChange) -> Item {
    let key = change.key();
    Item {
        payload_hash: key.digest().to_owned(),
        key,
        asset: Key::of(&["content-server workflow", &change.node.to_string()]).digest().to_owned(),
        asset_text: format!("workflow {}", change.node),
    }
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "stage", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}

/// The workflow a change is about.
fn process_of(change: &NodeChange) -> ProcessId {
    ProcessId(change.node)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn uploads_completions_and_rounds_are_told_apart() {
        let upload = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName":
            "ObjectCreated:Put", "s3": {"bucket": {"name": "staging"}, "object": {"key": "a/b+c.pdf"}}}]});
        let push = json!({"specversion": "1.0", "id": "1", "source": "me", "type": shared::node_change::KIND,
            "datacontenttype": "application/json",
            "data": {"node": 77, "change": "requested", "request": COMPLETED}});
        let look = json!({"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events",
            "time": "2031-05-06T07:00:00Z", "resources": [], "detail": {}});
        let event = |body: serde_json::Value| parse(&body.to_string()).unwrap().events.remove(0);
        assert!(matches!(event(upload), StageEvent::Uploaded(upload) if upload.key.as_str() == "a/b c.pdf"));
        assert!(matches!(event(push), StageEvent::Completed(change) if process_of(&change) == ProcessId(77)));
        assert_eq!(event(look), StageEvent::Look("2031-05-06T07:00:00Z".parse().unwrap()));
        assert_eq!(parse("{}").unwrap_err().code(), "event.unreadable");
        assert_eq!(parse(r#"{"Event": "s3:TestEvent"}"#).unwrap(), Parsed::default());
    }
}
