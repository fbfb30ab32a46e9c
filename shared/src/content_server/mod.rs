//! OpenText Content Server (Extended ECM) over its REST interface.
//!
//! The interface has habits that shape this client:
//!
//! - A status says little: business refusals come as 500, missing items as 400. `error.rs` holds the one table that
//!   gives every answer its class.
//! - Nothing is idempotent and nothing takes a key of ours. A write that must not be repeated and whose answer is lost
//!   fails as `UnknownOutcome`; the caller looks for what it wanted to make before it tries again.
//! - A ticket can end at any moment. It is renewed once per call, and the call is sent again from its beginning: there
//!   is no way to give this client a body that cannot be opened anew.
//!
//! What the vendor leaves open is a field of [`Settings`].

mod audit;
mod call;
mod categories;
pub mod category_values;
mod children;
mod classifications;
mod credential;
mod documents;
mod download;
mod edit;
mod error;
#[cfg(test)]
mod error_tests;
mod holds;
mod large_upload;
mod members;
#[cfg(test)]
mod module_tests;
mod names;
mod node;
#[cfg(test)]
mod node_tests;
mod nodes;
mod paths;
mod permissions;
pub mod places;
mod records;
mod reduction;
mod removal;
mod search;
mod send;
mod server;
mod session;
#[cfg(test)]
mod session_tests;
mod settings;
mod states;
mod tasks;
#[cfg(test)]
mod testing;
mod versions;
mod wire;
mod workflow_status;
mod workflows;
mod workspace_team;
mod workspaces;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use jiff::tz::TimeZone;

pub use crate::http::RangedSource;

pub use self::{
    audit::{AuditEntry, AuditFilter},
    categories::{
        Attribute, AttributeKind, AttributeSet, AttributeValue, CategoryDefinition, CategoryOutcome,
        CategoryValues, ComparedValue,
    },
    children::{ChildFilter, Children},
    credential::Credential,
    documents::{NewDocument, NewVersion, Upload},
    download::Download,
    edit::{MetadataToken, NewFolder, NodeChange},
    error::{
        COLLISION, EDIT_CONFLICT, MODULE_MISSING, NO_RANGES, NOT_ACCESSIBLE, NOT_FOUND, RECORD_STATE,
        REFUSED_BY_SERVER, RESERVED, UPLOAD_CLOSED, UPLOAD_GONE,
    },
    holds::{Hold, NodeHold},
    large_upload::{LargeUpload, LargeUploadOffer},
    members::{Member, MemberKind},
    names::NameRules,
    node::{External, Node, NodeId, kind},
    nodes::{Ancestor, volume},
    paths::{EnsuredFolder, NodePath, PATH_MISSING, Root},
    permissions::{Grant, Holder, PermissionTemplate, Right},
    records::{Record, RecordClassification, RecordDetails},
    reduction::{
        OfficialRecords, Reduction, ReductionPermission, ReductionPermit, ReductionRefused, Replaced,
        ReplacementPermit,
    },
    removal::RemovalPermit,
    search::{Found, Search, query_text},
    server::{CurrentUser, ServerInfo},
    settings::{LargeUploadSettings, Settings, Texts},
    states::NodeState,
    tasks::{Assignment, Task, TaskAction, TaskId},
    versions::Version,
    workflow_status::{WorkflowChange, WorkflowScope, WorkflowStatus, WorkflowStep, WorkflowSummary},
    workflows::{DraftId, NewWorkflow, ProcessId, WorkflowMap},
    workspace_team::{Relation, RoleMember, WorkspaceRole},
    workspaces::{BusinessObject, NewWorkspace, WorkspaceTemplate, WorkspaceType},
};
use self::{categories::Definitions, session::Session};
use crate::{
    context::Context,
    error::{Result, System},
    http::{Client as HttpClient, Limits, Pace, Transport},
};

/// One Content Server, seen by one user. Cheap to clone; clones share the session.
#[derive(Clone)]
pub struct Client {
    http: HttpClient,
    session: Arc<Session>,
    settings: Arc<Settings>,
    zone: TimeZone,
    definitions: Arc<Definitions>,
    /// What the server said about large uploads, once it was asked.
    large_uploads: Arc<tokio::sync::OnceCell<Option<LargeUploadOffer>>>,
    /// Hold writes go one by one: they break when several pass a reverse proxy at once.
    holds: Arc<tokio::sync::Mutex<()>>,
    /// Whether the workspace interface was seen to read JSON where it did not read a form.
    workspaces_read_json: Arc<AtomicBool>,
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
        let limits = Limits {
            attempts: settings.attempts,
            answer: Duration::from_secs(settings.answer_seconds),
            ..Limits::default()
        };
        let base = &settings.base_url;
        let http =
            HttpClient::new(System::ContentServer, base, transport.clone(), context, pace.clone(), limits);
        let session = Session::new(&settings, credential, &http, transport, pace, limits);
        Self {
            http,
            session: Arc::new(session),
            zone: settings.zone(),
            settings: Arc::new(settings),
            definitions: Arc::default(),
            large_uploads: Arc::default(),
            holds: Arc::default(),
            workspaces_read_json: Arc::default(),
        }
    }

    /// Signs in now rather than with the first call.
    ///
    /// # Errors
    /// `Auth` when the credential is refused.
    pub async fn login(&self) -> Result<()> {
        self.session.pass(&self.http, &self.settings).await.map(drop)
    }

    /// Whether the server refused the credential when it was used last.
    pub async fn is_refused(&self) -> bool {
        self.session.is_refused().await
    }

    /// Signs in with this credential from now on, for all clones.
    pub async fn change_credential(&self, credential: Credential) {
        self.session.change_credential(credential, &self.http).await;
    }

    /// Drops the session, so that the next call signs in anew.
    pub async fn forget_session(&self) {
        self.session.forget().await;
    }

    /// The zone in which the server writes moments without an offset.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
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
            .debug_struct("content_server::Client")
            .field("base", &self.settings.base_url)
            .finish_non_exhaustive()
    }
}
