//! XIP: assets as Preservica describes them, and the package of them that it ingests (`XIPv6`).
//!
//! ```text
//! {asset}/metadata.xml          what is said about the asset, its parts and files
//! {asset}/content/p1/a.tif      files of the first representation to be preserved
//! {asset}/content/a1/a.jpg      files of the first representation to be given out
//! ```
//!
//! The references of the asset and its parts are chosen by the producer: the asset is known before it is archived. A file is tied to
//! its part by nothing but its place, `PhysicalLocation/Filename`, so no two files of a representation may have one storage name.
//!
//! Folders, assets with their parts and files, identifiers and fragments are written and read. Links, restrictions and events,
//! which archives add themselves, are left alone.
//!
//! The true name of a file is its `OriginalFilename` since 6.2; before, it follows from its storage name and is the part's title.
//!
//! Sources: the published schemas of 6.0, 6.2 and 7.7; packages that public producers make.

mod document;
mod layout;
mod read;

pub use self::{
    document::{Asset, Bitstream, Folder, FoundPart, FoundRepresentation, Generation, NOT_IN_VERSION, Xip},
    layout::{NewAsset, assets_in, in_pax, package},
};
