//! What people outside and operators meet: expiring links, reports on whether both sides of a flow agree,
//! dead letters.

pub mod dead_letters;
pub mod reconcile;
pub mod serve_links;

use reconcile::Reconcile;
use serve_links::ServeLinks;
use shared::function::FunctionEntry;

/// Compares both sides of flows.
pub static RECONCILE: FunctionEntry = FunctionEntry::of::<Reconcile>();

/// Expiring links to published documents.
pub static SERVE_LINKS: FunctionEntry = FunctionEntry::of::<ServeLinks>();

/// Every function here.
pub static FUNCTIONS: &[&FunctionEntry] = &[&RECONCILE, &SERVE_LINKS];
