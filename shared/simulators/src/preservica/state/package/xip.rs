//! XIP: what an archive says of its assets, which a package may say beforehand.

use super::{About, Contents, Files, PackedAsset, PackedFile, PackedPart, PackedRepresentation};
use super::{checked, required, texts};
use crate::preservica::xml::Element;

/// Reads packages of one folder an asset: its `metadata.xml`, and its files below `content/`.
pub(super) fn read_package(
    files: &mut Files,
    descriptions: &[String],
    threshold: u64,
) -> Result<Contents, String> {
    let mut contents = Contents::default();
    for name in descriptions {
        let xip = read_document(files, name)?;
        let base = format!("{}content/", name.trim_end_matches("metadata.xml"));
        for asset in xip.all("InformationObject") {
            contents.assets.push(Described { files, base: &base, xip: &xip, threshold }.asset(asset));
        }
    }
    Ok(contents)
}

pub(super) fn read_document(files: &mut Files, name: &str) -> Result<Element, String> {
    let xip = Element::parse(&files.description(name)?).map_err(|error| format!("{name}: {error}"))?;
    match xip.name == "XIP" && xip.namespace.starts_with("http://preservica.com/XIP/v") {
        true => Ok(xip),
        false => Err(format!("{name} is no XIP document")),
    }
}

/// A document, and where the files it describes are.
pub(super) struct Described<'a> {
    pub(super) files: &'a mut Files,
    /// What goes before the places of its bitstreams.
    pub(super) base: &'a str,
    pub(super) xip: &'a Element,
    pub(super) threshold: u64,
}

impl Described<'_> {
    pub(super) fn asset(&mut self, asset: &Element) -> Result<PackedAsset, String> {
        let reference = required(asset, "Ref")?;
        let of_it = |element: &&Element| element.text_of("Entity").as_deref() == Some(reference.as_str());
        let mut representations = Vec::new();
        for described in self.xip.all("Representation") {
            if described.text_of("InformationObject").as_deref() != Some(reference.as_str()) {
                continue;
            }
            let listed = described.find("ContentObjects").into_iter();
            let mut parts = Vec::new();
            for part in listed.flat_map(|list| list.all("ContentObject")) {
                parts.push(self.part(&part.content())?);
            }
            let kind = required(described, "Type")?;
            let name = texts(described, "Name").unwrap_or_else(|| kind.clone());
            representations.push(PackedRepresentation { kind, name, parts });
        }
        let identifiers = self.xip.all("Identifier").filter(of_it);
        let fragments = self.xip.all("Metadata").filter(of_it).filter_map(|metadata| {
            let content = metadata.find("Content")?.elements().next()?.clone();
            let schema = metadata.value("schemaUri").unwrap_or(&content.namespace);
            Some((schema.to_owned(), content))
        });
        let about = About {
            title: required(asset, "Title")?,
            description: texts(asset, "Description"),
            security_tag: texts(asset, "SecurityTag"),
            source: None,
            identifiers: identifiers
                .map(|id| Ok((required(id, "Type")?, required(id, "Value")?)))
                .collect::<Result<_, String>>()?,
            fragments: fragments.collect(),
        };
        Ok(PackedAsset {
            about,
            custom_type: texts(asset, "CustomType"),
            parent: texts(asset, "Parent"),
            representations,
            reference,
            ..PackedAsset::default()
        })
    }

    fn part(&mut self, reference: &str) -> Result<PackedPart, String> {
        let is_it = |part: &&Element| part.text_of("Ref").as_deref() == Some(reference);
        let described = self.xip.all("ContentObject").find(is_it);
        let described = described.ok_or_else(|| format!("No content object {reference} is described"))?;
        let of_it = |one: &&Element| one.text_of("ContentObject").as_deref() == Some(reference);
        let mut part = PackedPart {
            reference: reference.to_owned(),
            title: required(described, "Title")?,
            description: texts(described, "Description"),
            ..PackedPart::default()
        };
        for generation in self.xip.all("Generation").filter(of_it) {
            let mut files = Vec::new();
            let listed = generation.find("Bitstreams").into_iter();
            for named in listed.flat_map(|list| list.all("Bitstream")) {
                files.push(self.file(&named.content())?);
            }
            if files.is_empty() {
                return Err(format!("The generation of content object {reference} has no bitstream"));
            }
            part.label = texts(generation, "Label").unwrap_or_default();
            part.generations.push(files);
        }
        match part.generations.is_empty() {
            true => Err(format!("Content object {reference} has no generation")),
            false => Ok(part),
        }
    }

    fn file(&mut self, place: &str) -> Result<PackedFile, String> {
        let described = self.xip.all("Bitstream").find(|bitstream| place_of(bitstream) == place);
        let described = described.ok_or_else(|| format!("No bitstream {place} is described"))?;
        let name = required(described, "Filename")?;
        // Such names are taken for nothing, or stop the whole ingest.
        if !name.is_ascii() || name.contains([':', '<', '>', '|', '?']) {
            return Err(format!("The file name {name:?} has a character that is not allowed"));
        }
        let content = self.files.content(&format!("{}{place}", self.base), self.threshold)?;
        let size = required(described, "FileSize")?;
        if size != content.size.to_string() {
            return Err(format!("{place} has {} bytes and is described with {size}", content.size));
        }
        let listed = described.find("Fixities").into_iter().flat_map(|list| list.all("Fixity"));
        let said: Result<Vec<(String, String)>, String> = listed
            .map(|fixity| Ok((required(fixity, "FixityAlgorithmRef")?, required(fixity, "FixityValue")?)))
            .collect();
        let fixities = checked(&content, &said?, place)?;
        Ok(PackedFile { name, fixities, content })
    }
}

/// The place of a bitstream in the package. Nothing else ties it to its generation.
fn place_of(bitstream: &Element) -> String {
    let name = bitstream.text_of("Filename").unwrap_or_default();
    match texts(bitstream, "PhysicalLocation") {
        Some(location) => format!("{location}/{name}"),
        None => name,
    }
}
