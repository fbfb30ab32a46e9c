//! A document of XIP, and how it is written.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use crate::{
    error::{Error, Result},
    packages::{Algorithm, BAD_XML, Expected, Fragment, Purpose, TWICE, read::texts},
    xml::Element,
};

/// A version of XIP has no place for something.
pub const NOT_IN_VERSION: &str = "xip.not-in-version";
/// What begins the namespace of every version.
pub(super) const FAMILY: &str = "http://preservica.com/XIP/v";

/// Whether a version has a place for the true name of a file.
pub(super) fn has_original_filename(version: &str) -> bool {
    numbers(version).is_some_and(|numbers| numbers >= (6, 2))
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (major, minor) = version.split_once('.')?;
    Some((number(major)?, number(minor)?))
}

/// What a document of XIP says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Xip {
    /// By which version, for example `6.0` or `7.7`.
    pub version: String,
    /// Folders.
    pub folders: Vec<Folder>,
    /// Assets.
    pub assets: Vec<Asset>,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    /// Its reference.
    pub reference: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: Option<String>,
    /// Security tag.
    pub security_tag: String,
    /// The folder it is in.
    pub parent: Option<String>,
}

/// An asset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asset {
    /// Its reference.
    pub reference: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: Option<String>,
    /// Security tag, of its parts too.
    pub security_tag: String,
    /// Type of the producer's own.
    pub custom_type: Option<String>,
    /// The folder it is in.
    pub parent: Option<String>,
    /// Types and values.
    pub identifiers: Vec<(String, String)>,
    /// Descriptive metadata, each with its reference.
    pub fragments: Vec<(String, Fragment)>,
    /// The ways in which it is there.
    pub representations: Vec<FoundRepresentation>,
}

/// A representation as it is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRepresentation {
    /// What for.
    pub purpose: Purpose,
    /// Its name.
    pub name: Option<String>,
    /// Its parts in their order.
    pub parts: Vec<FoundPart>,
}

/// A part as it is described: a content object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundPart {
    /// Its reference.
    pub reference: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: Option<String>,
    /// Each state of it, the oldest first.
    pub generations: Vec<Generation>,
}

/// A state of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Generation {
    /// As it came in.
    pub is_original: bool,
    /// In use.
    pub is_active: bool,
    /// Label.
    pub label: Option<String>,
    /// Since when.
    pub effective: Option<Timestamp>,
    /// Its files.
    pub bitstreams: Vec<Bitstream>,
}

/// A file as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bitstream {
    /// Its storage name.
    pub filename: String,
    /// Its folder.
    pub location: Option<String>,
    /// Its true name (since 6.2); before, it follows from the storage name.
    pub original_filename: Option<String>,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its fixities in lower-case hexadecimal.
    pub fixities: BTreeMap<Algorithm, String>,
}

impl Bitstream {
    /// Its place, by which generations name it.
    pub fn place(&self) -> String {
        match self.location.as_deref().filter(|location| !location.is_empty()) {
            Some(location) => format!("{location}/{}", self.filename),
            None => self.filename.clone(),
        }
    }
}

impl Asset {
    /// All files, with what is said about them; `base` is the folder that places begin at.
    pub fn files(&self, base: &str) -> Vec<Expected> {
        let parts = self.representations.iter().flat_map(|representation| &representation.parts);
        let generations = parts.flat_map(|part| &part.generations);
        let mut seen = HashSet::new();
        generations
            .flat_map(|generation| &generation.bitstreams)
            .map(|bitstream| Expected {
                path: format!("{base}{}", bitstream.place()),
                within: None,
                bytes: Some(bitstream.bytes),
                fixities: bitstream.fixities.clone(),
            })
            .filter(|expected| seen.insert(expected.path.clone()))
            .collect()
    }

    fn all_parts(&self) -> impl Iterator<Item = &FoundPart> {
        let mut seen = HashSet::new();
        // The same part may be in several representations.
        let parts = self.representations.iter().flat_map(|representation| &representation.parts);
        parts.filter(move |part| seen.insert(part.reference.as_str()))
    }
}

impl Xip {
    /// The document.
    ///
    /// # Errors
    /// `Invalid`: a version that is no version, [`NOT_IN_VERSION`] for what it has no place for, a character that XML has no
    /// way to say, or two files with one place.
    pub fn to_xml(&self) -> Result<String> {
        self.check()?;
        let root = self.element("XIP");
        let folders = self.folders.iter().map(|folder| self.folder(folder));
        let assets = self.assets.iter().map(|asset| self.asset(asset));
        let mut parts = Vec::new();
        let mut generations = Vec::new();
        let mut bitstreams = Vec::new();
        for (asset, part) in
            self.assets.iter().flat_map(|asset| asset.all_parts().map(move |part| (asset, part)))
        {
            parts.push(self.part(asset, part));
            for generation in &part.generations {
                generations.push(self.generation(part, generation));
                bitstreams.extend(generation.bitstreams.iter().map(|bitstream| self.bitstream(bitstream)));
            }
        }
        let representations = self
            .assets
            .iter()
            .flat_map(|asset| asset.representations.iter().map(|one| self.representation(asset, one)));
        let identifiers = self.assets.iter().flat_map(|asset| {
            asset.identifiers.iter().map(|(kind, value)| {
                let element = self.element("Identifier").with("Type", kind).with("Value", value);
                element.with("Entity", &asset.reference)
            })
        });
        let fragments = self.assets.iter().flat_map(|asset| {
            asset.fragments.iter().map(|(reference, fragment)| {
                self.element("Metadata")
                    .attribute("schemaUri", fragment.schema())
                    .with("Ref", reference)
                    .with("Entity", &asset.reference)
                    .child(self.element("Content").child(fragment.root.clone()))
            })
        });
        let all = folders
            .chain(assets)
            .chain(representations)
            .chain(parts)
            .chain(generations)
            .chain(bitstreams)
            .chain(identifiers)
            .chain(fragments);
        Ok(all.fold(root, Element::child).document())
    }

    fn element(&self, name: &str) -> Element {
        Element::new(&format!("{FAMILY}{}", self.version), name)
    }

    fn folder(&self, folder: &Folder) -> Element {
        self.element("StructuralObject")
            .with("Ref", &folder.reference)
            .with("Title", &folder.title)
            .with_some("Description", folder.description.as_deref())
            .with("SecurityTag", &folder.security_tag)
            .with_some("Parent", folder.parent.as_deref())
    }

    fn asset(&self, asset: &Asset) -> Element {
        self.element("InformationObject")
            .with("Ref", &asset.reference)
            .with("Title", &asset.title)
            .with_some("Description", asset.description.as_deref())
            .with("SecurityTag", &asset.security_tag)
            .with_some("CustomType", asset.custom_type.as_deref())
            .with_some("Parent", asset.parent.as_deref())
    }

    fn representation(&self, asset: &Asset, representation: &FoundRepresentation) -> Element {
        let purpose = representation.purpose.name();
        let parts = representation.parts.iter().map(|part| part.reference.as_str());
        let list = parts.fold(self.element("ContentObjects"), |list, part| list.with("ContentObject", part));
        self.element("Representation")
            .with("InformationObject", &asset.reference)
            // Needed before 7.7.
            .with("Name", representation.name.as_deref().unwrap_or(purpose))
            .with("Type", purpose)
            .child(list)
    }

    fn part(&self, asset: &Asset, part: &FoundPart) -> Element {
        self.element("ContentObject")
            .with("Ref", &part.reference)
            .with("Title", &part.title)
            .with_some("Description", part.description.as_deref())
            .with("SecurityTag", &asset.security_tag)
            .with("Parent", &asset.reference)
    }

    fn generation(&self, part: &FoundPart, generation: &Generation) -> Element {
        let word = |is: bool| if is { "true" } else { "false" };
        let effective = generation.effective.map(|effective| effective.to_string());
        let places = generation.bitstreams.iter();
        let places = places
            .fold(self.element("Bitstreams"), |list, bitstream| list.with("Bitstream", &bitstream.place()));
        self.element("Generation")
            .attribute("original", word(generation.is_original))
            .attribute("active", word(generation.is_active))
            .with("ContentObject", &part.reference)
            .with_some("Label", generation.label.as_deref())
            .with_some("EffectiveDate", effective.as_deref())
            .child(places)
            .child(self.element("Formats"))
            .child(self.element("Properties"))
    }

    fn bitstream(&self, bitstream: &Bitstream) -> Element {
        let fixities = bitstream.fixities.iter().map(|(algorithm, value)| {
            // Clients count on this order of the two.
            self.element("Fixity").with("FixityAlgorithmRef", algorithm.xip_name()).with("FixityValue", value)
        });
        self.element("Bitstream")
            .with("Filename", &bitstream.filename)
            .with("FileSize", &bitstream.bytes.to_string())
            // Needed before 7.7.
            .with("PhysicalLocation", bitstream.location.as_deref().unwrap_or_default())
            .with_some("OriginalFilename", bitstream.original_filename.as_deref())
            .child(fixities.fold(self.element("Fixities"), Element::child))
    }

    fn check(&self) -> Result<()> {
        if numbers(&self.version).is_none() {
            let message =
                format!("expected a version like 6.0, and it is `{}`", self.version.escape_default());
            return Err(Error::invalid(BAD_XML, message));
        }
        let mut places = HashSet::new();
        for asset in &self.assets {
            for generation in asset.all_parts().flat_map(|part| &part.generations) {
                for bitstream in &generation.bitstreams {
                    if bitstream.original_filename.is_some() && !has_original_filename(&self.version) {
                        let message =
                            format!("XIP {} has no place for original names of files", self.version);
                        return Err(Error::invalid(NOT_IN_VERSION, message).remedy("write XIP 6.2 or later"));
                    }
                    if !places.insert(bitstream.place()) {
                        let message = format!("two files lie at `{}`", bitstream.place());
                        return Err(Error::invalid(TWICE, message));
                    }
                }
            }
        }
        let folders = self.folders.iter().flat_map(|folder| {
            let Folder { reference, title, description, security_tag, parent } = folder;
            [Some(reference), Some(title), Some(security_tag), description.as_ref(), parent.as_ref()]
        });
        let assets = self.assets.iter().flat_map(asset_texts);
        texts("XIP", folders.flatten().chain(assets).map(String::as_str))
    }
}

/// What an asset says in words of others.
fn asset_texts(asset: &Asset) -> impl Iterator<Item = &String> {
    let Asset { reference, title, description, security_tag, custom_type, parent, .. } = asset;
    let own = [
        Some(reference),
        Some(title),
        Some(security_tag),
        description.as_ref(),
        custom_type.as_ref(),
        parent.as_ref(),
    ];
    let identifiers = asset.identifiers.iter().flat_map(|(kind, value)| [kind, value]);
    let names = asset.representations.iter().filter_map(|representation| representation.name.as_ref());
    let parts = asset.all_parts().flat_map(|part| {
        let generations = part.generations.iter().flat_map(|generation| {
            let files = generation.bitstreams.iter();
            let files = files.flat_map(|file| {
                [Some(&file.filename), file.location.as_ref(), file.original_filename.as_ref()]
            });
            files.flatten().chain(&generation.label)
        });
        [&part.reference, &part.title].into_iter().chain(&part.description).chain(generations)
    });
    let references = asset.fragments.iter().map(|(reference, _)| reference);
    own.into_iter().flatten().chain(identifiers).chain(names).chain(parts).chain(references)
}
