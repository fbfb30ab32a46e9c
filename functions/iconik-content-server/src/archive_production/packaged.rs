//! What is in a package, beside what its summary says of it.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    content_server::{ChildFilter, NOT_ACCESSIBLE, NOT_FOUND, Node, NodeId, Version, kind},
    error::Result,
    filing::plan::Target,
    flow::Flow,
    reconcile::{Facts, Look, Pair, Seen},
    transfer::{Digests, hash_body},
};

use super::{
    ArchiveProduction,
    closing::Closing,
    records::SUMMARY,
    sides::{Production, ProductionSides, is_for_good},
    summary::{Document, Summary},
};
use crate::sides::{collection_asset, events, find_node, find_versions};

/// The longest summary that is read, in bytes.
const LONGEST: u64 = 64 << 20;
/// Nodes that are asked for at once.
const AT_ONCE: usize = 200;

/// A package whose summary was read.
pub(super) struct Packaged {
    pub(super) summary: Summary,
    /// The document of the summary.
    node: NodeId,
}

/// Where a summary is, and what is known of it.
struct Remembered {
    node: NodeId,
    /// Nothing stands for the newest one.
    version: Option<i64>,
    sha256: Option<String>,
}

impl ProductionSides {
    /// The package of a closing by its summary, which is compared with what is remembered of it; the pair is added. Nothing
    /// when the summary cannot be read.
    pub(super) async fn packaged(
        &self,
        production: &Production<'_>,
        closing: &Closing,
        pairs: &mut Vec<Pair>,
    ) -> Result<Option<Packaged>> {
        let mut pair = production.pair(&format!("summary of closing {}", closing.number), SUMMARY);
        let Some(known) = self.remembered(production, closing).await? else {
            pair.source = Seen::There(Facts::default());
            pair.note = Some("Where it was filed is not known any more, and it is not in its place.".into());
            pairs.push(pair);
            return Ok(None);
        };
        pair.source = Seen::There(Facts { sha256: known.sha256.clone(), ..Facts::default() });
        let read = self.read_summary(&known, &mut pair).await?;
        pairs.push(pair);
        Ok(read.map(|summary| Packaged { summary, node: known.node }))
    }

    /// Where the summary of a closing is: by the work at the package, which lies beside it for a while; by the audit chain of
    /// the collection; else by its name in the package's place.
    async fn remembered(&self, production: &Production<'_>, closing: &Closing) -> Result<Option<Remembered>> {
        let id = &production.collection.id;
        if let Some(summary) = self.flow.work_at(id, closing.number).await?.progress.summary {
            let (node, version) = (NodeId(summary.node), Some(summary.node_version));
            return Ok(Some(Remembered { node, version, sha256: Some(summary.sha256) }));
        }
        let ledger = &self.flow.environment.ledger;
        let asset = collection_asset(id.as_str());
        let number = closing.number.to_string();
        for event in events(ledger, ArchiveProduction::NAME, &asset, None).await? {
            let summary = event.detail.get("summary").and_then(|node| node.parse::<i64>().ok());
            if let Some(node) = summary.filter(|_| event.detail.get("closing") == Some(&number)) {
                let sha256 = event.message_digest;
                return Ok(Some(Remembered { node: NodeId(node), version: None, sha256 }));
            }
        }
        let Ok(target) = production.rule.target.plan(&production.collection, &production.metadata) else {
            return Ok(None);
        };
        let Some(container) = self.flow.filer.find_container(&target).await? else { return Ok(None) };
        let found = self.flow.filer.content_server().find_child(container, SUMMARY).await?;
        Ok(found.map(|node| Remembered { node: node.id, version: None, sha256: None }))
    }

    /// Reads a summary. What it is instead is told as the target of the pair.
    async fn read_summary(&self, known: &Remembered, pair: &mut Pair) -> Result<Option<Summary>> {
        let client = self.flow.filer.content_server();
        let versions = find_versions(client, known.node).await?;
        let wanted = |version: &&Version| known.version.is_none_or(|number| version.number == number);
        let version = versions.as_deref().unwrap_or_default().iter().rev().find(wanted);
        let Some(version) = version else {
            let node = known.node;
            pair.note =
                Some(format!("Node {node} or its version is not there, or not for the service user."));
            return Ok(None);
        };
        pair.changed = version.created;
        if version.file_size.is_some_and(|size| size > LONGEST) {
            pair.target = Seen::Unreadable("the summary is too long to be read".into());
            return Ok(None);
        }
        let most = usize::try_from(LONGEST).unwrap_or(usize::MAX);
        let bytes = match client.download_small_version(known.node, Some(version.number), most).await {
            Ok(bytes) => bytes,
            Err(error) if is_for_good(error.class()) => {
                pair.target = Seen::Unreadable(error.message().to_owned());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let sha256 = Some(Digests::of(&bytes).sha256);
        pair.target = Seen::There(Facts { size: version.file_size, sha256, ..Facts::default() });
        match serde_json::from_slice(&bytes) {
            Ok(summary) => Ok(Some(summary)),
            Err(error) if known.sha256.is_none() => {
                pair.target = Seen::Unreadable(format!("it is no summary: {error}"));
                Ok(None)
            }
            // The hash says that it is not what was written.
            Err(_) => Ok(None),
        }
    }

    /// Every document that a summary names.
    pub(super) async fn documents(
        &self,
        production: &Production<'_>,
        packaged: &Packaged,
        look: Look,
    ) -> Result<Vec<Pair>> {
        let client = self.flow.filer.content_server();
        let mut pairs = Vec::new();
        for page in packaged.summary.documents.chunks(AT_ONCE) {
            let nodes: Vec<NodeId> = page.iter().map(|document| NodeId(document.node)).collect();
            let there = client.list_nodes(&nodes).await?;
            let there: BTreeMap<i64, Node> = there.into_iter().map(|node| (node.id.0, node)).collect();
            for document in page {
                let node = there.get(&document.node);
                pairs.push(Box::pin(self.document(production, document, node, look)).await?);
            }
        }
        Ok(pairs)
    }

    async fn document(
        &self,
        production: &Production<'_>,
        document: &Document,
        node: Option<&Node>,
        look: Look,
    ) -> Result<Pair> {
        let client = self.flow.filer.content_server();
        let name = document.path.rsplit('/').next().unwrap_or(&document.path);
        let mut pair = production.pair(&document.path, name);
        let (size, sha256) = (Some(document.size), Some(document.sha256.clone()));
        pair.source = Seen::There(Facts { size, sha256: sha256.clone(), ..Facts::default() });
        let Some(node) = node else {
            pair.note =
                Some(format!("Node {} is not there, or the service user may not see it.", document.node));
            return Ok(pair);
        };
        pair.changed = node.modified;
        let mut target = Facts { size: node.size, sha256, ..Facts::default() };
        if target.size != size {
            // Somebody may have added a version, and then the size is that one's.
            let versions = find_versions(client, node.id).await?.unwrap_or_default();
            let Some(version) = versions.iter().find(|version| version.number == document.node_version)
            else {
                pair.note =
                    Some(format!("Node {} is there, its version {} is not.", node.id, document.node_version));
                return Ok(pair);
            };
            target.size = version.file_size;
            if target.size != size {
                // Other bytes have another hash.
                target.sha256 = None;
            }
        }
        if look.deep {
            let download = client.download(node.id, Some(document.node_version)).await?;
            target.sha256 = Some(hash_body(download.body, download.length).await?.sha256);
        }
        pair.target = Seen::There(target);
        Ok(pair)
    }

    /// What lies in a package and is not of it. What the flow has marked belongs to an earlier closing, or to an attempt.
    pub(super) async fn strays(&self, production: &Production<'_>) -> Result<Vec<Pair>> {
        let Some(archived) = production.archived() else { return Ok(Vec::new()) };
        let packaged = self.packaged(production, archived, &mut Vec::new()).await?;
        let Some(packaged) = packaged else { return Ok(Vec::new()) };
        // In a workspace there is what others put there.
        let target = production.rule.target.plan(&production.collection, &production.metadata);
        if !matches!(target, Ok(Target::Folder { .. })) {
            return Ok(Vec::new());
        }
        let summary = &packaged.summary;
        let mut known: BTreeSet<i64> = summary.documents.iter().map(|document| document.node).collect();
        known.insert(packaged.node.0);
        let place = NodeId(summary.package.node);
        if find_node(self.flow.filer.content_server(), place).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut pairs = Vec::new();
        let mut open = vec![place];
        while let Some(container) = open.pop() {
            for child in self.children(container).await? {
                if child.container {
                    open.push(child.id);
                }
                let is_marked =
                    child.external.identity.as_deref().is_some_and(|mark| mark.starts_with("waybill:"));
                if child.kind != kind::DOCUMENT || is_marked || known.contains(&child.id.0) {
                    continue;
                }
                let mut pair = production.pair(&format!("node {}", child.id), &child.name);
                pair.changed = child.modified;
                pair.target = Seen::There(Facts { size: child.size, ..Facts::default() });
                pair.note = Some(format!("It lies in the package, node {place}, which does not name it."));
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    async fn children(&self, container: NodeId) -> Result<Vec<Node>> {
        let client = self.flow.filer.content_server();
        match client.list_children(container, ChildFilter::default()).all().await {
            Ok(children) => Ok(children),
            // It went away since its parent was listed, or is not for the service user to see.
            Err(error) if matches!(error.code(), NOT_ACCESSIBLE | NOT_FOUND) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
