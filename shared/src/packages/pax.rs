//! PAX (Preservation Asset Exchange): one asset with its representations, as a folder or a zip.
//!
//! ```text
//! Representation_Preservation/part/Generation_1/master.mov
//! Representation_Access/part/Generation_1/copy.mp4
//! asset.xip                                                    what XIP says about it, when it is there
//! ```
//!
//! Without a description the structure follows from the names of folders, in alphanumeric order, so numbers in them have leading
//! zeros where there are ten or more. The level of generations may be missing; it is always written, because readers of exports
//! count on four levels.
//!
//! Source: the vendor's description of PAX.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Content, Entry, Part, Problem, Purpose, Representation, asset::numbered, storage_name, zip::TWICE,
};
use crate::error::{Error, Result};

/// The entries of an asset. `description` is a document of [XIP](super::xip) with its name (without `.xip`).
///
/// # Errors
/// `Invalid` with [`TWICE`] when two parts of a representation, or two files of a part, would lie at the same place.
pub fn entries(
    representations: &[Representation],
    description: Option<(&str, Content)>,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (representation, number) in representations.iter().zip(numbered(representations)) {
        let folder = representation_folder(representation.purpose, number);
        let mut names = BTreeSet::new();
        for part in &representation.parts {
            let name = part_folder(part);
            if !names.insert(name.clone()) {
                let message = format!("two parts of `{folder}` are called `{name}`");
                return Err(Error::invalid(TWICE, message).remedy("give each part a title of its own"));
            }
            for (at, files) in part.generations.iter().enumerate() {
                for file in files {
                    let path = format!(
                        "{folder}/{name}/{}/{}",
                        generation_folder(at, part.generations.len()),
                        storage_name(&file.name)
                    );
                    entries.push(Entry::new(path, file.content.clone()));
                }
            }
        }
    }
    let description =
        description.map(|(name, content)| Entry::new(format!("{}.xip", storage_name(name)), content));
    entries.extend(description);
    let mut paths = BTreeSet::new();
    match entries.iter().find(|entry| !paths.insert(entry.path.as_str())) {
        Some(entry) => Err(Error::invalid(TWICE, format!("two files would be `{}`", entry.path))),
        None => Ok(entries),
    }
}

/// Folder of a representation: one alone of its purpose has no number.
pub(super) fn representation_folder(purpose: Purpose, (number, of): (usize, usize)) -> String {
    match of {
        1 => format!("Representation_{}", purpose.name()),
        _ => format!("Representation_{}_{number:0width$}", purpose.name(), width = digits(of)),
    }
}

/// Folder of a part: its title, by which it is called when there is no description.
pub(super) fn part_folder(part: &Part) -> String {
    storage_name(&part.title)
}

/// Folder of a generation, counted from none.
pub(super) fn generation_folder(at: usize, of: usize) -> String {
    format!("Generation_{:0width$}", at + 1, width = digits(of))
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

/// Whether a path within an asset is that of its description.
pub fn is_description(path: &str) -> bool {
    !path.contains('/') && path.ends_with(".xip")
}

/// The structure of an asset, as it follows from its paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Structure {
    /// Representations in their order.
    pub representations: Vec<FoundRepresentation>,
    /// The description, when there is one: it says more than the paths.
    pub description: Option<String>,
}

/// A representation that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRepresentation {
    /// What for.
    pub purpose: Purpose,
    /// Its folder.
    pub folder: String,
    /// Its parts in their order.
    pub parts: Vec<FoundPart>,
}

/// A part that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPart {
    /// Its folder, by which it is called when there is no description.
    pub name: String,
    /// Paths of the files of each generation, the oldest first.
    pub generations: Vec<Vec<String>>,
}

/// What a path is: folder of the representation, part, generation.
type Place<'a> = (&'a str, Purpose, &'a str, u32);

fn place(path: &str) -> Option<Place<'_>> {
    let steps: Vec<&str> = path.split('/').collect();
    let (folder, part, generation) = match steps.as_slice() {
        [folder, part, _file] => (*folder, *part, 1),
        [folder, part, generation, _file] => {
            (*folder, *part, generation.strip_prefix("Generation_")?.parse().ok()?)
        }
        _ => return None,
    };
    let kind = folder.strip_prefix("Representation_")?;
    let name = kind.split_once('_').map_or(kind, |(name, _)| name);
    Some((folder, Purpose::named(name)?, part, generation))
}

/// Finds the structure of an asset in the paths of its files.
///
/// # Errors
/// All files that have no place in it, and assets without any, or with two descriptions.
pub fn structure<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Structure, Vec<Problem>> {
    type Parts<'a> = BTreeMap<&'a str, BTreeMap<u32, Vec<String>>>;
    let mut found: BTreeMap<&str, (Purpose, Parts<'_>)> = BTreeMap::new();
    let (mut problems, mut description) = (Vec::new(), None);
    for path in paths.into_iter().filter(|path| !path.ends_with('/')) {
        if is_description(path) {
            if description.replace(path.to_owned()).is_some() {
                problems.push(Problem::new("pax.two-descriptions", path, "there is another description"));
            }
            continue;
        }
        let Some((folder, purpose, part, generation)) = place(path) else {
            let message = "expected Representation_Preservation or Representation_Access, the folder of a part, \
                           Generation_n (which may be missing), and a file";
            problems.push(Problem::new("pax.no-place", path, message));
            continue;
        };
        let (_, parts) = found.entry(folder).or_insert_with(|| (purpose, BTreeMap::new()));
        parts.entry(part).or_default().entry(generation).or_default().push(path.to_owned());
    }
    if found.is_empty() {
        problems.push(Problem::new("pax.empty", "", "there is no file of any representation"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let representations = found.into_iter().map(|(folder, (purpose, parts))| FoundRepresentation {
        purpose,
        folder: folder.to_owned(),
        parts: parts
            .into_iter()
            .map(|(name, generations)| FoundPart {
                name: name.to_owned(),
                generations: generations.into_values().collect(),
            })
            .collect(),
    });
    Ok(Structure { representations: representations.collect(), description })
}
