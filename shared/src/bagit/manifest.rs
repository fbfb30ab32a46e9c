//! One manifest: paths with their checksums.

use std::collections::BTreeMap;

use super::{
    algorithm::Algorithm,
    declaration::Version,
    encoding::lines,
    path::{decoded, inside},
    problem::Problem,
};

/// What a manifest lists, and what is wrong or odd with it.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// Checksums in lower case by path.
    pub(super) entries: BTreeMap<String, String>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Whether a name is one of a manifest: which kind, and its algorithm's name.
pub(super) fn name_of(path: &str) -> Option<(bool, &str)> {
    let stem = path.strip_suffix(".txt")?;
    match stem.strip_prefix("tagmanifest-") {
        Some(algorithm) => Some((true, algorithm)),
        None => Some((false, stem.strip_prefix("manifest-")?)),
    }
}

/// Reads a manifest. `files` are those there are: a name that holds a percent sign is recognised by them.
pub(super) fn parse(
    name: &str,
    text: &str,
    algorithm: Algorithm,
    version: Version,
    files: &BTreeMap<String, u64>,
) -> Manifest {
    let mut found = Manifest::default();
    for line in lines(text).filter(|line| !line.trim().is_empty()) {
        let odd = |code, message: String| Problem::new(code, name, message);
        let Some((checksum, rest)) = line.split_once([' ', '\t']) else {
            found
                .problems
                .push(odd("bag.manifest-line", "expected a checksum and a path on each line".into()));
            continue;
        };
        let checksum = checksum.to_ascii_lowercase();
        if checksum.len() != algorithm.digits() || !checksum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            found
                .problems
                .push(odd("bag.manifest-line", format!("a checksum is not one of {}", algorithm.name())));
            continue;
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let raw = match rest.strip_prefix('*') {
            Some(raw) => {
                found
                    .warnings
                    .push(odd("bag.binary-marker", "`*` before a path, as md5sum writes it".into()));
                raw
            }
            None => rest,
        };
        let path = decoded(raw, version);
        let Some(clean) = inside(&path) else {
            found.problems.push(Problem::new("bag.path", name, "a path leads out of the bag"));
            continue;
        };
        if clean != path {
            found.warnings.push(odd("bag.relative-path", "a path begins with `./`".into()));
        }
        // Writers of drafts leave the percent sign as it is.
        let clean = match inside(raw) {
            Some(raw) if raw != clean && !files.contains_key(clean) && files.contains_key(raw) => raw,
            _ => clean,
        };
        if let Some(earlier) = found.entries.get(clean) {
            let same = *earlier == checksum;
            let twice = Problem::new("bag.listed-twice", clean, format!("{name} lists it more than once"));
            if same && !version.is_rfc() {
                found.warnings.push(twice)
            } else {
                found.problems.push(twice)
            }
            continue;
        }
        found.entries.insert(clean.to_owned(), checksum);
    }
    found
}
