//! The client of Preservica against its simulator: each family of calls, and what goes wrong.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "every function here is part of a test"
)]

mod changes;
mod descriptions;
mod downloads;
mod entities;
#[path = "../in_process/mod.rs"]
mod in_process;
mod keeping;
mod looking;
mod package;
mod packed;
mod sessions;
mod telling;
mod uploads;
mod world;
