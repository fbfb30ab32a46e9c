//! Destroying, on the decision of Content Server: first what there is is kept, then the asset goes into iconik's recycle
//! bin, then, by rule, the documents into Content Server's; last the certificate is filed. Whatever comes in between,
//! the asset comes out of the bin again, and what was gone by then has a certificate of its own.

use serde::{Deserialize, Serialize};
use shared::{
    content_server::{Node, NodeId, OfficialRecords, ReductionRefused},
    error::{Error, FailureClass, Result, System},
    flow::{Policy, Run},
    iconik::{Asset as IconikAsset, AssetId, AssetStatus},
};

use super::{
    RequestDisposition,
    act::closed,
    asset::Asset,
    case::Case,
    certificate::{AssetRecord, DocumentRecord},
    documents::is_missing,
    permit::{Grounds, Permit, Refused},
    report::Report,
    review::Decision,
    step::Step,
    turn::{Ended, INVENTORY, heading},
};
use crate::disposition_rules::{Destroy, Outcome, State};

/// The checkpoint that everything is removed and the last look was passed: only the certificate is left to do.
const REMOVED: &str = "removed";

/// What is to be destroyed, kept before anything is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Inventory {
    pub(super) asset: AssetRecord,
    pub(super) documents: Vec<DocumentRecord>,
    /// Official records among those that are to be removed.
    #[serde(default)]
    official: Vec<NodeId>,
    pub(super) decision: Decision,
    pub(super) looked_at: String,
    /// The folder of the certificate.
    pub(super) folder: NodeId,
}

impl Inventory {
    /// The documents that are to be removed, in this order. Whether an official record goes is known when Content Server is
    /// asked to remove it, so those come first, before anything else is gone; the one that stands for all comes last.
    fn to_remove(&self) -> Vec<NodeId> {
        let removed = self.documents.iter().rev().filter(|document| document.removed);
        let mut order: Vec<NodeId> = removed.map(|document| NodeId(document.node)).collect();
        order.sort_by_key(|node| !self.official.contains(node));
        order
    }
}

/// Something came in between.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Stopped {
    Refused(Refused),
    NotRemovable(ReductionRefused),
}

impl RequestDisposition {
    pub(super) async fn destroy(
        &self,
        asset: &Asset,
        documents: Vec<Node>,
        grounds: &Grounds<'_>,
        run: &Run,
    ) -> Result<Ended> {
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
        let mut inventory = Inventory {
            asset: self.asset_record(asset, grounds.case).await?,
            documents: Vec::new(),
            official: Vec::new(),
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
        // One of several that does not go is found out before the others are gone.
        if let Some(stopped) = self.is_in_the_way(grounds, &mut inventory).await? {
            return match stopped {
                Stopped::Refused(refused) => self.refuse(asset, grounds, &refused, run).await,
                Stopped::NotRemovable(why) => Err(not_removable(&why)),
            };
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

    /// What keeps one of the documents from being removed, as far as Content Server says beforehand.
    async fn is_in_the_way(
        &self,
        grounds: &Grounds<'_>,
        inventory: &mut Inventory,
    ) -> Result<Option<Stopped>> {
        for node in inventory.to_remove() {
            let mut answer = self.content_server.may_remove(node, OfficialRecords::Keep).await?;
            if matches!(answer, Err(ReductionRefused::OfficialRecord)) {
                inventory.official.push(node);
                answer = self.content_server.may_remove(node, OfficialRecords::Reduce).await?;
            }
            match answer {
                Ok(_) | Err(ReductionRefused::Gone) => {}
                Err(why) => return self.stopped_by(grounds.case, why).await.map(Some),
            }
        }
        Ok(None)
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
        // Of whatever documents there were then, and not of those there were when it was asked.
        let nodes = inventory.documents.iter().map(|document| NodeId(document.node)).collect();
        let case = Case { turn: step.turn, held: false, nodes, ..open.clone() };
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
            Err(error) if is_final(&error) && self.gone_of(inventory).await?.is_empty() => {
                self.restore(&AssetId::new(&inventory.asset.id), run).await.map_err(again_later)?;
                return Err(error);
            }
            Err(error) => return Err(again_later(error)),
        }
        let certificate = self.certify(grounds, inventory, None, run).await.map_err(again_later)?;
        Ok(closed(grounds.case, Outcome::Destroy, Some(certificate)))
    }

    /// The documents that are gone of those that were to be removed.
    async fn gone_of(&self, inventory: &Inventory) -> Result<Vec<NodeId>> {
        let mut gone = Vec::new();
        for node in inventory.to_remove() {
            if self.is_gone(node).await.map_err(again_later)? {
                gone.push(node);
            }
        }
        Ok(gone)
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
        let (mut left, order) = (Vec::new(), inventory.to_remove());
        for node in order.iter().copied() {
            if !self.is_gone(node).await? {
                left.push(node);
            }
        }
        // iconik knows of no holds: one that came between the last look and the call is found by this one. Where a
        // document is gone, an earlier attempt had this behind it.
        if left.len() == order.len()
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

    /// The asset comes out of the recycle bin, and it is told why. Documents that are gone get their certificate.
    async fn bring_back(
        &self,
        grounds: &Grounds<'_>,
        inventory: &Inventory,
        stopped: Stopped,
        run: &Run,
    ) -> Result<Ended> {
        let id = AssetId::new(&inventory.asset.id);
        self.restore(&id, run).await.map_err(again_later)?;
        let gone = self.gone_of(inventory).await?;
        let ended = self.come_back(&id, grounds, stopped, run).await;
        if gone.is_empty() {
            return ended;
        }
        let ended = match ended {
            // Put aside, its event would not know the certificate; the next round meets the reason again.
            Err(error) if is_final(&error) => {
                Ended::skipped(grounds.case.clone(), error.code(), error.message())
            }
            ended => ended?,
        };
        let certificate = self.certify(grounds, inventory, Some(&gone), run).await.map_err(again_later)?;
        Ok(ended.having_destroyed(&gone, certificate))
    }

    /// The asset is back: it is told why.
    async fn come_back(
        &self,
        id: &AssetId,
        grounds: &Grounds<'_>,
        stopped: Stopped,
        run: &Run,
    ) -> Result<Ended> {
        let asset = match self.asset(id.as_str()).await? {
            Ok(asset) => asset,
            Err(reason) => return Ok(Ended::skipped(grounds.case.clone(), &reason.code, &reason.message)),
        };
        match stopped {
            Stopped::Refused(refused) => self.refuse(&asset, grounds, &refused, run).await,
            Stopped::NotRemovable(why) => Err(not_removable(&why)),
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
}

/// Whether a failure would put the item aside.
fn is_final(error: &Error) -> bool {
    matches!(error.class(), FailureClass::Forbidden | FailureClass::Invalid | FailureClass::Gone)
}

/// What would put the item aside is tried again: something is destroyed, and has no certificate yet.
fn again_later(error: Error) -> Error {
    if is_final(&error) { error.with_class(FailureClass::Transient) } else { error }
}

fn not_removable(why: &ReductionRefused) -> Error {
    let message = format!("Content Server does not let the document go: {why}");
    let (class, system) = (FailureClass::Forbidden, System::ContentServer);
    Error::new(class, system, "remove document", "disposition.not-removable", message)
        .remedy("remove what is in the way, or leave documents to Content Server: destroy = \"asset\"")
}

fn lost(error: Error) -> Error {
    let message = "the asset must come back, and is in no recycle bin any more";
    Error::new(FailureClass::Bug, System::Iconik, "restore asset", "disposition.asset-lost", message)
        .remedy("its bin was emptied while a hold came: see what the storage still has")
        .source(error)
}
