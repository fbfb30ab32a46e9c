//! Simulators of the systems Waybill connects: for tests, for the demo, and for anyone who wants one on a port.
//!
//! A simulator imitates a system over HTTP, with its real envelopes, errors and oddities, and keeps its state in
//! memory where a test can read it. This crate shares no code with the clients it is used to test.

mod admin;
pub mod aws;
pub mod clock;
pub mod consonance;
pub mod content;
pub mod content_server;
pub mod faults;
mod frame;
pub mod iconik;
pub mod journal;
pub mod otmm;
pub mod preservica;
pub mod serve;

pub use clock::Clock;
pub use faults::Faults;
pub use frame::Simulator;
pub use journal::Journal;
pub use serve::{serve, serve_tls};
