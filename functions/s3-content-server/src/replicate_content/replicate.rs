//! From a change to a revision in the replica.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use shared::{
    content_server::{NodeId, kind},
    error::Result,
    flow::{Delivery, Item, Measure, Outcome, Run},
    transfer::Progress,
};

use super::{
    ReplicateContent, Set,
    read::{Found, is_folder},
    record::{Presence, RECORD, REVISION, ReplicaRecord, ReplicaState, Revision},
    replica::{DAMAGED, Kept},
    seconds_since, skipped,
};

/// What the feed said besides.
pub(super) struct Told {
    /// When.
    pub(super) at: Timestamp,
    /// Copies are looked at again, whatever earlier revisions say of them.
    pub(super) recheck: bool,
}

impl ReplicateContent {
    /// Sees to it that the replicas know a node as it is now.
    pub(super) async fn replicate(
        &self,
        node: NodeId,
        told: &Told,
        item: &Item,
        run: &Run,
    ) -> Result<Outcome> {
        // The replicas first: while their place is away, Content Server is not asked for what cannot be kept.
        let mut known: BTreeMap<usize, Kept> = BTreeMap::new();
        for (index, set) in self.sets.iter().enumerate() {
            known.extend(set.replica.record(node.0).await?.map(|kept| (index, kept)));
        }
        self.environment.renew_credential(&self.content_server).await?;
        let Some(found) = self.find(node).await? else {
            return self.mark(known, Presence::Gone, told, item, run).await;
        };
        if found.node.kind != kind::DOCUMENT && !is_folder(&found.node) {
            return skipped("node.no-content", "only documents and folders are replicated");
        }
        let Some(index) = self.set_for(&found).await? else {
            return self.mark(known, Presence::Left, told, item, run).await;
        };
        let Some(set) = self.sets.get(index) else { return skipped("rule.none", "no rule takes it") };
        run.note("set", &set.rule.name);
        if run.is_dry() {
            return skipped("dry-run", &format!("the set {} takes it", set.rule.name));
        }
        let before = known.remove(&index);
        let outcome = Box::pin(self.keep(set, &found, before, told, item, run)).await?;
        if matches!(outcome, Outcome::Continue) {
            return Ok(outcome);
        }
        // Another rule had it.
        let others =
            known.into_iter().filter(|(_, kept)| kept.record.presence == Presence::Present).collect();
        self.mark(others, Presence::Left, told, item, run).await?;
        Ok(outcome)
    }

    /// Keeps what a thing is like now, unless the replica knows.
    async fn keep(
        &self,
        set: &Set,
        found: &Found,
        before: Option<Kept>,
        told: &Told,
        item: &Item,
        run: &Run,
    ) -> Result<Outcome> {
        let previous = match &before {
            Some(kept) if !told.recheck => self.earlier(set, kept).await?,
            _ => None,
        };
        let Progress::Done(state) = self.state(set, found, previous.as_ref(), run).await? else {
            return Ok(Outcome::Continue);
        };
        self.keep_folders(set, found, told, item, run).await?;
        let digest = state.digest()?;
        let same = before.as_ref().filter(|kept| kept.record.revision.state == digest);
        // A revision that is damaged is written again when its node is asked for.
        let intact = match same {
            Some(kept) if told.recheck => self.earlier(set, kept).await?.is_some(),
            same => same.is_some(),
        };
        if let Some(kept) = same.filter(|_| intact) {
            // What an earlier attempt of this very item finished is its delivery; what another did is none of it.
            return match run.is_taken_over() && kept.record.item == item.key.digest() {
                true => Ok(delivered(set, &kept.record, &state)),
                false => skipped("replica.current", "the replica knows it as it is"),
            };
        }
        let moved = previous.as_ref().is_none_or(|previous| previous.node.modified != state.node.modified);
        let since = found.node.modified.filter(|modified| moved && is_recent(*modified, told));
        let since = since.unwrap_or(told.at);
        let record = self.write(set, state.clone(), before.as_ref(), told, item, run).await?;
        run.measure(Measure::ReplicaLag, seconds_since(since, run));
        Ok(delivered(set, &record, &state))
    }

    /// The state an earlier revision tells of; nothing when it is damaged, so that everything is looked at again.
    async fn earlier(&self, set: &Set, kept: &Kept) -> Result<Option<ReplicaState>> {
        match set.replica.revision(&kept.record.revision).await {
            Ok(revision) => Ok(Some(revision.state)),
            Err(error) if error.code() == DAMAGED => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says of a node in all replicas that know it that it is not in the set any more. What they hold of it stays.
    async fn mark(
        &self,
        known: BTreeMap<usize, Kept>,
        presence: Presence,
        told: &Told,
        item: &Item,
        run: &Run,
    ) -> Result<Outcome> {
        let mut marked = None;
        for (index, kept) in &known {
            let Some(set) = self.sets.get(*index) else { continue };
            let ours = kept.record.item == item.key.digest() && run.is_taken_over();
            if kept.record.presence == presence && ours {
                marked = Some((set, kept.record.clone()));
            }
            if kept.record.presence != Presence::Present {
                continue;
            }
            if run.is_dry() {
                return skipped("dry-run", "it would be marked in the replica");
            }
            let state = set.replica.revision(&kept.record.revision).await?.state.marked(presence);
            marked = Some((set, self.write(set, state, Some(kept), told, item, run).await?));
            run.measure(Measure::ReplicaLag, seconds_since(told.at, run));
        }
        match marked {
            Some((set, record)) => Ok(Outcome::Delivered(Delivery {
                result: json!({ "node": record.node, "set": set.rule.name, "presence": presence,
                    "revision": record.revision.key }),
                detail: [("set", set.rule.name.clone()), ("revision", record.revision.key)]
                    .map(|(name, fact)| (name.to_owned(), fact))
                    .into(),
                ..Delivery::default()
            })),
            None if known.is_empty() && presence == Presence::Gone => {
                skipped("replica.unknown", "it is not there, and no replica knows it")
            }
            None if known.is_empty() => skipped("rule.none", "no rule takes it"),
            None => skipped("replica.current", "the replica has its marker"),
        }
    }

    /// Writes a revision, and then that it is the newest one.
    pub(super) async fn write(
        &self,
        set: &Set,
        state: ReplicaState,
        before: Option<&Kept>,
        told: &Told,
        item: &Item,
        run: &Run,
    ) -> Result<ReplicaRecord> {
        let revision = Revision {
            schema: REVISION.to_owned(),
            number: before.map_or(1, |kept| kept.record.revision.number + 1),
            previous: before.map(|kept| kept.record.revision.key.clone()),
            observed_at: told.at.to_string(),
            state,
        };
        let pointer = set.replica.put_revision(&revision).await?;
        let state = revision.state;
        let record = ReplicaRecord {
            schema: RECORD.to_owned(),
            node: state.node.id,
            kind: state.node.kind,
            name: state.node.name,
            parent: state.parent,
            depth: state.folders.len(),
            presence: state.presence,
            revision: pointer,
            modified: state.node.modified,
            replicated_at: run.context().now().to_string(),
            item: item.key.digest().to_owned(),
        };
        set.replica.put_record(&record, before).await?;
        Ok(record)
    }
}

/// Whether a date can be that of the change that was told of. What was there for years and is new to the set, or whose
/// values changed without the date, changed when the feed says.
fn is_recent(modified: Timestamp, told: &Told) -> bool {
    told.at.duration_since(modified) <= SignedDuration::from_hours(24)
}

fn delivered(set: &Set, record: &ReplicaRecord, state: &ReplicaState) -> Outcome {
    let newest = state.versions.last();
    Outcome::Delivered(Delivery {
        result: json!({
            "node": record.node, "set": set.rule.name, "presence": record.presence,
            "revision": record.revision.key, "versions": state.versions.len(),
        }),
        digest: newest.map(|newest| newest.content.sha256.clone()),
        bytes: state.versions.iter().map(|version| version.content.size).sum(),
        detail: [
            ("set", set.rule.name.clone()),
            ("revision", record.revision.key.clone()),
            ("versions", state.versions.len().to_string()),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into(),
    })
}
