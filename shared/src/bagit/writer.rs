//! The tag files of a bag of version 1.0.

use std::collections::BTreeMap;

use super::path::encoded;

/// The name of the declaration.
pub const BAGIT_TXT: &str = "bagit.txt";
/// The name of the file about the bag.
pub const BAG_INFO: &str = "bag-info.txt";
/// The name of the manifest of payload files.
pub const MANIFEST: &str = "manifest-sha256.txt";
/// The name of the manifest of tag files.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// What the declaration says.
pub const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// A manifest over checksums by path, in the order of paths.
pub fn manifest(checksums: &BTreeMap<String, String>) -> String {
    checksums.iter().map(|(path, checksum)| format!("{checksum}  {}\n", encoded(path))).collect()
}
