//! What is kept: folders, assets and content objects, with all that hangs on them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::xml::Element;
use super::holds::HoldAssignment;
use super::retention::Assignment;
use super::{Outcome, Refusal, State};
use crate::content::Blob;

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A folder.
    #[serde(rename = "SO")]
    StructuralObject,
    /// An asset.
    #[serde(rename = "IO")]
    InformationObject,
    /// A part of an asset.
    #[serde(rename = "CO")]
    ContentObject,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 3] = [Self::StructuralObject, Self::InformationObject, Self::ContentObject];

    /// The word in paths.
    pub fn path(self) -> &'static str {
        match self {
            Self::StructuralObject => "structural-objects",
            Self::InformationObject => "information-objects",
            Self::ContentObject => "content-objects",
        }
    }

    /// The abbreviation in lists.
    pub fn short(self) -> &'static str {
        match self {
            Self::StructuralObject => "SO",
            Self::InformationObject => "IO",
            Self::ContentObject => "CO",
        }
    }

    /// The name of its element.
    pub fn element(self) -> &'static str {
        match self {
            Self::StructuralObject => "StructuralObject",
            Self::InformationObject => "InformationObject",
            Self::ContentObject => "ContentObject",
        }
    }

    /// The kind with this word in its path.
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.path() == path)
    }
}

/// What somebody else calls an entity. Neither on one entity nor in the tenant are they unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Id of the entry.
    pub api_id: String,
    /// Whose it is.
    pub kind: String,
    /// The identifier.
    pub value: String,
}

/// A piece of descriptive metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Its reference.
    pub reference: String,
    /// Schema.
    pub schema: String,
    /// The element.
    pub content: Element,
}

/// One way in which an asset is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Representation {
    /// `Preservation` or `Access`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// References of its parts.
    pub content_objects: Vec<String>,
}

/// One state of the bytes of a part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Generation {
    /// As it came in.
    pub original: bool,
    /// In use.
    pub active: bool,
    /// Label.
    pub label: String,
    /// Since when.
    pub effective: Timestamp,
    /// Registry number and name of the format that was found.
    pub format: (String, String),
    /// The files.
    pub bitstreams: Vec<Bitstream>,
}

/// One file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bitstream {
    /// Name.
    pub filename: String,
    /// Algorithm and value of each checksum, as in XIP.
    pub fixities: Vec<(String, String)>,
    /// It lies in cold storage.
    pub cold: bool,
    /// The bytes.
    pub content: Blob,
}

/// A folder, an asset, or a part of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Its reference.
    pub reference: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: Option<String>,
    /// Security tag.
    pub security_tag: String,
    /// Custom type.
    pub custom_type: Option<String>,
    /// What it is in.
    pub parent: Option<String>,
    /// It was deleted.
    pub deleted: bool,
    /// What others call it.
    pub identifiers: Vec<Identifier>,
    /// Descriptive metadata.
    pub fragments: Vec<Fragment>,
    /// Of an asset.
    pub representations: Vec<Representation>,
    /// Of a part.
    pub generations: Vec<Generation>,
    /// A picture that was given to it.
    pub preview: Option<Blob>,
    /// Retention policies.
    pub retention: Vec<Assignment>,
    /// Legal holds.
    pub holds: Vec<HoldAssignment>,
    /// Since when it is there.
    pub created: Timestamp,
    /// When it changed last.
    pub changed: Timestamp,
    /// Position of that among all changes.
    pub change: u64,
    /// Position among all that were made.
    pub number: u64,
}

impl State {
    /// A new entity, which is in nothing yet.
    pub fn draft(&mut self, kind: Kind, title: &str) -> Entity {
        Entity {
            kind,
            reference: self.new_reference(),
            title: title.to_owned(),
            description: None,
            security_tag: "open".to_owned(),
            custom_type: None,
            parent: None,
            deleted: false,
            identifiers: Vec::new(),
            fragments: Vec::new(),
            representations: Vec::new(),
            generations: Vec::new(),
            preview: None,
            retention: Vec::new(),
            holds: Vec::new(),
            created: self.now,
            changed: self.now,
            change: 0,
            number: 0,
        }
    }

    /// Puts an entity where it belongs, and gives its reference.
    pub fn add(&mut self, mut entity: Entity) -> Outcome<String> {
        let reference = entity.reference.clone();
        if self.entities.contains_key(&reference) {
            return Err(Refusal::Refused(409, format!("There is an entity with reference {reference}")));
        }
        self.check_tag(&entity.security_tag)?;
        match (&entity.parent, entity.kind) {
            (Some(parent), Kind::ContentObject) => drop(self.living(Kind::InformationObject, parent)?),
            (Some(parent), _) => drop(self.living(Kind::StructuralObject, parent)?),
            (None, Kind::StructuralObject) => {}
            (None, _) => return Err(Refusal::Invalid("A parent is needed".to_owned())),
        }
        entity.number = self.next();
        self.entities.insert(reference.clone(), entity);
        self.touch(&reference);
        Ok(reference)
    }

    /// A tag has to be one of the tenant's.
    pub(in crate::preservica) fn check_tag(&self, tag: &str) -> Outcome<()> {
        match self.tags.iter().any(|known| known == tag) {
            true => Ok(()),
            false => Err(Refusal::Refused(422, format!("There is no security tag {tag}"))),
        }
    }

    /// Adds an identifier and gives its id.
    pub fn identify(&mut self, reference: &str, kind: &str, value: &str) -> String {
        let api_id = self.new_api_id();
        if let Some(entity) = self.entities.get_mut(reference) {
            let (kind, value) = (kind.to_owned(), value.to_owned());
            entity.identifiers.push(Identifier { api_id: api_id.clone(), kind, value });
            self.touch(reference);
        }
        api_id
    }

    /// Adds a fragment and gives its reference.
    pub fn describe(&mut self, reference: &str, schema: &str, content: Element) -> String {
        let fragment = Fragment { reference: self.new_reference(), schema: schema.to_owned(), content };
        let made = fragment.reference.clone();
        if let Some(entity) = self.entities.get_mut(reference) {
            entity.fragments.push(fragment);
            self.touch(reference);
        }
        made
    }

    /// A file of a part of an asset: representation, part, generation and file by position, the newest active generation
    /// when none is said.
    pub fn bitstream(
        &self,
        content_object: &str,
        generation: usize,
        bitstream: usize,
    ) -> Outcome<&Bitstream> {
        let part = self.living(Kind::ContentObject, content_object)?;
        let found = generation.checked_sub(1).and_then(|at| part.generations.get(at));
        let found = found
            .and_then(|generation| bitstream.checked_sub(1).and_then(|at| generation.bitstreams.get(at)));
        found.ok_or_else(|| Refusal::NotFound("No such bitstream".to_owned()))
    }
}
