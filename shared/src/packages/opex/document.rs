//! A document of OPEX, and how it is written.

use std::fmt;

use jiff::Timestamp;

use crate::{
    error::{Error, Result},
    packages::{Algorithm, Facts, Fragment, read::texts},
    xml::Element,
};

/// A version of OPEX has no place for something.
pub const NOT_IN_VERSION: &str = "opex.not-in-version";
/// What begins the namespace of every version.
pub(super) const FAMILY: &str = "http://www.openpreservationexchange.org/opex/";
/// Readers look for the namespace by this prefix, `opex-manifest-generator` for one.
const PREFIX: &str = "opex";

/// A version of OPEX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// 1.0.
    V1_0,
    /// 1.1.
    V1_1,
    /// 1.2.
    #[default]
    V1_2,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V1_0, Self::V1_1, Self::V1_2];

    /// Its namespace.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::V1_0 => "http://www.openpreservationexchange.org/opex/v1.0",
            Self::V1_1 => "http://www.openpreservationexchange.org/opex/v1.1",
            Self::V1_2 => "http://www.openpreservationexchange.org/opex/v1.2",
        }
    }

    pub(super) fn of_namespace(namespace: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.namespace() == namespace)
    }

    /// Whether the true name of a file can be said. The schema of 1.0 has no place for it and that of 1.2 has one; 1.1, of which
    /// no public schema was found, is told no more than both of them take.
    pub fn has_original_filename(self) -> bool {
        self >= Self::V1_2
    }

    /// Whether fixities of files within an asset can be said, and an asset may be a folder.
    pub fn has_asset_folders(self) -> bool {
        self >= Self::V1_2
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.namespace().strip_prefix(FAMILY).unwrap_or_default())
    }
}

/// What a document of OPEX says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opex {
    /// By which version.
    pub version: Version,
    /// What the thing is at its source. Becomes an identifier of the type `SourceID`; folders are found again by it.
    pub source_id: Option<String>,
    /// What is in the folder.
    pub manifest: Option<Manifest>,
    /// Fixities of the file, or of the files in the asset.
    pub fixities: Vec<Fixity>,
    /// The true name of the file.
    pub original_filename: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Security tag; the archive takes `open` when there is none.
    pub security_descriptor: Option<String>,
    /// Types and values.
    pub identifiers: Vec<(String, String)>,
    /// What happened to it before.
    pub events: Vec<Event>,
    /// What else it belongs to.
    pub relationships: Vec<Relationship>,
    /// Descriptive metadata; each becomes a fragment.
    pub descriptive: Vec<Fragment>,
}

/// What is in a folder: the next level only, but all levels of an asset folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// Files.
    pub files: Vec<ManifestFile>,
    /// Names of folders.
    pub folders: Vec<String>,
}

/// A file of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Name, or path within an asset folder.
    pub name: String,
    /// Length in bytes.
    pub size: Option<u64>,
    /// What for.
    pub kind: Option<Kind>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To be preserved.
    Content,
    /// A document about it.
    Metadata,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Metadata => "metadata",
        }
    }
}

/// A fixity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixity {
    /// Of which file within the asset (since 1.2); none when it is of the file itself.
    pub path: Option<String>,
    /// By which algorithm.
    pub algorithm: Algorithm,
    /// Lower-case hexadecimal.
    pub value: String,
}

impl Fixity {
    /// All that are known of a content.
    pub fn all_of(path: Option<&str>, facts: &Facts) -> impl Iterator<Item = Self> {
        facts.fixities.iter().map(move |(algorithm, value)| Self {
            path: path.map(str::to_owned),
            algorithm: *algorithm,
            value: value.clone(),
        })
    }
}

/// Something that happened before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub date: Timestamp,
    /// By whom.
    pub user: String,
    /// What kind.
    pub kind: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// More about it.
    pub detail: Option<String>,
}

/// A relation to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// What kind.
    pub kind: Option<String>,
    /// To what.
    pub object: Option<String>,
}

impl Opex {
    /// A document that says nothing yet.
    pub fn new(version: Version) -> Self {
        Self { version, ..Self::default() }
    }

    /// The document.
    ///
    /// # Errors
    /// `Invalid`: [`NOT_IN_VERSION`] for what its version has no place for,
    /// [`NOT_XML_TEXT`](crate::packages::NOT_XML_TEXT) for a character that XML has no way to say.
    pub fn to_xml(&self) -> Result<String> {
        self.check()?;
        let mut root = self.element("OPEXMetadata");
        for part in [self.transfer(), self.properties(), self.history(), self.related(), self.described()] {
            root = part.into_iter().fold(root, Element::child);
        }
        Ok(root.document_with(PREFIX))
    }

    fn element(&self, name: &str) -> Element {
        Element::new(self.version.namespace(), name)
    }

    fn transfer(&self) -> Option<Element> {
        let manifest = self.manifest.as_ref().map(|manifest| self.manifest(manifest));
        let fixities = self.fixities.iter().map(|fixity| {
            let element = self.element("Fixity");
            let element = match &fixity.path {
                Some(path) => element.attribute("path", path),
                None => element,
            };
            element.attribute("type", fixity.algorithm.opex_name()).attribute("value", &fixity.value)
        });
        let fixities = self.list("Fixities", fixities);
        let is_empty = self.source_id.is_none()
            && manifest.is_none()
            && fixities.is_none()
            && self.original_filename.is_none();
        let transfer = self.element("Transfer").with_some("SourceID", self.source_id.as_deref());
        let transfer = manifest.into_iter().chain(fixities).fold(transfer, Element::child);
        let transfer = transfer.with_some("OriginalFilename", self.original_filename.as_deref());
        (!is_empty).then_some(transfer)
    }

    fn manifest(&self, manifest: &Manifest) -> Element {
        let files = manifest.files.iter().map(|file| {
            let element = self.element("File").text(&file.name);
            let element = match file.size {
                Some(size) => element.attribute("size", &size.to_string()),
                None => element,
            };
            match file.kind {
                Some(kind) => element.attribute("type", kind.word()),
                None => element,
            }
        });
        let folders = manifest.folders.iter().map(|name| self.element("Folder").text(name));
        let lists = self.list("Files", files).into_iter().chain(self.list("Folders", folders));
        lists.fold(self.element("Manifest"), Element::child)
    }

    fn properties(&self) -> Option<Element> {
        let identifiers = self
            .identifiers
            .iter()
            .map(|(kind, value)| self.element("Identifier").attribute("type", kind).text(value));
        let identifiers = self.list("Identifiers", identifiers);
        let is_empty = self.title.is_none()
            && self.description.is_none()
            && self.security_descriptor.is_none()
            && identifiers.is_none();
        let properties = self
            .element("Properties")
            .with_some("Title", self.title.as_deref())
            .with_some("Description", self.description.as_deref())
            .with_some("SecurityDescriptor", self.security_descriptor.as_deref());
        (!is_empty).then(|| identifiers.into_iter().fold(properties, Element::child))
    }

    fn history(&self) -> Option<Element> {
        let events = self.events.iter().map(|event| {
            self.element("Event")
                .attribute("date", &event.date.to_string())
                .attribute("user", &event.user)
                .with_some("Type", event.kind.as_deref())
                .with_some("Action", event.action.as_deref())
                .with_some("Detail", event.detail.as_deref())
        });
        Some(self.element("History").child(self.list("Events", events)?))
    }

    fn related(&self) -> Option<Element> {
        let all = self.relationships.iter().map(|relationship| {
            self.element("Relationship")
                .with_some("Type", relationship.kind.as_deref())
                .with_some("Object", relationship.object.as_deref())
        });
        self.list("Relationships", all)
    }

    fn described(&self) -> Option<Element> {
        self.list("DescriptiveMetadata", self.descriptive.iter().map(|fragment| fragment.root.clone()))
    }

    fn list(&self, name: &str, elements: impl Iterator<Item = Element>) -> Option<Element> {
        let mut elements = elements.peekable();
        elements.peek()?;
        Some(elements.fold(self.element(name), Element::child))
    }

    fn check(&self) -> Result<()> {
        let lacking = |what: &str| {
            let message = format!("OPEX {} has no place for {what}", self.version);
            Err(Error::invalid(NOT_IN_VERSION, message).remedy("write OPEX v1.2"))
        };
        if self.original_filename.is_some() && !self.version.has_original_filename() {
            return lacking("the original name of a file");
        }
        if self.fixities.iter().any(|fixity| fixity.path.is_some()) && !self.version.has_asset_folders() {
            return lacking("the path of a fixity");
        }
        if self.descriptive.iter().any(|fragment| fragment.schema().starts_with(FAMILY)) {
            let message = "descriptive metadata has the namespace of OPEX itself";
            return Err(Error::invalid(crate::packages::BAD_XML, message));
        }
        let manifest = self
            .manifest
            .iter()
            .flat_map(|manifest| manifest.files.iter().map(|file| &file.name).chain(&manifest.folders));
        let single = [
            &self.source_id,
            &self.original_filename,
            &self.title,
            &self.description,
            &self.security_descriptor,
        ];
        let events = self.events.iter().flat_map(|event| {
            [Some(&event.user), event.kind.as_ref(), event.action.as_ref(), event.detail.as_ref()]
        });
        let related = self.relationships.iter().flat_map(|one| [one.kind.as_ref(), one.object.as_ref()]);
        let all = manifest
            .chain(single.into_iter().flatten())
            .chain(self.identifiers.iter().flat_map(|(kind, value)| [kind, value]))
            .chain(self.fixities.iter().filter_map(|fixity| fixity.path.as_ref()))
            .chain(events.flatten())
            .chain(related.flatten());
        texts("OPEX", all.map(String::as_str))
    }
}
