//! Intake rules as a person who writes them would describe them.

mod broken_files;
mod contents;
mod dry_runs;
mod plans;

use std::collections::BTreeMap;

use shared::{content_server::NameRules, mapping::Record};

use super::*;

fn upload(key: &str) -> Upload {
    Upload {
        bucket: "acme-uploads".to_owned(),
        key: key.to_owned(),
        size: 1_000,
        content_type: Some("binary/octet-stream".to_owned()),
        etag: None,
        version_id: None,
        last_modified: "2026-11-20T12:00:00Z".parse().ok(),
        tags: BTreeMap::new(),
        user: BTreeMap::new(),
        sidecar: None,
        now: "2026-11-20T12:00:05Z".parse().unwrap(),
    }
}

fn with_tags(key: &str, tags: &[(&str, &str)]) -> Record {
    let mut upload = upload(key);
    upload.tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    upload.record()
}

fn with_sidecar(key: &str, sidecar: serde_json::Value) -> Record {
    Upload { sidecar: Some(sidecar), ..upload(key) }.record()
}

fn rules(text: &str) -> IntakeRules {
    IntakeRules::parse(text, "rules.toml").unwrap_or_else(|found| panic!("{found}"))
}

/// Rules with one rule that ends in these lines.
fn rule(lines: &str) -> IntakeRules {
    rules(&format!(
        "[[rule]]\nname = 'one'\nkey = 'in/{{id}}/{{name}}'\ntarget.folder = 'Enterprise:In'\n{lines}"
    ))
}

fn codes(rules: &IntakeRules, record: &Record) -> Vec<&'static str> {
    let (rule, _) = rules.choose(record).expect("a rule takes the object");
    match rule.plan(record) {
        Ok(_) => Vec::new(),
        Err(violations) => violations.iter().map(|violation| violation.code).collect(),
    }
}
