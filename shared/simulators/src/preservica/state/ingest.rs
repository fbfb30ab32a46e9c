//! Taking packages in: so many at a time, each checked and then there, or refused with a reason.

use jiff::Timestamp;

use super::actions::{Progress, Status, Task, Work};
use super::package::{self, PackedAsset, PackedFile};
use super::{Bitstream, Entity, Generation, Kind, Outcome, Refusal, Representation, State};
use crate::content::Blob;
use crate::preservica::settings::ExistingReference;

/// What the workflow is called.
const WORKFLOW: &str = "Ingest";

/// A package that has arrived.
pub(super) struct Arrived {
    pub(super) content: Blob,
    pub(super) destination: Option<String>,
    pub(super) user: String,
    pub(super) monitor: String,
}

impl State {
    /// A package has arrived; gives the token under which one asks what became of it.
    pub fn receive_package(
        &mut self,
        user: &str,
        name: &str,
        destination: Option<String>,
        content: Blob,
    ) -> String {
        let token = self.new_reference();
        let (begins, ends) = self.turn();
        let status = if self.settings.ingest.workflow_active { Status::Active } else { Status::Pending };
        self.progress.insert(token.clone(), Progress { begins, status, errors: Vec::new(), removal: None });
        if self.settings.ingest.workflow_active {
            let monitor = self.show(name, "Ingest", begins, content.size);
            let arrived = Arrived { content, destination, user: user.to_owned(), monitor };
            self.works.push(Work { due: ends, token: token.clone(), task: Task::Ingest(Box::new(arrived)) });
        }
        token
    }

    /// When the next package is begun and done: there are so many workers, and it waits for the first that is free.
    fn turn(&mut self) -> (Timestamp, Timestamp) {
        self.workers.resize(self.settings.ingest.workers.max(1), self.now);
        let seconds = self.settings.ingest.seconds;
        let now = self.now;
        let Some(free) = self.workers.iter_mut().min() else { return (now, now) };
        let begins = now.max(*free);
        let ends = begins.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(begins);
        *free = ends;
        (begins, ends)
    }

    /// Does it.
    pub(super) fn take_in(&mut self, arrived: Arrived) -> (Status, Vec<String>) {
        let Arrived { content, destination, user, monitor } = arrived;
        let read = package::read(&content, self.settings.memory_threshold_bytes);
        let packed = match read {
            Ok(packed) => packed,
            Err(reason) => return self.refuse_package(&monitor, vec![reason], Vec::new()),
        };
        let mut reasons = Vec::new();
        let mut good = Vec::new();
        for asset in packed {
            match asset.and_then(|asset| self.fits(asset, destination.as_deref())) {
                Ok(asset) => good.push(asset),
                Err(reason) => reasons.push(reason),
            }
        }
        let is_mixed = !reasons.is_empty() && !good.is_empty() && self.settings.ingest.mixed_outcome;
        if !reasons.is_empty() && !is_mixed {
            let named = good.into_iter().map(|asset| asset.reference).collect();
            return self.refuse_package(&monitor, reasons, named);
        }
        for asset in good {
            match self.keep(asset, &user, &monitor) {
                Ok(reference) => {
                    let text = "The asset was ingested";
                    self.say(&monitor, "Info", "monitor.info.ingest.asset", text, Some(&reference));
                }
                Err(refusal) => reasons.push(refusal.told().1),
            }
        }
        for reason in &reasons {
            self.say(&monitor, "Error", "monitor.error.ingest", reason, None);
        }
        match reasons.is_empty() {
            true => {
                self.conclude(&monitor, "Succeeded");
                (Status::Completed, reasons)
            }
            false => {
                self.conclude(&monitor, "Recoverable");
                (Status::FinishedMixedOutcome, reasons)
            }
        }
    }

    fn refuse_package(
        &mut self,
        monitor: &str,
        reasons: Vec<String>,
        named: Vec<String>,
    ) -> (Status, Vec<String>) {
        for reason in &reasons {
            self.say(monitor, "Error", "monitor.error.ingest", reason, None);
        }
        self.conclude(monitor, "Failed");
        self.notify("INGEST_FAILED", &named);
        (Status::Failed, reasons)
    }

    /// Whether there is a place for an asset, and nothing there that stands in its way.
    fn fits(&mut self, mut asset: PackedAsset, destination: Option<&str>) -> Result<PackedAsset, String> {
        let parent = destination.map(str::to_owned).or_else(|| asset.parent.clone());
        let parent = parent.ok_or("The package names no folder, and the workflow has no default one")?;
        self.living(Kind::StructuralObject, &parent).map_err(|refusal| refusal.told().1)?;
        self.check_tag(&asset.security_tag).map_err(|refusal| refusal.told().1)?;
        if self.entities.contains_key(&asset.reference) {
            match self.settings.ingest.existing_reference {
                ExistingReference::Fails => {
                    return Err(format!("There is an entity with reference {} already", asset.reference));
                }
                ExistingReference::NewGeneration => {}
                ExistingReference::SecondObject => {
                    asset.reference = self.new_reference();
                    for part in asset.representations.iter_mut().flat_map(|one| &mut one.parts) {
                        part.reference = self.new_reference();
                    }
                }
            }
        }
        asset.parent = Some(parent);
        Ok(asset)
    }

    /// Keeps an asset.
    fn keep(&mut self, asset: PackedAsset, user: &str, monitor: &str) -> Outcome<String> {
        let reference = asset.reference.clone();
        let mut made = vec![reference.clone()];
        if self.entities.contains_key(&reference) {
            self.keep_newer(&asset)?;
        } else {
            made.extend(self.keep_new(asset)?);
        }
        let workflow =
            self.monitors.iter().find(|known| known.id == monitor).map(|known| known.workflow.clone());
        let workflow = Some((WORKFLOW.to_owned(), workflow.unwrap_or_default()));
        self.note_event("Ingest", user, workflow.clone(), "command_create", &made);
        self.note_event("VirusCheck", "system", workflow.clone(), "command_virus_check", &made);
        self.note_event("Characterise", "system", workflow, "command_characterise", &made);
        for entity in &made {
            self.touch(entity);
        }
        Ok(reference)
    }

    /// Gives the references of the parts.
    fn keep_new(&mut self, asset: PackedAsset) -> Outcome<Vec<String>> {
        let mut parts = Vec::new();
        let mut entity = Entity {
            reference: asset.reference.clone(),
            description: asset.description,
            security_tag: asset.security_tag.clone(),
            custom_type: asset.custom_type,
            parent: asset.parent,
            ..self.draft(Kind::InformationObject, &asset.title)
        };
        for packed in &asset.representations {
            entity.representations.push(Representation {
                kind: packed.kind.clone(),
                name: packed.name.clone(),
                content_objects: packed.parts.iter().map(|part| part.reference.clone()).collect(),
            });
        }
        let reference = self.add(entity)?;
        for part in asset.representations.into_iter().flat_map(|packed| packed.parts) {
            let draft = self.draft(Kind::ContentObject, &part.title);
            let generation = Generation {
                original: true,
                active: true,
                label: part.label,
                effective: self.now,
                format: format_of(part.files.first().map_or("", |file| &file.name)),
                bitstreams: part.files.into_iter().map(bitstream).collect(),
            };
            let entity = Entity {
                reference: part.reference,
                description: part.description,
                security_tag: asset.security_tag.clone(),
                parent: Some(reference.clone()),
                generations: vec![generation],
                ..draft
            };
            parts.push(self.add(entity)?);
        }
        for (kind, value) in asset.identifiers {
            self.identify(&reference, &kind, &value);
        }
        for (schema, content) in asset.fragments {
            self.describe(&reference, &schema, content);
        }
        Ok(parts)
    }

    /// The content of a package for an asset that is there: one part after the other gets a generation.
    fn keep_newer(&mut self, asset: &PackedAsset) -> Outcome<()> {
        let known = self.living(Kind::InformationObject, &asset.reference)?.representations.clone();
        for packed in &asset.representations {
            let same = known.iter().find(|one| one.kind == packed.kind && one.name == packed.name);
            let parts = same.map(|one| one.content_objects.clone()).unwrap_or_default();
            for (part, reference) in packed.parts.iter().zip(parts) {
                let Some(file) = part.files.first() else { continue };
                let file = Bitstream {
                    filename: file.name.clone(),
                    fixities: file.fixities.clone(),
                    cold: false,
                    content: file.content.clone(),
                };
                self.replace_generation(&reference, file)?;
            }
        }
        Ok(())
    }

    /// New bytes for a part: what was in use is not any more, and stays.
    pub(super) fn replace_generation(&mut self, part: &str, file: Bitstream) -> Outcome<()> {
        let now = self.now;
        let entity = self.living_mut(Kind::ContentObject, part)?;
        for generation in &mut entity.generations {
            generation.active = false;
        }
        entity.generations.push(Generation {
            original: false,
            active: true,
            label: String::new(),
            effective: now,
            format: format_of(&file.filename),
            bitstreams: vec![file],
        });
        Ok(())
    }

    /// A copy for access: a representation of one part.
    pub(super) fn add_access(&mut self, asset: &str, name: &str, file: Bitstream) -> Outcome<()> {
        let tag = self.living(Kind::InformationObject, asset)?.security_tag.clone();
        let draft = self.draft(Kind::ContentObject, &file.filename);
        let generation = Generation {
            original: true,
            active: true,
            label: String::new(),
            effective: self.now,
            format: format_of(&file.filename),
            bitstreams: vec![file],
        };
        let part = self.add(Entity {
            security_tag: tag,
            parent: Some(asset.to_owned()),
            generations: vec![generation],
            ..draft
        })?;
        self.living_mut(Kind::InformationObject, asset)?.representations.push(Representation {
            kind: "Access".to_owned(),
            name: name.to_owned(),
            content_objects: vec![part],
        });
        Ok(())
    }

    pub(in crate::preservica) fn ask_generation(
        &mut self,
        user: &str,
        part: &str,
        file: Bitstream,
    ) -> Outcome<String> {
        self.living(Kind::ContentObject, part)?;
        let (user, entity) = (user.to_owned(), part.to_owned());
        Ok(self.begin(Task::Generation { user, entity, bitstream: Box::new(file) }))
    }

    pub(in crate::preservica) fn ask_access(
        &mut self,
        user: &str,
        asset: &str,
        name: &str,
        file: Bitstream,
    ) -> Outcome<String> {
        self.living(Kind::InformationObject, asset)?;
        let (user, entity, name) = (user.to_owned(), asset.to_owned(), name.to_owned());
        Ok(self.begin(Task::Access { user, entity, name, bitstream: Box::new(file) }))
    }
}

fn bitstream(file: PackedFile) -> Bitstream {
    Bitstream { filename: file.name, fixities: file.fixities, cold: false, content: file.content }
}

/// Registry number and name of the format that a name stands for.
pub(in crate::preservica) fn format_of(name: &str) -> (String, String) {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    let (number, format) = match ending.as_str() {
        "tif" | "tiff" => ("fmt/353", "Tagged Image File Format"),
        "jpg" | "jpeg" => ("fmt/43", "JPEG File Interchange Format"),
        "png" => ("fmt/13", "Portable Network Graphics"),
        "pdf" => ("fmt/276", "Acrobat PDF 1.7"),
        "mp4" => ("fmt/199", "MPEG-4 Media File"),
        "wav" => ("fmt/141", "Waveform Audio"),
        "txt" => ("x-fmt/111", "Plain Text File"),
        "xml" => ("fmt/101", "Extensible Markup Language"),
        _ => ("UNKNOWN", "Unknown"),
    };
    (number.to_owned(), format.to_owned())
}

/// An answer for what no workflow takes in.
pub(in crate::preservica) fn too_large(bytes: u64, most: u64) -> Refusal {
    Refusal::Refused(400, format!("The package has {bytes} bytes; this edition takes {most}"))
}
