//! What iconik is told of a workflow: history, comments, and the fields that show it. Never a verdict: whoever decided is
//! named in words, not imitated.

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};
use shared::{
    content_server::ProcessId,
    error::Result,
    flow::{Flow, Policy, Run},
    iconik::{
        Asset, HistoryEntry, HistoryId, HistoryOperation, MetadataChange, NewSegment, ObjectRef, Segment,
        SegmentFilter, SegmentId, SegmentKind, SegmentStatus,
    },
    ledger::Key,
};

use super::{
    StartSignoff, again,
    follow::Standing,
    memory::{Ending, Workflow},
    sentences::{self, names, one_line},
    withdraw::is_deleted,
};
use crate::made_once::made_by_any;

/// The longest text that goes into a field, in characters.
const LONGEST: usize = 250;

impl StartSignoff {
    /// Tells what is not told yet: each step in the history, what was decided or said in it as a comment; then how it
    /// ended; and last the fields, so that a view which was changed keeps nothing else from being told.
    pub(super) async fn tell(
        &self,
        process: ProcessId,
        asset: &Asset,
        workflow: &mut Workflow,
        standing: &Standing,
        run: &Run,
    ) -> Result<()> {
        if workflow.seen.is_empty() {
            self.note(process, workflow, sentences::began(workflow, process), run).await?;
        }
        for step in &standing.steps {
            if workflow.told.contains(&step.id) {
                continue;
            }
            self.note(process, workflow, sentences::step(workflow, process, step), run).await?;
            if step.is_deciding || !step.comment.trim().is_empty() {
                let id = external_id(process, &step.id);
                self.comment(asset, workflow, (id, sentences::comment(workflow, step)), run).await?;
            }
            workflow.told.insert(step.id.clone());
        }
        if let Some(ending) = standing.ending {
            let words = sentences::ended(workflow, process, ending, &standing.decided_by);
            self.note(process, workflow, words.clone(), run).await?;
            self.comment(asset, workflow, (external_id(process, "ended"), words), run).await?;
        }
        self.show(workflow, standing, run).await
    }

    /// Adds an entry to the history, once with these words.
    async fn note(&self, process: ProcessId, workflow: &Workflow, words: String, run: &Run) -> Result<()> {
        let (asset, operation) = (&workflow.asset, HistoryOperation::Custom);
        let find = || async {
            let is_it = |entry: &HistoryEntry| entry.operation == operation && entry.description == words;
            Ok(self.iconik.list_history(asset).find(is_it).await?.map(|entry| entry.id))
        };
        let make = || async {
            let entry = self.iconik.create_history_entry(asset, &operation, &words, None).await?;
            Ok(entry.id)
        };
        let what = Key::of(&[&words]).short().to_owned();
        self.once::<HistoryId, _, _>("note", &external_id(process, &what), run, find, make).await
    }

    /// Makes a comment, once of this name.
    async fn comment(
        &self,
        asset: &Asset,
        workflow: &Workflow,
        (id, text): (String, String),
        run: &Run,
    ) -> Result<()> {
        // Where its version was deleted, it stands on the one people see.
        let version = asset.version(&workflow.version).filter(|version| !is_deleted(version));
        let version = version.map(|version| version.id.clone());
        let segment = NewSegment { version, ..NewSegment::comment(text, id.as_str()) };
        let filter = SegmentFilter { kind: Some(SegmentKind::Comment), version: None, all_versions: true };
        let find = || async {
            let is_it = |comment: &Segment| {
                let is_named = comment.external_id.as_ref() == Some(&segment.external_id);
                is_named && comment.status != SegmentStatus::Deleted
            };
            let comments = self.iconik.list_segments(&asset.id, &filter);
            Ok(comments.find(is_it).await?.map(|comment| comment.id))
        };
        let make = || async { Ok(self.iconik.create_segment(&asset.id, &segment).await?.id) };
        self.once::<SegmentId, _, _>("comment", &format!("{id}/comment"), run, find, make).await
    }

    /// Tells something once, whichever item comes to tell it, and however far clocks are apart.
    async fn once<T, F, M>(
        &self,
        effect: &'static str,
        what: &str,
        run: &Run,
        find: impl Fn() -> F + Send + Sync,
        make: impl Fn() -> M + Send + Sync,
    ) -> Result<()>
    where
        T: Serialize + DeserializeOwned + Send + Sync,
        F: Future<Output = Result<Option<T>>> + Send,
        M: Future<Output = Result<T>> + Send,
    {
        let place = format!("told/{what}");
        if made_by_any(&self.iconik, run, (Self::NAME, &place), effect, find, make).await? {
            return Ok(());
        }
        Err(again("signoff.busy", "another worker is telling the same"))
    }

    /// Writes the fields that show the sign-off. One whose answer was lost must not arrive after what is shown next: then the
    /// asset is left alone until it has settled.
    async fn show(&self, workflow: &Workflow, standing: &Standing, run: &Run) -> Result<()> {
        let change = self.shown(standing);
        if change.is_empty() {
            return Ok(());
        }
        let view = self.iconik.get_view(&self.rules.shown.view).await?;
        view.check(&change)?;
        let object = ObjectRef::Assets(workflow.asset.clone());
        let is_shown = || async {
            let present = self.iconik.get_metadata(&object, &view.id).await?;
            Ok(change.clone().beyond(&present).is_empty().then_some(true))
        };
        let write = || async {
            self.iconik.update_metadata_once(&object, &view.id, &change, None).await?;
            Ok(true)
        };
        run.effect("show-state", Policy::CheckThenRepeat, is_shown, write).await.map(drop)
    }

    /// What the fields are to show.
    pub(super) fn shown(&self, standing: &Standing) -> MetadataChange {
        let shown = &self.rules.shown;
        let [runs, signed_off, refused, undecided] = &shown.words.states;
        let [approved, rejected, withdrawn, stopped] = &shown.words.decisions;
        let (state, decision) = match standing.ending {
            None => (runs, None),
            Some(Ending::Approved) => (signed_off, Some(approved)),
            Some(Ending::Rejected) => (refused, Some(rejected)),
            Some(Ending::Withdrawn) => (undecided, Some(withdrawn)),
            Some(Ending::Stopped | Ending::Gone) => (undecided, Some(stopped)),
        };
        let is_decided = matches!(standing.ending, Some(Ending::Approved | Ending::Rejected));
        let step = match standing.ending {
            None if !standing.is_undecided => standing.current.join(", "),
            _ => String::new(),
        };
        let decided_by = if is_decided { names(&standing.decided_by) } else { String::new() };
        let fields = [
            (&shown.state, state.clone()),
            (&shown.step, step),
            (&shown.decision, decision.cloned().unwrap_or_default()),
            (&shown.decided_by, decided_by),
        ];
        fields.into_iter().fold(MetadataChange::new(), |change, (field, text)| match field {
            None => change,
            Some(field) if text.is_empty() => change.clear(field),
            Some(field) => change.set(field, [one_line(&text).chars().take(LONGEST).collect::<String>()]),
        })
    }
}

/// What a comment of ours is called, by which it is found again.
pub(super) fn external_id(process: ProcessId, what: &str) -> String {
    format!("waybill-signoff-{}-{what}", process.0)
}
