//! The public doors: what the connected systems tell us by themselves. Each checks who speaks, bounds what is said,
//! remembers it, and puts one message per object and interested flow on the flow's queue. What a message says is a hint.

pub mod receive_iconik;

use receive_iconik::ReceiveIconik;
use shared::function::FunctionEntry;

/// Webhooks, custom actions and automations of iconik.
pub static RECEIVE_ICONIK: FunctionEntry = FunctionEntry::of::<ReceiveIconik>();

/// Every door.
pub static FUNCTIONS: &[&FunctionEntry] = &[&RECEIVE_ICONIK];
