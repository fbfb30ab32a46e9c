//! HTTP, the one seam to every outside system: AWS and vendor systems alike are reached through a [`Transport`]
//! at a configured address. Tests put simulators behind it; the code that ships does not know.

#[cfg(test)]
mod adaptation;
mod answered;
mod body;
mod client;
mod disposition;
mod pace;
mod ranged;
mod resuming;
mod signed_url;
mod transport;

pub use answered::Answered;
pub use body::{Body, Payload, Replayable, empty, full};
pub use client::{Client, Limits, Request, Response};
pub use disposition::Disposition;
pub use pace::Pace;
pub use ranged::RangedSource;
pub(crate) use ranged::exactly;
pub(crate) use resuming::{of_pieces, skipping};
pub use signed_url::SignedUrl;
pub use transport::{Transport, TransportError, TransportErrorKind};
