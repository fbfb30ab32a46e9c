//! Copies the documents of a case into the working place, each with what is known of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    content_server::{AuditFilter, NOT_ACCESSIBLE, NOT_FOUND, NodeId},
    error::{FailureClass, Result},
    flow::Run,
    transfer::{self, UploadSizes},
};

use super::{
    ArchiveClosedFiles, again,
    case::Case,
    layout::{description_path, payload_path, work_prefix},
    plan::{Plan, Planned, PlannedVersion},
    progress::Progress,
    retention,
};
use crate::version_copy::{NodeDescription, Shelf, VersionCopy, VersionDescription};

/// Pieces until what was packed is written down.
const SAVE_EVERY: usize = 100;
/// Under which name progress of a long copy is recorded: one after the other.
const LONG_COPY: &str = "piece";

/// One file of the bag that is in the working place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Packed {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    /// The document, and which version of it; nothing for what is known of it.
    pub(super) node: i64,
    pub(super) version: Option<i64>,
    /// Until when the document's record is retained.
    pub(super) until: Option<Timestamp>,
}

/// One piece of work: a version, or the description of a document after all its versions.
fn pieces(plan: &Plan) -> impl Iterator<Item = (&Planned, Option<&PlannedVersion>)> {
    plan.documents.iter().flat_map(|document| {
        document.versions.iter().map(move |version| (document, Some(version))).chain([(document, None)])
    })
}

impl ArchiveClosedFiles {
    /// Packs what is not packed yet. False when the invocation must end before.
    pub(super) async fn pack(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        progress: &mut Progress,
        item: &str,
        run: &Run,
    ) -> Result<bool> {
        let mut fresh = Vec::new();
        for (document, version) in pieces(plan).skip(progress.packed) {
            if run.must_stop() {
                self.note_packed(case, &mut fresh, progress, item, run).await?;
                return Ok(false);
            }
            let packed = match version {
                Some(version) => self.pack_version(case, document, version, progress, item, run).await?,
                None => Some(self.pack_description(case, document, progress, item, run).await?),
            };
            match packed {
                Some(packed) => fresh.push(packed),
                None => {
                    self.note_packed(case, &mut fresh, progress, item, run).await?;
                    return Ok(false);
                }
            }
            if fresh.len() == SAVE_EVERY {
                self.note_packed(case, &mut fresh, progress, item, run).await?;
            }
        }
        self.note_packed(case, &mut fresh, progress, item, run).await?;
        Ok(true)
    }

    async fn note_packed(
        &self,
        case: &Case<'_>,
        fresh: &mut Vec<Packed>,
        progress: &mut Progress,
        item: &str,
        run: &Run,
    ) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        let last = progress.packed + fresh.len();
        let key = format!("{}packed-{last}.json", work_prefix(item, progress.attempt));
        self.put_json(self.bucket(case.rule), &key, fresh).await?;
        progress.packed = last;
        progress.lists.push(last);
        progress.save(run).await?;
        fresh.clear();
        Ok(())
    }

    /// Everything that was packed, by path.
    pub(super) async fn packed(
        &self,
        case: &Case<'_>,
        progress: &Progress,
        item: &str,
    ) -> Result<Option<BTreeMap<String, Packed>>> {
        let mut all = BTreeMap::new();
        for last in &progress.lists {
            let key = format!("{}packed-{last}.json", work_prefix(item, progress.attempt));
            let Some(list) = self.get_json::<Vec<Packed>>(self.bucket(case.rule), &key).await? else {
                return Ok(None);
            };
            all.extend(list.into_iter().map(|packed| (packed.path.clone(), packed)));
        }
        Ok(Some(all))
    }

    async fn pack_version(
        &self,
        case: &Case<'_>,
        document: &Planned,
        planned: &PlannedVersion,
        progress: &Progress,
        item: &str,
        run: &Run,
    ) -> Result<Option<Packed>> {
        let path = payload_path(&document.folders, &planned.file_name, document.node, planned.number);
        let shelf = Shelf {
            bucket: self.bucket(case.rule).to_owned(),
            prefix: format!("{}bag/", work_prefix(item, progress.attempt)),
            // The class of the archive comes with its place: what cannot be read cannot be validated.
            storage_class: None,
        };
        let copy = VersionCopy {
            content_server: &self.content_server,
            s3: &self.s3,
            shelf: &shelf,
            reading: case.rule.reading,
            sizes: UploadSizes::default(),
        };
        let key = format!("{}{path}", shelf.prefix);
        let node = NodeId(document.node);
        let copied = Box::pin(copy.copy_to(node, &planned.version(), &key, LONG_COPY, run)).await;
        match copied {
            Ok(transfer::Progress::Done(digests)) => Ok(Some(Packed {
                path,
                sha256: digests.sha256,
                size: digests.bytes,
                node: document.node,
                version: Some(planned.number),
                until: None,
            })),
            Ok(transfer::Progress::Paused) => Ok(None),
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Err(went()),
            Err(error) => Err(error),
        }
    }

    async fn pack_description(
        &self,
        case: &Case<'_>,
        document: &Planned,
        progress: &Progress,
        item: &str,
        run: &Run,
    ) -> Result<Packed> {
        let node = match self.content_server.get_node(NodeId(document.node)).await {
            Ok(node) => node,
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => return Err(went()),
            Err(error) => return Err(error),
        };
        let described = NodeDescription::read(&self.content_server, &node).await?;
        let today = retention::day(run.context().now());
        let until = match &case.rule.retention {
            Some(rule) => retention::of_records(rule, &described.records, today)?,
            None => None,
        };
        let versions: Vec<serde_json::Value> = document
            .versions
            .iter()
            .map(|planned| {
                let path = payload_path(&document.folders, &planned.file_name, document.node, planned.number);
                json!({ "version": VersionDescription::of(&planned.version()), "path": path })
            })
            .collect();
        let text = json!({
            "schema": "waybill.archived-document.v1",
            "node": described,
            "versions": versions,
            "audit": self.audit(node.id).await?,
        });
        let path = description_path(document.node);
        let key = format!("{}bag/{path}", work_prefix(item, progress.attempt));
        let digests = self.put_json(self.bucket(case.rule), &key, &text).await?;
        Ok(Packed {
            path,
            sha256: digests.sha256,
            size: digests.bytes,
            node: document.node,
            version: None,
            until,
        })
    }

    /// What Content Server wrote down about a node; nothing where this user may not read that.
    pub(super) async fn audit(&self, node: NodeId) -> Result<Option<Vec<serde_json::Value>>> {
        let entries = match self.content_server.list_audit(node, &AuditFilter::default()).await {
            Ok(entries) => entries,
            Err(error) if error.class() == FailureClass::Forbidden => return Ok(None),
            Err(error) => return Err(error),
        };
        let entries = entries.into_iter().map(|entry| {
            json!({
                "type": entry.event_type,
                "name": entry.name,
                "at": entry.at.map(|at| at.to_string()),
                "user": entry.user,
            })
        });
        Ok(Some(entries.collect()))
    }
}

fn went() -> shared::error::Error {
    again("archive.changed", "a document went while the case was packed: the case is looked at anew")
}
