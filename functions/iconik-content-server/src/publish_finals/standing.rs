//! What iconik says now: which version of the asset is meant, and whether it is approved.

use jiff::Timestamp;
use shared::{
    error::{Error, FailureClass, Result, System},
    flow::Reason,
    iconik::{
        ApprovalStatus, Asset, AssetStatus, AssetVersion, ObjectRef, Reviewer, VersionId, VersionStatus,
    },
    iconik_change::IconikChange,
};

use super::{PublishFinals, again, asset_of};

/// The approval ended while its version was on its way.
pub(super) const WITHDRAWN: &str = "approval.withdrawn";

/// A version that is approved.
#[derive(Debug, Clone)]
pub(super) struct Approved {
    pub(super) asset: Asset,
    pub(super) version: AssetVersion,
    /// Whether it is the version people see.
    pub(super) is_current: bool,
    pub(super) at: Option<Timestamp>,
    /// Who approved it, by name, as far as iconik says.
    pub(super) by: Vec<String>,
}

impl Approved {
    pub(super) fn object(&self) -> ObjectRef {
        ObjectRef::Assets(self.asset.id.clone())
    }

    pub(super) fn number(&self) -> i64 {
        self.version.number.unwrap_or_default()
    }
}

/// What is to become of a hint.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    Approved(Box<Approved>),
    Not(Reason),
}

fn not(code: &str, message: impl Into<String>) -> Result<Standing> {
    Ok(Standing::Not(Reason::new(code, message)))
}

impl PublishFinals {
    pub(super) async fn standing(&self, change: &IconikChange) -> Result<Standing> {
        let Some(asset) = self.iconik.find_asset(&asset_of(change)).await? else {
            return not("asset.gone", "the asset is not there any more");
        };
        if asset.status == AssetStatus::Deleted {
            return not("asset.in-recycle-bin", "the asset is in the recycle bin of iconik");
        }
        let current = asset.current_version().map(|version| version.id.clone());
        let wanted = change.version_id.as_ref().map(VersionId::new).or_else(|| current.clone());
        let version = wanted.as_ref().and_then(|id| asset.version(id)).cloned();
        let Some(version) = version else {
            return not("version.deleted", "the version is not there any more");
        };
        match version.status {
            VersionStatus::Deleting | VersionStatus::Deleted => {
                return not("version.deleted", "the version is deleted");
            }
            VersionStatus::Failed => return not("version.failed", "iconik could not make the version"),
            VersionStatus::InProgress => {
                return Err(again("version.in-progress", "iconik is still making the version"));
            }
            VersionStatus::Active | VersionStatus::Other(_) => {}
        }
        let object = ObjectRef::Assets(asset.id.clone());
        let Some(approval) = self.iconik.find_approval(&object, Some(&version.id)).await? else {
            return not("approval.none", "nobody was asked to approve the version");
        };
        if approval.status != ApprovalStatus::Approved {
            let message = format!("the review of the version is {}", approval.status);
            return not("approval.not-approved", message);
        }
        let named = |reviewer: Reviewer| match reviewer {
            Reviewer::User(id) => {
                approval.users_info.iter().find(|person| person.id == id.as_str()).map(|person| person.name())
            }
            Reviewer::External(address) => Some(address),
            Reviewer::Unknown => None,
        };
        let approving = |verdict: &&shared::iconik::Verdict| verdict.status == ApprovalStatus::Approved;
        let verdicts = approval.approvals_by.iter().filter(approving);
        let by = verdicts.filter_map(|verdict| named(verdict.reviewer())).collect();
        let is_current = current.as_ref() == Some(&version.id);
        Ok(Standing::Approved(Box::new(Approved { at: approval.changed, by, is_current, asset, version })))
    }

    /// Whether the version is still approved: asked at the last moment before each document is made.
    ///
    /// # Errors
    /// [`WITHDRAWN`].
    pub(super) async fn check_approved(&self, approved: &Approved) -> Result<()> {
        let found = self.iconik.find_approval(&approved.object(), Some(&approved.version.id)).await?;
        if found.is_some_and(|approval| approval.status == ApprovalStatus::Approved) {
            return Ok(());
        }
        let message = "the approval was withdrawn while the version was on its way";
        Err(Error::new(FailureClass::Invalid, System::Iconik, "read approval", WITHDRAWN, message))
    }
}
