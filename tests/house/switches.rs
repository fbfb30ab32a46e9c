//! Open questions of Content Server: each is a switch of its simulator that a test flips and the table for people names.

use regex::Regex;
use serde_json::Value;

use super::{files, read, root};

/// Every switch as its path in the settings: `etags`, `large_upload.part_size`.
fn switches() -> Vec<(Option<String>, String)> {
    let settings = serde_json::to_value(simulators::content_server::Settings::default());
    let Ok(Value::Object(settings)) = settings else { panic!("the settings are an object") };
    let mut found = Vec::new();
    for (name, value) in settings {
        match value {
            Value::Object(group) => {
                found.extend(group.into_iter().map(|(leaf, _)| (Some(name.clone()), leaf)))
            }
            _ => found.push((None, name)),
        }
    }
    assert!(found.len() > 60, "the switches are not found: {found:?}");
    found
}

/// The tests that speak to the simulator.
fn tests() -> String {
    let own = files("shared/simulators/src/content_server/tests", ".rs");
    files("tests", ".rs").iter().chain(&own).map(|path| read(path)).collect()
}

/// What setting a switch looks like: an assignment, or a field of a settings value.
fn setting_of(group: Option<&str>, leaf: &str) -> Regex {
    let (owner, kind) = match group {
        // `let rules = &mut settings.record_rules` is how a test sets several.
        Some(group) => {
            (format!(r"\b(?:{group}|{})\.", group.rsplit('_').next().unwrap_or(group)), type_name(group))
        }
        None => (r"\.".to_owned(), "Settings".to_owned()),
    };
    Regex::new(&format!(r"{owner}{leaf}\s*=[^=]|\b{kind}\s*\{{[^}}]*\b{leaf}\b\s*[:,]")).expect("a pattern")
}

/// `record_rules` as `RecordRules`.
fn type_name(group: &str) -> String {
    group
        .split('_')
        .map(|word| {
            word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>()
        })
        .collect()
}

#[test]
fn every_switch_of_the_simulator_is_flipped_by_a_test() {
    let text = tests();
    let never: Vec<String> = switches()
        .iter()
        .filter(|(group, leaf)| !setting_of(group.as_deref(), leaf).is_match(&text))
        .map(|(group, leaf)| {
            [group.as_deref(), Some(leaf)].into_iter().flatten().collect::<Vec<_>>().join(".")
        })
        .collect();
    assert!(never.is_empty(), "no test sets these switches: {never:?}");
}

#[test]
fn every_switch_of_the_simulator_is_in_the_table_for_people() {
    let page = read(&root().join("shared/simulators/README.md"));
    let table =
        page.split("\n## Switches").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the table");
    let missing: Vec<String> = switches()
        .into_iter()
        .map(|(group, leaf)| group.map_or(leaf, |group| format!("{group}.*")))
        .filter(|name| !table.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not in the table of switches: {missing:?}");
}
