//! How workflows stand, and what iconik was told of them.

use shared::{
    content_server::WorkflowStatus,
    error::Result,
    iconik::{
        Asset, HistoryOperation, MetadataChange, ObjectRef, SegmentFilter, SegmentKind, SegmentStatus,
        VersionId,
    },
    reconcile::{Facts, Pair, Seen},
};

use super::{SignoffSides, state};
use crate::{
    sides::{self, OnBothSides},
    start_signoff::{
        follow::{Standing, seen},
        memory::{Known, Signoff, Workflow},
        sentences::why,
        tell::external_id,
    },
};

/// What an asset says of its sign-offs.
struct Words {
    history: Vec<String>,
    comments: Vec<String>,
}

impl SignoffSides {
    /// Every sign-off of an asset that is remembered.
    pub(super) async fn followed(&self, asset: &Asset, known: &Known) -> Result<Vec<Pair>> {
        let words = self.words_of(asset).await?;
        let mut pairs = Vec::new();
        for (version, signoff) in known.all() {
            if let Some(workflow) = self.flow.workflow(signoff.process).await? {
                pairs.push(self.signoff(asset, (&version, signoff), &workflow, &words).await?);
            }
        }
        Ok(pairs)
    }

    /// One sign-off: whether it is still wanted, whether iconik was told how it stands, and whether it still says so.
    async fn signoff(
        &self,
        asset: &Asset,
        (version, signoff): (&VersionId, &Signoff),
        workflow: &Workflow,
        words: &Words,
    ) -> Result<Pair> {
        let process = signoff.process;
        let name = format!("sign-off of {}, version {}", asset.title, workflow.number);
        let mut pair = Pair::new(format!("workflow {}", process.0), name, sides::asset(asset.id.as_str()));
        let status = self.flow.content_server.find_workflow(process).await?;
        pair.changed = moved(status.as_ref());
        let standing = match &status {
            Some(_) => self.flow.standing(workflow, status.as_ref()).await?,
            None => Standing { ending: workflow.closed, ..Standing::default() },
        };
        if let Some(ending) = workflow.closed {
            if let Some(now) = standing.ending.filter(|now| *now != ending) {
                (pair.source, pair.target) = (state(now.word()), state(ending.word()));
                pair.note = Some("Its decision is another one by now than iconik was told.".into());
                return Ok(pair);
            }
        } else {
            let runs = status.as_ref().is_some_and(|status| !status.is_ended());
            let lapse = match workflow.withdrawn {
                Some(lapse) => Some(lapse),
                None if runs => self.flow.lapse(Some(asset), version).await?,
                None => None,
            };
            if let Some(lapse) = lapse.filter(|_| runs) {
                pair.changed = pair.changed.max(asset.modified);
                pair.source = state(format!("not to be signed off: {}", why(Some(lapse))));
                pair.target = state("its workflow runs");
                pair.if_different = Some(self.review_again(&asset.id, version)?);
                return Ok(pair);
            }
            if seen(status.as_ref()) != workflow.seen {
                let is_told = standing.steps.iter().all(|step| workflow.told.contains(&step.id));
                if standing.is_undecided && is_told {
                    pair.accounted =
                        Some("it has ended, and its steps do not say how: that was put aside".into());
                }
                pair.source = state("the workflow has moved");
                pair.target = state("iconik was told how it stood before");
                pair.if_different = Some(self.workflow_again(process)?);
                return Ok(pair);
            }
        }
        self.compare(asset, (version, workflow), &standing, (signoff, words, status.is_some()), &mut pair)
            .await?;
        Ok(pair)
    }

    /// What iconik says, against what it was told.
    async fn compare(
        &self,
        asset: &Asset,
        (version, workflow): (&VersionId, &Workflow),
        standing: &Standing,
        (signoff, words, is_kept): (&Signoff, &Words, bool),
        pair: &mut Pair,
    ) -> Result<()> {
        let expected = expected(workflow);
        let is_said = |what: &&String| words.say(what, workflow, signoff);
        let found: Vec<String> = expected.iter().filter(is_said).cloned().collect();
        let mut source = Facts { state: Some(expected.join(", ")), ..Facts::default() };
        let mut target = Facts { state: Some(found.join(", ")), ..Facts::default() };
        // Fields belong to a version: those of a newer one say nothing of this.
        if asset.current_version().is_some_and(|current| current.id == *version) {
            let change = self.flow.shown(standing);
            self.compare_fields(asset, &change, is_kept, (&mut source, &mut target)).await?;
            pair.changed = pair.changed.max(asset.modified);
        }
        (pair.source, pair.target) = (Seen::There(source), Seen::There(target));
        Ok(())
    }

    /// The fields that show the sign-off. Other flows say something in the field of the state too: what is none of this flow's
    /// words is not held against it, nor the word that it shares with them. Who decided nobody knows any more where the
    /// workflow is not kept.
    async fn compare_fields(
        &self,
        asset: &Asset,
        change: &MetadataChange,
        is_kept: bool,
        (source, target): (&mut Facts, &mut Facts),
    ) -> Result<()> {
        let shown = &self.flow.rules.shown;
        let object = ObjectRef::Assets(asset.id.clone());
        let held = self.flow.iconik.get_metadata(&object, &shown.view).await?;
        let amiss = change.clone().beyond(&held);
        let [runs, signed_off, refused, _] = &shown.words.states;
        let mut both = OnBothSides::default();
        for (field, values) in change.fields() {
            let there = held.texts(field).join("\n");
            let is_amiss = amiss.fields().any(|(other, _)| other == field);
            let is_state = shown.state.as_deref() == Some(field);
            let is_ours = there.is_empty() || [runs, signed_off, refused].contains(&&there);
            let is_unknown = shown.decided_by.as_deref() == Some(field) && !is_kept;
            if (is_state && !is_ours) || is_unknown {
                continue;
            }
            let ours: Vec<String> = values.iter().map(ToString::to_string).collect();
            let ours = ours.join("\n");
            both.put(field.to_owned(), &ours, if is_amiss { &there } else { &ours });
        }
        both.into_facts(source, target);
        Ok(())
    }

    /// What an asset says, in its history and in comments of ours.
    async fn words_of(&self, asset: &Asset) -> Result<Words> {
        let entries = self.flow.iconik.list_history(&asset.id).all().await?;
        let custom = entries.into_iter().filter(|entry| entry.operation == HistoryOperation::Custom);
        let history = custom.map(|entry| entry.description).collect();
        let filter = SegmentFilter { kind: Some(SegmentKind::Comment), version: None, all_versions: true };
        let comments = self.flow.iconik.list_segments(&asset.id, &filter).all().await?;
        let there = comments.into_iter().filter(|comment| comment.status != SegmentStatus::Deleted);
        Ok(Words { history, comments: there.filter_map(|comment| comment.external_id).collect() })
    }
}

const BEGINNING: &str = "its beginning";
const END: &str = "its end";
const COMMENT: &str = "a comment on its end";

/// What iconik was told of a workflow by now.
fn expected(workflow: &Workflow) -> Vec<String> {
    let mut expected = Vec::new();
    if !workflow.seen.is_empty() {
        expected.push(BEGINNING.to_owned());
    }
    expected.extend(workflow.told.iter().map(|step| format!("step {step}")));
    if workflow.closed.is_some() {
        expected.extend([END, COMMENT].map(str::to_owned));
    }
    expected
}

impl Words {
    /// Whether something that was told is still said. People who are named may be called otherwise by now, so what is looked
    /// for is the beginning of a sentence and its end.
    fn say(&self, what: &str, workflow: &Workflow, signoff: &Signoff) -> bool {
        let (number, process) = (workflow.number, signoff.process.0);
        let told = |begins: String, ends: String| {
            self.history.iter().any(|said| said.starts_with(&begins) && said.ends_with(&ends))
        };
        let of_version = format!("Sign-off of version {number}: ");
        match what {
            BEGINNING => told(format!("Sign-off of version {number} began"), format!("(workflow {process})")),
            END => told(of_version, format!("(workflow {process})")),
            COMMENT => self.comments.contains(&external_id(signoff.process, "ended")),
            step => told(of_version, format!("(workflow {process}, {step})")),
        }
    }
}

/// When a workflow last moved, as far as its steps say.
fn moved(status: Option<&WorkflowStatus>) -> Option<jiff::Timestamp> {
    status.and_then(|status| status.completed.iter().filter_map(|step| step.ended).max())
}
