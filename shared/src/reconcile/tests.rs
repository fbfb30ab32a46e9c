//! What pairs amount to, case by case. Random worlds are in `tests/reconcile`.

use jiff::{SignedDuration, Timestamp};

use super::{Account, Action, Again, Facts, Kind, Pair, Seen, Side, Verdict, Words, fingerprint, judge};
use crate::ledger::Ending;

fn now() -> Timestamp {
    "2031-05-06T07:08:09Z".parse().unwrap()
}

fn words() -> Words {
    let word = |text: &str| text.to_owned();
    Words {
        source: word("uploads"),
        target: word("documents"),
        missing: word("ask around"),
        different: word("look"),
        extra: word("keep"),
    }
}

fn facts(sha256: Option<&str>) -> Seen {
    Seen::There(Facts { size: Some(1), sha256: sha256.map(str::to_owned), ..Facts::default() })
}

fn pair(source: Seen, target: Seen) -> Pair {
    Pair { source, target, ..Pair::new("k", "n", "a") }
}

fn of(pair: &Pair, side: Side) -> Verdict {
    judge(pair, side, &words(), now(), SignedDuration::from_hours(1))
}

#[test]
fn equal_is_proven_only_by_a_hash_of_both_sides() {
    let proven = |source, target| of(&pair(facts(source), facts(target)), Side::Source);
    assert_eq!(proven(Some("a"), Some("a")), Verdict::Equal { proven: true });
    assert_eq!(proven(None, Some("a")), Verdict::Equal { proven: false });
    assert_eq!(proven(None, None), Verdict::Equal { proven: false });
    assert!(matches!(proven(Some("a"), Some("b")), Verdict::Found(..)));
}

#[test]
fn each_listing_tells_only_what_it_alone_can_know() {
    let both = pair(facts(Some("a")), facts(Some("b")));
    assert_eq!(of(&both, Side::Target), Verdict::Nothing);
    let stray = pair(Seen::Absent, facts(None));
    assert_eq!(of(&stray, Side::Source), Verdict::Nothing);
    assert!(matches!(of(&stray, Side::Target), Verdict::Found(found, None) if found.kind == Kind::Extra));
    assert_eq!(of(&pair(Seen::Absent, Seen::Absent), Side::Source), Verdict::Nothing);
}

#[test]
fn what_failed_is_never_sent_again_but_redriven() {
    let again = Some(Again { action: Action::Redeliver, message: "again".into() });
    let lost = Pair { if_missing: again, account: Account::Nothing, ..pair(facts(None), Seen::Absent) };
    let Verdict::Found(found, message) = of(&lost, Side::Source) else { panic!("nothing was found") };
    assert_eq!((found.repair.safe, message.as_deref()), (true, Some("again")));
    assert!(found.explanation.contains("no record"), "{}", found.explanation);

    let failed = Pair { account: Account::Ended(Ending::Failed, Some("deadline".into())), ..lost };
    let Verdict::Found(found, message) = of(&failed, Side::Source) else { panic!("nothing was found") };
    assert_eq!((found.repair.safe, message), (false, None));
    assert!(found.repair.what.contains("redrive") && found.explanation.contains("deadline"));
}

#[test]
fn a_side_that_cannot_be_read_is_never_taken_for_empty() {
    let hidden = pair(facts(None), Seen::Unreadable("no right to see it".into()));
    let Verdict::Found(found, None) = of(&hidden, Side::Source) else { panic!("nothing was found") };
    assert_eq!(found.kind, Kind::Unverifiable);
    assert!(found.explanation.contains("no right to see it"));
}

#[test]
fn fields_that_are_mapped_are_a_kind_of_their_own_and_no_value_is_told() {
    let mapped = |fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(field, value)| ((*field).to_owned(), fingerprint(value)));
        Seen::There(Facts { size: Some(1), mapped: Some(fields.collect()), ..Facts::default() })
    };
    let source = mapped(&[("Claim:Number", "100117"), ("Claim:Handler", "Ada"), ("Claim:Note", "")]);
    // What the target has besides is none of the flow's business.
    let same = mapped(&[("Claim:Number", "100117"), ("Claim:Handler", "Ada"), ("Claim:Remark", "by hand")]);
    assert_eq!(of(&pair(source.clone(), same), Side::Source), Verdict::Equal { proven: false });

    let again = Some(Again { action: Action::LookAgain, message: "again".into() });
    let other = mapped(&[("Claim:Number", "100118"), ("Claim:Note", "new")]);
    let corrected = Pair { if_different: again, ..pair(source.clone(), other) };
    let settled = Pair { if_metadata: corrected.if_different.clone(), ..corrected.clone() };
    let Verdict::Found(found, message) = of(&settled, Side::Source) else { panic!("nothing was found") };
    assert_eq!((found.kind, found.repair.safe, message.as_deref()), (Kind::Metadata, true, Some("again")));
    let Verdict::Found(found, message) = of(&corrected, Side::Source) else { panic!("nothing was found") };
    assert_eq!((found.kind, found.repair.safe, message), (Kind::Metadata, false, None));
    let told: Vec<_> = found
        .differences
        .iter()
        .map(|one| [one.what.as_str(), one.source.as_str(), one.target.as_str()])
        .collect();
    assert_eq!(
        told,
        [
            ["Claim:Handler", "a value", "no value"],
            ["Claim:Note", "no value", "another value"],
            ["Claim:Number", "a value", "another value"],
        ]
    );

    // Where a side does not say what it holds, nothing is compared; where the content differs, that is what counts.
    assert!(matches!(of(&pair(source.clone(), facts(None)), Side::Source), Verdict::Equal { .. }));
    let Seen::There(longer) = mapped(&[]) else { unreachable!() };
    let longer = Seen::There(Facts { size: Some(2), ..longer });
    let Verdict::Found(found, _) = of(&pair(source, longer), Side::Source) else {
        panic!("nothing was found")
    };
    assert_eq!(found.kind, Kind::Different);
    assert_eq!(found.differences[0].what, "size");
}
