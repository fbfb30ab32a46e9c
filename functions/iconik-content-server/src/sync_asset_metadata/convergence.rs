//! Any interleaving of what people, systems and the queue do ends with both sides equal, or with a recorded conflict that
//! waits; and nothing is lost on the way without one. [`World::write`] checks the latter at every write.

use proptest::{prelude::*, sample::select};

use super::{
    model::{Edit, Meanwhile, Step, What, World, fields},
    state::{Cause, Conflict, Decision, Resolution, Side},
};

/// Interleavings for each property; more with `PROPTEST_CASES`.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(1024)
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    /// A person edits; the event of it may be lost.
    Edit { edit: Edit, lost: bool },
    /// One of the events under way is delivered, in any order; perhaps not for the last time.
    Deliver { which: usize, again: bool, meanwhile: Meanwhile },
    /// Nobody was told anything, and the sweep comes by.
    Sweep(Meanwhile),
    /// A person decides one of the conflicts that wait.
    Decide { which: usize, take: Side },
}

fn side() -> impl Strategy<Value = Side> {
    select(&Side::BOTH[..])
}

fn edit() -> impl Strategy<Value = Edit> {
    let what = prop_oneof![
        12 => (0..8_usize).prop_map(What::Value),
        2 => Just(What::Clear),
        2 => Just(What::Delete),
        1 => any::<bool>().prop_map(What::Place),
    ];
    (side(), 0..fields().len(), what).prop_map(|(side, field, what)| Edit { side, field, what })
}

fn step() -> impl Strategy<Value = Step> {
    select(
        &[
            Step::IconikRead,
            Step::BothRead,
            Step::Recorded,
            Step::StateKept,
            Step::ContentServerWritten,
            Step::IconikWritten,
            Step::ReadAgain,
        ][..],
    )
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    let edits = prop::collection::vec((step(), edit()), 0..3);
    (edits, prop::option::weighted(0.3, step()))
        .prop_map(|(edits, dies_after)| Meanwhile { edits, dies_after })
}

fn happening() -> impl Strategy<Value = Happening> {
    let decide = (0..4_usize, side()).prop_map(|(which, take)| Happening::Decide { which, take });
    prop_oneof![
        8 => (edit(), prop::bool::weighted(0.2)).prop_map(|(edit, lost)| Happening::Edit { edit, lost }),
        5 => (0..8_usize, prop::bool::weighted(0.3), meanwhile())
            .prop_map(|(which, again, meanwhile)| Happening::Deliver { which, again, meanwhile }),
        1 => meanwhile().prop_map(Happening::Sweep),
        1 => decide,
    ]
}

fn happen(world: &mut World, happening: &Happening) {
    match happening {
        Happening::Edit { edit, lost } => world.edit(edit, *lost),
        Happening::Deliver { which, again, meanwhile } => {
            if world.events.is_empty() {
                return;
            }
            let at = which % world.events.len();
            let event = world.events.remove(at).unwrap();
            if world.run(meanwhile).is_err() || *again {
                world.events.push_back(event);
            }
        }
        Happening::Sweep(meanwhile) => drop(world.run(meanwhile)),
        Happening::Decide { which, take } => {
            let open = world.open();
            if let Some(conflict) = open.get(which % open.len().max(1)) {
                decide(world, conflict, *take);
            }
        }
    }
}

/// As the operators' command: what cannot be taken is refused. Gives whether it was not.
fn decide(world: &mut World, conflict: &Conflict, take: Side) -> bool {
    let fits = can_be_taken(conflict, take);
    if fits {
        let conflict = conflict.id.clone();
        world.decisions.push(Decision { conflict, take, by: "steward@example.com".to_owned() });
        world.events.push_back(take);
    }
    fits
}

fn can_be_taken(conflict: &Conflict, take: Side) -> bool {
    conflict.sides.get(take).content.as_ref().is_some_and(|content| content.misfit().is_none())
}

/// Put back every field that was taken out of a view or category.
fn put_back(world: &mut World) {
    for field in 0..fields().len() {
        for side in Side::BOTH {
            world.edit(&Edit { side, field, what: What::Place(true) }, true);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_converges_falls_silent_and_loses_nothing_unrecorded(
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let mut world = World::new();
        // Nobody answers what waits.
        for happening in happenings.iter().filter(|one| !matches!(one, Happening::Decide { .. })) {
            happen(&mut world, happening);
        }
        world.settle();
        world.check_settled();
        let (writes, recorded) = (world.writes, world.recorded.len());
        prop_assert!(matches!(world.run(&Meanwhile::default()), Ok(true)), "a further run is not silent");
        prop_assert_eq!((world.writes, world.recorded.len()), (writes, recorded));
    }

    /// With a person who answers what waits, no difference is left at all.
    #[test]
    fn with_every_conflict_decided_both_sides_are_equal(
        happenings in prop::collection::vec(happening(), 0..40),
        takes in prop::collection::vec(side(), 4),
    ) {
        let mut world = World::new();
        for happening in &happenings {
            happen(&mut world, happening);
        }
        put_back(&mut world);
        world.settle();
        for take in takes {
            for conflict in world.open() {
                if !decide(&mut world, &conflict, take) {
                    decide(&mut world, &conflict, take.other());
                }
            }
            world.settle();
            world.check_settled();
        }
        for conflict in world.open() {
            let none_fits = !Side::BOTH.iter().any(|side| can_be_taken(&conflict, *side));
            prop_assert!(none_fits, "still waits: {:?}", conflict);
        }
    }

    /// A system that alters what it is given, or both: it ends, and what was altered is recorded.
    #[test]
    fn systems_that_alter_what_is_written_come_to_rest(
        happenings in prop::collection::vec(happening(), 0..40),
        alters in (any::<bool>(), any::<bool>()),
    ) {
        let mut world = World::new();
        (world.alters.iconik, world.alters.content_server) = alters;
        for happening in &happenings {
            happen(&mut world, happening);
        }
        world.settle();
        world.check_settled();
    }
}

#[test]
fn two_systems_that_alter_each_others_values_end_in_a_conflict_that_waits() {
    let mut world = World::new();
    (world.alters.iconik, world.alters.content_server) = (true, true);
    world.edit(&Edit { side: Side::Iconik, field: 0, what: What::Value(2) }, false);
    world.settle();
    world.check_settled();
    let open = world.open();
    let [conflict] = open.as_slice() else { panic!("{open:?}") };
    assert_eq!(conflict.resolution, Resolution::Waits { cause: Cause::Loop });
}

/// The order in which it counts: what is noted before the write lets a revert after a crash be seen.
#[test]
fn a_revert_after_a_crash_is_not_taken_for_the_old_value() {
    let mut world = World::new();
    for side in Side::BOTH {
        world.edit(&Edit { side, field: 0, what: What::Value(0) }, false);
    }
    world.settle();
    world.edit(&Edit { side: Side::ContentServer, field: 0, what: What::Value(2) }, false);
    let dies = Meanwhile { dies_after: Some(Step::IconikWritten), ..Meanwhile::default() };
    assert!(world.run(&dies).is_err());
    world.edit(&Edit { side: Side::Iconik, field: 0, what: What::Value(0) }, false);
    world.settle();
    world.check_settled();
    assert_eq!(world.recorded.len(), 1, "the revert was overruled, and that is told");
}
