//! OPEX (Open Preservation Exchange) 1.0, 1.1 and 1.2: files and folders, each with a document of metadata.
//!
//! `a.tif` has `a.tif.opex` beside it, a folder `F` has `F/F.opex` in it. An asset folder `X.pax`, which is one asset with its
//! representations ([`pax`](super::pax)), has `X.pax.opex` beside it (since 1.2).
//!
//! A folder's document may have a manifest of what is in the folder. An archive that insists on manifests takes nothing from a
//! folder before its document is there, so manifests come last, that of the outermost folder at the very end.
//!
//! | | 1.0 | 1.1 | 1.2 |
//! |---|---|---|---|
//! | `History`, `Relationships` | yes | yes | yes |
//! | `OriginalFilename` | – | not known, not written | yes |
//! | `Fixity/@path`, asset folders | – | – | yes |
//!
//! Sources: the vendor's description of OPEX, and its schemas of 1.0 and 1.2 as public projects carry them. None was found with
//! that of 1.1: what is written as 1.1 is valid to both of its neighbours. All three are read with everything.

mod document;
mod judge;
mod read;
mod tree;

pub use self::{
    document::{Event, Fixity, Kind, Manifest, ManifestFile, NOT_IN_VERSION, Opex, Relationship, Version},
    judge::{Judged, judge},
    tree::{AssetFolder, File, Folder, entries},
};
