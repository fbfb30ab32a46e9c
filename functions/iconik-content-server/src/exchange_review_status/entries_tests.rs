use std::{collections::BTreeMap, slice::from_ref};

use jiff::Timestamp;
use proptest::prelude::*;
use shared::audit::{self, AuditEvent, Outcome, SealedEvent};

use super::entries::{BIDI_CONTROLS, Kind, Of, Seen, TEXT_CUT, VERSION_DELETED, due, known, shown};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn of(second: i64) -> Of<'static> {
    Of { asset: "asset", item: "item", now: at(second) }
}

fn comment(id: &str, text: &str, second: i64) -> Seen {
    Seen {
        text: Some(text.into()),
        at: Some(at(second)),
        author: Some("reviewer".into()),
        ..Seen::of(Kind::Comment, id)
    }
}

/// Appends what is due, as the flow does.
fn look(chain: &mut Vec<SealedEvent>, seen: &[Seen], gone: &[String], second: i64) -> usize {
    let entries: Vec<AuditEvent> = due(&known(chain), seen, gone, &of(second)).unwrap();
    for entry in &entries {
        let (sequence, hash) =
            chain.last().map_or((0, String::new()), |last| (last.sequence, last.hash.clone()));
        chain.push(entry.seal(sequence + 1, &hash).unwrap());
    }
    entries.len()
}

fn told(chain: &[SealedEvent]) -> Vec<(String, String)> {
    let detail = |entry: &SealedEvent, name: &str| entry.event.detail.get(name).cloned().unwrap_or_default();
    chain.iter().map(|entry| (detail(entry, "subject"), detail(entry, "action"))).collect()
}

#[test]
fn edits_and_deletions_are_new_entries_and_nothing_is_told_twice() {
    let mut chain = Vec::new();
    let first = comment("a", "too small", 1);
    assert_eq!(look(&mut chain, from_ref(&first), &[], 2), 1);
    assert_eq!(look(&mut chain, from_ref(&first), &[], 3), 0);
    let edited = Seen { text: Some("far too small".into()), at: Some(at(4)), ..first.clone() };
    let answer =
        Seen { facts: [("answers".to_owned(), "a".to_owned())].into(), ..comment("b", "how large?", 5) };
    assert_eq!(look(&mut chain, &[answer.clone(), edited.clone()], &[], 6), 2);
    assert_eq!(look(&mut chain, from_ref(&answer), &["comment/a".into()], 7), 1);
    assert_eq!(look(&mut chain, from_ref(&answer), &["comment/a".into()], 8), 0);
    assert_eq!(look(&mut chain, &[answer, Seen { at: Some(at(9)), ..edited }], &[], 9), 1);
    let expected = [
        ("comment/a", "created"),
        ("comment/a", "changed"),
        ("comment/b", "created"),
        ("comment/a", "deleted"),
        ("comment/a", "restored"),
    ];
    assert_eq!(told(&chain), expected.map(|(subject, action)| (subject.to_owned(), action.to_owned())));
    let texts: Vec<_> = chain.iter().filter_map(|entry| entry.event.detail.get("text")).collect();
    assert_eq!(texts, ["too small", "far too small", "how large?", "far too small"]);
    let identities: std::collections::BTreeSet<_> =
        chain.iter().map(|entry| &entry.event.detail["identity"]).collect();
    assert_eq!(identities.len(), chain.len());
}

#[test]
fn a_verdict_that_is_changed_back_is_a_third_entry() {
    let mut chain = Vec::new();
    let verdict = |status: &str, second| Seen {
        status: Some(status.into()),
        at: Some(at(second)),
        ..Seen::of(Kind::Verdict, "version/reviewer")
    };
    for (status, second) in [("APPROVED", 1), ("NOT_APPROVED", 2), ("APPROVED", 3)] {
        assert_eq!(look(&mut chain, &[verdict(status, second)], &[], second), 1);
    }
    let outcomes: Vec<Outcome> = chain.iter().map(|entry| entry.event.outcome).collect();
    assert_eq!(outcomes, [Outcome::Success, Outcome::Fail, Outcome::Success]);
}

#[test]
fn a_copy_that_is_behind_brings_nothing_back() {
    let mut chain = Vec::new();
    look(&mut chain, &[comment("a", "new", 10)], &[], 11);
    assert_eq!(look(&mut chain, &[comment("a", "old", 5)], &[], 12), 0);
    // What is read by itself is not behind: somebody corrected the date.
    let state = |status: &str, second| Seen {
        status: Some(status.into()),
        at: Some(at(second)),
        ..Seen::of(Kind::Document, "7001")
    };
    look(&mut chain, &[state("Approved", 20)], &[], 21);
    assert_eq!(look(&mut chain, &[state("Revoked", 3)], &[], 22), 1);
}

#[test]
fn what_happened_first_stands_first() {
    let mut chain = Vec::new();
    look(&mut chain, &[comment("c", "3", 30), comment("a", "1", 10), comment("b", "2", 20)], &[], 40);
    assert_eq!(
        told(&chain).iter().map(|(subject, _)| subject.as_str()).collect::<Vec<_>>(),
        ["comment/a", "comment/b", "comment/c"]
    );
}

#[test]
fn an_approval_of_a_version_that_is_gone_is_kept_and_marked() {
    let mut chain = Vec::new();
    let verdict = Seen {
        status: Some("APPROVED".into()),
        version_gone: true,
        ..Seen::of(Kind::Verdict, "version/reviewer")
    };
    let rejected = Seen {
        status: Some("NOT_APPROVED".into()),
        ..Seen { id: "version/other".into(), ..verdict.clone() }
    };
    look(&mut chain, &[verdict, rejected], &[], 1);
    let notices: Vec<_> =
        chain.iter().map(|entry| entry.event.detail.get("notice").map(String::as_str)).collect();
    assert_eq!(notices, [Some(VERSION_DELETED), None]);
    assert_eq!(chain[0].event.outcome, Outcome::Warning);
}

#[test]
fn a_version_that_is_deleted_after_its_approval_is_an_entry_and_no_approval_of_a_deleted_version() {
    let mut chain = Vec::new();
    let review = Seen { status: Some("APPROVED".into()), ..Seen::of(Kind::Review, "version") };
    look(&mut chain, from_ref(&review), &[], 1);
    let gone = Seen {
        version_gone: true,
        facts: [("versionDeleted".to_owned(), "true".to_owned())].into(),
        ..review
    };
    assert_eq!(look(&mut chain, &[gone], &[], 2), 1);
    assert_eq!(chain[1].event.detail.get("notice"), None);
    assert_eq!(chain[1].event.detail["fact.versionDeleted"], "true");
    assert_eq!(chain[1].event.outcome, Outcome::Warning);
}

#[test]
fn text_that_is_turned_round_is_kept_as_it_was_written_and_shown_written_out() {
    let text = "\u{645}\u{646} \u{641}\u{636}\u{644}\u{643} \u{202e}gpj.exe\u{2069}";
    let mut chain = Vec::new();
    look(&mut chain, &[comment("a", text, 1), comment("b", "良いですね。", 2)], &[], 3);
    assert_eq!(chain[0].event.detail["text"], text, "evidence is what was written");
    assert_eq!(chain[0].event.detail.get("notice").map(String::as_str), Some(BIDI_CONTROLS));
    assert_eq!(chain[1].event.detail.get("notice"), None, "another language is none");
    assert_eq!(shown(text), "\u{645}\u{646} \u{641}\u{636}\u{644}\u{643} [U+202E]gpj.exe[U+2069]");
    assert_eq!(shown("a\u{0}b\nc"), "a[U+0000]b\nc");
}

#[test]
fn a_text_too_long_for_the_record_is_cut_and_its_end_still_makes_a_difference() {
    let long = "\u{e9}".repeat(40_000);
    let mut chain = Vec::new();
    look(&mut chain, &[comment("a", &long, 1)], &[], 1);
    assert_eq!(chain[0].event.detail.get("notice").map(String::as_str), Some(TEXT_CUT));
    assert!(chain[0].event.detail["text"].len() <= 32 * 1024);
    assert_eq!(look(&mut chain, &[comment("a", &format!("{long}!"), 2)], &[], 2), 1);
}

#[derive(Debug, Clone)]
enum Act {
    Say(u8, u8),
    Decide(u8, bool),
    Delete(u8),
    Look,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_u8..4, 0_u8..5).prop_map(|(id, text)| Act::Say(id, text)),
        (0_u8..3, any::<bool>()).prop_map(|(reviewer, yes)| Act::Decide(reviewer, yes)),
        (0_u8..4).prop_map(Act::Delete),
        Just(Act::Look),
        Just(Act::Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever people do between looks, the last entry of each thing is what it is at the last look, the chain verifies, a
    /// further look adds nothing, and nothing that was written is ever changed.
    #[test]
    fn the_record_follows_and_only_grows(acts in proptest::collection::vec(act(), 0..60)) {
        let mut now: BTreeMap<String, Seen> = BTreeMap::new();
        let mut chain: Vec<SealedEvent> = Vec::new();
        let mut second = 0;
        for act in acts.into_iter().chain([Act::Look]) {
            second += 1;
            match act {
                Act::Say(id, text) => {
                    let said = comment(&id.to_string(), &text.to_string(), second);
                    now.insert(said.subject(), said);
                }
                Act::Decide(reviewer, yes) => {
                    let status = if yes { "APPROVED" } else { "NOT_APPROVED" };
                    let verdict = Seen {
                        status: Some(status.into()),
                        at: Some(at(second)),
                        ..Seen::of(Kind::Verdict, reviewer.to_string())
                    };
                    now.insert(verdict.subject(), verdict);
                }
                Act::Delete(id) => drop(now.remove(&format!("comment/{id}"))),
                Act::Look => {
                    let before = chain.clone();
                    let seen: Vec<Seen> = now.values().cloned().collect();
                    let gone: Vec<String> =
                        known(&chain).keys().filter(|subject| !now.contains_key(*subject)).cloned().collect();
                    look(&mut chain, &seen, &gone, second);
                    prop_assert!(chain.starts_with(&before));
                    prop_assert_eq!(look(&mut chain, &seen, &gone, second + 1), 0);
                    let lines: Vec<String> = chain.iter().map(|entry| entry.canonical().unwrap()).collect();
                    let end = chain.last().map(|entry| entry.hash.clone());
                    prop_assert!(audit::verify(&lines.join("\n"), end.as_deref()).is_ok());
                    for (subject, last) in known(&chain) {
                        prop_assert_eq!(now.contains_key(&subject), !last.is_gone, "{}", subject);
                    }
                }
            }
        }
    }
}
