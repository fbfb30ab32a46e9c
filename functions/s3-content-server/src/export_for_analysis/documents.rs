//! Document by document: whether it may be exported, its copy, and its line in the manifest.
//!
//! Lines are kept in parts, in S3; what is recorded beside the item is how far the run has come and the parts' hashes,
//! whatever the number of documents.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{NodeId, Version},
    error::{FailureClass, Result},
    flow::Run,
    transfer::{Progress, UploadSizes},
};

use super::{
    ExportForAnalysis, Mode,
    gate::{Bounds, Look, Seen, is_no, why},
    manifest::{Counts, Line, State, metadata},
    plan::{Plan, WorkObject},
    remembered::{Facts, Kept, Next, Walk},
    select::Selection,
};
use crate::{
    export_rules::{DataSet, Versions},
    version_copy::{NodeDescription, Reading, Shelf, StoredVersion, VersionCopy},
};

/// Documents whose lines make one part at most, and bytes at which a part is full.
const PART_DOCUMENTS: usize = 500;
const PART_BYTES: usize = 4 << 20;
/// How often one document may fail before the run goes on without it.
const FAILURES_ALLOWED: u32 = 5;

const PROGRESS: &str = "documents";
const STUCK: &str = "stuck";

/// How far a run has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Done {
    /// The last document that is done with.
    after: i64,
    pub(super) parts: Vec<WorkObject>,
    pub(super) lines: u64,
    pub(super) counts: Counts,
    pub(super) excluded: BTreeMap<String, u64>,
    pub(super) bytes: u64,
    /// A document was left out because it failed: the watermark stays where it is.
    pub(super) incomplete: bool,
    complete: bool,
}

/// A document that failed, and how often.
#[derive(Debug, Serialize, Deserialize)]
struct Stuck {
    node: i64,
    times: u32,
}

/// A run at work.
pub(super) struct Work<'a> {
    pub(super) data_set: &'a DataSet,
    pub(super) plan: &'a Plan,
    pub(super) bounds: &'a Bounds,
    pub(super) run: &'a Run,
    /// Whether an earlier attempt may have left objects of the documents at hand.
    sweep: bool,
}

impl Work<'_> {
    fn names(&self) -> (&str, &str) {
        (&self.data_set.name, &self.plan.run)
    }
}

/// What became of a document.
enum Step {
    Lines(Vec<Line>),
    Excluded(&'static str, Option<Box<Line>>),
    /// The invocation ends before it is done.
    Paused,
}

/// What may be exported of a document.
enum Copied {
    Versions(Vec<(Version, Kept)>),
    /// And whether something of it was copied already.
    Out(&'static str, bool),
    Paused,
}

impl ExportForAnalysis {
    /// Goes on with the documents; nothing when the invocation ends before the last.
    pub(super) async fn documents(
        &self,
        data_set: &DataSet,
        plan: &Plan,
        bounds: &Bounds,
        selection: &Selection,
        run: &Run,
    ) -> Result<Option<Done>> {
        let mut done: Done = run.recorded(PROGRESS).unwrap_or_default();
        if done.complete {
            return Ok(Some(done));
        }
        let found = self.selected(selection).await?;
        let mut walk = Walk::new(self, data_set, (&found, plan.mode == Mode::Full), done.after);
        let mut work = Work { data_set, plan, bounds, run, sweep: run.is_taken_over() };
        let mut part = String::new();
        let mut in_part = 0;
        let mut paused = false;
        while let Some(next) = walk.next(done.after).await? {
            paused = run.must_stop();
            let step =
                if paused { Step::Paused } else { Box::pin(self.document(&work, &next, &mut done)).await? };
            match step {
                Step::Paused => {
                    paused = true;
                    break;
                }
                Step::Lines(lines) => {
                    for line in lines {
                        add(&mut done, &mut part, &line)?;
                    }
                }
                Step::Excluded(why, line) => {
                    if next.is_found {
                        *done.excluded.entry(why.to_owned()).or_default() += 1;
                    }
                    if let Some(line) = line {
                        add(&mut done, &mut part, &line)?;
                    }
                }
            }
            done.after = next.node;
            in_part += 1;
            if in_part >= PART_DOCUMENTS || part.len() >= PART_BYTES {
                self.end_part(&work, &mut done, &mut part).await?;
                // What an earlier attempt began it has begun within its first part.
                work.sweep = false;
                in_part = 0;
            }
        }
        done.complete = !paused;
        if in_part > 0 || done.complete {
            self.end_part(&work, &mut done, &mut part).await?;
        }
        Ok(done.complete.then_some(done))
    }

    async fn end_part(&self, work: &Work<'_>, done: &mut Done, part: &mut String) -> Result<()> {
        if !part.is_empty() {
            let bytes = std::mem::take(part).into_bytes();
            done.parts.push(self.keep((work.data_set, work.plan), "lines", bytes).await?);
        }
        work.run.checkpoint(PROGRESS, done).await
    }

    /// One document. One that fails again and again does not keep the others: the run goes on without it, and the next
    /// one tries again.
    async fn document(&self, work: &Work<'_>, next: &Next, done: &mut Done) -> Result<Step> {
        let stuck = work.run.recorded::<Stuck>(STUCK).filter(|stuck| stuck.node == next.node);
        if stuck.as_ref().is_some_and(|stuck| stuck.times >= FAILURES_ALLOWED) {
            done.incomplete = true;
            return self.withheld(work, next, why::FAILED, true).await;
        }
        let outcome = Box::pin(self.one(work, next)).await;
        if let Err(error) = &outcome
            && error.class() == FailureClass::Transient
            && !error.code().starts_with("ledger.")
        {
            let times = stuck.map_or(0, |stuck| stuck.times) + 1;
            tracing::warn!(
                node = next.node,
                times,
                code = error.code(),
                "the document could not be exported yet"
            );
            work.run.checkpoint(STUCK, &Stuck { node: next.node, times }).await?;
        }
        outcome
    }

    async fn one(&self, work: &Work<'_>, next: &Next) -> Result<Step> {
        if !next.is_found && next.facts.as_ref().is_none_or(|facts| facts.is_settled(&work.plan.run)) {
            return Ok(Step::Excluded(why::NOT_SELECTED, None));
        }
        let seen = match Box::pin(self.look(work.data_set, work.bounds, NodeId(next.node))).await? {
            Look::In(_) if !next.is_found => {
                return self.withheld(work, next, why::NOT_SELECTED, false).await;
            }
            Look::In(seen) => seen,
            Look::Out(why) => return self.withheld(work, next, why, false).await,
        };
        let versions = match self.versions(work.data_set, seen.node.id).await? {
            Ok(versions) => versions,
            Err(why::UNREADABLE) => {
                let why = self.why_refused(work, seen.node.id).await?;
                return self.withheld(work, next, why, false).await;
            }
            Err(why) => return self.withheld(work, next, why, false).await,
        };
        let mut said = Vec::with_capacity(versions.len());
        for version in &versions {
            match metadata(work.data_set, &seen, version) {
                Ok(metadata) => said.push(metadata),
                Err(violations) => {
                    tracing::warn!(node = next.node, %violations, "the document does not fit the data set");
                    return self.withheld(work, next, why::METADATA, false).await;
                }
            }
        }
        let kept = match Box::pin(self.copies(work, next, &seen, versions)).await? {
            Copied::Versions(kept) => kept,
            Copied::Out(why, left) => return self.withheld(work, next, why, left).await,
            Copied::Paused => return Ok(Step::Paused),
        };
        let before = next.facts.clone().unwrap_or_default();
        let first = if before.first.is_empty() { work.plan.run.clone() } else { before.first.clone() };
        let versions = kept.iter().map(|(version, kept)| (version.number, kept.clone())).collect();
        let now = Facts { versions, first, withdrawn: None };
        if now != before {
            self.remember(work.data_set, next.node, &now).await?;
        }
        if work.sweep {
            let own = kept.iter().map(|(_, kept)| kept.stored.key.as_str()).collect();
            self.sweep(work, next.node, &own).await?;
        }
        let lines = kept.iter().zip(said);
        Ok(Step::Lines(
            lines.map(|((version, kept), said)| Line::of(work.names(), &seen, version, kept, said)).collect(),
        ))
    }

    /// Why a document that could be looked at is refused now: it may have been deleted or closed since.
    async fn why_refused(&self, work: &Work<'_>, node: NodeId) -> Result<&'static str> {
        match Box::pin(self.look(work.data_set, work.bounds, node)).await? {
            Look::Out(why) => Ok(why),
            Look::In(_) => Ok(why::UNREADABLE),
        }
    }

    /// The versions that the rules take, oldest first; or why none of them.
    pub(super) async fn versions(
        &self,
        data_set: &DataSet,
        node: NodeId,
    ) -> Result<Result<Vec<Version>, &'static str>> {
        let listed = match self.content_server.list_versions(node).await {
            Err(error) if is_no(&error) => self.content_server.list_versions(node).await,
            listed => listed,
        };
        let mut versions = match listed {
            Ok(versions) => versions,
            Err(error) if is_no(&error) => return Ok(Err(why::UNREADABLE)),
            Err(error) => return Err(error),
        };
        if data_set.versions == Versions::Newest {
            versions = versions.pop().into_iter().collect();
        }
        versions.retain(|version| data_set.takes_type(version.mime_type.as_deref()));
        if versions.is_empty() {
            return Ok(Err(why::MEDIA_TYPE));
        }
        versions.retain(|version| version.file_size.is_none_or(|size| size <= data_set.max_size));
        if versions.is_empty() {
            return Ok(Err(why::SIZE));
        }
        Ok(Ok(versions))
    }

    /// Sees to it that the data set has these versions. Before each copy the document has just been looked at, and it is
    /// looked at again after the last: what was restricted meanwhile is not in the data set.
    async fn copies(
        &self,
        work: &Work<'_>,
        next: &Next,
        seen: &Seen,
        versions: Vec<Version>,
    ) -> Result<Copied> {
        let mut all = Vec::with_capacity(versions.len());
        let mut moved = false;
        for version in versions {
            let created = version.created.map(|created| created.to_string());
            let known = next.facts.as_ref().and_then(|facts| facts.versions.get(&version.number));
            if let Some(kept) = known.filter(|kept| kept.created == created)
                && self.is_still_there(&kept.stored).await?
            {
                all.push((version, kept.clone()));
                continue;
            }
            if moved && let Look::Out(why) = self.look(work.data_set, work.bounds, seen.node.id).await? {
                return Ok(Copied::Out(why, true));
            }
            let copied = match Box::pin(self.copy(work, seen, &version)).await {
                // A refusal is believed the second time.
                Err(error) if is_no(&error) => Box::pin(self.copy(work, seen, &version)).await,
                copied => copied,
            };
            let stored = match copied {
                Ok(Progress::Done(stored)) => stored,
                Ok(Progress::Paused) => return Ok(Copied::Paused),
                Err(error) if is_no(&error) => {
                    return Ok(Copied::Out(self.why_refused(work, seen.node.id).await?, true));
                }
                Err(error) => return Err(error),
            };
            moved = true;
            if stored.size > work.data_set.max_size {
                return Ok(Copied::Out(why::SIZE, true));
            }
            all.push((version, Kept { run: work.plan.run.clone(), created, stored }));
        }
        if moved && let Look::Out(why) = self.look(work.data_set, work.bounds, seen.node.id).await? {
            return Ok(Copied::Out(why, true));
        }
        Ok(Copied::Versions(all))
    }

    async fn copy(&self, work: &Work<'_>, seen: &Seen, version: &Version) -> Result<Progress<StoredVersion>> {
        let shelf = Shelf {
            bucket: self.bucket().to_owned(),
            prefix: work.plan.content_folder(work.data_set),
            storage_class: None,
        };
        let copy = VersionCopy {
            content_server: &self.content_server,
            s3: &self.s3,
            shelf: &shelf,
            reading: Reading::Twice,
            sizes: UploadSizes::default(),
        };
        // What stands beside the content says no more of the document than its place: the manifest says the rest.
        let described = NodeDescription {
            id: seen.node.id.0,
            name: seen.node.name.clone(),
            path: seen.path.clone(),
            description: String::new(),
            kind: seen.node.kind,
            created: None,
            modified: None,
            categories: Vec::new(),
            permissions: Vec::new(),
            classifications: Vec::new(),
            records: Vec::new(),
        };
        Box::pin(copy.copy(&described, version, work.run)).await
    }

    /// A document that may not be in the data set: nothing of it stays in this run's folder, and who has it from an
    /// earlier one is told once.
    async fn withheld(&self, work: &Work<'_>, next: &Next, why: &'static str, left: bool) -> Result<Step> {
        tracing::info!(node = next.node, code = why, "not exported");
        if left || work.sweep {
            self.sweep(work, next.node, &BTreeSet::new()).await?;
        }
        let Some(before) = &next.facts else { return Ok(Step::Excluded(why, None)) };
        let told = before.is_known_before(&work.plan.run);
        let now = if told {
            let withdrawn = before.withdrawn.clone().or_else(|| Some(work.plan.run.clone()));
            Facts { versions: BTreeMap::new(), first: before.first.clone(), withdrawn }
        } else {
            Facts::default()
        };
        if now != *before {
            self.remember(work.data_set, next.node, &now).await?;
        }
        let news = told && now.withdrawn.as_ref() == Some(&work.plan.run);
        Ok(Step::Excluded(why, news.then(|| Box::new(Line::withdrawn(work.names(), next.node, why)))))
    }
}

fn add(done: &mut Done, part: &mut String, line: &Line) -> Result<()> {
    done.counts.count(line.state);
    if line.state == State::Exported {
        done.bytes += line.content.as_ref().map_or(0, |content| content.size);
    }
    done.lines += 1;
    part.push_str(&line.text()?);
    Ok(())
}
