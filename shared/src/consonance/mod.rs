//! Consonance, the publishing management by General Products, over both of its interfaces: GraphQL, which reads and writes,
//! and REST v4, which reads and is no longer developed.
//!
//! The interfaces have habits that shape this client:
//!
//! - The schema is only partly documented. It is probed ([`Client::capabilities`]), and everything that is asked is cut to
//!   what it has. What cannot be done without something that is missing says so before anything is sent.
//! - A failure of GraphQL comes with status 200. Half an answer is a failure.
//! - `changedSince` is a date and says too much; nothing says what was deleted. Lists come without a promise of order or of a
//!   page's size, so each is asked for until nothing is left, and a server that repeats itself is found out.
//! - Nothing takes a key of ours. A write whose answer is lost fails as `UnknownOutcome`; `ensure_web_link` looks for what it
//!   wanted to make first.
//! - What is written of a product goes to the trade by itself. Such writes, and the end of a contract, are off by setting.
//!
//! What the vendor leaves open is a field of [`Settings`].

mod capabilities;
mod changes;
mod contract;
mod credential;
mod error;
pub mod events;
mod file;
mod graphql;
mod kept;
mod product;
mod reading;
mod rest;
mod rest_record;
mod selection;
mod settings;
mod title;
mod upload;
mod wire;
mod writing;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

pub use self::{
    capabilities::{Capabilities, Field},
    changes::{LIST_UNORDERED, PAGING_STUCK},
    contract::{Contract, DeliveryDate, LicensedRight},
    credential::Credential,
    error::{NOT_FOUND, NOT_JSON, QUERY_REFUSED, REFUSED, UNAUTHENTICATED, UNEXPECTED_ANSWER},
    file::{ProductionFile, SupportingResource, WebLink},
    kept::Kept,
    product::{Contribution, MarketingText, Price, Product, Work},
    reading::SCHEMA_LACKS,
    rest::Filter,
    rest_record::{RestPrice, RestProduct, RestText},
    settings::{Settings, UploadMethod},
    upload::{FOREIGN_HOST, NOT_JPEG, NewProductionFile, NewResource, SIGNED_URL_REFUSED},
    writing::{NOT_ALLOWED, NewWebLink, ONIX_SWITCH_MISSING},
};
use crate::{
    context::Context,
    error::System,
    http::{Client as HttpClient, Limits, Pace, Transport},
};

/// One account of Consonance. Cheap to clone; clones share key, pace and what is known of the schema.
#[derive(Clone)]
pub struct Client {
    http: HttpClient,
    settings: Arc<Settings>,
    transport: Transport,
    keys: Arc<Mutex<Keys>>,
    known: Arc<AsyncMutex<Option<Arc<Capabilities>>>>,
    turns: Arc<Semaphore>,
}

struct Keys {
    credential: Credential,
    /// When each interface refused its key last, in milliseconds.
    refused: [Option<i64>; 2],
}

/// One of the two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    GraphQl = 0,
    Rest = 1,
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
        let http =
            HttpClient::new(System::Consonance, &settings.base_url, transport.clone(), context, pace, limits);
        Self {
            http,
            turns: Arc::new(Semaphore::new(settings.calls_at_once.max(1))),
            settings: Arc::new(settings),
            transport,
            keys: Arc::new(Mutex::new(Keys { credential, refused: [None; 2] })),
            known: Arc::new(AsyncMutex::new(None)),
        }
    }

    /// Calls with this credential from now on, for all clones. The one it has already changes nothing.
    pub fn change_credential(&self, credential: Credential) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.credential != credential {
            *keys = Keys { credential, refused: [None; 2] };
        }
    }

    /// Whether an interface refused its key when it was shown last.
    pub fn is_refused(&self) -> bool {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.refused.iter().any(Option::is_some)
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("consonance::Client")
            .field("base", &self.settings.base_url)
            .finish_non_exhaustive()
    }
}

/// Types that have to be known of a schema of which so much is known.
fn wanted_types(schema: &Capabilities, settings: &Settings) -> Vec<String> {
    let mut wanted: Vec<String> =
        reading::PROBED.iter().filter(|name| !schema.has_type(name)).map(|&name| name.to_owned()).collect();
    wanted.extend(capabilities::unknown_of(schema, &reading::asked()));
    wanted.extend(writing::unknown_types(schema, settings));
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}
