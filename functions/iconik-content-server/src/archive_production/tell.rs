//! What is said in iconik: the state of the package on the collection, the archive state and a line in the history on every
//! asset in it. No file is moved there.

use std::collections::BTreeSet;
use std::time::Duration;

use shared::{
    error::{Error, FailureClass, Result},
    flow::Run,
    iconik::{ArchiveStatus, AssetChange, AssetId, AssetStatus, HistoryOperation, MetadataChange, NOT_FOUND},
};

use super::{
    ArchiveProduction,
    closing::Production,
    file::Place,
    object,
    pack::{Packing, Step, TOTAL},
    select::Selection,
    work::{Read, Work},
};
use crate::production_rules::ArchiveStateName;

/// The checkpoint that names the asset whose history is next.
const TELLING: &str = "telling";

impl ArchiveProduction {
    /// The collection says that its package is being made.
    pub(super) async fn tell_packing(&self, production: &Production<'_>) -> Result<()> {
        match production.rule.told.packing.clone() {
            Some(word) => self.tell_state(production, &word, None).await,
            None => Ok(()),
        }
    }

    /// The collection says that its package waits.
    pub(super) async fn tell_held(&self, production: &Production<'_>) -> Result<()> {
        match production.rule.told.held.clone() {
            Some(word) => self.tell_state(production, &word, None).await,
            None => Ok(()),
        }
    }

    async fn tell_state(&self, production: &Production<'_>, word: &str, node: Option<i64>) -> Result<()> {
        let told = &production.rule.told;
        let Some(view) = &told.view else { return Ok(()) };
        let mut change = MetadataChange::new();
        if let Some(field) = &told.state_field {
            change = change.set(field, [word]);
        }
        if let (Some(field), Some(node)) = (&told.node_field, node) {
            change = change.set(field, [node]);
        }
        let of = object(&production.collection.id);
        self.iconik.update_metadata(&of, view, &change, None).await.map(drop)
    }

    /// Says that the package is complete: to every asset in it, and at last to the collection.
    pub(super) async fn tell(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        (read, selection): (&Read, &Selection),
        place: &Place,
    ) -> Result<Step<()>> {
        let (production, run) = (packing.production, packing.run);
        let rule = production.rule;
        if rule.told.history || rule.archive_state == ArchiveStateName::Assets {
            let packaged: BTreeSet<usize> = selection.files.iter().map(|chosen| chosen.asset).collect();
            let packaged: Vec<usize> = packaged.into_iter().collect();
            while let Some(position) = packaged.get(work.progress.told) {
                if run.must_stop() {
                    return Ok(Step::Paused);
                }
                let Some(asset) = read.assets.get(*position) else {
                    return Err(Error::bug("tell iconik", "an asset of the package was not read"));
                };
                packing.show(TOTAL * 95 / 100, "telling the assets").await?;
                self.tell_asset(packing, work, &AssetId::new(&asset.id), place).await?;
                work.progress.told += 1;
                work.progress.telling = None;
                self.save(work, run).await?;
            }
        }
        let word = rule.told.archived.clone();
        self.tell_state(production, &word, Some(place.node)).await?;
        Ok(Step::Done(()))
    }

    async fn tell_asset(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        asset: &AssetId,
        place: &Place,
    ) -> Result<()> {
        let (production, run) = (packing.production, packing.run);
        // Somebody may have deleted it since: then there is nobody to tell.
        let Some(found) = self.iconik.find_asset(asset).await? else { return Ok(()) };
        if found.status == AssetStatus::Deleted {
            return Ok(());
        }
        if production.rule.archive_state == ArchiveStateName::Assets
            && found.archive_status != ArchiveStatus::Archived
        {
            let change = AssetChange::new().archive_status(&ArchiveStatus::Archived);
            match self.iconik.update_asset(asset, &change).await {
                Ok(after) if after.archive_status == ArchiveStatus::Archived => {}
                // Whether a tenant takes this is not documented: what counts is what it shows afterwards.
                Ok(_) => work.progress.untold += 1,
                Err(error) if error.code() == NOT_FOUND => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if production.rule.told.history {
            self.tell_history(packing, work, asset, place, run).await?;
        }
        Ok(())
    }

    /// A line in the history of an asset, once.
    async fn tell_history(
        &self,
        packing: &Packing<'_>,
        work: &mut Work,
        asset: &AssetId,
        place: &Place,
        run: &Run,
    ) -> Result<()> {
        let production = packing.production;
        let words = format!(
            "Archived in Content Server, node {}, with closing {} of the collection {}",
            place.node, production.closing.number, production.collection.id
        );
        let number = work.progress.told;
        let begun = work.progress.telling == Some(number);
        // An earlier attempt may have written it, and the index may not show it yet.
        match self.find_history(asset, &words, begun, run).await {
            Ok(false) => {}
            Ok(true) => return Ok(()),
            Err(error) if error.code() == NOT_FOUND => return Ok(()),
            Err(error) => return Err(error),
        }
        if !begun {
            work.progress.telling = Some(number);
            self.save(work, run).await?;
        }
        // Whoever has lost the claim meanwhile learns of it here.
        run.checkpoint(TELLING, &number).await?;
        let job = packing.job.as_ref().map(crate::progress::Progress::job);
        let written = self.iconik.create_history_entry(asset, &HistoryOperation::Custom, &words, job).await;
        match written {
            Err(error) if error.code() == NOT_FOUND => Ok(()),
            Err(error) if error.class() == FailureClass::UnknownOutcome => {
                if self.find_history(asset, &words, true, run).await? { Ok(()) } else { Err(error) }
            }
            outcome => outcome.map(drop),
        }
    }

    /// Whether the history has a line. The index may show it late: with patience it is looked for until it would.
    async fn find_history(&self, asset: &AssetId, words: &str, patient: bool, run: &Run) -> Result<bool> {
        let mut left = if patient { self.iconik.settings().index_patience_seconds } else { 0 };
        loop {
            let mut pages = self.iconik.list_history(asset);
            while let Some(page) = pages.next_page().await? {
                if page.iter().any(|entry| entry.description == words) {
                    return Ok(true);
                }
            }
            if left == 0 {
                return Ok(false);
            }
            let pause = left.min(4);
            run.context().sleep(Duration::from_secs(pause)).await;
            left -= pause;
        }
    }
}
