//! What people outside and operators meet: expiring links, and reports on whether both sides of a flow agree.

pub mod reconcile;
pub mod serve_links;

use reconcile::Reconcile;
use shared::function::FunctionEntry;

/// Compares both sides of flows.
pub static RECONCILE: FunctionEntry = FunctionEntry::of::<Reconcile>();
