//! Packages for archives: written and read without holding a content, and without a file to put them together in.
//!
//! A [`Package`] is an ordered list of [`Entry`]s: a path, and a [`Content`] of which everything is known that a zip says about
//! it ([`Facts`]: length, CRC, and the fixities that descriptions quote). So the length of the package is known before its first
//! byte is made, any range of it can be opened, as often as an upload asks ([`Package::source`]), and the same entries at the
//! same moment are the same bytes.
//!
//! 1. [`measure`] reads each content once, for every fixity and CRC at a time; [`Measure`] does the same over as many invocations
//!    as it takes.
//! 2. A layout makes entries of contents and of what is to be said about them: [`opex`] (files and folders, each with its
//!    metadata), [`pax`] (one asset in several representations), [`xip`] (assets as Preservica describes them).
//! 3. [`Package::new`] puts the entries into a zip. Or each is uploaded by itself, in their order: manifests come last.
//!
//! [`Archive`] reads zips from anywhere, and every layout reads its own documents and judges what is there.
//!
//! What is descriptive is a [`Fragment`] of XML: [`premis`] and [`dublin_core`] make two common ones.
//!
//! Zips are our own here. Crates for them write to a file that can be gone back in, or put the CRC behind each content, which
//! Java's readers refuse for contents that are not compressed; and none gives any range of a zip that is nowhere.

mod asset;
mod entry;
mod expected;
mod fixity;
mod fragment;
mod name;
mod read;
#[cfg(test)]
mod tests;
mod zip;

pub mod dublin_core;
pub mod opex;
pub mod pax;
pub mod premis;
pub mod xip;

pub use self::{
    asset::{Part, PartFile, Purpose, Representation},
    entry::{Content, Entry},
    expected::Expected,
    fixity::{Algorithm, Facts, Measure, MeasureState, measure},
    fragment::Fragment,
    name::{LONGEST_NAME, is_storage_path, storage_name, true_name},
    read::{BAD_XML, NOT_XML_TEXT, TOO_LARGE},
    zip::{
        Archive, BAD_NAME, BAD_ZIP, Bounds, CONTENT_CHANGED, ENCRYPTED, FIXITY, Member, Package, TWICE,
        UNKNOWN_METHOD, WAY_OUT,
    },
};
pub use crate::bagit::Problem;
