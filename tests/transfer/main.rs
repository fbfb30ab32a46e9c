//! Content on its way: what was read is what arrives, through cuts, kills, replacements and lost answers, over S3 and
//! the ledger in this process.

mod copies;
mod flat_memory;
mod one_call;
mod over_sockets;
mod sources;
mod uploads;
mod versions;
mod world;
