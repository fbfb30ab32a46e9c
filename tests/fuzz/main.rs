//! Input from outside, damaged in every way that comes to hand: no reader panics, and what is accepted keeps its promise.
//!
//! Each target starts from real inputs and damages them at random for its share of `FUZZ_SECONDS` (4 unless set). A failure
//! prints the input and its seed; `FUZZ_SEED` runs that one again. Where a nightly compiler is, `tests/fuzz/run` also lets
//! a coverage-guided fuzzer look for inputs (`targets/`, over the same `entries.rs`).

mod damage;
mod entries;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use damage::Damage;
use jiff::Timestamp;
use s3_content_server::intake_rules::{IntakeRules, SAMPLE, Upload, content, explain};
use shared::{
    content_server::NameRules,
    environment::Settings,
    s3_notification::{Notification, ObjectKey, parse},
};

/// Runs a target on damaged inputs until its time is up.
fn fuzz(inputs: &[&str], target: impl Fn(&str)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let attempt = |seed: u64| {
        let mut damage = Damage::new(seed);
        let input = damage.some(inputs);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            eprintln!("FUZZ_SEED={seed} damaged an input into:\n{input}");
            resume_unwind(panic);
        }
    };
    if let Some(seed) = number("FUZZ_SEED") {
        return attempt(seed);
    }
    // Where it starts differs from run to run, so that every run looks somewhere else.
    let first: u64 = rand::random();
    let share = Duration::from_secs_f64(number("FUZZ_SECONDS").unwrap_or(4) as f64 / 6.0);
    let started = Instant::now();
    let mut inputs_tried = 0_u64;
    while started.elapsed() < share || inputs_tried < 200 {
        attempt(first.wrapping_add(inputs_tried));
        inputs_tried += 1;
    }
    println!("{inputs_tried} inputs");
}

const NOTIFICATION: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1",
"eventTime":"2031-05-06T07:08:09.000Z","eventName":"ObjectCreated:Put","s3":{"s3SchemaVersion":"1.0",
"bucket":{"name":"intake","arn":"arn:aws:s3:::intake"},"object":{"key":"claims/47%2B11/caf%C3%A9+a.pdf","size":12,
"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"v1","sequencer":"0055AED6DCD90281E5"}}}]}"#;
const BRIDGE: &str = r#"{"version":"0","detail-type":"Object Created","source":"aws.s3","time":"2031-05-06T07:08:09Z",
"detail":{"bucket":{"name":"intake"},"object":{"key":"claims/a+b %41.pdf","size":5,"etag":"abc","version-id":"v1",
"sequencer":"0055AE"},"reason":"PutObject"}}"#;
const TOPIC: &str =
    r#"{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:1:t","Message":"{\"Records\":[]}"}"#;
const TEST: &str =
    r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2031-05-06T07:08:09Z","Bucket":"intake"}"#;

#[test]
fn a_damaged_message_is_read_or_refused() {
    fuzz(&[NOTIFICATION, BRIDGE, TOPIC, TEST], |body| {
        let Ok(Notification::Objects(parsed)) = parse(body) else { return };
        for event in parsed.events {
            let length = event.key.as_str().len();
            assert!((1..=ObjectKey::LONGEST).contains(&length), "a key of {length} bytes was accepted");
            // An event travels on as JSON in the ledger and in continuations.
            let written = serde_json::to_string(&event).unwrap();
            assert_eq!(
                serde_json::from_str::<shared::s3_notification::ObjectEvent>(&written).unwrap(),
                event
            );
        }
    });
}

/// A key as S3 writes it into a notification.
fn encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[test]
fn every_key_survives_its_encoding_and_no_encoding_harms() {
    fuzz(
        &["claims/4711/a b+c%.pdf", "café €/日本語 😀.tif", "a;b=c&d/../%2e%2e/\u{0}\u{7f}"],
        |text| {
            let _ = ObjectKey::decode(text);
            if let Ok(key) = ObjectKey::plain(text) {
                assert_eq!(ObjectKey::decode(&encoded(text)).unwrap(), key);
            }
        },
    );
}

fn upload(key: &str, size: u64, sidecar: Option<serde_json::Value>) -> Upload {
    let words =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    Upload {
        bucket: "intake".to_owned(),
        key: key.to_owned(),
        size,
        content_type: Some("application/pdf".to_owned()),
        etag: Some("d41d8cd98f00b204e9800998ecf8427e".to_owned()),
        version_id: Some("v1".to_owned()),
        last_modified: Some(Timestamp::UNIX_EPOCH),
        tags: words(&[("department", "claims")]),
        user: words(&[("claim-date", "2031-05-06")]),
        sidecar,
        now: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_damaged_rule_file_works_or_is_refused_with_line_and_remedy() {
    fuzz(&[SAMPLE], |text| match IntakeRules::parse(text, "rules.toml") {
        Ok(rules) => {
            assert!(!rules.rules().is_empty(), "a file without rules was accepted");
            let record = upload("claims/4711/police report.pdf", 12, None).record();
            let _ = explain(&rules, &record, &NameRules::default());
        }
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "refused without a reason");
            for diagnostic in diagnostics.list() {
                assert!((1..=text.lines().count() + 1).contains(&diagnostic.line), "{diagnostic}");
                assert!(!diagnostic.remedy.is_empty(), "{diagnostic}");
            }
        }
    });
}

#[test]
fn a_damaged_sidecar_or_key_never_stops_the_rules() {
    let rules = IntakeRules::parse(SAMPLE, "rules.toml").unwrap();
    let keys = [
        "claims/4711/report.pdf",
        "suppliers/ACME/offer.docx",
        "onboarding/E-17/contract.pdf",
        "scans/1923/0001.tif",
    ];
    let sidecar = r#"{"claim_id":"4711","date":"2031-05-06","amount":12.5,"parties":[{"name":"Ada","role":"claimant"}],"tags":["a","b"]}"#;
    let inputs: Vec<String> = keys.iter().map(|key| format!("{key}\n{sidecar}")).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    fuzz(&inputs, |input| {
        let (key, sidecar) = input.split_once('\n').unwrap_or((input, ""));
        let sidecar = serde_json::from_str(sidecar).ok();
        let _ = rules.needs("intake", key);
        let _ = rules.sidecar_of("intake", key);
        let record = upload(key, input.len() as u64, sidecar).record();
        if let Some((rule, _)) = rules.choose(&record)
            && let Ok(plan) = rule.plan(&record)
        {
            assert!(!format!("{plan:?}").is_empty());
        }
        let _ = explain(&rules, &record, &NameRules::default());
        let _ = content::check(rules.rules()[0].limits(), key, Some("application/pdf"), input.as_bytes());
    });
}

/// The files of the corpus for a target, and of the worked examples when it reads sidecars.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![tests.join("fuzz/corpus").join(name)];
    if name == "sidecar" {
        directories.push(tests.join("../functions/s3-content-server/rules/examples"));
    }
    let files = directories.iter().flat_map(|directory| std::fs::read_dir(directory).unwrap());
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn every_input_of_the_corpus_keeps_its_promise_and_so_does_what_damage_makes_of_it() {
    type Door = (&'static str, fn(&[u8]));
    let doors: [Door; 4] = [
        ("object_key", entries::object_key),
        ("rule_file", entries::rule_file),
        ("event", entries::event),
        ("sidecar", entries::sidecar),
    ];
    for (name, entry) in doors {
        let inputs = corpus(name);
        assert!(inputs.len() >= 2, "the corpus of {name} is missing");
        inputs.iter().for_each(|input| entry(input));
    }
    let sidecars = corpus("sidecar");
    let sidecars: Vec<&str> = sidecars.iter().filter_map(|bytes| std::str::from_utf8(bytes).ok()).collect();
    fuzz(&sidecars, |text| entries::sidecar(text.as_bytes()));
}

#[test]
fn damaged_settings_are_read_or_refused_by_name() {
    let lines = "WAYBILL_TABLE=ledger\nWAYBILL_QUEUE_URL=https://q\nWAYBILL_DEAD_LETTER_QUEUE_URL=https://d\n\
                 WAYBILL_QUARANTINE_BUCKET=b\nWAYBILL_TARGET_RATE=20\nWAYBILL_TARGET_CONCURRENCY=4\nWAYBILL_DRY_RUN=false";
    fuzz(&[lines], |text| {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        if let Err(error) =
            Settings::from_variables(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
        {
            assert!(error.to_string().contains("WAYBILL_"), "{error}");
        }
    });
}
