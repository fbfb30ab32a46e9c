//! iconik by Backlight over its REST interface.
//!
//! The interface has habits that shape this client:
//!
//! - Nothing takes a key of ours. A create whose answer is lost fails as `UnknownOutcome`; the caller looks for what it
//!   wanted to make before it tries again. `ensure_*` does that where there is something to recognise it by.
//! - Searches, the lists of assets, segments, jobs and history, and what is in a collection, come from an index that lags:
//!   what was just made is not there yet. What is read by its id is as it is. Lists of files and formats are exact.
//! - Metadata has no version mark. What is written is read again, and a write that was lost to somebody else's is said.
//! - A signed address lives for an unknown time. It is fetched just before it is used, once more when it is refused, and
//!   shown nowhere.
//!
//! What the vendor leaves open is a field of [`Settings`].

mod approvals;
mod asset;
mod assets;
mod automations;
mod call;
mod collections;
mod credential;
mod custom_actions;
mod deleted;
mod download;
#[cfg(test)]
mod download_tests;
mod error;
#[cfg(test)]
mod error_tests;
mod fields;
mod file;
mod files;
mod history;
mod ids;
mod jobs;
mod metadata;
#[cfg(test)]
mod metadata_tests;
mod metadata_values;
mod new_file;
#[cfg(test)]
mod object_tests;
mod page;
#[cfg(test)]
mod page_tests;
mod part_ledger;
mod relations;
mod search;
mod segments;
mod send;
mod session;
#[cfg(test)]
mod session_tests;
mod settings;
mod signed;
#[cfg(test)]
mod testing;
mod upload;
mod upload_gcs;
mod upload_s3;
#[cfg(test)]
mod upload_tests;
mod users;
mod webhooks;
mod wire;

use std::{fmt, sync::Arc};

use self::session::Session;
pub use self::{
    approvals::{Approval, ApprovalRequested, ApprovalStatus, NewApprovalRequest, Reviewer, Verdict},
    asset::{
        ArchiveStatus, Asset, AssetChange, AssetKind, AssetStatus, AssetVersion, NewAsset, NewVersion,
        VersionStatus,
    },
    automations::{Action, Automation, NewAutomation, Trigger},
    collections::{
        Collection, CollectionChange, CollectionContent, CollectionStatus, ContentFilter, NewCollection,
    },
    credential::Credential,
    custom_actions::{ActionContext, CustomAction, NewCustomAction},
    deleted::Deleted,
    download::{Content, Download, NO_SIGNED_URL},
    error::{
        CONFLICT, CONTENT_CHANGED, CONTENT_MISSING, FORBIDDEN, NOT_FOUND, NOT_OFFERED, REFUSED,
        SIGNED_URL_REFUSED, UNAUTHENTICATED,
    },
    fields::{Choice, Field, FieldKind, NewField, View, ViewField},
    file::{
        ExternalReference, File, FileKind, FileSet, FileStatus, Format, Keyframe, KeyframeKind, Proxy,
        Storage, StorageMethod, StoragePurpose,
    },
    files::{FileScope, FormatArchive},
    history::{HistoryEntry, HistoryOperation},
    ids::{
        AssetId, AutomationId, CollectionId, CustomActionId, FileId, FileSetId, FormatId, GroupId, HistoryId,
        JobId, KeyframeId, ObjectRef, ProxyId, SegmentId, StorageId, UserId, VersionId, ViewId, WebhookId,
    },
    jobs::{Job, JobChange, JobKind, JobStatus, NewJob},
    metadata::{METADATA_CHANGED, METADATA_NOT_WRITTEN, METADATA_VIEW_REPLACED},
    metadata_values::{MetadataChange, MetadataValues},
    new_file::{NewFile, NewFileSet},
    page::Pages,
    part_ledger::PartLedger,
    relations::{Related, Relation, RelationType},
    search::{Found, Search, Sort, Term, escape},
    segments::{NewSegment, Segment, SegmentChange, SegmentFilter, SegmentKind, SegmentStatus},
    settings::{OauthHeader, Settings},
    signed::FOREIGN_HOST,
    upload::{UPLOAD_GONE, UploadStep},
    users::{Person, User, UserKind, UserStatus},
    webhooks::{NewWebhook, SecretHeaders, Webhook, WebhookStatus},
    wire::moment,
};
use crate::{
    context::Context,
    error::{Result, System},
    http::{Client as HttpClient, Limits, Pace, Transport},
};

/// One tenant of iconik, seen by one user. Cheap to clone; clones share the token and the pace.
#[derive(Clone)]
pub struct Client {
    http: HttpClient,
    session: Arc<Session>,
    settings: Arc<Settings>,
    transport: Transport,
    pace: Pace,
    /// Storages are others' servers and have a pace of their own.
    storage_pace: Pace,
}

impl Client {
    /// A client that has not called anybody yet.
    pub fn new(
        settings: Settings,
        credential: Credential,
        transport: Transport,
        context: Context,
        pace: Pace,
    ) -> Self {
        let limits = Limits { attempts: settings.attempts, answer: settings.answer(), ..Limits::default() };
        let http = HttpClient::new(
            System::Iconik,
            &settings.base_url,
            transport.clone(),
            context,
            pace.clone(),
            limits,
        );
        let storage_pace = Pace::per_second(settings.signed_rate);
        let (session, settings) = (Arc::new(Session::new(credential)), Arc::new(settings));
        Self { http, session, settings, transport, pace, storage_pace }
    }

    /// Asks who the token's user is, which shows that it is taken.
    ///
    /// # Errors
    /// `Auth` when the credential is refused.
    pub async fn login(&self) -> Result<User> {
        self.get_current_user().await
    }

    /// Whether iconik refused the credential when it was shown last.
    pub async fn is_refused(&self) -> bool {
        self.session.is_refused().await
    }

    /// Calls with this credential from now on, for all clones.
    pub async fn change_credential(&self, credential: Credential) {
        self.session.change_credential(credential).await;
    }

    /// The moment by the clock it runs on, in milliseconds since the epoch.
    pub fn now_milliseconds(&self) -> i64 {
        self.http.context().now_milliseconds()
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("iconik::Client")
            .field("base", &self.settings.base_url)
            .finish_non_exhaustive()
    }
}
