//! Reason codes: each that an item can end with stands in a table for people, and each that stands there is real.

use std::collections::BTreeSet;

use regex::Regex;

use super::{files, read, root};

/// Every code in a table whose head says `reason code` or `code`, in the documents of the functions.
fn documented() -> BTreeSet<String> {
    let code = Regex::new("`([a-z0-9.…-]+)`").expect("a pattern");
    let mut codes = BTreeSet::new();
    for document in files("functions", ".md") {
        let text = read(&document);
        let mut in_table = false;
        for line in text.lines() {
            let is_head = line.starts_with("| reason code") || line.starts_with("| code ");
            in_table = line.starts_with('|') && (in_table || is_head);
            if let Some(first) = line.split('|').nth(1).filter(|_| in_table) {
                codes.extend(code.captures_iter(first).map(|found| found[1].to_owned()));
            }
        }
    }
    assert!(codes.len() > 40, "the tables of reason codes are not found: {codes:?}");
    codes
}

/// The shipped code of the functions, without its tests, file by file.
fn shipped() -> Vec<(String, String)> {
    let sources = files("functions", ".rs").into_iter().map(|path| {
        let name = path.strip_prefix(root()).expect("below the checkout").display().to_string();
        let text = read(&path);
        (name, text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned())
    });
    sources.filter(|(name, _)| !name.contains("/tests/") && !name.ends_with("tests.rs")).collect()
}

#[test]
fn every_documented_reason_code_is_one_that_the_code_gives() {
    let mut text: String = shipped().into_iter().map(|(_, text)| text).collect();
    for path in files("shared/src", ".rs") {
        text.push_str(&read(&path));
    }
    let unknown: Vec<String> = documented()
        .into_iter()
        .filter(|code| match code.split_once('…') {
            Some((beginning, _)) => !text.contains(&format!("\"{beginning}")),
            None => !text.contains(&format!("\"{code}\"")),
        })
        .collect();
    assert!(unknown.is_empty(), "documented, and never given: {unknown:?}");
}

#[test]
fn every_reason_with_which_an_item_ends_is_documented() {
    let given = Regex::new(
        r#"(?:Reason::new|Error::invalid|Error::configuration|\bskipped)\(\s*"([a-z0-9.-]+)"|Error::new\(\s*FailureClass::(?:Invalid|Forbidden|Gone),\s*System::\w+,\s*"[^"]*",\s*"([a-z0-9.-]+)""#,
    )
    .expect("a pattern");
    let documented = documented();
    let is_documented = |code: &str| {
        documented.iter().any(|known| match known.split_once('…') {
            Some((beginning, _)) => code.starts_with(beginning),
            None => known == code,
        })
    };
    let mut missing = BTreeSet::new();
    for (name, text) in shipped() {
        for found in given.captures_iter(&text) {
            let code = found.get(1).or_else(|| found.get(2)).expect("one of them").as_str();
            if !is_documented(code) {
                missing.insert(format!("{code} ({name})"));
            }
        }
    }
    assert!(missing.is_empty(), "not in any table of reason codes:\n{missing:#?}");
}
