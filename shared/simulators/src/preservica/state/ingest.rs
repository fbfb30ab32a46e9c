//! Taking packages in: so many at a time, each checked and then there, or refused with a reason.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::actions::{Progress, Status, Task, Work};
use super::package::{self, Contents, Files, PackedAsset, PackedFile, PackedFolder};
use super::{Bitstream, Entity, Generation, Kind, Outcome, Refusal, Representation, State};
use crate::content::Blob;
use crate::preservica::settings::ExistingReference;

/// What the workflow is called.
const WORKFLOW: &str = "Ingest";

/// What is taken in.
pub(super) enum Load {
    /// A package.
    Package(Blob),
    /// A folder of the bulk location.
    Directory(String),
}

/// Something that has arrived.
pub(super) struct Arrived {
    pub(super) load: Load,
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
        if !self.settings.ingest.workflow_active {
            let progress =
                Progress { begins: self.now, status: Status::Pending, errors: Vec::new(), removal: None };
            self.progress.insert(token.clone(), progress);
            return token;
        }
        let files = Files::of_zip(&content).map_or(1, |files| files.names().len() as u64);
        let size = content.size;
        let name = match self.settings.ingest.monitors_name_package {
            true => name.to_owned(),
            false => format!("Ingest {}", self.next()),
        };
        self.queue(token.clone(), &name, (size, files), |monitor| Arrived {
            load: Load::Package(content),
            destination,
            user: user.to_owned(),
            monitor,
        });
        token
    }

    /// What has arrived waits for its turn; gives the id of its monitor.
    pub(super) fn queue(
        &mut self,
        token: String,
        name: &str,
        (size, files): (u64, u64),
        arrived: impl FnOnce(String) -> Arrived,
    ) -> String {
        let (begins, ends) = self.turn();
        let progress = Progress { begins, status: Status::Active, errors: Vec::new(), removal: None };
        self.progress.insert(token.clone(), progress);
        let monitor = self.show(name, "Ingest", (begins, ends), (size, files));
        self.works.push(Work { due: ends, token, task: Task::Ingest(Box::new(arrived(monitor.clone()))) });
        monitor
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
        let Arrived { load, destination, user, monitor } = arrived;
        let fails = self.settings.ingest.fail_next > 0;
        self.settings.ingest.fail_next = self.settings.ingest.fail_next.saturating_sub(1);
        let why = "The ingest was given up: a storage adapter did not answer".to_owned();
        if fails && !self.settings.ingest.failure_leaves_assets {
            return self.refuse_package(&monitor, vec![why], Vec::new());
        }
        let contents = match self.contents(&load) {
            Ok(contents) => contents,
            Err(reason) => return self.refuse_package(&monitor, vec![reason], Vec::new()),
        };
        let Contents { folders, assets, passed_over } = contents;
        let (mut good, mut reasons) = (Vec::new(), Vec::new());
        for asset in assets {
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
        for (path, why) in passed_over {
            self.say(&monitor, "Warning", ("monitor.warning.ingest.passed.over", &why), &path, None);
        }
        let places = self.keep_folders(folders, destination.as_deref(), &user, &monitor, &mut reasons);
        for mut asset in good {
            if let Some(folder) = asset.folder {
                asset.parent = places.get(&folder).cloned();
            }
            let path = asset.path.clone();
            match self.keep(asset, &user, &monitor) {
                Ok(reference) => {
                    let told = ("monitor.info.ingest.asset", "The asset was ingested");
                    self.say(&monitor, "Info", told, &path, Some(&reference));
                }
                Err(refusal) => reasons.push(refusal.told().1),
            }
        }
        if fails {
            return self.refuse_package(&monitor, vec![why], Vec::new());
        }
        for reason in &reasons {
            self.say(&monitor, "Error", ("monitor.error.ingest", reason), "", None);
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

    fn contents(&self, load: &Load) -> Result<Contents, String> {
        let threshold = self.settings.memory_threshold_bytes;
        match load {
            Load::Package(content) => package::read_zip(content, threshold),
            Load::Directory(directory) => {
                let mut files = Files::Objects(self.bulk_objects(directory));
                let needs = self.settings.ingest.opex_needs_manifests;
                package::read_directory(&mut files, directory, needs, threshold)
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
            self.say(monitor, "Error", ("monitor.error.ingest", reason), "", None);
        }
        self.conclude(monitor, "Failed");
        self.notify("INGEST_FAILED", &named);
        (Status::Failed, reasons)
    }

    /// The folder that something without one of its own goes to.
    fn place(&self, destination: Option<&str>) -> Option<String> {
        destination.map(str::to_owned).or_else(|| self.settings.ingest.default_folder.clone())
    }

    /// Whether there is a place for an asset, and nothing there that stands in its way.
    fn fits(&mut self, mut asset: PackedAsset, destination: Option<&str>) -> Result<PackedAsset, String> {
        if asset.folder.is_none() {
            let parent = destination.map(str::to_owned).or_else(|| asset.parent.clone());
            let parent = parent.or_else(|| self.place(None));
            let parent = parent.ok_or("The package names no folder, and the workflow has no default one")?;
            self.living(Kind::StructuralObject, &parent).map_err(|refusal| refusal.told().1)?;
            asset.parent = Some(parent);
        }
        let tag = asset.about.security_tag.as_deref().unwrap_or("open");
        self.check_tag(tag).map_err(|refusal| refusal.told().1)?;
        let is_there = self.entities.contains_key(&asset.reference);
        let existing = self.settings.ingest.existing_reference;
        if is_there && existing == ExistingReference::Fails {
            return Err(format!("There is an entity with reference {} already", asset.reference));
        }
        let is_second = is_there && existing == ExistingReference::SecondObject;
        if is_second || asset.reference.is_empty() {
            asset.reference = self.new_reference();
        }
        for part in asset.representations.iter_mut().flat_map(|one| &mut one.parts) {
            if is_second || part.reference.is_empty() {
                part.reference = self.new_reference();
            }
        }
        Ok(asset)
    }

    /// Finds the folders of a tree, or makes them, each after the one it is in.
    fn keep_folders(
        &mut self,
        folders: Vec<PackedFolder>,
        destination: Option<&str>,
        user: &str,
        monitor: &str,
        reasons: &mut Vec<String>,
    ) -> BTreeMap<usize, String> {
        let mut places = BTreeMap::new();
        for (number, folder) in folders.into_iter().enumerate() {
            let parent = match folder.parent {
                Some(parent) => places.get(&parent).cloned(),
                None => self.place(destination),
            };
            if let Some(known) = self.known_folder(&folder, parent.as_deref()) {
                let told = ("monitor.info.directory.skip", "The folder is there already");
                self.say(monitor, "Info", told, &folder.path, Some(&known));
                places.insert(number, known);
                continue;
            }
            let Some(parent) = parent else {
                reasons.push(format!("{} cannot be ingested into the root", folder.path));
                continue;
            };
            match self.keep_folder(folder, parent, user) {
                Ok(reference) => drop(places.insert(number, reference)),
                Err(refusal) => reasons.push(refusal.told().1),
            }
        }
        places
    }

    /// The folder of a tree that is there: by what its source calls it, else by its title.
    fn known_folder(&self, folder: &PackedFolder, parent: Option<&str>) -> Option<String> {
        let is_folder = |entity: &&Entity| entity.kind == Kind::StructuralObject;
        if let Some(source) = &folder.about.source {
            return self.identified("SourceID", source).into_iter().find(is_folder).map(reference_of);
        }
        let same = |entity: &&Entity| is_folder(entity) && entity.title == folder.about.title;
        self.children(parent).into_iter().find(same).map(reference_of)
    }

    fn keep_folder(&mut self, folder: PackedFolder, parent: String, user: &str) -> Outcome<String> {
        let about = folder.about;
        let entity = Entity {
            description: about.description,
            security_tag: about.security_tag.unwrap_or_else(|| "open".to_owned()),
            parent: Some(parent),
            ..self.draft(Kind::StructuralObject, &about.title)
        };
        let reference = self.add(entity)?;
        let source = about.source.map(|source| ("SourceID".to_owned(), source));
        for (kind, value) in about.identifiers.into_iter().chain(source) {
            self.identify(&reference, &kind, &value);
        }
        for (schema, content) in about.fragments {
            self.describe(&reference, &schema, content);
        }
        self.note_event("Ingest", user, None, "command_create", std::slice::from_ref(&reference));
        Ok(reference)
    }

    /// Keeps an asset.
    fn keep(&mut self, asset: PackedAsset, user: &str, monitor: &str) -> Outcome<String> {
        let reference = asset.reference.clone();
        let mut made = vec![reference.clone()];
        if self.entities.contains_key(&reference) {
            self.keep_newer(asset)?;
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
        let tag = asset.about.security_tag.unwrap_or_else(|| "open".to_owned());
        let mut entity = Entity {
            reference: asset.reference.clone(),
            description: asset.about.description,
            security_tag: tag.clone(),
            custom_type: asset.custom_type,
            parent: asset.parent,
            ..self.draft(Kind::InformationObject, &asset.about.title)
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
            let last = part.generations.len();
            let (label, effective) = (part.label, self.now);
            let generations = part.generations.into_iter().enumerate().map(|(number, files)| Generation {
                original: number == 0,
                active: number + 1 == last,
                label: label.clone(),
                effective,
                format: format_of(files.first().map_or("", |file| &file.name)),
                bitstreams: files.into_iter().map(bitstream).collect(),
            });
            let entity = Entity {
                reference: part.reference,
                description: part.description,
                security_tag: tag.clone(),
                parent: Some(reference.clone()),
                generations: generations.collect(),
                ..draft
            };
            parts.push(self.add(entity)?);
        }
        let source = asset.about.source.map(|source| ("SourceID".to_owned(), source));
        for (kind, value) in asset.about.identifiers.into_iter().chain(source) {
            self.identify(&reference, &kind, &value);
        }
        for (schema, content) in asset.about.fragments {
            self.describe(&reference, &schema, content);
        }
        Ok(parts)
    }

    /// The content of a package for an asset that is there: one part after the other gets a generation.
    fn keep_newer(&mut self, asset: PackedAsset) -> Outcome<()> {
        let known = self.living(Kind::InformationObject, &asset.reference)?.representations.clone();
        for packed in asset.representations {
            let same = known.iter().find(|one| one.kind == packed.kind && one.name == packed.name);
            let parts = same.map(|one| one.content_objects.clone()).unwrap_or_default();
            for (part, reference) in packed.parts.into_iter().zip(parts) {
                let newest = part.generations.into_iter().next_back().unwrap_or_default();
                let Some(file) = newest.into_iter().next() else { continue };
                self.replace_generation(&reference, bitstream(file))?;
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

fn reference_of(entity: &Entity) -> String {
    entity.reference.clone()
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
