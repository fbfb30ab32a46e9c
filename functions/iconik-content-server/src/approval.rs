//! Whether a version of an asset is approved, and what is known of it: asked of iconik itself, whatever a hint says.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::{
    error::{Error, FailureClass, Result, Retry, System},
    flow::Reason,
    iconik::{
        ApprovalStatus, Asset, AssetId, AssetStatus, AssetVersion, Client, MetadataValues, NOT_FOUND,
        ObjectRef, Reviewer, VersionId, VersionStatus, View, ViewId,
    },
    mapping::Record,
};

use crate::asset_metadata::VIEW_MISSING;

/// The code of a wait for a version that iconik is still making.
pub const IN_PROGRESS: &str = "version.in-progress";
/// The approval ended while its version was on its way.
pub const WITHDRAWN: &str = "approval.withdrawn";

/// A version that is approved.
#[derive(Debug, Clone)]
pub struct Approved {
    /// The asset.
    pub asset: Asset,
    /// The version.
    pub version: AssetVersion,
    /// Whether it is the version people see.
    pub is_current: bool,
    /// When it was approved.
    pub at: Option<Timestamp>,
    /// Who approved it, by name, as far as iconik says.
    pub by: Vec<String>,
}

/// What is kept of an approval while its version is on its way: enough to finish what was begun when it is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    version: VersionId,
    at: Option<Timestamp>,
    by: Vec<String>,
}

impl Approved {
    /// What is to be kept of it.
    pub fn begun(&self) -> Begun {
        Begun { version: self.version.id.clone(), at: self.at, by: self.by.clone() }
    }

    /// The version as it was approved when it was begun, whatever became of its approval since. Nothing when the asset or the
    /// version is not there any more.
    ///
    /// # Errors
    /// As any call.
    pub async fn again(client: &Client, asset: &AssetId, begun: Begun) -> Result<Option<Self>> {
        let found = client.find_asset(asset).await?.filter(|asset| asset.status != AssetStatus::Deleted);
        let Some(asset) = found else { return Ok(None) };
        let Some(version) = asset.version(&begun.version).cloned() else { return Ok(None) };
        let is_current = asset.current_version().is_some_and(|current| current.id == version.id);
        Ok(Some(Self { asset, version, is_current, at: begun.at, by: begun.by }))
    }

    /// The asset, as other objects refer to it.
    pub fn object(&self) -> ObjectRef {
        ObjectRef::Assets(self.asset.id.clone())
    }

    /// The number of the version.
    pub fn number(&self) -> i64 {
        self.version.number.unwrap_or_default()
    }

    /// What rules read of it, without its metadata.
    pub fn record(&self) -> Record {
        let (asset, version) = (&self.asset, &self.version);
        Record::new()
            .with(
                "asset",
                json!({
                    "id": asset.id, "title": asset.title, "kind": asset.kind.as_str(),
                    "category": asset.category, "external_id": asset.external_id,
                }),
            )
            .with("version", json!({"id": version.id, "number": self.number()}))
            .with(
                "review",
                json!({
                    "approved_at": self.at.map(|at| at.to_string()),
                    "approved_by": (!self.by.is_empty()).then_some(&self.by),
                }),
            )
    }

    /// What the version has in a view.
    ///
    /// # Errors
    /// As any call.
    pub async fn values(&self, client: &Client, view: &ViewId) -> Result<Value> {
        let values = if self.is_current {
            client.get_metadata(&self.object(), view).await?
        } else {
            client.get_version_metadata(&self.asset.id, &self.version.id, view).await?
        };
        Ok(by_field(&values))
    }

    /// Whether the version is still approved: ask at the last moment before anything is made.
    ///
    /// # Errors
    /// [`WITHDRAWN`].
    pub async fn check(&self, client: &Client) -> Result<()> {
        let found = client.find_approval(&self.object(), Some(&self.version.id)).await?;
        if found.is_some_and(|approval| approval.status == ApprovalStatus::Approved) {
            return Ok(());
        }
        let message = "the approval was withdrawn while the version was on its way";
        Err(Error::new(FailureClass::Invalid, System::Iconik, "read approval", WITHDRAWN, message))
    }
}

/// What is to become of a hint.
#[derive(Debug, Clone)]
pub enum Standing {
    /// The version is approved.
    Approved(Box<Approved>),
    /// It is not, and why.
    Not(Reason),
}

fn not(code: &str, message: impl Into<String>) -> Result<Standing> {
    Ok(Standing::Not(Reason::new(code, message)))
}

/// What iconik says now of a version; of the one people see, when none is named.
///
/// # Errors
/// `version.in-progress` (`Transient`); as any call.
pub async fn standing(client: &Client, asset: &AssetId, version: Option<&str>) -> Result<Standing> {
    match client.find_asset(asset).await? {
        Some(asset) => standing_of(client, asset, version).await,
        None => not("asset.gone", "the asset is not there any more"),
    }
}

/// The same of an asset that was just read.
///
/// # Errors
/// As [`standing`].
pub async fn standing_of(client: &Client, asset: Asset, version: Option<&str>) -> Result<Standing> {
    if asset.status == AssetStatus::Deleted {
        return not("asset.in-recycle-bin", "the asset is in the recycle bin of iconik");
    }
    let current = asset.current_version().map(|version| version.id.clone());
    let wanted = version.map(VersionId::new).or_else(|| current.clone());
    let version = wanted.as_ref().and_then(|id| asset.version(id)).cloned();
    let Some(version) = version else {
        return not("version.deleted", "the version is not there any more");
    };
    match version.status {
        VersionStatus::Deleting | VersionStatus::Deleted => {
            return not("version.deleted", "the version is deleted");
        }
        VersionStatus::Failed => return not("version.failed", "iconik could not make the version"),
        VersionStatus::InProgress => return Err(in_progress()),
        VersionStatus::Active | VersionStatus::Other(_) => {}
    }
    let object = ObjectRef::Assets(asset.id.clone());
    let Some(approval) = client.find_approval(&object, Some(&version.id)).await? else {
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

fn in_progress() -> Error {
    let message = "iconik is still making the version";
    Error::new(FailureClass::Transient, System::Waybill, "read version", IN_PROGRESS, message)
        .retry(Retry::After(Duration::from_secs(5)))
}

/// Checks that a view has the fields that rules read. One that is not there (any more) is told by name: what cannot be seen
/// must not be taken for empty.
///
/// # Errors
/// [`VIEW_MISSING`], `metadata.field-missing` (`Forbidden`); as any call.
pub async fn check_view(client: &Client, id: &ViewId, fields: &[String]) -> Result<()> {
    let view = match client.get_view(id).await {
        Err(error) if error.code() == NOT_FOUND => return Err(view_missing(id).source(error)),
        outcome => outcome?,
    };
    match fields.iter().find(|field| view.field(field).is_none()) {
        Some(missing) => Err(field_missing(&view, missing)),
        None => Ok(()),
    }
}

/// Values by field, for a mapping: one, or a list of several. What has none is left out.
pub fn by_field(values: &MetadataValues) -> Value {
    let fields = values.fields().filter_map(|(field, values)| match values {
        [] => None,
        [one] => Some((field.to_owned(), one.clone())),
        several => Some((field.to_owned(), several.to_vec().into())),
    });
    fields.collect::<Map<_, _>>().into()
}

fn view_missing(view: &ViewId) -> Error {
    let message = format!("iconik has no metadata view {view}");
    Error::new(FailureClass::Forbidden, System::Iconik, "read metadata", VIEW_MISSING, message)
        .remedy("correct the id of the view in the rules, or bring the view back")
}

fn field_missing(view: &View, field: &str) -> Error {
    let message = format!("the metadata view {:?} has no field {field:?}, which the rules read", view.name);
    Error::new(FailureClass::Forbidden, System::Iconik, "read metadata", "metadata.field-missing", message)
        .field(field)
        .remedy("put the field back into the view, or correct the rules")
}
