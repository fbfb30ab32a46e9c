//! `BagIt` (RFC 8493): bags written, and bags judged.
//!
//! Nothing here reads or writes anything. Whoever has the files (a folder, a prefix in S3) says which there are, hands
//! over the small tag files, and passes the bytes of every file through [`Checksums`], in whatever order and over as
//! many invocations as it takes:
//!
//! 1. [`tag_files`] says which files to read whole;
//! 2. [`Bag::open`] judges everything that needs no content: declaration, manifests, what is missing or too much;
//! 3. for every file of [`Bag::files`], [`Bag::check`] compares what was read with every manifest.
//!
//! Versions 0.93 to 0.97 and 1.0 are read, each by its own rules; 1.0 is written.

mod algorithm;
mod declaration;
mod encoding;
mod fetch;
mod info;
mod manifest;
mod path;
mod problem;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use self::{
    algorithm::{Algorithm, Checksums, Found},
    declaration::Version,
    fetch::Fetch,
    info::BagInfo,
    path::{safe_step, with_suffix},
    problem::Problem,
    reader::{Bag, tag_files},
    writer::{BAG_INFO, BAGIT_TXT, DECLARATION, MANIFEST, TAG_MANIFEST, manifest},
};
