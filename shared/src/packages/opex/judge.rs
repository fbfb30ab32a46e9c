//! Trees of OPEX that come from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Fixity, Opex};
use crate::packages::{Expected, Problem};

/// A tree that is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Its documents by path.
    pub documents: BTreeMap<String, Opex>,
    /// What its documents say about its files. Read each and [`check`](Expected::check) it.
    pub files: Vec<Expected>,
    /// What is odd.
    pub warnings: Vec<Problem>,
}

/// Judges a tree by everything that needs no content: `sizes` of all files by path, and the bytes of those that end with `.opex`.
///
/// # Errors
/// All that is wrong: documents that cannot be read or describe nothing; manifests that name what is not there, leave out what
/// is, or say another size; fixities of files that are not there.
pub fn judge(
    sizes: &BTreeMap<String, u64>,
    documents: &BTreeMap<String, Vec<u8>>,
) -> Result<Judged, Vec<Problem>> {
    let folders = folders(sizes);
    let mut judging = Judging {
        sizes,
        folders: &folders,
        expected: BTreeMap::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let mut read = BTreeMap::new();
    for path in sizes.keys().filter(|path| path.ends_with(".opex")) {
        match documents.get(path).map(|bytes| Opex::read(bytes)) {
            Some(Ok(document)) => drop(read.insert(path.clone(), document)),
            Some(Err(error)) => judging.problem("opex.bad-document", path, error.message()),
            None => judging.problem("opex.bad-document", path, "it was not read"),
        }
    }
    for (path, document) in &read {
        judging.document(path, document);
    }
    judging.complete(&read);
    match judging.problems.is_empty() {
        true => Ok(Judged {
            documents: read,
            files: judging.expected.into_values().collect(),
            warnings: judging.warnings,
        }),
        false => Err(judging.problems),
    }
}

/// Every folder that something is in.
fn folders(sizes: &BTreeMap<String, u64>) -> BTreeSet<String> {
    let above = sizes.keys().flat_map(|path| path.match_indices('/').filter_map(|(at, _)| path.get(..at)));
    above.map(str::to_owned).collect()
}

/// Folder and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

struct Judging<'a> {
    sizes: &'a BTreeMap<String, u64>,
    folders: &'a BTreeSet<String>,
    /// By path, and path within.
    expected: BTreeMap<(String, Option<String>), Expected>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// What a document describes.
enum Subject {
    File(String),
    Folder(String),
    Asset(String),
}

impl Judging<'_> {
    fn problem(&mut self, code: &'static str, path: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(code, path, message));
    }

    fn subject(&self, path: &str) -> Option<Subject> {
        let subject = path.strip_suffix(".opex")?;
        let (folder, name) = split(subject);
        if self.sizes.contains_key(subject) {
            return Some(Subject::File(subject.to_owned()));
        }
        if self.folders.contains(subject) && subject.ends_with(".pax") {
            return Some(Subject::Asset(subject.to_owned()));
        }
        (!folder.is_empty() && split(folder).1 == name).then(|| Subject::Folder(folder.to_owned()))
    }

    fn document(&mut self, path: &str, document: &Opex) {
        match self.subject(path) {
            Some(Subject::File(file)) => {
                self.expect_file(&file);
                for fixity in &document.fixities {
                    // A path is one in the zip that is described.
                    self.expect(file.clone(), fixity.path.clone(), fixity);
                }
            }
            Some(Subject::Folder(folder)) => self.manifest(path, &folder, document, false),
            Some(Subject::Asset(folder)) => {
                for fixity in &document.fixities {
                    self.asset_fixity(path, &folder, fixity);
                }
                self.manifest(path, &folder, document, true);
            }
            None => self.problem("opex.describes-nothing", path, "what it describes is not there"),
        }
    }

    fn expect_file(&mut self, path: &str) {
        let bytes = self.sizes.get(path).copied();
        let expected = Expected { path: path.to_owned(), within: None, bytes, fixities: BTreeMap::new() };
        self.expected.entry((path.to_owned(), None)).or_insert(expected);
    }

    fn expect(&mut self, path: String, within: Option<String>, fixity: &Fixity) {
        let bytes = if within.is_none() { self.sizes.get(&path).copied() } else { None };
        let key = (path.clone(), within.clone());
        let expected = self.expected.entry(key).or_insert_with(|| Expected {
            path: path.clone(),
            within,
            bytes,
            fixities: BTreeMap::new(),
        });
        let other = expected.fixities.insert(fixity.algorithm, fixity.value.clone());
        if other.is_some_and(|other| other != fixity.value) {
            let message = format!("there are two values of {} for it", fixity.algorithm.opex_name());
            self.problem("opex.two-fixities", &path, message);
        }
    }

    fn asset_fixity(&mut self, document: &str, folder: &str, fixity: &Fixity) {
        let Some(within) = fixity.path.as_deref() else {
            self.problem(
                "opex.fixity-of-folder",
                document,
                "a fixity has no path, and a folder has none itself",
            );
            return;
        };
        let path = format!("{folder}/{within}");
        match self.sizes.contains_key(&path) {
            true => self.expect(path, None, fixity),
            false => self.problem("opex.missing", &path, "a fixity is said for it, and it is not there"),
        }
    }

    /// Compares a manifest with what is in its folder.
    fn manifest(&mut self, path: &str, folder: &str, document: &Opex, is_asset: bool) {
        let Some(manifest) = &document.manifest else {
            let message = "it has no manifest: nobody can say whether its folder is whole";
            self.warnings.push(Problem::new("opex.no-manifest", path, message));
            return;
        };
        let below = format!("{folder}/");
        let is_here = |name: &str| is_asset || !name.contains('/');
        let (sizes, known) = (self.sizes, self.folders);
        let mut files: BTreeMap<&str, u64> = sizes
            .range(below.clone()..)
            .take_while(|(path, _)| path.starts_with(&below))
            .filter_map(|(path, size)| Some((path.strip_prefix(&below)?, *size)))
            .filter(|(name, _)| is_here(name))
            .collect();
        files.remove(path.strip_prefix(&below).unwrap_or_default());
        let mut folders: BTreeSet<&str> = known
            .range(below.clone()..)
            .take_while(|path| path.starts_with(&below))
            .filter_map(|path| path.strip_prefix(&below))
            .filter(|name| is_here(name))
            .collect();
        for file in &manifest.files {
            // Some producers list a manifest's own document too.
            let itself = path.strip_prefix(&below) == Some(file.name.as_str());
            match (files.remove(file.name.as_str()), file.size) {
                (Some(there), Some(said)) if there != said => {
                    let message = format!("the manifest says {said} bytes, and there are {there}");
                    self.problem("opex.size", &format!("{below}{}", file.name), message);
                }
                (None, _) if !itself => {
                    let message = "the manifest names it once more than it is there";
                    self.problem("opex.missing", &format!("{below}{}", file.name), message);
                }
                _ => {}
            }
        }
        for name in &manifest.folders {
            if !folders.remove(name.as_str()) {
                let message = "the manifest names this folder, and there is none";
                self.problem("opex.missing", &format!("{below}{name}"), message);
            }
        }
        for name in files.keys().chain(&folders) {
            self.problem("opex.not-listed", &format!("{below}{name}"), "the manifest does not name it");
        }
    }

    /// What no document says anything about.
    fn complete(&mut self, read: &BTreeMap<String, Opex>) {
        for folder in self.folders {
            let in_asset = folder.split('/').any(|step| step.ends_with(".pax"));
            let own = format!("{folder}/{}.opex", split(folder).1);
            if !in_asset && !read.contains_key(&own) {
                let message =
                    "this folder has no document: an archive that insists on manifests takes nothing of it";
                self.warnings.push(Problem::new("opex.no-document", folder, message));
            }
        }
        let sizes = self.sizes;
        for path in sizes.keys().filter(|path| !path.ends_with(".opex")) {
            self.expect_file(path);
            let of_it =
                self.expected.range((path.clone(), None)..).take_while(|((known, _), _)| known == path);
            if of_it.into_iter().all(|(_, expected)| expected.fixities.is_empty()) {
                let message = "no document says a fixity of it";
                self.warnings.push(Problem::new("opex.no-fixity", path, message));
            }
        }
    }
}
