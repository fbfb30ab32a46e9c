//! Packages, read: a zip with one folder an asset, its `metadata.xml` (XIP) and its files below `content/`.

use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

use zip::ZipArchive;

use super::super::xml::Element;
use super::fixity::{Algorithm, digest};
use crate::content::{Blob, Spool};

/// Largest description that is read.
const LARGEST_DESCRIPTION: u64 = 64 << 20;

/// An asset of a package.
pub(super) struct PackedAsset {
    pub(super) reference: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) security_tag: String,
    pub(super) custom_type: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) identifiers: Vec<(String, String)>,
    pub(super) fragments: Vec<(String, Element)>,
    pub(super) representations: Vec<PackedRepresentation>,
}

pub(super) struct PackedRepresentation {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) parts: Vec<PackedPart>,
}

pub(super) struct PackedPart {
    pub(super) reference: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) label: String,
    pub(super) files: Vec<PackedFile>,
}

pub(super) struct PackedFile {
    pub(super) name: String,
    pub(super) fixities: Vec<(String, String)>,
    pub(super) content: Blob,
}

/// The assets of a package, each of them or what is wrong with it; or what is wrong with the package.
pub(super) type Contents = Result<Vec<Result<PackedAsset, String>>, String>;

/// Reads a package. Its files are checked against their fixities.
pub(super) fn read(package: &Blob, threshold: u64) -> Contents {
    let mut archive = ZipArchive::new(Reader { blob: package.clone(), at: 0 })
        .map_err(|error| format!("The package is no zip: {error}"))?;
    let mut descriptions = Vec::new();
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|error| error.to_string())?;
        let name = file.name().map_err(|error| error.to_string())?.into_owned();
        if name.ends_with("/metadata.xml") && !name.contains("/content/") {
            descriptions.push(name);
        }
    }
    if descriptions.is_empty() {
        return Err("There is no metadata.xml in the package".to_owned());
    }
    let mut assets = Vec::new();
    for name in descriptions {
        let base = name.trim_end_matches("metadata.xml").to_owned();
        let mut bytes = Vec::new();
        let file = archive.by_name(&name).map_err(|error| error.to_string())?;
        file.take(LARGEST_DESCRIPTION).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        let xip = Element::parse(&bytes).map_err(|error| format!("{name}: {error}"))?;
        if xip.name != "XIP" || !xip.namespace.starts_with("http://preservica.com/XIP/v") {
            return Err(format!("{name} is no XIP document"));
        }
        for asset in xip.all("InformationObject") {
            assets.push(read_asset(&mut archive, &base, &xip, asset, threshold));
        }
    }
    Ok(assets)
}

fn texts(element: &Element, name: &str) -> Option<String> {
    element.text_of(name).filter(|text| !text.is_empty())
}

fn required(element: &Element, name: &str) -> Result<String, String> {
    texts(element, name).ok_or_else(|| format!("{} has no {name}", element.name))
}

fn read_asset(
    archive: &mut ZipArchive<Reader>,
    base: &str,
    xip: &Element,
    asset: &Element,
    threshold: u64,
) -> Result<PackedAsset, String> {
    let reference = required(asset, "Ref")?;
    let of_it = |element: &&Element| element.text_of("Entity").as_deref() == Some(reference.as_str());
    let mut representations = Vec::new();
    for described in xip.all("Representation") {
        if described.text_of("InformationObject").as_deref() != Some(reference.as_str()) {
            continue;
        }
        let mut parts = Vec::new();
        for part in described.find("ContentObjects").into_iter().flat_map(|list| list.all("ContentObject")) {
            parts.push(read_part(archive, base, xip, &part.content(), threshold)?);
        }
        let kind = required(described, "Type")?;
        let name = texts(described, "Name").unwrap_or_else(|| kind.clone());
        representations.push(PackedRepresentation { kind, name, parts });
    }
    Ok(PackedAsset {
        title: required(asset, "Title")?,
        description: texts(asset, "Description"),
        security_tag: texts(asset, "SecurityTag").unwrap_or_else(|| "open".to_owned()),
        custom_type: texts(asset, "CustomType"),
        parent: texts(asset, "Parent"),
        identifiers: xip
            .all("Identifier")
            .filter(of_it)
            .map(|id| Ok((required(id, "Type")?, required(id, "Value")?)))
            .collect::<Result<_, String>>()?,
        fragments: xip
            .all("Metadata")
            .filter(of_it)
            .filter_map(|metadata| {
                let content = metadata.find("Content")?.elements().next()?.clone();
                let schema = metadata.value("schemaUri").unwrap_or(&content.namespace);
                Some((schema.to_owned(), content))
            })
            .collect(),
        representations,
        reference,
    })
}

fn read_part(
    archive: &mut ZipArchive<Reader>,
    base: &str,
    xip: &Element,
    reference: &str,
    threshold: u64,
) -> Result<PackedPart, String> {
    let described = xip.all("ContentObject").find(|part| part.text_of("Ref").as_deref() == Some(reference));
    let described = described.ok_or_else(|| format!("No content object {reference} is described"))?;
    let of_it = |generation: &&Element| generation.text_of("ContentObject").as_deref() == Some(reference);
    let generation = xip.all("Generation").find(of_it);
    let generation = generation.ok_or_else(|| format!("Content object {reference} has no generation"))?;
    let mut files = Vec::new();
    for named in generation.find("Bitstreams").into_iter().flat_map(|list| list.all("Bitstream")) {
        files.push(read_file(archive, base, xip, &named.content(), threshold)?);
    }
    if files.is_empty() {
        return Err(format!("The generation of content object {reference} has no bitstream"));
    }
    Ok(PackedPart {
        reference: reference.to_owned(),
        title: required(described, "Title")?,
        description: texts(described, "Description"),
        label: texts(generation, "Label").unwrap_or_default(),
        files,
    })
}

/// The place of a bitstream in the package. Nothing else ties it to its generation.
fn place_of(bitstream: &Element) -> String {
    let name = bitstream.text_of("Filename").unwrap_or_default();
    match texts(bitstream, "PhysicalLocation") {
        Some(location) => format!("{location}/{name}"),
        None => name,
    }
}

fn read_file(
    archive: &mut ZipArchive<Reader>,
    base: &str,
    xip: &Element,
    place: &str,
    threshold: u64,
) -> Result<PackedFile, String> {
    let described = xip.all("Bitstream").find(|bitstream| place_of(bitstream) == place);
    let described = described.ok_or_else(|| format!("No bitstream {place} is described"))?;
    let name = required(described, "Filename")?;
    // Such names are taken for nothing, or stop the whole ingest.
    if !name.is_ascii() || name.contains([':', '<', '>', '|', '?']) {
        return Err(format!("The file name {name:?} has a character that is not allowed"));
    }
    let mut file = archive
        .by_name(&format!("{base}content/{place}"))
        .map_err(|_| format!("The file {place} is not in the package"))?;
    let mut spool = Spool::new(threshold, false);
    let mut piece = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut piece).map_err(|error| format!("{place}: {error}"))?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
        spool.write(read).map_err(|error| error.to_string())?;
    }
    let content = spool.finish();
    let size = required(described, "FileSize")?;
    if size != content.size.to_string() {
        return Err(format!("{place} has {} bytes and is described with {size}", content.size));
    }
    let mut fixities = Vec::new();
    for fixity in described.find("Fixities").into_iter().flat_map(|list| list.all("Fixity")) {
        let (algorithm, value) = (required(fixity, "FixityAlgorithmRef")?, required(fixity, "FixityValue")?);
        let known = Algorithm::named(&algorithm)
            .ok_or_else(|| format!("There is no fixity algorithm {algorithm}"))?;
        let found = digest(known, &content).map_err(|error| error.to_string())?;
        if !found.eq_ignore_ascii_case(&value) {
            return Err(format!("Fixity check failed for {place}: {algorithm} is {found}, expected {value}"));
        }
        fixities.push((known.name().to_owned(), found));
    }
    if fixities.is_empty() {
        let found = digest(Algorithm::Sha1, &content).map_err(|error| error.to_string())?;
        fixities.push(("SHA1".to_owned(), found));
    }
    Ok(PackedFile { name, fixities, content })
}

/// Reads what is kept from any place.
pub(super) struct Reader {
    blob: Blob,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let piece = self.blob.read_at(self.at, into.len() as u64)?;
        if let Some(place) = into.get_mut(..piece.len()) {
            place.copy_from_slice(&piece);
        }
        self.at += piece.len() as u64;
        Ok(piece.len())
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.blob.size, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        self.at = from.checked_add_signed(by).ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
