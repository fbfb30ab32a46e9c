//! HTTP, the one seam to every outside system: AWS and vendor systems alike are reached through a [`Transport`]
//! at a configured address. Tests put simulators behind it; the code that ships does not know.

#[cfg(test)]
mod adaptation;
mod answered;
mod body;
mod client;
mod disposition;
mod multipart;
mod pace;
mod path;
mod ranged;
mod resuming;
mod signed_url;
#[cfg(test)]
pub(crate) mod testing;
mod transport;
mod verdict;

pub use answered::Answered;
pub use body::{Body, Payload, Replayable, empty, full};
pub use client::{Client, Limits, Request, Response};
pub use disposition::Disposition;
pub(crate) use multipart::FormData;
pub use pace::Pace;
pub(crate) use path::path_of;
pub use ranged::RangedSource;
pub(crate) use ranged::exactly;
pub(crate) use resuming::{Patience, Source, of_pieces, resuming, skipping};
pub use signed_url::SignedUrl;
pub use transport::{Transport, TransportError, TransportErrorKind};
pub(crate) use verdict::{Effect, Form, Judged, Row, retry_after, row};
