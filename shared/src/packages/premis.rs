//! PREMIS 3: what happened to an asset before it was archived, who did it, and to which files.
//!
//! A document has at least one object, and its files have a format each: where nobody knows it, `application/octet-stream`.
//!
//! Source: the schema of PREMIS 3.0 (Library of Congress, 2016).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Algorithm, Facts, Fragment,
    read::{BAD_XML, missing, texts},
};
use crate::{
    error::{Error, Result},
    xml::Element,
};

/// The namespace, by which archives know the fragment.
pub const SCHEMA: &str = "http://www.loc.gov/premis/v3";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const UNKNOWN_FORMAT: &str = "application/octet-stream";

/// What something is called: a type and a value, such as `UUID` and a UUID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Identifier {
    /// By whom or how.
    pub kind: String,
    /// What.
    pub value: String,
}

impl Identifier {
    /// The one with these words.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Premis {
    /// The asset.
    pub asset: Identifier,
    /// Its files.
    pub files: Vec<File>,
    /// What happened.
    pub events: Vec<Event>,
    /// Who did it.
    pub agents: Vec<Agent>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// What it is called.
    pub identifier: Identifier,
    /// Its true name.
    pub original_name: Option<String>,
    /// Its length in bytes.
    pub bytes: Option<u64>,
    /// Its fixities in lower-case hexadecimal.
    pub fixities: BTreeMap<Algorithm, String>,
    /// Its format, for example a media type.
    pub format: Option<String>,
}

impl File {
    /// A file of which these things are known.
    pub fn new(identifier: Identifier, original_name: impl Into<String>, facts: &Facts) -> Self {
        Self {
            identifier,
            original_name: Some(original_name.into()),
            bytes: Some(facts.bytes),
            fixities: facts.fixities.clone(),
            format: None,
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is called.
    pub identifier: Identifier,
    /// What kind; the vocabulary of the Library of Congress has `fixity check`, `ingestion`, `transfer` and others.
    pub kind: String,
    /// When.
    pub moment: Timestamp,
    /// More about it.
    pub detail: Option<String>,
    /// How it ended, for example `success`.
    pub outcome: Option<String>,
    /// More about how it ended.
    pub outcome_note: Option<String>,
    /// Who did it, and as what.
    pub agents: Vec<(Identifier, Option<String>)>,
    /// What it was done with, and as what.
    pub objects: Vec<(Identifier, Option<String>)>,
}

/// Somebody, or a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agent {
    /// What it is called.
    pub identifier: Identifier,
    /// Name.
    pub name: Option<String>,
    /// What kind: `person`, `organization`, `software`.
    pub kind: Option<String>,
    /// Of a program.
    pub version: Option<String>,
}

fn element(name: &str) -> Element {
    Element::new(SCHEMA, name)
}

/// `objectIdentifier` with `objectIdentifierType` and `objectIdentifierValue`, for example.
fn identified(name: &str, identifier: &Identifier) -> Element {
    element(name)
        .with(&format!("{name}Type"), &identifier.kind)
        .with(&format!("{name}Value"), &identifier.value)
}

impl Premis {
    /// It as a fragment of descriptive metadata.
    ///
    /// # Errors
    /// `Invalid`: something without a name or kind, or a character that XML has no way to say.
    pub fn fragment(&self) -> Result<Fragment> {
        let asset = element("object")
            .attribute_of(INSTANCE, "type", "intellectualEntity")
            .child(identified("objectIdentifier", &self.asset));
        let objects = std::iter::once(asset).chain(self.files.iter().map(File::element));
        let events = self.events.iter().map(Event::element);
        let agents = self.agents.iter().map(Agent::element);
        let root = element("premis").attribute("version", "3.0");
        let root = objects.chain(events).chain(agents).fold(root, Element::child);
        let files = self.files.iter().map(|file| &file.identifier);
        let events = self.events.iter().map(|event| &event.identifier);
        let agents = self.agents.iter().map(|agent| &agent.identifier);
        let all = std::iter::once(&self.asset).chain(files).chain(events).chain(agents);
        for identifier in all {
            if identifier.kind.is_empty() || identifier.value.is_empty() {
                return Err(Error::invalid(BAD_XML, "something in PREMIS has no identifier"));
            }
        }
        if self.events.iter().any(|event| event.kind.is_empty()) {
            return Err(Error::invalid(BAD_XML, "an event in PREMIS has no kind"));
        }
        texts("PREMIS", [root.fragment().as_str()])?;
        Fragment::of(root)
    }

    /// Reads a fragment: what is written here, of what others write.
    ///
    /// # Errors
    /// `Invalid` when it is another fragment, or something that must be there is not.
    pub fn read(fragment: &Fragment) -> Result<Self> {
        if fragment.schema() != SCHEMA || fragment.name() != "premis" {
            let message = format!("expected PREMIS 3, and it is of `{}`", fragment.schema().escape_default());
            return Err(Error::invalid(BAD_XML, message));
        }
        let mut read = Self::default();
        for part in fragment.root.elements().filter(|part| part.namespace.as_ref() == SCHEMA) {
            match part.name.as_str() {
                "object" if kind_of(part) == "file" => read.files.push(File::read(part)?),
                "object" if kind_of(part) == "intellectualEntity" => {
                    read.asset = read_identifier(part, "objectIdentifier")?;
                }
                "event" => read.events.push(Event::read(part)?),
                "agent" => read.agents.push(Agent::read(part)?),
                _ => {}
            }
        }
        Ok(read)
    }
}

impl File {
    fn element(&self) -> Element {
        let fixities = self.fixities.iter().map(|(algorithm, value)| {
            element("fixity")
                .with("messageDigestAlgorithm", algorithm.opex_name())
                .with("messageDigest", value)
        });
        let bytes = self.bytes.map(|bytes| bytes.to_string());
        let format = self.format.as_deref().unwrap_or(UNKNOWN_FORMAT);
        let format = element("format").child(element("formatDesignation").with("formatName", format));
        let characteristics = fixities
            .fold(element("objectCharacteristics"), Element::child)
            .with_some("size", bytes.as_deref())
            .child(format);
        element("object")
            .attribute_of(INSTANCE, "type", "file")
            .child(identified("objectIdentifier", &self.identifier))
            .child(characteristics)
            .with_some("originalName", self.original_name.as_deref())
    }

    fn read(object: &Element) -> Result<Self> {
        let characteristics = find(object, "objectCharacteristics");
        let mut fixities = BTreeMap::new();
        for fixity in all(characteristics, "fixity") {
            let (name, value) =
                (required(fixity, "messageDigestAlgorithm")?, required(fixity, "messageDigest")?);
            // Others may name algorithms that archives do not know.
            if let Some(algorithm) = Algorithm::named(&name).filter(|algorithm| algorithm.is_value(&value)) {
                fixities.insert(algorithm, value.to_ascii_lowercase());
            }
        }
        let format = characteristics.and_then(|one| find(one, "format"));
        let format = format.and_then(|one| find(one, "formatDesignation"));
        let format = format.and_then(|one| text(one, "formatName"));
        Ok(Self {
            identifier: read_identifier(object, "objectIdentifier")?,
            original_name: text(object, "originalName"),
            bytes: characteristics.and_then(|one| text(one, "size")).and_then(|size| size.parse().ok()),
            fixities,
            format: format.filter(|format| format != UNKNOWN_FORMAT),
        })
    }
}

impl Event {
    fn element(&self) -> Element {
        let detail = self.detail.as_deref();
        let detail = detail.map(|detail| element("eventDetailInformation").with("eventDetail", detail));
        let note = self.outcome_note.as_deref();
        let note = note.map(|note| element("eventOutcomeDetail").with("eventOutcomeDetailNote", note));
        let has_outcome = self.outcome.is_some() || note.is_some();
        let outcome = element("eventOutcomeInformation").with_some("eventOutcome", self.outcome.as_deref());
        let outcome = has_outcome.then(|| note.into_iter().fold(outcome, Element::child));
        let linked = |name: &'static str, role: &'static str| {
            move |(identifier, word): &(Identifier, Option<String>)| {
                identified(name, identifier).with_some(role, word.as_deref())
            }
        };
        let agents = self.agents.iter().map(linked("linkingAgentIdentifier", "linkingAgentRole"));
        let objects = self.objects.iter().map(linked("linkingObjectIdentifier", "linkingObjectRole"));
        let event = element("event")
            .child(identified("eventIdentifier", &self.identifier))
            .with("eventType", &self.kind)
            .with("eventDateTime", &self.moment.to_string());
        detail.into_iter().chain(outcome).chain(agents).chain(objects).fold(event, Element::child)
    }

    fn read(event: &Element) -> Result<Self> {
        let moment = required(event, "eventDateTime")?;
        let outcome = find(event, "eventOutcomeInformation");
        let linked = |name: &'static str, role: &str| {
            all(Some(event), name)
                .map(|one| Ok((read_words(one, name)?, text(one, role))))
                .collect::<Result<_>>()
        };
        let detail = find(event, "eventDetailInformation");
        let note = outcome.and_then(|one| find(one, "eventOutcomeDetail"));
        Ok(Self {
            identifier: read_identifier(event, "eventIdentifier")?,
            kind: required(event, "eventType")?,
            moment: moment.parse().map_err(|error| {
                Error::invalid(BAD_XML, "an event in PREMIS has no moment that can be read").source(error)
            })?,
            detail: detail.and_then(|one| text(one, "eventDetail")),
            outcome: outcome.and_then(|one| text(one, "eventOutcome")),
            outcome_note: note.and_then(|one| text(one, "eventOutcomeDetailNote")),
            agents: linked("linkingAgentIdentifier", "linkingAgentRole")?,
            objects: linked("linkingObjectIdentifier", "linkingObjectRole")?,
        })
    }
}

impl Agent {
    fn element(&self) -> Element {
        element("agent")
            .child(identified("agentIdentifier", &self.identifier))
            .with_some("agentName", self.name.as_deref())
            .with_some("agentType", self.kind.as_deref())
            .with_some("agentVersion", self.version.as_deref())
    }

    fn read(agent: &Element) -> Result<Self> {
        Ok(Self {
            identifier: read_identifier(agent, "agentIdentifier")?,
            name: text(agent, "agentName"),
            kind: text(agent, "agentType"),
            version: text(agent, "agentVersion"),
        })
    }
}

/// What kind of object it is; prefixes of such values do not count.
fn kind_of(object: &Element) -> &str {
    let kind = object.value_of(INSTANCE, "type").unwrap_or_default();
    kind.rsplit_once(':').map_or(kind, |(_, name)| name)
}

fn find<'a>(parent: &'a Element, name: &str) -> Option<&'a Element> {
    parent.elements().find(|child| child.namespace.as_ref() == SCHEMA && child.name == name)
}

fn all<'a>(parent: Option<&'a Element>, name: &'a str) -> impl Iterator<Item = &'a Element> {
    let children = parent.into_iter().flat_map(Element::elements);
    children.filter(move |child| child.namespace.as_ref() == SCHEMA && child.name == name)
}

fn text(parent: &Element, name: &str) -> Option<String> {
    find(parent, name).map(Element::whole)
}

fn required(parent: &Element, name: &str) -> Result<String> {
    text(parent, name).ok_or_else(|| missing(name, &format!("a PREMIS {}", parent.name)))
}

fn read_identifier(parent: &Element, name: &str) -> Result<Identifier> {
    let found = find(parent, name).ok_or_else(|| missing(name, &format!("a PREMIS {}", parent.name)))?;
    read_words(found, name)
}

fn read_words(found: &Element, name: &str) -> Result<Identifier> {
    Ok(Identifier {
        kind: required(found, &format!("{name}Type"))?,
        value: required(found, &format!("{name}Value"))?,
    })
}
