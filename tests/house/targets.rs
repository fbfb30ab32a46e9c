//! What `make` offers: each target in one line, to whoever types `make` alone and to whoever reads the README.

use std::{collections::BTreeMap, process::Command};

use regex::Regex;

use super::{read, root};

/// What everybody may rely on.
const TARGETS: [&str; 12] =
    ["setup", "demo", "up", "down", "test", "storm", "conformance", "bench", "lint", "build", "deploy", "ci"];

/// What `make` alone prints: name and meaning.
fn printed() -> BTreeMap<String, String> {
    let mut make = Command::new(std::env::var("MAKE").unwrap_or_else(|_| "make".to_owned()));
    // This test may run below `make test`, whose flags are not for this one.
    for inherited in ["MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"] {
        make.env_remove(inherited);
    }
    let output = make.arg("--no-print-directory").current_dir(root()).output().expect("make runs");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines = said.lines().map(|line| {
        let told = line.strip_prefix("  make ").and_then(|line| line.split_once(' '));
        let (name, meaning) = told.unwrap_or_else(|| panic!("no target in one line: {line:?}"));
        (name.to_owned(), meaning.trim().to_owned())
    });
    let all: Vec<_> = lines.collect();
    let found: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(found.len(), all.len(), "a target is printed twice: {all:?}");
    found
}

#[test]
fn make_alone_prints_every_target_in_one_line() {
    let printed = printed();
    for target in TARGETS {
        let meaning =
            printed.get(target).unwrap_or_else(|| panic!("make does not offer {target}: {printed:?}"));
        assert!(meaning.len() > 10, "make says nothing of {target}");
    }
    let makefile = read(&root().join("Makefile"));
    let phony = makefile.lines().find_map(|line| line.strip_prefix(".PHONY:")).expect("the list of targets");
    let phony: Vec<&str> = phony.split_whitespace().collect();
    let strangers: Vec<&String> = printed.keys().filter(|target| !phony.contains(&target.as_str())).collect();
    assert!(strangers.is_empty(), "printed, but a file of that name would hide it: {strangers:?}");
}

#[test]
fn what_the_pages_tell_people_to_type_is_there() {
    let printed = printed();
    let named = Regex::new(r"(?m)(?:`|^)make ([a-z]+)").expect("a pattern");
    for page in
        ["README.md", "CONTRIBUTING.md", "tests/README.md", "infra/README.md", "shared/simulators/README.md"]
    {
        let text = read(&root().join(page));
        let absent: Vec<&str> = named
            .captures_iter(&text)
            .filter_map(|found| found.get(1))
            .map(|target| target.as_str())
            .filter(|target| !printed.contains_key(*target))
            .collect();
        assert!(absent.is_empty(), "{page} tells people to type make {absent:?}");
    }
}
