//! The client of OTMM against its simulator: each family of calls, every switch that a client sees, and what goes wrong.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "every function here is part of a test"
)]

mod downloads;
mod editing;
mod faults;
mod imports;
#[path = "../in_process/mod.rs"]
mod in_process;
mod large;
mod looking;
mod secrets;
mod sessions;
mod smoke;
mod switches;
mod world;
