//! Files the rights of approved assets beside their final media: a statement made of metadata, releases and licences that
//! are related to the asset. Says on the final what is filed, and lets people use it as long as the rights last.
//!
//! Trigger: a hint that an asset was approved, that its metadata changed or a release was related to it; a schedule. Whatever
//! it says, iconik is asked. What is filed is told by asset, version and revision: one more than before whenever anything
//! that the rules read has changed. A hint about a release is one about every asset that refers to it.
//!
//! When a last day is over, access is narrowed first of all, then somebody gets a task, then the rest is brought into line.
//!
//! Safe to repeat: one worker at a time works on an asset; documents are marked in the creating call; a task's title says
//! what it is about, and who starts it is written down before; what iconik is told is kept until it has been told.

mod case;
mod compared;
mod final_media;
mod look;
mod releases;
mod rights;
mod settle;
mod shown;
mod sides;
mod statement;
mod task;

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    content_server,
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    filing::Filer,
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    iconik,
    iconik_change::IconikChange,
    ledger::{Key, Lock},
    reason_file,
};

pub(crate) use self::sides::connect as connect_sides;
use crate::{
    filing::MediaFiler,
    rights_rules::{RightsRules, SAMPLE},
};

/// What `EventBridge` calls the message of a schedule, which starts a round over the last days.
pub const SCHEDULED: &str = "Scheduled Event";
/// What a round asks for about an asset whose rights have a last day that is over.
const DUE: &str = "rights-due";
/// What a hint about a release asks for about an asset that refers to it.
const RELEASED: &str = "rights-release";
/// How long something whose answer was lost may still take effect.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct FileRights {
    iconik: iconik::Client,
    content_server: content_server::Client,
    environment: Environment,
    media: MediaFiler,
    rules: RightsRules,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RightsEvent {
    /// Something about an object changed, somebody says.
    Changed(IconikChange),
    /// It is time to look at the last days.
    Look(Timestamp),
}

/// The message of a schedule. Its time tells one round from another.
#[derive(Deserialize)]
struct ScheduledMessage {
    #[serde(rename = "detail-type")]
    kind: String,
    time: Timestamp,
}

impl Flow for FileRights {
    const NAME: &'static str = "file-rights";
    const SYSTEMS: &'static [System] = &[System::Iconik, System::ContentServer];
    type Event = RightsEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = RightsRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        let (iconik, content_server) = (environment.iconik().await?, environment.content_server().await?);
        Ok(Self {
            media: MediaFiler::new(Self::NAME, iconik.clone(), content_server.clone()),
            iconik,
            content_server,
            environment: environment.clone(),
            rules,
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<RightsEvent>> {
        parse(body)
    }

    fn item(&self, event: &RightsEvent) -> Item {
        let (key, asset, asset_text) = match event {
            RightsEvent::Changed(change) => (
                change.key(),
                Key::of(&["iconik", &change.object_id]),
                format!("iconik {} {}", change.object_type, change.object_id),
            ),
            RightsEvent::Look(time) => (
                Key::of(&["look", &time.to_string()]),
                Key::of(&[Self::NAME, "looks"]),
                "the last days of rights".to_owned(),
            ),
        };
        Item { payload_hash: key.digest().to_owned(), key, asset: asset.digest().to_owned(), asset_text }
    }

    fn happened(&self, event: &RightsEvent) -> Option<i64> {
        match event {
            RightsEvent::Look(time) => Some(time.as_millisecond()),
            RightsEvent::Changed(_) => None,
        }
    }

    async fn handle(&self, event: &RightsEvent, run: &Run) -> Result<Outcome> {
        let change = match event {
            RightsEvent::Look(_) => return self.look(run).await,
            RightsEvent::Changed(change) => change,
        };
        run.note("asset", &change.object_id);
        if change.object_type != "assets" {
            return skipped("change.no-asset", "the change is not about an asset");
        }
        self.environment.renew_iconik_credential(&self.iconik).await?;
        self.environment.renew_credential(&self.content_server).await?;
        let lock = self.lock(&change.object_id, run).await?;
        let outcome = Box::pin(self.settle(change, run)).await;
        run.leave_after(&lock, outcome, SETTLING).await
    }

    /// Writes the reason where people look. What was filed stays, and who may use it.
    async fn put_aside(&self, event: &RightsEvent, reason: &Reason, run: &Run) -> Result<Value> {
        let (name, source) = match event {
            RightsEvent::Changed(change) => {
                (change.object_id.clone(), json!({"asset": change.object_id, "version": change.version_id}))
            }
            RightsEvent::Look(time) => ("look".to_owned(), json!({ "time": time })),
        };
        let item = self.item(event);
        reason_file::write(&self.environment, Self::NAME, &item, ("iconik", &name, source), reason, run).await
    }
}

impl FileRights {
    fn filer(&self) -> &Filer {
        self.media.filer()
    }

    /// One worker at a time works on an asset.
    async fn lock(&self, asset: &str, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, &format!("asset-{asset}"), run.lease_until()).await?;
        lock.ok_or_else(|| again("rights.busy", "another change of this asset's rights is being dealt with"))
    }

    /// Sends a hint to the flow's own queue. One that is sent twice is the same item.
    async fn tell(&self, asset: &str, request: &str, occasion: String, run: &Run) -> Result<()> {
        let change = IconikChange::about("assets", asset, Some(request), occasion);
        let body = change.envelope(Self::NAME, Self::NAME, run.context())?;
        self.environment.send_to_own_queue("tell of rights", body, 0).await
    }
}

/// Reads a message body: a hint, or a round.
fn parse(body: &str) -> Result<Parsed<RightsEvent>> {
    if let Ok(scheduled) = serde_json::from_str::<ScheduledMessage>(body)
        && scheduled.kind == SCHEDULED
    {
        return Ok(vec![RightsEvent::Look(scheduled.time)].into());
    }
    IconikChange::parse(body).map(|change| vec![RightsEvent::Changed(change)].into())
}

/// Whether trying again gives the same answer.
fn is_final(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Gone | FailureClass::Forbidden | FailureClass::Invalid)
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "file rights", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}

/// A text that people wrote, inside a sentence: on one line, and without what would turn round what stands beside it.
fn plain(text: &str) -> String {
    let turns = |character: char| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|character| !character.is_control() && !turns(*character)).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_and_rounds_are_told_apart() {
        let context = shared::context::Context::system();
        let hint = IconikChange {
            realm: Some("metadata".into()),
            operation: Some("update".into()),
            ..IconikChange::about("assets", "0f3c1a52-6b1e-11ef-8f5e-0a58a9feac02", None, "1")
        };
        let body = hint.envelope("receive-iconik/rights", FileRights::NAME, &context).unwrap();
        assert_eq!(parse(&body).unwrap().events, [RightsEvent::Changed(hint)]);
        let look = json!({"version": "0", "detail-type": SCHEDULED, "time": "2031-05-06T07:00:00Z"});
        let time = "2031-05-06T07:00:00Z".parse().unwrap();
        assert_eq!(parse(&look.to_string()).unwrap().events, [RightsEvent::Look(time)]);
        assert_eq!(parse("{}").unwrap_err().code(), "event.not-a-change");
    }

    #[test]
    fn what_people_wrote_turns_nothing_round() {
        assert_eq!(plain("Talent\u{202e} release\n(ヨコハマ)"), "Talent release(ヨコハマ)");
    }
}
