//! Open questions of the systems we imitate: each is a switch of a simulator that a test flips and the table for people names.

use regex::Regex;
use serde_json::Value;

use super::{files, read, root};

/// A simulator: its folder, the heading of its table, its switches.
struct Simulator {
    name: &'static str,
    heading: &'static str,
    settings: fn() -> serde_json::Result<Value>,
    /// Fewer switches than this are not all of them.
    least: usize,
}

const SIMULATORS: &[Simulator] = &[
    Simulator {
        name: "content_server",
        heading: "\n### Switches of Content Server",
        settings: || serde_json::to_value(simulators::content_server::Settings::default()),
        least: 60,
    },
    Simulator {
        name: "iconik",
        heading: "\n### Switches of iconik",
        settings: || serde_json::to_value(simulators::iconik::Settings::default()),
        least: 30,
    },
    Simulator {
        name: "preservica",
        heading: "\n### Switches of Preservica",
        settings: || serde_json::to_value(simulators::preservica::Settings::default()),
        least: 30,
    },
    Simulator {
        name: "consonance",
        heading: "\n### Switches of Consonance",
        settings: || serde_json::to_value(simulators::consonance::Settings::default()),
        least: 20,
    },
    Simulator {
        name: "otmm",
        heading: "\n### Switches of OTMM",
        settings: || serde_json::to_value(simulators::otmm::Settings::default()),
        least: 80,
    },
];

/// Every switch as its path in the settings: `etags`, `large_upload.part_size`.
fn switches(simulator: &Simulator) -> Vec<(Option<String>, String)> {
    let Ok(Value::Object(settings)) = (simulator.settings)() else { panic!("the settings are an object") };
    let mut found = Vec::new();
    for (name, value) in settings {
        match value {
            Value::Object(group) => {
                found.extend(group.into_iter().map(|(leaf, _)| (Some(name.clone()), leaf)))
            }
            _ => found.push((None, name)),
        }
    }
    assert!(found.len() > simulator.least, "the switches of {} are not found: {found:?}", simulator.name);
    found
}

/// The tests that speak to a simulator: its own, and those of the project.
fn tests(simulator: &Simulator) -> String {
    let own = files(&format!("shared/simulators/src/{}/tests", simulator.name), ".rs");
    let clients = files("shared/tests", ".rs");
    files("tests", ".rs").iter().chain(&clients).chain(&own).map(|path| read(path)).collect()
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
fn every_switch_of_a_simulator_is_flipped_by_a_test() {
    for simulator in SIMULATORS {
        let text = tests(simulator);
        let never: Vec<String> = switches(simulator)
            .iter()
            .filter(|(group, leaf)| !setting_of(group.as_deref(), leaf).is_match(&text))
            .map(|(group, leaf)| {
                [group.as_deref(), Some(leaf)].into_iter().flatten().collect::<Vec<_>>().join(".")
            })
            .collect();
        assert!(never.is_empty(), "no test sets these switches of {}: {never:?}", simulator.name);
    }
}

#[test]
fn every_switch_of_a_simulator_is_in_the_table_for_people() {
    let page = read(&root().join("shared/simulators/README.md"));
    for simulator in SIMULATORS {
        let rest = page.split(simulator.heading).nth(1).expect("the table");
        let table = rest.split("\n#").next().unwrap_or_default();
        let missing: Vec<String> = switches(simulator)
            .into_iter()
            .map(|(group, leaf)| group.map_or(leaf, |group| format!("{group}.*")))
            .filter(|name| !table.contains(&format!("`{name}`")))
            .collect();
        assert!(missing.is_empty(), "not in the table of switches of {}: {missing:?}", simulator.name);
    }
}
