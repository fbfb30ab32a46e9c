//! Whether a production is closed, for the how manyeth time, and which rule takes it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    error::{Error, FailureClass, Result, System},
    flow::{Flow, Outcome, Run},
    iconik::{Collection, CollectionId, CollectionStatus, MetadataValues, NOT_FOUND, ViewId},
    iconik_change::IconikChange,
    ledger::{Key, Ledger},
};

use super::{ArchiveProduction, again, object, skipped};
use crate::{
    production_rules::{Closed, ProductionRule},
    progress::{self, End},
};

/// Collections one above the other; what is higher is a ring that nobody meant.
const HIGHEST: usize = 64;
/// How long something whose answer was lost may still take effect.
const SETTLING: Duration = Duration::from_secs(90);
/// How long it is remembered that a metadata view is as the rules say, in milliseconds.
const REMEMBERED: i64 = 60 * 60 * 1000;

/// A production that a rule takes and that is closed.
pub(super) struct Production<'a> {
    pub(super) collection: Collection,
    pub(super) rule: &'a ProductionRule,
    /// Of the view that says that it is closed.
    pub(super) metadata: MetadataValues,
    pub(super) closing: Closing,
    /// The item that is about it in this delivery.
    pub(super) item: Key,
    /// Nobody waits for an answer: a package that still waits is not told of again.
    pub(super) quiet: bool,
}

/// One closing of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closing {
    /// Counted from 1.
    pub(super) number: u64,
    /// What tells it from others, as far as iconik says.
    pub(super) mark: String,
    /// When it was noticed.
    pub(super) at: Timestamp,
    pub(super) standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// Its package is to be made.
    Closed,
    /// Its package is complete.
    Archived,
    /// It was opened again.
    Reopened,
}

/// Metadata views that are as the rules say, and when that was seen.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<BTreeMap<String, i64>>);

/// The log that tells of the closings of a collection.
fn log(collection: &CollectionId) -> String {
    format!("closings {collection}")
}

impl ArchiveProduction {
    /// The production that a collection is, or is in: the nearest.
    pub(super) async fn production_around(
        &self,
        collection: &CollectionId,
    ) -> Result<Option<(Collection, &ProductionRule)>> {
        let mut next = Some(collection.clone());
        for _ in 0..HIGHEST {
            let Some(id) = next else { return Ok(None) };
            let Some(found) = self.iconik.find_collection(&id).await? else { return Ok(None) };
            for rule in &self.rules.rules {
                if self.takes(rule, &found).await? {
                    return Ok(Some((found, rule)));
                }
            }
            next = found.parent_id;
        }
        Ok(None)
    }

    pub(super) async fn takes(&self, rule: &ProductionRule, collection: &Collection) -> Result<bool> {
        let category = collection.category.as_deref().unwrap_or_default();
        let wanted = |known: &String| known.eq_ignore_ascii_case(category);
        if !rule.categories.is_empty() && !rule.categories.iter().any(wanted) {
            return Ok(false);
        }
        let Some(within) = &rule.within else { return Ok(true) };
        let mut above = collection.parent_id.clone();
        for _ in 0..HIGHEST {
            match above {
                Some(id) if id == *within => return Ok(true),
                Some(id) => above = self.iconik.find_collection(&id).await?.and_then(|found| found.parent_id),
                None => break,
            }
        }
        Ok(false)
    }

    /// Looks whether a production is closed, and packages it.
    pub(super) async fn look(
        &self,
        (collection, rule): (Collection, &ProductionRule),
        change: &IconikChange,
        run: &Run,
    ) -> Result<Outcome> {
        run.note("production", collection.id.as_str());
        run.note("rule", &rule.name);
        if collection.status == CollectionStatus::Deleted {
            return skipped("collection.recycled", "it is in the recycle bin");
        }
        let metadata = self.iconik.get_metadata(&object(&collection.id), &rule.closed.view).await?;
        let name = format!("production-{}", collection.id);
        let lock = run.ledger().lock(Self::NAME, &name, run.lease_until()).await?;
        let lock = lock.ok_or_else(|| again("package.busy", "somebody else works at this package", 15))?;
        let outcome = Box::pin(self.look_alone((collection, rule), metadata, change, run)).await;
        run.leave_after(&lock, outcome, SETTLING).await
    }

    async fn look_alone(
        &self,
        (collection, rule): (Collection, &ProductionRule),
        metadata: MetadataValues,
        change: &IconikChange,
        run: &Run,
    ) -> Result<Outcome> {
        if !rule.closed.holds(&metadata) {
            if metadata.get(&rule.closed.field).is_empty() {
                self.check_view(&rule.closed).await?;
            }
            self.note_open(&collection.id, run).await?;
            self.stop_waiting(&collection.id, run).await?;
            return skipped("production.open", "it is not closed");
        }
        let closing = self.closing(&collection.id, rule.closed.mark(&metadata), run).await?;
        run.note("closing", closing.number.to_string());
        if closing.standing == Standing::Archived {
            self.stop_waiting(&collection.id, run).await?;
            // An earlier message about it has a job of its own.
            let end = End::Finished("the package is complete".to_owned());
            progress::end_shown(&self.iconik, run, &end).await?;
            return skipped("package.already", "the package of this closing is complete");
        }
        let quiet = change.occasion.starts_with(super::held::AGAIN);
        let item = change.key();
        Box::pin(self.package(Production { collection, rule, metadata, closing, item, quiet }, run)).await
    }

    /// Whether the production is still closed as it was when its package was begun.
    pub(super) async fn is_still_closed(&self, production: &Production<'_>) -> Result<bool> {
        let (collection, closed) = (&production.collection.id, &production.rule.closed);
        let Some(found) = self.iconik.find_collection(collection).await? else { return Ok(false) };
        let metadata = self.iconik.get_metadata(&object(collection), &closed.view).await?;
        Ok(found.status != CollectionStatus::Deleted
            && closed.holds(&metadata)
            && closed.mark(&metadata) == production.closing.mark)
    }

    /// The closing that is at hand: the one that is known, or another one.
    async fn closing(&self, collection: &CollectionId, mark: String, run: &Run) -> Result<Closing> {
        let (place, last) = self.last(collection, run.ledger()).await?;
        if let Some(last) = &last
            && last.mark == mark
            && last.standing != Standing::Reopened
        {
            return Ok(last.clone());
        }
        let number = last.map_or(0, |last| last.number) + 1;
        let closing = Closing { number, mark, at: run.context().now(), standing: Standing::Closed };
        if !run.is_dry() {
            self.append(collection, place, &closing, run).await?;
        }
        Ok(closing)
    }

    /// A production that was closed is open: its next closing is another one.
    pub(super) async fn note_open(&self, collection: &CollectionId, run: &Run) -> Result<()> {
        let (place, last) = self.last(collection, run.ledger()).await?;
        match last {
            Some(last) if last.standing != Standing::Reopened && !run.is_dry() => {
                let open = Closing { standing: Standing::Reopened, at: run.context().now(), ..last };
                self.append(collection, place, &open, run).await
            }
            _ => Ok(()),
        }
    }

    /// The package of a closing is complete.
    pub(super) async fn note_archived(&self, production: &Production<'_>, run: &Run) -> Result<()> {
        let collection = &production.collection.id;
        let (place, last) = self.last(collection, run.ledger()).await?;
        let done = Closing { standing: Standing::Archived, ..production.closing.clone() };
        if last.as_ref() == Some(&done) {
            return Ok(());
        }
        self.append(collection, place, &done, run).await
    }

    async fn last(&self, collection: &CollectionId, ledger: &Ledger) -> Result<(u64, Option<Closing>)> {
        match ledger.log_end(Self::NAME, &log(collection)).await? {
            Some((place, entry)) => Ok((place, Some(understood(&entry)?))),
            None => Ok((0, None)),
        }
    }

    /// Everything that was noted of the closings of a collection, from the first.
    pub(super) async fn closings(&self, collection: &CollectionId, ledger: &Ledger) -> Result<Vec<Closing>> {
        let entries = ledger.log_entries(Self::NAME, &log(collection)).await?;
        entries.iter().map(|entry| understood(entry)).collect()
    }

    async fn append(&self, collection: &CollectionId, after: u64, entry: &Closing, run: &Run) -> Result<()> {
        let text = serde_json::to_string(entry)
            .map_err(|error| Error::bug("note closing", "a closing cannot be written").source(error))?;
        if run.ledger().append_log(Self::NAME, &log(collection), after, &text).await? {
            return Ok(());
        }
        Err(again("package.busy", "somebody else has noted a closing of this production", 5))
    }

    /// A view or field that is not there looks like a production that is open. It is told, not waited for.
    async fn check_view(&self, closed: &Closed) -> Result<()> {
        let name = format!("{} {}", closed.view, closed.field);
        let now = self.iconik.now_milliseconds();
        let seen = |known: &BTreeMap<String, i64>| known.get(&name).is_some_and(|at| now - at < REMEMBERED);
        if seen(&self.views.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        if self.has_field(&closed.view, &closed.field).await? {
            self.views.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, now);
            return Ok(());
        }
        let message = format!("the metadata view {} has no field {:?}", closed.view, closed.field);
        Err(Error::new(FailureClass::Forbidden, System::Iconik, "read metadata", "production.view-changed", message)
            .field(closed.field.clone())
            .remedy("put the field back into the view, or correct `closed` in the rule; then ask for the production again"))
    }

    async fn has_field(&self, view: &ViewId, field: &str) -> Result<bool> {
        match self.iconik.get_view(view).await {
            Ok(view) => Ok(view.fields.iter().any(|known| known.name == field)),
            Err(error) if error.code() == NOT_FOUND => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn understood(entry: &str) -> Result<Closing> {
    serde_json::from_str(entry)
        .map_err(|error| Error::bug("read closing", "a closing cannot be read").source(error))
}

impl Closed {
    /// Whether the values say that the collection is closed.
    pub(super) fn holds(&self, metadata: &MetadataValues) -> bool {
        let said = metadata.texts(&self.field);
        said.iter().any(|said| self.values.iter().any(|closed| closed.trim() == said.trim()))
    }

    /// What tells this closing from others.
    pub(super) fn mark(&self, metadata: &MetadataValues) -> String {
        let mut parts = metadata.texts(&self.field);
        parts.sort();
        if let Some(field) = &self.revision_field {
            let mut revision = metadata.texts(field);
            revision.sort();
            parts.extend(revision);
        }
        let parts: Vec<&str> = parts.iter().map(|part| part.trim()).collect();
        Key::of(&parts).short().to_owned()
    }
}
