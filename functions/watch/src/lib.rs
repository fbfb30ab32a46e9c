//! The change feeds: what changed in a system that does not say so itself, told to the flows that want to know.

pub mod content_server;
pub mod feeds;

use content_server::WatchContentServer;
use shared::function::FunctionEntry;

/// Changes in Content Server.
pub static WATCH_CONTENT_SERVER: FunctionEntry = FunctionEntry::of::<WatchContentServer>();

/// Every change feed.
pub static FUNCTIONS: &[&FunctionEntry] = &[&WATCH_CONTENT_SERVER];
