//! What a bag will hold: every document of a case, with the versions that belong into it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::{
    content_server::{ChildFilter, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Version, kind},
    error::Result,
    flow::Run,
};

use super::{ArchiveClosedFiles, case::Case, layout::work_prefix, progress::Progress};
use crate::archive_rules::Versions;

/// How the external identity of a pointer that stands for content kept elsewhere begins.
const POINTER: &str = "waybill:pointer:";
/// Documents planned until the plan is written down again.
const SAVE_EVERY: usize = 500;

/// What a bag will hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) documents: Vec<Planned>,
    /// Containers below the case.
    pub(super) containers: Vec<i64>,
}

/// One document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Planned {
    pub(super) node: i64,
    pub(super) name: String,
    /// The folders it is in, below the case.
    pub(super) folders: Vec<String>,
    /// What tells that it is as it was.
    mark: String,
    /// The versions for the bag, oldest first.
    pub(super) versions: Vec<PlannedVersion>,
    /// The newest version that is content, whether it is here or stands behind a pointer.
    newest: String,
}

/// One version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PlannedVersion {
    pub(super) number: i64,
    pub(super) label: String,
    pub(super) file_name: String,
    pub(super) size: Option<u64>,
    pub(super) media_type: Option<String>,
    pub(super) description: String,
    pub(super) created: Option<jiff::Timestamp>,
}

impl PlannedVersion {
    fn of(version: Version) -> Self {
        Self {
            number: version.number,
            label: version.label,
            file_name: version.file_name,
            size: version.file_size,
            media_type: version.mime_type,
            description: version.description,
            created: version.created,
        }
    }

    /// As Content Server told of it.
    pub(super) fn version(&self) -> Version {
        Version {
            number: self.number,
            label: self.label.clone(),
            file_name: self.file_name.clone(),
            file_size: self.size,
            mime_type: self.media_type.clone(),
            description: self.description.clone(),
            created: self.created,
            locked_by: None,
            external_identity: None,
        }
    }
}

impl Plan {
    /// Which state of the case this is: which documents, in which newest version.
    pub(super) fn revision(&self) -> String {
        let mut hash = Sha256::new();
        for document in &self.documents {
            hash.update(format!("{} {}\n", document.node, document.newest));
        }
        hex::encode(hash.finalize()).chars().take(16).collect()
    }

    /// Whether the same documents are there, as they were.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let marks = |plan: &Self| -> Vec<(i64, String)> {
            plan.documents.iter().map(|document| (document.node, document.mark.clone())).collect()
        };
        marks(self) == marks(other)
    }
}

impl ArchiveClosedFiles {
    /// The plan of an item's bag, written down. Nothing when the invocation must end before it is complete.
    pub(super) async fn plan(
        &self,
        case: &Case<'_>,
        progress: &mut Progress,
        item: &str,
        run: &Run,
    ) -> Result<Option<Plan>> {
        let bucket = self.bucket(case.rule);
        let key = format!("{}plan.json", work_prefix(item, progress.attempt));
        let known = if progress.listed { self.get_json::<Plan>(bucket, &key).await? } else { None };
        let mut plan = match known {
            Some(plan) => plan,
            None => {
                *progress = Progress {
                    attempt: progress.attempt,
                    rejected: progress.rejected,
                    ..Progress::default()
                };
                self.documents(&case.node).await?
            }
        };
        let fresh = progress.planned;
        while let Some(document) = plan.documents.get_mut(progress.planned) {
            let stop = run.must_stop();
            if stop || progress.planned - fresh == SAVE_EVERY {
                self.put_json(bucket, &key, &plan).await?;
                progress.listed = true;
                progress.save(run).await?;
                if stop {
                    return Ok(None);
                }
                return Box::pin(self.plan(case, progress, item, run)).await;
            }
            self.plan_versions(document, case.rule.versions).await?;
            progress.planned += 1;
        }
        if progress.planned > fresh || !progress.listed {
            self.put_json(bucket, &key, &plan).await?;
            progress.listed = true;
            progress.save(run).await?;
        }
        Ok(Some(plan))
    }

    /// What a bag would hold now.
    pub(super) async fn plan_now(&self, case: &Node, wanted: Versions) -> Result<Plan> {
        let mut plan = self.documents(case).await?;
        for document in &mut plan.documents {
            self.plan_versions(document, wanted).await?;
        }
        Ok(plan)
    }

    async fn plan_versions(&self, document: &mut Planned, wanted: Versions) -> Result<()> {
        let versions = match self.content_server.list_versions(NodeId(document.node)).await {
            Ok(versions) => versions,
            // It went meanwhile; the comparison at the end notices.
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Vec::new(),
            Err(error) => return Err(error),
        };
        let pointed = |version: &Version| {
            let identity = version.external_identity.as_deref()?.strip_prefix(POINTER)?;
            identity.rsplit(':').next().map(str::to_owned)
        };
        let behind = versions.iter().filter_map(pointed).next_back();
        let contents: Vec<Version> =
            versions.into_iter().filter(|version| pointed(version).is_none()).collect();
        let newest = contents.last().map(|version| version.number.to_string());
        document.newest = match (newest, behind) {
            (Some(newest), Some(behind)) if behind.parse::<i64>().ok() > newest.parse().ok() => behind,
            (Some(newest), _) => newest,
            (None, behind) => behind.unwrap_or_default(),
        };
        let skip = if wanted == Versions::Latest { contents.len().saturating_sub(1) } else { 0 };
        document.versions = contents.into_iter().skip(skip).map(PlannedVersion::of).collect();
        Ok(())
    }

    /// Every document of a case (or the document itself), in the order of their ids, without versions.
    pub(super) async fn documents(&self, case: &Node) -> Result<Plan> {
        let mut plan = Plan::default();
        if !case.container {
            plan.documents.push(planned(case, Vec::new()));
            return Ok(plan);
        }
        let mut open = vec![(case.id, Vec::new())];
        while let Some((container, folders)) = open.pop() {
            for child in self.content_server.list_children(container, ChildFilter::default()).all().await? {
                if child.container {
                    plan.containers.push(child.id.0);
                    let below: Vec<String> = [folders.as_slice(), &[child.name]].concat();
                    open.push((child.id, below));
                } else if child.kind == kind::DOCUMENT {
                    plan.documents.push(planned(&child, folders.clone()));
                }
            }
        }
        plan.documents.sort_by_key(|document| document.node);
        Ok(plan)
    }
}

fn planned(node: &Node, folders: Vec<String>) -> Planned {
    let modified = node.modified.map(|modified| modified.to_string()).unwrap_or_default();
    Planned {
        node: node.id.0,
        name: node.name.clone(),
        folders,
        mark: format!("{} {modified} {:?}", node.parent, node.size),
        versions: Vec::new(),
        newest: String::new(),
    }
}
