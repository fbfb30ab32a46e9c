//! What `infra/setup` says of a machine that lacks something: one clear line, which tells where to get it.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use regex::Regex;

use super::{read, root};

/// What every machine has that can run the project.
const COMMON: [&str; 8] = ["bash", "cmp", "cp", "cut", "dirname", "mkdir", "rm", "sed"];

/// Programs that are there besides, each with the status it ends with; what is to be set up; how the line begins.
type Case = (&'static [(&'static str, u8)], &'static str, &'static str);

const CASES: &[Case] = &[
    (&[], "rust", "Rust. "),
    (&[("cargo", 0), ("rustc", 1)], "rust", "Rust 1."),
    (&[("cargo", 1), ("rustc", 0)], "rust", "rustfmt or clippy. "),
    (&[("cargo", 0), ("rustc", 0)], "rust", "a C compiler "),
    (&[], "nextest", "Rust. "),
    (&[], "arm64", "Rust. "),
    (
        &[("cargo", 0), ("rustc", 0), ("cc", 0)],
        "arm64",
        "Rust's standard library for aarch64-unknown-linux-gnu",
    ),
    (&[("cargo", 0), ("rustc", 0), ("cc", 0), ("rustup", 1)], "arm64", "Rust's standard library for aarch64"),
    (&[], "python", "Python 3.11 or later"),
    // It is there, but too old, or without what makes environments.
    (&[("python3", 1)], "python", "Python 3.11 or later"),
    (&[], "stack", "Python 3.11 or later"),
    (&[], "build", "Python 3.11 or later"),
    (&[], "bench", "Python 3.11 or later"),
    (&[], "lint", "Python 3.11 or later"),
    (&[], "checkov", "Python 3.11 or later"),
    (&[], "cargo", "Python 3.11 or later"),
    (&[("python3", 0)], "stack", "the Python packages of infra/requirements/stack.txt."),
    (&[], "node", "Node 18 or later"),
    (&[("node", 1), ("npm", 0)], "node", "Node 18 or later"),
    (&[("node", 0)], "node", "Node 18 or later"),
    (&[], "openssl", "openssl, "),
];

fn on_this_machine(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{program} is not on this machine"))
}

/// A checkout that nothing was set up in, on a machine that has the common programs and these.
fn set_up(place: &Path, programs: &[(&str, u8)], what: &str) -> Output {
    let (bin, requirements) = (place.join("bin"), place.join("infra/requirements"));
    for folder in [&bin, &requirements] {
        fs::create_dir_all(folder).expect("a folder");
    }
    for file in ["infra/setup", "rust-toolchain.toml", "infra/requirements/stack.txt"] {
        fs::copy(root().join(file), place.join(file)).expect("a copy");
    }
    for program in COMMON {
        symlink(on_this_machine(program), bin.join(program)).expect("a link");
    }
    for (program, status) in programs {
        // A shell of its own writes it: what this process has open for writing, nobody can run.
        let write = format!("printf '#!/bin/sh\\nexit {status}\\n' >{program} && /bin/chmod +x {program}");
        let written = Command::new("/bin/sh").args(["-c", &write]).current_dir(&bin).status();
        assert!(written.expect("a shell").success(), "{write}");
    }
    Command::new(bin.join("bash"))
        .arg(place.join("infra/setup"))
        .arg(what)
        .env_clear()
        .env("PATH", &bin)
        .output()
        .expect("bash runs")
}

#[test]
fn what_a_machine_lacks_is_told_in_one_line_with_where_to_get_it() {
    let remedy =
        Regex::new(r"https://|apt install|brew install|rustup (?:toolchain|component|target) |package index")
            .expect("a pattern");
    for (programs, what, begins) in CASES {
        let place = tempfile::tempdir().expect("a folder");
        let output = set_up(place.path(), programs, what);
        let said = String::from_utf8_lossy(&output.stderr);
        let case = format!("infra/setup {what} with {programs:?}: {said}");
        assert_eq!(output.status.code(), Some(1), "{case}");
        let told: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("missing: ")).collect();
        let [told] = told.as_slice() else { panic!("not one line: {case}") };
        assert!(told.starts_with(*begins) && remedy.is_match(told), "{case}");
        // Another program has said before why, or this line is all there is.
        assert!(told.contains("says why above") || said.lines().count() == 1, "{case}");
        assert!(said.trim_end().ends_with(*told), "it goes on after that: {case}");
        assert!(!place.path().join(".tools").exists(), "something was installed: {case}");
    }
}

#[test]
fn it_is_known_of_each_name_that_a_target_of_make_sets_up_what_it_says() {
    let asked = Regex::new(r"@infra/setup ([a-z0-9 ]+)").expect("a pattern");
    let makefile = read(&root().join("Makefile"));
    let names: BTreeSet<&str> = asked
        .captures_iter(&makefile)
        .filter_map(|found| found.get(1))
        .flat_map(|names| names.as_str().split_whitespace())
        .collect();
    assert!(names.contains("stack") && names.contains("arm64"), "{names:?}");
    let known: BTreeSet<&str> = CASES.iter().map(|(_, what, _)| *what).collect();
    let unknown: Vec<&&str> = names.difference(&known).collect();
    assert!(unknown.is_empty(), "no case for {unknown:?}");
}
