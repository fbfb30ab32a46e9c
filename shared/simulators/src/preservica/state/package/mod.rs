//! What is taken in, read: XIP packages, trees with OPEX beside their files, and PAX, from a zip or from the bulk location.

mod files;
mod opex;
mod pax;
mod xip;

pub(super) use self::files::Files;
use super::super::xml::Element;
use super::fixity::{Algorithm, digest};
use crate::content::Blob;

/// A folder of a tree. It is there perhaps.
pub(super) struct PackedFolder {
    /// The folder of the tree it is in; none at the top.
    pub(super) parent: Option<usize>,
    pub(super) path: String,
    pub(super) about: About,
}

/// What is said of a folder or an asset.
#[derive(Default)]
pub(super) struct About {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) security_tag: Option<String>,
    pub(super) source: Option<String>,
    pub(super) identifiers: Vec<(String, String)>,
    pub(super) fragments: Vec<(String, Element)>,
}

/// An asset of a package.
#[derive(Default)]
pub(super) struct PackedAsset {
    /// Its reference; empty where the package gives none.
    pub(super) reference: String,
    /// Where it is in the package.
    pub(super) path: String,
    pub(super) about: About,
    pub(super) custom_type: Option<String>,
    /// The folder that the package names.
    pub(super) parent: Option<String>,
    /// The folder of the tree it is in.
    pub(super) folder: Option<usize>,
    pub(super) representations: Vec<PackedRepresentation>,
}

pub(super) struct PackedRepresentation {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) parts: Vec<PackedPart>,
}

#[derive(Default)]
pub(super) struct PackedPart {
    /// Its reference; empty where the package gives none.
    pub(super) reference: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) label: String,
    /// The files of each generation, the oldest first.
    pub(super) generations: Vec<Vec<PackedFile>>,
}

pub(super) struct PackedFile {
    pub(super) name: String,
    pub(super) fixities: Vec<(String, String)>,
    pub(super) content: Blob,
}

/// What a package holds.
#[derive(Default)]
pub(super) struct Contents {
    /// Folders, each after the one it is in.
    pub(super) folders: Vec<PackedFolder>,
    /// Each asset, or what is wrong with it.
    pub(super) assets: Vec<Result<PackedAsset, String>>,
    /// What is passed over, and why.
    pub(super) passed_over: Vec<(String, String)>,
}

/// Reads a zip, whichever kind of package it is. Its files are checked against their fixities.
pub(super) fn read_zip(package: &Blob, threshold: u64) -> Result<Contents, String> {
    let mut files = Files::of_zip(package)?;
    let names = files.names();
    let is_description = |name: &&String| name.ends_with("/metadata.xml") && !name.contains("/content/");
    let descriptions: Vec<String> = names.iter().filter(is_description).cloned().collect();
    if !descriptions.is_empty() {
        return xip::read_package(&mut files, &descriptions, threshold);
    }
    if names.iter().any(|name| name.ends_with(".opex")) {
        // All of it is there at once: nothing has to be waited for.
        return opex::read_tree(&mut files, "", false, threshold);
    }
    if let Some(top) = pax::top_of(&names) {
        let title = top.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let title = title.trim_end_matches(".pax").to_owned();
        let asset = pax::read(&mut files, &top, About { title, ..About::default() }, &[], threshold);
        return Ok(Contents { assets: vec![asset], ..Contents::default() });
    }
    Err("There is neither a metadata.xml nor an OPEX file nor a representation in the package".to_owned())
}

/// Reads the tree below a folder of the bulk location.
pub(super) fn read_directory(
    files: &mut Files,
    directory: &str,
    needs_manifests: bool,
    threshold: u64,
) -> Result<Contents, String> {
    opex::read_tree(files, directory, needs_manifests, threshold)
}

/// A text that is there and not empty.
fn texts(element: &Element, name: &str) -> Option<String> {
    element.text_of(name).filter(|text| !text.is_empty())
}

fn required(element: &Element, name: &str) -> Result<String, String> {
    texts(element, name).ok_or_else(|| format!("{} has no {name}", element.name))
}

/// The fixities of content, each compared with what was said of it. Where nothing was said, one is made.
fn checked(content: &Blob, said: &[(String, String)], place: &str) -> Result<Vec<(String, String)>, String> {
    let mut fixities = Vec::new();
    for (algorithm, value) in said {
        let known =
            Algorithm::named(algorithm).ok_or_else(|| format!("There is no fixity algorithm {algorithm}"))?;
        let found = digest(known, content).map_err(|error| error.to_string())?;
        if !found.eq_ignore_ascii_case(value) {
            return Err(format!("Fixity check failed for {place}: {algorithm} is {found}, expected {value}"));
        }
        fixities.push((known.name().to_owned(), found));
    }
    if fixities.is_empty() {
        let found = digest(Algorithm::Sha1, content).map_err(|error| error.to_string())?;
        fixities.push(("SHA1".to_owned(), found));
    }
    Ok(fixities)
}
