//! Publishes approved documents: a copy of the approved version under a stable key, and links that expire; and takes both
//! back when the approval ends.
//!
//! Trigger: the change feed, the requests `publish`, `withdraw` and `workflow-completed`, an hourly look at what has expired
//! and at workflows that have ended. A message is
//! only a hint: Content Server is asked what is approved now, and what is published is brought into line with it, under
//! a lock, until another look says the same. So messages may come twice and in any order.
//!
//! Safe to repeat: a copy says in its metadata what it is of and is written on the condition that nothing changed
//! under its key; a link whose token was not written down is taken back and issued anew.

mod approval;
mod copies;
mod document;
mod expiry;
mod links;
mod package;
mod publication;
mod settle;
mod sides;
mod standing;
mod workflow;

use std::time::Duration;

use serde_json::json;
use shared::{
    content_server::{self, NodeId},
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    ledger::{Key, Lock},
    links::Links,
    node_change::NodeChange,
    reason_file,
};

pub(crate) use self::sides::connect as connect_sides;
use self::{expiry::Hour, settle::Settled, standing::Unit};
use crate::{
    places::Places,
    publish_rules::{PublishRules, SAMPLE},
};

/// How long a request whose answer was lost may still take effect.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct PublishApproved {
    content_server: content_server::Client,
    environment: Environment,
    s3: aws_sdk_s3::Client,
    links: Links,
    rules: PublishRules,
    places: Places,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishEvent {
    /// A document changed, a workflow has ended, or somebody asks for something.
    Change(NodeChange),
    /// It is time to look for what has expired.
    Hour(Hour),
}

impl Flow for PublishApproved {
    const NAME: &'static str = "publish-approved";
    const SYSTEMS: &'static [System] = &[System::S3, System::ContentServer];
    type Event = PublishEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let flow = Self::new(environment).await?;
        if flow.rules.issues_links() && !environment.settings.link_address.starts_with("http") {
            let message = "a rule has audiences, and the address before their links is not set";
            return Err(Error::configuration("rules.no-link-address", message)
                .remedy("set WAYBILL_LINK_ADDRESS to the output ServeLinksUrl of serve-links"));
        }
        Ok(flow)
    }

    fn parse(&self, body: &str) -> Result<Parsed<PublishEvent>> {
        match Hour::parse(body) {
            Some(hour) => Ok(vec![PublishEvent::Hour(hour)].into()),
            None => NodeChange::parse(body).map(|change| vec![PublishEvent::Change(change)].into()),
        }
    }

    fn item(&self, event: &PublishEvent) -> Item {
        let (key, asset_text) = match event {
            PublishEvent::Change(change) if is_completion(change) => {
                (change.key(), format!("workflow {}", change.node))
            }
            PublishEvent::Change(change) => (change.key(), format!("node {}", change.node)),
            PublishEvent::Hour(hour) => (hour.key(), "expired publications".to_owned()),
        };
        let asset = match event {
            PublishEvent::Change(change) if is_completion(change) => {
                Key::of(&["content-server workflow", &change.node.to_string()]).digest().to_owned()
            }
            PublishEvent::Change(change) => asset(NodeId(change.node)),
            PublishEvent::Hour(_) => Key::of(&[Self::NAME, "expiry"]).digest().to_owned(),
        };
        Item { payload_hash: key.digest().to_owned(), key, asset, asset_text }
    }

    async fn handle(&self, event: &PublishEvent, run: &Run) -> Result<Outcome> {
        let change = match event {
            PublishEvent::Hour(hour) => return self.expire(hour, run).await,
            PublishEvent::Change(change) => change,
        };
        if is_completion(change) {
            run.note("workflow", change.node.to_string());
            self.environment.renew_credential(&self.content_server).await?;
            return self.completed(change, run).await;
        }
        let node = NodeId(change.node);
        run.note("node", node.to_string());
        if !matches!(change.request.as_deref(), None | Some("publish" | "withdraw")) {
            return skipped("request.not-ours", "the request is for another flow");
        }
        self.environment.renew_credential(&self.content_server).await?;
        let unit = Unit::Document(node);
        let lock = self.lock(&unit, run).await?;
        let outcome = self.change(change, &unit, run).await;
        self.leave(&lock, outcome, run).await
    }

    /// Writes the reason where people look. What is published stays as it is.
    async fn put_aside(&self, event: &PublishEvent, reason: &Reason, run: &Run) -> Result<serde_json::Value> {
        let (name, source) = match event {
            PublishEvent::Change(change) => (change.node.to_string(), json!({ "node": change.node })),
            PublishEvent::Hour(_) => ("expiry".to_owned(), json!({ "expiry": true })),
        };
        let item = self.item(event);
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

impl PublishApproved {
    /// The flow, for whoever issues no links.
    async fn new(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = PublishRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        if environment.settings.content_bucket.is_empty() {
            return Err(Error::configuration("rules.no-bucket", "there is no bucket to publish to")
                .remedy("set WAYBILL_CONTENT_BUCKET"));
        }
        Ok(Self {
            content_server: environment.content_server().await?,
            environment: environment.clone(),
            s3: environment.s3.clone(),
            links: Links::new(environment.ledger.clone()),
            rules,
            places: Places::default(),
        })
    }

    /// Brings a document, and the packages it is or was in, into line with Content Server.
    async fn change(&self, change: &NodeChange, unit: &Unit, run: &Run) -> Result<Outcome> {
        if let Some(request) = change.request.as_deref()
            && !run.is_dry()
        {
            self.decide(NodeId(change.node), request, change.version, run).await?;
        }
        let renew = change.request.as_deref() == Some("publish");
        let mut all = match Box::pin(self.settle(unit, renew, run)).await? {
            Settled::Paused => return Ok(Outcome::Continue),
            Settled::Done(done) => vec![*done],
        };
        for package in self.packages_of(NodeId(change.node), run).await? {
            let lock = self.lock(&package, run).await?;
            let outcome = Box::pin(self.settle(&package, renew, run)).await;
            match self.leave(&lock, outcome, run).await? {
                Settled::Paused => return Ok(Outcome::Continue),
                Settled::Done(done) => all.push(*done),
            }
        }
        Ok(settle::outcome(all, run))
    }

    /// One worker at a time works on a publication.
    async fn lock(&self, unit: &Unit, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, &unit.name(), run.lease_until()).await?;
        lock.ok_or_else(|| again("publish.busy", "another change of this publication is being dealt with"))
    }

    /// Gives a lock back; after a request whose answer was lost only when it cannot take effect any more.
    async fn leave<T>(&self, lock: &Lock, outcome: Result<T>, run: &Run) -> Result<T> {
        run.leave_after(lock, outcome, SETTLING).await
    }
}

/// Whether a message says that a workflow has ended: then its number is that of the workflow.
fn is_completion(change: &NodeChange) -> bool {
    change.request.as_deref() == Some(workflow::COMPLETED)
}

/// The asset whose audit chain tells of a node.
fn asset(node: NodeId) -> String {
    Key::of(&["content-server", &node.to_string()]).digest().to_owned()
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "publish", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
