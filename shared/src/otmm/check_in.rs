//! A new version of an asset, step by step: its content is checked out, sent, and checked in. A new version has a new id, and the
//! old one's metadata and policies.

use serde::{Deserialize, Serialize};

use super::{
    Client,
    asset::Asset,
    assets::Load,
    call::Call,
    content::Upload,
    error::{LOCKED, failure},
    ids::{AssetId, JobId, OriginalId},
    import::{ImportLedger, ImportStep},
    jobs::handle,
    search::Search,
    settings::{CheckInJob, CheckOutOrder},
};
use crate::error::{Error, FailureClass, Result};

const OPERATION: &str = "check in asset";

/// A version to be added.
#[derive(Debug, Clone)]
pub struct CheckIn {
    /// The version that it follows, which has to be the latest.
    pub asset: AssetId,
    /// The content.
    pub upload: Upload,
}

/// How far a check-in is. Keep it between steps; another process goes on from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInLedger {
    is_out: bool,
    content: ImportLedger,
    is_arriving: bool,
}

impl CheckInLedger {
    /// Whether the version may be there. Whoever takes a ledger over for which this holds looks for it first.
    pub fn may_have_arrived(&self) -> bool {
        self.is_arriving
    }

    /// Whether the asset is checked out because of it.
    pub fn is_checked_out(&self) -> bool {
        self.is_out
    }
}

impl Client {
    /// Takes one step of a check-in. After an error keep the ledger as well; give it up with [`Client::abandon_check_in`].
    ///
    /// # Errors
    /// [`LOCKED`] (`Conflict`) when somebody else has the asset; `otmm.old-version` (`Conflict`) when a later version is there;
    /// [`super::MAY_HAVE_ARRIVED`] (`UnknownOutcome`). As any call.
    pub async fn check_in_step(&self, new: &CheckIn, ledger: &mut CheckInLedger) -> Result<ImportStep> {
        if let Some(ended) = ledger.content.ended(OPERATION) {
            return ended;
        }
        ledger.content.check(OPERATION, new.upload.content.length())?;
        if !ledger.is_out {
            self.take_out(&new.asset).await?;
            ledger.is_out = true;
            return Ok(ImportStep::Going);
        }
        let kind = match self.settings.imports.check_in_job {
            CheckInJob::Imports => "imports",
            CheckInJob::Checkins => "checkins",
        };
        if !self.is_content_there(&new.upload, kind, &mut ledger.content).await? {
            return Ok(ImportStep::Going);
        }
        if !ledger.is_arriving {
            // Whoever keeps the ledger now knows that it may have arrived from here on.
            ledger.is_arriving = true;
            return Ok(ImportStep::Going);
        }
        let outcome = match ledger.content.job().cloned() {
            Some(job) => self.put_in(new, &job).await,
            None => Err(Error::bug(OPERATION, "content was sent to no job")),
        };
        let step = ledger.content.arrived(outcome);
        if step.is_ok() || step.as_ref().is_err_and(|error| error.class() != FailureClass::UnknownOutcome) {
            ledger.is_arriving = false;
        }
        step
    }

    async fn take_out(&self, id: &AssetId) -> Result<()> {
        let asset = self.get_asset(id, Load::State).await?;
        if asset.is_latest == Some(false) {
            let message = "a later version of the asset is there";
            return Err(failure(FailureClass::Conflict, OPERATION, "otmm.old-version", message));
        }
        if asset.is_checked_out && !self.is_held_by_us(&asset).await? {
            let message = "somebody else has checked the asset out";
            return Err(failure(FailureClass::Conflict, OPERATION, LOCKED, message));
        }
        match self.settings.imports.check_out_order {
            CheckOutOrder::CheckOutFirst => {
                self.check_out(id).await?;
                self.lock(id).await
            }
            CheckOutOrder::LockFirst => {
                self.lock(id).await?;
                self.check_out(id).await
            }
        }
    }

    async fn is_held_by_us(&self, asset: &Asset) -> Result<bool> {
        let own = self.own_id().await?;
        Ok(own.is_some() && asset.checked_out_by == own)
    }

    async fn put_in(&self, new: &CheckIn, job: &JobId) -> Result<JobId> {
        let form = self
            .new_form()
            .text("import_job_id", job.as_str())
            .text("file_name", &new.upload.file_name)
            .json("manifest", &new.upload.manifest(Some(&new.asset)));
        let call = Call::put(OPERATION, &["jobs", "checkins", job.as_str()]).once().multipart(&form);
        let answer = self.tell(&call).await?;
        Ok(handle(&call, &answer).unwrap_or_else(|_| job.clone()))
    }

    /// Gives a check-in up, so that others can have the asset: the check-out is given up where the site's word for that is known,
    /// and the lock is.
    ///
    /// # Errors
    /// As any call.
    pub async fn abandon_check_in(&self, id: &AssetId, ledger: &mut CheckInLedger) -> Result<()> {
        if ledger.is_out {
            if !self.settings.actions.cancel_check_out.is_empty() {
                self.cancel_check_out(id).await?;
            }
            self.unlock(id).await?;
        }
        *ledger = CheckInLedger::default();
        Ok(())
    }

    /// The latest version of an asset, of what the index knows; nothing when it finds none. It is read by its id.
    ///
    /// # Errors
    /// As any search.
    pub async fn latest_version(&self, original: &OriginalId, load: Load) -> Result<Option<Asset>> {
        let field = &self.settings.ids.original_asset_id;
        let search = Search::new().and(super::Condition::contains(field, original.as_str()));
        let hits = self.search(search).all().await?;
        let latest =
            hits.into_iter().filter(|hit| hit.original_id == *original).max_by_key(|hit| hit.version);
        match latest {
            Some(hit) => self.find_asset(&hit.id, load).await,
            None => Ok(None),
        }
    }
}
