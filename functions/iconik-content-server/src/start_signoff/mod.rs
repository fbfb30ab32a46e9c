//! Has approved versions of iconik signed off by a workflow of Content Server, and shows in iconik how that goes.
//!
//! Trigger: a hint that a review changed (an automation, the sweep), a push that a workflow moved, and a round over the
//! workflows that run. Whatever they say, the review and the workflow are read. An approved review starts the workflow of
//! its rule, once; each step and the decision are told in iconik under the names of the people who took them, and never as a
//! verdict; a review that is no longer approved ends its workflow. Safe to repeat: one worker at a time per asset; a
//! workflow's title says which version and round it is, and who starts it is written down before; what iconik is told
//! carries an id or words of its own and is looked for first.

mod document;
mod follow;
mod look;
mod memory;
mod review;
mod sentences;
mod sides;
mod start;
mod tell;
mod withdraw;

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    content_server::{self, ProcessId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    iconik,
    iconik_change::IconikChange,
    ledger::{Key, Lock},
    node_change::NodeChange,
    reason_file,
};

pub(crate) use self::sides::connect as connect_sides;
use crate::signoff_rules::{SAMPLE, SignoffRules};

/// What is asked for when a workflow has ended, or one of its steps.
pub const COMPLETED: &str = "workflow-completed";
/// The name of the custom action by which people have a version signed off anew after a rejection.
pub const RESUBMIT: &str = "resubmit-signoff";
/// What `EventBridge` calls the message of a schedule, which starts a round over the workflows that run.
pub const SCHEDULED: &str = "Scheduled Event";
/// How long something whose answer was lost may take to appear, before it is done again.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct StartSignoff {
    content_server: content_server::Client,
    iconik: iconik::Client,
    environment: Environment,
    rules: SignoffRules,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignoffEvent {
    /// The review of an asset changed, somebody says.
    Reviewed(IconikChange),
    /// A workflow moved, somebody says.
    Moved(NodeChange),
    /// It is time to look at the workflows that run.
    Look(Timestamp),
}

/// The message of a schedule. Its time tells one round from another.
#[derive(Deserialize)]
struct ScheduledMessage {
    #[serde(rename = "detail-type")]
    kind: String,
    time: Timestamp,
}

impl Flow for StartSignoff {
    const NAME: &'static str = "start-signoff";
    const SYSTEMS: &'static [System] = &[System::Iconik, System::ContentServer];
    type Event = SignoffEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = SignoffRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        Ok(Self {
            content_server: environment.content_server().await?,
            iconik: environment.iconik().await?,
            environment: environment.clone(),
            rules,
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<SignoffEvent>> {
        parse(body)
    }

    fn item(&self, event: &SignoffEvent) -> Item {
        item(event)
    }

    fn happened(&self, event: &SignoffEvent) -> Option<i64> {
        match event {
            SignoffEvent::Look(time) => Some(time.as_millisecond()),
            SignoffEvent::Reviewed(_) | SignoffEvent::Moved(_) => None,
        }
    }

    async fn handle(&self, event: &SignoffEvent, run: &Run) -> Result<Outcome> {
        self.environment.renew_credential(&self.content_server).await?;
        self.environment.renew_iconik_credential(&self.iconik).await?;
        match event {
            SignoffEvent::Reviewed(change) => Box::pin(self.reviewed(change, run)).await,
            SignoffEvent::Moved(change) => Box::pin(self.moved(change, run)).await,
            SignoffEvent::Look(_) => Box::pin(self.look(run)).await,
        }
    }

    /// Writes the reason where people look. Both sides stay as they are.
    async fn put_aside(&self, event: &SignoffEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let (name, source) = match event {
            SignoffEvent::Reviewed(change) => {
                let source = json!({"asset": change.object_id, "version": change.version_id});
                (change.object_id.clone(), source)
            }
            SignoffEvent::Moved(change) => {
                (format!("workflow-{}", change.node), json!({ "workflow": change.node }))
            }
            SignoffEvent::Look(time) => ("look".to_owned(), json!({ "time": time })),
        };
        reason_file::write(
            &self.environment,
            Self::NAME,
            &item(event),
            ("iconik", &name, source),
            reason,
            run,
        )
        .await
    }
}

impl StartSignoff {
    /// What follows from a workflow that moved.
    async fn moved(&self, change: &NodeChange, run: &Run) -> Result<Outcome> {
        if change.request.as_deref() != Some(COMPLETED) {
            return skipped("request.not-ours", "the request is for another flow");
        }
        let process = ProcessId(change.node);
        run.note("workflow", process.0.to_string());
        let Some(workflow) = self.workflow(process).await? else {
            return skipped("workflow.not-ours", "this flow has not started the workflow");
        };
        run.note("asset", workflow.asset.as_str());
        let work = Box::pin(self.moved_alone(process, run));
        self.alone(workflow.asset.as_str(), run, work).await
    }

    /// Does something about an asset alone. After a lost answer the lock stays for a while, so that nobody does it again
    /// before a slow server had the time to finish.
    async fn alone<T>(
        &self,
        asset: &str,
        run: &Run,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let name = format!("asset-{asset}");
        let lock: Option<Lock> = run.ledger().lock(Self::NAME, &name, run.lease_until()).await?;
        let Some(lock) = lock else {
            return Err(again("signoff.busy", "something else about this asset is being dealt with"));
        };
        let outcome = work.await;
        run.leave_after(&lock, outcome, SETTLING).await
    }
}

/// Reads a message body: what is said of an asset or a workflow, or a round.
fn parse(body: &str) -> Result<Parsed<SignoffEvent>> {
    if let Ok(scheduled) = serde_json::from_str::<ScheduledMessage>(body)
        && scheduled.kind == SCHEDULED
    {
        return Ok(vec![SignoffEvent::Look(scheduled.time)].into());
    }
    if let Ok(change) = NodeChange::parse(body) {
        return Ok(vec![SignoffEvent::Moved(change)].into());
    }
    IconikChange::parse(body).map(|change| vec![SignoffEvent::Reviewed(change)].into())
}

fn item(event: &SignoffEvent) -> Item {
    let (key, asset, asset_text) = match event {
        SignoffEvent::Reviewed(change) => (
            change.key(),
            Key::of(&["iconik", &change.object_id]),
            format!("{} {}", change.object_type, change.object_id),
        ),
        SignoffEvent::Moved(change) => (
            change.key(),
            Key::of(&["content-server workflow", &change.node.to_string()]),
            format!("workflow {}", change.node),
        ),
        SignoffEvent::Look(time) => (
            Key::of(&["look", &time.to_string()]),
            Key::of(&[StartSignoff::NAME, "looks"]),
            "the workflows that run".to_owned(),
        ),
    };
    Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "sign off", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}

#[cfg(test)]
mod tests {
    use shared::context::Context;

    use super::*;

    #[test]
    fn hints_pushes_and_rounds_are_told_apart() {
        let context = Context::system();
        let hint =
            IconikChange::about("assets", "0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02", Some("signoff"), "1");
        let push = NodeChange::about(77, Some(COMPLETED), "");
        let look = json!({"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events",
            "time": "2031-05-06T07:00:00Z", "resources": [], "detail": {}});
        let event = |body: &str| parse(body).unwrap().events.remove(0);
        let hinted = hint.envelope("receive-iconik/signoff", StartSignoff::NAME, &context).unwrap();
        assert_eq!(event(&hinted), SignoffEvent::Reviewed(hint));
        let pushed = push.envelope("watch-content-server", StartSignoff::NAME, &context).unwrap();
        assert_eq!(event(&pushed), SignoffEvent::Moved(push));
        assert_eq!(event(&look.to_string()), SignoffEvent::Look("2031-05-06T07:00:00Z".parse().unwrap()));
        assert_eq!(parse("{}").unwrap_err().code(), "event.not-a-change");
    }
}
