//! How a document of XIP is read, of any version.

use std::collections::{BTreeMap, HashMap};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::document::{Asset, Bitstream, FAMILY, Folder, FoundPart, FoundRepresentation, Generation, Xip};
use crate::{
    error::{Error, Result},
    packages::{
        Algorithm, Fragment, Purpose,
        read::{BAD_XML, document, missing},
    },
    xml::Element,
};

impl Xip {
    /// Reads a document.
    ///
    /// # Errors
    /// `Invalid` with [`BAD_XML`]: no document of XIP, something that must be there is not, or something names what is not there.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let root = document(bytes, FAMILY, "XIP")?;
        let version = root.namespace.strip_prefix(FAMILY).unwrap_or_default().to_owned();
        let found = Found::of(&root)?;
        let of_name = |name: &'static str| root.elements().filter(move |child| child.is(FAMILY, name));
        let folders = of_name("StructuralObject").map(read_folder).collect::<Result<_>>()?;
        let assets = of_name("InformationObject").map(|asset| found.asset(asset)).collect::<Result<_>>()?;
        Ok(Self { version, folders, assets })
    }
}

fn text(element: &Element, name: &str) -> Option<String> {
    let found = element.elements().find(|child| child.is(FAMILY, name))?;
    Some(found.whole())
}

/// The same, where an empty element says nothing.
fn some_text(element: &Element, name: &str) -> Option<String> {
    text(element, name).filter(|text| !text.is_empty())
}

fn required(element: &Element, name: &str) -> Result<String> {
    some_text(element, name).ok_or_else(|| missing(name, &format!("a {}", element.name)))
}

fn odd(what: &str, value: &str) -> Error {
    let value: String = value.chars().take(200).collect();
    Error::invalid(BAD_XML, format!("{what} `{}`", value.escape_default()))
}

fn read_folder(folder: &Element) -> Result<Folder> {
    Ok(Folder {
        reference: required(folder, "Ref")?,
        title: text(folder, "Title").unwrap_or_default(),
        description: some_text(folder, "Description"),
        security_tag: required(folder, "SecurityTag")?,
        parent: some_text(folder, "Parent"),
    })
}

/// Elements by what others name them by.
struct Found<'a> {
    /// By asset.
    representations: HashMap<String, Vec<&'a Element>>,
    identifiers: HashMap<String, Vec<&'a Element>>,
    fragments: HashMap<String, Vec<&'a Element>>,
    /// By reference.
    parts: HashMap<String, &'a Element>,
    /// By part.
    generations: HashMap<String, Vec<&'a Element>>,
    /// By place.
    bitstreams: HashMap<String, Bitstream>,
}

impl<'a> Found<'a> {
    fn of(root: &'a Element) -> Result<Self> {
        let by = |name: &'static str, key: &'static str| {
            let mut found: HashMap<String, Vec<&'a Element>> = HashMap::new();
            for element in root.elements().filter(|child| child.is(FAMILY, name)) {
                found.entry(required(element, key)?).or_default().push(element);
            }
            Ok::<_, Error>(found)
        };
        let mut parts = HashMap::new();
        for (reference, all) in by("ContentObject", "Ref")? {
            match all.as_slice() {
                [one] => drop(parts.insert(reference, *one)),
                _ => return Err(odd("there are two content objects", &reference)),
            }
        }
        let mut bitstreams = HashMap::new();
        for element in root.elements().filter(|child| child.is(FAMILY, "Bitstream")) {
            let bitstream = read_bitstream(element)?;
            if let Some(other) = bitstreams.insert(bitstream.place(), bitstream) {
                return Err(odd("two files lie at", &other.place()));
            }
        }
        Ok(Self {
            representations: by("Representation", "InformationObject")?,
            identifiers: by("Identifier", "Entity")?,
            fragments: by("Metadata", "Entity")?,
            generations: by("Generation", "ContentObject")?,
            parts,
            bitstreams,
        })
    }

    fn asset(&self, asset: &Element) -> Result<Asset> {
        let reference = required(asset, "Ref")?;
        let all =
            |found: &HashMap<String, Vec<&'a Element>>| found.get(&reference).cloned().unwrap_or_default();
        let identifiers = all(&self.identifiers)
            .into_iter()
            .map(|one| Ok((required(one, "Type")?, required(one, "Value")?)))
            .collect::<Result<_>>()?;
        let fragments = all(&self.fragments).into_iter().map(read_fragment).collect::<Result<_>>()?;
        let representations = all(&self.representations)
            .into_iter()
            .map(|one| self.representation(one))
            .collect::<Result<_>>()?;
        Ok(Asset {
            title: text(asset, "Title").unwrap_or_default(),
            description: some_text(asset, "Description"),
            security_tag: required(asset, "SecurityTag")?,
            custom_type: some_text(asset, "CustomType"),
            parent: some_text(asset, "Parent"),
            identifiers,
            fragments,
            representations,
            reference,
        })
    }

    fn representation(&self, representation: &Element) -> Result<FoundRepresentation> {
        let word = required(representation, "Type")?;
        let purpose = Purpose::named(&word).ok_or_else(|| odd("a representation has the type", &word))?;
        let list = representation.elements().filter(|child| child.is(FAMILY, "ContentObjects"));
        let parts = list.flat_map(Element::elements).filter(|child| child.is(FAMILY, "ContentObject"));
        let parts = parts.map(|part| self.part(&part.whole())).collect::<Result<_>>()?;
        Ok(FoundRepresentation { purpose, name: some_text(representation, "Name"), parts })
    }

    fn part(&self, reference: &str) -> Result<FoundPart> {
        let part = self.parts.get(reference);
        let part = part.ok_or_else(|| odd("a representation names the missing content object", reference))?;
        let generations = self.generations.get(reference).map(Vec::as_slice).unwrap_or_default();
        Ok(FoundPart {
            reference: reference.to_owned(),
            title: text(part, "Title").unwrap_or_default(),
            description: some_text(part, "Description"),
            generations: generations.iter().map(|one| self.generation(one)).collect::<Result<_>>()?,
        })
    }

    fn generation(&self, generation: &Element) -> Result<Generation> {
        let is = |name: &str| matches!(generation.value(name), Some("true" | "1"));
        let list = generation.elements().filter(|child| child.is(FAMILY, "Bitstreams"));
        let places = list.flat_map(Element::elements).filter(|child| child.is(FAMILY, "Bitstream"));
        let bitstreams = places.map(|place| {
            let place = place.whole();
            let found = self.bitstreams.get(&place).cloned();
            found.ok_or_else(|| odd("a generation names the missing file", &place))
        });
        Ok(Generation {
            is_original: is("original"),
            is_active: is("active"),
            label: some_text(generation, "Label"),
            effective: some_text(generation, "EffectiveDate").map(|date| read_moment(&date)).transpose()?,
            bitstreams: bitstreams.collect::<Result<_>>()?,
        })
    }
}

/// A moment; one without offset, as some producers write it, is taken for UTC.
fn read_moment(text: &str) -> Result<Timestamp> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(civil).ok_or_else(|| odd("a date cannot be read:", text))
}

fn read_bitstream(bitstream: &Element) -> Result<Bitstream> {
    let size = required(bitstream, "FileSize")?;
    let mut fixities = BTreeMap::new();
    let list = bitstream.elements().filter(|child| child.is(FAMILY, "Fixities"));
    for fixity in list.flat_map(Element::elements).filter(|child| child.is(FAMILY, "Fixity")) {
        let (name, value) = (required(fixity, "FixityAlgorithmRef")?, required(fixity, "FixityValue")?);
        let algorithm = Algorithm::named(&name).ok_or_else(|| odd("a fixity has the algorithm", &name))?;
        if !algorithm.is_value(&value) {
            return Err(odd("a fixity has the value", &value));
        }
        let other = fixities.insert(algorithm, value.to_ascii_lowercase());
        if other.is_some_and(|other| !other.eq_ignore_ascii_case(&value)) {
            return Err(odd("a file has two fixities of", &name));
        }
    }
    Ok(Bitstream {
        filename: required(bitstream, "Filename")?,
        location: some_text(bitstream, "PhysicalLocation"),
        original_filename: some_text(bitstream, "OriginalFilename"),
        bytes: size.parse().map_err(|_| odd("a file has the size", &size))?,
        fixities,
    })
}

fn read_fragment(metadata: &Element) -> Result<(String, Fragment)> {
    let content = metadata.elements().find(|child| child.is(FAMILY, "Content"));
    let root = content.and_then(|content| content.elements().next());
    let root = root.ok_or_else(|| missing("content", "a piece of descriptive metadata"))?;
    Ok((required(metadata, "Ref")?, Fragment::of(root.clone())?))
}
