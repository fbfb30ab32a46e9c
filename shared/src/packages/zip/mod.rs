//! Zips of contents that are stored as they are, of any size: written without going back, read without reading through.

mod member;
mod package;
mod reader;
mod record;

pub use self::{
    member::Member,
    package::{CONTENT_CHANGED, Package},
    reader::{Archive, BAD_ZIP, Bounds, ENCRYPTED, FIXITY, TWICE, UNKNOWN_METHOD, WAY_OUT},
};

/// A path in a package has a name that some system or archive does not take.
pub const BAD_NAME: &str = "package.bad-name";
