//! What must hold whatever the input: one function per door through which strangers' bytes come in. A fuzzer on a
//! nightly compiler calls them with inputs it makes up; an ordinary test calls them with the corpus and its mutations.

use std::{collections::BTreeMap, sync::LazyLock};

use s3_content_server::intake_rules::{IntakeRules, SAMPLE, Target, Upload, explain, parse_sidecar};
use shared::{
    content_server::NameRules,
    error::FailureClass,
    s3_notification::{self, Notification, ObjectKey},
};

static RULES: LazyLock<IntakeRules> =
    LazyLock::new(|| match IntakeRules::parse(SAMPLE, "intake-rules.toml") {
        Ok(rules) => rules,
        Err(found) => panic!("{found}"),
    });

/// The key of an event: decoded once, within bounds, and written back without loss.
pub fn object_key(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(key) = ObjectKey::decode(text) else { return };
    let plain = key.as_str();
    assert!((1..=ObjectKey::LONGEST).contains(&plain.len()), "a key of {} bytes", plain.len());
    let encoded =
        percent_encoding::utf8_percent_encode(plain, percent_encoding::NON_ALPHANUMERIC).to_string();
    assert_eq!(ObjectKey::decode(&encoded).map(|key| key.as_str().to_owned()).ok().as_deref(), Some(plain));
    judge(&upload(plain, None));
}

/// A rule file: accepted, or refused with a place and a remedy for each mistake.
pub fn rule_file(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match IntakeRules::parse(text, "rules.toml") {
        Ok(rules) => {
            assert!(!rules.rules().is_empty(), "a file without rules is refused");
            for key in ["claims/100117/a.pdf", "a", "a/b/c/d"] {
                let record = upload(key, None).record();
                assert!(!explain(&rules, &record, &NameRules::default()).to_string().is_empty());
            }
        }
        Err(found) => {
            let lines = text.matches('\n').count() + 1;
            assert!(!found.is_empty(), "a refused file has mistakes");
            for diagnostic in found.list() {
                assert!((1..=lines).contains(&diagnostic.line), "{diagnostic}");
                assert!(diagnostic.column >= 1 && !diagnostic.remedy.is_empty(), "{diagnostic}");
            }
        }
    }
}

/// A message of the queue: read, or refused for ever; never left to be tried again.
pub fn event(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match s3_notification::parse(text) {
        Ok(Notification::Test) => {}
        Ok(Notification::Objects(parsed)) => {
            for event in parsed.events {
                assert!((1..=ObjectKey::LONGEST).contains(&event.key.as_str().len()));
                if let Some(sequencer) = &event.sequencer {
                    assert!(!sequencer.is_before(sequencer), "nothing comes before itself");
                }
            }
        }
        Err(error) => assert_eq!(error.class(), FailureClass::Invalid, "{error}"),
    }
}

/// A sidecar: read, or refused for ever; every sample rule maps it or tells what is wrong.
pub fn sidecar(input: &[u8]) {
    let sidecar = match parse_sidecar(input) {
        Ok(sidecar) => sidecar,
        Err(error) => {
            assert_eq!(
                (error.class(), error.code()),
                (FailureClass::Invalid, "sidecar.unreadable"),
                "{error}"
            );
            return;
        }
    };
    assert!(sidecar.is_object());
    for key in [
        "claims/100117/a.jpg",
        "suppliers/0000200451/a.pdf",
        "onboarding/300881/tax-a.pdf",
        "archive/Registers/1887/a.tif",
    ] {
        judge(&upload(key, Some(sidecar.clone())));
    }
}

/// Whatever the rules make of an upload, they explain it and stay within their target.
fn judge(upload: &Upload) {
    let record = upload.record();
    let explanation = explain(&RULES, &record, &NameRules::default());
    let told = explanation.to_string();
    assert!(!told.is_empty());
    assert!(!told.chars().any(|character| character.is_control() && character != '\n'), "a terminal is safe");
    let Some((rule, captures)) = RULES.choose(&record) else { return };
    assert!(captures.iter().all(|(_, value)| !value.is_empty()));
    match rule.plan(&record) {
        Err(violations) => assert!(!violations.is_empty()),
        Ok(plan) => {
            assert!(explanation.violations.is_empty(), "the dry run and the plan agree");
            let names = match plan.target {
                Target::Folder { path, .. } => path.names,
                Target::Workspace(workspace) => workspace.folder,
            };
            for name in names {
                assert!(!name.contains('/') && !matches!(name.trim(), "" | "." | ".."), "{name:?}");
            }
        }
    }
}

fn upload(key: &str, sidecar: Option<serde_json::Value>) -> Upload {
    Upload {
        bucket: "uploads".to_owned(),
        key: key.to_owned(),
        size: 1,
        content_type: None,
        etag: None,
        version_id: None,
        last_modified: None,
        tags: BTreeMap::new(),
        user: BTreeMap::new(),
        sidecar,
        now: jiff::Timestamp::UNIX_EPOCH,
    }
}
