//! The table of the merge, row by row.

use super::{
    content::{Content, Kind, Misfit, Shape},
    merge::{FieldRule, MOST_HOPS, Merge, Policy, Reading, Seen, merge},
    state::{
        Both, Cause, Changed, Decision, FieldState, Grounds, Intent, PairState, Resolution, Side, Sighting,
    },
};

const ICONIK: Side = Side::Iconik;
const ECM: Side = Side::ContentServer;
const NEWEST: Policy = Policy::Newest { tie: ECM };

/// A text as content; `""` is nothing, `!x` is unfit.
fn content(text: &str) -> Content {
    match text.strip_prefix('!') {
        Some(unfit) => Content::Unfit(Misfit::Type, vec![unfit.to_owned()]),
        None => Shape::one(Kind::Text).content(&[text.into()], &jiff::tz::TimeZone::UTC),
    }
}

/// A content changed at a second of the hour, with a mark.
fn at(text: &str, second: i64) -> Seen {
    Seen {
        content: Some(content(text)),
        changed: Changed {
            at: jiff::Timestamp::from_second(second).ok(),
            by: Some("editor@example.com".to_owned()),
        },
        mark: Some(format!("mark {second}")),
        refused_there: None,
    }
}

fn agreed(text: &str) -> FieldState {
    let sighting = Sighting {
        content: content(text),
        changed: Changed { at: Some(jiff::Timestamp::UNIX_EPOCH), by: None },
    };
    FieldState {
        agreed: Some(content(text)),
        seen: Both::of(|_| Some(sighting.clone())),
        revision: 1,
        ..FieldState::default()
    }
}

fn one(policy: Policy, state: &FieldState, iconik: Seen, ecm: Seen, decisions: &[Decision]) -> Merge {
    let rules = [FieldRule { name: "project".to_owned(), policy }];
    let state = PairState { fields: [("project".to_owned(), state.clone())].into() };
    let reading = |seen: Seen| -> Reading { [("project".to_owned(), seen)].into() };
    merge(&rules, &state, &Both { iconik: reading(iconik), content_server: reading(ecm) }, decisions)
}

fn write(merge: &Merge) -> Option<(Side, Content)> {
    let writes = Side::BOTH
        .into_iter()
        .flat_map(|side| merge.writes.get(side).values().map(move |content| (side, content.clone())));
    let writes: Vec<_> = writes.collect();
    assert!(writes.len() <= 1, "{writes:?}");
    writes.into_iter().next()
}

fn resolution(merge: &Merge) -> Option<Resolution> {
    assert!(merge.conflicts.len() <= 1);
    merge.conflicts.first().map(|conflict| conflict.resolution)
}

fn took(side: Side, grounds: Grounds) -> Option<Resolution> {
    Some(Resolution::Took { side, grounds })
}

fn waits(cause: Cause) -> Option<Resolution> {
    Some(Resolution::Waits { cause })
}

/// A row: what both held before, what each holds now, what is written where, and what is recorded.
type Row = (Policy, FieldState, [Seen; 2], Option<(Side, Content)>, Option<Resolution>);

fn check(rows: impl IntoIterator<Item = Row>) {
    for (number, (policy, state, [iconik, ecm], expected_write, expected_conflict)) in
        rows.into_iter().enumerate()
    {
        let merged = one(policy, &state, iconik, ecm, &[]);
        assert_eq!(write(&merged), expected_write, "row {number}");
        assert_eq!(resolution(&merged), expected_conflict, "row {number}");
    }
}

fn to(side: Side, text: &str) -> Option<(Side, Content)> {
    Some((side, content(text)))
}

#[test]
fn what_one_side_changed_the_other_takes() {
    let owner = Policy::Owner(ECM);
    check([
        (NEWEST, agreed("a"), [at("a", 1), at("a", 1)], None, None),
        (NEWEST, agreed("a"), [at("b", 1), at("b", 2)], None, None),
        (NEWEST, agreed("a"), [at("b", 1), at("a", 9)], to(ECM, "b"), None),
        (Policy::Manual, agreed("a"), [at("a", 1), at("b", 1)], to(ICONIK, "b"), None),
        (NEWEST, agreed("a"), [at("", 1), at("a", 9)], to(ECM, ""), None),
        (owner, agreed("a"), [at("a", 9), at("b", 1)], to(ICONIK, "b"), None),
        (owner, FieldState::default(), [at("b", 1), at("", 1)], to(ECM, "b"), None),
        (Policy::Manual, FieldState::default(), [at("", 1), at("", 1)], None, None),
    ]);
}

#[test]
fn what_both_changed_is_for_the_policy_and_is_recorded() {
    let (ours, newest) = (took(ECM, Grounds::Owner), |side| took(side, Grounds::Newest));
    let [ecm, iconik] = [Policy::Owner(ECM), Policy::Owner(ICONIK)];
    check([
        (ecm, agreed("a"), [at("b", 9), at("a", 1)], to(ICONIK, "a"), ours),
        (iconik, FieldState::default(), [at("b", 1), at("c", 9)], to(ECM, "b"), took(ICONIK, Grounds::Owner)),
        (NEWEST, agreed("a"), [at("b", 9), at("c", 1)], to(ECM, "b"), newest(ICONIK)),
        (NEWEST, agreed("a"), [at("b", 1), at("c", 9)], to(ICONIK, "c"), newest(ECM)),
        (NEWEST, agreed("a"), [at("b", 1), at("", 9)], to(ICONIK, ""), newest(ECM)),
        (NEWEST, agreed("a"), [at("b", 5), at("c", 5)], to(ICONIK, "c"), took(ECM, Grounds::Tie)),
        (Policy::Manual, agreed("a"), [at("b", 1), at("c", 2)], None, waits(Cause::Manual)),
    ]);
}

#[test]
fn what_does_not_fit_or_has_no_place_waits() {
    let unfit = waits(Cause::Unfit { side: ICONIK, why: Misfit::Type });
    let placeless = waits(Cause::NoPlace { side: ICONIK });
    let overruled = took(ECM, Grounds::Owner);
    check([
        (NEWEST, agreed("a"), [at("!soon", 1), at("a", 1)], None, unfit),
        (Policy::Owner(ECM), agreed("a"), [at("!soon", 9), at("a", 1)], to(ICONIK, "a"), overruled),
        (NEWEST, agreed("a"), [Seen::default(), at("b", 1)], None, placeless),
    ]);
}

#[test]
fn what_the_other_side_would_not_take_waits_and_what_it_refused_is_not_written_again() {
    let refused = |why| Seen { refused_there: Some(why), ..at("b", 9) };
    let unfit = |why| waits(Cause::Unfit { side: ECM, why });
    let merged = one(NEWEST, &agreed("a"), at("a", 1), refused(Misfit::Option), &[]);
    assert_eq!((write(&merged), resolution(&merged)), (None, unfit(Misfit::Option)));
    // Corrected on the other side, or there, it goes on.
    let state = &merged.state.fields["project"];
    assert_eq!(write(&one(NEWEST, state, at("a", 1), at("b", 9), &[])), Some((ICONIK, content("b"))));

    let merged = one(NEWEST, &agreed("a"), at("a", 1), refused(Misfit::Refused), &[]);
    assert_eq!(resolution(&merged), unfit(Misfit::Refused));
    let state = &merged.state.fields["project"];
    let again = one(NEWEST, state, at("a", 1), at("b", 9), &[]);
    assert_eq!(
        again,
        Merge { state: merged.state.clone(), ..Merge::default() },
        "it waits, and is not tried"
    );
    let decision = Decision {
        conflict: merged.conflicts[0].id.clone(),
        take: ECM,
        by: "steward@example.com".to_owned(),
    };
    let decided = one(NEWEST, state, at("a", 1), at("b", 9), &[decision]);
    assert_eq!(write(&decided), Some((ICONIK, content("b"))), "a person may try again");
    let changed = one(NEWEST, state, at("a", 1), at("c", 10), &[]);
    assert_eq!(write(&changed), Some((ICONIK, content("c"))));
}

#[test]
fn an_unknown_time_is_a_tie() {
    let unknown = Seen { changed: Changed::default(), ..at("b", 9) };
    let merged = one(Policy::Newest { tie: ICONIK }, &agreed("a"), unknown, at("c", 5), &[]);
    assert_eq!(resolution(&merged), took(ICONIK, Grounds::Tie));
}

#[test]
fn a_conflict_holds_what_was_agreed_and_both_values_with_who_gave_them() {
    let merged = one(NEWEST, &agreed("a"), at("b", 9), at("c", 1), &[]);
    let conflict = &merged.conflicts[0];
    assert_eq!(conflict.agreed, Some(content("a")));
    assert_eq!(conflict.sides.iconik.content, Some(content("b")));
    assert_eq!(conflict.sides.content_server.content, Some(content("c")));
    assert_eq!(conflict.sides.content_server.changed.by.as_deref(), Some("editor@example.com"));
    assert_eq!(conflict.field, "project");
}

#[test]
fn a_conflict_that_waits_is_told_once_until_a_side_changes_again() {
    let first = one(Policy::Manual, &agreed("a"), at("b", 1), at("c", 2), &[]);
    let state = &first.state.fields["project"];
    let again = one(Policy::Manual, state, at("b", 3), at("c", 4), &[]);
    assert_eq!(again, Merge { state: first.state.clone(), ..Merge::default() }, "the same question");

    let other = one(Policy::Manual, state, at("b", 3), at("d", 5), &[]);
    assert_eq!(other.conflicts.len(), 1, "another question");
    assert_eq!(other.closed, std::slice::from_ref(&first.conflicts[0].id));

    let back = one(Policy::Manual, state, at("a", 6), at("c", 2), &[]);
    assert_eq!(write(&back), Some((ICONIK, content("c"))), "who takes the change back leaves the other's");
    assert_eq!(back.closed.len(), 1);

    let same = one(Policy::Manual, state, at("c", 6), at("c", 2), &[]);
    assert!(same.writes_nothing() && same.conflicts.is_empty() && same.closed.len() == 1);
}

#[test]
fn a_person_decides_what_was_asked_and_nothing_else() {
    let first = one(Policy::Manual, &agreed("a"), at("b", 1), at("c", 2), &[]);
    let state = &first.state.fields["project"];
    let decision = Decision {
        conflict: first.conflicts[0].id.clone(),
        take: ICONIK,
        by: "steward@example.com".to_owned(),
    };
    let decided = one(Policy::Manual, state, at("b", 1), at("c", 2), std::slice::from_ref(&decision));
    assert_eq!(write(&decided), Some((ECM, content("b"))));
    assert_eq!(resolution(&decided), took(ICONIK, Grounds::Person));
    assert_eq!(decided.closed, std::slice::from_ref(&decision.conflict));

    let changed_meanwhile = one(Policy::Manual, state, at("b", 1), at("d", 3), &[decision]);
    assert_eq!(write(&changed_meanwhile), None);
    assert_eq!(resolution(&changed_meanwhile), waits(Cause::Manual));
}

#[test]
fn the_same_values_in_conflict_later_are_another_conflict() {
    let owner = Policy::Owner(ECM);
    let first = one(owner, &agreed("a"), at("b", 1), at("a", 0), &[]);
    let confirmed = first.state.clone().confirmed(["project"]);
    let second = one(owner, &confirmed.fields["project"], at("b", 7), at("a", 0), &[]);
    assert_eq!(resolution(&second), took(ECM, Grounds::Owner));
    assert_ne!(first.conflicts[0].id, second.conflicts[0].id);
    let repeated = one(owner, &first.state.fields["project"], at("b", 1), at("a", 0), &[]);
    assert_eq!(first.conflicts[0].id, repeated.conflicts[0].id, "after a crash it is the same one");
}

fn begun(mark: &str) -> FieldState {
    FieldState {
        intent: Some(Intent { side: ICONIK, content: content("b"), mark: Some(mark.to_owned()) }),
        ..agreed("a")
    }
}

#[test]
fn a_write_whose_end_is_unknown_is_found_done() {
    let merged = one(NEWEST, &begun("mark 1"), at("b", 2), at("c", 3), &[]);
    assert_eq!(write(&merged), Some((ICONIK, content("c"))), "only Content Server has changed since");
    assert_eq!(resolution(&merged), None);
}

#[test]
fn a_write_whose_end_is_unknown_is_found_not_done() {
    let merged = one(NEWEST, &begun("mark 1"), at("a", 1), at("b", 3), &[]);
    assert_eq!(write(&merged), Some((ICONIK, content("b"))), "it is made now");
    assert_eq!(resolution(&merged), None);
}

/// The old value is there, and the side was written to: by us and then by a person, or by a person in another field.
#[test]
fn a_write_whose_end_cannot_be_found_out_is_a_conflict() {
    let merged = one(NEWEST, &begun("mark 1"), at("a", 2), at("b", 3), &[]);
    assert_eq!(write(&merged), Some((ICONIK, content("b"))));
    assert_eq!(resolution(&merged), took(ECM, Grounds::Newest), "what may have been an edit is recorded");
    let merged = one(Policy::Manual, &begun("mark 1"), at("a", 2), at("b", 3), &[]);
    assert_eq!(resolution(&merged), waits(Cause::Manual));
    let state = &merged.state.fields["project"];
    assert!(state.unsure && state.intent.is_none());
    let later = one(Policy::Manual, state, at("b", 5), at("c", 6), &[]);
    assert_eq!(resolution(&later), waits(Cause::Manual), "it stays unsure until both sides are equal");
    let equal = one(Policy::Manual, state, at("b", 5), at("b", 3), &[]);
    assert!(!equal.state.fields["project"].unsure);
}

#[test]
fn sides_that_keep_altering_what_is_written_are_stopped() {
    let mut state = agreed("a0");
    let mut writes = 0;
    for round in 1..100 {
        // Each side answers what was written with something of its own.
        let (iconik, ecm) = if round % 2 == 0 {
            (at(&format!("i{round}"), round), at(&format!("c{}", round - 1), round - 1))
        } else {
            (at(&format!("i{}", round - 1), round - 1), at(&format!("c{round}"), round))
        };
        let merged = one(NEWEST, &state, iconik, ecm, &[]);
        writes += usize::from(!merged.writes_nothing());
        state = merged.state.confirmed(["project"]).fields.remove("project").unwrap();
    }
    assert_eq!(writes, MOST_HOPS as usize);
    let open = state.open.expect("it waits for a person");
    assert_eq!(open.resolution, Resolution::Waits { cause: Cause::Loop });
}

#[test]
fn the_state_survives_being_kept_as_json() {
    let merged = one(Policy::Manual, &begun("mark 1"), at("!soon", 2), at("b", 3), &[]);
    let text = serde_json::to_string(&merged.state).unwrap();
    assert_eq!(serde_json::from_str::<PairState>(&text).unwrap(), merged.state);
}
