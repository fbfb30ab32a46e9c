//! What is to be said of a bag.

use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::Encoding;

use super::{
    algorithm::{Algorithm, Found},
    declaration::{self, Version},
    encoding,
    fetch::{self, Fetch},
    info::BagInfo,
    manifest::{self, name_of},
    problem::Problem,
};

/// Files that tell about a bag, before 0.96 and since.
const INFO: [&str; 2] = ["package-info.txt", "bag-info.txt"];

/// Which of the files there are have to be read whole before anything else.
pub fn tag_files<'a>(files: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let known = |path: &&str| {
        matches!(*path, "bagit.txt" | "fetch.txt") || INFO.contains(path) || name_of(path).is_some()
    };
    files.into_iter().filter(known).collect()
}

/// A bag whose structure is in order. Whether its files hold what they should is for [`Bag::check`] to say.
#[derive(Debug)]
pub struct Bag {
    /// The version of the format.
    pub version: Version,
    /// What it says about itself.
    pub info: BagInfo,
    /// Files that lie elsewhere. All of them are here too, or the bag would not be complete.
    pub fetch: Vec<Fetch>,
    /// What is odd and no reason to reject it.
    pub warnings: Vec<Problem>,
    expected: BTreeMap<String, BTreeMap<Algorithm, String>>,
    sizes: BTreeMap<String, u64>,
}

impl Bag {
    /// Judges everything but the contents. `files` are the paths in the bag with their sizes, `tags` the contents of
    /// those that [`tag_files`] names.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn open(
        files: &BTreeMap<String, u64>,
        tags: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, Vec<Problem>> {
        let declaration = tags.get("bagit.txt").ok_or_else(|| {
            vec![Problem::new("bag.no-declaration", "bagit.txt", "there is no such file, so this is no bag")]
        })?;
        let (version, encoding) = declaration::parse(declaration).map_err(|problem| vec![problem])?;
        let encoding = encoding::named(&encoding).map_err(|problem| vec![problem])?;
        let mut opening =
            Opening { version, encoding, files, tags, problems: Vec::new(), warnings: Vec::new() };
        let info = opening.info();
        let manifests = opening.manifests();
        let fetch = opening.fetch(&manifests);
        opening.payload(&manifests, &fetch);
        opening.tag_manifests(&manifests);
        opening.oxum(&info);
        let Opening { problems, warnings, .. } = opening;
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut expected: BTreeMap<String, BTreeMap<Algorithm, String>> = BTreeMap::new();
        let listed = manifests.iter().flat_map(|manifest| {
            manifest.entries.iter().map(|(path, checksum)| (path, manifest.algorithm, checksum))
        });
        for (path, algorithm, checksum) in listed.filter(|(path, _, _)| files.contains_key(*path)) {
            expected.entry(path.clone()).or_default().insert(algorithm, checksum.clone());
        }
        let sizes = files.iter().filter(|(path, _)| expected.contains_key(*path));
        let sizes = sizes.map(|(path, size)| (path.clone(), *size)).collect();
        Ok(Self { version, info, fetch, warnings, expected, sizes })
    }

    /// Every file that a manifest lists, with the algorithms to read it by.
    pub fn files(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = Algorithm>)> {
        self.expected.iter().map(|(path, expected)| (path.as_str(), expected.keys().copied()))
    }

    /// What one manifest says of a file.
    pub fn checksum(&self, path: &str, algorithm: Algorithm) -> Option<&str> {
        self.expected.get(path)?.get(&algorithm).map(String::as_str)
    }

    /// Compares what a file was found to hold with every manifest that lists it.
    pub fn check(&self, path: &str, found: &Found) -> Option<Problem> {
        let Some(expected) = self.expected.get(path) else {
            return Some(Problem::new("bag.not-listed", path, "no manifest lists it"));
        };
        if self.sizes.get(path) != Some(&found.bytes) {
            return Some(Problem::new("bag.changed", path, "it has another length than a moment ago"));
        }
        let wrong =
            expected.iter().find(|(algorithm, checksum)| found.checksums.get(algorithm) != Some(checksum));
        wrong.map(|(algorithm, _)| {
            let message = format!("its {} is not the one in the manifest", algorithm.name());
            Problem::new("bag.checksum", path, message)
        })
    }
}

/// A manifest that was read.
struct Listed {
    name: String,
    of_tags: bool,
    algorithm: Algorithm,
    entries: BTreeMap<String, String>,
}

struct Opening<'a> {
    version: Version,
    encoding: &'static Encoding,
    files: &'a BTreeMap<String, u64>,
    tags: &'a BTreeMap<String, Vec<u8>>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Opening<'_> {
    fn text(&mut self, path: &str) -> Option<String> {
        let bytes = self.tags.get(path)?;
        match encoding::decode(path, bytes, self.encoding) {
            Ok((text, marked)) => {
                if marked && self.encoding == encoding_rs::UTF_8 {
                    self.warnings.push(Problem::new(
                        "bag.byte-order-mark",
                        path,
                        "it begins with a byte order mark",
                    ));
                }
                Some(text)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn info(&mut self) -> BagInfo {
        let Some(name) = INFO.into_iter().find(|name| self.tags.contains_key(*name)) else {
            return BagInfo::default();
        };
        let Some(text) = self.text(name) else { return BagInfo::default() };
        BagInfo::parse(&text).unwrap_or_else(|_| {
            self.problems.push(Problem::new(
                "bag.info-line",
                name,
                "a line is neither `Label: value` nor its continuation",
            ));
            BagInfo::default()
        })
    }

    fn manifests(&mut self) -> Vec<Listed> {
        let mut all = Vec::new();
        let names: Vec<&String> = self.tags.keys().collect();
        for name in names {
            let Some((of_tags, algorithm)) = name_of(name) else { continue };
            let Some(algorithm) = Algorithm::named(&algorithm.to_ascii_lowercase()) else {
                let message = format!("checksums of {} are not read", algorithm.escape_default());
                self.warnings.push(Problem::new("bag.algorithm", name, message));
                continue;
            };
            let Some(text) = self.text(name) else { continue };
            let found = manifest::parse(name, &text, algorithm, self.version, self.files);
            self.problems.extend(found.problems);
            self.warnings.extend(found.warnings);
            all.push(Listed { name: name.clone(), of_tags, algorithm, entries: found.entries });
        }
        if !all.iter().any(|manifest| !manifest.of_tags) {
            self.problems.push(Problem::new(
                "bag.no-manifest",
                "manifest-sha256.txt",
                "no payload manifest can be read",
            ));
        }
        all
    }

    fn fetch(&mut self, manifests: &[Listed]) -> Vec<Fetch> {
        let Some(text) = self.text("fetch.txt") else { return Vec::new() };
        let (list, problems) = fetch::parse(&text, self.version);
        self.problems.extend(problems);
        for fetch in &list {
            let listed = |manifest: &Listed| manifest.of_tags || manifest.entries.contains_key(&fetch.path);
            if !manifests.iter().all(listed) {
                self.problems.push(Problem::new(
                    "bag.fetch",
                    &fetch.path,
                    "fetch.txt names it, and no manifest lists it",
                ));
            }
        }
        list
    }

    /// Every payload file is listed (by every manifest, since the RFC), and everything listed is there.
    fn payload(&mut self, manifests: &[Listed], fetch: &[Fetch]) {
        let of_payload: Vec<&Listed> = manifests.iter().filter(|manifest| !manifest.of_tags).collect();
        for manifest in &of_payload {
            for (path, checksum) in &manifest.entries {
                if !path.starts_with("data/") {
                    let message = format!("{} lists it, and it is not in the payload", manifest.name);
                    self.problems.push(Problem::new("bag.path", path, message));
                } else if !self.files.contains_key(path) {
                    self.missing(path, checksum, manifest, fetch);
                }
            }
        }
        for path in self.files.keys().filter(|path| path.starts_with("data/")) {
            let times = of_payload.iter().filter(|manifest| manifest.entries.contains_key(path)).count();
            if times == 0 || self.version.is_rfc() && times < of_payload.len() {
                self.problems.push(Problem::new("bag.not-listed", path, "not every manifest lists it"));
            }
        }
    }

    /// A file that is not there, unless only its name is written in another way: some file systems know no difference.
    fn missing(&mut self, path: &str, checksum: &str, manifest: &Listed, fetch: &[Fetch]) {
        let name = folded(path);
        let twin = manifest.entries.iter().any(|(other, same)| {
            other != path && same == checksum && self.files.contains_key(other) && folded(other) == name
        });
        if twin {
            let message =
                "it is listed under two names that differ in case or normalisation, and there is one";
            self.warnings.push(Problem::new("bag.same-name", path, message));
        } else if fetch.iter().any(|fetch| fetch.path == path) {
            self.problems.push(Problem::new("bag.to-be-fetched", path, "it was not fetched yet"));
        } else {
            self.problems.push(Problem::new(
                "bag.missing",
                path,
                format!("{} lists it, and it is not there", manifest.name),
            ));
        }
    }

    fn tag_manifests(&mut self, manifests: &[Listed]) {
        let payload_manifests: BTreeSet<&str> = self
            .tags
            .keys()
            .filter(|name| name_of(name).is_some_and(|(of_tags, _)| !of_tags))
            .map(String::as_str)
            .collect();
        for manifest in manifests.iter().filter(|manifest| manifest.of_tags) {
            for path in manifest.entries.keys() {
                if !self.files.contains_key(path) {
                    let message = format!("{} lists it, and it is not there", manifest.name);
                    self.problems.push(Problem::new("bag.missing", path, message));
                }
                let is_tag_manifest = name_of(path).is_some_and(|(of_tags, _)| of_tags);
                if self.version.is_rfc() && is_tag_manifest {
                    self.problems.push(Problem::new(
                        "bag.tag-manifest",
                        path,
                        "a tag manifest must not be listed",
                    ));
                }
            }
            for name in payload_manifests.iter().filter(|name| !manifest.entries.contains_key(**name)) {
                let unlisted =
                    Problem::new("bag.tag-manifest", *name, format!("{} does not list it", manifest.name));
                if self.version.is_rfc() {
                    self.problems.push(unlisted)
                } else {
                    self.warnings.push(unlisted)
                }
            }
        }
    }

    fn oxum(&mut self, info: &BagInfo) {
        let payload = || self.files.iter().filter(|(path, _)| path.starts_with("data/"));
        let there = (payload().map(|(_, size)| size).sum::<u64>(), payload().count() as u64);
        match info.payload_oxum() {
            None => {}
            Some(Err(())) => {
                self.warnings.push(Problem::new(
                    "bag.oxum",
                    "bag-info.txt",
                    "Payload-Oxum is not `bytes.files`",
                ));
            }
            Some(Ok(said)) if said != there => {
                let message = format!(
                    "Payload-Oxum says {}.{}, and there are {} bytes in {} files",
                    said.0, said.1, there.0, there.1
                );
                self.problems.push(Problem::new("bag.oxum", "bag-info.txt", message));
            }
            Some(Ok(_)) => {}
        }
    }
}

/// A path as file systems see it that know neither case nor normalisation.
fn folded(path: &str) -> String {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(path).to_lowercase()
}
