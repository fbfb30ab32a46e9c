//! The change feeds: what changed in a system that does not say so itself, or not reliably, told to the flows that want to
//! know.

pub mod content_server;
pub mod feeds;
pub mod iconik;

use content_server::WatchContentServer;
use iconik::WatchIconik;
use shared::function::FunctionEntry;

/// Changes in Content Server.
pub static WATCH_CONTENT_SERVER: FunctionEntry = FunctionEntry::of::<WatchContentServer>();

/// What the webhooks of iconik missed.
pub static WATCH_ICONIK: FunctionEntry = FunctionEntry::of::<WatchIconik>();

/// Every change feed.
pub static FUNCTIONS: &[&FunctionEntry] = &[&WATCH_CONTENT_SERVER, &WATCH_ICONIK];
