//! What there is before anything is destroyed, and the certificate afterwards.

use shared::{
    content_server::{
        COLLISION, External, NewDocument, NewFolder, Node, NodeId, RecordDetails, Upload, Version,
    },
    error::{Error, FailureClass, Result, System},
    flow::{Policy, Run},
    http::Replayable,
    iconik::{AssetId, File, FileScope},
};

use super::{
    RequestDisposition,
    asset::Asset,
    case::Case,
    certificate::{
        self, AssetRecord, AuditRecord, Certificate, Destroyed, FORMAT, FileRecord, HoldRecord, VersionRecord,
    },
    chain_of,
    destroy::Inventory,
    documents::is_missing,
    permit::Grounds,
};

/// Files of an asset that a certificate names.
const MOST_FILES: usize = 2_000;
/// Bytes of a certificate.
pub(super) const LARGEST: usize = 8 << 20;

impl RequestDisposition {
    pub(super) async fn asset_record(&self, asset: &Asset, case: &Case) -> Result<AssetRecord> {
        let scope = FileScope::Asset(AssetId::new(&asset.id));
        let files = self.iconik.list_files(&scope).all().await?;
        let file = |file: File| FileRecord {
            id: file.id.to_string(),
            name: file.original_name.clone(),
            size: file.size,
            checksum: file.checksum.clone(),
        };
        Ok(AssetRecord {
            id: asset.id.clone(),
            title: asset.title.clone(),
            status: asset.status.clone(),
            status_revision: case.revision,
            files: files.into_iter().take(MOST_FILES).map(file).collect(),
        })
    }

    pub(super) async fn versions_of(&self, node: NodeId) -> Result<Vec<VersionRecord>> {
        let versions = match self.content_server.list_versions(node).await {
            Err(error) if is_missing(&error) => Vec::new(),
            versions => versions?,
        };
        let version = |version: &Version| VersionRecord { number: version.number, size: version.file_size };
        Ok(versions.iter().map(version).collect())
    }

    pub(super) async fn certificate_folder(&self) -> Result<NodeId> {
        let rules = &self.rules.certificates;
        let root = self.content_server.resolve_path(&rules.root).await?.id;
        let names: Vec<String> =
            rules.below.iter().map(|name| self.content_server.settings().names.escape(name)).collect();
        let folder = NewFolder::default();
        Ok(self.content_server.ensure_folder_path(root, &names, &folder).await?.folder.id)
    }

    /// Files the certificate, and reads back what is there. Gives its document and its SHA-256. `only` are the documents that
    /// are gone where something came in between and the asset is back; without it all that was to be destroyed is.
    pub(super) async fn certify(
        &self,
        grounds: &Grounds<'_>,
        inventory: &Inventory,
        only: Option<&[NodeId]>,
        run: &Run,
    ) -> Result<(String, String)> {
        let number = number_of(grounds.case, only.is_some());
        let name = name_of(&number);
        let name = self.content_server.settings().names.escape(&name);
        let text = self.certificate(grounds, inventory, (&number, only), run).await?.text()?;
        let ours = format!("waybill:certificate:{number}:");
        let mark = format!("{ours}{}", witness(text.as_bytes()));
        let find = || async {
            let there = self.content_server.find_namesake(inventory.folder, &name).await?;
            let is_ours =
                |node: &Node| node.external.identity.as_deref().is_some_and(|mark| mark.starts_with(&ours));
            Ok::<_, Error>(there.filter(is_ours).map(|node| node.id))
        };
        let file = || async {
            let new = NewDocument {
                parent: inventory.folder,
                name: name.clone(),
                description: String::new(),
                external: External { identity: Some(mark.clone()), ..External::default() },
                categories: Vec::new(),
                advanced_versioning: None,
            };
            let upload = Upload {
                content: Replayable::from_bytes(text.clone().into_bytes()),
                ranges: None,
                file_name: name.clone(),
                content_type: "application/json".to_owned(),
            };
            match self.content_server.create_document(&new, &upload).await {
                Err(error) if error.code() == COLLISION => find().await?.ok_or_else(|| name_taken(&name)),
                filed => Ok(filed?.id),
            }
        };
        let node = run.effect("file certificate", Policy::CheckThenRepeat, find, file).await?;
        let filed = self.content_server.download_small(node, LARGEST).await?;
        let said = self.content_server.get_node(node).await?.external.identity.unwrap_or_default();
        if said != format!("{ours}{}", witness(&filed)) {
            // It was damaged on its way, so it is none: it makes room for a whole one.
            self.content_server.delete_node(node).await?;
            let message = format!("the document {node} did not hold the certificate that was filed");
            let (class, system) = (FailureClass::Transient, System::ContentServer);
            let code = "disposition.certificate-broken";
            return Err(Error::new(class, system, "file certificate", code, message));
        }
        if let Some(class) = &self.rules.certificates.class {
            let class = self.content_server.resolve_path(class).await?.id;
            self.content_server.classify_record(node, class, &RecordDetails::default()).await?;
        }
        Ok((node.to_string(), certificate::digest(&filed)))
    }

    async fn certificate(
        &self,
        grounds: &Grounds<'_>,
        inventory: &Inventory,
        (number, only): (&str, Option<&[NodeId]>),
        run: &Run,
    ) -> Result<Certificate> {
        let now = run.context().now().to_string();
        let mut documents = inventory.documents.clone();
        for document in &mut documents {
            document.removed &= only.is_none_or(|only| only.contains(&NodeId(document.node)));
        }
        let asset = Destroyed {
            what: "iconik asset".to_owned(),
            id: inventory.asset.id.clone(),
            at: now.clone(),
            how: "put into the recycle bin, which iconik empties by itself".to_owned(),
        };
        let mut destroyed: Vec<Destroyed> = only.is_none().then_some(asset).into_iter().collect();
        let removed = documents.iter().filter(|document| document.removed);
        destroyed.extend(removed.map(|document| Destroyed {
            what: "content server document".to_owned(),
            id: document.node.to_string(),
            at: now.clone(),
            how: "removed; where Content Server has a recycle bin, into it".to_owned(),
        }));
        let chain = chain_of(&inventory.asset.id).digest().to_owned();
        let (events, end) = run.ledger().export_chain(&chain).await?;
        Ok(Certificate {
            format: FORMAT.to_owned(),
            number: number.to_owned(),
            issued_at: now,
            agent: format!("waybill {} {}", super::FLOW, env!("CARGO_PKG_VERSION")),
            rule: grounds.rule.name.clone(),
            asset: inventory.asset.clone(),
            documents,
            decision: inventory.decision.clone(),
            holds: HoldRecord {
                looked_at: inventory.looked_at.clone(),
                nodes: inventory.documents.iter().map(|document| document.node).collect(),
                in_force: false,
            },
            destroyed,
            audit: AuditRecord { chain, events, end },
        })
    }
}

/// The name of a certificate, by its number.
pub(super) fn name_of(number: &str) -> String {
    format!("Certificate of destruction {number}.json")
}

/// The number of a certificate: of one status of one asset there is one, and one for each step in which something came in
/// between when documents were gone.
pub(super) fn number_of(case: &Case, in_part: bool) -> String {
    let part = if in_part { format!("-part-{}", case.turn) } else { String::new() };
    format!("{}-{}{part}", case.asset, case.revision)
}

/// What stands in a certificate's mark for its content.
fn witness(text: &[u8]) -> String {
    certificate::digest(text).chars().take(32).collect()
}

fn name_taken(name: &str) -> Error {
    let message = format!("something else in the folder for certificates is called {name:?}");
    let (class, system) = (FailureClass::Forbidden, System::ContentServer);
    Error::new(class, system, "file certificate", "disposition.certificate-name-taken", message).remedy(
        "move or rename it, then redrive: the asset is in the recycle bin, and has no certificate yet",
    )
}
