//! The package, step by step: read, select, file, look again, summarise, tell. Each step goes on where it was left.

use serde_json::json;
use shared::{
    error::Result,
    flow::{Delivery, Outcome, Run},
};

use super::{
    ArchiveProduction,
    closing::Production,
    facts::{Member, Tree},
    file::Place,
    object,
    read::{Reader, shown_of},
    select::{Problem, Selection, select},
    skipped, summary,
    work::{Read, Work},
};
use crate::progress::{End, Progress as Job, Work as JobWork};

/// Assets until what was read is written down.
const READ_AT_ONCE: usize = 20;
/// What a job counts: most of it is the filing.
pub(super) const TOTAL: u64 = 1000;
const READ: u64 = 100;
pub(super) const FILED: u64 = 900;

/// One package under way in this invocation.
pub(super) struct Packing<'a> {
    pub(super) production: &'a Production<'a>,
    pub(super) run: &'a Run,
    pub(super) job: Option<Job<'a>>,
}

/// What became of a step.
pub(super) enum Step<T> {
    Done(T),
    /// It goes on in the next invocation.
    Paused,
}

impl ArchiveProduction {
    /// Makes the package of a closing, or goes on with it.
    pub(super) async fn package(&self, production: Production<'_>, run: &Run) -> Result<Outcome> {
        let mut work = self.work(&production).await?;
        let mut packing = Packing { production: &production, run, job: None };
        // A production that waited is shown only once it waits no more.
        if !(production.quiet || run.is_dry()) {
            packing.job = Some(self.job(&production, run).await?);
        }
        let Step::Done(read) = Box::pin(self.read(&packing, &mut work)).await? else {
            return Ok(Outcome::Continue);
        };
        let selection = select(production.rule, &read.assets);
        if run.is_dry() {
            return dry(&selection);
        }
        if !selection.problems.is_empty() {
            return Box::pin(self.hold(&packing, &mut work, &selection.problems)).await;
        }
        if packing.job.is_none() {
            packing.job = Some(self.job(&production, run).await?);
        }
        self.stop_waiting(&production.collection.id, run).await?;
        if work.progress.summary.is_none() {
            self.tell_packing(&production).await?;
        }
        let place = self.place(&production, run).await?;
        match Box::pin(self.file_all(&packing, &mut work, (&read, &selection), &place)).await {
            Ok(Step::Done(())) => {}
            Ok(Step::Paused) => return Ok(Outcome::Continue),
            // What could be had a moment ago cannot any more: it is named like what could not be had at all.
            Err(error) => match super::file::problem(&error, &read, &selection, work.progress.filed) {
                Some(problem) => return Box::pin(self.hold(&packing, &mut work, &[problem])).await,
                None => return Err(error),
            },
        }
        let Step::Done(()) = Box::pin(self.confirm(&packing, &mut work, &read, &selection)).await? else {
            return Ok(Outcome::Continue);
        };
        Box::pin(self.conclude(&packing, &mut work, &read, &selection, &place)).await
    }

    async fn job<'a>(&'a self, production: &Production<'_>, run: &'a Run) -> Result<Job<'a>> {
        let title = format!("Archive {} in Content Server", summary::plain(&production.collection.title));
        let of = object(&production.collection.id);
        let work = JobWork { object: &of, title: &title, total: TOTAL };
        Job::begin(&self.iconik, run, &production.item, work).await
    }

    /// Reads everything about the production, in as many invocations as it takes.
    async fn read(&self, packing: &Packing<'_>, work: &mut Work) -> Result<Step<Read>> {
        let (production, run) = (packing.production, packing.run);
        if !work.progress.listed {
            let tree = super::tree::walk(&self.iconik, &production.collection).await?;
            let mut shown = Vec::new();
            for wanted in &production.rule.shown {
                let of = object(&production.collection.id);
                shown.extend(shown_of(&self.iconik, &of, wanted).await?);
            }
            if run.is_dry() {
                return self.read_at_once(production, tree, shown).await.map(Step::Done);
            }
            self.put_tree(work, &(tree, shown)).await?;
            work.progress.listed = true;
            work.progress.began.get_or_insert(run.context().now());
            self.save(work, run).await?;
        }
        let (tree, _) = self.tree(work).await?;
        let reader = Reader::new(&self.iconik, production.rule);
        let all = tree.assets.len();
        while work.progress.read < all {
            if run.must_stop() {
                return Ok(Step::Paused);
            }
            let next: Vec<&Member> = tree.assets.iter().skip(work.progress.read).take(READ_AT_ONCE).collect();
            let mut assets = Vec::with_capacity(next.len());
            for member in &next {
                assets.push(Box::pin(reader.read(member)).await?);
            }
            let last = work.progress.read + assets.len();
            self.put_assets(work, last, &assets).await?;
            work.progress.read = last;
            work.progress.lists.push(last);
            self.save(work, run).await?;
            let message = format!("reading: {last} of {all} assets");
            packing.show(share(last, all, READ), &message).await?;
        }
        self.everything(work).await.map(Step::Done)
    }

    /// For a dry run, which writes nothing down.
    async fn read_at_once(
        &self,
        production: &Production<'_>,
        tree: Tree,
        shown: Vec<super::facts::ShownFacts>,
    ) -> Result<Read> {
        let reader = Reader::new(&self.iconik, production.rule);
        let mut assets = Vec::new();
        for member in &tree.assets {
            assets.push(Box::pin(reader.read(member)).await?);
        }
        Ok(Read { tree, shown, assets: super::select::in_order(assets) })
    }

    /// The records, the summary, and what is said in iconik.
    async fn conclude(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        read: &Read,
        selection: &Selection,
        place: &Place,
    ) -> Result<Outcome> {
        let (production, run) = (packing.production, packing.run);
        if work.progress.summary.is_none() && !self.is_still_closed(production).await? {
            let end = End::Aborted("the production was opened again; what was filed stays".to_owned());
            packing.end(&end).await?;
            // Should it be closed again in the same words, and nobody tells of it, it is looked at anew all the same.
            self.begin_anew(work, 0, run).await?;
            self.note_open(&production.collection.id, run).await?;
            return skipped(
                "production.reopened",
                "it was opened again while it was packaged; what was filed stays",
            );
        }
        let filed = self.all_filed(work).await?;
        Box::pin(self.write_records(packing, work, (read, selection, &filed), place)).await?;
        let Step::Done(()) = Box::pin(self.tell(packing, work, (read, selection), place)).await? else {
            return Ok(Outcome::Continue);
        };
        self.note_archived(production, run).await?;
        let bytes: u64 = filed.iter().map(|filed| filed.size).sum();
        let message = format!("{} files are in Content Server, node {}", filed.len(), place.node);
        let end = match (selection.left_out.len(), work.progress.untold) {
            (0, 0) => End::Finished(message),
            (0, untold) => {
                End::Warning(format!("{message}; iconik does not show {untold} assets as archived"))
            }
            (left, _) => End::Warning(format!("{message}; {left} things were left out, see the summary")),
        };
        packing.end(&end).await?;
        let summary = work.progress.summary.clone();
        let detail = [
            ("collection", production.collection.id.as_str().to_owned()),
            ("closing", production.closing.number.to_string()),
            ("package", place.node.to_string()),
            ("files", filed.len().to_string()),
            ("bytes", bytes.to_string()),
            ("leftOut", selection.left_out.len().to_string()),
            ("summary", summary.as_ref().map(|summary| summary.node.to_string()).unwrap_or_default()),
        ];
        Ok(Outcome::Delivered(Delivery {
            result: json!({
                "package": place.node, "closing": production.closing.number, "files": filed.len(),
                "summary": summary.as_ref().map(|summary| summary.node),
            }),
            digest: summary.map(|summary| summary.sha256),
            bytes,
            detail: detail.map(|(name, fact)| (name.to_owned(), fact)).into(),
        }))
    }
}

impl Packing<'_> {
    /// Shows in iconik how far it is.
    pub(super) async fn show(&self, done: u64, message: &str) -> Result<()> {
        match &self.job {
            Some(job) => job.show(done, message).await,
            None => Ok(()),
        }
    }

    pub(super) async fn end(&self, end: &End) -> Result<()> {
        match &self.job {
            Some(job) => job.end(end).await,
            None => Ok(()),
        }
    }
}

/// How much of a job so much of something is.
fn share(done: usize, all: usize, of: u64) -> u64 {
    let (done, all) = (u64::try_from(done).unwrap_or(0), u64::try_from(all.max(1)).unwrap_or(u64::MAX));
    of.saturating_mul(done) / all
}

/// How much of a job it is when so many bytes are filed.
pub(super) fn share_of_bytes(done: u64, all: u64) -> u64 {
    let share = u128::from(FILED - READ) * u128::from(done.min(all)) / u128::from(all.max(1));
    READ + u64::try_from(share).unwrap_or(0)
}

/// What a dry run says.
fn dry(selection: &Selection) -> Result<Outcome> {
    let bytes: u64 = selection.files.iter().filter_map(|chosen| chosen.file.size).sum();
    let held: Vec<String> = selection.problems.iter().map(Problem::to_string).collect();
    let message = match held.as_slice() {
        [] => format!("{} files of {bytes} bytes would be filed", selection.files.len()),
        held => format!("the package would wait for: {}", held.join("; ")),
    };
    skipped("dry-run", &message)
}
