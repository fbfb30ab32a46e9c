//! Brings the approved version of an asset into Content Server: its files, previews and poster, as rules say.
//!
//! Trigger: a hint that an asset was approved (an automation's custom action, a webhook, the sweep). Whatever it says, iconik
//! is asked: which version, whether it is approved, and again at the last moment before each document is made. Only files
//! that are CLOSED are taken; those still being written are waited for.
//!
//! Safe to repeat: one worker at a time works on an asset; what was filed is remembered by asset, version, format and
//! file; every document is marked in the creating call. Progress is a job in iconik that ends in a truthful state; what was
//! filed is told in a metadata field and in the history.

mod deliver;
mod extra;
mod plan;
mod sides;
mod told;

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    content_server,
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    filing::parts,
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    iconik::{self, AssetId},
    iconik_change::IconikChange,
    ledger::{Key, Lock},
    reason_file,
};

pub(crate) use self::sides::connect as connect_sides;
use crate::{
    approval::{self, Standing},
    filing::MediaFiler,
    finals_rules::{FinalsRules, SAMPLE},
    progress::{self, End},
};

/// How long something whose answer was lost may still take effect.
const SETTLING: Duration = Duration::from_secs(90);

/// The flow.
pub struct PublishFinals {
    iconik: iconik::Client,
    content_server: content_server::Client,
    environment: Environment,
    media: MediaFiler,
    rules: FinalsRules,
}

impl Flow for PublishFinals {
    const NAME: &'static str = "publish-finals";
    const SYSTEMS: &'static [System] = &[System::Iconik, System::ContentServer];
    type Event = IconikChange;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = FinalsRules::parse(&text, &name).map_err(|diagnostics| {
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

    fn parse(&self, body: &str) -> Result<Parsed<IconikChange>> {
        IconikChange::parse(body).map(|change| vec![change].into())
    }

    fn item(&self, change: &IconikChange) -> Item {
        let key = change.key();
        Item {
            payload_hash: key.digest().to_owned(),
            key,
            asset: Key::of(&["iconik", &change.object_id]).digest().to_owned(),
            asset_text: format!("iconik {} {}", change.object_type, change.object_id),
        }
    }

    async fn handle(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        run.note("asset", &change.object_id);
        if change.object_type != "assets" {
            return skipped("change.no-asset", "the change is not about an asset");
        }
        if matches!(change.operation.as_deref(), Some("delete" | "purge")) {
            return skipped("asset.gone", "the asset was deleted");
        }
        self.environment.renew_iconik_credential(&self.iconik).await?;
        self.environment.renew_credential(&self.content_server).await?;
        let lock = self.lock(&change.object_id, run).await?;
        let outcome = Box::pin(self.publish(change, run)).await;
        self.leave(&lock, outcome, run).await
    }

    /// Writes the reason where people look; the job in iconik ends as failed. What was filed stays.
    async fn put_aside(&self, change: &IconikChange, reason: &Reason, run: &Run) -> Result<Value> {
        let source = json!({"asset": change.object_id, "version": change.version_id});
        let item = self.item(change);
        let about = ("iconik", change.object_id.as_str(), source);
        let place = reason_file::write(&self.environment, Self::NAME, &item, about, reason, run).await?;
        let end = End::Failed(format!("{} ({})", reason.message, reason.code));
        match progress::end_shown(&self.iconik, run, &end).await {
            Err(error) if is_final(&error) => {
                tracing::warn!(error = ?error, "the job in iconik is not ended")
            }
            outcome => outcome?,
        }
        Ok(place)
    }

    async fn abandon(&self, run: &Run) {
        parts::abandon(&self.content_server, run).await;
        let end = End::Failed("the work was given up; look at the dead letters".to_owned());
        if let Err(error) = progress::end_shown(&self.iconik, run, &end).await {
            tracing::warn!(error = ?error, "the job in iconik is not ended");
        }
    }
}

impl PublishFinals {
    async fn publish(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        let asset = AssetId::new(&change.object_id);
        let standing = approval::standing(&self.iconik, &asset, change.version_id.as_deref()).await?;
        let known = self.media.filer().moment();
        let outcome = match standing {
            Standing::Approved(approved) => {
                run.note("version", approved.version.id.as_str());
                Box::pin(self.deliver(change, &approved, run)).await
            }
            Standing::Not(reason) => match Box::pin(self.finish_earlier(change, run)).await {
                Ok(()) => {
                    self.give_up(&reason, run).await?;
                    return Ok(Outcome::Skipped(reason));
                }
                Err(error) => Err(error),
            },
        };
        match outcome {
            Err(pause) if pause.code() == parts::PAUSED => Ok(Outcome::Continue),
            Err(stop) if deliver::is_stopped(&stop) => {
                let reason = Reason::from(&stop);
                self.give_up(&reason, run).await?;
                Ok(Outcome::Skipped(reason))
            }
            Err(refusal) => Err(self.media.filer().look_anew(refusal, known, run).await),
            outcome => outcome,
        }
    }

    /// Ends the job that an earlier attempt may have shown, when there is nothing to do any more.
    async fn give_up(&self, reason: &Reason, run: &Run) -> Result<()> {
        progress::end_shown(&self.iconik, run, &End::Aborted(reason.message.clone())).await
    }

    /// One worker at a time works on an asset.
    async fn lock(&self, asset: &str, run: &Run) -> Result<Lock> {
        let lock = run.ledger().lock(Self::NAME, asset, run.lease_until()).await?;
        lock.ok_or_else(|| again("finals.busy", "another approval of this asset is being dealt with"))
    }

    /// Gives a lock back; after a request whose answer was lost only when it cannot take effect any more.
    async fn leave(&self, lock: &Lock, outcome: Result<Outcome>, run: &Run) -> Result<Outcome> {
        run.leave_after(lock, outcome, SETTLING).await
    }
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
    Error::new(FailureClass::Transient, System::Waybill, "publish", code, message)
        .retry(Retry::After(Duration::from_secs(5)))
}
