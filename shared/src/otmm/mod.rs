//! OpenText Media Management (OTMM, DAM) over its REST interface.
//!
//! The interface has habits that shape this client:
//!
//! - A session is opened once for all who need it and given back at the end: each counts against the site.
//! - A refusal comes as status 500 with a sentence, or as 200 with a list of what failed. Neither is asked again blindly.
//! - An asset's id is that of one version. What survives a new version is `original_asset_id`.
//! - What an asset is described with is only told when it is asked for: see [`Load`].
//! - A table of metadata is written whole, column by column. It is read, changed and written under a lock, and read again.
//! - A search whose conditions the server did not understand finds too much. It says so in one member of its answer, and then
//!   nothing that was found is given: [`INVALID_CONDITIONS`].
//! - Searches lag behind. What matters is read again by its id.
//! - An import is a job. Its call succeeds whatever becomes of it, and does not tell what it makes.
//!
//! What the vendor leaves open is a field of [`Settings`]; so is every id of a field, model, policy or operator.

mod asset;
mod assets;
mod call;
mod changes;
mod check_in;
mod condition;
mod content;
mod credential;
mod download;
mod editing;
mod error;
#[cfg(test)]
mod error_tests;
mod folders;
mod ids;
mod import;
#[cfg(test)]
mod import_tests;
mod jobs;
mod locking;
mod lookups;
mod metadata;
mod metadata_change;
#[cfg(test)]
mod metadata_tests;
mod pages;
mod search;
#[cfg(test)]
mod search_tests;
mod send;
mod session;
#[cfg(test)]
mod session_tests;
mod settings;
mod states;
#[cfg(test)]
mod testing;
mod wire;

use std::{fmt, sync::Arc};

use self::session::Session;
pub use self::{
    asset::{Asset, ChildCounts, ContentInfo, Policy, Rendition},
    assets::{ContentLoad, Load},
    changes::{Changes, IGNORED_CONDITIONS, UNSORTED},
    check_in::{CheckIn, CheckInLedger},
    condition::{AnyOf, Condition},
    content::Upload,
    credential::Credential,
    download::{CHECKSUM_MISMATCH, CONTENT_CHANGED, Download, NO_CONTENT},
    editing::{METADATA_CHANGED, METADATA_NOT_WRITTEN, METADATA_REPLACED},
    error::{
        BUSINESS, CONFLICT, CONTENT_OFFLINE, FORBIDDEN, LOCKED, NOT_CONFIGURED, NOT_FOUND, NOT_JSON,
        OVERLOADED, REFUSED, RESTRICTED, TOO_LARGE, UNAUTHENTICATED,
    },
    folders::{AddOutcome, Collection, NewFolder, Refused},
    ids::{
        AssetId, CollectionId, ContentId, DomainId, FieldId, JobId, ModelId, OperatorId, OriginalId,
        PolicyId, TableId, TemplateId,
    },
    import::{ImportLedger, ImportStep, MAY_HAVE_ARRIVED, NewAsset},
    jobs::{JOB_FAILED, JOB_STATE_UNKNOWN, Job, JobState},
    locking::LEFT_LOCKED,
    lookups::{Lookup, LookupDomain, NO_SUCH_VALUE},
    metadata::{FieldValue, Metadata, Table, UNEVEN_TABLE, ValueKind},
    metadata_change::{MetadataChange, NewValue, Row, TableChange},
    pages::{ENDED_EARLY, Pages},
    search::{Found, INVALID_CONDITIONS, Search},
    session::SessionUser,
    settings::{
        Actions, ApiVersion, CheckInJob, CheckOutOrder, Checksum, EditingSettings, Ids, ImportSettings,
        JobWords, LockStrategy, LookupForm, Operators, SessionSettings, Settings, Texts, TicketPlace,
        WireTypes,
    },
    states::{BulkFailure, BulkOutcome},
};
use crate::{
    context::Context,
    error::{Result, System},
    http::{Client as HttpClient, Limits, Pace, Transport},
};

/// One OTMM, seen by one user. Cheap to clone; clones share the session and the pace.
#[derive(Clone)]
pub struct Client {
    http: HttpClient,
    session: Arc<Session>,
    settings: Arc<Settings>,
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
        let at = |base: &str| {
            HttpClient::new(System::Otmm, base, transport.clone(), context.clone(), pace.clone(), limits)
        };
        let directory =
            Some(&settings.session.directory_url).filter(|url| !url.is_empty()).map(|url| at(url));
        let http = at(&settings.base_url);
        let (session, settings) = (Arc::new(Session::new(credential, directory)), Arc::new(settings));
        Self { http, session, settings }
    }

    /// Opens the session, which shows that the credential is taken, and says whose it is.
    ///
    /// # Errors
    /// `Auth` when the credential is refused.
    pub async fn login(&self) -> Result<SessionUser> {
        let pass = self.session.pass(&self.http, &self.settings).await?;
        Ok(pass.user().clone())
    }

    /// Gives the session back. Call it when the process is told to end: what is left open counts against the site until it
    /// times out. A later call opens another.
    ///
    /// # Errors
    /// `Transient` when the server could not take it back.
    pub async fn logout(&self) -> Result<()> {
        self.session.close(&self.http, &self.settings).await
    }

    /// Whether OTMM refused the credential when it was shown last.
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
        formatter.debug_struct("otmm::Client").field("base", &self.settings.base_url).finish_non_exhaustive()
    }
}
