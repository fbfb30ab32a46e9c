//! Writes the tag files of a bag: what makes the files of a case a bag.

use std::collections::BTreeMap;

use serde_json::json;
use shared::{
    bagit::{self, BAG_INFO, BAGIT_TXT, BagInfo, DECLARATION, MANIFEST, TAG_MANIFEST},
    error::Result,
    flow::Run,
    transfer::Digests,
};

use super::{
    ArchiveClosedFiles,
    case::Case,
    layout::{CASE, work_prefix},
    pack::Packed,
    plan::Plan,
    progress::{Locked, Progress},
};
use crate::version_copy::NodeDescription;

impl ArchiveClosedFiles {
    /// Writes the tag files over what was packed; gives the SHA-256 of the manifest of tag files.
    pub(super) async fn seal(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        packed: &BTreeMap<String, Packed>,
        locked: Locked,
        work: (&Progress, &str),
        run: &Run,
    ) -> Result<String> {
        let (progress, item) = work;
        let bucket = self.bucket(case.rule);
        let prefix = format!("{}bag/", work_prefix(item, progress.attempt));
        let (payload, mut tags): (BTreeMap<_, _>, BTreeMap<_, _>) = packed
            .values()
            .map(|packed| (packed.path.clone(), packed.sha256.clone()))
            .partition(|(path, _)| path.starts_with("data/"));
        let described = self.describe_case(case, plan, packed, locked, run).await?;
        let digests = self.put_json(bucket, &format!("{prefix}{CASE}"), &described).await?;
        tags.insert(CASE.to_owned(), digests.sha256);
        let sizes = packed.values().filter(|packed| packed.version.is_some()).map(|packed| packed.size);
        let oxum = format!("{}.{}", sizes.clone().sum::<u64>(), sizes.count());
        let mut info = BagInfo::default();
        if let Some(organization) = &case.rule.source_organization {
            info = info.with("Source-Organization", organization);
        }
        let info = info
            .with("External-Description", &case.node.name)
            .with("External-Identifier", case.node.id.to_string())
            .with("Bagging-Date", super::retention::day(run.context().now()).to_string())
            .with("Payload-Oxum", oxum)
            .with("Internal-Sender-Identifier", plan.revision())
            .with("Bag-Software-Agent", concat!("waybill ", env!("CARGO_PKG_VERSION")));
        let files = [
            (MANIFEST, bagit::manifest(&payload)),
            (BAG_INFO, info.to_text()),
            (BAGIT_TXT, DECLARATION.to_owned()),
        ];
        for (name, text) in files {
            let Digests { sha256, .. } =
                self.put(bucket, &format!("{prefix}{name}"), text.into_bytes()).await?;
            tags.insert(name.to_owned(), sha256);
        }
        let text = bagit::manifest(&tags).into_bytes();
        Ok(self.put(bucket, &format!("{prefix}{TAG_MANIFEST}"), text).await?.sha256)
    }

    /// What is known of the case itself, and which documents are in the bag.
    async fn describe_case(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        packed: &BTreeMap<String, Packed>,
        locked: Locked,
        run: &Run,
    ) -> Result<serde_json::Value> {
        let described = NodeDescription::read(&self.content_server, &case.node).await?;
        let files = packed.values().filter_map(|packed| {
            let version = packed.version?;
            Some(json!({
                "node": packed.node, "version": version, "path": packed.path,
                "sha256": packed.sha256, "size": packed.size,
            }))
        });
        Ok(json!({
            "schema": "waybill.archived-case.v1",
            "case": described,
            "rule": case.rule.name,
            "archivedOn": super::retention::day(run.context().now()).to_string(),
            "revision": plan.revision(),
            "documents": plan.documents.iter().map(|document| document.node).collect::<Vec<_>>(),
            "containers": plan.containers,
            "files": files.collect::<Vec<_>>(),
            "retainUntil": locked.until.map(|until| until.to_string()),
            "heldWhenArchived": locked.held,
            "audit": self.audit(case.node.id).await?,
        }))
    }
}
