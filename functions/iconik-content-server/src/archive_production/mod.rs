//! Packages a closed production into Content Server: final masters, source references, approvals, comments and a summary
//! for people and machines; verifies that it is complete, and says so in iconik.
//!
//! Trigger: a change of a collection, or of something in it, told by iconik or the sweep; a person's request; a schedule
//! that looks again at packages that wait. Safe to repeat: a package belongs to a collection and its closing, whoever
//! works at it, one at a time. Every document carries a mark of what it was made of, and is looked for by it; how far the
//! package is stands beside it, not beside the message. What is missing or unfinished holds it, by name. Nothing is
//! deleted or moved on either side.

mod closing;
mod confirm;
mod facts;
mod file;
mod filed;
mod held;
mod pack;
mod packaged;
mod read;
mod records;
mod select;
#[cfg(test)]
mod select_tests;
mod sides;
pub mod summary;
mod tell;
mod tree;
mod work;

use std::time::Duration;

use serde_json::json;
use shared::{
    environment::Environment,
    error::{Error, FailureClass, Result, Retry, System},
    filing::{Filer, parts},
    flow::{Flow, Item, Outcome, Parsed, Reason, Run},
    iconik::{self, AssetId, AssetStatus, CollectionId, ObjectRef},
    iconik_change::IconikChange,
    ledger::Key,
    reason_file,
};

pub(crate) use self::sides::connect as connect_sides;
use crate::{
    production_rules::{ProductionRules, SAMPLE},
    progress::{self, End},
};
use closing::Known;
use held::Round;

/// The flow.
pub struct ArchiveProduction {
    iconik: iconik::Client,
    filer: Filer,
    environment: Environment,
    rules: ProductionRules,
    views: Known,
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductionEvent {
    /// Something about a collection or an asset, or a request.
    Change(IconikChange),
    /// It is time to look again at packages that wait.
    Round(Round),
}

impl Flow for ArchiveProduction {
    const NAME: &'static str = "archive-production";
    const SYSTEMS: &'static [System] = &[System::Iconik, System::ContentServer];
    type Event = ProductionEvent;

    async fn connect(environment: &Environment) -> Result<Self> {
        let (text, name) = environment.rules_or(SAMPLE).await?;
        let rules = ProductionRules::parse(&text, &name).map_err(|diagnostics| {
            Error::configuration("rules.invalid", diagnostics.to_string())
                .remedy("correct the lines named above")
        })?;
        if environment.settings.content_bucket.is_empty() {
            let message = "there is no bucket for what is known of a package while it is made";
            return Err(Error::configuration("rules.no-bucket", message).remedy("set WAYBILL_CONTENT_BUCKET"));
        }
        Ok(Self {
            iconik: environment.iconik().await?,
            filer: Filer::new(Self::NAME, environment.content_server().await?),
            environment: environment.clone(),
            rules,
            views: Known::default(),
        })
    }

    fn parse(&self, body: &str) -> Result<Parsed<ProductionEvent>> {
        match Round::parse(body) {
            Some(round) => Ok(vec![ProductionEvent::Round(round)].into()),
            None => IconikChange::parse(body).map(|change| vec![ProductionEvent::Change(change)].into()),
        }
    }

    fn item(&self, event: &ProductionEvent) -> Item {
        let (key, asset, text) = match event {
            ProductionEvent::Change(change) => (
                change.key(),
                Key::of(&["iconik", &change.object_type, &change.object_id]),
                format!("{} {}", change.object_type, change.object_id),
            ),
            ProductionEvent::Round(round) => {
                (round.key(), Key::of(&[Self::NAME, "round"]), "packages that wait".to_owned())
            }
        };
        Item {
            payload_hash: key.digest().to_owned(),
            key,
            asset: asset.digest().to_owned(),
            asset_text: text,
        }
    }

    async fn handle(&self, event: &ProductionEvent, run: &Run) -> Result<Outcome> {
        let change = match event {
            ProductionEvent::Round(round) => return self.round(round, run).await,
            ProductionEvent::Change(change) => change,
        };
        if !matches!(change.request.as_deref(), None | Some("archive")) {
            return skipped("request.not-ours", "the request is for another flow");
        }
        self.environment.renew_iconik_credential(&self.iconik).await?;
        self.environment.renew_credential(self.filer.content_server()).await?;
        let known = self.filer.moment();
        let outcome = match change.object_type.as_str() {
            "collections" => Box::pin(self.of_collection(change, run)).await,
            "assets" => Box::pin(self.of_asset(change, run)).await,
            _ => skipped("change.not-ours", "it is neither a collection nor an asset"),
        };
        match outcome {
            Err(error) if error.code() == parts::PAUSED => Ok(Outcome::Continue),
            Err(error) if error.code() == progress::ABORTED => {
                let end = End::Aborted("stopped, as somebody wanted; what was filed stays".to_owned());
                progress::end_shown(&self.iconik, run, &end).await?;
                skipped("package.aborted", "somebody stopped the job in iconik; what was filed stays")
            }
            Err(error) => Err(self.filer.look_anew(error, known, run).await),
            outcome => outcome,
        }
    }

    /// Writes the reason where people look, and ends the job truthfully. What was filed stays.
    async fn put_aside(
        &self,
        event: &ProductionEvent,
        reason: &Reason,
        run: &Run,
    ) -> Result<serde_json::Value> {
        let end = End::Failed(summary::plain(&reason.message));
        progress::end_shown(&self.iconik, run, &end).await?;
        let (name, source) = match event {
            ProductionEvent::Change(change) => (
                change.object_id.clone(),
                json!({ "objectType": change.object_type, "objectId": change.object_id }),
            ),
            ProductionEvent::Round(_) => ("round".to_owned(), json!({ "round": true })),
        };
        let item = self.item(event);
        reason_file::write(&self.environment, Self::NAME, &item, ("iconik", &name, source), reason, run).await
    }

    async fn abandon(&self, run: &Run) {
        parts::abandon(self.filer.content_server(), run).await;
        let end = End::Failed("the package was not completed; the reason is in Waybill's records".to_owned());
        if let Err(error) = progress::end_shown(&self.iconik, run, &end).await {
            tracing::warn!(error = ?error, "the job in iconik does not say that the work has ended");
        }
    }
}

impl ArchiveProduction {
    /// A collection changed: it is a production, or it is in one.
    async fn of_collection(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        run.note("collection", &change.object_id);
        let id = CollectionId::new(&change.object_id);
        match self.production_around(&id).await? {
            Some(production) => Box::pin(self.look(production, change, run)).await,
            None => match self.iconik.find_collection(&id).await? {
                Some(_) => skipped("rule.none", "no rule takes the collection, nor one it is in"),
                None => skipped("collection.gone", "it is not there any more"),
            },
        }
    }

    /// An asset changed: a package that waits for it may go on.
    async fn of_asset(&self, change: &IconikChange, run: &Run) -> Result<Outcome> {
        run.note("asset", &change.object_id);
        let Some(asset) = self.iconik.find_asset(&AssetId::new(&change.object_id)).await? else {
            return skipped("asset.gone", "it is not there any more");
        };
        if asset.status == AssetStatus::Deleted {
            run.note("state", "recycled");
        }
        for collection in &asset.in_collections {
            if let Some(production) = self.production_around(collection).await? {
                return Box::pin(self.look(production, change, run)).await;
            }
        }
        skipped("rule.none", "no rule takes a collection it is in")
    }
}

/// What a job, a history or a lock is about.
fn object(collection: &CollectionId) -> ObjectRef {
    ObjectRef::from(collection.clone())
}

fn skipped(code: &str, message: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(Reason::new(code, message)))
}

/// To be tried again soon.
fn again(code: &'static str, message: impl Into<String>, seconds: u64) -> Error {
    Error::new(FailureClass::Transient, System::Waybill, "package", code, message)
        .retry(Retry::After(Duration::from_secs(seconds)))
}
