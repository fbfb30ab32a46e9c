//! Preservica over its REST interfaces.
//!
//! They have habits that shape this client:
//!
//! - Nothing keeps two of a thing apart: identifiers are not unique, and a package sent twice is ingested twice. Whoever makes
//!   something chooses its reference and keeps it before; `ensure_*` looks first and makes nothing twice.
//! - A token lives a quarter of an hour. It is renewed before, and when it is refused; a login ends no other token, so a long
//!   upload goes on.
//! - What takes time gives a token, under which one asks: [`Client::progress`].
//! - An upgrade of the tenant changes every namespace. Answers of any version are read; what is written is in that of the server.
//! - Addresses in answers are followed to the configured server only.
//!
//! What the vendor leaves open is a field of [`Settings`].

mod call;
mod changes;
mod credential;
mod download;
mod entity;
mod error;
mod fragments;
mod holds;
mod identifiers;
mod ids;
mod lists;
mod monitor;
mod progress;
mod push;
mod removal;
mod retention;
mod search;
mod send;
mod session;
mod settings;
mod structure;
mod upload;
mod version;
mod webhooks;
mod xml;

use std::{fmt, sync::Arc};

use tokio::sync::OnceCell;

use self::session::Session;
pub use self::{
    changes::Event,
    credential::Credential,
    download::{CONTENT_CHANGED, Download, FIXITY_MISMATCH, IN_COLD_STORAGE},
    entity::{Entity, EntityKind, Listed, NewFolder},
    error::{CONFLICT, FORBIDDEN, NOT_FOUND, REFUSED, RULE, UNAUTHENTICATED},
    fragments::{Fragment, is_same_xml},
    holds::Hold,
    identifiers::Identifier,
    ids::{
        AssignmentId, EventId, FragmentId, HoldId, IdentifierId, MonitorId, PolicyId, Reference,
        SubscriptionId,
    },
    lists::Entries,
    monitor::{Message, Monitor},
    progress::{Progress, ProgressStatus, ProgressToken},
    push::{Push, PushRefusal, PushSecret, PushedEntity},
    retention::{Assignment, Policy},
    search::{Found, FoundPage, Search},
    send::FOREIGN_HOST,
    settings::{Renewal, Settings},
    structure::{Bitstream, Fixity, FixityAlgorithm, Generation, Representation, RepresentationKind},
    upload::{MAY_HAVE_ARRIVED, SOURCE_CHANGED, UPLOAD_GONE, UploadLedger, UploadStep},
    version::{NEEDS_VERSION, Version},
    webhooks::{Subscription, Trigger},
};
use crate::{
    context::Context,
    error::{Result, System},
    http::{Client as HttpClient, Limits, Pace, Transport},
};

/// One tenant of Preservica, seen by one user. Cheap to clone; clones share the token and the pace.
#[derive(Clone)]
pub struct Client {
    http: HttpClient,
    session: Arc<Session>,
    settings: Arc<Settings>,
    version: Arc<OnceCell<Version>>,
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
        let http = HttpClient::new(System::Preservica, &settings.base_url, transport, context, pace, limits);
        let (session, settings) = (Arc::new(Session::new(credential)), Arc::new(settings));
        Self { http, session, settings, version: Arc::default() }
    }

    /// Logs in and asks for the server's version, which shows that the credential is taken.
    ///
    /// # Errors
    /// `Auth` when the credential is refused.
    pub async fn login(&self) -> Result<Version> {
        self.version().await
    }

    /// Whether Preservica refused the credential when it was shown last.
    pub async fn is_refused(&self) -> bool {
        self.session.is_refused().await
    }

    /// Calls with this credential from now on, for all clones.
    pub async fn change_credential(&self, credential: Credential) {
        self.session.change_credential(credential).await;
    }

    /// The tenant.
    ///
    /// # Errors
    /// `Auth` when the credential is refused; a configuration error when neither it nor the server names the tenant.
    pub async fn tenant(&self) -> Result<String> {
        self.session.tenant(&self.http, &self.settings).await
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
            .debug_struct("preservica::Client")
            .field("base", &self.settings.base_url)
            .finish_non_exhaustive()
    }
}
