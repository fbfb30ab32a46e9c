//! The public conformance suite.

use super::*;

/// Every bag of a folder laid out like the public conformance suite: `v…/valid`, `warning`, `invalid`, `…-only`. Runs
/// when `BAGIT_SUITE` names the folder.
#[test]
fn the_public_suite_gets_the_verdicts_it_expects() {
    let Some(suite) = std::env::var_os("BAGIT_SUITE") else { return };
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for version in folders(Path::new(&suite)) {
        for group in folders(&version) {
            for bag in folders(&group) {
                let kind = group.file_name().unwrap().to_string_lossy().into_owned();
                let mut files = Files::new();
                read(&bag, &bag, &mut files);
                let verdict = judge(&files);
                let right = match kind.as_str() {
                    "valid" => verdict.is_ok(),
                    // The suite counts a rejection as well as a warning.
                    "warning" => verdict.as_ref().map_or(true, |warnings| !warnings.is_empty()),
                    _ => verdict.is_err(),
                };
                println!("{} {verdict:?}", bag.display());
                *counted.entry(kind).or_default() += 1;
                if !right {
                    wrong.push((bag, verdict));
                }
            }
        }
    }
    println!("{counted:?}");
    assert!(!counted.is_empty() && wrong.is_empty(), "{wrong:#?}");
}

fn folders(of: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir() && !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    found.sort();
    found
}

fn read(bag: &Path, folder: &Path, into: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(bag, &path, into);
        } else {
            let name = path.strip_prefix(bag).unwrap().to_string_lossy().into_owned();
            into.insert(name, std::fs::read(&path).unwrap());
        }
    }
}
