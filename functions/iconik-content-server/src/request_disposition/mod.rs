//! Asks Content Server what is to become of an asset that is no longer used, and does what it decides.
//!
//! Trigger: a hint about the asset (webhook, custom action, sweep), a change of its document, the end of a workflow, a
//! schedule. Whatever it says, the asset's status is read; each status an asset gets has a revision, and each step of its
//! disposition is an item of its own: asset, revision, turn. A step is taken under the asset's lock.
//!
//! Nothing is archived or destroyed but by a permit, and a permit is given immediately before each such call: the decision
//! still stands in Content Server, the status is still the one it was made about, and no hold is in force. iconik does not
//! know of holds, so after the asset went into its recycle bin the holds are looked at once more, and it comes out again.
//!
//! What iconik was asked to archive is archived when iconik says so: the rounds follow it until then.
//!
//! Safe to repeat: the review is started once (its title carries the revision), what is to be destroyed is kept before
//! anything is, and the certificate is found by its name.

mod act;
mod archive;
mod asset;
mod case;
pub mod certificate;
mod certify;
mod destroy;
mod documents;
mod look;
mod permit;
mod report;
mod review;
mod sides;
mod step;
mod turn;

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    content_server,
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    iconik,
    iconik_change::IconikChange,
    ledger::Key,
    node_change::{Change, NodeChange},
    reason_file,
};

use crate::{
    disposition_rules::{DispositionRules, SAMPLE},
    filing::MediaFiler,
};
pub(crate) use case::is_destroyed;
pub(crate) use sides::connect as connect_sides;
pub use step::{STEP, Step};

/// The flow's name, which is also the beginning of its records.
pub(crate) const FLOW: &str = "request-disposition";
/// What `EventBridge` calls the message of a schedule, which starts a round over what is under way.
pub const SCHEDULED: &str = "Scheduled Event";
/// What is asked for when a workflow has ended.
pub const COMPLETED: &str = "workflow-completed";

/// How long something whose answer was lost may still take effect.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct RequestDisposition {
    content_server: content_server::Client,
    iconik: iconik::Client,
    /// What other flows have filed of an asset.
    media: MediaFiler,
    environment: Environment,
    rules: DispositionRules,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DispositionEvent {
    /// iconik, or the sweep over it, says something about an object.
    Asset(IconikChange),
    /// A document changed, or a workflow has ended, somebody says.
    Document(NodeChange),
    /// Something is due.
    Step(Step),
    /// It is time to look at what is under way.
    Look(Timestamp),
}

/// The message of a schedule. Its time tells one round from another.
#[derive(Deserialize)]
struct ScheduledMessage {
    #[serde(rename = "detail-type")]
    kind: String,
    time: Timestamp,
}

impl Flow for RequestDisposition {
    const NAME: &'static str = FLOW;
    const SYSTEMS: &'static [System] = &[System::Iconik, System::ContentServer];
    type Event = DispositionEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = DispositionRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        let (iconik, content_server) = (environment.iconik().await?, environment.content_server().await?);
        Ok(Self {
            media: MediaFiler::new(FLOW, iconik.clone(), content_server.clone()),
            content_server,
            iconik,
            environment: environment.clone(),
            rules,
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<DispositionEvent>> {
        parse(body)
    }

    fn item(&self, event: &DispositionEvent) -> Item {
        let (key, asset, asset_text) = match event {
            DispositionEvent::Asset(change) => {
                (change.key(), chain_of(&change.object_id), format!("asset {}", change.object_id))
            }
            DispositionEvent::Step(step) => {
                (step.key(), chain_of(&step.asset), format!("asset {}", step.asset))
            }
            DispositionEvent::Document(change) => {
                let node = change.node.to_string();
                (change.key(), Key::of(&["content-server", &node]), format!("node {node}"))
            }
            DispositionEvent::Look(time) => {
                let key = Key::of(&["look", &time.to_string()]);
                (key, Key::of(&[FLOW, "looks"]), "the dispositions under way".to_owned())
            }
        };
        Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
    }

    fn happened(&self, event: &DispositionEvent) -> Option<i64> {
        match event {
            DispositionEvent::Look(time) => Some(time.as_millisecond()),
            _ => None,
        }
    }

    async fn handle(&self, event: &DispositionEvent, run: &Run) -> Result<Outcome> {
        self.environment.renew_credential(&self.content_server).await?;
        self.environment.renew_iconik_credential(&self.iconik).await?;
        match event {
            DispositionEvent::Asset(change) => self.hear(change, run).await,
            DispositionEvent::Document(change) => self.hear_of_document(change, run).await,
            DispositionEvent::Step(step) => Box::pin(self.take(step, run)).await,
            DispositionEvent::Look(_) => self.look(run).await,
        }
    }

    /// Writes the reason where people look. Both sides stay as they are.
    async fn put_aside(&self, event: &DispositionEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let item = self.item(event);
        let (name, source) = match event {
            DispositionEvent::Asset(change) => {
                (change.object_id.clone(), json!({ "asset": change.object_id }))
            }
            DispositionEvent::Step(step) => {
                (step.asset.clone(), json!({ "asset": step.asset, "revision": step.revision }))
            }
            DispositionEvent::Document(change) => (change.node.to_string(), json!({ "node": change.node })),
            DispositionEvent::Look(time) => ("look".to_owned(), json!({ "time": time })),
        };
        reason_file::write(&self.environment, FLOW, &item, ("iconik", &name, source), reason, run).await
    }
}

impl RequestDisposition {
    /// iconik says something about an asset: if its status asks for a decision, that is a step of its own.
    async fn hear(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        if change.object_type != "assets" {
            return skipped("disposition.no-asset", "it is about something else than an asset");
        }
        let asset = match self.asset(&change.object_id).await? {
            Ok(asset) => asset,
            Err(reason) => return Ok(Outcome::Skipped(reason)),
        };
        if run.is_dry() {
            let rule = self.rules.choose(&asset.status, asset.category.as_deref());
            run.note("rule", rule.map_or("none", |rule| rule.name.as_str()));
            return skipped("dry-run", "nothing is asked for in a dry run");
        }
        let revision = case::revision_of(run.ledger(), &asset.id, &asset.status).await?;
        let kept = case::case_of(run.ledger(), &asset.id).await?;
        // What was asked for another status is withdrawn, whatever the status is now.
        if let Some(open) = kept.case.filter(|case| !case.is_closed() && case.revision != revision) {
            let news = step::WITHDRAWN.to_owned();
            let step = Step { asset: open.asset, revision: open.revision, turn: open.turn + 1, news };
            self.tell(&step, run).await?;
        }
        if self.rules.choose(&asset.status, asset.category.as_deref()).is_none() {
            return skipped("disposition.not-due", "the asset's status asks for no decision");
        }
        let news = step::REQUESTED.to_owned();
        self.tell(&Step { asset: asset.id, revision, turn: 0, news }, run).await?;
        run.note("revision", revision.to_string());
        skipped("disposition.told", "the status asks for a decision, which is an item of its own")
    }

    /// A document changed, or a workflow has ended: if its disposition is under way, there may be news.
    async fn hear_of_document(&self, change: &NodeChange, run: &Run) -> Result<Outcome> {
        match (change.change, change.request.as_deref()) {
            (Change::Removed, _) => return skipped("change.removed", "the document is not there any more"),
            (_, None | Some(COMPLETED)) => {}
            (_, Some(_)) => return skipped("request.not-ours", "the request is for another flow"),
        }
        let Some(asset) = case::asset_of(run.ledger(), change.node).await? else {
            return skipped("disposition.not-asked", "no disposition of it is under way");
        };
        match self.look_at(&asset, run).await? {
            true => skipped("disposition.told", "there is news, which is an item of its own"),
            false => skipped("disposition.no-news", "its disposition has come no further"),
        }
    }

    /// Sends a step to the flow's own queue. One that is sent twice is the same item.
    async fn tell(&self, step: &Step, run: &Run) -> Result<()> {
        let body = step.change()?.envelope(FLOW, FLOW, run.context())?;
        self.environment.send_to_own_queue("tell of step", body, 0).await
    }
}

/// Reads a message body: a step or hint, a change in Content Server, or a round.
fn parse(body: &str) -> Result<Parsed<DispositionEvent>> {
    if let Ok(scheduled) = serde_json::from_str::<ScheduledMessage>(body)
        && scheduled.kind == SCHEDULED
    {
        return Ok(vec![DispositionEvent::Look(scheduled.time)].into());
    }
    if let Ok(change) = NodeChange::parse(body) {
        return Ok(vec![DispositionEvent::Document(change)].into());
    }
    let change = IconikChange::parse(body)?;
    let event = match Step::of(&change) {
        Some(step) => DispositionEvent::Step(step),
        None => DispositionEvent::Asset(change),
    };
    Ok(vec![event].into())
}

/// The audit chain of an asset.
pub(crate) fn chain_of(asset: &str) -> Key {
    Key::of(&["iconik", asset])
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "request disposition", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(body: &str) -> DispositionEvent {
        parse(body).unwrap().events.remove(0)
    }

    #[test]
    fn hints_steps_changes_and_rounds_are_told_apart() {
        let context = shared::context::Context::system();
        let step = Step { asset: "a-1".into(), revision: 3, turn: 1, news: "released".into() };
        let body = step.change().unwrap().envelope(FLOW, FLOW, &context).unwrap();
        assert_eq!(event(&body), DispositionEvent::Step(step));
        let hint = IconikChange {
            realm: Some("metadata".into()),
            operation: Some("update".into()),
            ..IconikChange::about("assets", "a-1", None, "1")
        };
        let body = hint.envelope("receive-iconik/status", FLOW, &context).unwrap();
        assert_eq!(event(&body), DispositionEvent::Asset(hint));
        let look = json!({"version": "0", "detail-type": SCHEDULED, "time": "2031-05-06T07:00:00Z"});
        let time = "2031-05-06T07:00:00Z".parse().unwrap();
        assert_eq!(event(&look.to_string()), DispositionEvent::Look(time));
        assert_eq!(parse("{}").unwrap_err().code(), "event.not-a-change");
    }

    #[test]
    fn a_step_is_one_item_however_often_it_is_told_and_another_one_for_other_news() {
        let step = |turn, news: &str| Step { asset: "a-1".into(), revision: 3, turn, news: news.into() };
        assert_eq!(step(0, "requested").key(), step(0, "requested").key());
        assert_ne!(step(0, "requested").key(), step(1, "requested").key());
        assert_ne!(step(1, "released").key(), step(1, "Destroy").key());
    }
}
