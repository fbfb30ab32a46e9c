//! How large a file may be, which way imports run, what functions leave alone, and what stands at the top.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use regex::Regex;

use super::{files, read, root};

/// The most lines of a file.
const MOST: usize = 500;

/// The clients of the vendors' systems: none of them knows another.
const CLIENTS: [&str; 5] = ["consonance", "content_server", "iconik", "otmm", "preservica"];

/// What no client knows either.
const ABOVE_CLIENTS: [&str; 11] = [
    "aws",
    "batch",
    "environment",
    "flow",
    "function",
    "lambda",
    "ledger",
    "links",
    "mapping",
    "reconcile",
    "transfer",
];

/// What the other modules of `shared` must not know, though nothing but this stops them: everything else is in the crates'
/// dependencies.
const NEVER: &[(&str, &[&str])] = &[
    (
        "mapping",
        &[
            "aws",
            "batch",
            "content_server",
            "environment",
            "flow",
            "function",
            "http",
            "iconik",
            "lambda",
            "ledger",
        ],
    ),
    (
        "onix",
        &[
            "aws",
            "batch",
            "consonance",
            "content_server",
            "environment",
            "flow",
            "function",
            "http",
            "iconik",
            "lambda",
            "ledger",
            "mapping",
        ],
    ),
    (
        "archive",
        &[
            "aws",
            "batch",
            "content_server",
            "environment",
            "function",
            "iconik",
            "lambda",
            "links",
            "mapping",
            "reconcile",
            "transfer",
        ],
    ),
    ("filing", &["aws", "batch", "environment", "function", "iconik", "lambda", "links", "reconcile"]),
    (
        "http",
        &[
            "aws",
            "batch",
            "content_server",
            "environment",
            "flow",
            "function",
            "iconik",
            "lambda",
            "ledger",
            "mapping",
        ],
    ),
    ("flow", &["batch", "content_server", "function", "http", "iconik", "lambda", "mapping"]),
    (
        "ledger",
        &["batch", "content_server", "environment", "flow", "function", "iconik", "lambda", "mapping"],
    ),
    (
        "transfer",
        &["batch", "content_server", "environment", "function", "iconik", "lambda", "ledger", "mapping"],
    ),
    ("batch", &["content_server", "function", "iconik", "lambda", "mapping", "transfer"]),
    (
        "bagit",
        &["aws", "batch", "content_server", "environment", "flow", "http", "lambda", "ledger", "mapping"],
    ),
    (
        "packages",
        &[
            "aws",
            "batch",
            "content_server",
            "context",
            "environment",
            "flow",
            "function",
            "iconik",
            "lambda",
            "ledger",
            "links",
            "mapping",
            "preservica",
            "reconcile",
            "s3_notification",
            "transfer",
        ],
    ),
];

#[test]
fn no_file_is_longer_than_one_can_read() {
    let longer: Vec<String> = ["functions", "shared", "tests"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .filter(|path| !path.components().any(|part| part.as_os_str() == "target"))
        .filter_map(|path| {
            let lines = read(&path).lines().count();
            (lines > MOST).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(longer.is_empty(), "more than {MOST} lines: {longer:#?}");
}

/// The modules of a crate that a file names, alone or in a list; `of` is `crate::` for those of its own.
fn modules(text: &str, of: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, path) in text.match_indices(of) {
        let rest = text.get(at + path.len()..).unwrap_or_default();
        let Some(list) = rest.strip_prefix('{') else {
            found.extend(first_word(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, character) in list.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if begins && character.is_alphanumeric() => {
                    found.extend(first_word(list.get(at..).unwrap_or_default()));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn first_word(text: &str) -> Option<String> {
    let word: String =
        text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
    (!word.is_empty()).then_some(word)
}

#[test]
fn the_modules_of_a_list_are_seen() {
    let text = "use crate::{\n    error::{Error, Result},\n    flow::Run, http,\n};\ncrate::ledger::Key";
    assert_eq!(modules(text, "crate::"), ["error", "flow", "http", "ledger"].map(str::to_owned).into());
    assert!(modules(text, "shared::").is_empty());
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    let clients = CLIENTS.map(|client| {
        let others = CLIENTS.into_iter().filter(|other| *other != client);
        (client, others.chain(ABOVE_CLIENTS).collect::<Vec<_>>())
    });
    let others = NEVER.iter().map(|(module, never)| (*module, never.to_vec()));
    for (module, never) in others.chain(clients) {
        let own = files("shared/src", ".rs").into_iter().filter(|path| {
            let below = path
                .strip_prefix(root().join("shared/src"))
                .expect("below it")
                .to_string_lossy()
                .into_owned();
            below.starts_with(&format!("{module}/")) || below == format!("{module}.rs")
        });
        let mut any = false;
        for path in own {
            any = true;
            let used = modules(&read(&path), "crate::");
            wrong.extend(
                never
                    .iter()
                    .filter(|name| used.contains(**name))
                    .map(|name| format!("{} knows {name}", path.display())),
            );
        }
        assert!(any, "there is no module {module}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// If both sides shared a type, a misspelt field would agree with itself.
#[test]
fn simulators_share_nothing_with_what_they_test_and_shared_knows_no_flow() {
    // Of the crate `webhooks` the manifests tell: modules are called so too.
    let ours = Regex::new(r"\b(?:shared|iconik_content_server|s3_content_server|watch|operations)::")
        .expect("a pattern");
    let flows = Regex::new(r"\b(?:iconik_content_server|s3_content_server|watch|operations|simulators)::")
        .expect("a pattern");
    let mut wrong = Vec::new();
    for (folder, forbidden) in [("shared/simulators", &ours), ("shared/src", &flows)] {
        let naming = files(folder, ".rs").into_iter().filter(|path| forbidden.is_match(&read(path)));
        wrong.extend(naming.map(|path| path.display().to_string()));
    }
    for manifest in ["shared/simulators/Cargo.toml", "shared/Cargo.toml"] {
        let text = read(&root().join(manifest));
        for name in ["iconik-content-server", "s3-content-server", "watch", "webhooks", "operations"] {
            let depends = text
                .lines()
                .any(|line| line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} =")));
            if depends {
                wrong.push(format!("{manifest} names {name}"));
            }
        }
    }
    let simulators = read(&root().join("shared/simulators/Cargo.toml"));
    assert!(!simulators.lines().any(|line| line.starts_with("shared.") || line.starts_with("shared =")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The code of the functions but for their binaries.
fn below_binaries() -> Vec<PathBuf> {
    let mut sources = files("functions", ".rs");
    sources.retain(|path| !path.to_string_lossy().contains("/src/bin/"));
    assert!(sources.len() > 100, "the functions are not found: {}", sources.len());
    sources
}

#[test]
fn a_flow_never_sees_lambda() {
    let named = Regex::new(r"\b(?:lambda_runtime|aws_lambda_events)\b").expect("a pattern");
    let seeing = |path: &PathBuf| {
        let text = read(path);
        named.is_match(&text) || modules(&text, "shared::").contains("lambda")
    };
    let wrong: Vec<PathBuf> = below_binaries().into_iter().filter(seeing).collect();
    assert!(
        wrong.is_empty(),
        "only a binary starts on Lambda, and only `shared` reads what it is given: {wrong:#?}"
    );
}

#[test]
fn no_function_lifts_a_hold() {
    for (client, call) in [("content_server", "remove_hold"), ("preservica", "release_hold")] {
        let own = root().join(format!("shared/src/{client}/holds.rs"));
        assert!(read(&own).contains(&format!("pub async fn {call}(")), "{client} calls it otherwise now");
        let callers: Vec<PathBuf> = [files("functions", ".rs"), files("shared/src", ".rs")]
            .concat()
            .into_iter()
            .filter(|path| *path != own && read(path).contains(call))
            .collect();
        assert!(callers.is_empty(), "a hold is lifted by people: {callers:#?}");
    }
}

/// What stands at the top of the repository. What is made there by tools, and kept by mistake, does not.
const TOP: [&str; 19] = [
    ".cargo",
    ".ci",
    ".config",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "functions",
    "infra",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "shared",
    "tests",
];

#[test]
fn nothing_stands_at_the_top_that_does_not_belong_there() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        println!("skipped: this is no checkout of git");
        return;
    };
    let listed = String::from_utf8(listed.stdout).expect("text");
    let top: BTreeSet<&str> = listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(|path| path.split_once('/').map_or(path, |(folder, _)| folder))
        .collect();
    assert_eq!(top, TOP.into());
}
