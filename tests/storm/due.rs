//! Which schedules a storm takes: all of them are some hundred thousand, and hours.
//!
//! | | the main job | other flows |
//! | --- | --- | --- |
//! | a storm of less than [`LONG`] seeds | every fault at every new call, and one schedule in 32 of the others | one in 32 at new calls, one in 128 of the others |
//! | one of [`LONG`] seeds or more | every fault at every call | every fault at every new call, and one schedule in 16 of the others |
//! | one of [`WHOLE`] seeds or more; any of one story, which `STORM_SCENARIO` names | everything | everything |
//!
//! A call is new when no call before it in the stories of its flow asks for the same between the same two calls.

use std::collections::BTreeSet;

use tests::storm::{Call, Scenario};

/// The flow that meets every fault in every storm.
pub(crate) const MAIN_JOB: &str = "ingest-uploads";

/// Seeds from which a storm takes an hour.
const LONG: u64 = 10_000;

/// Seeds from which a storm leaves nothing out.
pub(crate) const WHOLE: u64 = 20_000;

/// The number that a variable says.
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Whether this is a whole storm.
pub(crate) fn is_whole() -> bool {
    number("STORM_SEEDS").is_some_and(|seeds| seeds >= WHOLE)
}

/// Which calls of each run are new. Runs of one flow are told apart from those of others by its name.
pub(crate) fn new_calls<'a>(runs: impl Iterator<Item = (&'static str, &'a [Call])>) -> Vec<Vec<bool>> {
    let mut met = BTreeSet::new();
    runs.map(|(flow, calls)| {
        let kinds: Vec<String> = calls.iter().map(Call::kind).collect();
        let around = |number: usize| {
            let before = number.checked_sub(1).and_then(|before| kinds.get(before));
            [before, kinds.get(number), kinds.get(number + 1)].map(|kind| kind.cloned())
        };
        (0..kinds.len()).map(|number| met.insert((flow, around(number)))).collect()
    })
    .collect()
}

/// Whether a schedule is taken in this storm. With its turn, each fault comes to another part of the calls.
pub(crate) fn is_due(scenario: &Scenario, is_new: bool, turn: usize) -> bool {
    if is_whole() || std::env::var_os("STORM_SCENARIO").is_some() {
        return true;
    }
    let is_long = number("STORM_SEEDS").is_some_and(|seeds| seeds >= LONG);
    let share = match (is_long, scenario.flow.name == MAIN_JOB, is_new) {
        (true, true, _) | (true, false, true) | (false, true, true) => 1,
        (true, false, false) => 16,
        (false, true, false) | (false, false, true) => 32,
        (false, false, false) => 128,
    };
    turn.is_multiple_of(share)
}

/// Whether a schedule of a watcher's sweep is taken in this storm: its stories are long, and each fault still comes to each
/// kind of call.
pub(crate) fn is_due_in_sweeps(turn: usize) -> bool {
    is_whole() || turn.is_multiple_of(8)
}

/// Every call when `STORM_SEEDS` asks for a storm, otherwise one in seven; or the one that `STORM_CALL` names.
pub(crate) fn is_wanted(call: usize) -> bool {
    match number("STORM_CALL") {
        Some(wanted) => wanted == call as u64,
        None => std::env::var_os("STORM_SEEDS").is_some() || call % 7 == 3,
    }
}

#[test]
fn a_call_is_new_in_a_flow_when_it_stands_between_others_than_before() {
    let call = |what: &str| Call { form: tests::storm::Form::Vendor, what: what.to_owned() };
    let run = |whats: &[&str]| whats.iter().map(|what| call(what)).collect::<Vec<_>>();
    let (one, other) =
        (run(&["GET /nodes/2001", "POST /nodes", "GET /nodes/2002"]), run(&["GET /nodes/77", "POST /nodes"]));
    let runs = [("a", &one), ("a", &one), ("a", &other), ("b", &one)];
    let new = new_calls(runs.into_iter().map(|(flow, calls)| (flow, calls.as_slice())));
    assert_eq!(new, [vec![true; 3], vec![false; 3], vec![false, true], vec![true; 3]]);
}
