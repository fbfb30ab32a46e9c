//! Exports: a zip with each asset as `reference.pax.zip`, what is said of it beside it as OPEX, and folders as folders.

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::actions::Task;
use super::{Algorithm, Entity, Generation, Kind, Outcome, Refusal, State};
use crate::content::Blob;
use crate::preservica::xml::Element;

/// The namespace of what is written.
const OPEX: &str = "http://www.openpreservationexchange.org/opex/v1.2";

/// Which generations are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::preservica) enum Generations {
    /// The newest of those in use.
    LatestActive,
    /// All in use.
    AllActive,
    /// All.
    All,
}

/// How much is to be said of each entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::preservica) enum Said {
    /// No descriptive metadata.
    Nothing,
    /// Descriptive metadata.
    Metadata,
    /// These, and what was done to it.
    WithEvents,
}

/// What is wanted of an export.
#[derive(Clone, Copy, Debug)]
pub(in crate::preservica) struct Wanted {
    /// The files too.
    pub(in crate::preservica) content: bool,
    pub(in crate::preservica) said: Said,
    pub(in crate::preservica) generations: Generations,
    /// The folders above, with what is said of them.
    pub(in crate::preservica) parents: bool,
}

/// A zip that is being written.
struct Package(ZipWriter<Cursor<Vec<u8>>>);

impl Package {
    fn new() -> Self {
        Self(ZipWriter::new(Cursor::new(Vec::new())))
    }

    fn file(&mut self, name: &str, content: &[u8]) -> Outcome<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        self.0.start_file(name, options).map_err(broken)?;
        self.0.write_all(content).map_err(broken)
    }

    fn finish(self) -> Outcome<Vec<u8>> {
        Ok(self.0.finish().map_err(broken)?.into_inner())
    }
}

fn broken(error: impl std::fmt::Display) -> Refusal {
    Refusal::Refused(500, format!("The export cannot be written: {error}"))
}

/// What came of packing an asset: the checksums of its files by path.
type Checked = Vec<(String, Vec<(String, String)>)>;

impl State {
    /// Somebody asks for an export; gives the token.
    pub(in crate::preservica) fn ask_export(
        &mut self,
        user: &str,
        (kind, reference): (Kind, &str),
        wanted: Wanted,
    ) -> Outcome<String> {
        self.living(kind, reference)?;
        let rules = &self.settings.exports;
        if !rules.workflow_active {
            let why = "There is no active workflow context for this export".to_owned();
            return Err(Refusal::Refused(rules.rejected_status, why));
        }
        Ok(self.begin(Task::Export { user: user.to_owned(), entity: reference.to_owned(), wanted }))
    }

    /// What was exported under a token.
    pub(in crate::preservica) fn exported(&self, token: &str) -> Outcome<&Blob> {
        let found = self.exports.get(token);
        found.ok_or_else(|| match self.progress.contains_key(token) {
            true => {
                let status = self.settings.exports.unfinished_status;
                Refusal::Refused(status, "The export is not there, or not yet".to_owned())
            }
            false => Refusal::NotFound(format!("There is no export {token}")),
        })
    }

    /// Writes an export.
    pub(super) fn export(&mut self, user: &str, entity: &str, wanted: Wanted) -> Outcome<Blob> {
        let mut included: BTreeSet<String> = self.with_descendants(entity).into_iter().collect();
        let mut top = entity.to_owned();
        while wanted.parents
            && let Some(parent) = self.entities.get(&top).and_then(|entity| entity.parent.clone())
        {
            included.insert(parent.clone());
            top = parent;
        }
        let mut package = Package::new();
        self.write(&mut package, &top, "", &included, wanted)?;
        let content = Blob::of(package.finish()?);
        self.note_event("Export", user, None, "command_export", &[entity.to_owned()]);
        Ok(content)
    }

    /// Writes an entity into a folder of the zip; gives the names and sizes of the files that are now beside others, or nothing
    /// for a folder.
    fn write(
        &self,
        package: &mut Package,
        reference: &str,
        place: &str,
        included: &BTreeSet<String>,
        wanted: Wanted,
    ) -> Outcome<Vec<(String, usize)>> {
        let unknown = || Refusal::NotFound(format!("There is no entity with reference {reference}"));
        let entity = self.entities.get(reference).ok_or_else(unknown)?;
        if entity.kind == Kind::InformationObject {
            return self.write_asset(package, entity, place, wanted);
        }
        let inside = format!("{place}{reference}/");
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for child in self.children(Some(reference)) {
            if !included.contains(&child.reference) {
                continue;
            }
            if child.kind == Kind::StructuralObject {
                folders.push(child.reference.clone());
            }
            files.extend(self.write(package, &child.reference, &inside, included, wanted)?);
        }
        let opex = element("Files").children_from(files.iter().map(|(name, size)| {
            let kind = if name.ends_with(".opex") { "metadata" } else { "content" };
            element("File").attribute("size", size.to_string()).attribute("type", kind).text(name.clone())
        }));
        let folders =
            element("Folders").children_from(folders.iter().map(|name| element("Folder").text(name.clone())));
        let transfer = element("Transfer").child(element("Manifest").child(opex).child(folders));
        let opex = self.described(entity, transfer, wanted.said).document(None);
        package.file(&format!("{inside}{reference}.opex"), opex.as_bytes())?;
        Ok(Vec::new())
    }

    fn write_asset(
        &self,
        package: &mut Package,
        asset: &Entity,
        place: &str,
        wanted: Wanted,
    ) -> Outcome<Vec<(String, usize)>> {
        let (mut files, mut transfer) = (Vec::new(), element("Transfer"));
        let name = format!("{}.pax.zip", asset.reference);
        if wanted.content {
            let (content, checked) = self.packed(asset, wanted.generations)?;
            let fixities = checked.into_iter().flat_map(|(path, values)| {
                values.into_iter().map(move |(kind, value)| {
                    element("Fixity")
                        .attribute("path", path.clone())
                        .attribute("type", kind)
                        .attribute("value", value)
                })
            });
            transfer = transfer.child(element("Fixities").children_from(fixities));
            package.file(&format!("{place}{name}"), &content)?;
            files.push((name.clone(), content.len()));
        }
        let opex = self.described(asset, transfer, wanted.said).document(None);
        package.file(&format!("{place}{name}.opex"), opex.as_bytes())?;
        files.push((format!("{name}.opex"), opex.len()));
        Ok(files)
    }

    /// The files of an asset as PAX without XIP.
    fn packed(&self, asset: &Entity, wanted: Generations) -> Outcome<(Vec<u8>, Checked)> {
        let (mut package, mut checked) = (Package::new(), Checked::new());
        for (at, representation) in asset.representations.iter().enumerate() {
            let same = |one: &&super::Representation| one.kind == representation.kind;
            let before = asset.representations.iter().take(at).filter(same).count();
            let number = if before == 0 { String::new() } else { format!("_{}", before + 1) };
            let mut taken = BTreeSet::new();
            for part in &representation.content_objects {
                let Some(part) = self.entities.get(part).filter(|part| !part.deleted) else { continue };
                let mut name = part.title.replace(['/', '\\'], "_");
                while !taken.insert(name.clone()) {
                    name.push_str("_2");
                }
                let place = format!("Representation_{}{number}/{name}", representation.kind);
                let chosen = chosen(&part.generations, wanted);
                let is_alone = chosen.len() == 1;
                for (number, generation) in chosen {
                    let place = if is_alone { place.clone() } else { format!("{place}/Generation_{number}") };
                    for file in &generation.bitstreams {
                        let path = format!("{place}/{}", file.filename);
                        package.file(&path, &file.content.bytes().map_err(broken)?)?;
                        let fixities = file.fixities.iter().map(|(kind, value)| {
                            let known =
                                Algorithm::named(kind).map_or(kind.as_str(), |known| known.hyphenated());
                            (known.to_owned(), value.clone())
                        });
                        checked.push((path, fixities.collect()));
                    }
                }
            }
        }
        Ok((package.finish()?, checked))
    }

    /// What is said of an entity.
    fn described(&self, entity: &Entity, transfer: Element, said: Said) -> Element {
        let identifiers = entity
            .identifiers
            .iter()
            .map(|id| element("Identifier").attribute("type", id.kind.clone()).text(id.value.clone()));
        let properties = element("Properties")
            .with("Title", entity.title.clone())
            .with_some("Description", entity.description.as_deref())
            .with("SecurityDescriptor", entity.security_tag.clone())
            .child(element("Identifiers").children_from(identifiers));
        let mut opex = element("OPEXMetadata").child(transfer).child(properties);
        if said == Said::WithEvents {
            let events = self.events_of(&entity.reference).map(|(event, action)| {
                element("Event")
                    .attribute("date", event.date.to_string())
                    .attribute("user", event.user.clone())
                    .with("Type", event.kind.clone())
                    .with("Action", action.command.clone())
            });
            opex = opex.child(element("History").child(element("Events").children_from(events)));
        }
        let links: Vec<Element> = self
            .links_of(&entity.reference)
            .into_iter()
            .filter(|(_, direction, _)| *direction == "From")
            .map(|(link, ..)| {
                element("Relationship").with("Type", link.kind.clone()).with("Object", link.to.clone())
            })
            .collect();
        if !links.is_empty() {
            opex = opex.child(element("Relationships").children_from(links));
        }
        if said != Said::Nothing {
            let fragments = entity.fragments.iter().map(|fragment| fragment.content.clone());
            opex = opex.child(element("DescriptiveMetadata").children_from(fragments));
        }
        opex
    }
}

/// The generations that are wanted, each with its number.
fn chosen(all: &[Generation], wanted: Generations) -> Vec<(usize, &Generation)> {
    let mut numbered = all.iter().enumerate().map(|(at, generation)| (at + 1, generation));
    match wanted {
        Generations::All => numbered.collect(),
        Generations::AllActive => numbered.filter(|(_, generation)| generation.active).collect(),
        Generations::LatestActive => {
            numbered.rfind(|(_, generation)| generation.active).into_iter().collect()
        }
    }
}

fn element(name: &str) -> Element {
    Element::new(OPEX, name)
}
