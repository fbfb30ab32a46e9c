//! How a document of OPEX is read. Elements that a version does not know are left alone.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::document::{Event, FAMILY, Fixity, Kind, Manifest, ManifestFile, Opex, Relationship, Version};
use crate::{
    error::{Error, Result},
    packages::{
        Algorithm, Fragment,
        read::{BAD_XML, document, missing},
    },
    xml::Element,
};

impl Opex {
    /// Reads a document of any version.
    ///
    /// # Errors
    /// `Invalid` with [`BAD_XML`]: no document of OPEX, an unknown version, or something in it cannot be.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let root = document(bytes, FAMILY, "OPEXMetadata")?;
        let version = Version::of_namespace(&root.namespace).ok_or_else(|| {
            let message = format!(
                "expected OPEX v1.0, v1.1 or v1.2, and the namespace is `{}`",
                root.namespace.escape_default()
            );
            Error::invalid(BAD_XML, message)
        })?;
        let mut read = Self::new(version);
        for part in root.elements() {
            match part.name.as_str() {
                "Transfer" => read.read_transfer(part)?,
                "Properties" => read.read_properties(part)?,
                "History" => {
                    let events = list(part, "Events", "Event");
                    read.events = events.map(read_event).collect::<Result<_>>()?;
                }
                "Relationships" => {
                    let all = of(part, "Relationship");
                    read.relationships = all
                        .map(|one| Relationship { kind: text(one, "Type"), object: text(one, "Object") })
                        .collect();
                }
                "DescriptiveMetadata" => {
                    read.descriptive =
                        part.elements().map(|one| Fragment::of(one.clone())).collect::<Result<_>>()?;
                }
                _ => {}
            }
        }
        Ok(read)
    }

    fn read_transfer(&mut self, transfer: &Element) -> Result<()> {
        self.source_id = text(transfer, "SourceID");
        self.original_filename = text(transfer, "OriginalFilename");
        self.fixities = list(transfer, "Fixities", "Fixity").map(read_fixity).collect::<Result<_>>()?;
        if let Some(manifest) = of(transfer, "Manifest").next() {
            let files = list(manifest, "Files", "File").map(read_file).collect::<Result<_>>()?;
            let folders = list(manifest, "Folders", "Folder").map(Element::whole).collect();
            self.manifest = Some(Manifest { files, folders });
        }
        Ok(())
    }

    fn read_properties(&mut self, properties: &Element) -> Result<()> {
        self.title = text(properties, "Title");
        self.description = text(properties, "Description");
        self.security_descriptor = text(properties, "SecurityDescriptor");
        for identifier in list(properties, "Identifiers", "Identifier") {
            let kind = identifier.value("type").ok_or_else(|| missing("type", "an identifier"))?;
            self.identifiers.push((kind.to_owned(), identifier.whole()));
        }
        Ok(())
    }
}

fn of<'a>(parent: &'a Element, name: &'a str) -> impl Iterator<Item = &'a Element> {
    parent.elements().filter(move |child| child.is(FAMILY, name))
}

fn list<'a>(parent: &'a Element, list: &'a str, name: &'a str) -> impl Iterator<Item = &'a Element> {
    of(parent, list).flat_map(move |list| of(list, name))
}

fn text(parent: &Element, name: &str) -> Option<String> {
    of(parent, name).next().map(Element::whole)
}

fn odd(what: &str, value: &str) -> Error {
    let value: String = value.chars().take(80).collect();
    Error::invalid(BAD_XML, format!("{what} is `{}`", value.escape_default()))
}

fn read_fixity(fixity: &Element) -> Result<Fixity> {
    let name = fixity.value("type").ok_or_else(|| missing("type", "a fixity"))?;
    let value = fixity.value("value").ok_or_else(|| missing("value", "a fixity"))?;
    let algorithm = Algorithm::named(name).ok_or_else(|| odd("the algorithm of a fixity", name))?;
    if !algorithm.is_value(value) {
        return Err(odd("the value of a fixity", value));
    }
    let path = fixity.value("path").map(str::to_owned);
    Ok(Fixity { path, algorithm, value: value.to_ascii_lowercase() })
}

fn read_file(file: &Element) -> Result<ManifestFile> {
    let size = file.value("size").map(|size| size.parse().map_err(|_| odd("the size of a file", size)));
    let kind = file.value("type").map(|kind| match kind {
        "content" => Ok(Kind::Content),
        "metadata" => Ok(Kind::Metadata),
        other => Err(odd("the type of a file", other)),
    });
    Ok(ManifestFile { name: file.whole(), size: size.transpose()?, kind: kind.transpose()? })
}

fn read_event(event: &Element) -> Result<Event> {
    let date = event.value("date").ok_or_else(|| missing("date", "an event"))?;
    // Some producers leave the offset out: there it is taken for UTC.
    let date = date
        .parse::<Timestamp>()
        .ok()
        .or_else(|| {
            date.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
        .ok_or_else(|| odd("the date of an event", date))?;
    let user = event.value("user").ok_or_else(|| missing("user", "an event"))?;
    Ok(Event {
        date,
        user: user.to_owned(),
        kind: text(event, "Type"),
        action: text(event, "Action"),
        detail: text(event, "Detail"),
    })
}
