//! Destroying, on the decision of Content Server: first what there is is kept, then the asset goes into iconik's recycle
//! bin, then, by rule, the documents into Content Server's; last the certificate is filed. Whatever comes in between,
//! the asset comes out of the bin again.

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{
        COLLISION, External, NewDocument, NewFolder, Node, NodeId, OfficialRecords, RecordDetails,
        ReductionRefused, Upload,
    },
    error::{Error, FailureClass, Result, System},
    flow::{Policy, Run},
    http::Replayable,
    iconik::{Asset as IconikAsset, AssetId, AssetStatus, FileScope},
};

use super::{
    RequestDisposition,
    act::closed,
    asset::Asset,
    case::Case,
    certificate::{
        self, AssetRecord, AuditRecord, Certificate, Destroyed, DocumentRecord, FORMAT, FileRecord,
        HoldRecord, VersionRecord,
    },
    chain_of,
    documents::is_missing,
    permit::{Grounds, Permit, Refused},
    report::Report,
    review::Decision,
    step::Step,
    turn::{Ended, INVENTORY, heading},
};
use crate::disposition_rules::{Destroy, Outcome, State};

/// Files of an asset that a certificate names.
const MOST_FILES: usize = 2_000;
/// Bytes of a certificate.
const LARGEST: usize = 8 << 20;

/// The checkpoint that everything is removed and the last look was passed: only the certificate is left to do.
const REMOVED: &str = "removed";

/// What is to be destroyed, kept before anything is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Inventory {
    asset: AssetRecord,
    documents: Vec<DocumentRecord>,
    decision: Decision,
    looked_at: String,
    /// The folder of the certificate.
    folder: NodeId,
}

/// Something came in between.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Stopped {
    Refused(Refused),
    NotRemovable(ReductionRefused),
}

impl RequestDisposition {
    pub(super) async fn destroy(&self, asset: &Asset, grounds: &Grounds<'_>, run: &Run) -> Result<Ended> {
        let text = format!("{} Content Server decided: destroy.", heading(grounds.case));
        let outcome = Some(Outcome::Destroy);
        if grounds.rule.destroy == Destroy::Nothing {
            // People do it themselves, and it is not done yet.
            self.report(asset, &Report { state: None, outcome, held: false, text }, run).await?;
            return Ok(closed(grounds.case, Outcome::Destroy, None));
        }
        let report = Report { state: Some(State::Destroyed), outcome, held: false, text };
        // A certificate that has no place is found out before there is something to certify.
        let folder = self.certificate_folder().await?;
        let documents = self.documents(asset, run).await?;
        let mut inventory = Inventory {
            asset: self.asset_record(asset, grounds.case).await?,
            documents: Vec::new(),
            decision: self.with_names(grounds.decision).await?,
            looked_at: String::new(),
            folder,
        };
        for document in documents {
            inventory.documents.push(DocumentRecord {
                node: document.id.0,
                name: document.name,
                versions: self.versions_of(document.id).await?,
                removed: grounds.rule.destroy == Destroy::AssetAndDocuments,
            });
        }
        if let Err(refused) = self.may(grounds).await? {
            return self.refuse(asset, grounds, &refused, run).await;
        }
        inventory.looked_at = run.context().now().to_string();
        // Told before it is done: there is nothing to tell it to afterwards.
        self.report(asset, &report, run).await?;
        run.checkpoint(INVENTORY, &inventory).await?;
        self.carry_out(grounds, &inventory, run).await
    }

    /// An earlier attempt has begun to destroy, or was about to.
    pub(super) async fn go_on_destroying(
        &self,
        step: &Step,
        open: &Case,
        inventory: &Inventory,
        run: &Run,
    ) -> Result<Ended> {
        let Some(rule) = self.rules.rule(&open.rule) else {
            let message = "the rule by which this was being destroyed is not there any more";
            return Err(Error::invalid("disposition.rule-gone", message)
                .remedy("put the rule back, and redrive; or look what is in the recycle bins"));
        };
        let case = Case { turn: step.turn, held: false, ..open.clone() };
        let grounds = Grounds { case: &case, rule, decision: &inventory.decision, is_deleted: false };
        self.carry_out(&grounds, inventory, run).await
    }

    /// From the first removal on there are two ends: a certificate, or the asset is back. What would otherwise be put aside
    /// in between is tried again, or undone first.
    async fn carry_out(&self, grounds: &Grounds<'_>, inventory: &Inventory, run: &Run) -> Result<Ended> {
        let removed = match run.recorded::<bool>(REMOVED) {
            Some(true) => Ok(None),
            _ => self.remove(grounds, inventory, run).await,
        };
        match removed {
            Ok(None) => run.checkpoint(REMOVED, &true).await?,
            Ok(Some(stopped)) => return self.bring_back(grounds, inventory, stopped, run).await,
            Err(error) if is_final(&error) && self.are_documents_left(inventory).await? => {
                self.restore(&AssetId::new(&inventory.asset.id), run).await.map_err(again_later)?;
                return Err(error);
            }
            Err(error) => return Err(again_later(error)),
        }
        let certificate = self.certify(grounds, inventory, run).await.map_err(again_later)?;
        Ok(closed(grounds.case, Outcome::Destroy, Some(certificate)))
    }

    /// Whether no document is gone yet, so that nothing is lost when the asset comes back.
    async fn are_documents_left(&self, inventory: &Inventory) -> Result<bool> {
        for document in inventory.documents.iter().filter(|document| document.removed) {
            if self.is_gone(NodeId(document.node)).await.map_err(again_later)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes the asset, then the documents, each by a permit of its own.
    async fn remove(
        &self,
        grounds: &Grounds<'_>,
        inventory: &Inventory,
        run: &Run,
    ) -> Result<Option<Stopped>> {
        let id = AssetId::new(&inventory.asset.id);
        if let Err(refused) = self.delete_asset(&id, grounds, run).await? {
            return Ok(Some(Stopped::Refused(refused)));
        }
        let grounds = Grounds { is_deleted: true, ..*grounds };
        let mut left = Vec::new();
        // The one that stands for all goes last.
        let to_remove = inventory.documents.iter().rev().filter(|document| document.removed);
        for node in to_remove.clone().map(|document| NodeId(document.node)) {
            if !self.is_gone(node).await? {
                left.push(node);
            }
        }
        // iconik knows of no holds: one that came between the last look and the call is found by this one. Where a
        // document is gone, an earlier attempt had this behind it.
        if left.len() == to_remove.count()
            && let Err(refused) = self.may(&grounds).await?
        {
            return Ok(Some(Stopped::Refused(refused)));
        }
        for node in left {
            match self.remove_document(node, &grounds, run).await? {
                Ok(()) | Err(Stopped::NotRemovable(ReductionRefused::Gone)) => {}
                Err(Stopped::NotRemovable(why)) => {
                    return self.stopped_by(grounds.case, why).await.map(Some);
                }
                Err(refused) => return Ok(Some(refused)),
            }
        }
        Ok(None)
    }

    /// The asset goes into the recycle bin, unless something speaks against it in this very moment.
    async fn delete_asset(
        &self,
        id: &AssetId,
        grounds: &Grounds<'_>,
        run: &Run,
    ) -> Result<std::result::Result<(), Refused>> {
        if self.is_deleted(id).await? {
            return Ok(Ok(()));
        }
        // A look that is refused says nothing of a deletion that may still come: it must not put the item aside.
        let gone = || async {
            let is_deleted = self.is_deleted(id).await.map_err(again_later)?;
            Ok::<_, Error>(is_deleted.then_some(Ok(())))
        };
        let act = || async {
            match self.may(grounds).await? {
                Ok(permit) => self.delete_by(permit, id).await.map(Ok),
                Err(refused) => Ok(Err(refused)),
            }
        };
        run.effect("delete asset", Policy::CheckThenRepeat, gone, act).await
    }

    async fn delete_by(&self, _permit: Permit, id: &AssetId) -> Result<()> {
        self.iconik.delete_asset_once(id).await
    }

    async fn is_deleted(&self, id: &AssetId) -> Result<bool> {
        let found: Option<IconikAsset> = self.iconik.find_asset(id).await?;
        Ok(found.is_none_or(|asset| asset.status == AssetStatus::Deleted))
    }

    /// A document goes, unless something speaks against it in this very moment.
    async fn remove_document(
        &self,
        node: NodeId,
        grounds: &Grounds<'_>,
        run: &Run,
    ) -> Result<std::result::Result<(), Stopped>> {
        let gone = || async { Ok(self.is_gone(node).await.map_err(again_later)?.then_some(Ok(()))) };
        let act = || async {
            if let Err(refused) = self.may(grounds).await? {
                return Ok(Err(Stopped::Refused(refused)));
            }
            let outcome = match self.content_server.may_remove(node, OfficialRecords::Reduce).await? {
                Ok(permit) => self.content_server.remove_document(permit).await?,
                Err(why) => Err(why),
            };
            Ok(outcome.map_err(Stopped::NotRemovable))
        };
        run.effect("remove document", Policy::CheckThenRepeat, gone, act).await
    }

    async fn is_gone(&self, node: NodeId) -> Result<bool> {
        match self.content_server.get_node(node).await {
            Err(error) if is_missing(&error) => Ok(true),
            found => found.map(|_| false),
        }
    }

    /// Content Server does not let a document go: by a hold, or for a reason of its own.
    async fn stopped_by(&self, case: &Case, why: ReductionRefused) -> Result<Stopped> {
        if let ReductionRefused::Held { on } = why {
            return Ok(Stopped::Refused(Refused::Held { on }));
        }
        Ok(match self.hold_over(&case.nodes).await? {
            Some(on) => Stopped::Refused(Refused::Held { on }),
            None => Stopped::NotRemovable(why),
        })
    }

    /// The asset comes out of the recycle bin, and it is told why.
    async fn bring_back(
        &self,
        grounds: &Grounds<'_>,
        inventory: &Inventory,
        stopped: Stopped,
        run: &Run,
    ) -> Result<Ended> {
        let id = AssetId::new(&inventory.asset.id);
        self.restore(&id, run).await.map_err(again_later)?;
        let asset = match self.asset(id.as_str()).await? {
            Ok(asset) => asset,
            Err(reason) => return Ok(Ended::skipped(grounds.case.clone(), &reason.code, &reason.message)),
        };
        match stopped {
            Stopped::Refused(refused) => self.refuse(&asset, grounds, &refused, run).await,
            Stopped::NotRemovable(why) => {
                let message = format!("Content Server does not let the document go: {why}");
                Err(Error::new(
                    FailureClass::Forbidden,
                    System::ContentServer,
                    "remove document",
                    "disposition.not-removable",
                    message,
                )
                .remedy(
                    "remove what is in the way, or leave documents to Content Server: destroy = \"asset\"",
                ))
            }
        }
    }

    /// Takes the asset out of the recycle bin, unless it is out.
    async fn restore(&self, id: &AssetId, run: &Run) -> Result<()> {
        let is_back = || async { Ok::<_, Error>((!self.is_deleted(id).await?).then_some(())) };
        if is_back().await?.is_some() {
            return Ok(());
        }
        let restore = || async {
            match self.iconik.restore_asset_once(id).await {
                // An earlier call has brought it back.
                Err(error) if error.class() == FailureClass::Gone => {
                    is_back().await?.ok_or_else(|| lost(error))
                }
                outcome => outcome,
            }
        };
        run.effect("restore asset", Policy::CheckThenRepeat, is_back, restore).await?;
        run.note("restored", "the asset came out of the recycle bin again");
        Ok(())
    }

    // --- what there was -------------------------------------------------------------------------------------------

    async fn asset_record(&self, asset: &Asset, case: &Case) -> Result<AssetRecord> {
        let scope = FileScope::Asset(AssetId::new(&asset.id));
        let files = self.iconik.list_files(&scope).all().await?;
        let file = |file: shared::iconik::File| FileRecord {
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

    async fn versions_of(&self, node: NodeId) -> Result<Vec<VersionRecord>> {
        let versions = match self.content_server.list_versions(node).await {
            Err(error) if is_missing(&error) => Vec::new(),
            versions => versions?,
        };
        let version = |version: &shared::content_server::Version| VersionRecord {
            number: version.number,
            size: version.file_size,
        };
        Ok(versions.iter().map(version).collect())
    }

    // --- the certificate ------------------------------------------------------------------------------------------

    async fn certificate_folder(&self) -> Result<NodeId> {
        let rules = &self.rules.certificates;
        let root = self.content_server.resolve_path(&rules.root).await?.id;
        let names: Vec<String> =
            rules.below.iter().map(|name| self.content_server.settings().names.escape(name)).collect();
        let folder = NewFolder::default();
        Ok(self.content_server.ensure_folder_path(root, &names, &folder).await?.folder.id)
    }

    /// Files the certificate, and reads back what is there. Gives its document and its SHA-256.
    async fn certify(
        &self,
        grounds: &Grounds<'_>,
        inventory: &Inventory,
        run: &Run,
    ) -> Result<(String, String)> {
        let number = number_of(grounds.case);
        let name = format!("Certificate of destruction {}.json", &number);
        let name = self.content_server.settings().names.escape(&name);
        let text = self.certificate(grounds, inventory, &number, run).await?.text()?;
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
        number: &str,
        run: &Run,
    ) -> Result<Certificate> {
        let now = run.context().now().to_string();
        let mut destroyed = vec![Destroyed {
            what: "iconik asset".to_owned(),
            id: inventory.asset.id.clone(),
            at: now.clone(),
            how: "put into the recycle bin, which iconik empties by itself".to_owned(),
        }];
        let removed = inventory.documents.iter().filter(|document| document.removed);
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
            documents: inventory.documents.clone(),
            decision: inventory.decision.clone(),
            holds: HoldRecord {
                looked_at: inventory.looked_at.clone(),
                nodes: grounds.case.nodes.iter().map(|node| node.0).collect(),
                in_force: false,
            },
            destroyed,
            audit: AuditRecord { chain, events, end },
        })
    }
}

/// The number of a certificate: of one status of one asset there is one.
fn number_of(case: &Case) -> String {
    format!("{}-{}", case.asset, case.revision)
}

/// What stands in a certificate's mark for its content.
fn witness(text: &[u8]) -> String {
    certificate::digest(text).chars().take(32).collect()
}

/// Whether a failure would put the item aside.
fn is_final(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Forbidden | FailureClass::Invalid | FailureClass::Gone)
}

/// What would put the item aside is tried again: something is destroyed, and has no certificate yet.
fn again_later(error: Error) -> Error {
    if is_final(&error) { error.with_class(FailureClass::Transient) } else { error }
}

fn name_taken(name: &str) -> Error {
    let message = format!("something else in the folder for certificates is called {name:?}");
    let (class, system) = (FailureClass::Forbidden, System::ContentServer);
    Error::new(class, system, "file certificate", "disposition.certificate-name-taken", message).remedy(
        "move or rename it, then redrive: the asset is in the recycle bin, and has no certificate yet",
    )
}

fn lost(error: Error) -> Error {
    let message = "the asset must come back, and is in no recycle bin any more";
    Error::new(FailureClass::Bug, System::Iconik, "restore asset", "disposition.asset-lost", message)
        .remedy("its bin was emptied while a hold came: see what the storage still has")
        .source(error)
}
