//! The schedules every scenario goes through.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tests::storm::{
    Call, Fault, Report, Scenario, clean, intervened, one_fault, overtaken, random, rivals,
    undisturbed_rivals,
};

use crate::{
    due::{MAIN_JOB, is_due, is_wanted, new_calls, number},
    scenarios,
};

#[test]
fn without_faults_every_story_ends_as_told() {
    for scenario in scenarios() {
        let report = clean(&scenario);
        assert!(report.outcome.is_ok(), "{}: {:?}\n{}", scenario.name, report.outcome, report.made);
    }
}

#[test]
fn the_same_seed_is_the_same_night() {
    let stories: Vec<(Scenario, Report)> =
        scenarios().into_iter().map(|scenario| (scenario, clean(&scenario))).collect();
    let nights: Vec<_> = stories.iter().flat_map(|story| (1..=2).map(move |seed| (story, seed))).collect();
    none(&each(&nights, |((scenario, calm), seed)| {
        let (one, other) = (random(scenario, calm, *seed, None), random(scenario, calm, *seed, None));
        let same = one.calls == other.calls && one.made == other.made;
        (!same).then(|| format!("{} seed {seed} is another night the second time", scenario.name))
    }));
}

#[test]
fn every_fault_at_every_call_ends_like_a_clean_run() {
    let stories = calm();
    let mut schedules = Vec::new();
    for Story { scenario, calm, new } in &stories {
        for (number, call) in calm.calls.iter().enumerate().filter(|(number, _)| is_wanted(*number)) {
            let faults = Fault::all(call.form).iter().enumerate();
            let due = faults.filter(|(turn, _)| is_due(scenario, new[number], number + turn));
            schedules.extend(due.map(|(_, fault)| (scenario, calm, number, *fault)));
        }
    }
    none(&each(&schedules, |(scenario, calm, number, fault)| {
        let reason = one_fault(scenario, &calm.made, *number, *fault, None).outcome.err()?;
        let what = &calm.calls[*number].what;
        Some(format!("{}: {fault:?} at call {number} ({what}): {}", scenario.name, reason.0))
    }));
}

#[test]
fn two_rivals_held_at_every_call_make_one_document() {
    const LONG: Duration = Duration::from_secs(900);
    let faults = [
        Fault::HoldBefore(LONG),
        Fault::HoldAfter(LONG),
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::DropAfter,
    ];
    let stories = calm();
    // Until the fault comes, a run is the one that no fault comes to.
    let calls: Vec<Vec<Call>> =
        stories.iter().map(|story| undisturbed_rivals(&story.scenario, &story.calm.made).calls).collect();
    let names = stories.iter().map(|story| story.scenario.flow.name);
    let new = new_calls(names.zip(calls.iter().map(Vec::as_slice)));
    let mut schedules = Vec::new();
    for (Story { scenario, calm, .. }, new) in stories.iter().zip(&new) {
        for (number, is_new) in new.iter().enumerate().filter(|(number, _)| is_wanted(*number)) {
            let due = faults.iter().enumerate().filter(|(turn, _)| is_due(scenario, *is_new, number + turn));
            schedules.extend(due.map(|(_, fault)| (scenario, calm, number, *fault)));
        }
    }
    none(&each(&schedules, |(scenario, calm, number, fault)| {
        let report = rivals(scenario, &calm.made, *number, *fault, None);
        let reason = report.outcome.err()?;
        let what = report.calls.get(*number).map(|call| call.what.clone()).unwrap_or_default();
        Some(format!("{}: rivals, {fault:?} at call {number} ({what}): {}", scenario.name, reason.0))
    }));
}

#[test]
fn clocks_further_apart_than_a_claim_lasts_make_nothing_twice() {
    let stories = calm();
    let mut schedules = Vec::new();
    for Story { scenario, calm, new } in &stories {
        let numbers = (0..calm.calls.len()).filter(|number| is_wanted(*number));
        let due = numbers.filter(|number| is_due(scenario, new[*number], *number));
        schedules.extend(due.map(|number| (scenario, calm, number)));
    }
    none(&each(&schedules, |(scenario, calm, number)| {
        let report = overtaken(scenario, &calm.made, *number, None);
        let reason = report.outcome.err()?;
        let what = report.calls.get(*number).map(|call| call.what.clone()).unwrap_or_default();
        Some(format!("{}: overtaken at call {number} ({what}): {}", scenario.name, reason.0))
    }));
}

#[test]
fn what_people_do_at_any_call_is_respected() {
    let stories = calm();
    let mut schedules = Vec::new();
    for Story { scenario, calm, new } in &stories {
        for (turn, deed) in scenario.deeds().into_iter().enumerate() {
            let numbers = (0..calm.calls.len()).filter(|number| is_wanted(*number));
            let due = numbers.filter(|number| is_due(scenario, new[*number], number + turn));
            schedules.extend(due.map(|number| (scenario, calm, number, deed)));
        }
    }
    none(&each(&schedules, |(scenario, calm, number, deed)| {
        let reason = intervened(scenario, &calm.made, *number, *deed).outcome.err()?;
        let (name, what) = (deed.name(), &calm.calls[*number].what);
        Some(format!("{}: {name} before call {number} ({what}): {}", scenario.name, reason.0))
    }));
}

/// A scenario with its run without faults, and which calls of that are new.
struct Story {
    scenario: Scenario,
    calm: Report,
    new: Vec<bool>,
}

/// The wanted scenarios.
fn calm() -> Vec<Story> {
    let runs: Vec<(Scenario, Report)> =
        wanted().into_iter().map(|scenario| (scenario, clean(&scenario))).collect();
    let new = new_calls(runs.iter().map(|(scenario, calm)| (scenario.flow.name, calm.calls.as_slice())));
    runs.into_iter().zip(new).map(|((scenario, calm), new)| Story { scenario, calm, new }).collect()
}

/// Runs each schedule, on every processor, and tells what broke, in the schedules' order. A schedule has a thread to
/// itself while it runs, so it replays alone as it does here.
pub(crate) fn each<T: Sync>(schedules: &[T], run: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let broken = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(schedule) = schedules.get(at) else { return };
            if let Some(reason) = run(schedule) {
                broken.lock().expect("no panic").insert(at, reason);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    broken.into_inner().expect("no panic").into_values().collect()
}

/// The scenarios, those of the flow that `STORM_FLOW` names, or the one that `STORM_SCENARIO` names.
pub(crate) fn wanted() -> Vec<Scenario> {
    let (flow, name) = (std::env::var("STORM_FLOW").ok(), std::env::var("STORM_SCENARIO").ok());
    scenarios()
        .into_iter()
        .filter(|scenario| flow.as_ref().is_none_or(|flow| *flow == scenario.flow.name))
        .filter(|scenario| name.as_ref().is_none_or(|name| *name == scenario.name))
        .collect()
}

/// Fails when something broke.
pub(crate) fn none(broken: &[String]) {
    let shown: Vec<&str> = broken.iter().take(5).map(String::as_str).collect();
    let all: Vec<&str> = broken.iter().filter_map(|report| report.lines().next()).collect();
    assert!(
        broken.is_empty(),
        "{} schedules broke a promise; the first:\n{}\n\nall:\n{}",
        broken.len(),
        shown.join("\n\n"),
        all.join("\n")
    );
}

#[test]
fn random_nights_of_the_main_job() {
    random_nights(|scenario| scenario.flow.name == MAIN_JOB);
}

#[test]
fn random_nights_of_the_other_flows() {
    random_nights(|scenario| scenario.flow.name != MAIN_JOB);
}

/// Nights that broke once: a damaged first version stayed behind a later one when its worker had died; a message that was
/// parked twice was redriven twice; rights that were first seen when they were clear no more leave nothing to file.
#[test]
fn nights_that_broke_end_well() {
    let nights = [
        (8796, "a large new version, unless it is the same"),
        (12724, "evidence that is classified, restricted and reviewed"),
        (19330, "a new version of an upload"),
        (15268, "rights are not clear any more"),
    ];
    none(&each(&nights, |(seed, name)| {
        let scenario = scenarios().into_iter().find(|scenario| scenario.name == *name).expect("the story");
        let reason = random(&scenario, &clean(&scenario), *seed, None).outcome.err()?;
        Some(format!("STORM_SEED={seed} STORM_SCENARIO={name:?}: {}", reason.0))
    }));
}

/// `STORM_SEEDS` nights, spread over these stories.
fn random_nights(of: impl Fn(&Scenario) -> bool) {
    let (first, last) = match number("STORM_SEED") {
        Some(seed) => (seed, seed),
        None => (1, number("STORM_SEEDS").unwrap_or(100)),
    };
    let stories: Vec<_> = calm().into_iter().filter(|story| of(&story.scenario)).collect();
    let seeds: Vec<u64> = if stories.is_empty() { Vec::new() } else { (first..=last).collect() };
    none(&each(&seeds, |seed| {
        let at = usize::try_from(*seed).expect("a small seed") % stories.len();
        let Story { scenario, calm, .. } = &stories[at];
        let reason = random(scenario, calm, *seed, None).outcome.err()?;
        Some(format!(
            "STORM_SEED={seed} STORM_SCENARIO={:?} cargo nextest run -p tests --test storm random_nights\n{}",
            scenario.name, reason.0
        ))
    }));
}
