//! Large uploads: what is sent, and what is not sent again.

use std::collections::BTreeMap;

use tests::storm::{Call, Fault, Form, Report, Scenario, clean, one_fault};

use crate::scenarios;

fn story(name: &str) -> Scenario {
    scenarios().into_iter().find(|scenario| scenario.name == name).expect("a scenario of this name")
}

/// The number of a part, when a call sends one.
fn part(call: &Call) -> Option<u32> {
    let (_, rest) = call.what.strip_prefix("POST ")?.split_once("/v2/multipart/")?;
    rest.split_once('/')?.1.parse().ok()
}

/// How often each part was sent.
fn sent(report: &Report) -> BTreeMap<u32, u32> {
    let mut sent = BTreeMap::new();
    for number in report.calls.iter().filter_map(part) {
        *sent.entry(number).or_default() += 1;
    }
    sent
}

fn count(report: &Report, what: &str) -> usize {
    report.calls.iter().filter(|call| call.what.contains(what)).count()
}

fn call_of_part(report: &Report, wanted: u32) -> usize {
    report.calls.iter().position(|call| part(call) == Some(wanted)).expect("the part is sent")
}

#[test]
fn a_large_upload_takes_several_invocations_and_no_byte_is_sent_twice() {
    let report = clean(&story("a large upload in parts"));
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    let continuations = count(&report, "SendMessage");
    assert!(continuations >= 1, "{continuations} continuations");
    assert_eq!(sent(&report), (1..=11).map(|number| (number, 1)).collect());
    let writes = count(&report, "UpdateItem");
    assert!(writes <= 11 + 2 * (continuations + 1) + 3, "{writes} ledger writes");
}

#[test]
fn killed_in_the_middle_of_a_part_it_goes_on_where_progress_was_recorded_last() {
    let story = story("a large upload in parts");
    let calm = clean(&story);
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        let report = one_fault(&story, &calm.made, call_of_part(&calm, 7), fault, None);
        assert!(report.outcome.is_ok(), "{fault:?}: {:?}", report.outcome);
        assert_eq!(report.made, calm.made, "the same document with the same bytes");
        let again: Vec<u32> =
            sent(&report).into_iter().filter(|(_, times)| *times > 1).map(|(number, _)| number).collect();
        // At four seconds a part, fifteen seconds hold four.
        assert!(again.contains(&7) && again.len() <= 4, "{fault:?}: sent again: {again:?}");
        assert_eq!(count(&report, "DELETE"), 0, "nothing was thrown away");
    }
}

#[test]
fn an_upload_the_server_has_forgotten_begins_anew() {
    let story = story("large uploads soon forgotten");
    let calm = clean(&story);
    let report = one_fault(&story, &calm.made, call_of_part(&calm, 7), Fault::CrashAfter, None);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    assert_eq!(report.made, calm.made);
    assert_eq!(sent(&report).get(&1), Some(&2));
}

#[test]
fn an_upload_of_damaged_bytes_is_thrown_away_before_it_becomes_a_document() {
    let story = story("a large upload in parts");
    let calm = clean(&story);
    let before = &calm.calls[..call_of_part(&calm, 7)];
    let read = before.iter().rposition(|call| call.form == Form::S3 && call.what.starts_with("GET "));
    let read = read.expect("a part is read");
    let report = one_fault(&story, &calm.made, read, Fault::FlipAnswer, None);
    assert!(report.outcome.is_ok(), "{:?}", report.outcome);
    assert_eq!(report.made, calm.made);
    let thrown_away = |call: &&Call| call.what.starts_with("DELETE") && call.what.contains("/v2/multipart/");
    assert_eq!(report.calls.iter().filter(thrown_away).count(), 1);
    assert_eq!(sent(&report).get(&1), Some(&2));
}
