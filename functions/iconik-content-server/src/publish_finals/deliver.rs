//! The delivery: every document of a version filed, one after the other, shown as a job; then iconik is told.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::json;
use shared::{
    error::{Error, FailureClass, Result, Retry},
    filing::{Step, parts},
    flow::{Delivery, Outcome, Reason, Run},
    iconik::{AssetId, ObjectRef},
    iconik_change::IconikChange,
    ledger::Key,
};

use super::{
    PublishFinals, is_final,
    plan::{Document, Plan},
    skipped,
};
use crate::{
    approval::{self, Approved, Begun},
    filing::{self, FiledMedia, How, NOT_CLOSED},
    progress::{self, End, Progress, Work},
};

/// The checkpoint that tells since when files that are being written are waited for.
const WAITING_SINCE: &str = "waiting-since";
/// The checkpoint that tells that this item files or tells something, rather than finding all of it filed and told. It keeps
/// what was approved.
pub(super) const FILES: &str = "files";

/// What became of the documents of a version.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Those that are there, in the order of the rule.
    pub(super) filed: Vec<(Document, FiledMedia)>,
    pub(super) superseded: Option<Reason>,
    refused: Vec<Error>,
    waiting: Option<Error>,
}

impl PublishFinals {
    pub(super) async fn deliver(
        &self,
        change: &IconikChange,
        approved: &Approved,
        run: &Run,
    ) -> Result<Outcome> {
        let record = self.record(approved, run.context().now()).await?;
        let Some(rule) = self.rules.choose(&record) else {
            return skipped("rule.none", "no rule takes the asset");
        };
        run.note("rule", &rule.name);
        let plan = self.plan(approved, &record, rule).await?;
        if run.is_dry() {
            return match plan.refused.into_iter().next() {
                Some(refused) => Err(refused),
                None => skipped("dry-run", &format!("rule {} files {}", rule.name, plan.documents.len())),
            };
        }
        let mut done = Done::default();
        let progress = self.begin_progress(&plan, approved, &change.key(), run).await?;
        let filed = Box::pin(self.file_all(&plan, approved, progress.as_ref(), &mut done, run)).await;
        if filed.as_ref().is_err_and(is_stopped) {
            self.finish_begun(&plan, approved, run).await?;
        }
        filed?;
        done.refused.extend(plan.refused);
        if let Some(waiting) = done.waiting.take() {
            match self.waited(waiting, rule.patience, run).await? {
                // What could be filed is; the rest is looked at again.
                Waited::On(error) => {
                    if let Some(progress) = &progress {
                        let bytes = done.filed.iter().map(|(_, filed)| filed.bytes).sum();
                        progress.say(bytes, &format!("waiting: {}", error.message())).await?;
                    }
                    return Err(error);
                }
                Waited::TooLong(error) => done.refused.push(error),
            }
        }
        self.conclude(approved, progress.as_ref(), done, &rule.name, run).await
    }

    /// A job, when there is anything to file that has not been filed before.
    async fn begin_progress<'a>(
        &'a self,
        plan: &Plan<'_>,
        approved: &Approved,
        key: &Key,
        run: &'a Run,
    ) -> Result<Option<Progress<'a>>> {
        let (mut total, mut reached, mut any) = (0, 0, false);
        for document in &plan.documents {
            let known = self.media.known(&document.media, run.ledger()).await?;
            any |= known.is_none();
            total += known.as_ref().map(|filed| filed.bytes).or(document.media.size).unwrap_or(1);
            reached += filing::arrived(&document.media, known.as_ref(), run);
        }
        if !any {
            if files(run) {
                // Somebody else has filed what an earlier attempt began to show.
                progress::recall(&self.iconik, run, &approved.object(), key).await?;
            }
            return Ok(None);
        }
        if !files(run) {
            run.checkpoint(FILES, &approved.begun()).await?;
        }
        let title =
            format!("Filing {} in Content Server, version {}", approved.asset.title, approved.number());
        let object = approved.object();
        let work = Work { object: &object, title: &title, total };
        let progress = Progress::begin(&self.iconik, run, key, work).await?;
        Ok(Some(progress.reached(reached)))
    }

    /// Files one document after the other. What cannot be filed keeps the others from nothing.
    async fn file_all(
        &self,
        plan: &Plan<'_>,
        approved: &Approved,
        progress: Option<&Progress<'_>>,
        done: &mut Done,
        run: &Run,
    ) -> Result<()> {
        let behind = AtomicU64::new(0);
        for (index, document) in plan.documents.iter().enumerate() {
            let name = document.media.name.as_str();
            let of = format!("{} of {}: {name}", index + 1, plan.documents.len());
            let told = |bytes: u64| -> Step<'_> {
                let at = behind.load(Ordering::Relaxed) + bytes;
                let of = &of;
                Box::pin(async move {
                    match progress {
                        Some(progress) => progress.show(at, of).await,
                        None => Ok(()),
                    }
                })
            };
            told(0).await?;
            let guard = || -> Step<'_> { Box::pin(approved.check(&self.iconik)) };
            let how = How {
                plan: &document.plan,
                reading: plan.rule.reading,
                verify: plan.rule.verify,
                guard: Some(&guard),
                told: Some(&told),
            };
            match Box::pin(self.media.file(&document.media, how, run)).await {
                Ok(filing::Outcome::Filed(filed)) => {
                    behind.fetch_add(filed.bytes, Ordering::Relaxed);
                    done.filed.push((document.clone(), filed));
                }
                Ok(filing::Outcome::Superseded(reason)) => done.superseded = Some(reason),
                Err(error) if error.code() == NOT_CLOSED => done.waiting = Some(error),
                Err(error) if belongs_to_one(&error) => {
                    tracing::warn!(error = ?error, file = document.media.id(), "not filed");
                    done.refused.push(error);
                }
                Err(error) => return Err(error),
            }
            if run.must_stop() && index + 1 < plan.documents.len() {
                return Err(parts::paused());
            }
        }
        Ok(())
    }

    /// Finishes what an earlier attempt has begun of a version that is not approved any more, and throws away what it has sent
    /// of an upload that is not complete.
    pub(super) async fn finish_earlier(&self, change: &IconikChange, run: &Run) -> Result<()> {
        let Some(begun) = begun(run) else { return Ok(()) };
        let asset = AssetId::new(&change.object_id);
        progress::recall(&self.iconik, run, &ObjectRef::Assets(asset.clone()), &change.key()).await?;
        if let Some(version) = Approved::again(&self.iconik, &asset, begun).await? {
            let record = self.record(&version, run.context().now()).await?;
            if let Some(rule) = self.rules.choose(&record) {
                let plan = self.plan(&version, &record, rule).await?;
                self.finish_begun(&plan, &version, run).await?;
            }
        }
        parts::abandon(&self.content_server, run).await;
        Ok(())
    }

    /// Nothing is made any more. What an earlier attempt has made is finished: a document without its class or its rights would
    /// look as if it were.
    async fn finish_begun(&self, plan: &Plan<'_>, approved: &Approved, run: &Run) -> Result<()> {
        let guard = || -> Step<'_> { Box::pin(approved.check(&self.iconik)) };
        for document in &plan.documents {
            let (media, target) = (&document.media, &document.plan);
            if !self.media.is_half_filed(media, target, run).await? {
                continue;
            }
            let (reading, verify) = (plan.rule.reading, plan.rule.verify);
            let how = How { plan: target, reading, verify, guard: Some(&guard), told: None };
            match Box::pin(self.media.file(media, how, run)).await {
                Err(error) if is_final(&error) || error.code() == NOT_CLOSED => {
                    tracing::warn!(error = ?error, file = media.id(), "what was made is not finished");
                }
                outcome => {
                    outcome?;
                }
            }
        }
        Ok(())
    }

    /// Whether files that are being written are waited for any longer.
    async fn waited(&self, waiting: Error, patience: Duration, run: &Run) -> Result<Waited> {
        let now = run.context().now_milliseconds();
        let since = match run.recorded::<i64>(WAITING_SINCE) {
            Some(since) => since,
            None => {
                run.checkpoint(WAITING_SINCE, &now).await?;
                now
            }
        };
        let patience = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        if now - since < patience {
            // Not beyond the end of the patience.
            let left = Duration::from_millis(u64::try_from(since + patience - now).unwrap_or(0));
            let pause = match waiting.retry_advice() {
                Retry::After(pause) => pause.min(left),
                Retry::Later | Retry::Never => left,
            };
            return Ok(Waited::On(waiting.retry(Retry::After(pause))));
        }
        Ok(Waited::TooLong(waiting.with_class(FailureClass::Invalid)))
    }

    async fn conclude(
        &self,
        approved: &Approved,
        progress: Option<&Progress<'_>>,
        mut done: Done,
        rule: &str,
        run: &Run,
    ) -> Result<Outcome> {
        if !done.refused.is_empty() {
            match self.tell_incomplete(approved, &done).await {
                // What kept the files from being filed is the reason people need.
                Err(error) if is_final(&error) => tracing::warn!(error = ?error, "iconik is not told"),
                outcome => outcome?,
            }
            run.note("filed", done.filed.len().to_string());
            run.note("refused", done.refused.len().to_string());
            // The runner puts the item aside with this reason, and the job ends with it.
            return Err(first(std::mem::take(&mut done.refused)));
        }
        if done.filed.is_empty() {
            let reason = done.superseded.take().unwrap_or_else(|| {
                Reason::new("finals.nothing", "the version has nothing that the rule files")
            });
            if let Some(progress) = progress {
                progress.end(&End::Warning(reason.message.clone())).await?;
            }
            return Ok(Outcome::Skipped(reason));
        }
        let told = self.tell_filed(approved, &done, progress, run).await?;
        let documents = done.filed.len();
        let end = End::Finished(format!("{documents} filed and verified, first: node {}", told.node));
        match progress {
            Some(progress) => progress.end(&end).await?,
            None => progress::end_shown(&self.iconik, run, &end).await?,
        }
        if !files(run) && !told.changed {
            return skipped("finals.already-filed", "everything was filed before, and iconik says so");
        }
        let bytes = done.filed.iter().map(|(_, filed)| filed.bytes).sum();
        let list: Vec<_> = done
            .filed
            .iter()
            .map(|(document, filed)| {
                json!({
                    "part": document.media.part.name(), "file": document.media.id(), "node": filed.node,
                    "version": filed.version, "sha256": filed.sha256, "bytes": filed.bytes,
                })
            })
            .collect();
        Ok(Outcome::Delivered(Delivery {
            digest: done.filed.first().map(|(_, filed)| filed.sha256.clone()),
            bytes,
            detail: [
                ("node", told.node.to_string()),
                ("documents", documents.to_string()),
                ("size", bytes.to_string()),
                ("rule", rule.to_owned()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
            result: json!({"node": told.node, "rule": rule, "documents": list}),
        }))
    }
}

/// Whether this item files or tells something, by this attempt or an earlier one.
pub(super) fn files(run: &Run) -> bool {
    begun(run).is_some()
}

/// What was approved when this item began to file or tell it.
pub(super) fn begun(run: &Run) -> Option<Begun> {
    run.recorded(FILES)
}

enum Waited {
    On(Error),
    TooLong(Error),
}

/// Whether a failure is of one document and keeps the others from nothing.
fn belongs_to_one(error: &Error) -> bool {
    is_final(error) && !is_stopped(error)
}

/// Whether people do not want it any more.
pub(super) fn is_stopped(error: &Error) -> bool {
    matches!(error.code(), progress::ABORTED | approval::WITHDRAWN)
}

/// The first reason; it tells how many there are.
fn first(refused: Vec<Error>) -> Error {
    let count = refused.len();
    let Some(first) = refused.into_iter().next() else {
        return Error::bug("publish", "nothing was refused");
    };
    if count == 1 {
        return first;
    }
    let message = format!("{count} of the version's files cannot be filed; the first: {}", first.message());
    let mut all = Error::new(first.class(), first.system(), first.operation(), first.code(), message);
    if let Some(field) = first.field_name() {
        all = all.field(field);
    }
    if let Some(remedy) = first.remedy_text() {
        all = all.remedy(remedy);
    }
    all.source(first)
}
