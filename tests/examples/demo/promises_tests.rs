use std::collections::BTreeMap;

use serde_json::json;
use shared::audit::{AuditEvent, EventType, Outcome};

use super::*;
use crate::{chains::Chain, evidence::Held, ledger::Record};

const BUCKET: &str = "intake";
const EMPTY: &str = "claims/100117/nothing in it.pdf";

fn uploaded(key: &str, expected: Expected) -> Uploaded {
    let item = uploads::item(BUCKET, key, "v1");
    let (version, sha256) = ("v1".to_owned(), format!("hash of {key}"));
    Uploaded { key: key.to_owned(), version, size: 7, sha256, expected, sidecar: false, item }
}

fn delivered_as(node: i64, rule: &str, attempts: i64) -> Record {
    let result = json!({"node": node, "version": 1, "rule": rule});
    Record { status: "delivered".into(), attempts, result }
}

fn chain(uploaded: &Uploaded) -> Chain {
    let event = AuditEvent {
        asset: uploads::asset(BUCKET, &uploaded.key),
        event_type: EventType::Ingestion,
        event_date_time: "2031-05-06T07:08:09Z".into(),
        outcome: Outcome::Success,
        agent: "waybill".into(),
        item: uploaded.item.clone(),
        message_digest: None,
        detail: BTreeMap::new(),
    };
    let sealed = event.seal(1, "").unwrap();
    let verdict = Ok(sealed.hash.clone());
    Chain { export: sealed.canonical().unwrap(), events: vec![sealed], verdict }
}

/// A run in which every promise holds: two documents, one of them after a kill, and one upload put aside.
fn held() -> (Course, Evidence) {
    let all = vec![
        uploaded(VIDEO, Expected::Delivered("claims-evidence", 1)),
        uploaded(CONTRACT, Expected::Delivered("supplier-contracts", 1)),
        uploaded(EMPTY, Expected::Quarantined("empty-object")),
    ];
    let refused = json!({"reason": {"code": "empty-object"}});
    let endings = [
        delivered_as(1, "claims-evidence", 2),
        delivered_as(2, "supplier-contracts", 1),
        Record { status: "quarantined".into(), attempts: 1, result: refused.clone() },
    ];
    let records: BTreeMap<String, Record> =
        all.iter().map(|uploaded| uploaded.item.clone()).zip(endings).collect();
    let document = |node: i64, of: &Uploaded| {
        ((node, 1), Held { sha256: of.sha256.clone(), size: of.size, path: of.key.clone() })
    };
    let object = |of: &Uploaded| (of.key.clone(), of.version.clone(), records.get(&of.item).cloned());
    let evidence = Evidence {
        made: [document(1, &all[0]), document(2, &all[1])].into(),
        objects: all.iter().map(object).collect(),
        chains: all.iter().map(|of| (uploads::asset(BUCKET, &of.key), chain(of))).collect(),
        reasons: [(all[2].item.clone(), refused)].into(),
        dead_letters: vec![POISON.to_owned()],
        waiting: 0,
        misfiled: Vec::new(),
        unknown_calls: 0,
        bucket: BUCKET.to_owned(),
    };
    (Course { uploaded: all, records, killed: true }, evidence)
}

/// The promises that a run breaks which differs in this from one that keeps them all.
fn broken_by(change: impl FnOnce(&mut Course, &mut Evidence)) -> Vec<&'static str> {
    let (mut course, mut evidence) = held();
    change(&mut course, &mut evidence);
    let promises = judge(&course, &evidence, 60.0);
    promises.into_iter().filter(|promise| !promise.held).map(|promise| promise.name).collect()
}

fn record<'a>(course: &'a mut Course, key: &str) -> &'a mut Record {
    let item = uploads::item(BUCKET, key, "v1");
    course.records.get_mut(&item).expect("its record")
}

#[test]
fn a_good_run_keeps_every_promise() {
    assert_eq!(broken_by(|_, _| {}), Vec::<&str>::new());
}

#[test]
fn whatever_was_lost_doubled_or_changed_is_found_out() {
    let video = || uploads::asset(BUCKET, VIDEO);
    assert_eq!(broken_by(|_, seen| seen.objects[0].2 = None), ["every upload ends once"]);
    assert_eq!(
        broken_by(|_, seen| {
            let chain = seen.chains.get_mut(&video()).expect("a chain");
            let again = chain.events[0].clone();
            chain.events.push(again);
        }),
        ["every upload ends once"]
    );
    assert_eq!(
        broken_by(|_, seen| {
            seen.chains.get_mut(&video()).expect("a chain").verdict = Err("line 1 was changed".into());
        }),
        ["the audit verifies"]
    );
    assert_eq!(
        broken_by(|_, seen| seen.made.get_mut(&(1, 1)).expect("a version").sha256 = "other".into()),
        ["bytes in = bytes out"]
    );
    assert_eq!(broken_by(|_, seen| drop(seen.made.remove(&(2, 1)))), ["bytes in = bytes out"]);
    assert_eq!(
        broken_by(|_, seen| {
            let twin = Held { sha256: "hash".into(), size: 7, path: "a twin".into() };
            seen.made.insert((3, 1), twin);
        }),
        ["nothing is filed twice"]
    );
}

#[test]
fn another_rule_place_or_reason_is_found_out() {
    assert_eq!(
        broken_by(|course, _| record(course, VIDEO).result["rule"] = "archive".into()),
        ["the rules decide"]
    );
    assert_eq!(
        broken_by(|_, seen| seen.misfiled.push("a.pdf: is in Reports".into())),
        ["every document is where it belongs"]
    );
    assert_eq!(
        broken_by(|_, seen| seen.reasons.values_mut().for_each(|file| *file = json!("no such file"))),
        ["what is refused says why"]
    );
}

#[test]
fn a_kill_that_changed_nothing_and_what_is_left_in_a_queue_are_found_out() {
    assert_eq!(
        broken_by(|course, _| record(course, VIDEO).attempts = 1),
        ["a killed function loses nothing"]
    );
    assert_eq!(broken_by(|course, _| course.killed = false), ["a killed function loses nothing"]);
    let repeated = "a repeated notification changes nothing";
    assert_eq!(broken_by(|course, _| record(course, CONTRACT).attempts = 2), [repeated]);
    assert_eq!(broken_by(|_, seen| seen.waiting = 1), [repeated]);
    assert_eq!(broken_by(|_, seen| seen.dead_letters.clear()), ["only poison is a dead letter"]);
    assert_eq!(broken_by(|_, seen| seen.unknown_calls = 1), ["the target's interface is kept to"]);
}

#[test]
fn what_takes_longer_than_anybody_waits_is_found_out() {
    assert!(in_time(119.0).held && in_time(119.0).detail.ends_with("under two minutes"));
    assert!(in_time(121.0).detail.contains("over two minutes"));
    assert!(!in_time(PATIENCE).held);
}
