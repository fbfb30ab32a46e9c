//! Brings content back from a replica into a folder of its own, and compares what came with what the replica says.
//!
//! Each thing carries a mark of its restore and its original; what an earlier attempt made is found by it and gone on
//! with. How far the work is, is kept by the last thing that was done; the entries of the report are in S3.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    content_server::{NewFolder, NodeId, NodePath, kind},
    error::{Error, FailureClass, Result, System},
    flow::{Delivery, Item, Measure, Outcome, Run},
};

use super::{
    Asked, ReplicaRequest, ReplicateContent, Set,
    compare::compare,
    record::{FolderStep, Presence, ReplicaRecord, ReplicaState},
    replica::DAMAGED,
    report::{Counts, Difference, Entry, REPORT, Report, ReportKind},
    restore_document::{Contents, marked},
    restored::{New, Wanted},
    sample::sample,
    skipped,
    verify::as_number,
};
use crate::{
    replica_rules::{Permissions, Records},
    version_copy::NodeDescription,
};

/// Entries that are held before they are written.
const HELD: usize = 25;
/// How deep folders are looked at.
const DEEPEST: usize = 100;
/// Folders that are remembered while a set is restored.
const REMEMBERED: usize = 10_000;
/// For each document of a drill so many things are drawn: folders and what is not in the set any more are among them.
const DRAWN_PER_DOCUMENT: usize = 4;

/// Name, container and depth of a folder.
type KnownFolder = (String, i64, usize);

/// A restore or a drill.
struct Restoring<'a> {
    set: &'a Set,
    kind: ReportKind,
    id: &'a str,
    scope: Scope,
    /// What was deleted is brought back too.
    deleted: bool,
    /// The folder everything goes into.
    root: NodeId,
    /// What the replica says of folders: name, container, depth.
    known: Mutex<BTreeMap<i64, Option<KnownFolder>>>,
    /// Folders that have been restored.
    made: Mutex<BTreeMap<i64, NodeId>>,
    run: &'a Run,
}

/// What is brought back.
enum Scope {
    Everything,
    Below(i64),
    Only(i64),
    Sample(Vec<i64>),
}

/// How far the work is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Position {
    after: Option<i64>,
    parts: u64,
    counts: Counts,
}

/// What came of one thing.
enum Restored {
    Entry(Entry),
    /// It is not to be restored.
    Nothing,
    Paused,
}

impl Restoring<'_> {
    fn mark(&self, original: i64) -> String {
        format!("waybill:{}:{}:{original}", self.kind.name(), self.id)
    }

    fn part(&self, number: u64) -> String {
        format!("{}s/{}/{number:05}.jsonl", self.kind.name(), self.id)
    }
}

impl ReplicateContent {
    pub(super) async fn bring_back(
        &self,
        set: &Set,
        request: &ReplicaRequest,
        item: &Item,
        run: &Run,
    ) -> Result<Outcome> {
        let (kind, into, usual) = match &request.asked {
            Asked::Drill { into } => (ReportKind::Drill, into, &set.rule.drill_into),
            Asked::Restore { into, .. } => (ReportKind::Restore, into, &set.rule.restore_into),
            Asked::Verify => return Err(Error::bug("restore", "a verification is no restore")),
        };
        let deleted = matches!(request.asked, Asked::Restore { deleted: true, .. });
        let scope = match &request.asked {
            Asked::Restore { node: Some(node), .. } => match set.replica.record(*node).await? {
                None => return skipped("restore.unknown", "the replica does not know this node"),
                Some(kept) if kept.record.kind == kind::DOCUMENT => Scope::Only(*node),
                Some(_) => Scope::Below(*node),
            },
            Asked::Restore { node: None, .. } => Scope::Everything,
            _ => match sample(&set.replica, set.rule.drill_documents * DRAWN_PER_DOCUMENT, run).await? {
                Some(drawn) => Scope::Sample(drawn),
                None => return Ok(Outcome::Continue),
            },
        };
        self.environment.renew_credential(&self.content_server).await?;
        let place = self.place(into.as_deref(), usual).await?;
        if run.is_dry() {
            return skipped("dry-run", "it would be restored");
        }
        let id = item.key.short();
        let name = format!("{} {} {}", set.rule.name, kind.name(), id.get(..8).unwrap_or(id));
        let mark = format!("waybill:{}:{id}", kind.name());
        let folder = NewFolder {
            description: format!("{} of the content set {} from its replica", kind.name(), set.rule.name),
            external: marked(&mark, None, None),
            ..NewFolder::default()
        };
        let wanted =
            Wanted { parent: place, name: &name, original: 0, mark: &mark, new: New::Folder(&folder) };
        let root = self.ensure(&wanted, run).await?;
        let restoring = Restoring {
            set,
            kind,
            id,
            scope,
            deleted,
            root,
            known: Mutex::default(),
            made: Mutex::default(),
            run,
        };
        Box::pin(self.work_through(&restoring)).await
    }

    /// The container to restore into. It must not be one that is replicated: each restore would make the replica grow,
    /// and each drill what the next one draws from.
    async fn place(&self, into: Option<&str>, usual: &NodePath) -> Result<NodeId> {
        let path = match into {
            None => usual.clone(),
            Some(text) => text
                .parse::<NodePath>()
                .map_err(|error| error.with_class(FailureClass::Invalid).with_code("request.bad-path"))?,
        };
        let place = self.content_server.resolve_path(&path).await?;
        for set in &self.sets {
            if self.places.is_within(&self.content_server, place.id, &set.rule.within).await? {
                let message = format!("{path} belongs to the content set {}", set.rule.name);
                return Err(Error::new(
                    FailureClass::Forbidden,
                    System::Waybill,
                    "restore",
                    "restore.into-a-set",
                    message,
                )
                .remedy("restore into a folder that is not replicated"));
            }
        }
        Ok(place.id)
    }

    async fn work_through(&self, restoring: &Restoring<'_>) -> Result<Outcome> {
        let run = restoring.run;
        let mut position: Position = run.recorded("position").unwrap_or_default();
        let mut entries = Vec::new();
        loop {
            let nodes = self.next(restoring, position.after).await?;
            if nodes.is_empty() {
                break;
            }
            for node in nodes {
                if is_enough(restoring, &position.counts) {
                    break;
                }
                if run.must_stop() {
                    self.note(restoring, &mut entries, &mut position).await?;
                    return Ok(Outcome::Continue);
                }
                match Box::pin(self.restore_one(restoring, node)).await? {
                    Restored::Entry(entry) => {
                        position.counts.add(&entry);
                        entries.push(entry);
                    }
                    Restored::Nothing => {}
                    Restored::Paused => {
                        self.note(restoring, &mut entries, &mut position).await?;
                        return Ok(Outcome::Continue);
                    }
                }
                position.after = Some(node);
                if entries.len() >= HELD {
                    self.note(restoring, &mut entries, &mut position).await?;
                }
            }
            if is_enough(restoring, &position.counts) {
                break;
            }
        }
        self.note(restoring, &mut entries, &mut position).await?;
        self.conclude_restore(restoring, &position).await
    }

    /// What comes after a thing.
    async fn next(&self, restoring: &Restoring<'_>, after: Option<i64>) -> Result<Vec<i64>> {
        match (&restoring.scope, after) {
            (Scope::Everything | Scope::Below(_), after) => restoring.set.replica.nodes_after(after).await,
            (Scope::Only(node), None) => Ok(vec![*node]),
            (Scope::Only(_), Some(_)) => Ok(Vec::new()),
            (Scope::Sample(drawn), None) => Ok(drawn.clone()),
            (Scope::Sample(drawn), Some(after)) => {
                Ok(drawn.iter().copied().skip_while(|node| *node != after).skip(1).collect())
            }
        }
    }

    /// Writes entries, and how far the work is.
    async fn note(
        &self,
        restoring: &Restoring<'_>,
        entries: &mut Vec<Entry>,
        position: &mut Position,
    ) -> Result<()> {
        if !entries.is_empty() {
            restoring.set.replica.put_lines(&restoring.part(position.parts + 1), entries).await?;
            position.parts += 1;
            entries.clear();
        }
        restoring.run.checkpoint("position", position).await
    }

    async fn conclude_restore(&self, restoring: &Restoring<'_>, position: &Position) -> Result<Outcome> {
        let (run, replica) = (restoring.run, &restoring.set.replica);
        let counts = &position.counts;
        let report = Report {
            schema: REPORT.to_owned(),
            kind: restoring.kind,
            set: restoring.set.rule.name.clone(),
            id: restoring.id.to_owned(),
            folder: Some(restoring.root.0),
            finished_at: run.context().now().to_string(),
            equal: counts.different == 0,
            counts: counts.clone(),
            entries: (1..=position.parts).map(|number| replica.own_key(&restoring.part(number))).collect(),
        };
        let name = format!("{}s/{}.json", restoring.kind.name(), restoring.id);
        let key = replica.put_own(&name, &report).await?;
        run.measure(Measure::Restored, as_number(counts.documents + counts.folders));
        run.measure(Measure::RestoreDifferences, as_number(counts.different));
        Ok(Outcome::Delivered(Delivery {
            result: json!({ "set": report.set, "folder": report.folder, "report": key, "equal": report.equal,
                "counts": report.counts }),
            digest: None,
            bytes: counts.bytes,
            detail: [
                ("folder", restoring.root.to_string()),
                ("report", key),
                ("documents", counts.documents.to_string()),
                ("different", counts.different.to_string()),
            ]
            .map(|(name, fact)| (name.to_owned(), fact))
            .into(),
        }))
    }

    async fn restore_one(&self, restoring: &Restoring<'_>, node: i64) -> Result<Restored> {
        let replica = &restoring.set.replica;
        let Some(kept) = replica.record(node).await? else { return Ok(Restored::Nothing) };
        let record = kept.record;
        let named = matches!(restoring.scope, Scope::Only(only) | Scope::Below(only) if only == node);
        let wanted = match record.presence {
            Presence::Present => true,
            Presence::Gone => named || restoring.deleted,
            Presence::Left => named,
        };
        if !wanted {
            return Ok(Restored::Nothing);
        }
        let is_document = record.kind == kind::DOCUMENT;
        let entry = Entry::of(node, is_document);
        let state = match replica.revision(&record.revision).await {
            Ok(revision) => revision.state,
            Err(error) if error.code() == DAMAGED => {
                let field = format!("revision {}", record.revision.number);
                let damaged = Difference::new(field, "is missing or another one");
                return Ok(Restored::Entry(entry.damaged(vec![damaged])));
            }
            Err(error) => return Err(error),
        };
        let Some(way) = self.way(restoring, &record, &state).await? else { return Ok(Restored::Nothing) };
        let mut parent = restoring.root;
        for step in &way {
            parent = self.restored_folder(restoring, parent, (step.id, &step.name), None).await?;
        }
        let versions = state.versions.len() as u64;
        let bytes = state.versions.iter().map(|version| version.content.size).sum();
        let entry = Entry { versions, bytes, ..entry };
        let restored = if is_document {
            let (set, mark) = (restoring.set, restoring.mark(node));
            match self.restore_contents(set, &state, parent, &mark, restoring.run).await? {
                Contents::Restored(restored) => restored,
                Contents::Paused => return Ok(Restored::Paused),
                Contents::Damaged(damaged) => return Ok(Restored::Entry(entry.damaged(vec![damaged]))),
                Contents::Refused(refused) => return Ok(Restored::Entry(entry.differing(vec![refused]))),
            }
        } else {
            self.restored_folder(restoring, parent, (node, &state.node.name), Some(&state.node)).await?
        };
        let entry = Entry { restored: Some(restored.0), ..entry };
        self.dress_and_compare(restoring, &state, restored, entry).await.map(Restored::Entry)
    }

    async fn dress_and_compare(
        &self,
        restoring: &Restoring<'_>,
        state: &ReplicaState,
        restored: NodeId,
        entry: Entry,
    ) -> Result<Entry> {
        let rule = &restoring.set.rule;
        // A drill leaves nothing that cannot be deleted.
        let records = rule.records == Records::Restore && restoring.kind == ReportKind::Restore;
        let mut differences = self.dress(&state.node, restored, records).await?;
        let node = self.content_server.get_node(restored).await?;
        let now = NodeDescription::read(&self.content_server, &node).await?;
        for difference in compare(&state.node, &now, records) {
            if differences.iter().all(|refused| refused.field != difference.field) {
                differences.push(difference);
            }
        }
        // Last: whoever may look from then on finds everything.
        if rule.permissions == Permissions::Restore {
            differences.extend(self.give_rights(&state.node.permissions, restored).await?);
        }
        let mut entry = entry.differing(differences);
        if now.name != state.node.name {
            entry.notes.push("its name was taken: the number of the original is behind it".to_owned());
        }
        if state.node.kind == kind::WORKSPACE {
            entry.notes.push("a business workspace is restored as a folder".to_owned());
        }
        Ok(entry)
    }

    /// A folder that takes the place of an original.
    async fn restored_folder(
        &self,
        restoring: &Restoring<'_>,
        parent: NodeId,
        (original, name): (i64, &str),
        described: Option<&NodeDescription>,
    ) -> Result<NodeId> {
        let known = restoring.made.lock().unwrap_or_else(PoisonError::into_inner).get(&original).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let mark = restoring.mark(original);
        // A folder is often made on the way to what is in it, and looks the same then.
        let described = match described {
            Some(described) => Some(described.clone()),
            None => self.described(restoring, original).await?,
        };
        let date = |of: fn(&NodeDescription) -> &Option<String>| {
            described.as_ref().and_then(|one| of(one).as_deref())
        };
        let folder = NewFolder {
            description: described.as_ref().map(|one| one.description.clone()).unwrap_or_default(),
            external: marked(&mark, date(|one| &one.created), date(|one| &one.modified)),
            ..NewFolder::default()
        };
        let wanted = Wanted { parent, name, original, mark: &mark, new: New::Folder(&folder) };
        let made = self.ensure(&wanted, restoring.run).await?;
        let mut known = restoring.made.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(original, made);
        Ok(made)
    }

    async fn described(&self, restoring: &Restoring<'_>, node: i64) -> Result<Option<NodeDescription>> {
        let replica = &restoring.set.replica;
        let Some(kept) = replica.record(node).await? else { return Ok(None) };
        match replica.revision(&kept.record.revision).await {
            Ok(revision) => Ok(Some(revision.state.node)),
            Err(error) if error.code() == DAMAGED => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The folders between the folder that is restored into and a thing; nothing when it is not to be restored. Folders
    /// are where and called what the replica says of them now, or what it said with the thing.
    async fn way(
        &self,
        restoring: &Restoring<'_>,
        record: &ReplicaRecord,
        state: &ReplicaState,
    ) -> Result<Option<Vec<FolderStep>>> {
        if matches!(restoring.scope, Scope::Only(_)) {
            return Ok(Some(Vec::new()));
        }
        let mut steps = Vec::new();
        let (mut parent, mut depth) = (record.parent, record.depth);
        while depth > 0 && steps.len() < DEEPEST {
            let Some((name, above, above_depth)) = self.folder(restoring, parent).await? else {
                let end = state.folders.iter().position(|folder| folder.id == parent).map_or(0, |at| at + 1);
                steps.extend(state.folders.iter().take(end).rev().cloned());
                break;
            };
            steps.push(FolderStep { id: parent, name });
            (parent, depth) = (above, above_depth);
        }
        steps.reverse();
        match restoring.scope {
            Scope::Below(folder) if folder == record.node => Ok(Some(Vec::new())),
            Scope::Below(folder) => {
                let at = steps.iter().position(|step| step.id == folder);
                Ok(at.map(|at| steps.split_off(at)))
            }
            _ => Ok(Some(steps)),
        }
    }

    /// Name, container and depth of a folder, as the replica knows it.
    async fn folder(&self, restoring: &Restoring<'_>, node: i64) -> Result<Option<(String, i64, usize)>> {
        let known = restoring.known.lock().unwrap_or_else(PoisonError::into_inner).get(&node).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let kept = restoring.set.replica.record(node).await?;
        let found = kept.map(|kept| (kept.record.name, kept.record.parent, kept.record.depth));
        let mut known = restoring.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(node, found.clone());
        Ok(found)
    }
}

/// Whether a drill has restored what it is to restore.
fn is_enough(restoring: &Restoring<'_>, counts: &Counts) -> bool {
    restoring.kind == ReportKind::Drill
        && counts.documents >= restoring.set.rule.drill_documents.try_into().unwrap_or(u64::MAX)
}
